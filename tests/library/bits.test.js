// The same recipe gives the same bits: with any number of threads, stopped, stepped, saved and loaded anywhere.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, mnistFiles, mnistRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let train;
/** @type {import('tabgrad').Dataset} */
let test;
/** 4 epochs of 32 steps. */
const SHORT = { data: { train_size: 1000 }, epochs: 4 };

beforeAll(async () => {
  engine = await createEngine({ threads: 2 });
  ({ train } = await engine.readFiles((await mnistFiles()).slice(0, 2)));
  test = await engine.dataset(await first(500));
});
afterAll(() => engine.close());

/** The first samples of MNIST's training part, as arrays. @param {number} count */
async function first(count) {
  const { pixels, labels } = await train.samples(Array.from({ length: count }, (_, i) => i));
  return { images: pixels, labels, shape: train.shape, classes: train.classes };
}

it('200 steps on MNIST with 1, 2 and 3 threads', { timeout: 60_000 }, async () => {
  const samples = await first(6400);
  const hashes = [];
  for (const threads of [1, 2, 3]) {
    const other = await createEngine({ threads });
    const run = await other.run(mnistRecipe(), { train: await other.dataset(samples) });
    expect((await run.step(200)).step).toBe(200);
    hashes.push(await run.hash());
    await other.close();
  }
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(hashes).size).toBe(1);
});

it('4 epochs, or 2, saved, loaded, and 2 more', { timeout: 60_000 }, async () => {
  const whole = await engine.run(mnistRecipe(SHORT), { train, test });
  await collect(whole.train());
  const half = await engine.run(mnistRecipe(SHORT), { train, test });
  await collect(half.train({ epochs: 2 }));
  const rest = await engine.load(await half.checkpoint(), { train, test });
  await collect(rest.train());
  expect(await rest.hash()).toBe(await whole.hash());
  expect(await rest.checkpoint()).toEqual(await whole.checkpoint());
  for (const run of [whole, half, rest]) await run.close();
});

it('whatever else is asked meanwhile, and saved in the middle of a step', { timeout: 60_000 }, async () => {
  const whole = await engine.run(mnistRecipe(SHORT), { train, test });
  const disturbed = await engine.run(mnistRecipe(SHORT), { train, test });
  await whole.step(100);
  const sample = await test.sample(0);
  const quiet = disturbed.train();
  let loaded = null;
  for await (const { step } of quiet) {
    await disturbed.predict(sample.pixels);
    await disturbed.evaluate(test);
    await disturbed.pause();
    await disturbed.step(3);
    const bytes = await disturbed.checkpoint();
    if (!loaded && step > 10 && step < 80) loaded = await engine.load(bytes, { train, test });
    await disturbed.resume();
  }
  await collect(whole.train());
  expect(await disturbed.hash()).toBe(await whole.hash());
  await collect(/** @type {import('tabgrad').Run} */ (loaded).train());
  expect(await loaded?.hash()).toBe(await whole.hash());
  for (const run of [whole, disturbed]) await run.close();
});

it('an evaluation is that of one moment, though training and predictions go on', {
  timeout: 60_000,
}, async () => {
  const layers = [{ type: 'flatten' }, { type: 'dense', units: 512 }, { type: 'dense', units: 10 }];
  const recipe = mnistRecipe({ epochs: 50, model: { input: [28, 28, 1], layers } });
  const run = await engine.run(recipe, { train, test });
  const sample = await test.sample(0);
  const iterated = collect(run.train());
  await run.step(5);
  const before = await run.checkpoint();
  /** @type {unknown[]} */
  const told = [];
  const evaluated = run.evaluate(train, { details: true, onProgress: (progress) => told.push(progress) });
  await run.resume();
  let answers = 0;
  let isDone = false;
  evaluated.finally(() => {
    isDone = true;
  });
  for (; !isDone; answers++) await run.predict(sample.pixels);
  expect(answers).toBeGreaterThan(3);
  expect(told[0]).toEqual({ done: expect.any(Number), count: 60_000 });
  const reader = await engine.load(before);
  expect(await evaluated).toEqual(await reader.evaluate(train, { details: true }));
  expect(run.progress.step).toBeGreaterThan(5);
  await run.close();
  await reader.close();
  await iterated;
});
