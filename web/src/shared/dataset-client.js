// A dataset as the library's users see it; the samples themselves are in the worker.
import { TabgradError } from './errors.js';

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

/** Has a worker make the dataset, at first or again.
 * @typedef {(worker: Pick<Connection, 'request'>) => Promise<DatasetFacts>} DatasetMaker */

export class Dataset {
  #supervisor;
  #facts;
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
    const wrong = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= this.count);
    if (wrong !== undefined) {
      throw new TabgradError(
        'argument',
        'samples',
        `there is no sample ${wrong}; they go from 0 to ${this.count - 1}`,
      );
    }
    if (this.#lost) throw this.#lost;
    return this.#supervisor.request('samples', { dataset: this.id, indices });
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
    if (!this.#maker) {
      const what =
        'its arrays were handed over with `transfer`, so it is gone with the worker; make it again';
      throw new TabgradError('crashed', 'dataset', what);
    }
    const { sha256 } = await this.#maker(connection);
    if (sha256 === this.sha256) return;
    await connection.request('closeDataset', { dataset: this.id });
    throw new TabgradError(
      'crashed',
      'dataset',
      'its arrays have changed since they were given; make it again',
    );
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
  if (classes === undefined) for (const label of Array.from(labels)) count = Math.max(count, label + 1);
  if (!Number.isInteger(count) || count < 1 || count > 65536) {
    throw new TabgradError(
      'argument',
      'classes',
      `${count} is no number of classes; give names, or 1 to 65536`,
    );
  }
  return Array.from({ length: count }, (_, i) => String(i));
}

/** @param {number} label @param {number} index */
function checkedLabel(label, index) {
  if (Number.isInteger(label) && label >= 0 && label < 2 ** 31) return label;
  throw new TabgradError('data', `labels[${index}]`, `${label} is not the number of a class`);
}

/** The array itself, or a copy if it shows only a part of its buffer: buffers are sent whole.
 * @template {Uint8Array | Float32Array} T @param {T} view @returns {T} */
function compact(view) {
  return view.byteLength === view.buffer.byteLength ? view : /** @type {T} */ (view.slice());
}
