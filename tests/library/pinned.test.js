// The bits that the C tests get natively from every compiler and set of kernels, in Node.
import { createEngine } from 'tabgrad';
import { expect, it } from 'vitest';
import { readPinned } from '../support/pinned.js';

const { steps, hashes, recipes, samples, sha256 } = await readPinned();

it.each([1, 2, 3])('every pinned recipe ends at its hash with %i threads', async (threads) => {
  const engine = await createEngine({ threads });
  const train = await engine.dataset(samples);
  expect(train.sha256).toBe(sha256);
  /** @type {Record<string, string>} */
  const seen = {};
  for (const [name, recipe] of Object.entries(recipes)) {
    const run = await engine.run(recipe, { train });
    await run.step(steps);
    seen[name] = await run.hash();
    await run.close();
  }
  expect(seen).toEqual(hashes);
  await engine.close();
});
