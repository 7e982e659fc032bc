import { expect, it } from 'vitest';
import { Pace } from './pace.js';

/** Calls with so many units of work a millisecond, on all threads and alone. @returns how many of them were alone
 * @param {Pace} pace @param {number} calls @param {number} together @param {number} alone */
function train(pace, calls, together, alone) {
  let count = 0;
  for (let i = 0; i < calls; i++) {
    if (pace.alone) count++;
    pace.add((pace.alone ? alone : together) * 50, 50);
  }
  return count;
}

it('tries one thread for three calls, ever more seldom, where several are faster', () => {
  const pace = new Pace();
  for (const calls of [32, 64, 128]) {
    expect(train(pace, calls, 1.8, 1)).toBe(0);
    expect(train(pace, 3, 1.8, 1)).toBe(3);
  }
  for (let i = 0; i < 3; i++) {
    expect(train(pace, 256, 1.8, 1)).toBe(0);
    expect(train(pace, 3, 1.8, 1)).toBe(3);
  }
});

it('stays with one thread where several hold each other up, until they no longer do', () => {
  const pace = new Pace();
  expect(train(pace, 32, 0.5, 1)).toBe(0);
  expect(train(pace, 3 + 32, 0.5, 1)).toBe(35);
  expect(train(pace, 3 + 32, 0.5, 1)).toBe(32);
  expect(train(pace, 3 + 32, 0.5, 1)).toBe(32);
  expect(train(pace, 3, 1.2, 1)).toBe(0);
  expect(train(pace, 64, 1.2, 1)).toBe(0);
});

it('stays with several that are hardly slower', () => {
  const pace = new Pace();
  expect(train(pace, 32 + 3 + 64, 1, 1.05)).toBe(3);
});

it('takes no notice of calls that were held up or evaluated', () => {
  const pace = new Pace();
  for (let i = 0; i < 31; i++) pace.add(i % 2 ? 1 : 45, 25);
  pace.add(45, 25);
  for (const units of [45, 25, 25]) pace.add(units, 25); // the first of a trial still had all threads
  expect(pace.alone).toBe(false);
});

it('counts calls that end early, as somebody wants something, with those that follow', () => {
  const pace = new Pace();
  for (let i = 0; i < 32 * 5; i++) {
    expect(pace.alone).toBe(false);
    pace.add(4, 4);
  }
  expect(pace.alone).toBe(true);
});
