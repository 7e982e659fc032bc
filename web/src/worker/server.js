// The worker's side of the protocol: hears requests, gives runs their turns, replies.
//
// An exception that is not a TabgradError is a trap in the C core or a mistake of ours: nobody knows then what state
// memory is in, so this worker reports it and falls silent; the library starts another one.
import { attributesOf } from '../shared/attributes.js';
import { TabgradError } from '../shared/errors.js';
import { Core } from './core.js';
import { DataDesk } from './data-desk.js';
import { Run } from './run.js';
import { makeTurn } from './turns.js';
import { warmUp } from './warm-up.js';

/** @typedef {import('./datasets.js').Dataset} Dataset */
/** @typedef {import('../shared/attributes.js').AttributeCall} AttributeCall */
/** @typedef {import('../shared/file-bytes.js').ReadBytes} ReadBytes */
/** @typedef {import('../shared/protocol.js').AnyRequest} AnyRequest */
/** @typedef {import('../shared/protocol.js').Message} Message */
/** @typedef {import('../shared/protocol.js').RequestEvent} RequestEvent */
/** @typedef {import('../shared/protocol.js').Requests} Requests */
/** @typedef {import('../shared/protocol.js').RequestType} RequestType */
/** @typedef {(message: Message, transfer?: Transferable[]) => void} Post */
/**
 * @typedef {object} Reply  the way back to who asked; used once
 * @property {(value: unknown) => void} succeed
 * @property {(error: TabgradError) => void} fail
 * @property {(event: RequestEvent) => void} event  as often as needed before
 */
/**
 * Answers by returning, or later through `reply` if it returns LATER.
 * @template {RequestType} T
 * @typedef {(fields: Requests[T]['fields'], reply: Reply) => Requests[T]['value'] | typeof LATER
 *   | Promise<Requests[T]['value']>} Handler
 */

const LATER = Symbol('later');
const SLICE_MS = 20;
/** Slices follow each other without a pause for that long while nobody wants anything: by the end of a slice all that
 * belongs to a new task has left the caches, and beginning one takes a hundredth of a slice. */
const TASK_MS = 1000;

export class Server {
  #post;
  /** @type {Core | null} */
  #core = null;
  #engine = 0;
  /** @type {DataDesk | null} */
  #data = null;
  /** @type {Map<number, Run>} */
  #runs = new Map();
  /** Until somebody wants something computed. @type {Generator<void, void, void> | null} */
  #warmUp = null;
  /** What carries the fitting of a run's preprocessing on, before it is one. @type {Map<number, () => void>} */
  #unfitted = new Map();
  /** How many requests were sent; nothing where they can only be waited for. @type {Int32Array | undefined} */
  #sent;
  #received = 0;
  /** Requests whose handlers wait for something else than a turn: files, say. */
  #waiting = 0;
  #isDead = false;
  #hasTurn = false;
  #takeTurn = makeTurn(() => this.#guard(() => this.#turn()));

  /** @param {Post} post */
  constructor(post) {
    this.#post = post;
  }

  /** @param {AnyRequest} request */
  async receive({ type, id, ...fields }) {
    this.#received++;
    if (this.#isDead) return;
    const reply = this.#replyTo(id);
    await this.#guard(async () => {
      const handler = /** @type {Handler<any>} */ (this.#handlers[type]);
      try {
        const answer = handler(fields, reply);
        // Awaiting what is there already would let other requests in between.
        const value = answer instanceof Promise ? await this.#waitFor(answer) : answer;
        if (value !== LATER) reply.succeed(value);
      } catch (error) {
        if (!(error instanceof TabgradError)) throw error;
        reply.fail(error);
      }
      this.#wake();
    });
  }

