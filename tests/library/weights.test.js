// Fine-tuning: layers that begin with the weights of a checkpoint, and stay as they are or learn on.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, stripes, stripesRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let train;
/** @type {Uint8Array} */
let bytes;
/** @type {Record<string, { data: Float32Array | Float64Array }>} */
let old;

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  train = await engine.dataset(stripes());
  const run = await engine.run(stripesRecipe(), { train });
  await collect(run.train());
  bytes = await run.checkpoint({ weightsOnly: true });
  old = await run.parameters();
  await run.close();
});
afterAll(() => engine.close());

/** Its hidden layer is the old one. @param {object} [more] @param {unknown} [weights] */
function tuning(more, weights = 'old.safetensors') {
  const hidden = { type: 'dense', units: 8, weights, ...more };
  const layers = [{ type: 'flatten' }, hidden, { type: 'relu' }, { type: 'dense', units: 3, name: 'head' }];
  return stripesRecipe({ model: { input: [4, 4, 1], layers }, epochs: 20, seed: 8 });
}

it('keeps frozen layers as they were, and learns with the rest', async () => {
  const checkpoints = { 'old.safetensors': bytes };
  const [frozen, tuned] = [
    await engine.run(tuning({ trainable: false }), { train, checkpoints }),
    await engine.run(tuning(), { train, checkpoints }),
  ];
  expect((await tuned.parameters())['dense1.weight'].data).toEqual(old['dense1.weight'].data);
  await Promise.all([collect(frozen.train()), collect(tuned.train())]);
  const [left, moved] = [await frozen.parameters(), await tuned.parameters()];
  for (const name of ['dense1.weight', 'dense1.bias']) {
    expect(left[name].data, name).toEqual(old[name].data);
    expect(moved[name].data, name).not.toEqual(old[name].data);
  }
  expect((await frozen.evaluate(train)).accuracy).toBeGreaterThan(0.8);

  const again = await engine.load(await frozen.checkpoint(), { train });
  expect(await again.hash()).toBe(await frozen.hash());
  await Promise.all([frozen, tuned, again].map((run) => run.close()));
});

it('makes the same run again from the recipe that it says', async () => {
  const checkpoints = { 'old.safetensors': bytes };
  const run = await engine.run(tuning(), { train, checkpoints });
  expect(run.recipe.model.layers[1].weights).toEqual({
    checkpoint: 'old.safetensors',
    layer: 'dense1',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const twin = await engine.run(run.recipe, { train, checkpoints });
  expect(await twin.hash()).toBe(await run.hash());
  const other = (await twin.checkpoint()).buffer;
  await expect(engine.run(run.recipe, { train, checkpoints: { 'old.safetensors': other } })).rejects.toThrow(
    'model.layers[1] dense: weights: old.safetensors is not the file meant: its sha256 is ',
  );
  await Promise.all([run.close(), twin.close()]);
});

it('says which file is missing, and what does not fit', async () => {
  const { usedBytes } = await engine.memory();
  await expect(engine.run(tuning(), { train })).rejects.toThrow(
    "old.safetensors: layers take their weights from it, but it was not given; engine.run(recipe, { checkpoints: { 'old.safetensors': bytes } })",
  );
  await expect(
    engine.run(tuning({ units: 9 }), { train, checkpoints: { 'old.safetensors': bytes } }),
  ).rejects.toThrow('dense1.weight in old.safetensors is 8x16 but the layer takes 9x16');
  expect((await engine.memory()).usedBytes).toBe(usedBytes);
});
