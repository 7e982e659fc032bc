// What the library costs beside the arithmetic, in a page or in Node: its start, its first step, its calls.
import { startWorker } from '../web/src/shared/environment.js';
import { importLibrary, readBytes } from './bench_files.mjs';
import { FILES } from './bench_workloads.mjs';

/** @typedef {import('./bench_workloads.mjs').Workload} Workload */

/**
 * @typedef {object} FirstSteps  in ms
 * @property {number} engineMs  until createEngine has resolved
 * @property {number} runMs  until the run is there
 * @property {number} firstStepMs  until its first step has come back
 * @property {number} laterStepMs  the median of the steps 101 to 120
 */

/**
 * @typedef {object} Slices
 * @property {number} count  of slices
 * @property {number} ms  that one takes on average
 * @property {number} outside  share of the time between the first and the last that passed outside of the core
 */

/** @typedef {{ workload: Workload, threads: number, ms: number }} Job  on MNIST */

/**
 * A workload from nothing to its first steps.
 * @param {{ workload: Workload, threads: number }} job
 * @returns {Promise<FirstSteps>}
 */
export async function measureFirstSteps({ workload, threads }) {
  const { createEngine } = await importLibrary();
  const files = await Promise.all(
    FILES[workload.dataset].map(async (name) => ({
      name,
      bytes: await readBytes(`build/data/${workload.dataset}/${name}`),
    })),
  );
  const [engine, engineMs] = await timed(() => createEngine({ threads }));
  const { train } = await engine.readFiles(files);
  const [run, runMs] = await timed(() => engine.run({ ...workload.recipe, epochs: 10 }, { train }));
  const [, firstStepMs] = await timed(() => run.step());
  await run.step(99);
  const later = [];
  for (let i = 0; i < 20; i++) later.push((await timed(() => run.step()))[1]);
  await engine.close();
  return { engineMs, runMs, firstStepMs, laterStepMs: later.sort((a, b) => a - b)[10] };
}

/**
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<[T, number]>}
 */
async function timed(work) {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

/**
 * @param {Job} job
 * @returns {Promise<Slices>}
 */
export function measureSlices(job) {
  return new Promise((resolve, reject) => {
    const worker = startWorker(
      new URL('bench_slices_worker.mjs', import.meta.url),
      ({ type, slices }) => {
        if (type !== 'measured') return;
        worker.terminate();
        resolve(slices);
      },
      (reason) => reject(new Error(`the slices could not be measured: ${reason}`)),
    );
    worker.setBusy(true);
    worker.post(job);
  });
}
