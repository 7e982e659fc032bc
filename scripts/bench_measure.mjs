// Measures a workload through the library as anyone would use it, in a page or in Node. The peak is measured between
// the windows, so that what the machine does to one it does to the other.
import { importLibrary, readBytes } from './bench_files.mjs';
import { startPeak } from './bench_peak.mjs';
import { FILES } from './bench_workloads.mjs';

/** @typedef {import('../web/src/shared/library.js').Engine} Engine */
/** @typedef {import('../web/src/shared/library.js').Dataset} Dataset */
/** @typedef {import('../web/src/shared/library.js').Run} Run */
/** @typedef {import('./bench_workloads.mjs').Workload} Workload */

/**
 * @typedef {object} Job
 * @property {Workload} workload
 * @property {number} threads
 * @property {'exact' | 'fast'} variant
 * @property {number} windows
 * @property {number} windowMs
 */

/**
 * @typedef {object} Measured
 * @property {number[]} samplesPerSecond  of each window
 * @property {number[]} peaks  GFLOP/s of so many threads, measured after each window
 * @property {{ before: number, after: number }} [loss]  over the same thousand samples, of a training
 * @property {number[]} [latencies]  ms, of an inference: the median of each window
 * @property {{ plannedBytes: number, heapBytes: number, dataBytes: number }} [memory]  of the run; of the engine; of the data in it
 */

/** The windows take turns with as many of these. */
const PEAK_MS = 60;
const PROBE_SAMPLES = 1000;
const ENDLESS = 1_000_000; // epochs

/** @param {Job} job @returns {Promise<Measured>} */
export async function measure({ workload, threads, variant, windows, windowMs }) {
  const { createEngine } = await importLibrary();
  const engine = await createEngine({ threads, precision: variant });
  const peak = await startPeak(threads);
  try {
    const { train } = await engine.readFiles(await readFiles(workload.dataset));
    const run = await engine.run({ ...workload.recipe, epochs: ENDLESS }, { train });
    const how = { engine, train, run, peak, windows, windowMs };
    const measured = await (workload.kind === 'training'
      ? training(how)
      : inference(how, workload.batch ?? 1));
    const { heapBytes } = await engine.memory();
    const { count, shape } = train;
    const dataBytes = count * shape.reduce((product, side) => product * side, 1);
    return { ...measured, memory: { plannedBytes: run.summary.memory.totalBytes, heapBytes, dataBytes } };
  } finally {
    peak.close();
    await engine.close();
  }
}

/** @param {string} dataset */
function readFiles(dataset) {
  const file = async (/** @type {string} */ name) => ({
    name,
    bytes: await readBytes(`build/data/${dataset}/${name}`),
  });
  return Promise.all(FILES[dataset].map(file));
}

/** @typedef {{ engine: Engine, train: Dataset, run: Run, peak: import('./bench_peak.mjs').Peak, windows: number,
 *   windowMs: number }} How */

/** @param {How} how */
async function training({ engine, train, run, peak, windows, windowMs }) {
  const probe = await firstSamples(engine, train);
  const { loss: before } = await run.evaluate(probe);
  const pace = new Pace(run);
  await pace.window(windowMs); // warms up: V8 replaces what is called often
  const samplesPerSecond = [];
  const peaks = [];
  for (let i = 0; i < windows; i++) {
    samplesPerSecond.push(await pace.window(windowMs));
    await run.pause();
    peaks.push(await peak.gflops(PEAK_MS));
    await run.resume();
  }
  await run.stop();
  const { loss: after } = await run.evaluate(probe);
  return { samplesPerSecond, peaks, loss: { before, after } };
}

/** @param {Engine} engine @param {Dataset} train */
async function firstSamples(engine, train) {
  const { pixels, labels } = await train.samples(Array.from({ length: PROBE_SAMPLES }, (_, i) => i));
  return engine.dataset({ images: pixels, labels, shape: train.shape, classes: train.classes });
}

/** How fast a run goes, by its reports as they come in. */
class Pace {
  /** @type {((at: { samples: number, ms: number }) => void)[]} */
  #waiting = [];
  /** @type {Promise<void>} */
  #ended;

  /** @param {Run} run  begins to train */
  constructor(run) {
    this.#ended = this.#follow(run);
  }

  /** @param {Run} run */
  async #follow(run) {
    for await (const _ of run.train()) {
      // Not the report's own samples: where an epoch is short, several come at once.
      const at = { samples: run.progress.samples, ms: performance.now() };
      for (const resolve of this.#waiting.splice(0)) resolve(at);
    }
  }

  /** The next report. @returns {Promise<{ samples: number, ms: number }>} */
  #next() {
    const report = new Promise((resolve) => void this.#waiting.push(resolve));
    const ended = this.#ended.then(() => {
      throw new Error('the training ended while it was measured');
    });
    return /** @type {Promise<any>} */ (Promise.race([report, ended]));
  }

  /** Samples per second over at least so long, from one report to another. @param {number} ms */
  async window(ms) {
    const start = await this.#next();
    let end = await this.#next();
    while (end.ms - start.ms < ms) end = await this.#next();
    return ((end.samples - start.samples) / (end.ms - start.ms)) * 1000;
  }
}

/** @param {How} how @param {number} batch */
async function inference({ train, run, peak, windows, windowMs }, batch) {
  const { pixels } = await train.samples(Array.from({ length: batch }, (_, i) => i));
  const window = async () => {
    const start = performance.now();
    const latencies = [];
    for (let now = start; now - start < windowMs; ) {
      await run.predict(pixels);
      const then = performance.now();
      latencies.push(then - now);
      now = then;
    }
    return latencies;
  };
  await window();
  const samplesPerSecond = [];
  const medians = [];
  const peaks = [];
  for (let i = 0; i < windows; i++) {
    const latencies = (await window()).toSorted((a, b) => a - b);
    const total = latencies.reduce((sum, ms) => sum + ms, 0);
    samplesPerSecond.push((batch * latencies.length * 1000) / total);
    medians.push(latencies[latencies.length >> 1]);
    peaks.push(await peak.gflops(PEAK_MS));
  }
  return { samplesPerSecond, latencies: medians, peaks };
}
