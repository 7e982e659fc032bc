// Builds by CMake preset (CMakePresets.json).
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

export const WASM_PRESETS = ['wasm', 'wasm-mt', 'wasm-fast', 'wasm-f64'];

/**
 * Configures a preset where that is due, and builds it.
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
