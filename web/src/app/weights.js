// What the weights of a network look like: the range of every tensor, and those of the first layer as pictures, since
// they have a place on the picture each.

/** @typedef {import('tabgrad').Run} Run */
/**
 * @typedef {object} Weights
 * @property {{ name: string, shape: number[], min: number, max: number, mean: number, zeros: number, count: number }[]} tensors
 * @property {WeightPictures | null} pictures null: the network's input is no picture
 * @property {{ name: string, units: number, dead: number }[]} dead units that answered nothing, of each ReLU; empty: not asked
 *
 * @typedef {object} WeightPictures
 * @property {string} layer
 * @property {number[]} shape height, width, channels
 * @property {Float32Array[]} pictures of the first units
 * @property {number} units in all
 * @property {number} limit the largest of all those weights, without its sign
 */

/** More pictures say no more. */
const MOST_PICTURES = 64;

/**
 * @param {Run} run
 * @param {import('tabgrad').Dataset} [data] to ask which units never answer
 * @returns {Promise<Weights>}
 */
export async function lookAtWeights(run, data) {
  const parameters = await run.parameters();
  const tensors = Object.entries(parameters).map(([name, { shape, min, max, mean, zeros, data }]) => {
    return { name, shape, min, max, mean, zeros, count: data.length };
  });
  const dead = data ? await run.deadUnits(data) : [];
  return { tensors, pictures: pictureWeights(run.recipe, parameters), dead };
}

/**
 * @param {import('./recipes.js').Recipe} recipe with every default
 * @param {Awaited<ReturnType<Run['parameters']>>} parameters
 * @returns {WeightPictures | null}
 */
export function pictureWeights({ model }, parameters) {
  const first = model.layers?.find((/** @type {{ type: string }} */ { type }) => type !== 'flatten');
  const weight = parameters[`${first?.name}.weight`];
  const isPicture = model.input?.length === 3;
  if (!isPicture || !weight || (first.type !== 'conv2d' && first.type !== 'dense')) return null;
  const [height, width, channels] =
    first.type === 'conv2d' ? [weight.shape[2], weight.shape[3], weight.shape[1]] : model.input;
  const units = weight.shape[0];
  const size = weight.data.length / units;
  const pictures = Array.from({ length: Math.min(units, MOST_PICTURES) }, (_, unit) =>
    channelsLast(weight.data.subarray(unit * size, (unit + 1) * size), height * width, channels),
  );
  const limit = Math.max(Math.abs(weight.min), Math.abs(weight.max));
  return { layer: first.name, shape: [height, width, channels], pictures, units, limit };
}

/**
 * From channel by channel, as weights lie, to pixel by pixel.
 * @param {ArrayLike<number>} values
 * @param {number} places
 * @param {number} channels
 */
function channelsLast(values, places, channels) {
  const picture = new Float32Array(values.length);
  for (let place = 0; place < places; place++) {
    for (let c = 0; c < channels; c++) picture[place * channels + c] = values[c * places + place];
  }
  return picture;
}
