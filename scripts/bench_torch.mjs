// PyTorch: a process for each workload and number of threads, which goes on for one window at a time.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { attempt, Failure } from './steps.mjs';

/** @typedef {import('./bench_measure.mjs').Job} Job */
/** @typedef {import('./bench_measure.mjs').Side} Side */

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
/** Debian's PyTorch belongs to Debian's Python. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** Python with PyTorch. @returns {Promise<{ python: string, version: string }>} */
export async function findTorch() {
  for (const python of PYTHONS) {
    const { status, output } = await attempt(python, ['-c', 'import torch; print(torch.__version__)']);
    if (status === 0) return { python, version: output.trim() };
  }
  throw new Failure('--torch needs PyTorch; on Debian: apt-get install python3-torch libopenblas0-openmp');
}

/** Warms up, too. @param {Job} job @returns {Promise<Side>} */
export async function openTorch({ workload, threads, windowMs }) {
  const { python } = await findTorch();
  const env = {
    ...process.env,
    OMP_NUM_THREADS: `${threads}`,
    // Without these, activations of some megabytes go back to the system and are fetched anew at every step.
    MALLOC_TRIM_THRESHOLD_: `${2 ** 32}`,
    MALLOC_MMAP_THRESHOLD_: `${2 ** 25}`,
    MALLOC_TOP_PAD_: `${2 ** 26}`,
  };
  const script = join(PROJECT, 'scripts/bench_torch.py');
  const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const data = join(PROJECT, 'build/data', workload.dataset);
  child.stdin.write(`${JSON.stringify({ workload, data, ms: windowMs })}\n`);
  const window = async () => {
    child.stdin.write('\n');
    const { value, done } = await lines.next();
    if (done) throw new Failure('PyTorch ended while it was measured.');
    return { samplesPerSecond: JSON.parse(value).samples_per_second };
  };
  await window();
  return {
    window,
    end: async () => {
      child.stdin.end();
      return {};
    },
  };
}
