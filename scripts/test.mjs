// npm test: brings in what is missing, builds everything, then runs every test there is.
// The last line is `tests: N passed, N failed`; the exit status is 0 only when something passed and nothing failed.
import { readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { binaryDirectory, buildPreset } from './cmake.mjs';
import { countCtest, countVitest } from './count.mjs';
import { attempt, Failure, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

/** @typedef {import('./count.mjs').Count} Count */

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(PROJECT, 'node_modules');
const BIOME = [join(MODULES, '@biomejs/biome/bin/biome'), 'check'];
const TSC = join(MODULES, 'typescript/bin/tsc');
const VITEST = join(MODULES, 'vitest/vitest.mjs');

/** @type {[string, () => Promise<Count>][]} what is run, in this order, quick ones first */
const RUNNERS = [
  ['lint', () => check(BIOME)],
  ['types of the scripts', () => check([TSC, '-p', 'tsconfig.json'])],
  ['types of the page', () => check([TSC, '-p', 'tsconfig.page.json'])],
  ['types of the worker', () => check([TSC, '-p', 'tsconfig.worker.json'])],
  ['C tests', () => ctest('release')],
  ['C tests with sanitizers', () => ctest('asan')],
  ['gradient checks in double', () => ctest('f64')],
  ['page, worker and library tests', () => vitest('unit')],
  ['Chromium and Firefox', () => vitest('e2e')],
];

/** A program of Node's that says by its exit status alone whether all is well. @param {string[]} args */
async function check(args) {
  const { status, output } = await attempt(process.execPath, args, { cwd: PROJECT });
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, output };
}

/** @param {string} preset */
async function ctest(preset) {
  await step(`building for ${preset}`, () => buildPreset(preset));
  const directory = binaryDirectory(preset);
  const report = join(directory, 'ctest.xml');
  await rm(report, { force: true });
  const whole = ['--test-output-size-passed', '1000000', '--test-output-size-failed', '1000000'];
  const parallel = ['--parallel', String(availableParallelism())];
  const args = [
    '--test-dir',
    directory,
    '--output-on-failure',
    '--output-junit',
    report,
    ...whole,
    ...parallel,
  ];
  const { status, output } = await attempt('ctest', args, { cwd: PROJECT });
  return { ...countCtest(await readFile(report, 'utf8').catch(() => ''), status), output };
}

/** @param {string} project */
async function vitest(project) {
  const report = join(PROJECT, 'build', `vitest-${project}.json`);
  await rm(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = [VITEST, 'run', '--project', project, ...reporters];
  const { status, output } = await attempt(process.execPath, args, { cwd: PROJECT });
  return { ...countVitest(await readFile(report, 'utf8').catch(() => ''), status), output };
}

let passed = 0;
let failed = 0;
try {
  await build();
  await prepareTools(['native', 'test']);
  await step('building with Clang', () => buildPreset('clang', { target: 'tabgrad-cli' }));
  for (const [title, runner] of RUNNERS) {
    const started = performance.now();
    const count = await runner().catch(asFailure);
    passed += count.passed;
    failed += count.failed;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (count.failed > 0) console.log(count.output);
    console.log(`${title}: ${count.passed} passed, ${count.failed} failed (${seconds} s)`);
  }
} catch (error) {
  failed += 1;
  console.log(asFailure(error).output);
}
console.log(`tests: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** What could not even be started counts as one failed test. @param {unknown} error @returns {Count} */
function asFailure(error) {
  const output =
    error instanceof Failure ? error.message : String(/** @type {Error} */ (error).stack ?? error);
  return { passed: 0, failed: 1, output };
}
