// What every script here needs: run a program, say what takes long, fail in one sentence.
import { spawn } from 'node:child_process';

/** A failure whose message is meant for the person at the keyboard, not for a debugger. */
export class Failure extends Error {}

/**
 * Runs `work`; says its name once it has taken more than a second, and its time when it is done.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = performance.now();
  const timer = setTimeout(() => console.error(`  ${title} ...`), 1000);
  try {
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    if (seconds > 1) console.error(`  ${title}: ${seconds.toFixed(1)} s`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a program to its end and collects what it prints, standard output and error in one text.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ status: number, output: string }>} status 127 when there is no such program
 */
export function attempt(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ status: 127, output: error.message }));
    child.on('close', (code) => resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/**
 * Like `attempt`, but anything except status 0 is a Failure that carries the program's output.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<string>}
 */
export async function run(command, args, options) {
  const { status, output } = await attempt(command, args, options);
  if (status !== 0) throw new Failure(`${output.trimEnd()}\n${command} ${args.join(' ')}: status ${status}`);
  return output;
}

/** Runs a script's main function; a Failure becomes its message and exit status 1.
 * @param {() => Promise<void>} main */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
