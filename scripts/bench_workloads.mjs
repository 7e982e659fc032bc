// The workloads: what is trained, on which data, and how much arithmetic that is.

/**
 * @typedef {object} Workload
 * @property {string} title
 * @property {'training' | 'inference'} kind
 * @property {string} dataset  its files lie in build/data/<dataset>/
 * @property {Record<string, any>} recipe
 * @property {number} [batch]  of an inference
 * @property {number} reach  samples per second in Chromium with two threads that are asked for
 */

const rescale = { type: 'rescale', divide: 255 };
const relu = { type: 'relu' };
const flatten = { type: 'flatten' };
const pool = { type: 'max_pool2d', size: 2 };

/** @param {number} units */
const dense = (units) => ({ type: 'dense', units });

/** @param {number} filters @param {'valid' | 'same'} padding */
const conv = (filters, padding) => ({ type: 'conv2d', filters, kernel: 3, padding });

/** @param {number[]} input @param {Record<string, any>[]} layers @param {Record<string, any>} rest */
const recipe = (input, layers, rest) => ({
  tabgrad: 1,
  preprocess: [rescale],
  model: { input, layers },
  ...rest,
  seed: 1,
});
const MNIST = [28, 28, 1];
const CIFAR10 = [32, 32, 3];

const CIFAR10_CNN = recipe(
  CIFAR10,
  [
    ...[32, 64, 64].flatMap((filters) => [conv(filters, 'same'), relu, pool]),
    ...[flatten, dense(64), relu, dense(10)],
  ],
  { optimizer: { type: 'momentum', learning_rate: 0.01, momentum: 0.5 }, batch_size: 50 },
);

/** @type {Record<string, Workload>} */
export const WORKLOADS = {
  W1: {
    title: 'linear 784-10, batch 32',
    kind: 'training',
    dataset: 'mnist',
    recipe: recipe(MNIST, [flatten, dense(10)], {
      optimizer: { type: 'sgd', learning_rate: 0.01 },
      batch_size: 32,
    }),
    reach: 900_000,
  },
  W2: {
    title: 'MLP 784-64-64-10 ReLU, batch 64',
    kind: 'training',
    dataset: 'mnist',
    recipe: recipe(MNIST, [flatten, dense(64), relu, dense(64), relu, dense(10)], {
      optimizer: { type: 'sgd', learning_rate: 0.01 },
      batch_size: 64,
    }),
    reach: 300_000,
  },
  W3: {
    title: 'MLP 3072-80-80-10 ReLU, batch 1000',
    kind: 'training',
    dataset: 'cifar10',
    recipe: recipe(CIFAR10, [flatten, dense(80), relu, dense(80), relu, dense(10)], {
      optimizer: { type: 'sgd', learning_rate: 0.05 },
      batch_size: 1000,
    }),
    reach: 80_000,
  },
  W4: {
    title: 'MLP 784-512-256-10 ReLU, batch 128, Adam',
    kind: 'training',
    dataset: 'mnist',
    recipe: recipe(MNIST, [flatten, dense(512), relu, dense(256), relu, dense(10)], {
      optimizer: { type: 'adam', learning_rate: 0.001 },
      batch_size: 128,
    }),
    reach: 32_000,
  },
  W5: {
    title: 'CNN 28x28x1: 2 x [conv 3x3 valid 8, 16, ReLU, pool 2], dense 10; batch 32, Adam',
    kind: 'training',
    dataset: 'mnist',
    recipe: recipe(MNIST, [conv(8, 'valid'), relu, pool, conv(16, 'valid'), relu, pool, flatten, dense(10)], {
      optimizer: { type: 'adam', learning_rate: 0.001 },
      batch_size: 32,
    }),
    reach: 45_000,
  },
  W6: {
    title:
      'CNN 32x32x3: 3 x [conv 3x3 same 32, 64, 64, ReLU, pool 2], dense 64 ReLU, dense 10; batch 50, momentum 0.5',
    kind: 'training',
    dataset: 'cifar10',
    recipe: CIFAR10_CNN,
    reach: 3500,
  },
  W7: {
    title: 'autoencoder 1024-32-32-32-1024, squared error, batch 36, momentum 0.9',
    kind: 'training',
    dataset: 'mnist',
    recipe: recipe(
      [32, 32, 1],
      [flatten, dense(32), relu, dense(32), relu, dense(32), relu, dense(1024), { type: 'sigmoid' }],
      {
        preprocess: [rescale, { type: 'pad', height: 32, width: 32 }],
        losses: [{ type: 'mean_squared_error', target: 'input' }],
        optimizer: { type: 'momentum', learning_rate: 0.1, momentum: 0.9 },
        batch_size: 36,
      },
    ),
    reach: 180_000,
  },
  'I1 batch 1': {
    title: "inference of W6's network, batch 1",
    kind: 'inference',
    dataset: 'cifar10',
    recipe: CIFAR10_CNN,
    batch: 1,
    reach: 3333,
  },
  'I1 batch 256': {
    title: "inference of W6's network, batch 256",
    kind: 'inference',
    dataset: 'cifar10',
    recipe: CIFAR10_CNN,
    batch: 256,
    reach: 4800,
  },
};

/** Files of a dataset's training part. @type {Record<string, string[]>} */
export const FILES = {
  mnist: ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
  cifar10: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
};

/**
 * Floating-point operations of one sample, those of the products alone: a multiplication and an addition count two.
 * Training takes the products three times, forward, for the weights' gradient and for the input's, but the input of
 * the first one needs none.
 * @param {Workload} workload
 */
export function flopPerSample({ kind, recipe: { model } }) {
  const products = multiplications(model);
  const forward = 2 * products.reduce((sum, one) => sum + one, 0);
  return kind === 'inference' ? forward : 3 * forward - 2 * products[0];
}

/**
 * Multiplications of each layer that has weights.
 * @param {{ input: number[], layers: Record<string, any>[] }} model
 */
export function multiplications({ input, layers }) {
  let [height, width, channels] = input;
  /** @type {number[]} */
  const products = [];
  for (const { type, units, filters, kernel, padding, size } of layers) {
    if (type === 'conv2d') {
      const border = padding === 'same' ? 0 : kernel - 1;
      height -= border;
      width -= border;
      products.push(height * width * filters * kernel * kernel * channels);
      channels = filters;
    } else if (type === 'max_pool2d') {
      height = Math.floor(height / size);
      width = Math.floor(width / size);
    } else if (type === 'dense') {
      products.push(height * width * channels * units);
      [height, width, channels] = [1, 1, units];
    }
  }
  return products;
}
