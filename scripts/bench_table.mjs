// Rows and tables of what was measured.
import { spreadOf } from './bench_statistics.mjs';
import { flopPerSample } from './bench_workloads.mjs';

/** @typedef {import('./bench_statistics.mjs').Spread} Spread */
/** @typedef {import('./bench_measure.mjs').Measured} Measured */

/**
 * @typedef {object} SpeedRow
 * @property {string} name  of the workload
 * @property {string} place  chromium, node, native or torch
 * @property {number} threads
 * @property {string} variant
 * @property {Spread} samplesPerSecond
 * @property {number} gflops  of the products alone
 * @property {Spread} [peak]  GFLOP/s of so many threads with vectors of 128 bits
 * @property {Spread} [share]  of the peak, window by window
 * @property {Spread} [latency]  ms of one prediction
 * @property {Measured['loss']} [loss]
 * @property {Measured['memory']} [memory]
 */

/**
 * @param {{ name: string, workload: import('./bench_workloads.mjs').Workload, place: string, threads: number,
 *   variant: string }} what
 * @param {Partial<Measured> & Pick<Measured, 'samplesPerSecond'>} measured
 * @returns {SpeedRow}
 */
export function speedRow({ workload, ...what }, { samplesPerSecond, peaks, latencies, loss, memory }) {
  const gflop = flopPerSample(workload) / 1e9;
  const speed = spreadOf(samplesPerSecond);
  return {
    ...what,
    samplesPerSecond: speed,
    gflops: speed.median * gflop,
    ...(peaks && {
      peak: spreadOf(peaks),
      share: spreadOf(samplesPerSecond.map((one, i) => (one * gflop) / peaks[i])),
    }),
    ...(latencies && { latency: spreadOf(latencies) }),
    loss,
    memory,
  };
}

/** @param {SpeedRow[]} rows */
export function speedTable(rows) {
  const head = ['', 'in', 'threads', 'samples/s', 'quartiles', 'GFLOP/s', 'of peak', 'ms', 'loss'];
  const lines = rows.map(({ name, place, threads, samplesPerSecond, gflops, share, latency, loss }) => [
    name,
    place,
    `${threads}`,
    thousands(samplesPerSecond.median),
    `${thousands(samplesPerSecond.low)} to ${thousands(samplesPerSecond.high)}`,
    gflops.toFixed(1),
    share ? percent(share.median) : '',
    latency ? latency.median.toFixed(2) : '',
    loss ? `${loss.before.toPrecision(3)} to ${loss.after.toPrecision(3)}` : '',
  ]);
  return columns([head, ...lines]);
}

/** @param {string[][]} lines  each with a cell for every column */
function columns(lines) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padStart(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Three digits that mean something. @param {number} value */
export function thousands(value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(value, 1))));
  const rounded = value >= 1000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString('en', { maximumFractionDigits: digits });
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}
