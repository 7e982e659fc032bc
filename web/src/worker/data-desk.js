// The worker's data sets, by their numbers, and what may be asked about them. What only some need is loaded by then.
import { TabgradError } from '../shared/errors.js';
import { Dataset } from './datasets.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./server.js').Reply} Reply */
/** @typedef {import('../shared/protocol.js').DatasetFacts} DatasetFacts */
/** @typedef {import('../shared/protocol.js').Requests} Requests */
/** @typedef {import('../shared/protocol.js').WantedIds} WantedIds */
/** @typedef {{ train: Dataset, test: Dataset | null }} Sets */

export class DataDesk {
  #core;
  #engine;
  #parquetUrl;
  /** @type {Map<number, Dataset>} */
  #datasets = new Map();
  /** @type {Map<number, AbortController>} readings that go on */
  #readings = new Map();

  /** @param {Core} core @param {number} engine  pointer @param {string} glueUrl  beside which the worker for Parquet lies */
  constructor(core, engine, glueUrl) {
    this.#core = core;
    this.#engine = engine;
    this.#parquetUrl = new URL('tabgrad.parquet.js', glueUrl);
  }

  /** @param {number} id */
  dataset(id) {
    const dataset = this.#datasets.get(id);
    if (!dataset) throw new TabgradError('closed', 'dataset', 'it was closed');
    return dataset;
  }

  /** @param {Requests['createDataset']['fields']} fields */
  create(fields) {
    return this.#keep(fields.dataset, Dataset.fromArrays(this.#core, fields));
  }

  /** @param {number} id */
  close(id) {
    this.dataset(id).release();
    this.#datasets.delete(id);
    return null;
  }

  /** @param {Requests['readFiles']['fields']} fields @param {Reply} reply */
  async readFiles({ reading, wantsPreview, wantsDigest, train, test, ...fields }, reply) {
    const controller = new AbortController();
    this.#readings.set(reading, controller);
    const { signal } = controller;
    try {
      const { importFiles, previewOf, previewOfBeginnings } = await lazily(
        () => import('./import/reading.js'),
      );
      const following = { signal, parquetUrl: this.#parquetUrl, onProgress: reply.event };
      const early = wantsPreview ? await previewOfBeginnings(this.#core, fields, following) : null;
      if (early) reply.event(early);
      const read = await importFiles(this.#core, fields, following);
      const sets = this.#setsAt(read);
      if (wantsPreview && !early) reply.event(previewOf(sets));
      return { ...this.#keepBoth({ train, test }, sets, wantsDigest), report: read.report };
    } catch (error) {
      if (signal.aborted) throw new TabgradError('closed', 'files', 'their reading was cancelled');
      throw error;
    } finally {
      this.#readings.delete(reading);
    }
  }

  /** @param {number} reading */
  cancelReading(reading) {
    this.#readings.get(reading)?.abort();
    return null;
  }

  /** @param {Requests['split']['fields']} fields */
  split({ dataset, train, test, ...options }) {
    return this.#keepBoth({ train, test }, this.#setsAt(this.dataset(dataset).split(options)));
  }

  /** @param {number} id @param {string[]} classes */
  rename(id, classes) {
    this.dataset(id).rename(classes);
    return null;
  }

  /** @param {Requests['thumbnails']['fields']} fields */
  async thumbnails({ dataset, ...options }) {
    const { thumbnailsOf } = await lazily(() => import('./thumbnails.js'));
    return thumbnailsOf(this.dataset(dataset), options);
  }

  /** @param {Requests['samplesByClass']['fields']} fields */
  async samplesByClass({ dataset, perClass, seed }) {
    const { drawByClass } = await lazily(() => import('./thumbnails.js'));
    return drawByClass(this.dataset(dataset), perClass, seed);
  }

  /** @param {Requests['augmentations']['fields']} fields */
  augmentations({ dataset, recipe, ...options }) {
    return this.dataset(dataset).augmentations(recipe, options);
  }

  /** @param {Requests['keep']['fields']} fields */
  async keepSets({ train, test, name, report }) {
    const { keep } = await lazily(() => import('./store.js'));
    return keep(this.#core, this.dataset(train), test === null ? null : this.dataset(test), name, report);
  }

  async stored() {
    const { listKept } = await lazily(() => import('./store.js'));
    return listKept();
  }

  /** @param {Requests['openStored']['fields']} fields */
  async openStored({ key, train, test }) {
    const { openKept } = await lazily(() => import('./store.js'));
    const { report, ...sets } = await openKept(this.#core, key);
    return { ...this.#keepBoth({ train, test }, sets), report };
  }

  /** @param {Requests['renameStored']['fields']} fields */
  async renameStored({ key, classes }) {
    const { renameKept } = await lazily(() => import('./store.js'));
    await renameKept(key, classes);
    return null;
  }

  /** @param {string} key */
  async deleteStored(key) {
    const { deleteKept } = await lazily(() => import('./store.js'));
    await deleteKept(key);
    return null;
  }

  /** @param {{ train: number, test: number }} pointers  0: none @returns {Sets} */
  #setsAt({ train, test }) {
    return { train: new Dataset(this.#core, train), test: test ? new Dataset(this.#core, test) : null };
  }

  /** @param {number} id @param {Dataset} dataset */
  #keep(id, dataset) {
    this.#datasets.set(id, dataset);
    return dataset.allFacts();
  }

  /** Those that somebody wants; the facts of both. @param {WantedIds} ids @param {Sets} sets @param {boolean} [wantsDigest] */
  #keepBoth(ids, { train, test }, wantsDigest = true) {
    if (wantsDigest) this.#core.get('engine_hash_datasets', this.#engine, train.pointer, test?.pointer ?? 0);
    const factsOf = (/** @type {Dataset} */ set) =>
      wantsDigest ? set.allFacts() : { ...set.facts, sha256: '' };
    const facts = { train: factsOf(train), test: test ? factsOf(test) : null };
    for (const [id, set] of /** @type {const} */ ([
      [ids.train, train],
      [ids.test, test],
    ])) {
      if (id === null) set?.release();
      else if (set) this.#datasets.set(id, set);
    }
    return facts;
  }
}

/** @template T @param {() => Promise<T>} load @returns {Promise<T>} */
async function lazily(load) {
  try {
    return await load();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TabgradError(
      'unavailable',
      'tabgrad',
      `a part of the library could not be loaded (${reason}); try again`,
    );
  }
}
