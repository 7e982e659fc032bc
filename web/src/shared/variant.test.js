import { describe, expect, it } from 'vitest';
import { pickVariant, probeSupport } from './variant.js';

const all = { simd: true, threads: true, relaxedSimd: true, cores: 4 };

it('finds out what this machine can do', async () => {
  expect(await probeSupport()).toEqual({
    simd: true,
    threads: true,
    relaxedSimd: expect.any(Boolean),
    cores: expect.any(Number),
  });
});

describe('picks', () => {
  it.each([
    ['threads where there are any', {}, all, 'threads', 4],
    ['no more than 8 by itself', {}, { ...all, cores: 64 }, 'threads', 8],
    ['one thread where there is one core', {}, { ...all, cores: 1 }, 'simd', 1],
    ['one thread where pages are not isolated', {}, { ...all, threads: false }, 'simd', 1],
    ['the number that is asked for', { threads: 3 }, all, 'threads', 3],
    ['the number that is asked for, also above the cores', { threads: 12 }, all, 'threads', 12],
    ['one thread when asked', { threads: 1 }, all, 'simd', 1],
    ['fast only when asked', { precision: 'fast' }, all, 'fast', 4],
    [
      'double on one thread, with SIMD or without',
      { precision: 'double' },
      { ...all, simd: false },
      'double',
      1,
    ],
    ['fast with one thread', { precision: 'fast', threads: 1 }, all, 'fast', 1],
  ])('%s', (_, wish, support, variant, threads) => {
    expect(pickVariant(/** @type {any} */ (wish), support)).toEqual({ variant, threads });
  });
});

describe('refuses', () => {
  it.each([
    [
      { threads: 2 },
      { ...all, threads: false },
      'unsupported',
      /^threads: more than one needs shared memory, .* use 'auto'$/,
    ],
    [
      { precision: 'fast' },
      { ...all, relaxedSimd: false },
      'unsupported',
      /^precision: .*relaxed SIMD.* use 'exact'$/,
    ],
    [
      { precision: 'fast' },
      { ...all, threads: false },
      'unsupported',
      /^precision: .*shared memory.* use 'exact'$/,
    ],
    [{}, { ...all, simd: false }, 'unsupported', /runs no WebAssembly SIMD/],
    [{ threads: 0 }, all, 'argument', /^threads: 0 is neither/],
    [{ threads: 2.5 }, all, 'argument', /^threads: 2.5 is neither/],
    [{ precision: 'exat' }, all, 'argument', /^precision: exat is none of/],
    [{ precision: 'double', threads: 2 }, all, 'argument', /^threads: 'double' computes with one, not 2/],
  ])('%o', (wish, support, code, message) => {
    const pick = () => pickVariant(/** @type {any} */ (wish), support);
    expect(pick).toThrow(message);
    expect(pick).toThrow(expect.objectContaining({ code }));
  });
});
