// Real letters and photographs that lie beside the project on some machines, and what small networks learn of them.
import { fileURLToPath } from 'node:url';

/** Tests that need it skip where it is absent. */
export const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

/** @param {number[]} input @param {number} classes @param {number} epochs */
const perceptron = (input, classes, epochs) => ({
  tabgrad: 1,
  name: 'real',
  preprocess: [
    { type: 'rescale', divide: 255 },
    { type: 'standardize', per: 'pixel' },
  ],
  model: {
    input,
    layers: [
      { type: 'flatten' },
      { type: 'dense', units: 64 },
      { type: 'relu' },
      { type: 'dense', units: classes },
    ],
  },
  loss: 'cross_entropy',
  optimizer: { type: 'adam', learning_rate: 0.003 },
  batch_size: 64,
  epochs,
  seed: 1,
});

/** @typedef {{ name: string, path: string, reading: object, recipe: object, accuracy: number }} RealTask  path: in `shared` */
/** Of sets that have a part to test on; accuracies are what any run is above. @type {RealTask[]} */
export const realTasks = [
  {
    name: 'taskar as MATLAB, its small part',
    path: 'letters/taskar/ocr_taskar.mat',
    reading: {},
    recipe: perceptron([1, 1, 129], 26, 4),
    accuracy: 0.65,
  },
  {
    name: 'taskar as IDX, its large part',
    path: 'letters/taskar',
    reading: { roles: { 'taskar/ocr_taskar.mat': 'ignore' } },
    recipe: perceptron([16, 8, 1], 26, 2),
    accuracy: 0.8,
  },
  {
    name: 'sun8',
    path: 'sun8',
    reading: { size: [32, 32] },
    recipe: perceptron([32, 32, 3], 8, 10),
    accuracy: 0.45,
  },
];
