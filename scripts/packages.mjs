// The npm packages, exactly as package-lock.json names them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, run, step } from './steps.mjs';

export const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** Runs `npm ci` unless node_modules already holds what the lockfile asks for. */
export async function preparePackages() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Failure(`This is Node ${process.versions.node}: install 20.19 or newer, then try again.`);
  }
  if (areInstalled()) return;
  await step('installing npm packages', () => run(npm, ['ci', '--no-audit', '--no-fund'], { cwd: PROJECT }));
}

function areInstalled() {
  const installed = join(PROJECT, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = readPackages(join(PROJECT, 'package-lock.json'));
  const present = readPackages(installed);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

/** @param {string} path @returns {Record<string, { version: string, optional?: boolean }>} */
function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}
