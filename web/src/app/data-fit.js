// A recipe meets data that it was not written for: what has to be other about it, and saying so.

/** @typedef {import('./recipes.js').Recipe} Recipe */
/** @typedef {Record<string, any>} Step */
/**
 * @typedef {object} Fit
 * @property {Recipe} recipe
 * @property {string[]} changes a few words each; none: it fits as it is written
 */
/**
 * @typedef {object} Fitting what a recipe is fitted to
 * @property {string} name as in a recipe's data.dataset
 * @property {number[]} shape height, width, channels; a row of numbers is 1 x 1 x n
 * @property {string[]} classes
 * @property {[min: number, max: number] | null} [range] of the values; null: bytes of pictures, not looked at
 */

/** Layers that leave the number of values as it is, behind the layer that makes the outputs. */
const SHAPELESS = ['relu', 'leaky_relu', 'sigmoid', 'tanh', 'softmax', 'dropout', 'batch_norm'];

/** Preprocessing that makes pictures of one size of any. */
const SIZING = ['resize', 'pad', 'center_crop'];

/** Values that a division leaves below this are as good as none. */
const FAINT = 1 / 20;

/**
 * The recipe with what the data ask for: their name, shape, values and classes. One that names these data is somebody's
 * who knows them, and what is wrong with it the engine says.
 * @param {Recipe} recipe
 * @param {Fitting} data
 * @returns {Fit}
 */
export function fitToData(recipe, data) {
  const isOwn = recipe.data?.dataset === data.name;
  if (isOwn || !Array.isArray(recipe.model?.layers)) return { recipe, changes: [] };
  /** @type {string[]} */
  const changes = [];
  /** @type {Recipe} */
  const fitted = { ...recipe, data: dataOf(recipe.data, data, changes) };
  const steps = listOf(recipe.preprocess);
  if (steps.length > 0) fitted.preprocess = valuesOf(uncropped(steps, changes), data, changes);
  if (isFlat(data.shape)) leaveOutPictures(fitted, changes);
  const input = inputOf(recipe, listOf(fitted.preprocess), data.shape);
  const written = listed(recipe.model.input);
  if (`${input}` !== `${written}`) changes.push(`the input is ${sides(input)}, not ${sides(written)}`);
  const layers = roomFor(listOf(recipe.model.layers), input, changes);
  fitted.model = { ...recipe.model, input, layers: outputsFor(layers, recipe, input, data, changes) };
  return { recipe: fitted, changes: [...new Set(changes)] };
}

/**
 * @param {Recipe | undefined} written what the recipe says about its own data
 * @param {Fitting} data
 * @param {string[]} changes
 */
function dataOf(written, data, changes) {
  const { train_size: size, shape, ...taking } = isObject(written) ? written : /** @type {Recipe} */ ({});
  if (size) changes.push(`it learns from all samples, not from ${size}`);
  return { ...taking, dataset: data.name, ...(shape ? { shape: data.shape } : {}) };
}

/**
 * Other pictures need not have the margins that a crop of pictures as they come takes away.
 * @param {Step[]} steps
 * @param {string[]} changes
 */
function uncropped(steps, changes) {
  const sized = steps.findIndex(({ type }) => type === 'resize' || type === 'pad');
  const isKept = (/** @type {Step} */ { type }, /** @type {number} */ i) =>
    type !== 'center_crop' || (sized >= 0 && sized < i);
  const kept = steps.filter(isKept);
  if (kept.length < steps.length) changes.push('pictures keep their margins');
  return kept;
}

/**
 * Mean and deviation of other data are not those of these: left out, they are fitted to the training part. Values that
 * are small already are not divided.
 * @param {Step[]} steps
 * @param {Fitting} data
 * @param {string[]} changes
 */
function valuesOf(steps, { range }, changes) {
  const largest = range ? Math.max(Math.abs(range[0]), Math.abs(range[1])) : 255;
  const isFaint = (/** @type {Step} */ { type, divide = 255 }) =>
    type === 'rescale' && largest / divide < FAINT;
  const kept = steps.filter((step) => !isFaint(step));
  for (const { divide = 255 } of steps.filter((step) => !kept.includes(step))) {
    changes.push(
      `values go up to ${Number(largest.toPrecision(3))} only, so they are not divided by ${divide}`,
    );
  }
  return kept.map((step) => {
    if (step.type !== 'standardize' || !('mean' in step || 'std' in step)) return step;
    changes.push('mean and deviation are those of your training part');
    const { mean, std, ...rest } = step;
    return rest;
  });
}

/**
 * Most augmentations are for pictures, as is every change of size.
 * @param {Recipe} fitted
 * @param {string[]} changes
 */
function leaveOutPictures(fitted, changes) {
  const isForAll = (/** @type {Step} */ { type }) => type === 'brightness';
  const steps = listOf(fitted.augment);
  if (!steps.every(isForAll)) {
    fitted.augment = steps.filter(isForAll);
    changes.push('augmentation of pictures is left out: these are rows of numbers');
  }
  const isSizing = (/** @type {Step} */ { type }) => SIZING.includes(type);
  if (listOf(fitted.preprocess).some(isSizing)) {
    fitted.preprocess = fitted.preprocess.filter((/** @type {Step} */ step) => !isSizing(step));
    changes.push('resizing is left out: these are rows of numbers');
  }
}

