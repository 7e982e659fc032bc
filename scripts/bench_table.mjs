// Rows and tables of what was measured.
import { spreadOf } from './bench_statistics.mjs';
import { flopPerSample, WORKLOADS } from './bench_workloads.mjs';

/** @typedef {import('./bench_statistics.mjs').Spread} Spread */
/** @typedef {import('./bench_measure.mjs').Outcome} Outcome */
/** @typedef {import('./bench_measure.mjs').Window} Window */

/** @typedef {{ cpu: string, cores: number, chromium?: string, torch?: string, node: string, date: string, command: string }} Machine */
/** @typedef {{ title: string, head: string[], lines: string[][] }} Table */

/**
 * @typedef {object} Results  of one run of the benchmark; what was not measured is not there
 * @property {Machine} machine
 * @property {SpeedRow[]} [speeds]
 * @property {import('./bench_micro.mjs').MicroRow[]} [micro]
 * @property {{ name: string, threads: number, firsts: import('./bench_library.mjs').FirstSteps[],
 *   slices: import('./bench_library.mjs').Slices[] }[]} [steps]
 * @property {Record<'first' | 'second', import('./bench_page.mjs').Load>[]} [loads]
 * @property {(import('./bench_page.mjs').Goal & { clicks: import('./bench_page.mjs').Click[] })[]} [clicks]
 * @property {{ title: string, asked: string, bytes: number, readings: import('./bench_reading.mjs').Reading[] }[]} [files]
 */

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
 * @property {Spread} [gain]  over one thread at the same place, window by window
 * @property {Spread} [peakGain]  the same of the peak
 * @property {Spread} [wholeGain]  the first in those turns only in which the second says that every thread had a whole core
 * @property {Spread} [toTorch]  of PyTorch's speed with the number of threads that suits it better
 * @property {Spread} [latency]  ms of one prediction
 * @property {Outcome['loss']} [loss]
 * @property {Outcome['memory']} [memory]
 */

/** @typedef {{ name: string, workload: import('./bench_workloads.mjs').Workload, place: string, threads: number,
 *   variant: string }} What */
/** @typedef {{ what: What, windows: Window[], outcome: Outcome }} Measured */

/** @param {Measured[]} all  of one workload, which took turns @returns {SpeedRow[]} */
export function speedRows(all) {
  const theirs = all.filter(({ what }) => what.place === 'torch').sort((a, b) => speedOf(b) - speedOf(a))[0];
  return all.map((measured) => {
    const { place, threads } = measured.what;
    const one = all.find(({ what }) => what.place === place && what.threads === 1);
    return {
      ...speedRow(measured),
      ...(one && threads > 1 && gains(measured, one)),
      ...(theirs && place === 'chromium' && { toTorch: spreadOf(ratios(measured, theirs, speedIn)) }),
    };
  });
}

/** Where every thread has a core to itself, now and when it was one, so many have so many times the peak of one, but for that. */
const ALMOST = 0.05;

/** @param {Measured} several  threads @param {Measured} one */
function gains(several, one) {
  const gain = ratios(several, one, speedIn);
  const peakGain = ratios(several, one, ({ peak = Number.NaN }) => peak);
  const whole = gain.filter((_, i) => Math.abs(peakGain[i] / several.what.threads - 1) <= ALMOST);
  return {
    gain: spreadOf(gain),
    ...(peakGain.every(Number.isFinite) && { peakGain: spreadOf(peakGain) }),
    ...(whole.length > 0 && { wholeGain: spreadOf(whole) }),
  };
}

/** How many times as much, window by window. @param {Measured} measured @param {Measured} other
 * @param {(window: Window) => number} value */
function ratios(measured, other, value) {
  return measured.windows.map((window, i) => value(window) / value(other.windows[i]));
}

/** @param {Window} window */
function speedIn({ samplesPerSecond }) {
  return samplesPerSecond;
}

/** @param {Measured} measured */
function speedOf({ windows }) {
  return spreadOf(windows.map(speedIn)).median;
}

/** @param {Measured} measured @returns {SpeedRow} */
function speedRow({ what: { workload, ...what }, windows, outcome }) {
  const gflop = flopPerSample(workload) / 1e9;
  const samplesPerSecond = spreadOf(windows.map(speedIn));
  const peaks = windows.flatMap(({ peak }) => peak ?? []);
  const latencies = windows.flatMap(({ latency }) => latency ?? []);
  return {
    ...what,
    samplesPerSecond,
    gflops: samplesPerSecond.median * gflop,
    ...(peaks.length > 0 && {
      peak: spreadOf(peaks),
      share: spreadOf(windows.map((window, i) => (window.samplesPerSecond * gflop) / peaks[i])),
    }),
    ...(latencies.length > 0 && { latency: spreadOf(latencies) }),
    ...outcome,
  };
}

