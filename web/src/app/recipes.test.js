import { describe, expect, it } from 'vitest';
import { fittedRecipe, RECIPES, sameRun, settingsOf } from './recipes.js';

const MNIST = { name: 'mnist', shape: [28, 28, 1], classes: Array.from({ length: 10 }, (_, i) => `${i}`) };

describe('the ready recipes', () => {
  it('are the linear one, the perceptron and the convolutional one, named as their files', () => {
    expect(Object.keys(RECIPES)).toEqual(['mnist-linear', 'mnist-mlp', 'mnist-cnn']);
    for (const [file, recipe] of Object.entries(RECIPES)) expect(recipe.name).toBe(file);
  });

  it('come out unchanged with their own settings and data', () => {
    for (const [name, recipe] of Object.entries(RECIPES)) {
      expect(fittedRecipe(recipe, settingsOf(name, recipe), MNIST)).toEqual(recipe);
    }
  });

  it('take the settings, and the shape and classes of other data', () => {
    const settings = { recipe: 'mnist-cnn', epochs: 7, batchSize: 12, learningRate: 0.5, seed: 99 };
    const letters = {
      name: 'files',
      shape: [20, 16, 1],
      classes: Array.from({ length: 26 }, (_, i) => `${i}`),
    };
    const recipe = fittedRecipe(RECIPES['mnist-cnn'], settings, letters);
    expect(recipe.data).toEqual({ dataset: 'files' });
    expect(recipe.model.input).toEqual([20, 16, 1]);
    expect(recipe.model.layers.at(-1).units).toBe(26);
    expect(recipe).toMatchObject({ epochs: 7, batch_size: 12, seed: 99, optimizer: { learning_rate: 0.5 } });
    expect(RECIPES['mnist-cnn'].model.input).toEqual([28, 28, 1]);
  });

  it('tell a run that can go on from one that has to start anew', () => {
    const settings = settingsOf('mnist-mlp', RECIPES['mnist-mlp']);
    expect(sameRun(settings, { ...settings, epochs: 50, learningRate: 1 })).toBe(true);
    expect(sameRun(settings, { ...settings, seed: 2 })).toBe(false);
    expect(sameRun(settings, settingsOf('mnist-cnn', RECIPES['mnist-cnn']))).toBe(false);
  });
});
