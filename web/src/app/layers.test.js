// Layers as a person changes them, checked against the engine itself.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addLayer,
  attributesOfLayer,
  attributeValue,
  epochSeconds,
  LAYER_TYPES,
  layerNamed,
  moveLayer,
  multiplications,
  removeLayer,
  setAttribute,
  withoutPlaces,
} from './layers.js';
import { RECIPES } from './recipes.js';
import { REPORT_RECIPES } from './report-recipes.js';

const ALL = { ...RECIPES, ...REPORT_RECIPES };

const CNN = ALL['mnist-cnn'];

/** @type {Awaited<ReturnType<typeof createEngine>>} */
let engine;

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});

afterAll(() => engine?.close());

/** What the engine makes of a recipe. @param {Record<string, any>} recipe */
async function plan(recipe) {
  const run = await engine.run(recipe, {});
  const { summary, recipe: filled } = run;
  await run.close();
  return { summary, filled };
}

const typesOf = (recipe) => recipe.model.layers.map(({ type }) => type);

describe('the types of layers', () => {
  it('are those that the engine has', async () => {
    const refused = await plan(setAttribute(CNN, 0, 'type', 'nonsense')).catch((error) => error);
    const known = refused.what.match(/there are (.*)$/)[1].split(', ');
    expect(LAYER_TYPES.toSorted()).toEqual(known.toSorted());
  });

  it.each(LAYER_TYPES)('%s can be added as it is, and the engine fills in the rest', async (type) => {
    const takesFeatures = ['dense', 'softmax'].includes(type);
    const at = takesFeatures ? 8 : 6; // behind the hidden dense layer, or before flatten
    const { summary } = await plan(CNN);
    const recipe = addLayer(CNN, at, type, summary);
    expect(recipe.model.layers).toHaveLength(CNN.model.layers.length + 1);
    const { filled } = await plan(recipe);
    expect(filled.model.layers[at]).toMatchObject(recipe.model.layers[at]);
  });
});

describe('changes', () => {
  it('add, move, remove and set without touching the recipe they began with', () => {
    const before = structuredClone(CNN);
    expect(typesOf(addLayer(CNN, 1, 'dropout', null)).slice(0, 3)).toEqual(['conv2d', 'dropout', 'relu']);
    expect(typesOf(moveLayer(CNN, 0, 2)).slice(0, 3)).toEqual(['relu', 'max_pool2d', 'conv2d']);
    expect(typesOf(moveLayer(CNN, 2, 0)).slice(0, 3)).toEqual(['max_pool2d', 'conv2d', 'relu']);
    expect(typesOf(removeLayer(CNN, 0))[0]).toBe('relu');
    expect(setAttribute(CNN, 0, 'filters', 12).model.layers[0]).toMatchObject({ filters: 12, kernel: 3 });
    expect(CNN).toEqual(before);
  });

  it('name the layer that an error is about', async () => {
    const refused = await plan(setAttribute(CNN, 3, 'kernel', 50)).catch((error) => error);
    expect(layerNamed(refused.where)).toBe(3);
    expect(layerNamed('optimizer')).toBeNull();
    expect(layerNamed(undefined)).toBeNull();
  });

  it('are typed as JSON has them, else as words', () => {
    expect(['3', '[3, 5]', 'true', ' same ', '1e-3'].map(attributeValue)).toEqual([
      3,
      [3, 5],
      true,
      'same',
      0.001,
    ]);
  });
});

describe('attributes', () => {
  it('are the given ones and the defaults that the engine filled in', async () => {
    const { filled } = await plan(CNN);
    const attributes = Object.fromEntries(attributesOfLayer(CNN.model.layers[0], filled.model.layers[0]));
    expect(attributes).toMatchObject({ filters: 8, kernel: 3, stride: 1, bias: true });
    expect(Object.keys(attributes)).not.toContain('inputs');
    expect(attributesOfLayer({ type: 'dense', units: 3 }, filled.model.layers[0])).toEqual([['units', 3]]);
  });
});

describe('a recipe that the engine filled in', () => {
  it('loses names and inputs that follow from places, and means the same', async () => {
    const named = setAttribute(setAttribute(CNN, 1, 'name', 'first'), 2, 'inputs', ['first']);
    const { filled, summary } = await plan(named);
    const plain = withoutPlaces(filled);
    expect(plain.model.layers.filter((layer) => 'name' in layer || 'inputs' in layer)).toEqual([
      { type: 'relu', name: 'first' },
    ]);
    expect((await plan(plain)).summary).toEqual(summary);
  });
});

describe('the estimate of an epoch', () => {
  it('counts multiplications: weights of a dense layer once, filters at every place', async () => {
    const { filled, summary } = await plan(CNN);
    expect(multiplications(filled, summary)).toBe(72 * 26 * 26 + 1152 * 11 * 11 + 400 * 64 + 64 * 10);
  });

  it('needs a measurement, and scales it by work and by pictures', async () => {
    const { filled, summary } = await plan(CNN);
    expect(epochSeconds({ filled, summary, count: 60_000, pace: null })).toBeNull();
    const pace = { samplesPerSecond: 6000, multiplications: 2 * multiplications(filled, summary) };
    expect(epochSeconds({ filled, summary, count: 60_000, pace })).toBeCloseTo(5);
    const data = { ...filled.data, train_size: 30_000, validation: 0.2 };
    expect(epochSeconds({ filled: { ...filled, data }, summary, count: 60_000, pace })).toBeCloseTo(2);
    expect(epochSeconds({ filled, summary, count: 0, pace })).toBeNull(); // the pictures are not here yet
  });
});
