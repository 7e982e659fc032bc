// Training before anybody asks for it: V8 compiles WebAssembly quickly first, and well only what was called often. After
// some steps of a small network the loops that every training needs are there as fast as they get.
import { attributesOf } from '../shared/attributes.js';

/** @typedef {import('./core.js').Core} Core */

const SAMPLES = 64;
const SIDE = 28;
const CROPPED = 22;
const CLASSES = 10;
const SLICE_MS = 10;
/** Of each recipe. */
const SLICES = 12;
/** Of five pixels one is not black: products with pictures of digits go another way than those with photographs. */
const SHARE_OF_INK = 5;

/** What recipes are made of most: perceptrons with momentum, convolution with Adam. */
const RECIPES = [
  recipe({
    layers: [
      { type: 'flatten' },
      { type: 'dense', units: 24 },
      { type: 'relu' },
      { type: 'dense', units: CLASSES },
    ],
    optimizer: { type: 'nesterov' },
  }),
  recipe({
    layers: [
      { type: 'conv2d', filters: 8, kernel: 3 },
      { type: 'relu' },
      { type: 'max_pool2d', size: 2 },
      { type: 'conv2d', filters: 16, kernel: 3 },
      { type: 'relu' },
      { type: 'max_pool2d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 32 },
      { type: 'relu' },
      { type: 'dense', units: CLASSES },
    ],
    optimizer: { type: 'adam' },
  }),
];

/** @param {{ layers: object[], optimizer: object }} what */
function recipe({ layers, optimizer }) {
  const whole = {
    tabgrad: 1,
    preprocess: [
      { type: 'rescale', divide: 255 },
      { type: 'center_crop', height: CROPPED, width: CROPPED },
    ],
    model: { input: [CROPPED, CROPPED, 1], layers },
    optimizer,
    batch_size: SAMPLES,
    epochs: 1_000_000,
  };
  return attributesOf(whole, 'warm-up');
}

/**
 * On one thread, as a function is compiled well after so many calls by one thread; the others are left to the compiler.
 * @param {Core} core
 * @returns {Generator<void, void, void>} yields at the end of each slice; gives its memory back at its end or by return()
 */
export function* warmUp(core) {
  const engine = core.make('engine_create', 1);
  try {
    yield* trainAll(core, engine);
  } finally {
    core.get('engine_destroy', engine);
  }
}

/** @param {Core} core @param {number} engine */
function* trainAll(core, engine) {
  const data = core.make('dataset_create', 0, SIDE, SIDE, 1, SAMPLES, CLASSES, 0);
  try {
    const pixels = Uint8Array.from({ length: SAMPLES * SIDE * SIDE }, (_, i) =>
      i % SHARE_OF_INK === 0 ? (i * 37) % 256 : 0,
    );
    core.write(core.get('dataset_pixels', data), pixels);
    core.write(
      core.get('dataset_labels', data),
      Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
    );
    core.withScratch(({ string }) => core.call('dataset_check', data, string('warm-up')));
    yield* trainInTurns(core, engine, data);
  } finally {
    core.get('dataset_destroy', data);
  }
}

/** @param {Core} core @param {number} engine @param {number} data */
function* trainInTurns(core, engine, data) {
  /** @type {number[]} */
  const runs = [];
  try {
    for (const recipe of RECIPES)
      runs.push(core.withAttributes(recipe, (attrs) => core.make('run_create', engine, attrs, data, 0)));
    for (let slice = 0; slice < SLICES; slice++) {
      for (const run of runs) {
        const until = performance.now() + SLICE_MS;
        while (performance.now() < until) core.row('call', 'wasm_run_train', run, 0, SLICE_MS, 0, 0);
        yield;
      }
    }
  } finally {
    for (const run of runs) core.get('run_destroy', run);
  }
}
