// A dataset as the library's users see it; the samples themselves are in the worker.
import { TabgradError } from './errors.js';
import { copied } from './file-bytes.js';
import { makersOfTwo } from './set-makers.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./protocol.js').DatasetFacts} DatasetFacts */
/** @typedef {import('./protocol.js').Requests} Requests */
/** @typedef {import('./supervisor.js').Supervisor} Supervisor */

/**
 * @typedef {object} DatasetOptions
 * @property {Uint8Array | Uint8ClampedArray | Float32Array} images  samples one after the other, each [height, width, channels]
 * @property {ArrayLike<number>} labels  class of each sample; a Float32Array is [count, classes]: a distribution each
 * @property {[height: number, width: number, channels: number]} shape
 * @property {string[] | number} [classes]  names, or how many; without, the largest label says
 * @property {string} [name]  for messages
 * @property {boolean} [transfer]  hands the arrays over instead of copying them: they are empty afterwards, and a
 *   restarted worker will not have them
 */

/** Has a worker make the dataset, at first or again; lent: for a moment, though nobody here holds it any more.
 * @typedef {(worker: Pick<Connection, 'request'>, isLent?: boolean) => Promise<DatasetFacts>} DatasetMaker */

export class Dataset {
  #supervisor;
  #facts;
  #isRenamed = false;
  #maker;
  /** @type {TabgradError | null} */
  #lost = null;

  /**
   * @param {Supervisor} supervisor
   * @param {number} id
   * @param {DatasetFacts} facts
   * @param {DatasetMaker | null} maker  null: it cannot be made again
   */
  constructor(supervisor, id, facts, maker) {
    this.#supervisor = supervisor;
    this.id = id;
    this.#facts = facts;
    this.#maker = maker;
    supervisor.add(this);
  }

  /** How many samples there are. */
  get count() {
    return this.#facts.count;
  }

  /** Of one sample: [height, width, channels]. */
  get shape() {
    return this.#facts.shape;
  }

  /** Of the pixels: 'u8' are 0..255, 'f32' any. */
  get type() {
    return this.#facts.type;
  }

  /** Names of the classes. */
  get classes() {
    return this.#facts.classes;
  }

  /** Over type, shape, pixels and labels. */
  get sha256() {
    return this.#facts.sha256;
  }

  /** @param {number} index */
  async sample(index) {
    const { pixels, labels } = await this.samples([index]);
    return { pixels, label: labels[0] };
  }

  /** Pixels one sample after the other, and labels. @param {number[]} indices */
  async samples(indices) {
    this.#check(indices, 'samples');
    return this.#supervisor.request('samples', { dataset: this.id, indices });
  }

