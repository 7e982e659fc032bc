// Looking into a run: ranges of its weights, units that never answer, the loss of every step, gradients in double.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, stripes, stripesRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let data;

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  data = await engine.dataset(stripes());
});
afterAll(() => engine.close());

/** @param {Record<string, any>} [changes] */
const newRun = (changes) => engine.run(stripesRecipe(changes), { train: data, test: data });

/** @param {object} hidden  attributes of the hidden layer */
const withHidden = (hidden) => ({
  model: {
    input: [4, 4, 1],
    layers: [
      { type: 'flatten' },
      { type: 'dense', units: 8, ...hidden },
      { type: 'relu' },
      { type: 'dense', units: 3 },
    ],
  },
});

it('tells the range of every tensor', async () => {
  const run = await newRun();
  await collect(run.train());
  for (const [name, { data: values, ...range }] of Object.entries(await run.parameters())) {
    const numbers = [...values];
    const mean = numbers.reduce((sum, value) => sum + value / numbers.length, 0);
    expect(values, name).toBeInstanceOf(Float32Array);
    expect(range, name).toEqual({
      shape: expect.any(Array),
      min: Math.min(...numbers),
      max: Math.max(...numbers),
      mean: expect.closeTo(mean, 9),
      zeros: numbers.filter((value) => value === 0).length,
    });
  }
  await run.close();
});

it('counts the units that never answer', async () => {
  const [dead, alive] = [await newRun(withHidden({ initializer: 'zeros' })), await newRun({ epochs: 20 })];
  expect(await dead.deadUnits(data)).toEqual([{ name: 'relu1', units: 8, dead: 8 }]);
  await collect(alive.train());
  const [layer] = await alive.deadUnits(data, { samples: 90 });
  expect(layer).toMatchObject({ name: 'relu1', units: 8 });
  expect(layer.dead).toBeLessThan(8);
  await expect(alive.deadUnits(data, { samples: 0 })).rejects.toThrow(
    'samples: 0 is not a whole number of at least 1',
  );
  await Promise.all([dead.close(), alive.close()]);
});

it('remembers the loss of every step, also of a run that was loaded', async () => {
  const run = await newRun();
  expect((await run.history()).stepLosses).toEqual(new Float32Array());
  const first = await run.step(13);
  expect((await run.history()).stepLosses).toEqual(first.stepLosses);
  const again = await engine.load(await run.checkpoint(), { train: data });
  const second = await again.step(5);
  const { stepLosses } = await again.history();
  expect([...stepLosses]).toEqual([...first.stepLosses, ...second.stepLosses]);
  await Promise.all([run.close(), again.close()]);
});

it('tells what is taken for what, and how well each class is known', async () => {
  const run = await newRun();
  await run.step(3);
  const { confusion, perClass, confused, accuracy, psnr } = await run.evaluate(data);
  if (!confusion || !perClass || !confused) return expect.fail('there are classes');
  expect(psnr).toBeNull();
  expect(perClass.map(({ count }) => count)).toEqual([30, 30, 30]);
  const recall = perClass.reduce((sum, score) => sum + Number(score.recall), 0) / 3;
  expect(recall).toBeCloseTo(Number(accuracy), 12);
  const wrong = confused.reduce((sum, { count }) => sum + count, 0);
  expect(wrong).toBe(Math.round(90 * (1 - Number(accuracy))));
  expect(wrong).toBeGreaterThan(0);
  for (const { actual, predicted, count } of confused) expect(confusion[actual][predicted]).toBe(count);
  await run.close();
});

