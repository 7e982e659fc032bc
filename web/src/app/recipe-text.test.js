import { describe, expect, it } from 'vitest';
import { formatJson, parseRecipe } from './recipe-text.js';
import { RECIPES } from './recipes.js';
import { REPORT_RECIPES } from './report-recipes.js';

const ALL = { ...RECIPES, ...REPORT_RECIPES };

describe('a recipe as text', () => {
  it('reads back as what it was', () => {
    for (const recipe of Object.values(ALL)) expect(parseRecipe(formatJson(recipe))).toEqual(recipe);
  });

  it('has a layer on a line, and breaks what is long', () => {
    const lines = formatJson(ALL['mnist-cnn']).split('\n');
    expect(lines).toContain('      { "type": "max_pool2d", "size": 2 },');
    expect(formatJson({ empty: {}, list: [] })).toBe('{\n  "empty": {},\n  "list": []\n}');
    const long = formatJson({ words: Array.from({ length: 40 }, (_, i) => i) }).split('\n');
    expect(long).toHaveLength(44);
  });

  it('is told from what is none in one sentence', () => {
    expect(() => parseRecipe('{ "tabgrad": 1,')).toThrow(/^recipe: this is no JSON yet: .+$/);
    expect(() => parseRecipe('[1]')).toThrow('recipe: an object in braces { } is needed here');
    expect(() => parseRecipe('null')).toThrow('braces');
  });
});
