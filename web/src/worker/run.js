// A run in the worker: the C core's run, whose turn is one slice of whatever is asked of it. Questions (evaluate,
// predict, gradcheck, step) come before training; training stands still meanwhile, so that one set of weights answers each.
import { rankConfused, scoreClasses } from '../shared/class-scores.js';
import { TabgradError } from '../shared/errors.js';
import { mergeReports } from '../shared/reports.js';
import { typeOf } from './datasets.js';
import { Pace } from './pace.js';
import { ReportWriter } from './report-writer.js';
import {
  checkGradients,
  currentProgress,
  describeRun,
  findDeadUnits,
  readEvaluation,
  readHistory,
  readParameters,
  readProgress,
  takeSaved,
} from './run-facts.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./datasets.js').Dataset} Dataset */
/** @typedef {import('./server.js').Post} Post */
/** @typedef {import('./server.js').Reply} Reply */
/** @typedef {import('../shared/protocol.js').DeadUnits} DeadUnits */
/** @typedef {import('../shared/protocol.js').Evaluation} Evaluation */
/** @typedef {import('../shared/protocol.js').Gradcheck} Gradcheck */
/** @typedef {import('../shared/protocol.js').Progress} Progress */
/** @typedef {import('../shared/protocol.js').Report} Report */
/** @typedef {import('../shared/protocol.js').RunState} RunState */

/**
 * @typedef {object} Job
 * @property {Generator<void, unknown, void>} work  yields at the end of each slice
 * @property {Reply} reply
 * @property {Dataset} [data]  borrowed until the job is done or dropped
 */
/**
 * @typedef {object} Session  one train(), from the request to its reply
 * @property {number} lastEpoch  where it ends; Infinity: where the recipe does
 * @property {RunState} before
 * @property {Reply} reply
 */

const SLICE_MS = 25;
/** Of training, while nobody else has work and the core sees who wants something. */
const UNDISTURBED_MS = 50;
const REPORT_EVERY_MS = 100;
const SAVE_EVERY_MS = 10_000;
/** Saving takes at most one part in that many of the time. */
const SAVE_SHARE = 50;
/** Of the data, hashed in one slice: 10 ms of it. */
const HASH_BYTES = 2 ** 21;
/** Losses that one call hands out at most. */
const MAX_LOSSES = 4096;
/** Samples in one call of predict: few enough for a slice, even with a slow model. */
const PREDICT_SAMPLES = 16;

export class Run {
  #core;
  #post;
  #id;
  #pointer;
  #data;
  #losses;
  #viewLosses;
  #reports;
  #state;
  /** @type {Job[]} */
  #jobs = [];
  /** @type {Session | null} */
  #session = null;
  /** The end of a session, in slices while nobody asks for anything else. @type {Job | null} */
  #ending = null;
  #pace = new Pace();
  /** Of step(), those still to be made; -1: it was broken off. */
  #stepsWanted = 0;
  /** When the last slice of training ended; 0 if something else came after it. */
  #sliceEnd = 0;
  #reported = 0;
  #saved;

  /**
   * @param {Core} core
   * @param {number} id
   * @param {number} pointer
   * @param {Dataset[]} data  what it was made with: borrowed until it is destroyed
   * @param {Post} post
   */
  constructor(core, id, pointer, data, post) {
    this.#core = core;
    this.#id = id;
    this.#pointer = pointer;
    this.#post = post;
    this.facts = describeRun(core, pointer);
    this.#state = this.facts.state;
    this.#reports = new ReportWriter(this.facts.progress);
    // Whoever made this run can make it again as it is now.
    this.#saved = { at: performance.now(), tookMs: 0, step: this.facts.progress.step };
    this.#losses = core.alloc(4 * MAX_LOSSES);
    this.#viewLosses = core.window(Float32Array, this.#losses, MAX_LOSSES);
    this.#data = data.map((dataset) => dataset.retain());
  }

