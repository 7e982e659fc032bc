// A thousand times trained, stopped and dropped: memory is where it was.
import { createEngine } from 'tabgrad';
import { expect, it } from 'vitest';
import { stripes, stripesRecipe } from '../support/training.js';

/** @param {import('tabgrad').Engine} engine @param {import('tabgrad').Dataset} data */
async function cycle(engine, data) {
  const run = await engine.run(stripesRecipe({ epochs: 10_000 }), { train: data, test: data });
  const reports = run.train();
  await run.step(2);
  await run.predict(new Uint8Array(16));
  await run.evaluate(data);
  await run.stop();
  expect((await reports.next()).value?.stepLosses.length).toBeGreaterThan(0);
  const other = await engine.dataset(stripes());
  const answers = [run.train().next(), run.evaluate(other), run.evaluate(other), run.step(1_000_000)];
  const dropped = Promise.allSettled(answers);
  await run.close();
  await dropped;
  await other.close();
}

it.each([1, 2])('with %i threads', { timeout: 120_000 }, async (threads) => {
  const engine = await createEngine({ threads });
  const data = await engine.dataset(stripes());
  for (let i = 0; i < 50; i++) await cycle(engine, data);
  const before = await engine.memory();
  const rssBefore = process.memoryUsage().rss;
  for (let i = 0; i < 1000; i++) await cycle(engine, data);
  const after = await engine.memory();
  expect(after).toEqual(before);
  // The JavaScript of both threads: collected when the runtime sees fit, so only what could not be overlooked.
  expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * 2 ** 20);
  await engine.close();
});