/**
 * @param {Results} results
 * @returns {Table[]} of what was measured
 */
export function tablesOf({ speeds, micro, steps, loads, clicks, files }) {
  const inBrowser = speeds?.filter(({ place }) => place === 'chromium') ?? [];
  return [
    ...(inBrowser.length > 0 ? [goalTable(inBrowser, speeds ?? [])] : []),
    ...(speeds?.length ? [speedTable(speeds)] : []),
    ...(inBrowser.length > 0 ? [memoryTable(inBrowser)] : []),
    ...(clicks ? [clickTable(clicks)] : []),
    ...(loads ? [loadTable(loads)] : []),
    ...(files ? [fileTable(files)] : []),
    ...(steps ? [stepTable(steps)] : []),
    ...(micro ? [microTable(micro)] : []),
  ];
}

/** What is asked for, in Chromium, and PyTorch's better figure. @param {SpeedRow[]} rows @param {SpeedRow[]} all */
function goalTable(rows, all) {
  const names = [...new Set(rows.map(({ name }) => name))];
  const lines = names.map((name) => {
    const of = (/** @type {SpeedRow[]} */ some, /** @type {number} */ threads) =>
      some.find((row) => row.name === name && row.threads === threads);
    const [one, two] = [of(rows, 1), of(rows, 2)];
    const best = two ?? one;
    const { title, reach } = WORKLOADS[name];
    const torch = all.filter((row) => row.name === name && row.place === 'torch');
    const toTorch = [one, two].flatMap((row) => row?.toTorch?.median ?? []);
    return [
      `${name.slice(0, 2)} ${title}`,
      one ? speed(one) : '',
      two ? speed(two) : '',
      two?.gain ? spread(two.gain) : '',
      two?.peakGain ? two.peakGain.median.toFixed(2) : '',
      two?.wholeGain ? `${spread(two.wholeGain)}, ${two.wholeGain.windows} of ${two.gain?.windows}` : '',
      thousands(reach),
      best ? (best.samplesPerSecond.median / reach).toFixed(2) : '',
      torch.map((row) => thousands(row.samplesPerSecond.median)).join(' / '),
      toTorch.length > 0 ? Math.max(...toTorch).toFixed(2) : '',
    ];
  });
  const head = [
    'samples per second',
    '1 thread',
    '2 threads',
    '2 : 1',
    'of the peak',
    'on whole cores, turns',
    'asked for',
    'of it',
    'PyTorch',
    'ours : theirs',
  ];
  return { title: 'In Chromium', head, lines };
}

