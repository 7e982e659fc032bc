import { describe, expect, it } from 'vitest';
import {
  canUndo,
  chosenRecipe,
  fittedRecipe,
  isChanged,
  RECIPES,
  recipeAtHand,
  sameRun,
  settingsOf,
} from './recipes.js';
import { initialState } from './state.js';

const MNIST = { name: 'mnist', shape: [28, 28, 1], classes: Array.from({ length: 10 }, (_, i) => `${i}`) };

describe('the ready recipes', () => {
  it('are the linear one, the perceptron, the convolutional one, then those of the reports, named as their files', () => {
    expect(Object.keys(RECIPES).slice(0, 3)).toEqual(['mnist-linear', 'mnist-mlp', 'mnist-cnn']);
    expect(Object.keys(RECIPES)).toContain('cifar10-cnn-linear');
    for (const [file, recipe] of Object.entries(RECIPES)) expect(recipe.name).toBe(file);
  });

  it('come out unchanged with their own settings and data', () => {
    for (const [name, recipe] of Object.entries(RECIPES)) {
      const own = { ...MNIST, name: recipe.data.dataset };
      const written = { batch_size: 32, epochs: 1, seed: 1, ...recipe };
      expect(fittedRecipe(recipe, settingsOf(name, recipe), own)).toEqual(written);
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

  it('keep their shape where preprocessing makes it, and forget numbers of other channels', () => {
    const fitted = (/** @type {string} */ name, data = MNIST) =>
      fittedRecipe(RECIPES[name], settingsOf(name, RECIPES[name]), data);
    const padded = fitted('letters-mlp-taskar');
    expect(padded.model.input).toEqual([32, 32, 1]);
    expect(padded.data).toEqual({ dataset: 'mnist', validation: 0.11111, shape: [28, 28, 1] });
    const repeats = fitted('letters-autoencoder-taskar');
    expect(repeats.model.layers.at(-2).units).toBe(1024);
    const colours = { name: 'files', shape: [32, 32, 3], classes: MNIST.classes };
    expect(fitted('mnist-cnn', colours).preprocess[1]).toEqual({ type: 'standardize' });
    expect(fitted('cifar10-best', colours).preprocess).toEqual(RECIPES['cifar10-best'].preprocess);
    expect(fitted('cifar10-mlp80-pca').model.input).toEqual([640]);
  });

  it('are told apart from what a person made of them, until that is taken back', () => {
    const state = { ...initialState(RECIPES, settingsOf('mnist-cnn', RECIPES['mnist-cnn'])) };
    expect([isChanged(state), canUndo(state)]).toEqual([false, false]);
    const mine = { ...RECIPES['mnist-cnn'], loss: 'mean_squared_error' };
    state.versions = { 'mnist-cnn': [mine] };
    expect([chosenRecipe(state), isChanged(state), canUndo(state)]).toEqual([mine, true, true]);
    expect(recipeAtHand(state)).toEqual(mine);
    state.versions = { 'mnist-cnn': [mine, RECIPES['mnist-cnn']] };
    expect([isChanged(state), canUndo(state)]).toEqual([false, true]);
  });

  it('tell a run that can go on from one that has to start anew', () => {
    const settings = settingsOf('mnist-mlp', RECIPES['mnist-mlp']);
    expect(sameRun(settings, { ...settings, epochs: 50, learningRate: 1 })).toBe(true);
    expect(sameRun(settings, { ...settings, seed: 2 })).toBe(false);
    expect(sameRun(settings, settingsOf('mnist-cnn', RECIPES['mnist-cnn']))).toBe(false);
  });
});
