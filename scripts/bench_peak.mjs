// The peak: how fast so many threads at once multiply and add 128-bit vectors in WebAssembly. In a page and in Node.
import { startWorker } from '../web/src/shared/environment.js';
import { readBytes } from './bench_files.mjs';

/** Until V8 has replaced the kernel's first, slow version. */
const WARM_UP_MS = 100;

/** @typedef {{ gflops: (ms: number) => Promise<number>, close: () => void }} Peak */

/** @param {number} threads @returns {Promise<Peak>} */
export async function startPeak(threads) {
  const wasm = await readBytes('build/wasm/tests/bench/peak.wasm');
  const workers = Array.from({ length: threads }, () => new PeakWorker());
  await Promise.all(workers.map((worker) => worker.ask({ wasm })));
  /** @param {number} ms */
  const gflops = async (ms) => {
    const speeds = await Promise.all(workers.map((worker) => worker.ask({ ms })));
    return speeds.reduce((sum, speed) => sum + speed, 0);
  };
  await gflops(WARM_UP_MS);
  return { gflops, close: () => workers.forEach((worker) => void worker.close()) };
}

class PeakWorker {
  #worker;
  /** @type {(gflops: number) => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};

  constructor() {
    this.#worker = startWorker(
      new URL('bench_peak_worker.mjs', import.meta.url),
      (gflops) => this.#resolve(gflops),
      (reason) => this.#reject(new Error(`the peak could not be measured: ${reason}`)),
    );
    this.#worker.setBusy(true);
  }

  /** @param {{ wasm?: Uint8Array, ms?: number }} message @returns {Promise<number>} */
  ask(message) {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#worker.post(message);
    });
  }

  close() {
    this.#worker.terminate();
  }
}