  /** How many samples each class has, and between which values the pixels lie. */
  async facts() {
    if (this.#lost) throw this.#lost;
    return this.#supervisor.request('facts', { dataset: this.id });
  }

  /**
   * Samples as one picture to look at: a cell of size x size for each, fitted and centred, row by row; what no sample
   * covers is clear. f32 pixels are shown from the least to the largest in the set.
   * @param {number[]} indices
   * @param {{ size?: number, columns?: number }} [options]  side of a cell; cells in a row (about a square)
   */
  async thumbnails(indices, { size = 28, columns = Math.ceil(Math.sqrt(indices.length)) } = {}) {
    this.#check(indices, 'thumbnails');
    atLeastOne(size, 'size');
    atLeastOne(columns, 'columns');
    return this.#supervisor.request('thumbnails', { dataset: this.id, indices, size, columns });
  }

  /** Indices of so many samples of every class (fewer where it has fewer), by class; the same for the same seed.
   * @param {number} perClass @param {number} [seed] */
  async samplesByClass(perClass, seed = 1) {
    if (this.#lost) throw this.#lost;
    atLeastOne(perClass, 'perClass');
    return this.#supervisor.request('samplesByClass', { dataset: this.id, perClass, seed });
  }

  /** How many samples of another set are, pixel for pixel, also in this one; up to `most` pairs of such.
   * @param {Dataset} other @param {{ most?: number }} [options] */
  async duplicates(other, { most = 20 } = {}) {
    if (most !== Infinity) atLeastOne(most, 'most');
    const fields = { dataset: this.idFor(this.#supervisor), other: other.idFor(this.#supervisor), most };
    return this.#supervisor.request('duplicates', fields);
  }

  /** Gives the classes other names; runs made later use them. @param {string[]} classes  as many as there are */
  async rename(classes) {
    if (this.#lost) throw this.#lost;
    const names = classes.map(String);
    if (names.length !== this.classes.length) {
      const what = `${names.length} names for ${this.classes.length} classes; give one for each`;
      throw new TabgradError('argument', 'classes', what);
    }
    await this.#supervisor.request('renameClasses', { dataset: this.id, classes: names });
    this.#facts = { ...this.#facts, classes: names };
    this.#isRenamed = true;
  }

  /**
   * Two new sets; this one stays.
   * @param {{ fraction?: number, seed?: number, stratified?: boolean }} [options]  fraction: of the samples that go to
   *   test, drawn by the seed; stratified: of every class that fraction
   * @returns {Promise<{ train: Dataset, test: Dataset }>}
   */
  async split({ fraction = 0.2, seed = 1, stratified = true } = {}) {
    const supervisor = this.#supervisor;
    const fields = { dataset: this.idFor(supervisor), fraction, seed, stratified };
    const ids = { train: supervisor.nextId(), test: supervisor.nextId() };
    const { train, test } = await supervisor.request('split', { ...fields, ...ids });
    const makers = makersOfTwo(supervisor, ids, (worker, wanted) =>
      this.lend(worker, () => worker.request('split', { ...fields, ...wanted })),
    );
    return {
      train: new Dataset(supervisor, ids.train, train, makers.train),
      test: new Dataset(supervisor, ids.test, /** @type {DatasetFacts} */ (test), makers.test),
    };
  }

  /** Has the set in a new worker for as long as something is made of it, if it is closed already here.
   * @template T @param {Pick<Connection, 'request'>} worker @param {() => Promise<T>} use */
  async lend(worker, use) {
    if (this.#supervisor.holds(this.id)) return use();
    await this.#makeIn(worker, true);
    try {
      return await use();
    } finally {
      await worker.request('closeDataset', { dataset: this.id });
    }
  }

  /** @param {number[]} indices @param {string} call */
  #check(indices, call) {
    const wrong = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= this.count);
    if (wrong !== undefined) {
      const what = `there is no sample ${wrong}; they go from 0 to ${this.count - 1}`;
      throw new TabgradError('argument', call, what);
    }
    if (this.#lost) throw this.#lost;
  }

  /** Frees the samples; runs that use them keep them until they are closed. */
  async close() {
    if (this.#lost?.code === 'closed') return;
    this.#lost = new TabgradError('closed', 'dataset', 'it was closed');
    await this.#supervisor.remove(this, 'closeDataset');
  }

  /** Its number for a request. @param {Supervisor} supervisor  of the engine that is to use it */
  idFor(supervisor) {
    if (this.#lost) throw this.#lost;
    if (supervisor !== this.#supervisor)
      throw new TabgradError('argument', 'dataset', 'it belongs to another engine');
    return this.id;
  }

  /** @param {Connection} connection */
  async restore(connection) {
    await this.#makeIn(connection);
    return true;
  }

  /** @param {Pick<Connection, 'request'>} worker @param {boolean} [isLent] */
  async #makeIn(worker, isLent) {
    if (!this.#maker) {
      const what =
        'its arrays were handed over with `transfer`, so it is gone with the worker; make it again';
      throw new TabgradError('crashed', 'dataset', what);
    }
    const { sha256 } = await this.#maker(worker, isLent);
    if (sha256 !== this.sha256) {
      await worker.request('closeDataset', { dataset: this.id });
      const what = 'its arrays have changed since they were given; make it again';
      throw new TabgradError('crashed', 'dataset', what);
    }
    if (this.#isRenamed) await worker.request('renameClasses', { dataset: this.id, classes: this.classes });
  }

  /** @param {TabgradError} error */
  lose(error) {
    this.#lost = error;
  }

  get isLost() {
    return this.#lost !== null;
  }

  get whereItStands() {
    return this.#lost?.message ?? 'the dataset is there again';
  }
}

/**
 * Options as they go to the worker.
 * @param {DatasetOptions} options
 * @returns {Omit<Requests['createDataset']['fields'], 'dataset'>}
 */
export function datasetFields({ images, labels, shape, classes, name = 'dataset' }) {
  const pixels = samplesOf(images, 'images');
  const size = sampleSize(shape);
  const count = pixels.length / size;
  if (!Number.isInteger(count) || count === 0) {
    const what = `${pixels.length} values are no whole number of samples of ${shape.join(' x ')}`;
    throw new TabgradError('data', 'images', what);
  }
  if (!labels || typeof labels.length !== 'number') {
    throw new TabgradError('data', 'labels', 'they are missing; give one for every image');
  }
  const names = classNames(classes, labels);
  const isSoft = labels instanceof Float32Array;
  if (labels.length !== count * (isSoft ? names.length : 1)) {
    const each = isSoft ? ` (${names.length} values for each)` : '';
    throw new TabgradError(
      'data',
      'labels',
      `${labels.length} labels for ${count} images${each}; there must be one each`,
    );
  }
  const checked = isSoft ? compact(labels) : Int32Array.from(labels, checkedLabel);
  return { name, shape, pixels, labels: checked, classes: names };
}

/** Only these two kinds of numbers are pixels; of a view into something larger, its own part.
 * @param {Uint8Array | Uint8ClampedArray | Float32Array} images @param {string} where */
export function samplesOf(images, where) {
  if (images instanceof Float32Array || images instanceof Uint8Array) return compact(images);
  if (images instanceof Uint8ClampedArray) {
    return compact(new Uint8Array(images.buffer, images.byteOffset, images.byteLength));
  }
  throw new TabgradError('argument', where, 'they must be a Uint8Array or a Float32Array');
}

/** @param {readonly number[]} shape */
function sampleSize(shape) {
  if (
    !Array.isArray(shape) ||
    shape.length !== 3 ||
    !shape.every((side) => Number.isInteger(side) && side > 0)
  ) {
    throw new TabgradError(
      'argument',
      'shape',
      `[${shape}] is not [height, width, channels] of at least 1 each`,
    );
  }
  return shape.reduce((product, side) => product * side, 1);
}

/** @param {DatasetOptions['classes']} classes @param {ArrayLike<number>} labels */
function classNames(classes, labels) {
  if (Array.isArray(classes)) return classes.map(String);
  if (classes === undefined && labels instanceof Float32Array) {
    throw new TabgradError(
      'argument',
      'classes',
      'they are missing; soft labels do not say how many there are',
    );
  }
  let count = classes ?? 0;
  if (classes === undefined)
    for (const label of Array.from(labels)) count = Math.max(count, Number(label) + 1);
  if (!Number.isInteger(count) || count < 1 || count > 65536) {
    throw new TabgradError(
      'argument',
      'classes',
      `${count} is no number of classes; give names, or 1 to 65536`,
    );
  }
  return Array.from({ length: count }, (_, i) => String(i));
}

/** @param {number | bigint} given  NumPy's own integers are bigints here @param {number} index */
function checkedLabel(given, index) {
  const label = typeof given === 'bigint' ? Number(given) : given;
  if (Number.isInteger(label) && label >= 0 && label < 2 ** 31) return label;
  throw new TabgradError('data', `labels[${index}]`, `${label} is not the number of a class`);
}

/** @param {number} value @param {string} where */
export function atLeastOne(value, where) {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new TabgradError('argument', where, `${value} is not a whole number of at least 1`);
}

/** The array itself, or a copy if it shows only a part of its buffer: buffers are sent whole.
 * @template {Uint8Array | Float32Array} T @param {T} view @returns {T} */
function compact(view) {
  return view.byteLength === view.buffer.byteLength ? view : copied(view);
}
