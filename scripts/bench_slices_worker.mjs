// The library's worker with a clock around its calls into the core: how much of a training's time passes elsewhere.
import { attributesOf } from '../web/src/shared/attributes.js';
import { nodeModule } from '../web/src/shared/environment.js';
import { Core } from '../web/src/worker/core.js';
import { Server } from '../web/src/worker/server.js';
import { readBytes } from './bench_files.mjs';
import { FILES } from './bench_workloads.mjs';

/** @typedef {import('./bench_library.mjs').Slices} Slices */
/** @typedef {import('./bench_library.mjs').Job} Job */

/** Bytes before the values of an IDX file. */
const IDX_IMAGES = 16;
const IDX_LABELS = 8;

const parent = nodeModule('node:worker_threads')?.parentPort;
const port = parent ?? globalThis;

const slices = { count: 0, inside: 0, first: 0, last: 0 };
const { call } = Core.prototype;
/** @param {string} name @param {number[]} args */
Core.prototype.call = function (name, ...args) {
  const start = performance.now();
  call.call(this, name, ...args);
  if (name !== 'wasm_run_train') return;
  slices.last = performance.now();
  slices.first ||= start;
  slices.inside += slices.last - start;
  slices.count++;
};

/** What was asked of the server, by id. @type {Map<number, (message: any) => void>} */
const waiting = new Map();
/** How many requests were sent, as the library counts them. */
const sent = new Int32Array(new SharedArrayBuffer(4));
const server = new Server((message) => {
  if (message.type === 'event') port.postMessage(message); // as the library's worker sends reports
  if (message.type === 'reply') waiting.get(message.id)?.(message);
  if (message.type === 'fatal') throw new Error(message.reason);
});

/** @param {string} type @param {Record<string, unknown>} [fields] */
async function ask(type, fields) {
  const id = waiting.size + 1;
  const reply = new Promise((resolve) => void waiting.set(id, resolve));
  server.receive(/** @type {any} */ ({ type, id, ...fields }));
  sent[0]++;
  const { ok, value, error } = await reply;
  if (!ok) throw new Error(`${type}: ${error.what}`);
  return value;
}

/** @param {Job} job @returns {Promise<Slices>} */
async function measure({ workload, threads, ms }) {
  const variant = threads > 1 ? 'threads' : 'simd';
  const glueUrl = new URL(`../dist/tabgrad-${variant}.js`, import.meta.url).href;
  await ask('start', { glueUrl, threads, sent });
  const [pixels, labels] = await Promise.all(
    FILES.mnist.map((name) => readBytes(`build/data/mnist/${name}`)),
  );
  await ask('createDataset', {
    dataset: 1,
    name: 'mnist',
    shape: [28, 28, 1],
    pixels: pixels.slice(IDX_IMAGES),
    labels: Int32Array.from(labels.subarray(IDX_LABELS)),
    classes: Array.from({ length: 10 }, (_, i) => `${i}`),
  });
  const recipe = attributesOf({ ...workload.recipe, epochs: 1_000_000 }, 'recipe');
  await ask('createRun', { run: 2, recipe, train: 1, test: null });
  ask('train', { run: 2, epochs: null }).catch(() => {}); // until it is stopped
  await new Promise((resolve) => setTimeout(resolve, ms));
  Object.assign(slices, { count: 0, inside: 0, first: 0 }); // the first part warmed up
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { count, inside, first, last } = slices;
  const outside = 1 - inside / (last - first);
  return { count, ms: (last - first) / count, outside };
}

/** @param {Job} job */
const receive = async (job) => port.postMessage({ type: 'measured', slices: await measure(job) });
if (parent) parent.on('message', receive);
else globalThis.onmessage = ({ data }) => receive(data);
