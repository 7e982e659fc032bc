// A run as the library's users see it; what carries it out is in the worker.
import { atLeastOne, samplesOf } from './dataset-client.js';
import { TabgradError } from './errors.js';
import { copied } from './file-bytes.js';
import { ReportStream } from './reports.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./dataset-client.js').Dataset} Dataset */
/** @typedef {import('./protocol.js').EvaluationProgress} EvaluationProgress */
/** @typedef {import('./protocol.js').Message} Message */
/** @typedef {import('./protocol.js').Progress} Progress */
/** @typedef {import('./protocol.js').Report} Report */
/** @typedef {import('./protocol.js').Requests} Requests */
/** @typedef {import('./protocol.js').RequestType} RequestType */
/** @typedef {import('./protocol.js').RunFacts} RunFacts */
/** @typedef {import('./supervisor.js').Supervisor} Supervisor */

/** @typedef {{ train?: Dataset | null, test?: Dataset | null }} RunData */

/** How a new worker makes the run as it was at first.
 * @typedef {{ type: 'createRun', fields: Pick<Requests['createRun']['fields'], 'recipe' | 'checkpoints'> }
 *   | { type: 'loadRun', fields: Pick<Requests['loadRun']['fields'], 'name' | 'bytes'> }} RunSource */

export class Run {
  #supervisor;
  /** @type {RunFacts} */
  #facts;
  /** @type {RunSource} */
  #source;
  #data;
  /** What could not be made again. */
  #lacks = { train: false, test: false };
  /** @type {Progress} */
  #progress;
  /** @type {TabgradError | null} */
  #lost = null;

  /**
   * @param {Supervisor} supervisor
   * @param {number} id
   * @param {RunFacts} facts
   * @param {RunSource} source
   * @param {RunData} data
   */
  constructor(supervisor, id, facts, source, data) {
    this.#supervisor = supervisor;
    this.id = id;
    this.#facts = facts;
    this.#progress = facts.progress;
    this.#source = source;
    this.#data = data;
    supervisor.add(this);
  }

  /** With every default filled in. */
  get recipe() {
    return this.#facts.recipe;
  }

  /** Layers with shapes and parameters, and the memory that the run takes. */
  get summary() {
    return this.#facts.summary;
  }

  /** Names of the classes. */
  get classes() {
    return this.#facts.classes;
  }

  /** Of one sample: [height, width, channels]. */
  get shape() {
    return this.#facts.shape;
  }

  get state() {
    return this.#facts.state;
  }

  /** Where the run is: the last report, or what was known before the first. */
  get progress() {
    return this.#progress;
  }