/** @param {number[]} shape of a row of numbers, which is no picture */
function isFlat(shape) {
  return shape.length === 1 || (shape[0] === 1 && shape[1] === 1);
}

/** @param {Recipe} recipe @param {Step[]} steps @param {number[]} shape */
function inputOf(recipe, steps, shape) {
  const has = (/** @type {string[]} */ ...types) => steps.some(({ type }) => types.includes(type));
  const written = listed(recipe.model.input);
  if (has('pca')) return written;
  if (has('flatten')) return [sizeOf(shape)];
  const [height, width, channels] = has(...SIZING) ? [...written.slice(0, 2), shape[2]] : shape;
  if (written.length === 1 && isFlat(shape)) return [channels];
  if (written.length === 2 && channels === 1) return [height, width];
  return [height, width, channels];
}

/**
 * Windows that are larger than what comes to them: a convolution pads it, a pool is left out.
 * @param {Step[]} layers
 * @param {number[]} input
 * @param {string[]} changes
 */
function roomFor(layers, input, changes) {
  if (isFlat(input) && layers.some(({ type }) => /2d$/.test(type))) return withoutWindows(layers, changes);
  const first = layers[0]?.type;
  const fitted = first === 'dense' && !isFlat(input) ? [{ type: 'flatten' }, ...layers] : [...layers];
  if (fitted.length > layers.length) changes.push('a flatten layer stands in front of the first dense layer');
  if (fitted.some((layer) => 'inputs' in layer)) return fitted; // no row of layers: the engine says what does not fit
  let size = input.slice(0, 2);
  return fitted.flatMap((layer) => {
    if (!/^(conv|max_pool|avg_pool)2d$/.test(layer.type)) return layer;
    const next = sizeBehind(layer, size);
    if (next.every((side) => side > 0)) {
      size = next;
      return layer;
    }
    if (layer.type !== 'conv2d') {
      changes.push(`a ${layer.type} is left out: ${size.join(' × ')} is too small for it`);
      return [];
    }
    changes.push(`a conv2d pads its input: ${size.join(' × ')} is too small for it`);
    const padded = { ...layer, padding: 'same' };
    size = sizeBehind(padded, size);
    return padded;
  });
}

/**
 * Rows of numbers have no neighbours for a window to look at: what stands before the first dense layer is left out.
 * @param {Step[]} layers
 * @param {string[]} changes
 */
function withoutWindows(layers, changes) {
  const first = layers.findIndex(({ type }) => type === 'flatten' || type === 'dense');
  if (first < 0 || layers.some((layer) => 'inputs' in layer)) return layers;
  changes.push('convolutions and pools are left out: these are rows of numbers');
  return layers.slice(first);
}

/** Height and width that a window leaves. @param {Step} layer @param {number[]} size */
function sizeBehind({ type, kernel, size: window, stride, dilation = 1, padding = 'valid' }, size) {
  const widths = pair(type === 'conv2d' ? kernel : window);
  const strides = pair(stride ?? (type === 'conv2d' ? 1 : widths));
  return size.map((side, axis) => {
    if (padding === 'same') return Math.ceil(side / strides[axis]);
    const reach = pair(dilation)[axis] * (widths[axis] - 1) + 1;
    return Math.floor((side + paddingOf(padding, axis) - reach) / strides[axis]) + 1;
  });
}

/** Both ends together. @param {unknown} padding @param {number} axis */
function paddingOf(padding, axis) {
  if (!Array.isArray(padding)) return typeof padding === 'number' ? 2 * padding : 0;
  return padding.length === 4 ? padding[axis] + padding[axis + 2] : 2 * padding[axis];
}

/**
 * One output for each class; where the input is repeated, one for each of its values.
 * @param {Step[]} layers
 * @param {Recipe} recipe
 * @param {number[]} input
 * @param {Fitting} data
 * @param {string[]} changes
 */
function outputsFor(layers, recipe, input, { classes }, changes) {
  const at = layers.findLastIndex(({ type }) => !SHAPELESS.includes(type));
  const last = layers[at];
  if (last?.type !== 'dense') return layers;
  const repeats = listOf(recipe.losses).some(({ target }) => target === 'input');
  const units = repeats ? sizeOf(input) : classes.length;
  if (units === last.units) return layers;
  const what = repeats ? 'one for each value of the input' : 'one for each class';
  changes.push(`the last layer has ${units} units, ${what}, not ${last.units}`);
  return layers.with(at, { ...last, units });
}

/** @param {number[]} shape */
function sizeOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

/** @param {number[]} shape */
function sides(shape) {
  return isFlat(shape) ? `${shape.at(-1)} numbers` : shape.join(' × ');
}

/** @param {any} value one number for both, or two @returns {number[]} */
function pair(value) {
  return Array.isArray(value) ? value : [value, value];
}

/** @param {unknown} value @returns {any[]} */
function listed(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {Step[]} the objects of a list, if it is one */
function listOf(value) {
  return listed(value).filter(isObject);
}
