import { describe, expect, it } from 'vitest';
import { canUndo, chosenRecipe, isChanged, RECIPES, recipeAtHand, sameRun, settingsOf } from './recipes.js';
import { REPORT_RECIPES } from './report-recipes.js';
import { initialState } from './state.js';

const ALL = { ...RECIPES, ...REPORT_RECIPES };

describe('the ready recipes', () => {
  it('are the linear one, the perceptron, the convolutional one, then those of the reports, named as their files', () => {
    expect(Object.keys(ALL).slice(0, 3)).toEqual(['mnist-linear', 'mnist-mlp', 'mnist-cnn']);
    expect(Object.keys(ALL)).toContain('cifar10-cnn-linear');
    for (const [file, recipe] of Object.entries(ALL)) expect(recipe.name).toBe(file);
  });

  it('come out unchanged with their own settings and data', () => {
    for (const [name, recipe] of Object.entries(ALL)) {
      const own = {
        name: recipe.data.dataset,
        title: '',
        shape: [9, 9, 9],
        classes: [],
        train: 9,
        test: 9,
        range: null,
      };
      const state = { ...initialState(ALL, settingsOf(name, recipe)), data: own };
      const written = { batch_size: 32, epochs: 1, seed: 1, ...recipe };
      expect(recipeAtHand(state)).toEqual(written);
    }
  });

  it('take the settings', () => {
    const settings = { recipe: 'mnist-cnn', epochs: 7, batchSize: 12, learningRate: 0.5, seed: 99 };
    const recipe = recipeAtHand({ ...initialState(ALL, settings) });
    expect(recipe).toMatchObject({ epochs: 7, batch_size: 12, seed: 99, optimizer: { learning_rate: 0.5 } });
    expect(ALL['mnist-cnn'].epochs).toBe(3);
  });

  it('are told apart from what a person made of them, until that is taken back', () => {
    const state = { ...initialState(ALL, settingsOf('mnist-cnn', ALL['mnist-cnn'])) };
    expect([isChanged(state), canUndo(state)]).toEqual([false, false]);
    const mine = { ...ALL['mnist-cnn'], loss: 'mean_squared_error' };
    state.versions = { 'mnist-cnn': [mine] };
    expect([chosenRecipe(state), isChanged(state), canUndo(state)]).toEqual([mine, true, true]);
    expect(recipeAtHand(state)).toEqual(mine);
    state.versions = { 'mnist-cnn': [mine, ALL['mnist-cnn']] };
    expect([isChanged(state), canUndo(state)]).toEqual([false, true]);
  });

  it('tell a run that can go on from one that has to start anew', () => {
    const settings = settingsOf('mnist-mlp', ALL['mnist-mlp']);
    expect(sameRun(settings, { ...settings, epochs: 50, learningRate: 1 })).toBe(true);
    expect(sameRun(settings, { ...settings, seed: 2 })).toBe(false);
    expect(sameRun(settings, settingsOf('mnist-cnn', ALL['mnist-cnn']))).toBe(false);
  });
});
