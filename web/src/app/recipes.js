// The ready recipes, and how the page fits one to the data and the settings at hand.

/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {Record<string, any>} Recipe */

/** @type {Record<string, Recipe>} file name without .json -> recipe, simplest first */
export const RECIPES = Object.fromEntries(
  Object.entries(import.meta.glob('../../../recipes/*.json', { eager: true, import: 'default' }))
    .map(([path, recipe]) => /** @type {[string, Recipe]} */ ([fileName(path), recipe]))
    .sort(([, a], [, b]) => a['x-order'] - b['x-order']),
);

/** @param {string} path */
function fileName(path) {
  return path.slice(path.lastIndexOf('/') + 1, -'.json'.length);
}

/**
 * @param {string} name
 * @param {Recipe} recipe
 * @returns {Settings}
 */
export function settingsOf(name, recipe) {
  return {
    recipe: name,
    epochs: recipe.epochs,
    batchSize: recipe.batch_size,
    learningRate: recipe.optimizer.learning_rate,
    seed: recipe.seed,
  };
}

/**
 * A recipe with the settings filled in, for this data: its input and its last layer take the data's shape
 * and number of classes, and it reads the data set by its own name.
 * @param {Recipe} chosen
 * @param {Settings} settings
 * @param {{ name: string, shape: number[], classes: string[] }} data
 * @returns {Recipe}
 */
export function fittedRecipe(chosen, settings, data) {
  const recipe = structuredClone(chosen);
  if (recipe.data.dataset !== data.name) recipe.data = { dataset: data.name };
  recipe.model.input = data.shape;
  const last = recipe.model.layers.at(-1);
  if (last.type === 'dense') last.units = data.classes.length;
  recipe.optimizer.learning_rate = settings.learningRate;
  recipe.batch_size = settings.batchSize;
  recipe.epochs = settings.epochs;
  recipe.seed = settings.seed;
  return recipe;
}

/**
 * Whether a run made with settings `a` can go on under settings `b`: epochs and learning rate may change on the way,
 * the rest determines what was learned so far.
 * @param {Settings} a
 * @param {Settings} b
 */
export function sameRun(a, b) {
  return a.recipe === b.recipe && a.batchSize === b.batchSize && a.seed === b.seed;
}

const NUMBERS = /** @type {const} */ ({
  epochs: 'epochs',
  batchSize: 'batch size',
  learningRate: 'learning rate',
  seed: 'seed',
});

/**
 * What an empty field leaves behind is no number; what numbers are allowed, the engine knows.
 * @param {Settings} settings
 */
export function checkNumbers(settings) {
  for (const [key, name] of Object.entries(NUMBERS)) {
    if (!Number.isFinite(settings[/** @type {keyof typeof NUMBERS} */ (key)])) {
      throw new Error(`${name}: type a number`);
    }
  }
}
