import { beforeAll, expect, it } from 'vitest';
import { stripes, stripesRecipe } from '../../../tests/support/training.js';
import { attributesOf } from '../shared/attributes.js';
import { Core } from './core.js';

/** @type {Core} */
let core;

beforeAll(async () => {
  core = await Core.load(new URL('../../../dist/tabgrad-simd.js', import.meta.url).href, 1);
});

it('copies in and out, and frees what it took', () => {
  const before = core.heap().usedBytes;
  core.withScratch(({ copy, string, alloc }) => {
    const numbers = copy(Float32Array.of(1.5, -2));
    expect(core.f32(numbers, 2)).toEqual(Float32Array.of(1.5, -2));
    expect(core.text(string('Grüße, 世界'))).toBe('Grüße, 世界');
    expect(alloc(0)).toBeGreaterThan(0);
  });
  expect(core.text(0)).toBe('');
  expect(core.heap().usedBytes).toBe(before);
});

it('reads memory as it is after it has grown', () => {
  const small = core.alloc(4);
  core.write(small, Int32Array.of(42));
  const place = core.alloc(16);
  const look = core.window(Float64Array, place, 2);
  const { heapBytes } = core.heap();
  const large = core.alloc(heapBytes);
  expect(core.heap().heapBytes).toBeGreaterThan(heapBytes);
  core.write(large + heapBytes - 4, Int32Array.of(7));
  expect([core.i32(small, 1)[0], core.i32(large + heapBytes - 4, 1)[0]]).toEqual([42, 7]);
  core.write(place, new Uint8Array(Float64Array.of(1.5, -2).buffer));
  expect([...look()]).toEqual([1.5, -2]);
  core.free(large);
  core.free(place);
  core.free(small);
});

it('throws what the engine says, and leaves nothing behind', () => {
  const before = core.heap().usedBytes;
  const engine = core.make('engine_create', 1);
  const recipe = attributesOf({ tabgrad: 1 }, 'recipe');
  const create = () =>
    core.withAttributes(recipe, (attrs) => core.make('run_create_unfitted', engine, attrs, 0, 0));
  expect(create).toThrow(expect.objectContaining({ name: 'TabgradError', code: 'recipe' }));
  expect(create).toThrow('recipe: model is missing');
  core.get('engine_destroy', engine);
  expect(core.heap().usedBytes).toBe(before);
});

it('says it in one sentence when memory runs out', () => {
  expect(() => core.alloc(2 ** 32 - 2 ** 20)).toThrow(
    'out of memory: 4095 MB more are needed; use less data or a smaller model',
  );
  expect(core.alloc(16)).toBeGreaterThan(0);
});

it('computes for as long as it may, or until somebody wants something', () => {
  const engine = core.make('engine_create', 1);
  const { images, labels, shape, classes } = stripes();
  const data = core.make('dataset_create', 0, ...shape, labels.length, classes.length, 0);
  core.write(core.get('dataset_pixels', data), images);
  core.write(core.get('dataset_labels', data), Int32Array.from(labels));
  core.withScratch(({ string }) => core.call('dataset_check', data, string('stripes')));
  const recipe = attributesOf(stripesRecipe({ epochs: 1_000_000 }), 'recipe');
  const run = core.withAttributes(recipe, (attrs) => core.make('run_create', engine, attrs, data, 0));
  /** Units of work in each of three calls of a minute at most. */
  const units = () => [1, 2, 3].map(() => core.row('call', 'wasm_run_train', run, 3, 60_000, 0, 0)[16]);
  expect(Math.min(...units())).toBeGreaterThan(3);
  core.isWanted = () => true;
  expect(units()).toEqual([1, 1, 1]);
  core.isWanted = () => false;
  for (const [what, pointer] of Object.entries({ run, dataset: data, engine }))
    core.get(`${what}_destroy`, pointer);
});

it('lets a trap through as what it is', () => {
  expect(() => core.get('dataset_count', 2 ** 32 - 16)).toThrow(WebAssembly.RuntimeError);
});
