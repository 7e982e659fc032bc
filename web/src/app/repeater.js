// A network that repeats its input, an autoencoder, answers with a picture.

/** @typedef {{ shape: number[], scale: number, offset: number }} Repeater of its answers: what turns them into pixels */

/**
 * @param {import('./recipes.js').Recipe} filled with every default
 * @returns {Repeater | null} null: the network does something else
 */
export function repeaterOf({ losses, model, preprocess }) {
  if (losses?.[0]?.target !== 'input' || model.input?.length !== 3) return null;
  const rescale = preprocess?.find((/** @type {{ type: string }} */ { type }) => type === 'rescale');
  return { shape: model.input, scale: rescale?.divide ?? 255, offset: rescale?.offset ?? 0 };
}

/**
 * @param {Repeater} repeater
 * @param {ArrayLike<number>} values channel by channel
 * @returns {Uint8ClampedArray} pixel by pixel, 0..255
 */
export function pixelsOf({ shape: [height, width, channels], scale, offset }, values) {
  const places = height * width;
  return Uint8ClampedArray.from({ length: values.length }, (_, i) => {
    const [place, channel] = [Math.floor(i / channels), i % channels];
    return (values[channel * places + place] - offset) * scale;
  });
}
