import { describe, expect, it } from 'vitest';
import { Curve } from './curve.js';

describe('a curve', () => {
  it('keeps every step while they fit', () => {
    const curve = new Curve(8);
    curve.append(1, [3, 2]);
    curve.append(3, [1]);
    expect(curve.steps).toEqual([1, 2, 3]);
    expect(curve.values).toEqual([3, 2, 1]);
  });

  it('averages neighbours when they do not, and counts every step', () => {
    const curve = new Curve(8);
    const values = Float32Array.from({ length: 1024 }, (_, i) => i);
    for (let i = 0; i < 1024; i += 100) curve.append(i + 1, values.subarray(i, i + 100));
    expect(curve.steps.length).toBeLessThanOrEqual(8);
    expect(curve.steps.at(-1)).toBe(1024);
    const mean = curve.values.reduce((sum, value) => sum + value, 0) / curve.values.length;
    expect(mean).toBeCloseTo(511.5, 6);
  });

  it('gives the same points however the steps arrive', () => {
    const values = Array.from({ length: 777 }, (_, i) => Math.sin(i));
    const whole = new Curve(64);
    whole.append(1, values);
    const pieces = new Curve(64);
    for (let i = 0; i < values.length; i += 13) pieces.append(i + 1, values.slice(i, i + 13));
    expect(pieces.steps).toEqual(whole.steps);
    expect(pieces.values).toEqual(whole.values);
  });
});
