// Sizes that a 64-bit machine can count and 32-bit WebAssembly cannot: refused in one sentence, never wrapped.
import { createEngine } from 'tabgrad';
import { expect, it } from 'vitest';

/** @param {object[]} layers */
function recipe(...layers) {
  const model = {
    input: [256, 256, 1],
    layers: [...layers, { type: 'flatten' }, { type: 'dense', units: 2 }],
  };
  return { tabgrad: 1, model, optimizer: { type: 'sgd' }, batch_size: 1 };
}

it.each([
  [
    'patches of a large kernel',
    { type: 'conv2d', filters: 8, kernel: 1 },
    { type: 'conv2d', filters: 1, kernel: 128, padding: 'same' },
  ],
  [
    'patches of many channels',
    { type: 'conv2d', filters: 2048, kernel: 1 },
    { type: 'conv2d', filters: 1, kernel: 5 },
  ],
])('%s do not fit', async (_, ...layers) => {
  const engine = await createEngine({ threads: 1 });
  await expect(engine.run(recipe(...layers))).rejects.toThrow(
    /^batches of \d+ need \d+ MB, which this machine does not give; use a smaller batch_size or model$/,
  );
  const small = await engine.run(recipe({ type: 'conv2d', filters: 1, kernel: 3 }));
  expect(small.summary.parameters).toBeGreaterThan(0);
  await engine.close();
});
