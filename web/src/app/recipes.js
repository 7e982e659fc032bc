// The ready recipes, and how the page fits one to the data and the settings at hand.
import { DESCRIPTORS } from './data-source.js';

/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {Record<string, any>} Recipe */

/** @type {Record<string, Recipe>} file name without .json -> recipe, simplest first */
export const RECIPES = Object.fromEntries(
  Object.entries(import.meta.glob('../../../recipes/**/*.json', { eager: true, import: 'default' }))
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
 * @param {Partial<Settings>} [otherwise] what holds where the recipe says nothing
 * @returns {Settings}
 */
export function settingsOf(name, recipe, otherwise = {}) {
  return {
    recipe: name,
    epochs: recipe.epochs ?? otherwise.epochs ?? 1,
    batchSize: recipe.batch_size ?? otherwise.batchSize ?? 32,
    learningRate: recipe.optimizer?.learning_rate ?? otherwise.learningRate ?? 0.001,
    seed: recipe.seed ?? otherwise.seed ?? 1,
  };
}

/**
 * The recipe that is chosen: the newest version that a person made of it, else the ready one.
 * @param {Pick<import('./state.js').State, 'recipes' | 'versions' | 'settings'>} state
 * @returns {Recipe}
 */
export function chosenRecipe({ recipes, versions, settings }) {
  return versions[settings.recipe]?.at(-1) ?? recipes[settings.recipe];
}

/**
 * Whether the chosen recipe is another one than came.
 * @param {Pick<import('./state.js').State, 'recipes' | 'versions' | 'settings'>} state
 */
export function isChanged(state) {
  return chosenRecipe(state) !== state.recipes[state.settings.recipe];
}

/**
 * Whether something of the chosen recipe can be taken back.
 * @param {Pick<import('./state.js').State, 'versions' | 'settings' | 'draft'>} state
 */
export function canUndo({ versions, settings, draft }) {
  return draft.unreadable || (versions[settings.recipe] ?? []).length > 0;
}

/**
 * What Train would train: the chosen recipe for the data and the settings at hand.
 * @param {Pick<import('./state.js').State, 'recipes' | 'versions' | 'settings' | 'data'>} state
 * @returns {Recipe}
 */
export function recipeAtHand(state) {
  return fittedRecipe(chosenRecipe(state), state.settings, state.data);
}

/**
 * What recipes are made for, in a few words.
 * @param {string | undefined} dataset as a recipe's data has it
 */
export function titleOfData(dataset) {
  const known = DESCRIPTORS.find(({ name }) => name === dataset)?.title;
  return known ?? (dataset?.replaceAll('-', ' ') || 'any data');
}

/** Preprocessing behind which samples have a shape of its own: of pictures, and of none. */
const RESIZING = ['resize', 'pad'];
const FLATTENING = ['pca', 'flatten'];

/**
 * A recipe with the settings filled in. For other data than its own its input and its last layer take the data's
 * shape and number of classes, and it reads the data set by its own name. What is wrong with a recipe that was typed,
 * the engine says.
 * @param {Recipe} chosen
 * @param {Settings} settings
 * @param {{ name: string, shape: number[], classes: string[] }} data
 * @returns {Recipe}
 */
export function fittedRecipe(chosen, settings, data) {
  const { batchSize, epochs, seed } = settings;
  /** @type {Recipe} */
  const recipe = { ...chosen, batch_size: batchSize, epochs, seed };
  if (isObject(chosen.optimizer)) {
    recipe.optimizer = { ...chosen.optimizer, learning_rate: settings.learningRate };
  }
  const isAtHome = chosen.data?.dataset === data.name && data.name !== 'files'; // those are others each time
  if (isAtHome || !Array.isArray(chosen.model?.layers)) return recipe;
  const { train_size, shape, ...taking } = isObject(chosen.data) ? chosen.data : {}; // those were the other data's
  recipe.data = { ...taking, dataset: data.name };
  if (shape) recipe.data.shape = data.shape;
  recipe.model = { ...chosen.model, layers: [...chosen.model.layers] };
  const steps = listOf(chosen.preprocess);
  const has = (/** @type {string[]} */ types) => steps.some(({ type }) => types.includes(type));
  const channels = data.shape.at(-1);
  if (has(RESIZING)) recipe.model.input = [...listed(chosen.model.input).slice(0, 2), channels];
  else if (!has(FLATTENING)) recipe.model.input = data.shape;
  if (steps.length > 0) recipe.preprocess = steps.map((step) => forChannels(step, channels));
  const last = recipe.model.layers.at(-1);
  const repeatsInput = listOf(chosen.losses).some(({ target }) => target === 'input');
  if (last?.type === 'dense' && !repeatsInput) {
    recipe.model.layers.splice(-1, 1, { ...last, units: data.classes.length });
  }
  return recipe;
}

/**
 * Numbers of other channels are left out: then they are fitted.
 * @param {Record<string, any>} step
 * @param {number | undefined} channels
 */
function forChannels(step, channels) {
  const suits = (/** @type {unknown} */ numbers) => !Array.isArray(numbers) || numbers.length === channels;
  if (step.type !== 'standardize' || (suits(step.mean) && suits(step.std))) return step;
  const { mean, std, ...rest } = step;
  return rest;
}

/** @param {unknown} value @returns {any[]} */
function listed(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {Record<string, any>[]} the objects of a list, if it is one */
function listOf(value) {
  return listed(value).filter(isObject);
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