  /** @param {Promise<unknown>} answer */
  async #waitFor(answer) {
    this.#waiting++;
    try {
      return await answer;
    } finally {
      this.#waiting--;
    }
  }

  /** @type {{ [T in RequestType]: Handler<T> }} */
  #handlers = {
    start: async ({ glueUrl, threads, sent }) => {
      this.#sent = sent;
      const core = await Core.load(glueUrl, threads);
      core.isWanted = () => this.#isWanted;
      this.#core = core;
      this.#engine = core.make('engine_create', threads);
      this.#data = new DataDesk(core, this.#engine, glueUrl);
      if (!core.computesInDouble) this.#warmUp = warmUp(core);
      return {
        threads: core.get('engine_threads', this.#engine),
        kernels: core.text(core.get('engine_kernels', this.#engine)),
      };
    },
    ping: () => null,
    memory: () => {
      this.#endWarmUp();
      return this.#coreOrThrow().heap();
    },

    createDataset: (fields) => this.#desk().create(fields),
    readFiles: (fields, reply) => {
      this.#endWarmUp(); // whoever opens files so early waits for them
      return this.#desk().readFiles(fields, reply);
    },
    cancelReading: ({ reading }) => this.#desk().cancelReading(reading),
    samples: ({ dataset, indices }) => this.#dataset(dataset).samples(indices),
    facts: ({ dataset }) => this.#dataset(dataset).sampleFacts(),
    thumbnails: (fields) => this.#desk().thumbnails(fields),
    samplesByClass: (fields) => this.#desk().samplesByClass(fields),
    renameClasses: ({ dataset, classes }) => this.#desk().rename(dataset, classes),
    split: (fields) => this.#desk().split(fields),
    duplicates: ({ dataset, other, most }) => this.#dataset(dataset).duplicates(this.#dataset(other), most),
    augmentations: (fields) => this.#desk().augmentations(fields),
    closeDataset: ({ dataset }) => this.#desk().close(dataset),
    keep: (fields) => this.#desk().keepSets(fields),
    stored: () => this.#desk().stored(),
    openStored: (fields) => this.#desk().openStored(fields),
    renameStored: (fields) => this.#desk().renameStored(fields),
    deleteStored: ({ key }) => this.#desk().deleteStored(key),

    createRun: ({ run, recipe, checkpoints, train, test }, reply) => {
      const data = this.#dataOf(train, test);
      const pointer = this.#create(recipe, checkpoints, data.pointers);
      return later(this.#fit(run, pointer, data.datasets, reply));
    },
    loadRun: ({ run, name, bytes, train, test }, reply) => {
      const data = this.#dataOf(train, test);
      const pointer = this.#load(name, bytes, data.pointers);
      return later(this.#fit(run, pointer, data.datasets, reply));
    },
    closeRun: ({ run }) => {
      this.#run(run).destroy();
      this.#runs.delete(run);
      return null;
    },

    train: ({ run, epochs }, reply) => later(this.#run(run).train(epochs, reply)),
    step: ({ run, steps }, reply) => later(this.#run(run).step(steps, reply)),
    evaluate: ({ run, dataset, details }, reply) =>
      later(this.#run(run).evaluate(this.#dataset(dataset), details, reply)),
    predict: ({ run, pixels }, reply) => later(this.#run(run).predict(pixels, reply)),

    pause: ({ run }) => nothing(this.#run(run).pause()),
    resume: ({ run }) => nothing(this.#run(run).resume()),
    stop: ({ run }) => nothing(this.#run(run).stop()),
    setLearningRate: ({ run, value }) => nothing(this.#run(run).setLearningRate(value)),
    setEpochs: ({ run, epochs }) => nothing(this.#run(run).setEpochs(epochs)),

    checkpoint: ({ run, weightsOnly }) => this.#run(run).checkpoint(weightsOnly),
    parameters: ({ run }) => this.#run(run).parameters(),
    deadUnits: ({ run, dataset, samples }, reply) =>
      later(this.#run(run).deadUnits(this.#dataset(dataset), samples, reply)),
    gradcheck: ({ run, perTensor }, reply) => later(this.#run(run).gradcheck(perTensor, reply)),
    hash: ({ run }) => this.#run(run).hash(),
    history: ({ run }) => this.#run(run).history(),
  };

  // Turns

  #wake() {
    if (this.#hasTurn || !this.#hasWork) return;
    this.#hasTurn = true;
    this.#takeTurn();
  }

  get #hasWork() {
    return this.#warmUp !== null || this.#unfitted.size > 0 || this.#nextRun() !== null;
  }

  /** Slice after slice, until somebody else may want to be heard. */
  async #turn() {
    this.#hasTurn = false;
    if (this.#isDead) return;
    const end = performance.now() + TASK_MS;
    do this.#slice();
    while (this.#isUndisturbed && performance.now() < end && this.#hasWork);
    this.#wake();
  }

  /** Whether something was sent that has not arrived, where that can be seen. */
  get #isWanted() {
    return this.#sent !== undefined && Atomics.load(this.#sent, 0) !== this.#received;
  }

  /** Whether all that was sent is seen to have arrived, and nothing but messages is waited for. */
  get #isUndisturbed() {
    return this.#sent && this.#waiting === 0 && !this.#isWanted;
  }

  /** One slice for the run that has waited longest, or for the warm-up. */
  #slice() {
    for (const slice of this.#unfitted.values()) slice();
    const next = this.#nextRun();
    if (!next) {
      if (this.#unfitted.size === 0) this.#goOnWarmingUp();
      return;
    }
    this.#endWarmUp();
    const [id, run] = next;
    this.#runs.delete(id);
    this.#runs.set(id, run); // to the end of the line
    run.slice(this.#isUndisturbed && this.#unfitted.size === 0 && this.#nextRun()?.[1] === run);
  }

  /** The one with work that has waited longest. */
  #nextRun() {
    for (const entry of this.#runs) if (entry[1].hasWork) return entry;
    return null;
  }

  #goOnWarmingUp() {
    try {
      if (this.#warmUp?.next().done) this.#warmUp = null;
    } catch (error) {
      if (!(error instanceof TabgradError)) throw error;
      this.#warmUp = null; // no memory for it: then without
    }
  }

  #endWarmUp() {
    this.#warmUp?.return();
    this.#warmUp = null;
  }

  /** @param {() => Promise<void>} work */
  async #guard(work) {
    try {
      await work();
    } catch (error) {
      this.#isDead = true;
      this.#post({ type: 'fatal', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  // What numbers stand for

  #coreOrThrow() {
    if (!this.#core) throw new TabgradError('state', 'engine', 'it has not been started');
    return this.#core;
  }

  #desk() {
    if (!this.#data) throw new TabgradError('state', 'engine', 'it has not been started');
    return this.#data;
  }

  /** @param {number} id */
  #dataset(id) {
    return this.#desk().dataset(id);
  }

  /** @param {number} id */
  #run(id) {
    const run = this.#runs.get(id);
    if (!run) throw new TabgradError('closed', 'run', 'it was closed');
    return run;
  }

  /** @param {number} id @param {number} pointer @param {Dataset[]} data @param {Reply} reply */
  #fit(id, pointer, data, reply) {
    const core = this.#coreOrThrow();
    for (const dataset of data) dataset.retain();
    const end = () => {
      this.#unfitted.delete(id);
      for (const dataset of data) dataset.release();
    };
    const slice = () => {
      try {
        const [isFinished] = core.row('call', 'wasm_run_fit', pointer, SLICE_MS);
        if (!isFinished) return;
      } catch (error) {
        if (!(error instanceof TabgradError)) throw error;
        end();
        core.get('run_destroy', pointer);
        return reply.fail(error);
      }
      try {
        reply.succeed(this.#keepRun(id, pointer, data));
      } catch (error) {
        if (!(error instanceof TabgradError)) throw error;
        reply.fail(error);
      }
      end();
    };
    this.#unfitted.set(id, slice);
    slice(); // for most there is nothing to do
  }

  /** @param {number} id @param {number} pointer @param {Dataset[]} data */
  #keepRun(id, pointer, data) {
    const core = this.#coreOrThrow();
    try {
      const run = new Run(core, id, pointer, data, this.#post);
      this.#runs.set(id, run);
      return run.facts;
    } catch (error) {
      core.get('run_destroy', pointer);
      throw error;
    }
  }

  /** @param {(number | null)[]} ids */
  #dataOf(...ids) {
    const sets = ids.map((id) => (id === null ? null : this.#dataset(id)));
    return { pointers: sets.map((set) => set?.pointer ?? 0), datasets: sets.filter((set) => set !== null) };
  }

  /** @param {AttributeCall[]} recipe @param {ReadBytes[]} checkpoints @param {number[]} data */
  #create(recipe, checkpoints, data) {
    const core = this.#coreOrThrow();
    const run = core.withAttributes(recipe, (attrs) =>
      core.make('run_create_unfitted', this.#engine, attrs, ...data),
    );
    try {
      takeWeights(core, run, checkpoints);
      return run;
    } catch (error) {
      core.get('run_destroy', run);
      throw error;
    }
  }

  /** @param {string} name @param {Uint8Array} bytes @param {number[]} data */
  #load(name, bytes, data) {
    const core = this.#coreOrThrow();
    return core.withScratch(({ string, copy }) => {
      const checkpoint = core.make('wasm_checkpoint_open', string(name), copy(bytes), bytes.length);
      try {
        const document = readMetadata(core, name, checkpoint);
        return core.withAttributes(attributesOf(document, name), (attrs) =>
          core.make('run_load', this.#engine, checkpoint, attrs, ...data),
        );
      } finally {
        core.get('checkpoint_destroy', checkpoint);
      }
    });
  }

  /** @param {number} id @returns {Reply} */
  #replyTo(id) {
    return {
      succeed: (value) => this.#post({ type: 'reply', id, ok: true, value }, buffersIn(value)),
      fail: (error) => this.#post({ type: 'reply', id, ok: false, error: error.facts() }),
      event: (event) => this.#post({ type: 'event', id, event }),
    };
  }
}

/** Hands in the checkpoints that layers take their weights from. @param {Core} core @param {number} run
 * @param {ReadBytes[]} checkpoints */
function takeWeights(core, run, checkpoints) {
  const nextName = () => core.text(core.get('run_waits_for', run));
  for (let name = nextName(); name !== ''; name = nextName()) {
    const file = checkpoints.find((checkpoint) => checkpoint.name === name);
    if (!file) {
      const what = `layers take their weights from it, but it was not given; engine.run(recipe, { checkpoints: { '${name}': bytes } })`;
      throw new TabgradError('argument', name, what);
    }
    core.withScratch(({ string, copy }) =>
      core.call('wasm_run_take_weights', run, string(name), copy(file.bytes), file.bytes.length),
    );
  }
}

/** @param {void} _ @returns {typeof LATER} */
function later(_) {
  return LATER;
}

/** @param {void} _ */
function nothing(_) {
  return null;
}

/** The parts of a checkpoint that are JSON text, as one object. @param {Core} core @param {string} name @param {number} checkpoint */
function readMetadata(core, name, checkpoint) {
  /** @type {Record<string, unknown>} */
  const document = {};
  for (const key of ['recipe', 'history', 'classes']) {
    const text = core.withScratch(({ string }) =>
      core.text(core.get('checkpoint_metadata', checkpoint, string(key))),
    );
    if (text === '') continue; // the engine says what is missing
    try {
      document[key] = JSON.parse(text);
    } catch {
      throw new TabgradError(
        'format',
        name,
        `its metadata "${key}" is not JSON; this is no checkpoint of tabgrad`,
      );
    }
  }
  return document;
}

/** Buffers that go over instead of being copied. @param {unknown} value @returns {Transferable[]} */
function buffersIn(value) {
  if (ArrayBuffer.isView(value)) return [/** @type {ArrayBuffer} */ (value.buffer)];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.values(value).flatMap(buffersIn);
}
