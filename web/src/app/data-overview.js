// What the Data panel shows of data sets: figures from the worker, and one picture that holds the samples of all
// classes. However many samples there are, this stays small.

/** @typedef {import('tabgrad').Dataset} Dataset */
/** @typedef {import('./data-shelf.js').Sets} Sets */
/**
 * @typedef {object} Overview
 * @property {number[]} trainCounts samples of each class
 * @property {number[]} testCounts empty where there is no test part
 * @property {[number, number]} range of the values
 * @property {import('tabgrad').ImportReport | null} report null: nothing was read from files
 *
 * @typedef {Pick<import('./state.js').Loaded, 'classes' | 'shape' | 'train' | 'test' | 'range'> & { atlas: Atlas | null }}
 *   Preview of data that are being read
 *
 * @typedef {object} Atlas samples of the training part, class by class, in one picture
 * @property {Uint8ClampedArray} pixels red, green, blue, alpha
 * @property {number} width
 * @property {number} height
 * @property {number} columns cells in a row
 * @property {number} size of a cell
 * @property {number[]} counts samples of each class that is shown
 * @property {boolean} isInk light strokes on dark ground: may be drawn as ink on paper
 */

/** Samples shown in all, as long as there is one of every class. */
const SAMPLES = 60;

/** A class more than this many is not shown by pictures. */
export const MAX_CLASSES = 100;

/** Pixels; larger pictures are made smaller before they leave the worker. */
const CELL = 80;

/** Mean grey, 0..1, up to which a picture is taken for light strokes on dark ground. */
const DARK = 0.4;

/**
 * @param {Sets} sets
 * @param {Overview['report']} report
 * @returns {Promise<Overview>}
 */
export async function overviewOf({ train, test }, report) {
  const [facts, testFacts] = await Promise.all([train.facts(), test?.facts()]);
  const testCounts = testFacts?.classCounts ?? [];
  return { trainCounts: facts.classCounts, testCounts, range: facts.range, report };
}

/**
 * @param {Dataset} train
 * @param {number[]} classCounts
 * @returns {Promise<Atlas | null>} null: rows of numbers are no pictures
 */
export async function atlasOf(train, classCounts) {
  const [height, width, channels] = train.shape;
  if (height === 1 || width === 1) return null;
  const most = Math.max(2, Math.floor(SAMPLES / classCounts.length));
  const counts = classCounts.slice(0, MAX_CLASSES).map((count) => Math.min(most, count));
  const shown = counts.reduce((sum, count) => sum + count, 0);
  const indices = (await train.samplesByClass(most, 1)).slice(0, shown);
  const atlas = await train.thumbnails(indices, { size: Math.min(CELL, Math.max(height, width)) });
  const size = atlas.width / atlas.columns;
  return { ...atlas, size, counts, isInk: channels === 1 && meanGrey(atlas.pixels) < DARK };
}

/**
 * What can be shown while the rest is still being read.
 * @param {import('tabgrad').ReadingPreview} preview
 * @returns {Preview}
 */
export function previewOf({ train, test, labels, thumbnails }) {
  const [height, width, channels] = train.shape;
  const counts = Array.from({ length: Math.min(MAX_CLASSES, train.classes.length) }, () => 0);
  for (const label of labels) if (label < counts.length) counts[label]++;
  const size = thumbnails.width / thumbnails.columns;
  const isInk = channels === 1 && meanGrey(thumbnails.pixels) < DARK;
  const atlas = height === 1 || width === 1 ? null : { ...thumbnails, size, counts, isInk };
  const { classes, shape, count } = train;
  return { classes, shape, train: count, test: test?.count ?? 0, range: null, atlas };
}

/** Of the red in what is not transparent: cells without a sample, and beside one, are all 0. @param {Uint8ClampedArray} pixels */
function meanGrey(pixels) {
  let sum = 0;
  let weight = 0;
  for (const pixel of new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4)) {
    sum += pixel & 0xff;
    weight += pixel >>> 24;
  }
  return weight === 0 ? 0 : sum / weight;
}
