// npm run bench: how fast tabgrad trains and predicts, beside the peak of the same machine in the same minutes.
//
//   node scripts/bench.mjs [--only W5,micro] [--in chromium,node,native] [--threads 1,2] [--variant fast] [--torch]
//                          [--windows N] [--window MS] [--json] [--write]
//
// --only takes names, or their beginnings, of workloads (W1 to W7, I1) and of the other measurements: micro (single
// kernels), steps (the first ones, and what the library costs beside the core), load (of the page), click (to an
// accuracy), files (read by the library and in the page; files-cifar for one kind of them). --variant fast: relaxed SIMD. --torch: PyTorch's figure beside ours. --json: one JSON document instead of
// tables. --write: also into docs/performance.json and the tables of docs/performance.md.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openChromium } from './bench_chromium.mjs';
import { writePerformance } from './bench_document.mjs';
import { openSide } from './bench_measure.mjs';
import { measureMicroChromium, measureMicroNative, microPrograms } from './bench_micro.mjs';
import { openNative } from './bench_native.mjs';
import { GOALS, measureClick, measureLoad } from './bench_page.mjs';
import { bytesOf, FILE_SETS, measureReading } from './bench_reading.mjs';
import { speedRows, tables } from './bench_table.mjs';
import { findTorch, openTorch } from './bench_torch.mjs';
import { FILES, WORKLOADS } from './bench_workloads.mjs';
import { build } from './build.mjs';
import { prepareNative } from './build_native.mjs';
import { binaryDirectory, buildPreset } from './cmake.mjs';
import { emscriptenEnvironment, prepareEmscripten } from './emscripten.mjs';
import { FORMAT_FILES, prepareFormats } from './make_formats.mjs';
import { Failure, runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

/** @typedef {import('./bench_chromium.mjs').Call} Call */
/** @typedef {import('./bench_chromium.mjs').Chromium} Chromium */
/** @typedef {import('./bench_measure.mjs').Job} Job */
/** @typedef {import('./bench_measure.mjs').Side} Side */
/** @typedef {import('./bench_table.mjs').Measured} Measured */
/** @typedef {import('./bench_table.mjs').SpeedRow} SpeedRow */
/** @typedef {import('./bench_table.mjs').Results} Results */
/** @typedef {(typeof PLACES)[number]} Place */
/** @typedef {{ only: string[], places: Place[], threads: number[], variant: 'exact' | 'fast', windows: number, windowMs: number,
 *   torch: boolean, json: boolean, write: boolean }} Options */

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const PLACES = /** @type {const} */ (['chromium', 'node', 'native']);
/** Measurements beside the workloads; all but the first need a browser. */
const OTHERS = ['micro', 'steps', 'load', 'click', ...Object.keys(FILE_SETS).map((name) => `files-${name}`)];
/** How often what takes one attempt at a time is measured. */
const ATTEMPTS = 5;
const VARIANTS = /** @type {const} */ (['exact', 'fast']);

await runMain(async () => {
  const options = readOptions();
  const wanted = [...Object.keys(WORKLOADS), ...OTHERS].filter((name) => isWanted(name, options.only));
  if (wanted.length === 0)
    throw new Failure(`--only names nothing there is: ${[...Object.keys(WORKLOADS), ...OTHERS].join(', ')}.`);
  await prepare(options, wanted);
  const needsPage = OTHERS.slice(1).some((name) => wanted.includes(name));
  const chromium = options.places.includes('chromium') || needsPage ? await openChromium() : null;
  try {
    /** @type {Results} */
    const results = { machine: await describeMachine(options, chromium) };
    const speeds = await measureWorkloads(options, wanted, chromium);
    if (speeds.length > 0) results.speeds = speeds;
    if (wanted.includes('micro')) results.micro = await measureMicro(options, chromium);
    if (chromium && wanted.includes('steps')) results.steps = await measureSteps(options, chromium);
    if (chromium && wanted.includes('load')) {
      const loads = await repeat('load', () => measureLoad(chromium));
      if (loads) results.loads = loads;
    }
    if (chromium && wanted.includes('click')) results.clicks = await measureClicks(chromium);
    const fileSets = Object.keys(FILE_SETS).filter((name) => wanted.includes(`files-${name}`));
    if (chromium && fileSets.length > 0) results.files = await measureFiles(chromium, fileSets);
    console.log(options.json ? JSON.stringify(results, null, 2) : tables(results));
    if (options.write) await writePerformance(results);
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
        windows: { type: 'string', default: '11' },
        window: { type: 'string', default: '600' },
        torch: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
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
      write: values.write,
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

/** @param {Options} options @param {string[]} wanted */
async function prepare({ places, torch }, wanted) {
  await build(); // the library, and Emscripten
  const env = emscriptenEnvironment(await prepareEmscripten());
  const programs = wanted.includes('micro') ? 'benches' : null;
  await step('building the peak kernel', () => buildPreset('wasm', { env, target: programs ?? 'peak' }));
  if (programs)
    await step('building the micro-benchmarks', () => buildPreset('wasm-mt', { env, target: programs }));
  if (places.includes('chromium')) await prepareTools(['test']);
  if (places.includes('native')) {
    await prepareNative();
    await step('building bench_peak', () => buildPreset('release', { target: programs ?? 'bench_peak' }));
  }
  const formats = Object.keys(FORMAT_FILES).filter((name) => wanted.includes(`files-${name}`));
  await prepareFormats(/** @type {(keyof typeof FORMAT_FILES)[]} */ (formats));
  if (torch) await findTorch();
}

/** @param {Options} options @param {Chromium | null} chromium */
async function describeMachine({ torch }, chromium) {
  const [{ model }] = cpus();
  return {
    cpu: model.trim(),
    cores: cpus().length,
    chromium: chromium?.version,
    torch: torch ? (await findTorch()).version : undefined,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  };
}

/** @param {Options} options @param {string[]} wanted @param {Chromium | null} chromium */
async function measureWorkloads(options, wanted, chromium) {
  /** @type {SpeedRow[]} */
  const rows = [];
  for (const name of Object.keys(WORKLOADS).filter((name) => wanted.includes(name))) {
    const missing = missingFiles(WORKLOADS[name].dataset);
    if (missing) console.error(`  ${name} is left out: ${missing}`);
    else rows.push(...((await tried(name, () => measureWorkload(name, options, chromium))) ?? []));
  }
  return rows;
}

/** @param {string} name @param {Options} options @param {Chromium | null} chromium */
async function measureWorkload(name, options, chromium) {
  const page = await chromium?.open();
  try {
    const turns = await openAll(name, options, page?.call);
    return speedRows(await takeTurns(turns, options.windows));
  } finally {
    await page?.close();
  }
}

/** @typedef {Measured & { title: string, side: Side }} Turn */

/** @param {string} name @param {Options} options @param {Call | undefined} call  into a page */
async function openAll(name, { places, threads, variant, windowMs, torch }, call) {
  const workload = WORKLOADS[name];
  /** @type {Turn[]} */
  const turns = [];
  for (const count of threads) {
    for (const place of [...places, ...(torch ? /** @type {const} */ (['torch']) : [])]) {
      if (place === 'native' && (workload.kind === 'inference' || variant === 'fast')) continue;
      const title = `${name} in ${place}, threads: ${count}`;
      const job = { workload, threads: count, variant, windowMs };
      const side = await tried(title, () => openIn(place, job, call));
      const what = { name, workload, place, threads: count, variant: place === 'torch' ? 'exact' : variant };
      if (side) turns.push({ what, title, side, windows: [], outcome: {} });
    }
  }
  return turns;
}

/** One window each, again and again, as the machine is another one every minute.
 * @param {Turn[]} turns @param {number} windows */
async function takeTurns(turns, windows) {
  try {
    for (let i = 0; i < windows; i++) for (const turn of turns) turn.windows.push(await turn.side.window());
  } finally {
    // All of them, also where one fails: a program that is stopped would keep this one from ending.
    const ends = turns.map(async (turn) => Object.assign(turn, { outcome: await turn.side.end() }));
    await Promise.all(ends);
  }
  return turns.filter(({ title, outcome: { loss } }) => {
    if (!loss || loss.after < loss.before) return true;
    console.error(`  ${title}: the loss went from ${loss.before} to ${loss.after}.`);
    process.exitCode = 1;
    return false;
  });
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
 * @param {Place | 'torch'} place @param {Job} job @param {Call | undefined} call  into a page
 * @returns {Promise<Side>}
 */
async function openIn(place, job, call) {
  if (place === 'native') return openNative(job, binaryDirectory('release'));
  if (place === 'torch') return openTorch(job);
  if (place === 'node' || !call) return openSide(job);
  const module = 'scripts/bench_measure.mjs';
  const number = await call(module, 'open', job);
  return { window: () => call(module, 'windowOf', number), end: () => call(module, 'end', number) };
}

/** @param {Options} options @param {Chromium | null} chromium */
async function measureMicro({ places, threads }, chromium) {
  const rows = [];
  for (const name of await microPrograms()) {
    for (const count of threads) {
      if (places.includes('native')) {
        const program = () => measureMicroNative(name, count, binaryDirectory('release'));
        rows.push(...((await tried(`${name}, native, threads: ${count}`, program)) ?? []));
      }
      if (chromium && places.includes('chromium')) {
        const program = () => measureMicroChromium(name, count, chromium);
        rows.push(...((await tried(`${name} in chromium, threads: ${count}`, program)) ?? []));
      }
    }
  }
  return rows;
}

/** @param {Options} options @param {Chromium} chromium */
async function measureSteps({ threads, windowMs }, chromium) {
  const rows = [];
  for (const name of ['W1', 'W5']) {
    for (const count of threads) {
      const job = { workload: WORKLOADS[name], threads: count, ms: windowMs };
      const call = (/** @type {string} */ measurement) =>
        chromium.call('scripts/bench_library.mjs', measurement, job);
      const firsts = await repeat(`steps of ${name}`, () => call('measureFirstSteps'));
      const slices = await repeat(`slices of ${name}`, () => call('measureSlices'));
      if (firsts && slices) rows.push({ name, threads: count, firsts, slices });
    }
  }
  return rows;
}

/** @param {Chromium} chromium */
async function measureClicks(chromium) {
  const rows = [];
  for (const goal of GOALS) {
    const missing = goal.open ? missingFiles(goal.open.dataset) : null;
    if (missing) console.error(`  ${goal.title} is left out: ${missing}`);
    const clicks = missing ? null : await repeat(goal.title, () => measureClick(chromium, goal));
    if (clicks) rows.push({ ...goal, clicks });
  }
  return rows;
}

/** @param {Chromium} chromium @param {string[]} names  of FILE_SETS */
async function measureFiles(chromium, names) {
  const rows = [];
  for (const name of names) {
    const { title, files, asked } = FILE_SETS[name];
    const readings = await repeat(title, () => measureReading(chromium, files));
    if (readings) rows.push({ title, asked, bytes: await bytesOf(files), readings });
  }
  return rows;
}

/**
 * @template T
 * @param {string} title @param {() => Promise<T>} measurement
 */
function repeat(title, measurement) {
  return tried(title, async () => {
    /** @type {T[]} */
    const all = [];
    for (let i = 0; i < ATTEMPTS; i++) all.push(await measurement());
    return all;
  });
}

/**
 * Measures; what goes wrong is told and remembered by the exit status, and the rest is measured all the same.
 * @template T
 * @param {string} title @param {() => Promise<T>} measurement
 * @returns {Promise<T | null>}
 */
async function tried(title, measurement) {
  try {
    return await step(title, measurement);
  } catch (error) {
    console.error(`  ${title}: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 1;
    return null;
  }
}
