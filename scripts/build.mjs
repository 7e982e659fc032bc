// npm run build: everything that dist/ needs, from a checkout with nothing in it; what is up to date is left alone.
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareDataset, publishDataset } from './datasets.mjs';
import { emscriptenEnvironment, prepareEmscripten } from './emscripten.mjs';
import { preparePackages } from './packages.mjs';
import { run, runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

export const PROJECT = fileURLToPath(new URL('..', import.meta.url));
export const WASM_PRESETS = ['wasm', 'wasm-mt', 'wasm-fast'];

/** Leaves a complete dist/. */
export async function build() {
  await preparePackages();
  await prepareTools(['build']);
  await prepareDataset('mnist');
  const emscripten = await prepareEmscripten();
  const env = emscriptenEnvironment(emscripten);
  for (const preset of WASM_PRESETS) {
    await step(`building WebAssembly (${preset})`, () => buildPreset(preset, { env }));
  }
  const { buildSite } = await import('./site.mjs'); // needs the npm packages
  await buildSite(emscripten.root);
  await publishDataset('mnist', join(PROJECT, 'dist/data/mnist'));
}

/**
 * Configures a CMake preset where that is due, and builds it.
 * @param {string} preset
 * @param {{ env?: NodeJS.ProcessEnv, target?: string }} [options]
 */
export async function buildPreset(preset, { env = process.env, target = 'all' } = {}) {
  const configured = join(binaryDirectory(preset), 'build.ninja');
  const presets = await stat(join(PROJECT, 'CMakePresets.json'));
  if (!existsSync(configured) || (await stat(configured)).mtimeMs < presets.mtimeMs) {
    await run('cmake', ['--fresh', '--preset', preset], { env, cwd: PROJECT });
  }
  await run('cmake', ['--build', '--preset', preset, '--target', target], { env, cwd: PROJECT });
}

/** Where a preset is built. @param {string} preset */
export function binaryDirectory(preset) {
  return join(PROJECT, 'build', preset === 'release' ? 'native' : preset);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(build);
