// While a network trains, everything else is answered soon: training goes in slices of at most 50 ms.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mnistFiles, mnistRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let train;

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  ({ train } = await engine.readFiles((await mnistFiles()).slice(0, 2)));
});
afterAll(() => engine.close());

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Milliseconds that it takes. @param {() => Promise<unknown>} call */
async function time(call) {
  const begin = performance.now();
  await call();
  return performance.now() - begin;
}

it('predict, pause and save get in between two slices, even of one long step', {
  timeout: 60_000,
}, async () => {
  const run = await engine.run(mnistRecipe({ batch_size: 2000, epochs: 100 }), { train });
  const { pixels } = await train.sample(0);
  const reports = run.train();
  await reports.next();
  const waits = {
    predict: /** @type {number[]} */ ([]),
    pause: /** @type {number[]} */ ([]),
    save: /** @type {number[]} */ ([]),
  };
  for (let i = 0; i < 15; i++) {
    waits.predict.push(await time(() => run.predict(pixels)));
    waits.save.push(await time(() => run.checkpoint()));
    waits.pause.push(await time(() => run.pause()));
    await run.resume();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(run.state).toBe('training');
  // Such a step takes some 350 ms.
  for (const values of Object.values(waits)) expect(median(values)).toBeLessThan(150);
  await run.close();
});

it('predict gets in while gradients are checked and dead units are looked for', {
  timeout: 60_000,
}, async () => {
  const exact = await createEngine({ precision: 'double' });
  const { pixels, labels } = await train.samples(Array.from({ length: 500 }, (_, i) => i));
  const set = await exact.dataset({ images: pixels, labels, shape: [28, 28, 1], classes: 10 });
  const run = await exact.run(mnistRecipe({ batch_size: 64 }), { train: set });
  const image = pixels.slice(0, 784);
  const before = await run.predict(image);
  let isOver = false;
  const answers = Promise.all([run.gradcheck({ perTensor: 10 }), run.deadUnits(set)]);
  answers.finally(() => (isOver = true)).catch(() => {});
  const waits = [];
  while (!isOver) waits.push(await time(async () => expect(await run.predict(image)).toEqual(before)));
  const [{ worst, checked }, dead] = await answers;
  expect(worst).toBeLessThan(1e-7);
  expect(checked).toBe(58);
  expect(dead.map(({ units }) => units)).toEqual([8, 32]);
  expect(waits.length).toBeGreaterThan(10);
  expect(median(waits)).toBeLessThan(150);
  await exact.close();
});

it('predict gets in while another run is fitted to its data', { timeout: 120_000 }, async () => {
  const run = await engine.run(mnistRecipe(), { train });
  const { pixels } = await train.sample(0);
  const recipe = mnistRecipe({
    data: { shape: [28, 28, 1] },
    preprocess: [{ type: 'pca', components: 20 }],
    model: { input: [20], layers: [{ type: 'dense', units: 10 }] },
  });
  let isOver = false;
  const fitted = engine.run(recipe, { train });
  fitted.finally(() => (isOver = true)).catch(() => {});
  const waits = [];
  while (!isOver) waits.push(await time(() => run.predict(pixels)));
  expect(waits.length).toBeGreaterThan(10); // it takes seconds
  expect(median(waits)).toBeLessThan(150);
  const { explained } = (await fitted).recipe.preprocess[0];
  expect(explained).toBeCloseTo(0.644, 2);
  await Promise.all([run.close(), (await fitted).close()]);
});

it('reports come about ten times a second', { timeout: 60_000 }, async () => {
  const run = await engine.run(mnistRecipe({ epochs: 100 }), { train });
  const reports = run.train();
  await reports.next();
  const begin = performance.now();
  let count = 0;
  while (performance.now() - begin < 1500) {
    await reports.next();
    count++;
  }
  expect(count).toBeGreaterThan(7);
  expect(count).toBeLessThan(20);
  await run.close();
});

it('a reader that does not keep up gets all losses in few reports', { timeout: 60_000 }, async () => {
  const run = await engine.run(mnistRecipe({ epochs: 100 }), { train });
  const reports = run.train();
  await new Promise((resolve) => setTimeout(resolve, 800));
  const { value } = await reports.next();
  expect(value).toMatchObject({ firstStep: 0, epochFinished: false });
  expect(value?.step).toBe(value?.stepLosses.length);
  expect(run.progress.step - Number(value?.step)).toBeLessThan(Number(value?.step));
  await run.close();
});
