// npm run reproduce: trains the recipes of the reports with the native program and writes docs/reproduction.md.
//
//   node scripts/reproduce.mjs [--only NAME ...] [--quick] [--threads N]
//
// --only takes names of rows, or their beginning with a star: "letters-*". --quick: one seed, and only what takes
// two minutes at most. What was interrupted goes on from its last epoch; what is done is not done again, unless its
// recipe has changed. Figures are kept in docs/reproduction.json, checkpoints in build/reproduction/.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepareNative } from './build_native.mjs';
import { dataArguments } from './reproduce_data.mjs';
import { readRows } from './reproduce_rows.mjs';
import { measure, table } from './reproduce_table.mjs';
import { Failure, run, runMain } from './steps.mjs';

/** @typedef {import('./reproduce_rows.mjs').Row} Row */
/** @typedef {import('./reproduce_table.mjs').Result} Result */
/** @typedef {import('./reproduce_table.mjs').Results} Results */
/** @typedef {{ only: string[], quick: boolean, threads: string[] }} Options */

/**
 * @typedef {object} Job  a row with one seed
 * @property {Row} row
 * @property {number} seed
 * @property {Result} result  what is known of it
 * @property {string[]} data  arguments
 * @property {string} program
 * @property {Options} options
 * @property {() => Promise<void>} keep  writes down what was measured so far
 */

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const WORK = 'build/reproduction';
const RESULTS = 'docs/reproduction.json';
const DOCUMENT = 'docs/reproduction.md';
const SEEDS = [1, 2, 3];
const THREE_SEEDS_BELOW = 600; // seconds
const QUICK = 120; // seconds
const JUDGED_AFTER = 5000; // milliseconds: until then the time left is a guess

let stopping = false;

await runMain(async () => {
  const options = readOptions();
  const all = await readRows();
  for (const only of options.only) {
    if (!all.some(({ name }) => fits(name, only)))
      throw new Failure(`There is no row "${only}"; there are ${namesOf(all)}.`);
  }
  const rows =
    options.only.length === 0 ? all : all.filter((row) => options.only.some((only) => fits(row.name, only)));
  const program = relative(PROJECT, await prepareNative());
  await mkdir(join(PROJECT, WORK), { recursive: true });
  process.on('SIGINT', () => (stopping = true)); // the program hears it, too, and saves
  const results = await readResults();
  for (const [i, row] of rows.entries()) {
    if (stopping) break;
    console.error(`${row.name} (${i + 1} of ${rows.length})`);
    const keep = () => writeResults(results, all);
    await reproduce(row, results, program, options, keep).catch((error) => leaveOut(row, results, error));
    await keep();
  }
});

/** @returns {Options} */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        quick: { type: 'boolean', default: false },
        threads: { type: 'string' },
      },
    });
    return {
      only: values.only,
      quick: values.quick,
      threads: values.threads ? ['--threads', values.threads] : [],
    };
  } catch (error) {
    throw new Failure(/** @type {Error} */ (error).message);
  }
}

/** @param {string} name @param {string} only */
function fits(name, only) {
  return only.endsWith('*') ? name.startsWith(only.slice(0, -1)) : name === only;
}

/** @param {Row[]} rows */
function namesOf(rows) {
  return [...rows.filter(({ sweep }) => !sweep).map(({ name }) => name), 'sweep-*'].join(', ');
}

/** @param {Row} row @param {Results} results @param {unknown} error */
function leaveOut(row, results, error) {
  if (!(error instanceof Failure)) throw error;
  results[row.name] = { ...results[row.name], missing: error.message };
  console.error(`  left out: ${error.message}`);
}

/**
 * One seed, and two more where that is quick.
 * @param {Row} row @param {Results} results @param {string} program @param {Options} options
 * @param {() => Promise<void>} keep
 */
