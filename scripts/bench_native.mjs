// The command line program, measured by the reports that it prints while it trains. Between two windows it is
// stopped, and the peak is measured.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Failure, run } from './steps.mjs';

/** @typedef {import('./bench_measure.mjs').Job} Job */
/** @typedef {import('./bench_measure.mjs').Side} Side */

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const ENDLESS = 1_000_000; // epochs

/** @param {Job} job @param {string} folder  of the native build @returns {Promise<Side>} */
export async function openNative({ workload, threads, windowMs }, folder) {
  const work = await mkdtemp(join(tmpdir(), 'tabgrad-bench-'));
  const recipe = join(work, 'recipe.json');
  // One sample is held out: less would be the whole test set.
  const data = { dataset: workload.dataset, validation: 1 };
  await writeFile(recipe, JSON.stringify({ ...workload.recipe, data, epochs: ENDLESS }));
  const args = ['train', recipe, '--threads', `${threads}`, '--json'];
  const child = spawn(join(folder, 'tabgrad'), args, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const reports = readReports(child);
  const first = (await reports.next()).value;
  const loss = { before: first.loss, after: first.loss };
  child.kill('SIGSTOP');
  return {
    window: async () => {
      child.kill('SIGCONT');
      await reports.next(); // may have come just before it was stopped
      const start = (await reports.next()).value;
      let end = start;
      while (end.ms - start.ms < windowMs) end = (await reports.next()).value;
      loss.after = end.loss;
      child.kill('SIGSTOP');
      const samplesPerSecond = ((end.samples - start.samples) / (end.ms - start.ms)) * 1000;
      return { samplesPerSecond, peak: await nativePeak(threads, folder) };
    },
    end: async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(work, { recursive: true });
      return { loss };
    },
  };
}

/** @typedef {{ samples: number, loss: number, ms: number }} ReportLine  ms: when it came */

/** @param {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable,
 *   import('node:stream').Readable>} child @returns {AsyncGenerator<ReportLine, ReportLine>} */
async function* readReports(child) {
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  for await (const line of createInterface({ input: child.stdout }))
    yield { ...JSON.parse(line), ms: performance.now() };
  throw new Failure(`tabgrad train: ${complaint.trim() || 'it ended while it was measured'}`);
}

/** GFLOP/s with vectors of 128 bits of so many programs at once. @param {number} threads @param {string} folder */
async function nativePeak(threads, folder) {
  const program = join(folder, 'tests/bench/bench_peak');
  const outputs = await Promise.all(Array.from({ length: threads }, () => run(program, [])));
  return outputs.reduce((sum, output) => sum + JSON.parse(output.split('\n')[0]).gflops, 0);
}