/** @param {Spread} ratio */
function spread({ median, low, high }) {
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** @param {SpeedRow} row */
function speed({ samplesPerSecond, share }) {
  return `${thousands(samplesPerSecond.median)}${share ? ` (${percent(share.median)} of the peak)` : ''}`;
}

/** @param {SpeedRow[]} rows */
function speedTable(rows) {
  const head = ['', 'in', 'threads', 'samples/s', 'quartiles', 'GFLOP/s', 'peak', 'of it', 'ms', 'loss'];
  const lines = rows.map(
    ({ name, place, variant, threads, samplesPerSecond, gflops, peak, share, latency, loss }) => [
      name,
      variant === 'exact' ? place : `${place}, ${variant}`,
      `${threads}`,
      thousands(samplesPerSecond.median),
      `${thousands(samplesPerSecond.low)} to ${thousands(samplesPerSecond.high)}`,
      gflops.toFixed(1),
      peak ? peak.median.toFixed(0) : '',
      share ? percent(share.median) : '',
      latency ? latency.median.toFixed(2) : '',
      loss ? `${loss.before.toPrecision(3)} to ${loss.after.toPrecision(3)}` : '',
    ],
  );
  return { title: 'Everywhere', head, lines };
}

/** @param {SpeedRow[]} rows */
function memoryTable(rows) {
  const lines = rows.flatMap(({ name, threads, memory }) =>
    memory
      ? [[name, `${threads}`, ...[memory.plannedBytes, memory.dataBytes, memory.heapBytes].map(megabytes)]]
      : [],
  );
  return {
    title: 'Memory',
    head: ['MB', 'threads', 'planned for the run', 'data', 'heap of the engine'],
    lines,
  };
}

/** @param {NonNullable<Results['clicks']>} goals */
function clickTable(goals) {
  const lines = goals.map(({ title, recipe, seconds, clicks }) => {
    const all = spreadOf(clicks.map(({ ms }) => ms / 1000));
    return [
      title,
      recipe,
      `${all.median.toFixed(2)} s`,
      `${all.low.toFixed(2)} to ${all.high.toFixed(2)}`,
      `${spreadOf(clicks.map(({ loadedMs }) => loadedMs / 1000)).median.toFixed(2)} s`,
      clicks.map(({ accuracy }) => `${(100 * accuracy).toFixed(2)} %`)[0],
      `${seconds} s`,
    ];
  });
  const head = [
    '',
    'recipe',
    'from click',
    'quartiles',
    'of it until training',
    'test accuracy at the end',
    'asked for',
  ];
  return { title: 'From the click on Train to an accuracy, in the page', head, lines };
}

/** @param {NonNullable<Results['loads']>} loads */
function loadTable(loads) {
  const line = (/** @type {string} */ title, /** @type {'first' | 'second'} */ which) => [
    title,
    milliseconds(loads.map((load) => load[which].paintMs)),
    milliseconds(loads.map((load) => load[which].readyMs)),
  ];
  const lines = [line('first', 'first'), line('second, from the cache', 'second')];
  return {
    title: 'Loading the page',
    head: ['load', 'something is seen', 'the network reads the pad'],
    lines,
  };
}

/** @param {NonNullable<Results['files']>} rows */
function fileTable(rows) {
  const lines = rows.map(({ title, asked, bytes, readings }) => {
    const all = spreadOf(readings.map(({ ms }) => ms / 1000));
    const ratio = (/** @type {'heapBytes' | 'peakBytes'} */ key) =>
      spreadOf(readings.map((reading) => reading[key] / reading.setBytes)).median.toFixed(2);
    return [
      title,
      megabytes(bytes),
      `${all.median.toFixed(2)} s`,
      `${all.low.toFixed(2)} to ${all.high.toFixed(2)}`,
      (bytes / 1e6 / all.median).toFixed(0),
      ratio('heapBytes'),
      ratio('peakBytes'),
      milliseconds(readings.map(({ thumbnailsMs }) => thumbnailsMs)),
      milliseconds(readings.map(({ pageMs }) => pageMs)),
      milliseconds(readings.map(({ longestTaskMs }) => longestTaskMs)),
      asked,
    ];
  });
  const head = ['', 'MB', 'library', 'quartiles', 'MB/s', 'heap : set', 'process : set'];
  head.push('page: samples are seen', 'all is understood', 'longest task', 'asked for');
  return { title: 'Reading files', head, lines };
}

/** @param {NonNullable<Results['steps']>} rows */
function stepTable(rows) {
  const lines = rows.map(({ name, threads, firsts, slices }) => [
    name,
    `${threads}`,
    .../** @type {const} */ (['engineMs', 'runMs', 'firstStepMs', 'laterStepMs']).map((key) =>
      milliseconds(firsts.map((one) => one[key])),
    ),
    milliseconds(slices.map(({ ms }) => ms)),
    `${(100 * spreadOf(slices.map(({ outside }) => outside)).median).toFixed(2)} %`,
  ]);
  const head = [
    '',
    'threads',
    'engine',
    'run',
    'first step',
    'later step',
    'a slice',
    'of it outside of the core',
  ];
  return { title: 'First steps, and what the library costs', head, lines };
}

/** @param {NonNullable<Results['micro']>} rows */
function microTable(rows) {
  const lines = rows.map(({ place, kernel, shape, threads, gflops, share, microseconds }) => [
    shape,
    place,
    kernel,
    `${threads}`,
    gflops === undefined ? '' : gflops.toFixed(1),
    share === undefined ? '' : percent(share),
    microseconds === undefined ? '' : microseconds.toFixed(1),
  ]);
  return {
    title: 'Single kernels',
    head: ['', 'in', 'kernel', 'threads', 'GFLOP/s', 'of its peak', 'us'],
    lines,
  };
}

/** For a terminal. @param {Results} results */
export function tables(results) {
  return tablesOf(results)
    .map(({ title, head, lines }) => `${title}\n${columns([head, ...lines])}\n`)
    .join('\n');
}

/** For a document. @param {Table} table */
export function markdown({ title, head, lines }) {
  const rows = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  return `### ${title}\n\n${rows.join('\n')}\n`;
}

/** @param {string[][]} lines  each with a cell for every column */
function columns(lines) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const padded = lines.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))),
  );
  return padded.map((cells) => cells.join('  ').trimEnd()).join('\n');
}

/** Three digits that mean something. @param {number} value */
export function thousands(value) {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 10 });
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/** @param {number[]} values */
function milliseconds(values) {
  return `${Number(spreadOf(values).median.toPrecision(3))} ms`;
}
