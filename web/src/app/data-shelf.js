// The data at hand: the site's own MNIST until a person opens other files, or goes back to some that were kept. MNIST
// is fetched in halves, each when first needed; what is opened takes the place of what was there only once it was read
// without a fault.
import { datasetName, titleOf } from './data-drop.js';
import { atlasOf, overviewOf, previewOf } from './data-overview.js';
import { fetchMnist, recognise } from './data-source.js';
import { AS_FOUND, MNIST } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./data-drop.js').Opened} Opened */
/** @typedef {import('tabgrad').Dataset} Dataset */
/** @typedef {{ train: Dataset, test?: Dataset }} Sets */
/** @typedef {{ files: Opened[] } | { kept: string, title: string }} Origin where data come from, and can be read again */
/**
 * @typedef {object} Corrections what a person says about data that the reader could not know
 * @property {import('tabgrad').ReadOptions} options
 * @property {string[] | null} classes names in the place of those found
 * @property {{ fraction: number, seed: number, stratified: boolean } | null} split makes a test part of some samples
 */
/**
 * @typedef {object} Holding
 * @property {Sets} sets
 * @property {Origin} origin
 * @property {Promise<string | null>} key of the browser's copy; null: it keeps none
 */

export class DataShelf {
  #store;
  #engine;
  /** @type {{ train?: Promise<Dataset>, test?: Promise<Dataset> }} */
  #mnist = {};
  /** @type {Sets | null} */
  #mnistSets = null;
  /** @type {Holding | null} */
  #opened = null;
  /** @type {Promise<unknown>} settles when nothing is being read */
  #opening = Promise.resolve();
  /** @type {AbortController | null} gives up what is being read */
  #abort = null;

  /**
   * @param {import('./store.js').Store<State>} store
   * @param {Promise<import('./state.js').Engine>} engine that reads and keeps the samples
   */
  constructor(store, engine) {
    this.#store = store;
    this.#engine = engine;
  }

