import { describe, expect, it } from 'vitest';
import * as format from './format.js';

describe('numbers as people read them', () => {
  it('never claims 100 % for less than everything', () => {
    expect(format.percent(0.98412)).toBe('98.4 %');
    expect(format.percent(0.99999)).toBe('99.9 %');
    expect(format.percent(0.99999, 0)).toBe('99 %');
    expect(format.percent(1)).toBe('100.0 %');
    expect(format.percent(0)).toBe('0.0 %');
  });

  it('writes sizes with two digits that matter', () => {
    expect(format.bytes(0)).toBe('0 B');
    expect(format.bytes(7850 * 4)).toBe('31 kB');
    expect(format.bytes(4_200_000)).toBe('4.2 MB');
    expect(format.bytes(47_040_000)).toBe('47 MB');
  });

  it('writes durations like a clock', () => {
    expect(format.duration(4.2)).toBe('0:05');
    expect(format.duration(75)).toBe('1:15');
    expect(format.duration(3725)).toBe('1:02:05');
    expect(format.duration(null)).toBe('–');
    expect(format.duration(Infinity)).toBe('–');
  });

  it('writes losses short', () => {
    expect(format.loss(2.4567)).toBe('2.457');
    expect(format.loss(0.00042)).toBe('4.2e-4');
    expect(format.loss(1.79e19)).toBe('1.8e+19');
    expect(format.loss(Number.NaN)).toBe('–');
  });

  it('keeps three digits of a weight, however small', () => {
    expect([0, 0.0123456, -1.5, 123.456, 1.2345e-7].map(format.weight)).toEqual([
      '0',
      '0.0123',
      '-1.50',
      '123',
      '1.2e-7',
    ]);
  });
});
