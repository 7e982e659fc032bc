// npm run train:bundled: trains the network that answers the first stroke, to the same bits as ever, from the recipe
// beside it.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaryDirectory, buildPreset } from './cmake.mjs';
import { prepareDataset } from './datasets.mjs';
import { preparePackages } from './packages.mjs';
import { Failure, run, runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

const BUNDLED = fileURLToPath(new URL('../web/public/bundled/', import.meta.url));
const LOWEST_ACCURACY = 0.99;

await runMain(async () => {
  await preparePackages();
  await prepareTools(['native']);
  await prepareDataset('mnist');
  await step('building build/native/tabgrad', () => buildPreset('release', { target: 'tabgrad-cli' }));
  const program = join(binaryDirectory('release'), 'tabgrad');
  const trained = join(binaryDirectory('release'), 'mnist.safetensors');
  await step('training', () =>
    run(program, ['train', join(BUNDLED, 'mnist.json'), '--out', trained, '--weights-only']),
  );
  const { accuracy } = JSON.parse(await run(program, ['evaluate', trained, '--json']));
  if (accuracy < LOWEST_ACCURACY) throw new Failure(`It reads only ${100 * accuracy} % of the test set.`);
  await rename(trained, join(BUNDLED, 'mnist.safetensors'));
  console.log(`web/public/bundled/mnist.safetensors reads ${100 * accuracy} % of the test set`);
});
