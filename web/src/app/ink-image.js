// From ink on a pad to the picture the network reads, made the way MNIST's pictures were made: the ink's bounding box
// is scaled to fit a 20x20 box, its aspect kept, every pixel the average of the area it covers; the result is placed
// in 28x28 so that its centre of mass lies at the centre.
// http://yann.lecun.com/exdb/mnist describes it in two sentences; other picture sizes keep the same proportion.

/** Share of the picture's side that the ink may fill. */
const BOX_SHARE = 20 / 28;

/**
 * @param {Uint8Array | Uint8ClampedArray} ink width x height values, row by row, 0 is blank paper
 * @param {number} width
 * @param {number} height
 * @param {number} [rows] of the picture
 * @param {number} [columns] of the picture
 * @returns {Uint8Array | null} rows x columns values, or null when there is no ink
 */
export function inkToImage(ink, width, height, rows = 28, columns = 28) {
  const bounds = inkBounds(ink, width, height);
  if (!bounds) return null;
  const scale = Math.min(
    Math.round(columns * BOX_SHARE) / bounds.width,
    Math.round(rows * BOX_SHARE) / bounds.height,
  );
  const boxWidth = Math.max(1, Math.round(bounds.width * scale));
  const boxHeight = Math.max(1, Math.round(bounds.height * scale));
  const box = averageAreas(ink, width, bounds, boxWidth, boxHeight);
  return placeByMass(box, boxWidth, boxHeight, rows, columns);
}

/** Values of a data set above this are taken for those of bytes. */
const LARGEST_UNIT = 10;

/**
 * Ink with the values that a network has learned from: many data sets have 0..1 or -1..1 in the place of bytes.
 * @param {Uint8Array | Float32Array} ink  floats are a row, with such values already
 * @param {[min: number, max: number] | null} [range] of those values
 * @returns {Uint8Array | Float32Array}
 */
export function asLearned(ink, range) {
  if (ink instanceof Float32Array || !range || range[1] > LARGEST_UNIT) return ink;
  const [min, max] = range;
  return Float32Array.from(ink, (value) => min + ((max - min) * value) / 255);
}

/**
 * @typedef {{ left: number, top: number, width: number, height: number }} Bounds
 * @param {Uint8Array | Uint8ClampedArray} ink
 * @param {number} width
 * @param {number} height
 * @returns {Bounds | null}
 */
export function inkBounds(ink, width, height) {
  let left = width;
  let right = -1;
  let top = height;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * Resamples the ink inside `bounds` to columns x rows: along each axis, an output pixel averages exactly the stretch
 * of input that it covers, with the pixels at both ends counted in part.
 * @param {Uint8Array | Uint8ClampedArray} ink
 * @param {number} stride
 * @param {Bounds} bounds
 * @param {number} columns
 * @param {number} rows
 */
function averageAreas(ink, stride, bounds, columns, rows) {
  const across = new Float64Array(bounds.height * columns);
  const horizontal = coverage(bounds.width, columns);
  for (let y = 0; y < bounds.height; y++) {
    const start = (bounds.top + y) * stride + bounds.left;
    for (const { from, to, weight } of horizontal) across[y * columns + to] += weight * ink[start + from];
  }
  const box = new Float64Array(rows * columns);
  for (const { from, to, weight } of coverage(bounds.height, rows)) {
    for (let x = 0; x < columns; x++) box[to * columns + x] += weight * across[from * columns + x];
  }
  return box;
}

/**
 * Which of `inputs` equal stretches each of `outputs` equal stretches covers, and by which share of the output.
 * @param {number} inputs
 * @param {number} outputs
 */
function coverage(inputs, outputs) {
  const parts = [];
  const length = inputs / outputs;
  for (let to = 0; to < outputs; to++) {
    const start = to * length;
    const end = Math.min(inputs, start + length);
    for (let from = Math.floor(start); from < end; from++) {
      const overlap = Math.min(end, from + 1) - Math.max(start, from);
      if (overlap > 0) parts.push({ from, to, weight: overlap / length });
    }
  }
  return parts;
}

/**
 * @param {Float64Array} box
 * @param {number} boxWidth
 * @param {number} boxHeight
 * @param {number} rows
 * @param {number} columns
 */
function placeByMass(box, boxWidth, boxHeight, rows, columns) {
  let mass = 0;
  let momentX = 0;
  let momentY = 0;
  for (let y = 0; y < boxHeight; y++) {
    for (let x = 0; x < boxWidth; x++) {
      const value = box[y * boxWidth + x];
      mass += value;
      momentX += value * (x + 0.5);
      momentY += value * (y + 0.5);
    }
  }
  // Lopsided ink may ask for a place beyond the picture's edge: it stays inside, whole.
  const left = clamp(Math.round(columns / 2 - momentX / mass), 0, columns - boxWidth);
  const top = clamp(Math.round(rows / 2 - momentY / mass), 0, rows - boxHeight);
  const image = new Uint8Array(rows * columns);
  for (let y = 0; y < boxHeight; y++) {
    for (let x = 0; x < boxWidth; x++) {
      image[(top + y) * columns + left + x] = Math.round(box[y * boxWidth + x]);
    }
  }
  return image;
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
