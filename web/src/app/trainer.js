// Carries one run through its life: made, trained, paused, stepped, stopped, tested, dropped. A person may ask for
// anything at any time; each request that changes the course overtakes the one before it.
import { digest, FRESH, newCourse, shown } from './course.js';
import { History } from './history.js';
import { multiplications } from './layers.js';
import { checkNumbers, chosenRecipe, recipeAtHand, sameRun } from './recipes.js';
import { lookAtWeights } from './weights.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {import('./data-shelf.js').Sets} Sets */
/** @typedef {import('tabgrad').Run} Run */
/** @typedef {import('./state.js').Engine} Engine */
/** @typedef {import('tabgrad').Report} Report */
/** @typedef {import('./course.js').Course} Course */

/** Thrown inside an action that a later one has overtaken; nobody needs to hear of it. */
class Overtaken extends Error {}

export class Trainer {
  #store;
  #shelf;
  #onCourse;
  #engine;
  /** @type {Course | null} */
  #course = null;
  /** Counts the requests that change the course. */
  #requests = 0;

  /**
   * @param {import('./store.js').Store<State>} store
   * @param {import('./data-shelf.js').DataShelf} shelf
   * @param {Promise<Engine>} engine
   * @param {(course: Course | null) => void} onCourse the run at hand is another one, or has learned
   */
  constructor(store, shelf, engine, onCourse) {
    this.#store = store;
    this.#shelf = shelf;
    this.#engine = engine;
    this.#onCourse = onCourse;
  }

  get course() {
    return this.#course;
  }

