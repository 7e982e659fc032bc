// npm run build: everything that dist/ needs, from a checkout with nothing in it; what is up to date is left alone.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPreset, WASM_PRESETS } from './cmake.mjs';
import { prepareDataset, publishDataset } from './datasets.mjs';
import { emscriptenEnvironment, prepareEmscripten } from './emscripten.mjs';
import { preparePackages } from './packages.mjs';
import { runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

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

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(build);
