import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rankConfused, scoreClasses } from '../../web/src/shared/class-scores.js';
import { makeFolder, native, project, quarters, quartersRecipe, tabgrad } from './program.js';

const folder = makeFolder();
/** @type {string[]} */
let data;
/** @type {string} */
let recipe;

beforeAll(() => {
  const train = quarters(240, 1);
  const test = quarters(80, 2);
  const images = folder.write('train-images-idx3-ubyte', train.images);
  folder.write('train-labels-idx1-ubyte', train.labels);
  const testImages = folder.write('test-images.gz', gzipSync(test.images));
  const testLabels = folder.write('test-labels', test.labels);
  data = ['--train', images, '--test', `${testImages},${testLabels}`];
  recipe = folder.write('quarters.json', quartersRecipe());
});
afterAll(folder.remove);

/** The hash as DESIGN.md defines it, from the file alone. @param {string} path */
function hashOfParameters(path) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  /** @type {Record<string, { data_offsets: [number, number] }>} */
  const header = JSON.parse(file.toString('utf8', 8, start));
  const hash = createHash('sha256');
  for (const name of Object.keys(header).sort()) {
    if (/^(__metadata__|optimizer\.|state\.)/.test(name)) continue;
    const [begin, end] = header[name].data_offsets;
    hash.update(file.subarray(start + begin, start + end));
  }
  return hash.digest('hex');
}