it('measures an autoencoder by its PSNR', async () => {
  const layers = [
    { type: 'flatten' },
    { type: 'dense', units: 6 },
    { type: 'relu' },
    { type: 'dense', units: 16 },
    { type: 'sigmoid' },
  ];
  const { loss, ...recipe } = stripesRecipe({ model: { input: [4, 4, 1], layers }, epochs: 30 });
  recipe.losses = [{ type: 'mean_squared_error', target: 'input' }];
  const run = await engine.run(recipe, { train: data });
  const before = await run.evaluate(data);
  await collect(run.train());
  const after = await run.evaluate(data);
  expect(after).toMatchObject({ accuracy: null, confusion: null, perClass: null, confused: null });
  expect(after.psnr).toBeGreaterThan(Number(before.psnr) + 3);

  const { images } = stripes();
  const outputs = await run.predict(images);
  let expected = 0;
  for (let i = 0; i < 90; i++) {
    let squares = 0;
    for (let j = 16 * i; j < 16 * (i + 1); j++) squares += (outputs[j] - images[j] / 255) ** 2;
    expected += (10 * Math.log10(16 / squares)) / 90;
  }
  expect(after.psnr).toBeCloseTo(expected, 3);
  await run.close();
});

describe('in double', () => {
  /** @type {import('tabgrad').Engine} */
  let exact;
  /** @type {import('tabgrad').Dataset} */
  let set;
  beforeAll(async () => {
    exact = await createEngine({ precision: 'double' });
    set = await exact.dataset(stripes());
  });
  afterAll(() => exact.close());

  it('runs on one thread, with doubles as weights and floats as predictions', async () => {
    expect([exact.variant, exact.threads, exact.kernels]).toEqual(['double', 1, 'scalar']);
    const [run, twin] = [await exact.run(stripesRecipe(), { train: set }), await newRun()];
    const { 'dense1.weight': weight } = await run.parameters();
    expect(weight.data).toBeInstanceOf(Float64Array);
    expect(weight.max).toBe(Math.max(...weight.data));
    await Promise.all([collect(run.train()), collect(twin.train())]);
    const { images } = stripes(3);
    const [probabilities, inFloat] = [await run.predict(images), await twin.predict(images)];
    expect(probabilities).toBeInstanceOf(Float32Array);
    for (const [i, value] of probabilities.entries()) expect(value).toBeCloseTo(inFloat[i], 4);
    await Promise.all([run.close(), twin.close()]);
  });

  it('checks gradients by central differences', async () => {
    const layers = [
      { type: 'conv2d', filters: 3, kernel: 3, padding: 'same' },
      { type: 'batch_norm' },
      { type: 'relu' },
      { type: 'flatten' },
      { type: 'dense', units: 3 },
    ];
    const recipe = stripesRecipe({ model: { input: [4, 4, 1], layers }, epochs: 60 });
    const [run, twin] = [
      await exact.run(recipe, { train: set, test: set }),
      await exact.run(recipe, { train: set, test: set }),
    ];
    const found = await run.gradcheck({ perTensor: 10 });
    expect(found.worst).toBeGreaterThan(0);
    expect(found.worst).toBeLessThan(1e-7);
    expect(Object.keys(await run.parameters())).toContain(found.parameter);
    expect(found.checked).toBeGreaterThan(30);
    expect(found.skipped).toBeLessThan(found.checked / 4);

    // Looking changes nothing, wherever the training is at that moment.
    const trained = collect(run.train());
    let looks = 0;
    for (; run.state !== 'done'; looks++) {
      await run.gradcheck({ perTensor: 1 });
      await run.deadUnits(set);
    }
    await Promise.all([trained, collect(twin.train())]);
    expect(looks).toBeGreaterThan(0); // how many depends on the machine
    expect(await run.hash()).toBe(await twin.hash());
    await Promise.all([run.close(), twin.close()]);
  });

  it('says that floats are no measure of a gradient, and that data is needed', async () => {
    const run = await newRun();
    await expect(run.gradcheck()).rejects.toThrow(
      "gradcheck: a float cannot tell a wrong gradient from rounding; createEngine({ precision: 'double' })",
    );
    const empty = await exact.run(stripesRecipe());
    await expect(empty.gradcheck()).rejects.toThrow(/there is no training data to check gradients on/);
    await Promise.all([run.close(), empty.close()]);
  });
});
