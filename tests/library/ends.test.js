// Models with several inputs and outputs.
import { createEngine } from 'tabgrad';
import { expect, it } from 'vitest';
import { collect, stripes, stripesRecipe } from '../support/training.js';

it('deals a sample out among several inputs, and shows several outputs', async () => {
  const engine = await createEngine({ threads: 1 });
  const train = await engine.dataset(stripes());
  const model = {
    inputs: [
      { name: 'upper', shape: [2, 4, 1] },
      { name: 'lower', shape: [2, 4, 1] },
    ],
    outputs: ['scores', 'code'],
    layers: [
      { type: 'flatten', inputs: 'upper' },
      { type: 'dense', units: 5, name: 'code' },
      { type: 'relu' },
      { type: 'flatten', inputs: 'lower', name: 'rest' },
      { type: 'concat', inputs: ['relu1', 'rest'] },
      { type: 'dense', units: 3, name: 'scores' },
    ],
  };
  const run = await engine.run(stripesRecipe({ model, epochs: 20 }), { train });
  expect(run.summary.outputs).toEqual([
    { layer: 'scores', offset: 0, size: 3 },
    { layer: 'code', offset: 3, size: 5 },
  ]);
  expect(run.recipe.model).toMatchObject({ inputs: model.inputs, outputs: model.outputs });
  await collect(run.train());
  expect((await run.evaluate(train)).accuracy).toBeGreaterThan(0.9);

  const { images } = stripes(2);
  const [values, parameters] = [await run.predict(images), await run.parameters()];
  expect(values).toHaveLength(16);
  for (let i = 0; i < 2; i++) {
    const [scores, code] = [values.slice(8 * i, 8 * i + 3), values.slice(8 * i + 3, 8 * i + 8)];
    expect(scores.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    const upper = images.slice(16 * i, 16 * i + 8);
    for (const [unit, value] of code.entries()) {
      const row = parameters['code.weight'].data.slice(8 * unit, 8 * unit + 8);
      const sum = upper.reduce((total, pixel, k) => total + (row[k] * pixel) / 255, 0);
      expect(value).toBeCloseTo(sum + parameters['code.bias'].data[unit], 4);
    }
  }
  await engine.close();
});