  /**
   * Everything there is to train and test with; what is being opened first comes to its end.
   * @returns {Promise<Sets>}
   */
  async all() {
    await this.#opening;
    if (this.#opened) return this.#opened.sets;
    const [train, test] = await Promise.all([this.#half('train'), this.#half('test')]);
    this.#mnistSets ??= { train, test };
    return this.sets ?? this.#mnistSets;
  }

  /** Shows what MNIST holds once it is at hand. It takes the worker some of its time, so whoever trains asks for it later. */
  async showMnist() {
    const sets = this.#mnistSets;
    if (!sets || this.#opened || this.#store.state.overview) return;
    const { name, title, opened } = MNIST;
    const seen = await lookAt(sets, { name, title, opened }).catch(() => null); // the engine died, which is told elsewhere
    if (seen && !this.#opened) this.#store.update(seen);
  }

  /** What is at hand without waiting for anything. @returns {Sets | null} */
  get sets() {
    return this.#opened?.sets ?? this.#mnistSets;
  }

  /**
   * Whether these are the data that training would use now.
   * @param {Sets} sets
   */
  holds(sets) {
    return sets === this.sets;
  }

  /**
   * Closes data that nobody trains on any more, unless they are still at hand. MNIST stays.
   * @param {Sets} sets
   */
  async release(sets) {
    if (sets === this.#opened?.sets || sets === this.#mnistSets) return;
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
    const { train } = await engine.readFiles(files, { classes: MNIST.classes, digest: false });
    return train; // what one pair alone counts as
  }

  /**
   * Opens what `find` finds, in the place of what is at hand; that stays when it cannot be read or is given up.
   * @param {(progress: Progress) => Promise<Origin>} find
   * @typedef {{ signal: AbortSignal, show: (stage: State['opening']) => void,
   *   preview: (preview: import('tabgrad').ReadingPreview) => void }} Progress
   * @param {Corrections} [corrections]
   * @returns {Promise<Sets | null>} what it replaces; null: nothing that was opened
   */
  open(find, corrections = AS_FOUND) {
    const abort = new AbortController();
    /** @type {Progress} */
    const progress = {
      signal: abort.signal,
      show: (opening) => this.#store.update({ opening }),
      preview: (preview) => this.#store.update({ preview: previewOf(preview) }),
    };
    const reading = this.#opening.then(async () => {
      this.#abort = abort;
      progress.show({ stage: 'Opening', name: '', done: 0, total: 0 });
      return this.#take(await find(progress), corrections, progress);
    });
    this.#opening = reading
      .catch(() => {})
      .finally(() => this.#store.update({ opening: null, preview: null }));
    return reading;
  }

  /** Gives up what is being read. */
  cancel() {
    this.#abort?.abort();
  }

  /** Reads what is at hand again, as a person says it is meant. @param {Corrections} corrections */
  correct(corrections) {
    const origin = this.#opened?.origin;
    if (!origin) throw new Error('data: MNIST is as it should be; open files of your own to correct them');
    return this.open(async () => origin, corrections);
  }

  /**
   * Other names for the classes; nothing has to be read again for that.
   * @param {string[]} classes
   */
  async rename(classes) {
    const opened = this.#opened;
    if (!opened) return;
    await rename(opened.sets, classes);
    const { data, corrections } = this.#store.state;
    this.#store.update({ data: { ...data, classes }, corrections: { ...corrections, classes } });
    await this.#renameKept(opened, classes);
  }

  /** Also for the next visit. @param {Holding} holding @param {string[]} classes */
  async #renameKept({ key, sets }, classes) {
    const kept = await key;
    if (kept === null) return;
    const engine = await this.#engine;
    await this.#keeping(sets, () => engine.renameStored(kept, classes));
  }

  /**
   * @param {Origin} origin
   * @param {Corrections} corrections
   * @param {Progress} progress
   */
  async #take(origin, corrections, progress) {
    const { signal } = progress;
    const engine = await this.#engine;
    signal.throwIfAborted();
    const { report, ...found } = await read(engine, origin, corrections, progress);
    const sets = await divided(found, corrections, signal);
    const known = recognise(sets.train.sha256);
    if (known && !corrections.classes) await nameKnown(sets, known.classes);
    const opened = 'files' in origin ? titleOf(origin.files) : origin.title;
    const { name, title } = known ?? { name: datasetName(opened, sets.train.sha256), title: opened };
    const seen = await lookAt(sets, { name, title, opened }, report);
    const before = this.#opened?.sets ?? null;
    const isKept = 'kept' in origin;
    const key = isKept ? Promise.resolve(origin.kept) : this.#keep(engine, sets, opened, report);
    this.#opened = { sets, origin, key };
    this.#store.update({
      ...seen,
      ...{ corrections, asWritten: false, isKept },
      ...{ augmented: null, testPicture: null, opening: null, preview: null },
    });
    return before;
  }

  /**
   * Goes back to MNIST.
   * @returns {Promise<Sets | null>} the opened data that it replaces
   */
  async useMnist() {
    const before = this.#opened?.sets ?? null;
    this.#opened = null;
    this.#store.update({
      ...{ data: MNIST, overview: null, atlas: null, corrections: AS_FOUND, asWritten: false },
      ...{ isKept: false, augmented: null, testPicture: null },
    });
    await this.all();
    this.showMnist();
    return before;
  }

  /**
   * Kept in the browser for the next visit, while training may go on.
   * @param {import('./state.js').Engine} engine
   * @param {Sets} sets
   * @param {string} name
   * @param {import('tabgrad').ImportReport} report
   * @returns {Promise<string | null>} what it is kept by
   */
  async #keep(engine, sets, name, report) {
    const kept = await this.#keeping(sets, () => engine.keep(sets, { name, report }));
    return kept?.key ?? null;
  }

  /**
   * When the browser refuses to keep something, that is said and nothing else.
   * @template T
   * @param {Sets} sets
   * @param {() => Promise<T>} action
   * @returns {Promise<T | null>}
   */
  async #keeping(sets, action) {
    try {
      const result = await action();
      this.#store.update({ keptProblem: '' });
      await this.listKept();
      return result;
    } catch (error) {
      const { what, message } = /** @type {import('tabgrad').TabgradError} */ (error);
      if (this.holds(sets)) this.#store.update({ keptProblem: what ?? message });
      return null;
    }
  }

  /** Shows what the browser keeps. */
  async listKept() {
    const engine = await this.#engine;
    this.#store.update({ kept: await engine.stored() });
  }

  /** @param {string} key */
  async forget(key) {
    const engine = await this.#engine;
    await engine.deleteStored(key);
    const opened = this.#opened;
    if (opened && (await opened.key) === key) opened.key = Promise.resolve(null);
    await this.listKept();
  }

  /**
   * A picture that no network here has learned from, as long as there are test pictures.
   * @param {number | 'random' | 'next' | 'previous'} which
   * @returns {Promise<NonNullable<State['testPicture']>>}
   */
  async testPicture(which) {
    const data = this.#opened
      ? (this.#opened.sets.test ?? this.#opened.sets.train)
      : await this.#half('test');
    const at = this.#store.state.testPicture?.index ?? (which === 'next' ? -1 : 0);
    const places = { random: Math.floor(Math.random() * data.count), next: at + 1, previous: at - 1 };
    const wanted = typeof which === 'number' ? which : places[which];
    const index = (wanted + data.count) % data.count;
    const { pixels, label } = await data.sample(index);
    return { index, count: data.count, pixels, shape: data.shape, label: data.classes[label] };
  }
}

