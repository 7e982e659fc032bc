// The engine as the library's users see it: makes datasets and runs.
import { attributesOf } from './attributes.js';
import { atLeastOne, Dataset, datasetFields } from './dataset-client.js';
import { TabgradError } from './errors.js';
import { copied, readFile } from './file-bytes.js';
import { openStored, readFiles } from './file-reading.js';
import { Run } from './run-client.js';
import { Supervisor } from './supervisor.js';
import { pickVariant, probeSupport } from './variant.js';

/** @typedef {import('./dataset-client.js').DatasetMaker} DatasetMaker */
/** @typedef {import('./dataset-client.js').DatasetOptions} DatasetOptions */
/** @typedef {import('./file-bytes.js').NamedBytes} NamedBytes */
/** @typedef {import('./file-reading.js').ReadOptions} ReadOptions */
/** @typedef {import('./protocol.js').ImportReport} ImportReport */
/** @typedef {import('./run-client.js').RunData} RunData */
/** @typedef {import('./supervisor.js').Respawn} Respawn */
/** @typedef {import('./variant.js').Precision} Precision */
/** @typedef {import('./variant.js').Variant} Variant */

/**
 * @typedef {object} EngineOptions
 * @property {'auto' | number} [threads]  a number is taken literally; 'auto': up to 8, and 1 where there are no threads
 * @property {Precision} [precision]  'fast' gives up that all machines compute the same bits; 'double' is slow, on one
 *   thread, and there to check gradients with
 * @property {string | URL} [baseUrl]  the folder of tabgrad.worker.js and the WebAssembly files
 */

export class Engine {
  #supervisor;
  #variant;

  /** @param {Supervisor} supervisor @param {Variant} variant */
  constructor(supervisor, variant) {
    this.#supervisor = supervisor;
    this.#variant = variant;
  }

  /** Which WebAssembly variant is running. */
  get variant() {
    return this.#variant;
  }

  /** How many threads it computes with. */
  get threads() {
    return this.#supervisor.engine.threads;
  }

  /** Which kernels it computes with: "wasm128". */
  get kernels() {
    return this.#supervisor.engine.kernels;
  }

  /**
   * respawn: the worker died and was restarted; datasets and runs are there again (restored: all of them), runs as
   * they were last saved: at most ten seconds of training ago.
   * @param {'respawn'} event
   * @param {(event: Respawn) => void} listener
   * @returns {() => void} takes the listener off again
   */
  on(event, listener) {
    if (event !== 'respawn')
      throw new TabgradError('argument', 'on', `there is no event "${event}"; there is "respawn"`);
    return this.#supervisor.onRespawn(listener);
  }

