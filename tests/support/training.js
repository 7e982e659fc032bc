// Something to train on: three kinds of striped 4x4 pictures that any network tells apart, and real MNIST.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const MNIST = new URL('../../build/data/mnist/', import.meta.url);

/** @param {number} [count] */
export function stripes(count = 90) {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  const images = Uint8Array.from({ length: count * 16 }, (_, at) => {
    const [i, pixel] = [Math.floor(at / 16), at % 16];
    return (pixel % 3 === labels[i] ? 180 : 20) + ((i * 31 + pixel * 17) % 60);
  });
  return {
    images,
    labels,
    shape: /** @type {[number, number, number]} */ ([4, 4, 1]),
    classes: ['a', 'b', 'c'],
  };
}

/** A recipe for them: nine steps an epoch. @param {Record<string, any>} [changes] @returns {Record<string, any>} */
export function stripesRecipe(changes = {}) {
  return {
    tabgrad: 1,
    name: 'stripes',
    preprocess: [{ type: 'rescale', divide: 255 }],
    model: {
      input: [4, 4, 1],
      layers: [
        { type: 'flatten' },
        { type: 'dense', units: 8 },
        { type: 'relu' },
        { type: 'dense', units: 3 },
      ],
    },
    loss: 'cross_entropy',
    optimizer: { type: 'adam', learning_rate: 0.01 },
    batch_size: 10,
    epochs: 3,
    seed: 7,
    ...changes,
  };
}

/** MNIST's four files. */
export function mnistFiles() {
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  return Promise.all(
    names.map(async (name) => ({
      name: `${name}-ubyte`,
      bytes: await readFile(fileURLToPath(new URL(`${name}-ubyte`, MNIST))),
    })),
  );
}

/** A small convolutional network for MNIST. @param {Record<string, any>} [changes] @returns {Record<string, any>} */
export function mnistRecipe(changes = {}) {
  return {
    tabgrad: 1,
    name: 'mnist-small',
    preprocess: [{ type: 'rescale', divide: 255 }],
    model: {
      input: [28, 28, 1],
      layers: [
        { type: 'conv2d', filters: 8, kernel: 3 },
        { type: 'relu' },
        { type: 'max_pool2d', size: 2 },
        { type: 'flatten' },
        { type: 'dense', units: 32 },
        { type: 'relu' },
        { type: 'dense', units: 10 },
      ],
    },
    loss: 'cross_entropy',
    optimizer: { type: 'adam', learning_rate: 0.001 },
    batch_size: 32,
    epochs: 1,
    seed: 1,
    ...changes,
  };
}

/** All of what an iterator gives. @template T @param {AsyncIterable<T>} iterator */
export async function collect(iterator) {
  const all = [];
  for await (const item of iterator) all.push(item);
  return all;
}
