// npm run build:native: leaves the command line program as build/native/tabgrad, and MNIST where it finds it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaryDirectory, buildPreset } from './cmake.mjs';
import { prepareDataset } from './datasets.mjs';
import { preparePackages } from './packages.mjs';
import { runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

/** The path of the program, which is built if it is not up to date. */
export async function prepareNative() {
  await preparePackages(); // MNIST is one of them
  await prepareTools(['native']);
  await prepareDataset('mnist');
  await step('building build/native/tabgrad', () => buildPreset('release', { target: 'tabgrad-cli' }));
  return join(binaryDirectory('release'), 'tabgrad');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    await prepareNative();
  });
}