  /** @param {DatasetOptions} options */
  async dataset(options) {
    const dataset = this.#supervisor.nextId();
    const fields = { ...datasetFields(options), dataset };
    const buffers = /** @type {ArrayBuffer[]} */ ([fields.pixels.buffer, fields.labels.buffer]);
    const transfer = options.transfer ? buffers : [];
    /** @type {DatasetMaker} */
    const make = (worker) => worker.request('createDataset', fields, { transfer });
    const facts = await make(this.#supervisor);
    return new Dataset(this.#supervisor, dataset, facts, options.transfer ? null : make);
  }

  /**
   * Reads what people have: MNIST's IDX, CIFAR's binary batches, .npy and .npz, .mat, CSV and TSV, Parquet, pictures in
   * folders; in gzip, zip and tar. What cannot be used is skipped and stands in the report.
   * @param {(NamedBytes | File)[]} files
   * @param {ReadOptions} [options]
   * @returns {Promise<{ train: Dataset, test?: Dataset, report: ImportReport }>}
   */
  async readFiles(files, options) {
    return readFiles(this.#supervisor, files, options);
  }

  /**
   * Keeps sets in the browser's storage for this page, to be there after a reload.
   * @param {{ train: Dataset, test?: Dataset | null }} sets
   * @param {{ name?: string, report?: unknown }} [options]  report: comes back with them, so plain data
   */
  async keep({ train, test }, { name = 'data', report = null } = {}) {
    const ids = this.#idsOf({ train, test });
    return this.#supervisor.request('keep', {
      train: train.idFor(this.#supervisor),
      test: ids.test,
      name,
      report,
    });
  }

  /** What is kept, the newest first; nothing where a browser keeps nothing. */
  async stored() {
    return this.#supervisor.request('stored', {});
  }

  /** @param {string} key  of one that is kept @returns {Promise<{ train: Dataset, test?: Dataset, report: any }>} */
  async openStored(key) {
    return openStored(this.#supervisor, key);
  }

  /** Gives the classes of what is kept other names. @param {string} key @param {string[]} classes  as many as there are */
  async renameStored(key, classes) {
    await this.#supervisor.request('renameStored', { key, classes: classes.map(String) });
  }

  /** @param {string} key */
  async deleteStored(key) {
    await this.#supervisor.request('deleteStored', { key });
  }

  /**
   * What a recipe's augmentation makes of one sample: as it would be in so many epochs.
   * @param {Record<string, any>} recipe
   * @param {Dataset} data
   * @param {number} index
   * @param {number} [count]
   */
  async augmentations({ augment = [], seed = 1 }, data, index, count = 12) {
    atLeastOne(count, 'count');
    const recipe = attributesOf({ augment }, 'recipe');
    const dataset = data.idFor(this.#supervisor);
    return this.#supervisor.request('augmentations', { dataset, recipe, seed, index, count });
  }

  /**
   * @param {Record<string, any>} recipe  as JSON.parse makes it
   * @param {RunData & { checkpoints?: Record<string, Uint8Array | ArrayBuffer | Blob> }} [options]  data, without which
   *   a run can only predict; and the files that layers take their "weights" from, by the names the recipe has for them
   */
  async run(recipe, { checkpoints = {}, ...data } = {}) {
    const calls = attributesOf(recipe, 'recipe');
    const files = await Promise.all(
      Object.entries(checkpoints).map(([name, bytes]) => readFile({ name, bytes })),
    );
    const copies = files.map(({ name, bytes }) => ({ name, bytes: copied(bytes) }));
    const fields = { recipe: calls, checkpoints: copies };
    const run = this.#supervisor.nextId();
    const facts = await this.#supervisor.request('createRun', { run, ...fields, ...this.#idsOf(data) });
    return new Run(this.#supervisor, run, facts, { type: 'createRun', fields }, data);
  }

  /**
   * The run that was saved with run.checkpoint().
   * @param {Uint8Array | ArrayBuffer | Blob} bytes
   * @param {RunData & { name?: string }} [options]  data is only needed to train on; name: for messages
   */
  async load(bytes, { name = 'checkpoint', ...data } = {}) {
    const copy = copied((await readFile({ name, bytes })).bytes);
    const run = this.#supervisor.nextId();
    const facts = await this.#supervisor.request('loadRun', { run, name, bytes: copy, ...this.#idsOf(data) });
    return new Run(this.#supervisor, run, facts, { type: 'loadRun', fields: { name, bytes: copy } }, data);
  }

  /** @param {RunData} data */
  #idsOf({ train, test }) {
    return { train: train?.idFor(this.#supervisor) ?? null, test: test?.idFor(this.#supervisor) ?? null };
  }

  /** Bytes that the engine's memory has grown to, and how many of them are in use. */
  async memory() {
    return this.#supervisor.request('memory', {});
  }

  /** Ends the worker with everything in it. */
  async close() {
    await this.#supervisor.close();
  }
}

/** @param {EngineOptions} options @param {URL} home  the folder this library was loaded from */
export async function startEngine({ threads = 'auto', precision, baseUrl }, home) {
  const base =
    baseUrl === undefined ? home : new URL(`${baseUrl}`.replace(/\/?$/, '/'), globalThis.location?.href);
  const picked = pickVariant({ threads, precision }, await probeSupport());
  try {
    return await startVariant(picked, base);
  } catch (error) {
    // Some phones have threads, but not the address space that shared memory reserves.
    if (threads !== 'auto' || picked.variant !== 'threads') throw error;
    return startVariant({ variant: 'simd', threads: 1 }, base);
  }
}

/** @param {{ variant: Variant, threads: number }} picked @param {URL} base */
async function startVariant({ variant, threads }, base) {
  const glueUrl = new URL(`tabgrad-${variant}.js`, base).href;
  const supervisor = new Supervisor(new URL('tabgrad.worker.js', base), { glueUrl, threads });
  await supervisor.ready();
  return new Engine(supervisor, variant);
}
