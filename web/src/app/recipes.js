// The ready recipes, and how the page fits one to the data and the settings at hand.
import { fitToData } from './data-fit.js';
import { DESCRIPTORS } from './data-source.js';

/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {Record<string, any>} Recipe */

/** The first ones, simplest first; those of the reports are in a module that is loaded later. */
export const RECIPES = named(import.meta.glob('../../../recipes/*.json', { eager: true, import: 'default' }));

/**
 * @param {Record<string, unknown>} files path -> recipe
 * @returns {Record<string, Recipe>} file name without .json -> recipe, in their order
 */
export function named(files) {
  const recipes = Object.entries(/** @type {Record<string, Recipe>} */ (files));
  recipes.sort(([, a], [, b]) => a['x-order'] - b['x-order']);
  return Object.fromEntries(recipes.map(([path, recipe]) => [fileName(path), recipe]));
}

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
 * What Train would train: the chosen recipe with the settings at hand, fitted to the data at hand unless a person
 * wants it as it is written.
 * @param {Pick<import('./state.js').State, 'recipes' | 'versions' | 'settings' | 'data' | 'asWritten'>} state
 * @returns {import('./data-fit.js').Fit}
 */
export function fitAtHand(state) {
  const recipe = withSettings(chosenRecipe(state), state.settings);
  return state.asWritten ? { recipe, changes: [] } : fitToData(recipe, state.data);
}

/** @param {Parameters<typeof fitAtHand>[0]} state */
export function recipeAtHand(state) {
  return fitAtHand(state).recipe;
}

/**
 * @param {Recipe} recipe
 * @param {Settings} settings
 * @returns {Recipe}
 */
export function withSettings(recipe, { batchSize, epochs, seed, learningRate }) {
  const { optimizer } = recipe;
  const isObject = typeof optimizer === 'object' && optimizer !== null && !Array.isArray(optimizer);
  const taken = { ...recipe, batch_size: batchSize, epochs, seed };
  return isObject ? { ...taken, optimizer: { ...optimizer, learning_rate: learningRate } } : taken;
}

/**
 * What recipes are made for, in a few words.
 * @param {string | undefined} dataset as a recipe's data has it
 */
export function titleOfData(dataset) {
  const known = DESCRIPTORS.find(({ name }) => name === dataset)?.title;
  return known ?? (dataset?.replaceAll('-', ' ') || 'any data');
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
 * What an empty field leaves behind is no number; what numbers are allowed, the engine knows, but it is not asked before
 * a run goes on for some more epochs.
 * @param {Settings} settings
 */
export function checkNumbers(settings) {
  for (const [key, name] of Object.entries(NUMBERS)) {
    if (!Number.isFinite(settings[/** @type {keyof typeof NUMBERS} */ (key)])) {
      throw new Error(`${name}: type a number`);
    }
  }
  if (!(settings.epochs >= 1)) throw new Error(`epochs must be at least 1, not ${settings.epochs}`);
}