describe('train', () => {
  it('learns, reports every epoch and ends with the test result', async () => {
    const out = folder.path('learned.safetensors');
    const { status, stderr, lines } = await tabgrad(['train', recipe, ...data, '--out', out, '--json']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const result = lines.pop();
    const epochs = lines.filter((line) => line.epochFinished);
    expect(epochs.map((line) => [line.epoch, line.step])).toEqual([
      [1, 15],
      [2, 30],
      [3, 45],
      [4, 60],
    ]);
    for (const line of epochs) {
      expect(line).toMatchObject({
        epochStep: 0,
        stepsPerEpoch: 15,
        samples: 240 * line.epoch,
        learningRate: 0.01,
      });
      expect(line.heldOut.count).toBe(80);
      expect(line.finished).toBe(line.epoch === 4);
    }
    expect(epochs[3].loss).toBeLessThan(epochs[0].loss);
    expect(result).toMatchObject({ epoch: 4, step: 60, finished: true, interrupted: false, checkpoint: out });
    expect(result.test.count).toBe(80);
    expect(result.test.accuracy).toBeGreaterThan(0.9);
    expect(result.test.loss).toBe(epochs[3].heldOut.loss);
    const diagonal = result.test.confusion.reduce(
      (/** @type {number} */ sum, row, /** @type {number} */ i) => sum + row[i],
      0,
    );
    expect(diagonal / 80).toBe(result.test.accuracy);
    expect(result.hash).toBe(hashOfParameters(out));
    expect(readdirSync(join(out, '..')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says the same to people', async () => {
    const { status, stdout } = await tabgrad(['train', recipe, ...data, '--epochs', '2']);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^epoch 1\/2 {2}step 15 {2}loss [\d.]+ {2}accuracy [\d.]+ % {2}held out: loss /);
    expect(lines[2]).toMatch(/^test: loss [\d.]+ {2}accuracy [\d.]+ % {2}\(80 samples\)$/);
    expect(lines[3]).toMatch(/^hash: [0-9a-f]{64}$/);
  });

  it('gives the same bits with 1, 2 and 3 threads, from packed and plain files', async () => {
    const [, images, , test] = data;
    const packed = folder.write('packed-images', gzipSync(readFileSync(images)));
    const labels = images.replace('images-idx3', 'labels-idx1');
    const runs = [
      ['--train', images, '--threads', '1'],
      ['--train', images, '--threads', '2'],
      ['--train', `${packed},${labels}`, '--threads', '3', '--test', test],
    ];
    const hashes = [];
    for (const run of runs)
      hashes.push((await tabgrad(['train', recipe, ...run, '--json'])).lines.at(-1).hash);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).toBe(hashes[0]);
  });

  it('fuses multiplications with additions only when told to', async () => {
    const exact = await tabgrad(['train', recipe, ...data, '--precision', 'exact', '--json']);
    const plain = await tabgrad(['train', recipe, ...data, '--json']);
    expect(plain.lines.at(-1).hash).toBe(exact.lines.at(-1).hash);
    const fast = await tabgrad(['train', recipe, ...data, '--precision', 'fast', '--json']);
    if (fast.status === 0) {
      expect(fast.lines.at(-1).hash).not.toBe(exact.lines.at(-1).hash);
      expect(fast.lines.at(-1).test.loss).toBeCloseTo(exact.lines.at(-1).test.loss, 3);
    } else {
      expect(fast.stderr).toBe(
        'tabgrad: --precision: "fast" needs a processor that fuses multiplications with additions; use "exact"\n',
      );
    }
    const wrong = await tabgrad(['train', recipe, ...data, '--precision', 'exat']);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toBe('tabgrad: --precision: must be exact or fast, not "exat"\n');
  });

  it('takes seed, epochs and steps from the command line', async () => {
    const first = (await tabgrad(['train', recipe, ...data, '--steps', '7', '--json'])).lines.at(-1);
    const other = (await tabgrad(['train', recipe, ...data, '--steps=7', '--seed=4', '--json'])).lines.at(-1);
    expect(first).toMatchObject({ epoch: 0, step: 7, finished: false });
    expect(other.hash).not.toBe(first.hash);
  });

  it('goes on from a checkpoint to the same bits', async () => {
    const half = folder.path('half.safetensors');
    const whole = (await tabgrad(['train', recipe, ...data, '--json'])).lines.at(-1);
    const before = (
      await tabgrad(['train', recipe, ...data, '--steps', '22', '--out', half, '--json'])
    ).lines.at(-1);
    expect(before.step).toBe(22);
    const after = (await tabgrad(['train', half, ...data, '--out', half, '--json'])).lines.at(-1);
    expect(after).toMatchObject({ step: 60, finished: true, hash: whole.hash, test: whole.test });
    const more = await tabgrad(['train', half, ...data]);
    expect(more.status).toBe(2);
    expect(more.stderr).toBe(
      `tabgrad: ${half}: has all its epochs behind it; --epochs N, with N above 4, trains on\n`,
    );
    const five = (await tabgrad(['train', half, ...data, '--epochs', '5', '--json'])).lines.at(-1);
    expect(five).toMatchObject({ epoch: 5, step: 75 });
  });

  it('saves on Ctrl-C, and what it saved goes on to the same bits', async () => {
    const long = folder.write(
      'long.json',
      quartersRecipe({ epochs: 400, preprocess: [{ type: 'rescale' }] }),
    );
    const saved = folder.path('interrupted.safetensors');
    const whole = (await tabgrad(['train', long, ...data, '--json'])).lines.at(-1);
    let interrupted = false;
    const first = await tabgrad(['train', long, ...data, '--out', saved, '--json'], {
      watch(child, stdout) {
        if (interrupted || stdout.split('\n').length < 20) return;
        interrupted = true;
        child.kill('SIGINT');
      },
    });
    expect(first.status).toBe(0);
    expect(first.lines.at(-1)).toMatchObject({
      interrupted: true,
      finished: false,
      test: null,
      checkpoint: saved,
    });
    expect(first.lines.at(-1).step).toBeLessThan(6000);
    const second = (await tabgrad(['train', saved, ...data, '--json'])).lines.at(-1);
    expect(second).toMatchObject({ step: 6000, finished: true, hash: whole.hash });
  }, 60_000);

  it('leaves out of a weights-only file what only training needs', async () => {
    const out = folder.path('weights.safetensors');
    const args = ['train', recipe, ...data, '--steps', '1', '--out', out, '--weights-only', '--json'];
    const result = (await tabgrad(args)).lines.at(-1);
    const file = readFileSync(out);
    const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE())));
    const names = Object.keys(header).filter((name) => name !== '__metadata__');
    expect(names.sort()).toEqual(['conv2d1.bias', 'conv2d1.weight', 'dense1.bias', 'dense1.weight']);
    expect(header['conv2d1.weight'].shape).toEqual([4, 1, 3, 3]);
    expect(result.hash).toBe(hashOfParameters(out));
    expect((await tabgrad(['evaluate', out, ...data.slice(2), '--json'])).lines[0].loss).toBe(
      result.test.loss,
    );
  });

  it('trains 200 steps of the MNIST recipe to the same hash, whatever compiler and threads', async () => {
    const mnist = join(project, 'recipes/mnist-cnn.json');
    const hashes = new Set();
    const programs = [native, join(project, 'build/clang/tabgrad')].filter(existsSync);
    for (const program of programs) {
      for (const threads of ['1', '2', '3']) {
        const args = ['train', mnist, '--steps', '200', '--threads', threads, '--json'];
        const { lines, stderr } = await tabgrad(args, { program });
        expect(stderr).toBe('');
        expect(lines.at(-1).step).toBe(200);
        hashes.add(lines.at(-1).hash);
      }
    }
    expect(hashes.size).toBe(1);
  }, 120_000);
});

