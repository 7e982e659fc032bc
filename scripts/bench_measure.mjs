// A workload through the library as anyone would use it, in a page or in Node. The peak is measured after every window,
// so that what the machine does to one it does to the other.
import { importLibrary, readBytes } from './bench_files.mjs';
import { startPeak } from './bench_peak.mjs';
import { quantile } from './bench_statistics.mjs';
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
 * @property {number} windowMs
 */

/**
 * @typedef {object} Side  a workload somewhere, ready to go on: those that are compared take turns
 * @property {() => Promise<Window>} window  goes on for so long
 * @property {() => Promise<Outcome>} end
 */

/**
 * @typedef {object} Window
 * @property {number} samplesPerSecond
 * @property {number} [peak]  GFLOP/s of so many threads, measured right after it
 * @property {number} [latency]  ms, of an inference: the median
 */

/**
 * @typedef {object} Outcome
 * @property {{ before: number, after: number }} [loss]  over the same thousand samples, of a training
 * @property {{ plannedBytes: number, heapBytes: number, dataBytes: number }} [memory]  of the run; of the engine; of the data in it
 */

/** How long the peak is measured after each window. */
const PEAK_MS = 60;
const PROBE_SAMPLES = 1000;
const ENDLESS = 1_000_000; // epochs

/** Those that a page has opened, which are named by their numbers from outside of it. @type {Side[]} */
const opened = [];

/** @param {Job} job @returns {Promise<number>} */
export const open = async (job) => opened.push(await openSide(job)) - 1;

/** @param {number} number */
export const windowOf = (number) => opened[number].window();

/** @param {number} number */
export const end = (number) => opened[number].end();

/** Warms up, too. @param {Job} job @returns {Promise<Side>} */
export async function openSide({ workload, threads, variant, windowMs }) {
  const { createEngine } = await importLibrary();
  const engine = await createEngine({ threads, precision: variant });
  const { train } = await engine.readFiles(await readFiles(workload.dataset));
  const run = await engine.run({ ...workload.recipe, epochs: ENDLESS }, { train });
  const how = { engine, train, run, windowMs };
  const side = await (workload.kind === 'training' ? training(how) : inference(how, workload.batch ?? 1));
  await side.window();
  const peak = await startPeak(threads); // last: its workers would keep Node from ending, should anything fail before
  return {
    window: async () => ({ ...(await side.window()), peak: await peak.gflops(PEAK_MS) }),
    end: async () => {
      const outcome = await side.end();
      const { heapBytes } = await engine.memory();
      const { count, shape } = train;
      const dataBytes = count * shape.reduce((product, side) => product * side, 1);
      peak.close();
      await engine.close();
      return { ...outcome, memory: { plannedBytes: run.summary.memory.totalBytes, heapBytes, dataBytes } };
    },
  };
}

/** @param {string} dataset */
function readFiles(dataset) {
  const file = async (/** @type {string} */ name) => ({
    name,
    bytes: await readBytes(`build/data/${dataset}/${name}`),
  });
  return Promise.all(FILES[dataset].map(file));
}

/** @typedef {{ engine: Engine, train: Dataset, run: Run, windowMs: number }} How */

/** @param {How} how @returns {Promise<Side>} */
async function training({ engine, train, run, windowMs }) {
  const probe = await firstSamples(engine, train);
  const { loss: before } = await run.evaluate(probe);
  const pace = new Pace(run);
  await run.pause();
  return {
    window: async () => {
      await run.resume();
      const samplesPerSecond = await pace.window(windowMs);
      await run.pause();
      return { samplesPerSecond };
    },
    end: async () => {
      await run.stop();
      const { loss: after } = await run.evaluate(probe);
      return { loss: { before, after } };
    },
  };
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

/** @param {How} how @param {number} batch @returns {Promise<Side>} */
async function inference({ train, run, windowMs }, batch) {
  const { pixels } = await train.samples(Array.from({ length: batch }, (_, i) => i));
  return {
    window: async () => {
      const start = performance.now();
      const latencies = [];
      for (let now = start; now - start < windowMs; ) {
        await run.predict(pixels);
        const then = performance.now();
        latencies.push(then - now);
        now = then;
      }
      const total = latencies.reduce((sum, ms) => sum + ms, 0);
      return {
        samplesPerSecond: (batch * latencies.length * 1000) / total,
        latency: quantile(latencies, 0.5),
      };
    },
    end: async () => ({}),
  };
}
