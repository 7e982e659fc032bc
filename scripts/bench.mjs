// npm run bench: how fast tabgrad trains and predicts, beside the peak of the same machine in the same minutes.
//
//   node scripts/bench.mjs [--only W5,I1] [--in chromium,node,native] [--threads 1,2] [--variant fast] [--torch]
//                          [--windows N] [--window MS] [--json]
//
// --only takes names of measurements or their beginnings. --variant fast: relaxed SIMD. --torch: PyTorch's figure
// beside ours. --json: one JSON document on standard output instead of tables.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openChromium } from './bench_chromium.mjs';
import { measure } from './bench_measure.mjs';
import { measureNative } from './bench_native.mjs';
import { speedRow, speedTable } from './bench_table.mjs';
import { findTorch, startTorch } from './bench_torch.mjs';
import { FILES, WORKLOADS } from './bench_workloads.mjs';
import { build } from './build.mjs';
import { prepareNative } from './build_native.mjs';
import { binaryDirectory, buildPreset } from './cmake.mjs';
import { emscriptenEnvironment, prepareEmscripten } from './emscripten.mjs';
import { Failure, runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

/** @typedef {import('./bench_measure.mjs').Job} Job */
/** @typedef {import('./bench_measure.mjs').Measured} Measured */
/** @typedef {import('./bench_table.mjs').SpeedRow} SpeedRow */
/** @typedef {(typeof PLACES)[number]} Place */
/** @typedef {{ only: string[], places: Place[], threads: number[], variant: 'exact' | 'fast', windows: number, windowMs: number,
 *   torch: boolean, json: boolean }} Options */

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const PLACES = /** @type {const} */ (['chromium', 'node', 'native']);
const VARIANTS = /** @type {const} */ (['exact', 'fast']);

await runMain(async () => {
  const options = readOptions();
  await prepare(options);
  const chromium = options.places.includes('chromium') ? await openChromium() : null;
  try {
    const machine = describeMachine(chromium?.version);
    const speeds = await measureWorkloads(options, chromium);
    if (options.json) console.log(JSON.stringify({ machine, speeds }, null, 2));
    else console.log(speedTable(speeds));
  } finally {
    await chromium?.close();
  }
});

/** @returns {Options} */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        in: { type: 'string', multiple: true, default: [...PLACES] },
        threads: { type: 'string', multiple: true, default: ['1', '2'] },
        variant: { type: 'string', default: 'exact' },
        windows: { type: 'string', default: '7' },
        window: { type: 'string', default: '600' },
        torch: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    return {
      only: split(values.only),
      places: split(values.in).map((name) => oneOf('--in', name, PLACES)),
      threads: split(values.threads).map((text) => count('--threads', text)),
      variant: oneOf('--variant', values.variant, VARIANTS),
      windows: count('--windows', values.windows),
      windowMs: count('--window', values.window),
      torch: values.torch,
      json: values.json,
    };
  } catch (error) {
    throw new Failure(/** @type {Error} */ (error).message);
  }
}

/** @param {string[]} lists  "1,2" or "1" and "2" */
function split(lists) {
  return lists.flatMap((list) => list.split(','));
}

/** @param {string} option @param {string} text */
function count(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Failure(`${option} takes whole numbers from 1, not "${text}".`);
}

/**
 * @template {string} T
 * @param {string} option @param {string} name @param {readonly T[]} all
 */
function oneOf(option, name, all) {
  const found = all.find((one) => one === name);
  if (found !== undefined) return found;
  throw new Failure(`${option} takes ${all.join(', ')}, not "${name}".`);
}

/** @param {Options} options */
async function prepare({ places, torch }) {
  await build(); // the library, and Emscripten
  const env = emscriptenEnvironment(await prepareEmscripten());
  await step('building the peak kernel', () => buildPreset('wasm', { env, target: 'peak' }));
  if (places.includes('chromium')) await prepareTools(['test']);
  if (places.includes('native')) {
    await prepareNative();
    await step('building bench_peak', () => buildPreset('release', { target: 'bench_peak' }));
  }
  if (torch) await findTorch();
}

/** @param {string} [chromium] */
function describeMachine(chromium) {
  const [cpu] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  return { cpu: cpu.model, cores: cpus().length, chromium, node: process.version, date, command };
}

/** @param {Options} options @param {import('./bench_chromium.mjs').Chromium | null} chromium */
async function measureWorkloads(options, chromium) {
  const { only, places, threads, variant, windows, windowMs } = options;
  const names = Object.keys(WORKLOADS).filter((name) => isWanted(name, only));
  /** @type {SpeedRow[]} */
  const rows = [];
  for (const name of names) {
    const workload = WORKLOADS[name];
    const missing = missingFiles(workload.dataset);
    if (missing) {
      console.error(`  ${name} is left out: ${missing}`);
      continue;
    }
    for (const count of threads) {
      for (const place of places) {
        if (place === 'native' && (workload.kind === 'inference' || variant === 'fast')) continue;
        const job = { workload, threads: count, variant, windows, windowMs };
        const measured = await step(`${name} in ${place}, threads: ${count}`, () =>
          measureIn(place, job, chromium),
        );
        rows.push(speedRow({ name, workload, place, threads: count, variant }, measured));
      }
      if (options.torch) rows.push(await measureTorch(name, count, options));
    }
  }
  return rows;
}

/** @param {string} name @param {string[]} only */
function isWanted(name, only) {
  return only.length === 0 || only.some((one) => name.startsWith(one));
}

/** @param {string} dataset */
function missingFiles(dataset) {
  const folder = join(PROJECT, 'build/data', dataset);
  if (FILES[dataset].every((file) => existsSync(join(folder, file)))) return null;
  return `build/data/${dataset}/ is not prepared; run: npm run datasets -- ${dataset}`;
}

/**
 * @param {Place} place @param {Job} job @param {import('./bench_chromium.mjs').Chromium | null} chromium
 * @returns {Promise<Measured>}
 */
async function measureIn(place, job, chromium) {
  const { workload } = job;
  const measured = await (place === 'native'
    ? measureNative(job, binaryDirectory('release'))
    : place === 'node' || !chromium
      ? measure(job)
      : chromium.call('scripts/bench_measure.mjs', 'measure', job));
  const { loss } = measured;
  if (loss && !(loss.after < loss.before))
    throw new Failure(`${workload.title}, in ${place}: the loss went from ${loss.before} to ${loss.after}.`);
  return measured;
}

/** @param {string} name @param {number} threads @param {Options} options */
async function measureTorch(name, threads, { windows, windowMs }) {
  const workload = WORKLOADS[name];
  const { python } = await findTorch();
  const torch = startTorch(python, threads);
  try {
    await torch.window(name, workload, windowMs); // warms up
    const samplesPerSecond = [];
    for (let i = 0; i < windows; i++) samplesPerSecond.push(await torch.window(name, workload, windowMs));
    return speedRow({ name, workload, place: 'torch', threads, variant: 'exact' }, { samplesPerSecond });
  } finally {
    torch.close();
  }
}
