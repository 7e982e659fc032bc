import { expect, it } from 'vitest';
import { attributesOf } from './attributes.js';

it('walks a value in document order', () => {
  const calls = attributesOf(
    { epochs: 3, model: { layers: [{ type: 'relu' }, [1, null]] }, 'x-note': true },
    'recipe',
  );
  expect(calls).toEqual([
    ['number', 'epochs', 3],
    ['object', 'model'],
    ['list', 'layers'],
    ['object', null],
    ['string', 'type', 'relu'],
    ['close'],
    ['list', null],
    ['number', null, 1],
    ['null', null],
    ['close'],
    ['close'],
    ['close'],
    ['bool', 'x-note', true],
  ]);
});

it.each([
  [{ a: { b: [1, Number.NaN] } }, 'a.b[1]: NaN has no place in a recipe; use what JSON can say'],
  [{ a: Number.POSITIVE_INFINITY }, 'a: Infinity has no place in a recipe; use what JSON can say'],
  [{ a: undefined }, 'a: undefined has no place in a recipe; use what JSON can say'],
  [{ a: () => {} }, 'a: a function has no place in a recipe; use what JSON can say'],
  [{ a: 1n }, 'a: a bigint has no place in a recipe; use what JSON can say'],
  [{ a: new Float32Array(2) }, 'a: a Float32Array has no place in a recipe; use what JSON can say'],
  [{ a: new Date(0) }, 'a: a Date has no place in a recipe; use what JSON can say'],
  [{ a: new Array(1) }, 'a[0]: undefined has no place in a recipe; use what JSON can say'],
  [{ a: 'x\0y' }, 'a: contains a NUL character'],
  [{ 'a\0': 1 }, 'a\\0: contains a NUL character'],
  [[], 'recipe: is a list, not an object; parse the JSON text first'],
  [null, 'recipe: is null, not an object; parse the JSON text first'],
  ['{}', 'recipe: is a string, not an object; parse the JSON text first'],
])('refuses what JSON cannot say: %o', (value, message) => {
  expect(() => attributesOf(value, 'recipe')).toThrow(expect.objectContaining({ code: 'recipe', message }));
});

it('ends in a value that contains itself', () => {
  /** @type {Record<string, unknown>} */
  const endless = {};
  endless.again = endless;
  expect(() => attributesOf(endless, 'recipe')).toThrow(/again: is nested more than 64 levels deep$/);
});
