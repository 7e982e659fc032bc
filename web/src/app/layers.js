// Layers of a recipe, and how a person changes them. A change gives a new recipe and leaves the old one as it was.
// What attributes a layer has and what they default to, the engine says: it fills them in.

/** @typedef {import('./recipes.js').Recipe} Recipe */
/** @typedef {Record<string, any>} Layer */
/** @typedef {import('tabgrad').Summary} Summary */

/**
 * Every type of layer, with what a new one begins with: the attributes that the engine has no default for.
 * @type {Record<string, (place: Place) => Layer>}
 * @typedef {object} Place where a layer is added
 * @property {number[]} shape what the layer before gives, as N, C, H, W without N
 * @property {string[]} inputs names of the layer before and of the nearest one before that with the same shape
 */
const BEGINNINGS = {
  dense: () => ({ units: 32 }),
  conv2d: () => ({ filters: 8, kernel: 3, padding: 'same' }),
  relu: () => ({}),
  leaky_relu: () => ({}),
  sigmoid: () => ({}),
  tanh: () => ({}),
  softmax: () => ({}),
  max_pool2d: () => ({ size: 2 }),
  avg_pool2d: () => ({ size: 2 }),
  global_avg_pool2d: () => ({}),
  batch_norm: () => ({}),
  dropout: () => ({}),
  flatten: () => ({}),
  reshape: ({ shape }) => ({ shape }),
  add: ({ inputs }) => ({ inputs }),
  concat: ({ inputs }) => ({ inputs }),
};

export const LAYER_TYPES = Object.keys(BEGINNINGS);

/**
 * @param {Recipe} recipe
 * @param {number} at index of the new layer
 * @param {string} type
 * @param {Summary | null} summary of the recipe
 * @returns {Recipe}
 */
export function addLayer(recipe, at, type, summary) {
  const layers = [...recipe.model.layers];
  layers.splice(at, 0, { type, ...BEGINNINGS[type](placeAt(recipe, at, summary)) });
  return withLayers(recipe, layers);
}

/**
 * @param {Recipe} recipe
 * @param {number} at
 * @param {Summary | null} summary
 * @returns {Place}
 */
function placeAt(recipe, at, summary) {
  const [height, width, channels] = recipe.model.input ?? [];
  const input = channels ? [channels, height, width] : [height ?? 1];
  const before = [{ name: 'input', shape: input }, ...(summary?.layers.slice(0, at) ?? [])].reverse();
  const { name, shape } = before[0];
  const like = before.slice(1).find((layer) => `${layer.shape}` === `${shape}`);
  return { shape, inputs: [name, (like ?? before[0]).name] };
}

/**
 * @param {Recipe} recipe
 * @param {number} index
 * @returns {Recipe}
 */
export function removeLayer(recipe, index) {
  return withLayers(recipe, recipe.model.layers.toSpliced(index, 1));
}

/**
 * @param {Recipe} recipe
 * @param {number} from
 * @param {number} to
 * @returns {Recipe}
 */
export function moveLayer(recipe, from, to) {
  const layers = [...recipe.model.layers];
  layers.splice(to, 0, ...layers.splice(from, 1));
  return withLayers(recipe, layers);
}

/**
 * @param {Recipe} recipe
 * @param {number} index
 * @param {string} key
 * @param {unknown} value
 * @returns {Recipe}
 */
export function setAttribute(recipe, index, key, value) {
  return withLayers(recipe, recipe.model.layers.with(index, { ...recipe.model.layers[index], [key]: value }));
}

/** @param {Recipe} recipe @param {Layer[]} layers @returns {Recipe} */
function withLayers(recipe, layers) {
  return { ...recipe, model: { ...recipe.model, layers } };
}

/**
 * The attributes of a layer that a person may change, defaults included where the engine filled them in.
 * @param {Layer} layer as the recipe has it
 * @param {Layer} [filled] as the engine has it
 * @returns {[key: string, value: any][]}
 */
export function attributesOfLayer(layer, filled = {}) {
  const known = filled.type === layer.type ? filled : {};
  const { type, name, inputs, ...rest } = { ...known, ...layer };
  return Object.entries('inputs' in layer ? { inputs, ...rest } : rest);
}

/**
 * What was typed for an attribute: a number, a list, true or false as JSON has them, else a word.
 * @param {string} text
 */
export function attributeValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/**
 * A recipe as the engine filled it in, without the names and inputs that its layers have by their places: those would
 * go wrong as soon as a layer is moved.
 * @param {Recipe} filled
 * @returns {Recipe}
 */
export function withoutPlaces(filled) {
  /** @type {Record<string, number>} */
  const counts = {};
  let before = 'input';
  const layers = filled.model.layers.map((/** @type {Layer} */ { name, inputs, ...rest }) => {
    counts[rest.type] = (counts[rest.type] ?? 0) + 1;
    const layer = { ...rest };
    if (`${inputs}` !== before) layer.inputs = inputs;
    if (name !== `${rest.type}${counts[rest.type]}`) layer.name = name;
    before = name;
    return layer;
  });
  return withLayers(filled, layers);
}

/**
 * The layer that an error is about.
 * @param {unknown} where as an error of the engine names it
 * @returns {number | null}
 */
export function layerNamed(where) {
  const match = /^model\.layers\[(\d+)\]/.exec(String(where));
  return match ? Number(match[1]) : null;
}

/**
 * Multiplications that one sample takes on its way through the network: a dense layer's weights are used once, those
 * of a convolution at every place of its output.
 * @param {Recipe} filled
 * @param {Summary} summary
 */
export function multiplications(filled, { layers }) {
  return layers.reduce((sum, { type, shape, parameters }, i) => {
    if (type !== 'dense' && type !== 'conv2d') return sum;
    const biases = filled.model.layers[i].bias ? shape[0] : 0;
    const places = shape.slice(1).reduce((product, side) => product * side, 1);
    return sum + (parameters - biases) * places;
  }, 0);
}

/**
 * @typedef {{ samplesPerSecond: number, multiplications: number }} Pace of a training
 */

/**
 * Roughly how long an epoch takes, at the pace of a training that was measured on this computer.
 * @param {{ filled: Recipe, summary: Summary, count: number, pace: Pace | null }} known count: of training samples
 * @returns {number | null} seconds; null: nothing was measured yet
 */
export function epochSeconds({ filled, summary, count, pace }) {
  const { train_size, validation } = filled.data;
  const taken = train_size > 0 ? Math.min(train_size, count) : count;
  const learned = validation < 1 ? taken * (1 - validation) : taken - validation;
  const perSample = multiplications(filled, summary);
  if (!pace || learned <= 0 || perSample === 0 || pace.multiplications === 0) return null;
  return (learned * perSample) / (pace.samplesPerSecond * pace.multiplications);
}
