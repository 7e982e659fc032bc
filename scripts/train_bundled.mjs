// npm run train:bundled: trains the network that answers the first stroke, to the same bits on every machine. It takes
// the place of the old one only if it reads the test set as well as it has to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareNative } from './build_native.mjs';
import { Failure, run, runMain } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(PROJECT, 'web/public/bundled');
const LOWEST_ACCURACY = 0.99;

await runMain(async () => {
  const program = await prepareNative();
  const trained = join(dirname(program), 'bundled.safetensors');
  const training = spawn(program, ['train', join(FOLDER, 'mnist.json'), '--weights-only', '--out', trained], {
    cwd: PROJECT,
    stdio: 'inherit',
  });
  const [status] = await once(training, 'close');
  if (status !== 0) throw new Failure('The bundled network could not be trained: see above.');
  const { accuracy } = JSON.parse(await run(program, ['evaluate', trained, '--json'], { cwd: PROJECT }));
  if (accuracy < LOWEST_ACCURACY) {
    throw new Failure(`It reads only ${100 * accuracy} % of the test set; the old one stays.`);
  }
  await rename(trained, join(FOLDER, 'mnist.safetensors'));
});
