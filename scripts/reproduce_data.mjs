// The sets that only the reports' recipes need: made here, or taken from where somebody has put them.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { prepareDataset } from './datasets.mjs';
import { Failure } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const LETTERS = '../shared/data/letters';
const SEED = 1;

/** Files of each part of a set, as they lie in build/data/<name>/. */
const FILES = { train: 'train-images,train-labels', test: 'test-images,test-labels' };

/** @type {Record<string, (folder: string) => Promise<void>>} how to make a set */
const MAKERS = {
  'toy-blobs': writeBlobs,
  'letters-taskar': (folder) => writeLetters(folder, ['fold0-626words', 'rest-6251words'], 'taskar'),
  'letters-notmnist': (folder) => writeLetters(folder, ['t10k'], 'notmnist'),
};

/** @type {Record<string, string>} where a set comes from that can be neither made nor fetched */
const BY_HAND = {
  features: 'scripts/make_features.py makes it',
  'features-doubled': 'scripts/make_features.py makes it',
};

/**
 * Makes sure that a set is there, and says which arguments give it to the program.
 * @param {string} name
 * @returns {Promise<string[]>}
 */
export async function dataArguments(name) {
  if (!MAKERS[name] && !BY_HAND[name]) {
    await prepareDataset(name);
    return []; // the program knows it by its name
  }
  const folder = join('build/data', name);
  const there = () => existsSync(join(PROJECT, folder, 'train-images'));
  if (MAKERS[name] && !there()) {
    await mkdir(join(PROJECT, folder), { recursive: true });
    await MAKERS[name](join(PROJECT, folder));
  }
  if (!there()) throw new Failure(`${folder}/ is not there: ${BY_HAND[name]}`);
  const parts = Object.entries(FILES).filter(([part]) => existsSync(join(PROJECT, folder, `${part}-images`)));
  return parts.flatMap(([part, files]) => [
    `--${part}`,
    files
      .split(',')
      .map((file) => join(folder, file))
      .join(','),
  ]);
}

/** Four clouds of ten points: mean and variance in both directions. */
const BLOBS = [
  { mean: [3.6, 40], variance: [0.05, 10] },
  { mean: [3.9, 10], variance: [0.01, 5] },
  { mean: [3.4, 30], variance: [0.25, 5] },
  { mean: [2.0, 10], variance: [0.5, 10] },
];

/** @param {string} folder */
async function writeBlobs(folder) {
  const normal = normals(randoms(SEED));
  const points = BLOBS.flatMap(({ mean, variance }) =>
    Array.from({ length: 10 }, () => mean.map((m, axis) => m + Math.sqrt(variance[axis]) * normal())).flat(),
  );
  const labels = BLOBS.flatMap((_, label) => Array(10).fill(label));
  await writePart(folder, 'train', idxFloats([40, 2], points), idxBytes([40], Uint8Array.from(labels)));
}

/**
 * Nine tenths to train on, of which a recipe takes another tenth of the whole for validation; one tenth to test on.
 * @param {string} folder
 * @param {string[]} parts  of the set, as it lies beside the project
 * @param {string} source
 */
async function writeLetters(folder, parts, source) {
  const from = join(PROJECT, LETTERS, source);
  if (!existsSync(from)) throw new Failure(`${LETTERS}/${source} is not there`);
  const read = (/** @type {string} */ name) => readFile(join(from, name)).then((bytes) => gunzipSync(bytes));
  const images = await Promise.all(parts.map((part) => read(`${part}-images-idx3-ubyte.gz`)));
  const labels = await Promise.all(parts.map((part) => read(`${part}-labels-idx1-ubyte.gz`)));
  const [height, width] = [images[0].readUInt32BE(8), images[0].readUInt32BE(12)];
  const size = height * width;
  const pixels = Buffer.concat(images.map((file) => file.subarray(16)));
  const classes = Buffer.concat(labels.map((file) => file.subarray(8)));

  const order = shuffled(classes.length, randoms(SEED));
  const tested = Math.round(classes.length / 10);
  for (const [part, chosen] of /** @type {const} */ ([
    ['test', order.slice(0, tested)],
    ['train', order.slice(tested)],
  ])) {
    const picked = Buffer.concat(chosen.map((i) => pixels.subarray(i * size, (i + 1) * size)));
    const answers = Uint8Array.from(chosen, (i) => classes[i]);
    const count = chosen.length;
    await writePart(folder, part, idxBytes([count, height, width], picked), idxBytes([count], answers));
  }
}

/** Labels first: a set counts as there when its images are. @param {string} folder @param {string} part @param {Buffer} images @param {Buffer} labels */
async function writePart(folder, part, images, labels) {
  await writeFile(join(folder, `${part}-labels`), labels);
  await writeFile(join(folder, `${part}-images`), images);
}

/** @param {number[]} shape @param {Uint8Array} bytes */
export function idxBytes(shape, bytes) {
  return Buffer.concat([idxHeader(0x08, shape), bytes]);
}

/** @param {number[]} shape @param {number[]} values */
export function idxFloats(shape, values) {
  const floats = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) floats.writeFloatBE(value, 4 * i);
  return Buffer.concat([idxHeader(0x0d, shape), floats]);
}

/** @param {number} type @param {number[]} shape */
function idxHeader(type, shape) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return header;
}

/** Uniform numbers in (0, 1), a Weyl sequence scrambled by a multiplicative hash. @param {number} seed */
function randoms(seed) {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (((z ^ (z >>> 16)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Normal numbers, by Box and Muller. @param {() => number} random */
function normals(random) {
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** 0 to n - 1 in random order, by Fisher and Yates. @param {number} n @param {() => number} random */
export function shuffled(n, random) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