  /**
   * Trains, from this call on whether or not the reports are fetched. Reports that are not fetched in time are merged.
   * The iterator ends with the last epoch, with stop() and with close(); leaving the loop early stops the training.
   * @param {{ epochs?: number }} [options]  this many more epochs; without, those that the recipe has left
   * @returns {AsyncIterableIterator<Report, undefined>}
   */
  train({ epochs } = {}) {
    if (epochs !== undefined) atLeastOne(epochs, 'epochs');
    const stream = new ReportStream(() =>
      this.stop().catch((error) => {
        if (error.code !== 'closed') throw error; // closing the run ends the training too
      }),
    );
    const onEvent = (/** @type {Report[]} */ reports) => {
      for (const report of reports) stream.push(report);
      this.#progress = reports[reports.length - 1];
    };
    this.#request('train', { run: this.id, epochs: epochs ?? null }, { onEvent }).then(
      () => stream.end(),
      (error) => stream.end(error.code === 'closed' ? undefined : error),
    );
    return stream;
  }

  /** Holds the training; train() goes on waiting for reports. */
  async pause() {
    await this.#request('pause', { run: this.id });
  }

  async resume() {
    await this.#request('resume', { run: this.id });
  }

  /** Ends the training; what was learned stays, and train() may be called again. */
  async stop() {
    await this.#request('stop', { run: this.id });
  }

  /** Pauses the training if there is one, and trains that many steps (fewer if the run ends or pause() comes).
   * @param {number} [steps]
   * @returns {Promise<Report>} over these steps; whoever iterates over train() sees them too */
  async step(steps = 1) {
    atLeastOne(steps, 'steps');
    const report = await this.#request('step', { run: this.id, steps });
    this.#progress = report;
    return report;
  }

  /** From the next step on; the history remembers it. @param {number} value */
  async setLearningRate(value) {
    if (typeof value !== 'number')
      throw new TabgradError('argument', 'learning_rate', `${value} is not a number`);
    await this.#request('setLearningRate', { run: this.id, value });
  }

  /** How many epochs the run has in all. @param {number} epochs */
  async setEpochs(epochs) {
    atLeastOne(epochs, 'epochs');
    await this.#request('setEpochs', { run: this.id, epochs });
  }

  /** @param {Dataset} dataset */
  #idOf(dataset) {
    if (dataset?.idFor) return dataset.idFor(this.#supervisor);
    throw new TabgradError('argument', 'dataset', 'give one of readFiles()');
  }

  /**
   * Over a whole set; training waits meanwhile.
   * @param {Dataset} dataset
   * @param {{ details?: boolean, onProgress?: (progress: EvaluationProgress) => void }} [options]
   */
  async evaluate(dataset, { details = false, onProgress } = {}) {
    const fields = { run: this.id, dataset: this.#idOf(dataset), details };
    return this.#request('evaluate', fields, { onEvent: onProgress });
  }

  /**
   * @param {Uint8Array | Uint8ClampedArray | Float32Array} images  raw pixels of one sample or several
   * @returns {Promise<Float32Array>} outputs of one sample after the other: probabilities where the loss is cross_entropy
   */
  async predict(images) {
    const given = samplesOf(images, 'images');
    const [height, width, channels] = this.shape;
    if (given.length === 0 || given.length % (height * width * channels) !== 0) {
      const what = `${given.length} values are no whole number of samples of ${this.shape.join(' x ')}`;
      throw new TabgradError('shape', 'predict', what);
    }
    const pixels = given.buffer === images.buffer ? copied(given) : given; // the caller's stays the caller's
    const transfer = [/** @type {ArrayBuffer} */ (pixels.buffer)];
    return this.#request('predict', { run: this.id, pixels }, { transfer });
  }

  /** The run as a .safetensors file, from which engine.load() goes on to the same bits.
   * @param {{ weightsOnly?: boolean }} [options]  without optimizer and position */
  async checkpoint({ weightsOnly = false } = {}) {
    return this.#request('checkpoint', { run: this.id, weightsOnly });
  }

  /** Every tensor by its name, in PyTorch's layouts, with the range of its values. */
  async parameters() {
    return this.#request('parameters', { run: this.id });
  }

  /** Of every layer that rectifies, the units that answer none of the set's first samples with more than 0.
   * @param {Dataset} dataset @param {{ samples?: number }} [options] */
  async deadUnits(dataset, { samples = 1000 } = {}) {
    atLeastOne(samples, 'samples');
    const fields = { run: this.id, dataset: this.#idOf(dataset), samples };
    return this.#request('deadUnits', fields);
  }

  /** Backpropagation against central differences on the first batch, with precision 'double' only.
   * @param {{ perTensor?: number }} [options]  so many values of every tensor, evenly spread */
  async gradcheck({ perTensor = 20 } = {}) {
    atLeastOne(perTensor, 'perTensor');
    return this.#request('gradcheck', { run: this.id, perTensor });
  }

  /** SHA-256 over the parameters. */
  async hash() {
    return this.#request('hash', { run: this.id });
  }

  /** Finished epochs, what was changed on the way, and the loss of every step since the start. */
  async history() {
    return this.#request('history', { run: this.id });
  }

  async close() {
    if (this.#lost?.code === 'closed') return;
    this.#lost = new TabgradError('closed', 'run', 'it was closed');
    await this.#supervisor.remove(this, 'closeRun');
  }

  /**
   * @template {RequestType} T
   * @param {T} type
   * @param {Requests[T]['fields']} fields
   * @param {import('./connection.js').RequestOptions} [options]
   */
  async #request(type, fields, options) {
    if (this.#lost) throw this.#lost;
    return this.#supervisor.request(type, fields, options);
  }

  /** @param {Message} message */
  hear(message) {
    if (message.type === 'state') {
      this.#facts = { ...this.#facts, state: message.state };
    } else if (message.type === 'facts') {
      this.#facts = message.facts;
    } else if (message.type === 'saved') {
      this.#source = { type: 'loadRun', fields: { name: 'saved run', bytes: message.bytes } };
    }
  }

  /** @param {Connection} connection */
  async restore(connection) {
    const { type, fields } = this.#source;
    const { train, test } = this.#data;
    const facts = await this.#lent(connection, train, (trainId) =>
      this.#lent(connection, test === train ? null : test, (testId) => {
        const data = { train: trainId, test: test === train ? trainId : testId };
        this.#lacks = { train: !!train && !data.train, test: !!test && !data.test };
        return connection.request(type, /** @type {any} */ ({ ...fields, ...data, run: this.id }));
      }),
    );
    const state = facts.state === 'idle' && facts.progress.step > 0 ? 'stopped' : facts.state;
    this.#facts = { ...facts, state };
    this.#progress = facts.progress;
    return !this.#lacks.train && !this.#lacks.test;
  }

  /** Calls with the number of a set in a new worker, of a closed one for as long as that takes; with null if there is none,
   * or none any more.
   * @template T @param {Connection} connection @param {Dataset | null | undefined} set
   * @param {(id: number | null) => Promise<T>} use @returns {Promise<T>} */
  async #lent(connection, set, use) {
    if (!set || (set.isLost && this.#supervisor.holds(set.id))) return use(null);
    let isThere = false;
    try {
      return await set.lend(connection, () => {
        isThere = true;
        return use(set.id);
      });
    } catch (error) {
      if (isThere || connection.isOver || !(error instanceof TabgradError)) throw error;
      return use(null);
    }
  }

  /** @param {TabgradError} error */
  lose(error) {
    this.#lost = error;
    this.#facts = { ...this.#facts, state: 'error' };
  }

  get whereItStands() {
    if (this.#lost) return `the run is lost (${this.#lost.message})`;
    const noData = this.#lacks.train ? ', but without its data' : '';
    const { step } = this.#progress;
    return `the run goes on ${step > 0 ? `from step ${step}` : 'from its beginning'}${noData}`;
  }
}
