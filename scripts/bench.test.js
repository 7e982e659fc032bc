// The benchmark's pure parts: how much arithmetic a workload is, what windows say, what tables are made of.
import { describe, expect, it } from 'vitest';
import { fillIn } from './bench_document.mjs';
import { quantile, spreadOf } from './bench_statistics.mjs';
import { speedRows, tables, tablesOf, thousands } from './bench_table.mjs';
import { flopPerSample, multiplications, WORKLOADS } from './bench_workloads.mjs';

/** @typedef {import('./bench_measure.mjs').Window} Window */

const W1 = { name: 'W1', workload: WORKLOADS.W1, variant: 'exact' };

describe('floating-point operations', () => {
  it('counts the multiplications of dense layers and of convolutions with and without a border', () => {
    expect(multiplications(WORKLOADS.W2.recipe.model)).toEqual([784 * 64, 64 * 64, 64 * 10]);
    expect(multiplications(WORKLOADS.W5.recipe.model)).toEqual([
      26 * 26 * 8 * 9,
      11 * 11 * 16 * 9 * 8,
      5 * 5 * 16 * 10,
    ]);
    expect(multiplications(WORKLOADS.W6.recipe.model)).toEqual([
      32 * 32 * 32 * 9 * 3,
      16 * 16 * 64 * 9 * 32,
      8 * 8 * 64 * 9 * 64,
      4 * 4 * 64 * 64,
      64 * 10,
    ]);
  });

  it('trains with three products a layer, but the first has no gradient of its input', () => {
    expect(flopPerSample(WORKLOADS.W1)).toBe(2 * 2 * 7840);
    expect(flopPerSample(WORKLOADS.W7)).toBe(2 * (2 * 1024 * 32 + 3 * (2 * 32 * 32 + 32 * 1024)));
    expect(flopPerSample(WORKLOADS['I1 batch 1'])).toBe(2 * 8_028_800);
  });

  it('agrees with what the issue of the benchmark takes for the limit of two threads', () => {
    // samples per second at 97 GFLOP/s
    const limits = { W1: 3_100_000, W2: 420_000, W3: 95_000, W4: 40_000, W5: 92_000, W6: 2090, W7: 285_000 };
    for (const [name, limit] of Object.entries(limits))
      expect(97e9 / flopPerSample(WORKLOADS[name]) / limit, name).toBeCloseTo(1, 1);
  });
});

describe('windows', () => {
  it('have a median and quartiles, whatever their order', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, windows: 5 });
    expect(quantile([1, 2], 0.5)).toBe(1.5);
    expect(quantile([7], 0.25)).toBe(7);
  });

  it('are compared with the peak that was measured beside each', () => {
    const peaks = [31.36, 62.72, 94.08];
    const windows = [1e6, 2e6, 3e6].map((samplesPerSecond, i) => ({ samplesPerSecond, peak: peaks[i] }));
    const [row] = speedRows([{ what: { ...W1, place: 'node', threads: 1 }, windows, outcome: {} }]);
    expect(row.share).toMatchObject({ median: 1, low: 1, high: 1 });
    expect(row.gflops).toBeCloseTo(62.72);
  });

  it('of one thread, several and PyTorch are compared with those of the same turn', () => {
    const side = (
      /** @type {string} */ place,
      /** @type {number} */ threads,
      /** @type {Window[]} */ windows,
    ) => ({
      what: { ...W1, place, threads },
      windows,
      outcome: {},
    });
    const [one, two, native, ...theirs] = speedRows([
      side(
        'chromium',
        1,
        [10, 20, 60].map((samplesPerSecond, i) => ({ samplesPerSecond, peak: [10, 15, 20][i] })),
      ),
      side(
        'chromium',
        2,
        [15, 40, 60].map((samplesPerSecond) => ({ samplesPerSecond, peak: 30 })),
      ),
      side('native', 2, [{ samplesPerSecond: 100 }]),
      side(
        'torch',
        1,
        [20, 40, 100].map((samplesPerSecond) => ({ samplesPerSecond })),
      ),
      side(
        'torch',
        2,
        [90, 10, 10].map((samplesPerSecond) => ({ samplesPerSecond })),
      ),
    ]);
    expect(two.gain).toMatchObject({ median: 1.5, low: 1.25, high: 1.75 });
    expect(two.peakGain?.median).toBe(2);
    expect(two.wholeGain).toMatchObject({ median: 2, windows: 1 }); // in the first turn one thread had no whole core
    expect([one.toTorch?.median, two.toTorch?.median]).toEqual([0.5, 0.75]);
    for (const row of [one, native, theirs[0]]) expect(row).not.toHaveProperty('gain');
    for (const row of [native, ...theirs]) expect(row).not.toHaveProperty('toTorch');
  });
});

