import { expect, it } from 'vitest';
import { rankConfused, scoreClasses } from './class-scores.js';

const confusion = [
  [6, 2, 0],
  [3, 1, 0],
  [2, 0, 0],
];

it('gives precision, recall and count of each class', () => {
  expect(scoreClasses(confusion)).toEqual([
    { precision: 6 / 11, recall: 6 / 8, count: 8 },
    { precision: 1 / 3, recall: 1 / 4, count: 4 },
    { precision: null, recall: 0, count: 2 },
  ]);
  expect(
    scoreClasses([
      [5, 1],
      [0, 0],
    ])[1],
  ).toEqual({ precision: 0, recall: null, count: 0 });
});

it('ranks what is taken for something else, most first', () => {
  expect(rankConfused(confusion)).toEqual([
    { actual: 1, predicted: 0, count: 3 },
    { actual: 0, predicted: 1, count: 2 },
    { actual: 2, predicted: 0, count: 2 },
  ]);
  expect(rankConfused([[4]])).toEqual([]);
});
