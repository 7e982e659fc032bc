import { describe, expect, it } from 'vitest';
import { RECIPES } from './recipes.js';
import { pixelsOf, repeaterOf } from './repeater.js';
import { REPORT_RECIPES } from './report-recipes.js';

describe('a network that repeats its input', () => {
  it('is told by its loss', () => {
    const letters = repeaterOf(REPORT_RECIPES['letters-autoencoder-taskar']);
    expect(letters).toEqual({ shape: [32, 32, 1], scale: 255, offset: 0 });
    expect(repeaterOf(RECIPES['mnist-cnn'])).toBeNull();
  });

  it('answers with pixels: scaled back, within 0 and 255, colours side by side', () => {
    const repeater = { shape: [1, 2, 2], scale: 100, offset: -1 };
    expect(Array.from(pixelsOf(repeater, [-1, 0, 1, 5]))).toEqual([0, 200, 100, 255]);
  });
});
