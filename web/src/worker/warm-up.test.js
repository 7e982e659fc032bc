// The warm-up on the real engine.
import { expect, it } from 'vitest';
import { Core } from './core.js';
import { warmUp } from './warm-up.js';

const glueUrl = new URL('../../../dist/tabgrad-simd.js', import.meta.url).href;

it('trains for some slices and gives its memory back, at its end or when it is broken off', async () => {
  const core = await Core.load(glueUrl, 1);
  const { usedBytes } = core.heap();
  expect([...warmUp(core)]).toHaveLength(24);
  expect(core.heap().usedBytes).toBe(usedBytes);

  const work = warmUp(core);
  work.next();
  expect(core.heap().usedBytes).toBeGreaterThan(usedBytes);
  work.return();
  expect(core.heap().usedBytes).toBe(usedBytes);
});
