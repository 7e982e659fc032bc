// What a person does with data: open them from wherever they are, say how they are meant, look at them as training
// will see them.
import { droppedFiles } from './data-drop.js';
import { recipeAtHand } from './recipes.js';

/** @typedef {import('./data-shelf.js').Sets} Sets */
/**
 * @typedef {object} Page what it asks of the rest of the page
 * @property {(change: () => Promise<Sets | null>) => Promise<void>} exchange other data come, those before are let go
 * @property {<T>(action: () => Promise<T>) => Promise<T | undefined>} telling whatever goes wrong
 * @property {(recipe: import('./recipes.js').Recipe) => Promise<void>} editRecipe
 * @property {(file: File) => Promise<void>} loadCheckpoint
 */

/** Milliseconds between two figures while the files of a folder are being listed. */
const LISTING_EVERY_MS = 100;

/** Of augmentation, shown of one sample. */
const OUTCOMES = 12;

export class DataSession {
  #store;
  #shelf;
  #engine;
  #page;

  /**
   * @param {import('./store.js').Store<import('./state.js').State>} store
   * @param {import('./data-shelf.js').DataShelf} shelf
   * @param {Promise<import('./state.js').Engine>} engine
   * @param {Page} page
   */
  constructor(store, shelf, engine, page) {
    this.#store = store;
    this.#shelf = shelf;
    this.#engine = engine;
    this.#page = page;
  }

  /** @param {import('./data-drop.js').Opened[]} files of samples, or one checkpoint */
  openFiles(files) {
    const checkpoint = files.find(({ name }) => name.endsWith('.safetensors'));
    return checkpoint ? this.#page.loadCheckpoint(checkpoint.bytes) : this.#open(async () => ({ files }));
  }

  /** @param {DataTransfer} transfer what is being dropped, folders too */
  openDropped(transfer) {
    const checkpoint = Array.from(transfer.files).find(({ name }) => name.endsWith('.safetensors'));
    if (checkpoint) return this.#page.loadCheckpoint(checkpoint);
    let found = 0;
    const files = droppedFiles(transfer, (count) => {
      found = count;
    });
    files.catch(() => {}); // told when its turn has come
    return this.#open(async ({ signal, show }) => {
      const listing = setInterval(
        () => show({ stage: 'Listing files', name: '', done: found, total: 0 }),
        LISTING_EVERY_MS,
      );
      try {
        return { files: await unlessAborted(files, signal) };
      } finally {
        clearInterval(listing);
      }
    });
  }

  /** @param {string} typed where a file lies */
  openAddress(typed) {
    return this.#open(async ({ signal, show }) => {
      const { addressOf, fetchAddress } = await import('./data-address.js');
      const url = addressOf(typed);
      const onProgress = (/** @type {number} */ done, /** @type {number} */ total) =>
        show({ stage: 'Fetching from', name: url.hostname, done, total, unit: 'bytes' });
      const bytes = await fetchAddress(url, { signal, onProgress });
      return { files: [{ name: bytes.name, bytes }] };
    });
  }

  /** @param {import('tabgrad').KeptSets} entry data that the browser keeps */
  openKept({ key, name }) {
    return this.#open(async () => ({ kept: key, title: name }));
  }

  /** @param {string} key */
  forget(key) {
    return this.#page.telling(() => this.#shelf.forget(key));
  }

  /** @param {import('./data-shelf.js').Corrections} corrections to the data at hand */
  correct(corrections) {
    return this.#page.exchange(() => this.#shelf.correct(corrections));
  }

  /** Shows the data at hand before anything is trained. */
  look() {
    return this.#page.telling(async () => {
      await this.#shelf.all();
      this.#shelf.showMnist();
    });
  }

  /** @param {string[]} classes */
  rename(classes) {
    return this.#page.telling(() => this.#shelf.rename(classes));
  }

  /** @param {import('./recipes.js').Recipe} recipe as it is to be from now on */
  edit(recipe) {
    return this.#page.editRecipe(recipe);
  }

  useMnist() {
    return this.#page.exchange(() => this.#shelf.useMnist());
  }

  cancel() {
    this.#shelf.cancel();
  }

  /** @param {Parameters<import('./data-shelf.js').DataShelf['open']>[0]} find */
  #open(find) {
    return this.#page.exchange(() => this.#shelf.open(find));
  }

  /** @param {import('./data-edits.js').Scaling} scaling of the values; its numbers are measured on the training part */
  scale(scaling) {
    return this.#page.telling(async () => {
      const { measuringRecipe, withMeasured, withScaling } = await import('./data-edits.js');
      const { train } = await this.#shelf.all();
      const { state } = this.#store;
      const { classes, range } = state.data;
      const recipe = withScaling(recipeAtHand(state), scaling, range ?? [0, 255]);
      const engine = await this.#engine;
      const run = await engine.run(measuringRecipe(recipe, train.shape, classes.length), { train });
      const measured = run.recipe;
      await run.close();
      await this.#page.editRecipe(withMeasured(recipe, measured));
    });
  }

  /** @param {number} sample of the training part: what training would see of it */
  previewAugmentation(sample) {
    return this.#page.telling(async () => {
      const { train } = await this.#shelf.all();
      const recipe = recipeAtHand(this.#store.state); // fitted to these data, which the draft may not be yet
      const [before, after] = await Promise.all([
        train.sample(sample),
        (await this.#engine).augmentations(recipe, train, sample, OUTCOMES),
      ]);
      const size = sizeOf(after.shape);
      const outcome = (/** @type {number} */ i) => after.pixels.slice(i * size, (i + 1) * size);
      this.#store.update({
        augmented: {
          before: { pixels: before.pixels, shape: train.shape },
          after: Array.from({ length: OUTCOMES }, (_, i) => ({ pixels: outcome(i), shape: after.shape })),
        },
      });
    });
  }
}

/**
 * @template T
 * @param {Promise<T>} result
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
function unlessAborted(result, signal) {
  signal.throwIfAborted();
  const aborted = new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  return Promise.race([result, /** @type {Promise<never>} */ (aborted)]);
}

/** @param {number[]} shape */
function sizeOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}
