// Pictures of a data set on a canvas: ink in the colour of the text on the colour of paper, so that a digit looks
// written in light and in dark; colour pictures as they are.

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values height x width x channels; 0..255, or floats 0..1
 * @param {number[]} shape
 */
export function paintPixels(canvas, values, [height, width, channels]) {
  const pixels =
    values instanceof Float32Array && isUnit(values) ? values.map((value) => 255 * value) : values;
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const image = context.createImageData(width, height);
  const ink = channels === 1 ? inkColour(canvas) : null;
  for (let i = 0; i < width * height; i++) {
    const rgba = i * 4;
    if (ink) {
      image.data.set(ink, rgba);
      image.data[rgba + 3] = pixels[i];
    } else {
      for (let c = 0; c < 3; c++) image.data[rgba + c] = pixels[i * channels + Math.min(c, channels - 1)];
      image.data[rgba + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** @param {Float32Array} values */
function isUnit(values) {
  return values.every((value) => value <= 1);
}

/**
 * Weights on a picture. Of one channel: what speaks for it in the accent's colour, what speaks against it in that of
 * danger, the stronger the more. Of colours: how far each is from grey.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} weights height x width x channels
 * @param {number[]} shape
 * @param {number} limit the largest weight there may be, without its sign
 */
export function paintWeights(canvas, weights, [height, width, channels], limit) {
  if (channels === 3) {
    const grey = Float32Array.from(weights, (weight) => 128 + (127 * weight) / limit);
    paintPixels(canvas, grey, [height, width, channels]);
    return;
  }
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const style = getComputedStyle(canvas);
  for (let place = 0; place < width * height; place++) {
    const weight = weights[place * channels];
    context.globalAlpha = Math.min(1, Math.abs(weight) / limit);
    context.fillStyle = style.getPropertyValue(weight > 0 ? '--accent' : '--danger');
    context.fillRect(place % width, Math.floor(place / width), 1, 1);
  }
}

/**
 * The colour of text at an element, as red, green and blue.
 * @param {Element} element
 * @returns {number[]}
 */
export function inkColour(element) {
  const numbers = getComputedStyle(element).color.match(/[\d.]+/g) ?? [];
  return [Number(numbers[0] ?? 0), Number(numbers[1] ?? 0), Number(numbers[2] ?? 0)];
}