describe('a checkpoint', () => {
  it('is evaluated, on all of a set or its beginning', async () => {
    const out = folder.path('learned.safetensors');
    const all = await tabgrad(['evaluate', out, ...data.slice(2), '--json']);
    expect(all.lines).toHaveLength(1);
    expect(all.lines[0]).toMatchObject({ count: 80 });
    expect(
      all.lines[0].confusion.flat().reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b),
    ).toBe(80);
    const some = await tabgrad(['evaluate', out, ...data.slice(2), '--limit', '10', '--json']);
    expect(some.lines[0].count).toBe(10);
    const text = await tabgrad(['evaluate', out, ...data.slice(2)]);
    expect(text.stdout).toMatch(/^loss [\d.]+ {2}accuracy [\d.]+ % {2}\(80 samples\)\n\nrow: true class/);
  });

  it('tells how well each class is known and what is taken for what, as the library does', async () => {
    const [bad, zeros] = [folder.path('bad.safetensors'), folder.path('zeros.safetensors')];
    await tabgrad(['train', recipe, ...data, '--steps', '3', '--out', bad]);
    const [{ confusion, perClass, confused, psnr }] = (
      await tabgrad(['evaluate', bad, ...data.slice(2), '--json'])
    ).lines;
    expect(psnr).toBe(null);
    expect(perClass).toEqual(scoreClasses(confusion));
    expect(confused).toEqual(rankConfused(confusion));
    expect(confused.length).toBeGreaterThan(1);

    // Of weights that are all zero, every answer is the same one: the others are never given.
    const layers = [{ type: 'flatten' }, { type: 'dense', units: 4, initializer: 'zeros', trainable: false }];
    const still = folder.write('zeros.json', quartersRecipe({ model: { input: [8, 8, 1], layers } }));
    await tabgrad(['train', still, ...data, '--steps', '1', '--out', zeros]);
    const text = await tabgrad(['evaluate', zeros, ...data.slice(2)]);
    expect(text.stdout).toContain(
      [
        'class          precision      recall   samples',
        '0                25.00 %    100.00 %        20',
        '1                      -      0.00 %        20',
        '2                      -      0.00 %        20',
        '3                      -      0.00 %        20',
        '',
        'most confused:',
        '1 taken for 0: 20',
        '2 taken for 0: 20',
        '3 taken for 0: 20',
        '',
      ].join('\n'),
    );
  });

  it('of an autoencoder is measured by its PSNR', async () => {
    const out = folder.path('autoencoder.safetensors');
    const layers = [{ type: 'flatten' }, { type: 'dense', units: 64 }, { type: 'sigmoid' }];
    const { loss, ...rest } = quartersRecipe({
      preprocess: [{ type: 'rescale', divide: 255 }],
      model: { input: [8, 8, 1], layers },
    });
    const losses = [{ type: 'mean_squared_error', target: 'input' }];
    const autoencoder = folder.write('autoencoder.json', { ...rest, losses });
    const text = await tabgrad(['train', autoencoder, ...data, '--out', out]);
    const said = /^test: loss [\d.]+ {2}PSNR ([\d.]+) dB {2}\(80 samples\)$/m.exec(text.stdout);
    const [result] = (await tabgrad(['evaluate', out, ...data.slice(2), '--json'])).lines;
    expect(result).toMatchObject({ accuracy: null, confusion: null, perClass: null, confused: null });
    expect(result.psnr).toBeGreaterThan(5);
    expect(said?.[1]).toBe(result.psnr.toFixed(2));
  });

  it('shows the ranges of its weights, and with test data its dead units', async () => {
    const out = folder.path('learned.safetensors');
    const [{ tensors, deadUnits }] = (await tabgrad(['summary', out, '--json'])).lines;
    expect(deadUnits).toBe(null);
    expect(tensors.map((/** @type {any} */ tensor) => [tensor.name, tensor.shape])).toEqual([
      ['conv2d1.weight', [4, 1, 3, 3]],
      ['conv2d1.bias', [4]],
      ['dense1.weight', [4, 64]],
      ['dense1.bias', [4]],
    ]);
    for (const { min, mean, max, zeros } of tensors) {
      expect(min).toBeLessThan(mean);
      expect(mean).toBeLessThan(max);
      expect(zeros).toBe(0);
    }
    const { stdout } = await tabgrad(['summary', out, ...data.slice(2)]);
    expect(stdout).toMatch(/^tensor +size +min +max +mean +zeros\nconv2d1\.weight +36( +-?[\d.]+){3} +0\n/m);
    expect(stdout).toMatch(/\n\nrelu1: [0-4] of 4 units are dead\n$/);

    const layers = [{ type: 'conv2d', filters: 4, kernel: 3, initializer: 'zeros' }, { type: 'relu' }];
    const dead = folder.write(
      'dead.json',
      quartersRecipe({
        preprocess: [],
        model: { input: [8, 8, 1], layers: [...layers, { type: 'flatten' }, { type: 'dense', units: 4 }] },
      }),
    );
    const [silent] = (await tabgrad(['summary', dead, ...data.slice(2), '--limit', '5', '--json'])).lines;
    expect(silent.deadUnits).toEqual([{ name: 'relu1', units: 4, dead: 4 }]);
    expect(silent.tensors[0]).toMatchObject({ name: 'conv2d1.weight', min: 0, max: 0, mean: 0, zeros: 36 });
  });

  it('predicts images that have no labels', async () => {
    const out = folder.path('learned.safetensors');
    const { images, labels } = quarters(80, 2);
    const file = folder.write('unlabelled', images);
    const { lines } = await tabgrad(['predict', out, file, '--json']);
    expect(lines).toHaveLength(80);
    let right = 0;
    for (const [i, line] of lines.entries()) {
      expect(line).toMatchObject({ sample: i, class: String(line.label) });
      const sum = line.probabilities.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b);
      expect(sum).toBeCloseTo(1, 5);
      expect(line.probabilities.indexOf(Math.max(...line.probabilities))).toBe(line.label);
      right += Number(line.label === labels[8 + i]);
    }
    expect(right).toBeGreaterThan(72);
    const text = await tabgrad(['predict', out, file, '--limit', '2']);
    expect(text.stdout).toMatch(/^0 {2}[0-3] {2}[01]\.\d{4}\n1 {2}[0-3] {2}[01]\.\d{4}\n$/);
  });
});