describe('tables', () => {
  const outcome = {
    loss: { before: 2.3, after: 0.4 },
    memory: { plannedBytes: 4e6, heapBytes: 9e7, dataBytes: 4.7e7 },
  };
  const side = (
    /** @type {string} */ place,
    /** @type {number} */ threads,
    /** @type {number} */ samplesPerSecond,
    /** @type {number} */ peak,
  ) => ({ what: { ...W1, place, threads }, windows: [{ samplesPerSecond, peak }], outcome });
  const machine = {
    cpu: 'a CPU',
    cores: 2,
    chromium: 'Chrome/1',
    node: 'v20.0.0',
    date: '2026-01-01',
    command: 'npm run bench',
  };
  const results = {
    machine,
    speeds: speedRows([
      side('chromium', 1, 400_000, 62.72),
      side('chromium', 2, 600_000, 94.08),
      side('torch', 1, 500_000, 100),
      side('torch', 2, 300_000, 100),
    ]),
  };

  it('say what two threads bring, what is asked for, and how PyTorch compares', () => {
    const [{ head, lines }] = tablesOf(results);
    expect(head).toHaveLength(lines[0].length);
    expect(lines).toEqual([
      [
        'W1 linear 784-10, batch 32',
        '400,000 (20 % of the peak)',
        '600,000 (20 % of the peak)',
        '1.50 (1.50 to 1.50)',
        '1.50',
        '',
        '900,000',
        '0.67',
        '500,000 / 300,000',
        '1.20',
      ],
    ]);
  });

  it('have as many cells in every line as in the head', () => {
    for (const { title, head, lines } of tablesOf(results))
      for (const line of lines) expect(line, title).toHaveLength(head.length);
    expect(tables(results)).toContain('600,000');
  });

  it('round to three digits', () => {
    expect([1234567, 999.6, 12.345, 0.01234].map(thousands)).toEqual([
      '1,230,000',
      '1,000',
      '12.3',
      '0.0123',
    ]);
  });

  it('take their place between the marks of the document and leave the rest', () => {
    const marked =
      'before\n<!-- measured: written by npm run bench -- --write -->\nold\n<!-- end of what was measured -->\nafter\n';
    const filled = fillIn(marked, [results]);
    expect(filled).toMatch(/^before\n<!-- measured/);
    expect(filled).toMatch(/<!-- end of what was measured -->\nafter\n$/);
    expect(filled).not.toContain('old');
    expect(filled).toContain('`npm run bench`, 2026-01-01: a CPU, 2 cores; Chrome/1, Node 20.0.0. Medians.');
    expect(fillIn(filled, [results])).toBe(filled);
    const other = {
      machine,
      loads: [{ first: { paintMs: 1, readyMs: 2 }, second: { paintMs: 1, readyMs: 1 } }],
    };
    expect(fillIn(marked, [results, other]).match(/2026-01-01/g)).toHaveLength(1); // one run, told once
    expect(() => fillIn('no marks', [])).toThrow('lost its marks');
  });
});
