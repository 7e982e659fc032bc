// One thread of the peak: multiplies and adds vectors for as long as it is told, and says how fast that was.
import { nodeModule } from '../web/src/shared/environment.js';

const parent = nodeModule('node:worker_threads')?.parentPort;
const port = parent ?? globalThis;
/** @type {Promise<WebAssembly.Instance>} */
let instance;

/** @param {{ wasm?: Uint8Array<ArrayBuffer>, ms?: number }} message */
async function receive({ wasm, ms = 0 }) {
  if (wasm) instance = WebAssembly.instantiate(wasm).then((made) => made.instance);
  const { peak, peak_flop: flop } = /** @type {Record<string, () => number>} */ ((await instance).exports);
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < ms) {
    for (let i = 0; i < 10; i++) peak();
    calls += 10;
  }
  port.postMessage(ms > 0 ? (calls * flop()) / (performance.now() - start) / 1e6 : 0);
}

if (parent) parent.on('message', receive);
else globalThis.onmessage = ({ data }) => receive(data);
