// npm run build:native: leaves the command line program as build/native/tabgrad.
import { buildPreset } from './cmake.mjs';
import { prepareDataset } from './datasets.mjs';
import { preparePackages } from './packages.mjs';
import { runMain, step } from './steps.mjs';
import { prepareTools } from './tools.mjs';

await runMain(async () => {
  await preparePackages();
  await prepareTools(['native']);
  await prepareDataset('mnist');
  await step('building build/native/tabgrad', () => buildPreset('release', { target: 'tabgrad-cli' }));
});
