import { describe, expect, it } from 'vitest';
import { readRow } from './row-text.js';

describe('a row that someone writes', () => {
  it.each([
    ['5.1, 3.5,1.4 ,0.2', 4],
    ['5.1 3.5\n1.4 0.2', 4],
    ['5.1\t3.5\t1.4\t0.2\n', 4],
    [' 5,1; 3,5; 1,4; 0,2', 4],
    ['51e-1,+3.5,1.4,.2', 4],
  ])('%j', (text, count) => {
    expect(readRow(text, count)).toEqual(Float32Array.of(5.1, 3.5, 1.4, 0.2));
  });

  it.each([
    ['', 4, ''],
    [' \n', 1, ''],
    ['1, 2, 3', 4, 'These are 3 numbers of 4.'],
    ['1 2 3 4 5', 4, 'These are 5 numbers of 4.'],
    ['1, , 3, 4', 4, 'A number is missing.'],
    ['1, 2, 3,', 4, 'A number is missing.'],
    ['1, two, 3, 4', 4, 'two is not a number.'],
    ['1e99', 1, '1e99 is not a number.'],
  ])('%j is wrong', (text, count, what) => {
    expect(readRow(text, count)).toBe(what);
  });
});
