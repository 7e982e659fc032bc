// The figures that the README states, from the real MNIST.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project, tabgrad } from './program.js';

describe('the ready recipes reach their accuracy on the test set', () => {
  it.each([
    ['mnist-linear', 0.92],
    ['mnist-mlp', 0.975],
    ['mnist-quick', 0.97],
    ['mnist-cnn-quick', 0.99],
    ['mnist-cnn', 0.985],
  ])('%s: at least %d', { timeout: 600_000 }, async (name, least) => {
    const { status, lines } = await tabgrad(['train', join(project, 'recipes', `${name}.json`), '--json']);
    expect(status).toBe(0);
    expect(lines[lines.length - 1].test.count).toBe(10_000);
    expect(lines[lines.length - 1].test.accuracy).toBeGreaterThanOrEqual(least);
  });
});

it('the bundled network reads 99 % of the test set from at most 400 kB', async () => {
  const path = join(project, 'web/public/bundled/mnist.safetensors');
  expect(statSync(path).size).toBeLessThanOrEqual(400_000);
  const { lines } = await tabgrad(['evaluate', path, '--json']);
  expect(lines[0].count).toBe(10_000);
  expect(lines[0].accuracy).toBeGreaterThanOrEqual(0.99);
});
