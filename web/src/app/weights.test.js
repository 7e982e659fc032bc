// Weights as the page shows them, of networks of the real engine.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stripes, stripesRecipe } from '../../../tests/support/training.js';
import { lookAtWeights } from './weights.js';

/** @type {Awaited<ReturnType<typeof createEngine>>} */
let engine;

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});

afterAll(() => engine?.close());

/** @param {number[]} input @param {object[]} layers */
function network(input, layers) {
  return engine.run(stripesRecipe({ model: { input, layers } }), {});
}

describe('the pictures of the first layer', () => {
  it('show each unit of a dense layer on the shape of the input, pixel by pixel', async () => {
    const run = await network([2, 3, 3], [{ type: 'flatten' }, { type: 'dense', units: 4 }]);
    const { pictures, tensors } = await lookAtWeights(run);
    const { data } = (await run.parameters())['dense1.weight'];
    expect(pictures).toMatchObject({ layer: 'dense1', shape: [2, 3, 3], units: 4 });
    expect(pictures.pictures).toHaveLength(4);
    const [row, column, channel, unit] = [1, 2, 2, 3];
    const there = pictures.pictures[unit][(row * 3 + column) * 3 + channel];
    expect(there).toBe(data[unit * 18 + channel * 6 + row * 3 + column]);
    expect(pictures.limit).toBeCloseTo(Math.max(...Array.from(data, Math.abs)), 6);
    expect(tensors.map(({ name, count }) => [name, count])).toEqual([
      ['dense1.weight', 72],
      ['dense1.bias', 4],
    ]);
    expect(tensors[1]).toMatchObject({ min: 0, max: 0, mean: 0, zeros: 4 });
    await run.close();
  });

  it('show the filters of a convolution, the first 64 of many', async () => {
    const layers = [
      { type: 'conv2d', filters: 80, kernel: [3, 2] },
      { type: 'flatten' },
      { type: 'dense', units: 3 },
    ];
    const run = await network([4, 4, 1], layers);
    const { pictures } = await lookAtWeights(run);
    expect(pictures).toMatchObject({ layer: 'conv2d1', shape: [3, 2, 1], units: 80 });
    expect(pictures.pictures).toHaveLength(64);
    await run.close();
  });

  it('are none where the input is no picture, or the first layer weighs no pixels', async () => {
    for (const [input, layers] of [
      [[16], [{ type: 'dense', units: 3 }]],
      [
        [4, 4, 1],
        [{ type: 'max_pool2d', size: 2 }, { type: 'flatten' }, { type: 'dense', units: 3 }],
      ],
    ]) {
      const run = await network(input, layers);
      expect((await lookAtWeights(run)).pictures).toBeNull();
      await run.close();
    }
  });
});

describe('units that never answer', () => {
  it('are counted for each ReLU', async () => {
    const data = await engine.dataset(stripes());
    const run = await engine.run(stripesRecipe(), { train: data });
    const { dead } = await lookAtWeights(run, data);
    expect(dead).toEqual([{ name: 'relu1', units: 8, dead: expect.any(Number) }]);
    await run.close();
    await data.close();
  });
});
