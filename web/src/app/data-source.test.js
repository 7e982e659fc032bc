import { createEngine } from 'tabgrad';
import { expect, it } from 'vitest';
import { mnistFiles } from '../../../tests/support/training.js';
import { recognise } from './data-source.js';

it('knows MNIST by its samples, whichever part they are', async () => {
  const engine = await createEngine({ threads: 1 });
  const { train, test } = await engine.readFiles(await mnistFiles());
  expect(recognise(train.sha256)).toMatchObject({ name: 'mnist', title: 'MNIST handwritten digits' });
  expect(recognise(test.sha256)?.name).toBe('mnist');
  const { train: part } = await test.split({ fraction: 0.5 });
  expect(recognise(part.sha256)).toBeUndefined();
  await engine.close();
});
