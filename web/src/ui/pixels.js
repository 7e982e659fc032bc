// Pictures of a data set on a canvas: ink in the colour of the text on the colour of paper, so that a digit looks
// written in light and in dark; colour pictures as they are.

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} pixels height x width x channels, 0..255
 * @param {number[]} shape
 */
export function paintPixels(canvas, pixels, [height, width, channels]) {
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

/**
 * The colour of text at an element, as red, green and blue.
 * @param {Element} element
 * @returns {number[]}
 */
export function inkColour(element) {
  const numbers = getComputedStyle(element).color.match(/[\d.]+/g) ?? [];
  return [Number(numbers[0] ?? 0), Number(numbers[1] ?? 0), Number(numbers[2] ?? 0)];
}
