// Training before anybody asks for it: V8 compiles WebAssembly quickly first, and well only what was called often. After
// some steps of a small network the loops that every training needs are there as fast as they get.
import { attributesOf } from '../shared/attributes.js';

/** @typedef {import('./core.js').Core} Core */

const SAMPLES = 32;
const SIDE = 28;
const CLASSES = 10;
const SLICE_MS = 10;
const SLICES = 6;

const RECIPE = attributesOf(
  {
    tabgrad: 1,
    preprocess: [{ type: 'rescale', divide: 255 }],
    model: {
      input: [SIDE, SIDE, 1],
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
    },
    optimizer: { type: 'adam' },
    batch_size: SAMPLES,
    epochs: 1_000_000,
  },
  'warm-up',
);

/**
 * @param {Core} core
 * @param {number} engine
 * @returns {Generator<void, void, void>} yields at the end of each slice; gives its memory back at its end or by return()
 */
export function* warmUp(core, engine) {
  const data = core.make('dataset_create', 0, SIDE, SIDE, 1, SAMPLES, CLASSES, 0);
  try {
    const pixels = Uint8Array.from({ length: SAMPLES * SIDE * SIDE }, (_, i) => (i * 37) % 256);
    core.write(core.get('dataset_pixels', data), pixels);
    core.write(
      core.get('dataset_labels', data),
      Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
    );
    core.withScratch(({ string }) => core.call('dataset_check', data, string('warm-up')));
    const run = core.withAttributes(RECIPE, (attrs) => core.make('run_create', engine, attrs, data, 0));
    try {
      for (let slice = 0; slice < SLICES; slice++) {
        const until = performance.now() + SLICE_MS;
        while (performance.now() < until)
          core.row('call', 'wasm_run_train', run, 0, SLICE_MS, 0, 0, core.out);
        yield;
      }
    } finally {
      core.get('run_destroy', run);
    }
  } finally {
    core.get('dataset_destroy', data);
  }
}