/**
 * What the page shows of data sets.
 * @param {Sets} sets
 * @param {Pick<import('./state.js').Loaded, 'name' | 'title' | 'opened'>} description
 * @param {import('tabgrad').ImportReport | null} [report]
 * @returns {Promise<Pick<State, 'data' | 'overview' | 'atlas'>>}
 */
async function lookAt(sets, description, report = null) {
  const { train, test } = sets;
  const overview = await overviewOf(sets, report);
  const atlas = await atlasOf(train, overview.trainCounts);
  const { classes, shape, count } = train;
  const { range } = overview;
  return {
    data: { ...description, classes, shape, train: count, test: test?.count ?? 0, range },
    overview,
    atlas,
  };
}

/**
 * @param {import('./state.js').Engine} engine
 * @param {Origin} origin
 * @param {Corrections} corrections
 * @param {Progress} progress
 */
async function read(engine, origin, { options, classes }, { signal, show, preview }) {
  if ('kept' in origin) {
    const sets = await engine.openStored(origin.kept);
    if (classes) await rename(sets, classes);
    return sets;
  }
  const named = classes ? { classes } : {};
  return engine.readFiles(origin.files, {
    ...options,
    ...named,
    signal,
    onProgress: show,
    onPreview: preview,
  });
}

/** @param {Sets} sets @param {string[]} classes */
async function rename({ train, test }, classes) {
  await Promise.all([train.rename(classes), test?.rename(classes)]);
}

/** Gives numbered classes the names they are known by. @param {Sets} sets @param {string[]} classes */
async function nameKnown(sets, classes) {
  if (sets.train.classes.every((found, i) => found === String(i))) await rename(sets, classes);
}

/**
 * With a test part of its own samples, if that is wanted and there is none.
 * @param {Sets} sets
 * @param {Corrections} corrections
 * @param {AbortSignal} signal
 * @returns {Promise<Sets>}
 */
async function divided({ train, test }, { split }, signal) {
  if (test || !split) return test ? { train, test } : { train };
  try {
    signal.throwIfAborted();
    return await train.split(split);
  } finally {
    await train.close();
  }
}
