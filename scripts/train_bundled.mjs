// npm run train:bundled: trains the network that answers the first stroke, to the same bits on every machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareNative } from './build_native.mjs';
import { Failure, runMain } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(PROJECT, 'web/public/bundled');

await runMain(async () => {
  const program = await prepareNative();
  const result = ['--weights-only', '--out', join(FOLDER, 'mnist.safetensors')];
  const training = spawn(program, ['train', join(FOLDER, 'mnist.json'), ...result], {
    cwd: PROJECT,
    stdio: 'inherit',
  });
  const [status] = await once(training, 'close');
  if (status !== 0) throw new Failure('The bundled network could not be trained: see above.');
});
