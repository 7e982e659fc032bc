// Samples as pictures to look at: all in one, so that the page draws thousands with one call.
import { newArray } from './core.js';

/** @typedef {import('./datasets.js').Dataset} Dataset */
/** @typedef {import('../shared/protocol.js').Thumbnails} Thumbnails */
/** @typedef {import('../shared/protocol.js').ReadingPreview} ReadingPreview */
/** Where to find a colour's channels in a pixel. @typedef {[red: number, green: number, blue: number]} Colors */

const PREVIEW_COUNT = 60;
const PREVIEW_COLUMNS = 10;
/** Of the larger side; what is smaller is grown by whoever shows it. */
const PREVIEW_SIZE = 56;

/**
 * @param {Dataset} dataset
 * @param {{ indices: number[], size: number, columns: number }} options  size: of a cell's side
 * @returns {Thumbnails}
 */
export function thumbnailsOf(dataset, { indices, size, columns }) {
  const [height, width, channels] = dataset.facts.shape;
  const { pixels } = dataset.samples(indices);
  const [min, max] = dataset.facts.type === 'u8' ? [0, 255] : dataset.sampleFacts().range;
  const sample = { height, width, channels, min, scale: max > min ? 255 / (max - min) : 0 };
  const atlasWidth = columns * size;
  const atlasHeight = Math.ceil(indices.length / columns) * size;
  const atlas = newArray(Uint8ClampedArray, atlasWidth * atlasHeight * 4);
  for (let i = 0; i < indices.length; i++) {
    const corner = Math.floor(i / columns) * size * atlasWidth + (i % columns) * size;
    const start = i * height * width * channels;
    draw(pixels.subarray(start, start + height * width * channels), sample, atlas, corner, atlasWidth, size);
  }
  return { pixels: atlas, width: atlasWidth, height: atlasHeight, columns };
}

/**
 * Fits a sample into its cell: pixels are repeated where it grows, averaged where it shrinks.
 * @param {Uint8Array | Float32Array} pixels
 * @param {{ height: number, width: number, channels: number, min: number, scale: number }} sample
 * @param {Uint8ClampedArray} atlas
 * @param {number} corner  pixels before the cell
 * @param {number} stride
 * @param {number} size
 */
function draw(pixels, { height, width, channels, min, scale }, atlas, corner, stride, size) {
  const zoom = size / Math.max(height, width);
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * zoom)));
  const [left, top] = [across, down].map((side) => Math.floor((size - side) / 2));
  const colors = /** @type {Colors} */ (channels >= 3 ? [0, 1, 2] : [0, 0, 0]);
  for (let y = 0; y < down; y++) {
    const [y0, y1] = span(y, down, height);
    for (let x = 0; x < across; x++) {
      const [x0, x1] = span(x, across, width);
      const to = 4 * (corner + (top + y) * stride + left + x);
      for (const [i, channel] of colors.entries()) {
        let sum = 0;
        for (let row = y0; row < y1; row++) {
          for (let column = x0; column < x1; column++)
            sum += pixels[(row * width + column) * channels + channel];
        }
        atlas[to + i] = (sum / ((y1 - y0) * (x1 - x0)) - min) * scale;
      }
      atlas[to + 3] = 255;
    }
  }
}

/** The source's rows or columns that one of the thumbnail's shows. @param {number} at @param {number} count @param {number} source */
function span(at, count, source) {
  const first = Math.floor((at * source) / count);
  return [first, Math.max(first + 1, Math.floor(((at + 1) * source) / count))];
}

/** What a person wants to see first of what was read. @param {{ train: Dataset, test: Dataset | null }} sets
 * @returns {ReadingPreview} */
export function previewOf({ train, test }) {
  const perClass = Math.ceil(PREVIEW_COUNT / train.facts.classes.length);
  const indices = drawByClass(train, perClass, 1).slice(0, PREVIEW_COUNT);
  const { labels } = train.samples(indices);
  const size = Math.min(PREVIEW_SIZE, Math.max(...train.facts.shape.slice(0, 2)));
  const thumbnails = thumbnailsOf(train, { indices, size, columns: PREVIEW_COLUMNS });
  return {
    stage: 'preview',
    train: train.facts,
    test: test ? test.facts : null,
    indices,
    labels,
    thumbnails,
  };
}

/**
 * So many samples of every class, in order of the classes; the same for the same seed.
 * @param {Dataset} dataset
 * @param {number} perClass
 * @param {number} seed
 */
export function drawByClass(dataset, perClass, seed) {
  /** @type {number[][]} */
  const byClass = dataset.facts.classes.map(() => []);
  for (const [index, label] of dataset.labels().entries()) byClass[label].push(index);
  const random = randomNumbers(seed);
  return byClass.flatMap((indices) => {
    const count = Math.min(perClass, indices.length);
    for (let i = 0; i < count; i++) {
      const other = i + Math.floor(random() * (indices.length - i));
      [indices[i], indices[other]] = [indices[other], indices[i]];
    }
    return indices.slice(0, count);
  });
}

/** Mulberry32 (T. Ettinger, public domain): which samples are looked at is no matter of statistics. @param {number} seed */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
