// The page's conversation with the library: what a person asks for goes in here, what came of it goes into the store.
// Nothing here knows how any of it looks.
import { DataSession } from './data-session.js';
import { DataShelf } from './data-shelf.js';
import { fetchBytes } from './data-source.js';
import { asLearned } from './ink-image.js';
import { layerNamed, withoutPlaces } from './layers.js';
import { Reader } from './reader.js';
import { formatJson, parseRecipe } from './recipe-text.js';
import { checkNumbers, chosenRecipe, recipeAtHand, settingsOf } from './recipes.js';
import { repeaterOf } from './repeater.js';
import { Trainer } from './trainer.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {import('./state.js').Engine} Engine */

/** Milliseconds without a key. */
const TYPING_PAUSE = 200;

/** Changes that can be taken back. */
const MAX_VERSIONS = 100;

export class Session {
  #store;
  #engine;
  #shelf;
  #trainer;
  #reader;
  /** @type {import('tabgrad').Run | null} the network that reads the pad while nothing was trained */
  #bundled = null;
  #plans = 0;
  /** @type {import('./recipes.js').Recipe | null} the version that further typing replaces */
  #typed = null;

  /**
   * @param {import('./store.js').Store<State>} store
   * @param {Promise<Engine>} engine
   */
  constructor(store, engine) {
    this.#store = store;
    this.#engine = engine;
    this.#shelf = new DataShelf(store, engine);
    this.#trainer = new Trainer(store, this.#shelf, engine, (course) => this.#letRead(course));
    /** What a person does with data. */
    this.data = new DataSession(store, this.#shelf, engine, {
      exchange: (change) => this.#exchange(change),
      telling: (action) => this.#telling(action),
      editRecipe: (recipe) => this.editRecipe(recipe),
      loadCheckpoint: (file) => this.loadCheckpoint(file),
    });
    this.#reader = new Reader(
      (answer) => store.update({ reading: { ...store.state.reading, answer } }),
      (error) => store.update({ error: error.message }),
    );
  }

  get #state() {
    return this.#store.state;
  }

  /** Shows what the engine is and lets the bundled network read the pad. */
  start() {
    return this.#telling(async () => {
      const engine = await this.#engine;
      engine.on('respawn', (event) => this.#respawned(event));
      this.#store.update({ engine: { variant: engine.variant, threads: engine.threads } });
      await Promise.all([this.#plan(), this.#wakeBundled(engine), this.#offerReports()]);
      await this.#shelf.listKept(); // not in the way of the first stroke
    });
  }

  async #offerReports() {
    const { REPORT_RECIPES } = await import('./report-recipes.js').catch(() => ({ REPORT_RECIPES: {} })); // offline
    const { recipes } = this.#state;
    this.#store.update({ recipes: { ...recipes, ...REPORT_RECIPES, ...recipes } }); // those at hand first, and as they are
  }

  /** @param {Engine} engine */
  async #wakeBundled(engine) {
    const { bytes } = await fetchBytes('bundled/mnist.safetensors');
    this.#bundled = await engine.load(bytes);
    if (!this.#trainer.course) this.#letRead(null);
  }

  /** @param {{ reason: string, restored: boolean }} event */
  #respawned({ reason, restored }) {
    const outcome = restored ? 'the run is back as it was last saved' : 'press Reset to begin anew';
    this.#store.update({ error: `The engine had to be started again (${reason}); ${outcome}.` });
  }

  // The pad

  /**
   * @param {Uint8Array | Float32Array | null} ink 0..255, or a row; null when the pad is empty
   * @param {number} since when the pen made it
   */
  draw(ink, since) {
    this.leaveTestPicture();
    this.read(ink && asLearned(ink, this.#trainer.course?.range), since);
  }

  /**
   * @param {Uint8Array | Float32Array | null} image null when the pad is empty
   * @param {number} [since] when it was made
   */
  read(image, since) {
    this.#store.update({ reading: { image, answer: this.#state.reading.answer } });
    this.#reader.read(image, since);
  }

  /**
   * Puts a test picture on the pad.
   * @param {number | 'random' | 'next' | 'previous'} which
   */
  showTestPicture(which) {
    return this.#telling(async () => {
      const testPicture = await this.#shelf.testPicture(which);
      const { shape } = this.#state;
      if (`${testPicture.shape}` !== `${shape}`) {
        const [theirs, its] = [testPicture.shape, shape].map((sides) => sides.join(' × '));
        throw new Error(
          `test pictures: these are ${theirs}, the network reads ${its}; train one on them first`,
        );
      }
      this.#store.update({ testPicture });
      this.read(testPicture.pixels);
    });
  }

  /** The pad was drawn on or wiped: what it shows is no test picture any more. */
  leaveTestPicture() {
    if (this.#state.testPicture) this.#store.update({ testPicture: null });
  }

  /** @param {import('./course.js').Course | null} course null: the bundled network reads */
  #letRead(course) {
    const run = course ? course.run : this.#bundled;
    const { classes, shape, reading } = this.#state;
    if (run && reading.image && reading.image.length !== sizeOf(run.shape)) {
      this.leaveTestPicture();
      this.read(null);
    }
    const repeater = run && repeaterOf(run.recipe);
    this.#store.update({
      network: course ? 'your network' : 'the bundled network',
      classes: repeater ? [] : course ? course.classes : (run?.classes ?? classes),
      repeater,
      shape: run?.shape ?? shape,
      canSave: run !== null,
      continues: this.#trainer.continues,
    });
    this.#reader.use(run && scoresOf(run));
  }

  /**
   * Other data come into the place of those at hand, which are let go unless they are trained on.
   * @param {() => Promise<import('./data-shelf.js').Sets | null>} change
   */
  #exchange(change) {
    return this.#telling(async () => {
      this.dismissError();
      const before = await change();
      if (before && before !== this.#trainer.course?.sets) await this.#shelf.release(before);
      await this.#plan();
    });
  }

  /** @param {boolean} asWritten whether the recipe is to be left as it is written, whatever the data are */
  leaveAsWritten(asWritten) {
    return this.#telling(async () => {
      this.#store.update({ asWritten });
      await this.#plan();
    });
  }

  // Files

  /** @param {File} file */
  loadCheckpoint(file) {
    return this.#telling(async () => {
      this.dismissError();
      await this.#loadCheckpoint(file);
      await this.#plan();
    });
  }

  /** @param {File} file */
  async #loadCheckpoint(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const engine = await this.#engine;
    const run = await engine.load(bytes, { name: file.name });
    const name = run.recipe.name || file.name.replace(/\.safetensors$/, '');
    const { recipes } = this.#state;
    const recipe = withoutPlaces(run.recipe);
    if (recipes[name]) this.#addVersion(name, recipe);
    else this.#store.update({ recipes: { ...recipes, [name]: recipe } });
    await this.#trainer.adopt(run, bytes, settingsOf(name, run.recipe));
  }

  /**
   * The network that reads the pad, as a file.
   * @returns {Promise<{ name: string, bytes: Uint8Array } | undefined>}
   */
  saveCheckpoint() {
    return this.#telling(async () => {
      const run = this.#trainer.course?.run ?? this.#bundled;
      if (!run) throw new Error('There is no network to save yet; wait a moment, or train one.');
      const bytes = await run.checkpoint();
      return { name: `${run.recipe.name || 'network'}.safetensors`, bytes };
    });
  }

  // Training

  /** @param {Settings} settings */
  #take(settings) {
    this.#store.update({ settings });
    this.#store.update({ continues: this.#trainer.continues });
  }

  /** @param {Settings} settings as they stand in the form */
  train(settings) {
    this.#take(settings);
    return this.#telling(() => {
      const { unreadable, problem } = this.#state.draft;
      if (unreadable) throw new Error(problem?.message);
      return this.#trainer.train();
    });
  }

  pause() {
    return this.#telling(() => this.#trainer.pause());
  }

  /** @param {Settings} settings as they stand in the form */
  step(settings) {
    this.#take(settings);
    return this.#telling(() => this.#trainer.step());
  }

  stop() {
    return this.#telling(() => this.#trainer.stop());
  }

  reset() {
    return this.#telling(async () => {
      await this.#trainer.reset();
      await this.#plan();
    });
  }

  /** @param {Partial<Settings>} change */
  changeSettings(change) {
    return this.#telling(async () => {
      this.dismissError();
      const { settings, recipes } = this.#state;
      const { recipe } = change;
      const other = recipe !== undefined && recipe !== settings.recipe;
      this.#store.update({
        settings: other ? settingsOf(recipe, recipes[recipe]) : { ...settings, ...change },
      });
      if (other) this.#store.update({ asWritten: false });
      if (other) this.#dropTyped();
      else this.endTyping();
      await this.#trainer.steer();
      await this.#plan();
      const { problem } = this.#state.draft;
      if (problem?.layer === null) throw new Error(problem.message);
    });
  }

  // The recipe

  /**
   * A changed layer, say: the recipe at hand gets a new version.
   * @param {import('./recipes.js').Recipe} recipe
   */
  editRecipe(recipe) {
    return this.#telling(async () => {
      this.#dropTyped();
      this.#addVersion(this.#state.settings.recipe, recipe);
      await this.#plan();
    });
  }

  /**
   * What is typed counts from the first key on; the engine looks at it when the keys rest.
   * @param {string} typed
   */
  async typeRecipe(typed) {
    const { settings } = this.#state;
    try {
      const recipe = parseRecipe(typed);
      const isTyping = this.#typed !== null && this.#typed === chosenRecipe(this.#state);
      this.#store.update({ settings: settingsOf(settings.recipe, recipe, settings) });
      if (formatJson(recipe) !== formatJson(recipeAtHand(this.#state))) {
        this.#addVersion(settings.recipe, recipe, isTyping);
        this.#typed = recipe;
      }
      this.#draft({ recipe: recipeAtHand(this.#state), typed, unreadable: false, problem: null });
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      this.#plans++;
      this.#draft({ typed, unreadable: true, problem: { layer: null, message } });
      return;
    }
    const typing = ++this.#plans;
    await new Promise((resolve) => setTimeout(resolve, TYPING_PAUSE));
    if (typing === this.#plans) await this.#telling(() => this.#plan());
  }

  /** Typing has ended: the text takes the recipe's shape, unless it is none yet. */
  endTyping() {
    if (!this.#state.draft.unreadable) this.#dropTyped();
  }

  #dropTyped() {
    this.#typed = null;
    this.#draft({ typed: null, unreadable: false });
  }

  /** @param {Partial<State['draft']>} change */
  #draft(change) {
    this.#store.update({ draft: { ...this.#state.draft, ...change } });
  }

  /** Takes the last change of the recipe back. */
  undoEdit() {
    return this.#telling(async () => {
      const { settings, versions, draft } = this.#state;
      const { recipe } = settings;
      this.#dropTyped();
      if (!draft.unreadable) {
        this.#store.update({ versions: { ...versions, [recipe]: (versions[recipe] ?? []).slice(0, -1) } });
      }
      await this.#plan();
    });
  }

  /** Goes back to the recipe as it came; Undo brings the changes back. */
  restoreRecipe() {
    const { recipes, settings } = this.#state;
    return this.editRecipe(recipes[settings.recipe]);
  }

  /**
   * @param {string} name
   * @param {import('./recipes.js').Recipe} recipe
   * @param {boolean} [replaces] the version before
   */
  #addVersion(name, recipe, replaces = false) {
    const { versions } = this.#state;
    const before = versions[name] ?? [];
    const kept = replaces ? before.slice(0, -1) : before.slice(-MAX_VERSIONS);
    this.#store.update({ versions: { ...versions, [name]: [...kept, recipe] } });
  }

  /** Shows what Train would do: the shapes and the memory of the network, from a run without data. */
  async #plan() {
    const plan = ++this.#plans;
    const { continues } = this.#trainer;
    this.#store.update({ continues });
    if (this.#state.draft.unreadable) return;
    const recipe = recipeAtHand(this.#state);
    this.#draft({ recipe });
    const engine = await this.#engine;
    try {
      checkNumbers(this.#state.settings);
      const { course } = this.#trainer;
      if (continues && course) return this.#showPlan(course.run);
      const run = await engine.run(recipe, {});
      if (plan === this.#plans) this.#showPlan(run);
      await run.close();
    } catch (error) {
      if (plan !== this.#plans) return;
      const { message, where } = /** @type {Error & { where?: string }} */ (error);
      this.#draft({ problem: { layer: layerNamed(where), message } });
    }
  }

  /** @param {import('tabgrad').Run} run */
  #showPlan({ summary, recipe: filled }) {
    this.#store.update({ summary });
    this.#draft({ filled, problem: null });
  }

  dismissError() {
    this.#store.update({ error: '' });
  }

  /**
   * Whatever goes wrong is told in one sentence, and the page goes on.
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T | undefined>}
   */
  async #telling(action) {
    try {
      return await action();
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      if (name !== 'AbortError') this.#store.update({ error: message }); // whoever gave up knows
    }
  }
}

/** @param {number[]} shape */
function sizeOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

/** Of all outputs that a model may name, the one that the classes are about. @param {import('tabgrad').Run} run */
function scoresOf(run) {
  const [{ size }] = run.summary.outputs;
  return {
    predict: async (/** @type {import('./reader.js').Image} */ image) =>
      (await run.predict(image)).subarray(0, size),
  };
}
