// The micro-benchmarks of tests/bench: natively, and as WebAssembly in Chromium.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, Failure } from './steps.mjs';

/**
 * @typedef {object} MicroRow  what a program prints of one kernel and one shape
 * @property {string} place  chromium or native
 * @property {string} kernel  "wasm128"
 * @property {string} shape
 * @property {number} threads
 * @property {number} [gflops]  of what multiplies
 * @property {number} [share]  of the peak of so many threads with that kernel's vectors
 * @property {number} [microseconds]  of an op: what a batch takes
 */

const FOLDER = fileURLToPath(new URL('../tests/bench', import.meta.url));

/** Names of the programs, but the one that only prints the peak. */
export async function microPrograms() {
  const files = await readdir(FOLDER);
  const names = files.flatMap((file) => /^(bench_\w+)\.c$/.exec(file)?.[1] ?? []);
  return names.filter((name) => name !== 'bench_peak').sort();
}

/** @param {string} name @param {number} threads @param {string} build  the folder of the native build */
export async function measureMicroNative(name, threads, build) {
  const program = join(build, 'tests/bench', name);
  const { status, output } = await attempt(program, [`${threads}`]);
  return readRows(name, 'native', status, output.trim().split('\n'));
}

/** @param {string} name @param {number} threads @param {import('./bench_chromium.mjs').Chromium} chromium */
export async function measureMicroChromium(name, threads, chromium) {
  const build = threads > 1 ? 'wasm-mt' : 'wasm';
  const job = { glue: `build/${build}/tests/bench/${name}.js`, threads };
  const { status, lines } = await chromium.call('scripts/bench_micro_page.mjs', 'runProgram', job);
  return readRows(name, 'chromium', status, lines);
}

/** @param {string} name @param {string} place @param {number} status @param {string[]} lines @returns {MicroRow[]} */
function readRows(name, place, status, lines) {
  if (status !== 0) throw new Failure(`${name}, ${place}: status ${status}\n${lines.join('\n')}`);
  const rows = lines.map((line) => ({ place, ...JSON.parse(line) }));
  return rows.filter(({ kernel }) => !kernel.startsWith('scalar')); // there to be right, not fast
}
