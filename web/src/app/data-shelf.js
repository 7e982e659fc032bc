// The pictures at hand: the site's own MNIST until a person opens other files. MNIST is fetched in halves, each when
// first needed; opened files replace it only once they were read without a fault.
import { fetchMnist, recogniseFiles } from './data-source.js';
import { MNIST } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('tabgrad').Dataset} Dataset */
/** @typedef {{ train: Dataset, test?: Dataset }} Sets */

const SAMPLES = 32;

export class DataShelf {
  #store;
  #engine;
  /** @type {{ train?: Promise<Dataset>, test?: Promise<Dataset> }} */
  #mnist = {};
  /** @type {Sets | null} */
  #mnistSets = null;
  /** @type {Sets | null} */
  #opened = null;
  /** @type {Promise<unknown>} settles when no file is being read */
  #opening = Promise.resolve();

  /**
   * @param {import('./store.js').Store<State>} store
   * @param {Promise<import('./state.js').Engine>} engine that reads and keeps the pictures
   */
  constructor(store, engine) {
    this.#store = store;
    this.#engine = engine;
  }

  /**
   * Everything there is to train and test with; files that are being opened first come to their end.
   * @returns {Promise<Sets>}
   */
  async all() {
    await this.#opening;
    if (this.#opened) return this.#opened;
    const [train, test] = await Promise.all([this.#half('train'), this.#half('test')]);
    this.#mnistSets ??= { train, test };
    if (!this.#opened && this.#store.state.samples.length === 0) await this.#show(this.#mnistSets, MNIST);
    return this.#opened ?? this.#mnistSets;
  }

  /**
   * Whether these are the pictures that training would use now.
   * @param {Sets} sets
   */
  holds(sets) {
    return sets === (this.#opened ?? this.#mnistSets);
  }

  /**
   * Closes pictures that nobody trains on any more, unless they are still at hand. MNIST stays.
   * @param {Sets} sets
   */
  async release(sets) {
    if (sets === this.#opened || sets === this.#mnistSets) return;
    await Promise.all([sets.train.close(), sets.test?.close()]);
  }

  /**
   * @param {'train' | 'test'} part
   * @returns {Promise<Dataset>}
   */
  #half(part) {
    const half = this.#mnist[part] ?? this.#readHalf(part);
    this.#mnist[part] = half;
    half.catch(() => delete this.#mnist[part]); // the next try fetches again
    return half;
  }

  /** @param {'train' | 'test'} part */
  async #readHalf(part) {
    const [engine, files] = await Promise.all([this.#engine, fetchMnist(part)]);
    const { train } = await engine.readFiles(files, { classes: MNIST.classes });
    return train; // what one pair alone counts as
  }

  /**
   * Reads files and puts them in the place of what was there; what was there stays when they cannot be read.
   * @param {File[]} files
   * @returns {Promise<Sets | null>} the opened files that they replace
   */
  open(files) {
    const reading = this.#opening.then(() => this.#read(files));
    this.#store.update({ opening: files.length });
    this.#opening = reading.catch(() => {}).finally(() => this.#store.update({ opening: 0 }));
    return reading;
  }

  /** @param {File[]} files */
  async #read(files) {
    const known = await recogniseFiles(files);
    const engine = await this.#engine;
    const sets = await engine.readFiles(files, { classes: known.classes });
    const before = this.#opened;
    this.#opened = sets;
    await this.#show(sets, { ...known, classes: sets.train.classes });
    return before;
  }

  /**
   * Goes back to MNIST.
   * @returns {Promise<Sets | null>} the opened files that it replaces
   */
  async useMnist() {
    const before = this.#opened;
    this.#opened = null;
    this.#store.update({ data: MNIST, samples: [], testPicture: null });
    await this.all();
    return before;
  }

  /**
   * @param {Sets} sets
   * @param {{ name: string, title: string, classes: string[] }} description
   */
  async #show({ train, test }, { name, title, classes }) {
    const spread = Math.max(1, Math.floor(train.count / SAMPLES));
    const indices = Array.from({ length: Math.min(SAMPLES, train.count) }, (_, i) => i * spread);
    const { pixels, labels } = await train.samples(indices);
    const size = pixels.length / indices.length;
    this.#store.update({
      data: { name, title, classes, shape: train.shape, train: train.count, test: test?.count ?? 0 },
      samples: indices.map((_, i) => ({
        pixels: pixels.slice(i * size, (i + 1) * size),
        shape: train.shape,
        label: classes[labels[i]],
      })),
    });
  }

  /**
   * A picture that no network here has learned from, as long as there are test pictures.
   * @param {number | 'random' | 'next' | 'previous'} which
   * @returns {Promise<NonNullable<State['testPicture']>>}
   */
  async testPicture(which) {
    const data = this.#opened ? (this.#opened.test ?? this.#opened.train) : await this.#half('test');
    const at = this.#store.state.testPicture?.index ?? (which === 'next' ? -1 : 0);
    const places = { random: Math.floor(Math.random() * data.count), next: at + 1, previous: at - 1 };
    const wanted = typeof which === 'number' ? which : places[which];
    const index = (wanted + data.count) % data.count;
    const { pixels, label } = await data.sample(index);
    const { classes } = this.#store.state.data;
    return { index, count: data.count, pixels, shape: data.shape, label: classes[label] };
  }
}