  destroy() {
    const closed = new TabgradError('closed', 'run', 'it was closed');
    this.#session?.reply.fail(closed);
    this.#ending?.reply.fail(closed);
    for (const { reply, data } of this.#jobs) {
      reply.fail(closed);
      data?.release();
    }
    this.#core.get('run_destroy', this.#pointer);
    this.#core.free(this.#losses);
    for (const dataset of this.#data) dataset.release();
  }

  // What is asked of it

  /** @param {number | null} epochs  this many more; null: those the recipe has left @param {Reply} reply */
  train(epochs, reply) {
    if (this.#session)
      throw new TabgradError('state', 'train', 'the run is being trained already; stop it first');
    this.#endNow();
    const { epoch } = currentProgress(this.#core, this.#pointer);
    const lastEpoch = epochs === null ? Infinity : epoch + epochs;
    if (epochs !== null && lastEpoch > this.facts.recipe.epochs) this.setEpochs(lastEpoch);
    this.#session = { lastEpoch, before: this.#state, reply };
    this.#reported = performance.now();
    this.#setState('training');
  }

  pause() {
    this.#stepsWanted = -1;
    if (this.#state === 'training') {
      this.#setState('paused');
      this.#sliceEnd = 0;
      this.#flush();
    }
    this.#save();
  }

  resume() {
    if (this.#session) this.#setState('training');
  }

  stop() {
    this.#stepsWanted = -1;
    if (this.#session) this.#endSession('stopped');
    this.#endNow();
  }

  /** @param {number} steps @param {Reply} reply */
  step(steps, reply) {
    if (this.#state === 'training') this.pause();
    this.#jobs.push({ work: this.#steps(steps), reply });
  }

  /** @param {Dataset} dataset @param {boolean} details @param {Reply} reply */
  evaluate(dataset, details, reply) {
    this.#jobs.push({ work: this.#evaluation(dataset, details, reply), reply, data: dataset.retain() });
  }

  /** Begins at once, before whatever else waits: who asks for a prediction is looking at the screen.
   * @param {Uint8Array | Float32Array} pixels @param {Reply} reply */
  predict(pixels, reply) {
    this.#jobs.unshift({ work: this.#prediction(pixels), reply });
    this.slice();
  }

  /** @param {number} value */
  setLearningRate(value) {
    this.#core.call('run_set_learning_rate', this.#pointer, value);
    this.#saved.step = -1;
    if (this.#state !== 'training') this.#save();
  }

  /** @param {number} epochs */
  setEpochs(epochs) {
    this.#core.call('wasm_run_set_epochs', this.#pointer, epochs);
    const { state, ...facts } = describeRun(this.#core, this.#pointer);
    if (this.#state === 'done' && state !== 'done') this.#setState('stopped');
    this.facts = { ...facts, state: this.#state };
    this.#post({ type: 'facts', run: this.#id, facts: this.facts });
    this.#saved.step = -1;
    if (this.#state !== 'training') this.#save();
  }

  /** @param {boolean} weightsOnly */
  checkpoint(weightsOnly) {
    return takeSaved(this.#core, this.#pointer, weightsOnly);
  }

  parameters() {
    return readParameters(this.#core, this.#pointer);
  }

  hash() {
    return this.#core.withScratch(({ alloc }) => {
      const hex = alloc(65);
      this.#core.get('run_hash', this.#pointer, hex);
      return this.#core.text(hex);
    });
  }

  history() {
    return readHistory(this.#core, this.#pointer);
  }

  /** @param {Dataset} dataset @param {number} samples @param {Reply} reply */
  deadUnits(dataset, samples, reply) {
    this.#jobs.push({ work: this.#deadUnits(dataset, samples), reply, data: dataset.retain() });
  }

  /** @param {number} perTensor @param {Reply} reply */
  gradcheck(perTensor, reply) {
    if (!this.#core.computesInDouble) {
      const what =
        "a float cannot tell a wrong gradient from rounding; createEngine({ precision: 'double' })";
      throw new TabgradError('state', 'gradcheck', what);
    }
    this.#jobs.push({ work: this.#gradcheck(perTensor), reply });
  }

  // Its turn

  get hasWork() {
    return this.#jobs.length > 0 || this.#ending !== null || this.#state === 'training';
  }

  /** One slice of work. What goes wrong in it is told to whoever asked for it.
   * @param {boolean} [undisturbed]  nobody else has work, and it ends when somebody wants something */
  slice(undisturbed) {
    const job = this.#jobs[0] ?? this.#ending;
    if (!job) return this.#trainSlice(undisturbed ? UNDISTURBED_MS : SLICE_MS);
    this.#sliceEnd = 0;
    try {
      const { done, value } = job.work.next();
      if (!done) return;
      this.#remove(job);
      job.reply.succeed(value);
    } catch (error) {
      if (!(error instanceof TabgradError)) throw error;
      this.#remove(job);
      job.reply.fail(error);
    }
  }

  /** @param {Job} job */
  #remove(job) {
    if (job === this.#ending) this.#ending = null;
    else this.#jobs.splice(this.#jobs.indexOf(job), 1);
    job.data?.release();
  }

  /** @param {number} ms */
  #trainSlice(ms) {
    const until = performance.now() + ms;
    try {
      do {
        const progress = this.#advance(0, until);
        if (this.#isOver(progress)) return this.#endSession(progress.finished ? 'done' : 'idle');
      } while (this.#sliceEnd < until && !this.#core.isWanted());
    } catch (error) {
      if (!(error instanceof TabgradError)) throw error;
      return this.#breakOff(error);
    }
    const now = this.#sliceEnd;
    if (now - this.#reported >= REPORT_EVERY_MS) this.#flush();
    if (now - this.#saved.at >= SAVE_EVERY_MS && this.#prepareSave()) this.#saveNowAndThen();
  }

  /** @param {number} count @returns {Generator<void, Report, void>} */
  *#steps(count) {
    this.#stepsWanted = count;
    let progress = currentProgress(this.#core, this.#pointer);
    // The end of an epoch belongs to its last step, also where a slice ends between them.
    const isAtEnd = () => progress.epochStep === progress.stepsPerEpoch;
    const isLast = () => this.#stepsWanted < (isAtEnd() ? 0 : 1) || this.#isOver(progress);
    while (!isLast()) {
      try {
        progress = this.#advance(this.#stepsWanted || 1, performance.now() + SLICE_MS);
      } catch (error) {
        if (error instanceof TabgradError) this.#breakOff(error);
        throw error;
      }
      if (!isLast()) yield; // after the last one nobody may begin a training that this would end
    }
    const reports = this.#flush();
    if (this.#isOver(progress)) {
      this.#endSession(progress.finished ? 'done' : 'idle'); // first: another may begin while it is being saved
      yield* this.#saving();
      this.#endNow();
    } else this.#saveNowAndThen();
    return reports.length > 0 ? reports.reduce(mergeReports) : this.#reports.write(progress);
  }

  /** @param {Dataset} dataset @param {boolean} details @param {Reply} reply
   * @returns {Generator<void, Evaluation, void>} */
  *#evaluation(dataset, details, reply) {
    const core = this.#core;
    core.call('run_evaluate_begin', this.#pointer, dataset.pointer);
    for (let told = performance.now(); ; ) {
      const { score, finished, ...at } = readEvaluation(
        core.row('call', 'wasm_run_evaluate', this.#pointer, SLICE_MS),
      );
      if (finished) {
        const cells = core.u64(at.confusion, at.classes ** 2);
        const confusion = at.classes > 0 ? rows(cells, at.classes) : null;
        return {
          ...score,
          psnr: at.psnr,
          confusion,
          perClass: confusion && scoreClasses(confusion),
          confused: confusion && rankConfused(confusion),
          ...(details && {
            predicted: core.i32(at.predicted, score.count),
            losses: core.f32(at.losses, score.count),
          }),
        };
      }
      if (performance.now() - told >= REPORT_EVERY_MS) {
        told = performance.now();
        reply.event({ done: score.count, count: dataset.facts.count });
      }
      yield;
    }
  }

  /** @param {Uint8Array | Float32Array} pixels @returns {Generator<void, Float32Array, void>} */
  *#prediction(pixels) {
    const { shape, outputs } = this.facts;
    const size = shape[0] * shape[1] * shape[2];
    const count = pixels.length / size;
    const all = new Float32Array(count * outputs);
    let until = performance.now() + SLICE_MS;
    for (let i = 0; i < count; i += PREDICT_SAMPLES) {
      if (performance.now() > until) {
        yield;
        until = performance.now() + SLICE_MS;
      }
      const part = pixels.subarray(i * size, (i + PREDICT_SAMPLES) * size);
      const n = part.length / size;
      const out = this.#core.withScratch(({ alloc, copy }) => {
        const values = alloc(4 * n * outputs);
        this.#core.call('run_predict', this.#pointer, typeOf(part), copy(part), n, values);
        return this.#core.f32(values, n * outputs);
      });
      all.set(out, i * outputs);
    }
    return all;
  }

  /** @param {Dataset} dataset @param {number} samples @returns {Generator<void, DeadUnits[], void>} */
  *#deadUnits(dataset, samples) {
    this.#core.call(
      'run_dead_units_begin',
      this.#pointer,
      dataset.pointer,
      Math.min(samples, dataset.facts.count),
    );
    for (;;) {
      const found = findDeadUnits(this.#core, this.#pointer, SLICE_MS);
      if (found) return found;
      yield;
    }
  }

  /** @param {number} perTensor @returns {Generator<void, Gradcheck, void>} */
  *#gradcheck(perTensor) {
    this.#core.call('run_gradcheck_begin', this.#pointer, perTensor);
    for (;;) {
      const found = checkGradients(this.#core, this.#pointer, SLICE_MS);
      if (found) return found;
      yield;
    }
  }

  /** Trains until that many steps (0: no bound) or that time.
   * @param {number} maxSteps @param {number} until @returns {Progress} */
  #advance(maxSteps, until) {
    const core = this.#core;
    const now = performance.now();
    const begin = this.#sliceEnd || now;
    const sliceMs = until - now;
    /** @type {TabgradError | null} */
    let failure = null;
    core.get('run_train_alone', this.#pointer, Number(this.#pace.alone));
    try {
      core.row('call', 'wasm_run_train', this.#pointer, maxSteps, sliceMs, this.#losses, MAX_LOSSES);
    } catch (error) {
      if (!(error instanceof TabgradError)) throw error;
      failure = error;
    }
    const row = core.lastRow();
    const progress = readProgress(row);
    const steps = row[15];
    this.#sliceEnd = performance.now();
    this.#pace.add(row[16], this.#sliceEnd - now);
    this.#reports.add(progress, this.#viewLosses(), steps, this.#sliceEnd - begin);
    this.#stepsWanted = Math.max(0, this.#stepsWanted - steps);
    if (failure) throw failure;
    return progress;
  }

  /** Whether the session, or without one the whole run, ends here. @param {Progress} progress */
  #isOver({ finished, epochFinished, epoch }) {
    return finished || (epochFinished && this.#session !== null && epoch >= this.#session.lastEpoch);
  }

  /** What it has come to is made safe, then whoever trains hears of the end. @param {'done' | 'idle' | 'stopped'} state */
  #endSession(state) {
    this.#flush();
    if (this.#session) this.#ending = { work: this.#saving(), reply: this.#session.reply };
    this.#session = null;
    this.#sliceEnd = 0;
    this.#setState(state);
  }

  /** For who does not want to wait for slices. */
  #endNow() {
    if (!this.#ending) return;
    const { reply } = this.#ending;
    this.#ending = null;
    this.#save();
    reply.succeed(null);
  }

  /** Saves, piece by piece: whoever asks something meanwhile is answered. @returns {Generator<void, null, void>} */
  *#saving() {
    while (!this.#prepareSave()) yield;
    this.#save();
    return null;
  }

  /** A piece of the digest of the data, which takes long, once. @returns {boolean} whether nothing of it is left */
  #prepareSave() {
    return Boolean(this.#core.get('run_prepare_save', this.#pointer, HASH_BYTES));
  }

  /** @param {TabgradError} error */
  #breakOff(error) {
    this.#flush();
    const session = this.#session;
    this.#session = null;
    this.#sliceEnd = 0;
    if (error.code === 'diverged') this.#setState('error');
    else if (session) this.#setState(session.before);
    session?.reply.fail(error);
  }

  /** Sends the reports that are ready. @returns {Report[]} the same */
  #flush() {
    const lastEpoch = Math.min(this.#session?.lastEpoch ?? Infinity, this.facts.recipe.epochs);
    const reports = this.#reports.take(lastEpoch);
    if (reports.length > 0) this.#session?.reply.event(reports);
    this.#reported = performance.now();
    return reports;
  }

  /** Saves unless that has taken too much of the time already. */
  #saveNowAndThen() {
    if (performance.now() - this.#saved.at >= SAVE_SHARE * this.#saved.tookMs) this.#save();
  }

  /** Leaves with the library what it takes to go on from here, should the worker die. */
  #save() {
    const { step } = currentProgress(this.#core, this.#pointer);
    if (step === this.#saved.step) return;
    const at = performance.now();
    try {
      const bytes = this.checkpoint(false);
      this.#post({ type: 'saved', run: this.#id, step, bytes }, [bytes.buffer]);
    } catch (error) {
      if (!(error instanceof TabgradError)) throw error; // no memory to spare: what was saved before has to do
    }
    this.#saved = { at, tookMs: performance.now() - at, step };
  }

  /** @param {RunState} state */
  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#post({ type: 'state', run: this.#id, state });
  }
}

/** @param {number[]} cells @param {number} width */
function rows(cells, width) {
  return Array.from({ length: width }, (_, row) => cells.slice(row * width, (row + 1) * width));
}
