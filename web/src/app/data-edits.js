// What the Data panel changes in a recipe: how values are scaled, how many samples are used, what augments them. Each
// gives a new recipe and leaves the old one as it was.

/** @typedef {import('./recipes.js').Recipe} Recipe */
/** @typedef {Record<string, any>} Step */
/** @typedef {'raw' | 'unit' | 'channel' | 'pixel'} Scaling */

/** @type {Record<Scaling, string>} */
export const SCALINGS = {
  raw: 'as they are',
  unit: '0 to 1',
  channel: 'standardized',
  pixel: 'standardized, each pixel',
};

const SCALES = ['rescale', 'standardize'];

/** What augments a sample, as it begins; the recipe has the numbers. @type {Record<string, Step>} */
export const AUGMENTATIONS = {
  flip_horizontal: { probability: 0.5 },
  flip_vertical: { probability: 0.5 },
  shift: { x: 2, y: 2 },
  crop: { padding: 4 },
  rotate: { degrees: 10 },
  scale: { min: 0.9, max: 1.1 },
  elastic: { alpha: 30, sigma: 5 },
  cutout: { size: 8 },
  brightness: { min: 0.7, max: 1.3 },
  random_contrast: { min: 0.7, max: 1.3 },
};

/** @param {Recipe} recipe @returns {Scaling} */
export function scalingOf(recipe) {
  const steps = stepsOf(recipe.preprocess).filter(({ type }) => SCALES.includes(type));
  const standard = steps.find(({ type }) => type === 'standardize');
  if (standard) return standard.per === 'pixel' ? 'pixel' : 'channel';
  return steps.length > 0 ? 'unit' : 'raw';
}

/**
 * Another scaling in the place of the one there is; what else is done to the samples stays.
 * @param {Recipe} recipe
 * @param {Scaling} scaling
 * @param {[min: number, max: number]} range of the values
 * @returns {Recipe}
 */
export function withScaling(recipe, scaling, [min, max]) {
  const before = stepsOf(recipe.preprocess);
  const first = before.findIndex(({ type }) => SCALES.includes(type));
  const others = before.filter(({ type }) => !SCALES.includes(type));
  const isBytes = min >= 0 && max <= 255 && max > 20;
  const span = max > min ? max - min : 1;
  const unit = isBytes
    ? [{ type: 'rescale', divide: 255 }]
    : min === 0 && max === 1
      ? []
      : [{ type: 'rescale', divide: span, offset: -min / span }];
  /** @type {Record<Scaling, Step[]>} */
  const steps = {
    raw: [],
    unit,
    channel: [...unit, { type: 'standardize' }],
    pixel: [...unit, { type: 'standardize', per: 'pixel' }],
  };
  return { ...recipe, preprocess: others.toSpliced(Math.max(0, first), 0, ...steps[scaling]) };
}

/**
 * A recipe that does nothing but scale these samples: a run of it knows the mean and the deviation of its training part.
 * @param {Recipe} recipe
 * @param {number[]} shape
 * @param {number} classes
 * @returns {Recipe}
 */
export function measuringRecipe(recipe, shape, classes) {
  const preprocess = stepsOf(recipe.preprocess).filter(({ type }) => SCALES.includes(type));
  const layers = [{ type: 'flatten' }, { type: 'dense', units: classes }];
  return {
    ...{ tabgrad: 1, data: recipe.data, seed: recipe.seed, preprocess },
    ...{ model: { input: shape, layers }, loss: 'cross_entropy', optimizer: { type: 'sgd' } },
  };
}

/**
 * The numbers that were measured, written down.
 * @param {Recipe} recipe
 * @param {Recipe} measured as the engine filled it in
 * @returns {Recipe}
 */
export function withMeasured(recipe, measured) {
  const known = stepsOf(measured.preprocess).find(({ type }) => type === 'standardize');
  if (!known?.mean || !known.std) return recipe;
  const { mean, std } = known;
  const preprocess = stepsOf(recipe.preprocess).map((step) =>
    step.type === 'standardize' ? { ...step, mean, std } : step,
  );
  return { ...recipe, preprocess };
}

/** @param {Recipe} recipe @param {number} count 0: all @returns {Recipe} */
export function withSubset(recipe, count) {
  const { train_size, ...data } = recipe.data ?? {};
  return { ...recipe, data: count > 0 ? { ...data, train_size: count } : data };
}

/**
 * With one augmentation more, or without it.
 * @param {Recipe} recipe
 * @param {string} type
 * @returns {Recipe}
 */
export function toggleAugmentation(recipe, type) {
  const steps = stepsOf(recipe.augment);
  const kept = steps.filter((step) => step.type !== type);
  if (kept.length === steps.length) kept.push({ type, ...AUGMENTATIONS[type] });
  const { augment, ...rest } = recipe;
  return kept.length > 0 ? { ...rest, augment: kept } : rest;
}

/** @param {Recipe} recipe */
export function augmentationsOf(recipe) {
  return stepsOf(recipe.augment).map(({ type }) => String(type));
}

/** @param {unknown} value @returns {Step[]} */
function stepsOf(value) {
  return Array.isArray(value) ? value.filter((step) => typeof step === 'object' && step !== null) : [];
}
