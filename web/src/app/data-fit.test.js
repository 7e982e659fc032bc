import { describe, expect, it } from 'vitest';
import { fitToData } from './data-fit.js';
import { RECIPES } from './recipes.js';
import { REPORT_RECIPES } from './report-recipes.js';

const ALL = { ...RECIPES, ...REPORT_RECIPES };

const named = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => `${i}`);
const MNIST = { name: 'mnist', shape: [28, 28, 1], classes: named(10) };
const LETTERS = { name: 'letters-1a2b', shape: [20, 16, 1], classes: named(26) };

describe('a recipe that meets other data', () => {
  it('takes their name, shape and classes, and says so', () => {
    const { recipe, changes } = fitToData(ALL['mnist-mlp'], LETTERS);
    expect(recipe.data).toEqual({ dataset: 'letters-1a2b' });
    expect(recipe.model.input).toEqual([20, 16, 1]);
    expect(recipe.model.layers.at(-1).units).toBe(26);
    expect(recipe.preprocess).toEqual([{ type: 'rescale', divide: 255 }, { type: 'standardize' }]);
    expect(changes).toEqual([
      'mean and deviation are those of your training part',
      'the input is 20 × 16 × 1, not 28 × 28 × 1',
      'the last layer has 26 units, one for each class, not 10',
    ]);
    expect(ALL['mnist-mlp'].model.input).toEqual([28, 28, 1]);
  });

  it('is left alone once it fits', () => {
    const { recipe } = fitToData(ALL['mnist-cnn'], LETTERS);
    expect(fitToData(recipe, LETTERS)).toEqual({ recipe, changes: [] });
    const measured = { ...recipe, preprocess: [{ type: 'standardize', mean: [0.4], std: [0.2] }] };
    expect(fitToData(measured, LETTERS)).toEqual({ recipe: measured, changes: [] });
    const wrong = {
      ...recipe,
      model: { ...recipe.model, layers: [{ type: 'conv2d', filters: 1, kernel: 50 }] },
    };
    expect(fitToData(wrong, LETTERS).recipe).toBe(wrong); // a person made it so: the engine says what is wrong
  });

  it('keeps the shape that its preprocessing makes, with the colours of the data', () => {
    const padded = fitToData(ALL['letters-mlp-taskar'], MNIST).recipe;
    expect(padded.model.input).toEqual([32, 32, 1]);
    expect(padded.data).toEqual({ dataset: 'mnist', validation: 0.11111, shape: [28, 28, 1] });
    const colours = { name: 'photos', shape: [64, 48, 3], classes: named(10) };
    expect(fitToData(ALL['letters-mlp-taskar'], colours).recipe.model.input).toEqual([32, 32, 3]);
    expect(fitToData(ALL['cifar10-mlp80-pca'], MNIST).recipe.model.input).toEqual([640]);
  });

  it('keeps the margins of other pictures, but what it crops of resized ones', () => {
    const { preprocess, model } = ALL['mnist-quick'];
    const crop = { type: 'center_crop', height: 20, width: 20 };
    const recipe = { ...ALL['mnist-quick'], preprocess: [crop], model: { ...model, input: [20, 20, 1] } };
    const fitted = fitToData(recipe, { ...MNIST, name: 'fashion-mnist' });
    expect([fitted.recipe.preprocess, fitted.recipe.model.input]).toEqual([[], [28, 28, 1]]);
    expect(fitted.changes).toEqual([
      'pictures keep their margins',
      'the input is 28 × 28 × 1, not 20 × 20 × 1',
    ]);
    const resized = [{ type: 'resize', height: 24, width: 24 }, ...preprocess, crop];
    expect(fitToData({ ...recipe, preprocess: resized }, LETTERS).recipe).toMatchObject({
      preprocess: resized,
      model: { input: [20, 20, 1] },
    });
    const rows = { name: 'iris', shape: [1, 1, 4], classes: named(3), range: [0.1, 7.9] };
    expect(fitToData({ ...recipe, preprocess: resized }, rows).recipe.preprocess).toEqual([]);
  });

  it('repeats as many values as there are', () => {
    const { recipe } = fitToData(ALL['letters-autoencoder-taskar'], { ...MNIST, shape: [28, 28, 3] });
    expect(recipe.model.layers.at(-2)).toMatchObject({ type: 'dense', units: 3072 });
  });

  it('does not divide values that are small already', () => {
    const { recipe, changes } = fitToData(ALL['mnist-mlp'], { ...MNIST, name: 'floats', range: [0, 1] });
    expect(recipe.preprocess).toEqual([{ type: 'standardize' }]);
    expect(changes[0]).toBe('values go up to 1 only, so they are not divided by 255');
  });

  it('makes rows of numbers the input of a first dense layer, and pictures by a flatten layer', () => {
    const rows = { name: 'iris', shape: [1, 1, 4], classes: named(3), range: [0.1, 7.9] };
    const own = { ...ALL['toy-blobs'] };
    expect(fitToData(own, rows).recipe.model).toMatchObject({
      input: [4],
      layers: [{ type: 'dense' }, { type: 'sigmoid' }, { type: 'dense', units: 3 }],
    });
    expect(fitToData(own, LETTERS).recipe.model.layers[0]).toEqual({ type: 'flatten' });
  });

  it('does to rows of numbers nothing that is meant for pictures', () => {
    const rows = { name: 'iris', shape: [1, 1, 4], classes: named(3), range: [0.1, 7.9] };
    const { recipe, changes } = fitToData(ALL['cifar10-mlp80'], rows);
    expect(recipe.augment).toEqual([{ type: 'brightness', min: 0.5, max: 1 }]);
    expect(changes).toContain('augmentation of pictures is left out: these are rows of numbers');
    const dense = fitToData(ALL['mnist-cnn'], rows);
    expect(dense.recipe.model.layers.map(({ type }) => type)).toEqual(['flatten', 'dense', 'relu', 'dense']);
    expect(dense.changes).toContain('convolutions and pools are left out: these are rows of numbers');
    expect(dense.changes).toContain('the input is 4 numbers, not 28 × 28 × 1');
    const padded = fitToData(ALL['letters-mlp-taskar'], rows).recipe;
    expect([padded.preprocess, padded.model.input]).toEqual([[], [1, 1, 4]]);
  });

  it('gives windows room where pictures are small', () => {
    const { recipe, changes } = fitToData(ALL['mnist-cnn'], {
      ...MNIST,
      name: 'small',
      shape: [8, 8, 1],
    });
    const kinds = recipe.model.layers.map(({ type, padding }) => (padding ? `${type} ${padding}` : type));
    expect(kinds.slice(0, 6)).toEqual([
      'conv2d valid',
      'relu',
      'max_pool2d',
      'conv2d valid',
      'relu',
      'flatten',
    ]);
    expect(changes).toContain('a max_pool2d is left out: 1 × 1 is too small for it');
    const tiny = fitToData(ALL['mnist-cnn'], { ...MNIST, name: 'tiny', shape: [4, 4, 1] });
    expect(tiny.changes).toContain('a conv2d pads its input: 1 × 1 is too small for it');
  });
});
