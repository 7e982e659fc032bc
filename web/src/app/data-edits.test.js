import { describe, expect, it } from 'vitest';
import {
  augmentationsOf,
  measuringRecipe,
  scalingOf,
  toggleAugmentation,
  withMeasured,
  withScaling,
  withSubset,
} from './data-edits.js';
import { RECIPES } from './recipes.js';
import { REPORT_RECIPES } from './report-recipes.js';

const ALL = { ...RECIPES, ...REPORT_RECIPES };

const BYTES = [0, 255];

describe('what the Data panel changes in a recipe', () => {
  it('scales values in the place where they were scaled, and leaves the rest', () => {
    const recipe = ALL['letters-mlp-taskar'];
    expect(scalingOf(recipe)).toBe('unit');
    const standard = withScaling(recipe, 'channel', BYTES);
    expect(standard.preprocess).toEqual([
      { type: 'rescale', divide: 255 },
      { type: 'standardize' },
      { type: 'pad', height: 32, width: 32 },
    ]);
    expect(scalingOf(standard)).toBe('channel');
    expect(scalingOf(withScaling(standard, 'pixel', BYTES))).toBe('pixel');
    expect(withScaling(standard, 'raw', BYTES).preprocess).toEqual([{ type: 'pad', height: 32, width: 32 }]);
    expect(withScaling(withScaling(standard, 'raw', BYTES), 'unit', BYTES).preprocess).toEqual(
      recipe.preprocess,
    );
  });

  it('scales other values by their range', () => {
    expect(withScaling({}, 'unit', [0, 1]).preprocess).toEqual([]);
    expect(withScaling({}, 'unit', [-3, 5]).preprocess).toEqual([
      { type: 'rescale', divide: 8, offset: 0.375 },
    ]);
    expect(withScaling({}, 'unit', [7, 7]).preprocess).toEqual([{ type: 'rescale', divide: 1, offset: -7 }]);
  });

  it('writes down what was measured', () => {
    const recipe = withScaling(ALL['mnist-cnn'], 'channel', BYTES);
    const measuring = measuringRecipe(recipe, [28, 28, 1], 10);
    expect(measuring.preprocess).toEqual(recipe.preprocess);
    const measured = { ...measuring, preprocess: [{ type: 'standardize', mean: [0.13], std: [0.31] }] };
    expect(withMeasured(recipe, measured).preprocess[1]).toEqual({
      type: 'standardize',
      mean: [0.13],
      std: [0.31],
    });
    expect(withMeasured(recipe, measuring)).toBe(recipe);
  });

  it('takes a part of the samples, or all again', () => {
    const part = withSubset(ALL['mnist-cnn'], 500);
    expect(part.data).toEqual({ dataset: 'mnist', train_size: 500 });
    expect(withSubset(part, 0)).toEqual(ALL['mnist-cnn']);
  });

  it('puts an augmentation in and takes it out', () => {
    const rotated = toggleAugmentation(ALL['mnist-cnn'], 'rotate');
    expect(augmentationsOf(toggleAugmentation(rotated, 'shift'))).toEqual(['rotate', 'shift']);
    expect(toggleAugmentation(rotated, 'rotate')).toEqual(ALL['mnist-cnn']);
    expect(augmentationsOf({ augment: 'nonsense' })).toEqual([]);
  });
});