describe('a recipe', () => {
  it('takes weights from a checkpoint beside it', async () => {
    const old = folder.path('to-begin-with.safetensors');
    await tabgrad(['train', recipe, ...data, '--out', old]);
    const { model } = quartersRecipe();
    const taking = (/** @type {unknown} */ weights) => {
      const first = { ...model.layers[0], name: 'fresh', trainable: false, weights };
      return quartersRecipe({ model: { ...model, layers: [first, ...model.layers.slice(1)] } });
    };
    const tensorsOf = async (/** @type {string} */ path) =>
      (await tabgrad(['summary', path, '--json'])).lines[0].tensors;
    const [given] = await tensorsOf(old);
    const from = { checkpoint: 'to-begin-with.safetensors', layer: 'conv2d1' };
    const tuning = folder.write('tuning.json', taking(from));
    const out = folder.path('tuned.safetensors');
    const { status, stderr } = await tabgrad(['train', tuning, ...data, '--out', out]);
    expect([status, stderr]).toEqual([0, '']);
    const [kept] = await tensorsOf(out);
    expect(kept).toEqual({ ...given, name: 'fresh.weight' });

    const nowhere = folder.write('nowhere.json', taking('gone.safetensors'));
    const refused = await tabgrad(['train', nowhere, ...data]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain(`${folder.path('gone.safetensors')}: cannot be read: No such file`);
  });

  it('is summarized without data', async () => {
    const { lines } = await tabgrad(['summary', recipe, '--json']);
    expect(
      lines[0].layers.map((/** @type {any} */ layer) => [layer.name, layer.shape, layer.parameters]),
    ).toEqual([
      ['conv2d1', [4, 8, 8], 40],
      ['relu1', [4, 8, 8], 0],
      ['max_pool2d1', [4, 4, 4], 0],
      ['flatten1', [64], 0],
      ['dense1', [4], 260],
    ]);
    expect(lines[0].parameters).toBe(300);
    expect(lines[0].memory.totalBytes).toBeGreaterThan(lines[0].memory.parametersBytes);
    expect(lines[0].recipe).toMatchObject({ tabgrad: 1, name: 'quarters', batch_size: 16 });
    const text = await tabgrad(['summary', recipe]);
    expect(text.stdout).toMatch(/^layer +type +output +parameters\nconv2d1 +conv2d +4 x 8 x 8 +40\n/);
    expect(text.stdout).toContain('300 parameters. Memory: ');
  });

  it('has its gradients checked in double', async () => {
    const { status, stderr, lines } = await tabgrad(['gradcheck', recipe, ...data.slice(0, 2), '--json']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(lines[0].checked).toBeGreaterThan(40);
    expect(lines[0].skipped).toBeLessThan(lines[0].checked / 4);
    expect(lines[0].worst).toBeLessThan(1e-7);
  });
});
