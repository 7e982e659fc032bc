// The page's conversation with the library: what a person asks for goes in here, what came of it goes into the store.
// Nothing here knows how any of it looks.
import { DataShelf } from './data-shelf.js';
import { fetchBytes } from './data-source.js';
import { Reader } from './reader.js';
import { checkNumbers, fittedRecipe, settingsOf } from './recipes.js';
import { Trainer } from './trainer.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {import('./state.js').Engine} Engine */

export class Session {
  #store;
  #engine;
  #shelf;
  #trainer;
  #reader;
  /** @type {import('tabgrad').Run | null} the network that reads the pad while nothing was trained */
  #bundled = null;
  #plans = 0;

  /**
   * @param {import('./store.js').Store<State>} store
   * @param {Promise<Engine>} engine
   */
  constructor(store, engine) {
    this.#store = store;
    this.#engine = engine;
    this.#shelf = new DataShelf(store, engine);
    this.#trainer = new Trainer(store, this.#shelf, engine, (course) => this.#letRead(course));
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
      await Promise.all([this.#plan(), this.#wakeBundled(engine)]);
    });
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
   * @param {Uint8Array | Float32Array | null} image null when the pad is empty
   * @param {number} [since] when the pen made it
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
    this.#store.update({
      network: course ? 'your network' : 'the bundled network',
      classes: course ? course.classes : (run?.classes ?? classes),
      shape: run?.shape ?? shape,
      canSave: run !== null,
      continues: this.#trainer.continues,
    });
    this.#reader.use(run);
  }

  // Files

  /** @param {File[]} files pictures and labels, or one checkpoint */
  openFiles(files) {
    return this.#telling(async () => {
      this.dismissError();
      if (files.some((file) => file.name.endsWith('.safetensors'))) await this.#loadCheckpoint(files[0]);
      else await this.#letGo(await this.#shelf.open(files));
      await this.#plan();
    });
  }

  /** @param {import('./data-shelf.js').Sets | null} sets that are no longer at hand, though perhaps trained on */
  async #letGo(sets) {
    if (sets && sets !== this.#trainer.course?.sets) await this.#shelf.release(sets);
  }

  /** Goes back to MNIST. */
  useMnist() {
    return this.#telling(async () => {
      await this.#letGo(await this.#shelf.useMnist());
      await this.#plan();
    });
  }

  /** @param {File} file */
  loadCheckpoint(file) {
    return this.openFiles([file]);
  }

  /** @param {File} file */
  async #loadCheckpoint(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const engine = await this.#engine;
    const run = await engine.load(bytes, { name: file.name });
    const { name } = run.recipe;
    const { recipes } = this.#state;
    if (!recipes[name]) this.#store.update({ recipes: { ...recipes, [name]: run.recipe } });
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
      return { name: `${run.recipe.name}.safetensors`, bytes };
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
    return this.#telling(() => this.#trainer.train());
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
      const { settings, recipes } = this.#state;
      const { recipe } = change;
      const other = recipe !== undefined && recipe !== settings.recipe;
      this.#store.update({
        settings: other ? settingsOf(recipe, recipes[recipe]) : { ...settings, ...change },
      });
      await this.#trainer.steer();
      await this.#plan();
    });
  }

  /** Shows what Train would do: the shapes and the memory of the network, from a run without data. */
  async #plan() {
    const plan = ++this.#plans;
    const { continues } = this.#trainer;
    this.#store.update({ continues });
    if (continues) {
      this.#store.update({ summary: this.#trainer.course?.run.summary });
      return;
    }
    const { recipes, settings, data } = this.#state;
    checkNumbers(settings);
    const engine = await this.#engine;
    const run = await engine.run(fittedRecipe(recipes[settings.recipe], settings, data), {});
    if (plan === this.#plans) this.#store.update({ summary: run.summary });
    await run.close();
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
      this.#store.update({ error: /** @type {Error} */ (error).message });
    }
  }
}

/** @param {number[]} shape */
function sizeOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}
