import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { project, tabgrad } from '../tests/cli/program.js';
import { dataArguments, idxFloats, shuffled } from './reproduce_data.mjs';
import { readRows } from './reproduce_rows.mjs';
import { measure, table } from './reproduce_table.mjs';

const rows = await readRows();

/** @param {string} name */
const rowOf = (name) =>
  /** @type {import('./reproduce_rows.mjs').Row} */ (rows.find((row) => row.name === name));

/** @param {Partial<import('./reproduce_table.mjs').Result>} [result] @returns {import('./reproduce_table.mjs').Result} */
const resultOf = (result) => ({ epoch: 0, seconds: 0, measured: {}, ...result });

describe('the rows', () => {
  it('have names of their own, and the sweep 24 settings', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows.filter(({ sweep }) => sweep)).toHaveLength(24);
  });

  it('are the recipes in recipes/reports/, named as their files, with a title and a reason', () => {
    for (const { name, file, recipe } of rows.filter(({ varied }) => !varied)) {
      expect(file).toBe(`recipes/reports/${name}.json`);
      expect(recipe['x-title'], name).toMatch(/\w/);
      expect(recipe['x-about'], name).toMatch(/\.$/);
      expect(Array.isArray(recipe['x-reported']), name).toBe(true);
    }
  });

  it('are all accepted by the program', async () => {
    for (const { name, file } of rows.filter(({ varied }) => !varied)) {
      const { stderr, lines } = await tabgrad(['summary', file, '--json', '--threads', '1']);
      expect(stderr).toBe('');
      expect(lines[0].recipe.name).toBe(name);
    }
  });

  it('have the parameters that the report counts', async () => {
    for (const name of ['cifar10-cnn-linear', 'cifar10-cnn-sigmoid']) {
      const { lines } = await tabgrad(['summary', rowOf(name).file, '--json']);
      expect(lines[0].parameters).toBe(122_570);
    }
  });

  it('vary a recipe without changing it', () => {
    const { recipe } = rowOf('sweep-70-20-0.0025-0.25');
    const units = recipe.model.layers.flatMap((/** @type {any} */ layer) => layer.units ?? []);
    expect(units).toEqual([70, 70, 10]);
    expect(recipe).toMatchObject({ epochs: 20, optimizer: { learning_rate: 0.0025, l2: 0.125 } });
    expect(rowOf('cifar10-mlp80').recipe.optimizer).toMatchObject({ learning_rate: 0.0015, l2: 0.145 });
  });
});

describe('the data', () => {
  it('of the blobs is four clouds, which the program trains on', async () => {
    const args = await dataArguments('toy-blobs');
    const file = readFileSync(`${project}/${args[1].split(',')[0]}`);
    expect([file.readUInt32BE(0), file.readUInt32BE(4), file.readUInt32BE(8)]).toEqual([0x0d02, 40, 2]);
    const height = (/** @type {number} */ i) => file.readFloatBE(12 + 8 * i + 4);
    const first = Array.from({ length: 10 }, (_, i) => height(i)).reduce((sum, y) => sum + y, 0) / 10;
    expect(first).toBeGreaterThan(37);
    expect(first).toBeLessThan(43);
    const { status, lines } = await tabgrad([
      'train',
      rowOf('toy-blobs').file,
      ...args,
      '--epochs',
      '3',
      '--json',
    ]);
    expect(status).toBe(0);
    expect(lines.at(-1).step).toBe(24);
  });

  it('is shuffled into an order of all samples', () => {
    const order = shuffled(100, () => 0.3);
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
  });

  it('is written as the format has it: big-endian', () => {
    expect(idxFloats([1, 2], [1, -2]).toString('hex')).toBe('00000d0200000001000000023f800000c0000000');
  });
});

describe('the table', () => {
  it('takes down validation or test, and what was reported on the way', () => {
    const line = { epoch: 10, samples: 500_000, loss: 1.5, accuracy: 0.5, heldOut: { accuracy: 0.52 } };
    const cnn = resultOf();
    measure(rowOf('cifar10-cnn-linear'), cnn, { epoch: line });
    expect(cnn.measured).toMatchObject({
      test_accuracy: 0.52,
      'test_accuracy@10': 0.52,
      train_loss_sum: 75_000,
    });
    const mlp = resultOf();
    measure(rowOf('cifar10-mlp50'), mlp, { epoch: line });
    measure(rowOf('cifar10-mlp50'), mlp, { test: { accuracy: 0.48 } });
    expect(mlp.measured).toMatchObject({ validation_accuracy: 0.52, test_accuracy: 0.48 });
  });

  it('shows mean and range of the seeds, and whether the figure was reached', () => {
    const seeds = [0.28, 0.29, 0.3].map((value, i) => [
      i + 1,
      resultOf({ epoch: 4, hash: 'ab', measured: { validation_accuracy: value } }),
    ]);
    const text = table(rows, { 'cifar10-mlp50': { seeds: Object.fromEntries(seeds) } });
    expect(lineOf(text, '`cifar10-mlp50`')).toContain('| validation 29.0 % (28.0 % to 30.0 %) | yes | 4 |');
  });

  it('shows a figure that falls short as such, and a loss the other way round', () => {
    const text = table(rows, {
      'cifar10-mlp50': {
        seeds: { 1: resultOf({ epoch: 4, hash: 'ab', measured: { validation_accuracy: 0.27 } }) },
      },
      'toy-blobs': {
        seeds: {
          1: resultOf({ epoch: 500, hash: 'ab', measured: { train_loss_sum: 36, train_accuracy: 0.8 } }),
        },
      },
    });
    expect(lineOf(text, '`cifar10-mlp50`')).toContain('| no | 4 |');
    expect(lineOf(text, '`toy-blobs`')).toContain('| no<br>yes | 500 |');
  });

  it('says what was not run, and why', () => {
    const text = table(rows, {
      'features-64-64': { seeds: {}, missing: 'build/data/features/ is not there' },
      'mnist-best': { seeds: { 1: resultOf({ waiting: 'takes about 40 min' }) } },
      'cifar10-cnn-linear': { seeds: { 1: resultOf({ epoch: 12, measured: { 'test_accuracy@10': 0.51 } }) } },
    });
    expect(lineOf(text, '`features-64-64`')).toContain('not run: build/data/features/ is not there');
    expect(lineOf(text, '`mnist-best`')).toContain('not run: takes about 40 min');
    expect(lineOf(text, '`mnist-zeros`')).toContain('not run: its turn has not come yet');
    expect(lineOf(text, '`cifar10-cnn-linear`')).toContain(
      '| test 51.0 %<br>not yet | yes<br> | 12 of 300 |',
    );
  });

  it('lists the sweep best first, what is left of it last', () => {
    const swept = rows.filter(({ sweep }) => sweep);
    const done = (/** @type {number} */ value) => ({
      seeds: { 1: resultOf({ epoch: 46, hash: 'ab', measured: { validation_accuracy: value } }) },
    });
    const text = table(rows, { [swept[3].name]: done(0.5), [swept[7].name]: done(0.53) });
    const places = [swept[7], swept[3], swept[0]].map(({ title }) => text.indexOf(`| ${title} |`));
    expect(places[0]).toBeGreaterThan(0);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(text).toContain('2 of 24 were run; the others not yet');
  });
});

/** @param {string} text @param {string} name */
function lineOf(text, name) {
  return text.split('\n').find((line) => line.startsWith(`| ${name} |`));
}