async function reproduce(row, results, program, options, keep) {
  const recipe = createHash('sha256').update(JSON.stringify(row.recipe, withoutTexts)).digest('hex');
  if (results[row.name]?.recipe !== recipe) results[row.name] = { recipe, seeds: {} };
  delete results[row.name].missing;
  const { seeds } = results[row.name];
  const data = await dataArguments(row.recipe.data.dataset);
  if (row.varied) await writeFile(join(PROJECT, row.file), `${JSON.stringify(row.recipe, null, 2)}\n`);
  for (const seed of SEEDS) {
    const first = seeds[SEEDS[0]];
    const once = options.quick || row.sweep || !first?.hash || first.seconds >= THREE_SEEDS_BELOW;
    if (stopping || (seed !== SEEDS[0] && once)) return;
    if (seeds[seed]?.hash) continue;
    seeds[seed] ??= { epoch: 0, seconds: 0, measured: {} };
    await train({ row, seed, result: seeds[seed], data, program, options, keep });
  }
}

/** What begins with "x-" changes no figure. @param {string} key @param {unknown} value */
function withoutTexts(key, value) {
  return key.startsWith('x-') ? undefined : value;
}

/** Trains, or trains on, and fills in what came out. @param {Job} job */
async function train(job) {
  const { row, seed, result, data, program, options } = job;
  const out = `${WORK}/${row.name}.${seed}.safetensors`;
  const begun = result.epoch > 0 && existsSync(join(PROJECT, out));
  if (!begun) Object.assign(result, { epoch: 0, seconds: 0, measured: {} });
  const command = ['train', row.file, ...data, '--seed', `${seed}`, '--out', out];
  result.command = [program, ...command].join(' ');
  if (result.epoch < row.recipe.epochs) {
    const finished = await follow(job, begun ? ['train', out, ...data, '--out', out] : command);
    if (!finished) return;
  }
  if (data.length === 0 || data.includes('--test')) {
    const test = data.slice(data.indexOf('--test'));
    const args = ['evaluate', out, ...test, ...options.threads, '--json'];
    measure(row, result, { test: JSON.parse(await run(program, args, { cwd: PROJECT })) });
  }
  result.hash = JSON.parse(await run(program, ['summary', out, '--json'], { cwd: PROJECT })).hash;
}

/** Runs the program and takes down every epoch. False where it was stopped before the end. @param {Job} job @param {string[]} args */
async function follow({ row, seed, result, program, options, keep }, args) {
  const child = spawn(program, [...args, ...options.threads, '--json'], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const closed = once(child, 'close');
  const started = performance.now();
  let since = started;
  let finished = false;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    if (line.epochFinished === undefined) continue; // the last line tells of the test set
    finished = line.finished;
    const now = performance.now();
    if (line.epochFinished) {
      result.epoch = line.epoch;
      result.seconds = Math.round(result.seconds * 10 + (now - since) / 100) / 10;
      since = now;
      measure(row, result, { epoch: line });
      await keep();
    }
    progress(
      `  seed ${seed}: epoch ${line.epoch} of ${row.recipe.epochs}, ${duration(line.secondsLeft)} left`,
    );
    if (options.quick && !child.killed && now - started > JUDGED_AFTER && line.secondsLeft > QUICK) {
      result.waiting = `takes about ${duration(line.secondsLeft)}`;
      child.kill('SIGTERM');
    }
  }
  const [status, signal] = await closed;
  progress('');
  if (status !== 0 && !stopping) throw new Failure(complaint.trim() || `the program was ended by ${signal}`);
  if (finished) delete result.waiting;
  return finished;
}

/** @param {string} text */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** @param {number | null} seconds */
function duration(seconds) {
  if (seconds === null) return 'some time';
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

/** @returns {Promise<Results>} */
async function readResults() {
  const path = join(PROJECT, RESULTS);
  return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : {};
}

/** @param {Results} results @param {Row[]} rows */
async function writeResults(results, rows) {
  for (const [path, text] of [
    [RESULTS, `${JSON.stringify(results, null, 2)}\n`],
    [DOCUMENT, table(rows, results)],
  ]) {
    await writeFile(join(PROJECT, `${path}.new`), text);
    await rename(join(PROJECT, `${path}.new`), join(PROJECT, path));
  }
}