  /** Trains: goes on with the run at hand where the settings allow it, else begins a new one. */
  async train() {
    const { phase } = this.#store.state;
    if (phase === 'loading' || phase === 'training') return;
    if (phase === 'paused' && this.#course?.followed) return this.pause();
    await this.#request(async (still) => this.#follow(await this.#prepare(still), still));
  }

  /** Pauses, or resumes what is paused. */
  async pause() {
    const course = this.#course;
    const { phase } = this.#store.state;
    if (phase === 'paused' && !course?.followed) {
      await this.#request(async (still) => this.#follow(await this.#prepare(still), still));
    } else if (phase === 'paused' && course) {
      await course.run.resume();
      if (course.followed) this.#store.update({ phase: 'training', activity: '' });
    } else if (phase === 'training' && course?.followed) {
      await course.run.pause();
      if (course.followed) this.#store.update({ phase: 'paused', activity: '' });
      this.#shelf.showMnist();
    }
  }

  /** One step of the optimizer, then pause. */
  async step() {
    const { phase } = this.#store.state;
    if (phase === 'loading' || (phase === 'training' && !this.#course?.followed)) return;
    const course = this.#course;
    if (course?.followed) {
      await course.run.step(1); // whoever follows the run sees its report
      if (course.followed) this.#store.update({ phase: 'paused', activity: '' });
    } else {
      await this.#request(async (still) => {
        const prepared = await this.#prepare(still);
        this.#show(prepared, still(await prepared.run.step(1)));
        this.#store.update({ phase: 'paused', activity: '' });
      });
    }
  }

  /** Ends training; what was learned is tested and stays. */
  async stop() {
    const { phase } = this.#store.state;
    const course = this.#course;
    if (phase === 'loading') {
      this.#requests++;
      this.#store.update({ phase: course ? 'stopped' : 'idle', activity: '' });
    } else if (course?.followed) {
      course.stopping = true;
      await course.run.stop();
    } else if (course && phase === 'paused') {
      await this.#request((still) => this.#finish(course, 'stopped', still));
    }
  }

  /** Drops the run. */
  async reset() {
    this.#requests++;
    this.#store.update({ ...FRESH, history: new History() });
    await this.#replace(null);
  }

  /**
   * A run from a file takes the place of the one at hand.
   * @param {Run} run
   * @param {Uint8Array} bytes
   * @param {Settings} settings
   */
  async adopt(run, bytes, settings) {
    this.#requests++;
    const history = History.of((await run.history()).epochs, run.recipe);
    const progress = run.progress.step > 0 ? shown(run.progress, settings.epochs) : null;
    this.#store.update({ ...FRESH, history, settings, progress });
    await this.#replace({ ...newCourse(run, this.#store.state, run.classes), bytes });
    const weights = await lookAtWeights(run);
    if (this.#course?.run === run) this.#store.update({ weights });
  }

  /** Whether Train would go on with the run at hand. */
  get continues() {
    const course = this.#course;
    if (!course || course.run.state === 'error') return false;
    if (!sameRun(course.settings, this.#store.state.settings)) return false;
    if (course.chosen !== chosenRecipe(this.#store.state)) return false;
    if (course.asWritten !== this.#store.state.asWritten) return false;
    return course.sets === null || this.#shelf.holds(course.sets);
  }

  /** Hands the run at hand what may change on its way. */
  async steer() {
    const { phase, settings } = this.#store.state;
    const course = this.#course;
    if (course && (phase === 'training' || phase === 'paused')) await this.#applySettings(course, settings);
  }

  /**
   * @param {Course} course
   * @param {Settings} settings
   */
  async #applySettings(course, settings) {
    checkNumbers(settings);
    const { learningRate, epochs } = settings;
    if (learningRate !== course.settings.learningRate) await course.run.setLearningRate(learningRate);
    const done = course.run.progress.epoch;
    if (epochs !== course.settings.epochs && done < course.epochs) {
      const target = epochs > done ? epochs : done + epochs; // fewer than there were already: so many more
      await course.run.setEpochs(target);
      course.epochs = target;
    }
    course.settings = settings; // only what the run agreed to
  }

  /**
   * Carries out a request unless a later one overtakes it; `still` passes its argument on, or ends the request.
   * @param {(still: Still) => Promise<void>} action
   * @typedef {<T>(value: T) => T} Still
   */
  async #request(action) {
    const request = ++this.#requests;
    const still = /** @type {Still} */ (
      (value) => {
        if (request !== this.#requests) throw new Overtaken();
        return value;
      }
    );
    try {
      await action(still);
    } catch (error) {
      if (error instanceof Overtaken || request !== this.#requests) return;
      const { message } = /** @type {Error} */ (error);
      this.#store.update({ phase: 'error', activity: '', error: message });
      this.#onCourse(this.#course);
    }
    this.#shelf.showMnist();
  }

  /**
   * Data loaded, and a run that can train as the settings want it.
   * @param {Still} still
   * @returns {Promise<Course>}
   */
  async #prepare(still) {
    const { settings } = this.#store.state;
    checkNumbers(settings);
    this.#store.update({ phase: 'loading', activity: 'Loading the pictures', error: '' });
    const engine = still(await this.#engine);
    const sets = still(await this.#shelf.all());
    let course = this.continues ? this.#course : null;
    if (course) {
      if (course.bytes) course = await this.#supply(course, engine, course.bytes, sets, still);
      await this.#applySettings(course, settings);
      still(course);
    } else {
      const { state } = this.#store;
      const run = await keepOrClose(await engine.run(recipeAtHand(state), sets), still);
      course = { ...newCourse(run, state, state.data.classes), sets };
      this.#store.update({
        ...FRESH,
        phase: 'loading',
        history: new History(run.recipe),
        summary: run.summary,
      });
      await this.#replace(course);
      still(course);
    }
    return course;
  }

  /**
   * Gives a run that came from a file the data to train on.
   * @param {Course} course
   * @param {Engine} engine
   * @param {Uint8Array} bytes
   * @param {Sets} sets
   * @param {Still} still
   */
  async #supply(course, engine, bytes, sets, still) {
    const run = await keepOrClose(await engine.load(bytes, sets), still);
    const supplied = { ...course, run, sets, bytes: null };
    await this.#replace(supplied);
    return supplied;
  }

  /**
   * @param {Course} course
   * @param {Still} still
   */
  async #follow(course, still) {
    const done = course.run.progress.epoch;
    const more = done < course.epochs ? undefined : course.settings.epochs;
    if (more) course.epochs = done + more;
    course.followed = true;
    course.stopping = false;
    this.#store.update({ phase: 'training', activity: '', evaluation: null, psnr: null, weights: null });
    /** @type {Promise<void> | undefined} */
    let testing;
    try {
      for await (const report of course.run.train({ epochs: more })) {
        this.#show(course, still(report));
        this.#measure(course, report);
        if (!report.finished) continue;
        course.followed = false; // what is left to do is to make it safe; the test need not wait for that
        testing = this.#test(course, still);
        testing.catch(() => {}); // heard of below
      }
    } finally {
      course.followed = false;
    }
    still(course); // a run that was closed ends its reports too
    await this.#finish(course, course.stopping ? 'stopped' : 'done', still, testing);
  }

  /**
   * @param {Course} course
   * @param {'stopped' | 'done'} phase
   * @param {Still} still
   * @param {Promise<void>} [testing]  where that has begun
   */
  async #finish(course, phase, still, testing = this.#test(course, still)) {
    await testing;
    const data = course.sets?.test ?? course.sets?.train;
    this.#store.update({ weights: still(await lookAtWeights(course.run, data)) });
    this.#store.update({ phase, activity: '' });
    this.#onCourse(course);
  }

  /**
   * @param {Course} course
   * @param {Still} still
   */
  async #test(course, still) {
    const test = course.sets?.test;
    if (!test) return;
    this.#store.update({ phase: 'training', activity: 'Reading the test pictures' });
    const result = still(await course.run.evaluate(test, { details: true }));
    const evaluation = still(await digest(result, test, course.classes));
    this.#store.update({ evaluation, psnr: result.psnr });
  }

  /**
   * @param {Course} course
   * @param {Report} report
   */
  #show(course, report) {
    this.#store.state.history.append(report);
    this.#store.update({ progress: shown(report, course.epochs, report) });
    this.#onCourse(course); // it has learned since
    if (report.epoch > 0 && !report.finished) this.#shelf.showMnist();
  }

  /**
   * @param {Course} course
   * @param {Report} report
   */
  #measure({ run }, { samplesPerSecond }) {
    if (samplesPerSecond === 0) return;
    this.#store.update({
      pace: { samplesPerSecond, multiplications: multiplications(run.recipe, run.summary) },
    });
  }

  /**
   * Puts a course in the place of the one at hand, whose run is closed, and its data unless they are still in use.
   * @param {Course | null} course
   */
  async #replace(course) {
    const before = this.#course;
    this.#course = course;
    this.#onCourse(course);
    if (!before) return;
    await before.run.close();
    if (before.sets && before.sets !== course?.sets) await this.#shelf.release(before.sets);
  }
}

/**
 * A run that was made for a request which was overtaken meanwhile is nobody's.
 * @param {Run} run
 * @param {<T>(value: T) => T} still
 */
async function keepOrClose(run, still) {
  try {
    return still(run);
  } catch (overtaken) {
    await run.close();
    throw overtaken;
  }
}
