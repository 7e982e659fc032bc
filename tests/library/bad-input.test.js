// What bad input gets: one sentence that names the place and the way out, and nothing that was there before is lost.
import { gzipSync } from 'node:zlib';
import { createEngine, TabgradError } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, stripes, stripesRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let data;
/** @type {import('tabgrad').Run} */
let bystander;
/** @type {string} */
let hash;

beforeAll(async () => {
  engine = await createEngine();
  data = await engine.dataset(stripes());
  bystander = await engine.run(stripesRecipe(), { train: data, test: data });
  await bystander.step(5);
  hash = await bystander.hash();
});
afterAll(async () => {
  expect(await bystander.hash()).toBe(hash);
  expect((await bystander.step(1)).step).toBe(6);
  await engine.close();
});

/** The error of what must fail. @param {Promise<unknown>} promise @returns {Promise<TabgradError>} */
async function failure(promise) {
  const error = await promise.then(
    () => expect.fail('nothing failed'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(TabgradError);
  expect(error.message).not.toMatch(/\n|undefined|\[object/);
  return error;
}

/** @param {Record<string, any>} changes */
const runFailure = (changes) => failure(engine.run(stripesRecipe(changes), { train: data }));

/** @param {...Record<string, any>} layers */
const model = (...layers) => ({ model: { input: [4, 4, 1], layers } });

describe('a recipe', () => {
  it('with an unknown key', async () => {
    const error = await runFailure({ optimizer: { type: 'adam', learning_rat: 0.1 } });
    expect(error).toMatchObject({ code: 'recipe' });
    expect(error.message).toMatch(/optimizer.*learning_rat/);
  });

  it('with a wrong type', async () => {
    const error = await runFailure(model({ type: 'flatten' }, { type: 'dense', units: 'three' }));
    expect(error).toMatchObject({ code: 'recipe' });
    expect(error.where).toMatch(/^model\.layers\[1\] dense/);
  });

  it('with an impossible shape', async () => {
    const error = await runFailure(
      model({ type: 'conv2d', filters: 2, kernel: 5 }, { type: 'flatten' }, { type: 'dense', units: 3 }),
    );
    expect(error).toMatchObject({
      code: 'shape',
      message: 'model.layers[0] conv2d: kernel 5x5 exceeds input 4x4',
    });
  });

  it('with what JSON cannot say', async () => {
    const error = await runFailure(model({ type: 'flatten' }, { type: 'dense', units: Number.NaN }));
    expect(error).toMatchObject({ code: 'recipe', where: 'model.layers[1].units' });
    const text = failure(engine.run(/** @type {any} */ ('{}')));
    expect(await text).toMatchObject({
      message: 'recipe: is a string, not an object; parse the JSON text first',
    });
  });

  it('with outputs that do not fit the classes', async () => {
    const error = await runFailure(model({ type: 'flatten' }, { type: 'dense', units: 2 }));
    expect(error.message).toMatch(/3/);
  });

  it.each([
    [
      { early_stopping: { patience: 3 } },
      'early_stopping: needs a validation part to watch; set data.validation, for example to 0.1',
    ],
    [
      { schedule: { type: 'plateau', factor: 0.5 } },
      'schedule: plateau needs a validation part to watch; set data.validation, for example to 0.1',
    ],
    [
      { preprocess: [{ type: 'pca', components: 17 }] },
      'preprocess[0] pca: components 17 exceeds the 16 features of a sample; use at most 16',
    ],
    [{ optimizer: { type: 'sgd', learning_rate: 0 } }, 'optimizer: learning_rate must be above 0, not 0'],
    [
      { optimizer: { type: 'adamw', learning_rate: 0.1, weight_decay: -1 } },
      'optimizer: weight_decay must be at least 0, not -1',
    ],
  ])('with %o', async (changes, message) => {
    expect((await runFailure(changes)).message).toBe(message);
  });

  it('that turns what is no picture', async () => {
    const rows = await engine.dataset({ ...stripes(), shape: [1, 1, 16] });
    const recipe = stripesRecipe({
      augment: [{ type: 'rotate', degrees: 10 }],
      model: { input: [16], layers: [{ type: 'dense', units: 3 }] },
    });
    expect((await failure(engine.run(recipe, { train: rows }))).message).toBe(
      'augment[0] rotate: is for pictures, but a sample is 1x1x16; leave it out',
    );
    await rows.close();
  });

  it('with a model that no tab can hold', async () => {
    const layers = [{ type: 'flatten' }, { type: 'dense', units: 30_000 }, { type: 'dense', units: 30_000 }];
    const error = await runFailure(model(...layers, { type: 'dense', units: 3 }));
    expect(error.code).toBe('memory');
  });

  it('with a learning rate that diverges: the last finite weights stay', async () => {
    const changes = {
      ...model({ type: 'flatten' }, { type: 'dense', units: 3 }),
      loss: 'mean_squared_error',
      optimizer: { type: 'sgd', learning_rate: 1000 },
      epochs: 100,
    };
    const run = await engine.run(stripesRecipe(changes), { train: data, test: data });
    const error = await failure(collect(run.train()));
    expect(error.code).toBe('diverged');
    expect(error.message).toMatch(/learning.rate/);
    expect(run.state).toBe('error');
    const { 'dense1.weight': weight } = await run.parameters();
    expect(weight.data.every(Number.isFinite)).toBe(true);
    expect(await run.predict(new Uint8Array(16))).toHaveLength(3);
    expect(await run.evaluate(data)).toMatchObject({ count: 90 });
    expect((await run.checkpoint()).length).toBeGreaterThan(0);
    expect(await failure(run.step(1))).toMatchObject({ code: 'state' });
    await run.close();
  });
});

describe('arrays', () => {
  /** @param {Record<string, any>} changes */
  const dataFailure = (changes) => failure(engine.dataset({ ...stripes(), ...changes }));

  it('with a label out of range', async () => {
    const { labels } = stripes();
    labels[40] = 3;
    const error = await dataFailure({ labels, name: 'mine' });
    expect(error).toMatchObject({ code: 'data', where: 'mine' });
    expect(error.what).toMatch(/sample 40 has label 3/);
    const none = await dataFailure({ labels: Array.from(labels, (label, i) => (i === 7 ? null : label)) });
    expect(none.message).toBe('labels[7]: null is not the number of a class');
  });

  it('whose counts differ', async () => {
    const error = await dataFailure({ labels: stripes().labels.subarray(1) });
    expect(error.message).toBe('labels: 89 labels for 90 images; there must be one each');
  });

  it('that are no whole samples, no pixels, no labels or no shape', async () => {
    const messages = await Promise.all(
      [
        { images: new Uint8Array(17) },
        { images: new Uint8Array(0), labels: [] },
        { images: 'pixels' },
        { labels: undefined },
        { labels: [0.5, ...stripes().labels.subarray(1)] },
        { shape: [4, 4] },
        { classes: 0 },
      ].map(async (changes) => (await dataFailure(changes)).message),
    );
    expect(messages).toEqual([
      'images: 17 values are no whole number of samples of 4 x 4 x 1',
      'images: 0 values are no whole number of samples of 4 x 4 x 1',
      'images: they must be a Uint8Array or a Float32Array',
      'labels: they are missing; give one for every image',
      'labels[0]: 0.5 is not the number of a class',
      'shape: [4,4] is not [height, width, channels] of at least 1 each',
      'classes: 0 is no number of classes; give names, or 1 to 65536',
    ]);
  });

  it('with pixels or targets that are no numbers', async () => {
    const images = Float32Array.from(stripes().images);
    images[20] = Number.NaN;
    expect((await dataFailure({ images })).message).toMatch(/sample 1 has NaN at row 1, column 0/);
    const labels = new Float32Array(270).fill(0.5);
    expect((await dataFailure({ labels })).message).toMatch(/targets of sample 0 sum to 1\.5/);
  });

  it('of another shape than the model', async () => {
    const other = await engine.dataset({ ...stripes(), shape: [2, 8, 1] });
    expect((await failure(engine.run(stripesRecipe(), { train: other }))).message).toMatch(/2.*8/);
    expect((await failure(bystander.evaluate(other))).message).toMatch(/2.*8/);
    expect((await failure(bystander.predict(new Uint8Array(15)))).message).toBe(
      'predict: 15 values are no whole number of samples of 4 x 4 x 1',
    );
    await other.close();
  });

  it('of another engine', async () => {
    const stranger = await createEngine({ threads: 1 });
    const run = failure(stranger.run(stripesRecipe(), { train: data }));
    expect((await run).message).toBe('dataset: it belongs to another engine');
    await stranger.close();
  });
});

describe('files', () => {
  /** An IDX file of u8. @param {number[]} sides @param {Uint8Array} values */
  function idx(sides, values) {
    const head = new DataView(new ArrayBuffer(4 + 4 * sides.length));
    head.setUint32(0, 0x800 + sides.length);
    for (const [i, side] of sides.entries()) head.setUint32(4 + 4 * i, side);
    return Buffer.concat([new Uint8Array(head.buffer), values]);
  }
  const { images, labels } = stripes();
  const imageFile = idx([90, 4, 4], images);
  const labelFile = idx([90], labels);
  /** @param {Uint8Array} imageBytes @param {Uint8Array} [labelBytes] */
  const read = (imageBytes, labelBytes = labelFile) =>
    engine.readFiles([
      { name: 'pictures', bytes: imageBytes },
      { name: 'answers.gz', bytes: labelBytes },
    ]);

  it('that are right, gzipped or not, whatever their names say', async () => {
    const { train, test } = await read(gzipSync(imageFile));
    expect([train.count, train.shape, train.classes, test]).toEqual([
      90,
      [4, 4, 1],
      ['0', '1', '2'],
      undefined,
    ]);
    expect((await train.samples([88])).pixels).toEqual(images.slice(88 * 16, 89 * 16));
    await train.close();
  });

  it('cut short, damaged, empty, or something else', async () => {
    const packed = gzipSync(imageFile);
    const damaged = Uint8Array.from(packed);
    damaged[packed.length >> 1] ^= 0xff;
    const cases = [
      imageFile.subarray(0, 1000),
      packed.subarray(0, 200),
      damaged,
      new Uint8Array(),
      Buffer.from('GIF89a..'),
    ];
    const messages = await Promise.all(cases.map(async (bytes) => (await failure(read(bytes))).message));
    expect(messages[0]).toMatch(/^pictures: .*90 x 4 x 4.* 984 /);
    expect(messages.slice(1)).toEqual([
      'pictures: is damaged or cut short inside its gzip packing; get it again',
      'pictures: is damaged or cut short inside its gzip packing; get it again',
      'pictures: the file is empty; download it again',
      'pictures: is a GIF, which only browsers decode here; convert it to PNG',
    ]);
  });

  it('whose header claims four billion samples', async () => {
    const error = await failure(read(idx([2 ** 32 - 1, 28, 28], images)));
    expect(error.where).toBe('pictures');
    expect(error.message).toMatch(/4294967295/);
  });

  it('whose counts differ', async () => {
    const error = await failure(read(imageFile, idx([89], labels.subarray(1))));
    expect(error.code).toBe('data');
    expect(error.message).toMatch(/90.*89|89.*90/);
  });

  it('without their other half, and none at all', async () => {
    const single = failure(engine.readFiles([{ name: 'pictures', bytes: imageFile }]));
    expect((await single).message).toBe('pictures: its labels are missing; give both files together');
    expect((await failure(engine.readFiles([]))).message).toMatch(/^files: there are no samples; give /);
  });
});

describe('a checkpoint', () => {
  it('cut short, altered, or none', async () => {
    const bytes = await bystander.checkpoint();
    const cut = await failure(engine.load(bytes.subarray(0, bytes.length - 7), { name: 'mine.safetensors' }));
    expect(cut).toMatchObject({ code: 'format', where: 'mine.safetensors' });
    const text = new TextDecoder('latin1').decode(bytes);
    const altered = Uint8Array.from(bytes);
    altered[text.indexOf('dense1')] ^= 1;
    expect((await failure(engine.load(altered))).message).toMatch(/^checkpoint/);
    expect(await failure(engine.load(new Uint8Array()))).toMatchObject({
      code: 'format',
      where: 'checkpoint',
    });
    expect(await failure(engine.load(new Uint8Array(100).fill(0xff)))).toMatchObject({ code: 'format' });
  });

  it('of someone else', async () => {
    const header = '{"__metadata__":{"recipe":"no JSON"}}';
    const foreign = new Uint8Array(8 + header.length);
    foreign[0] = header.length;
    foreign.set(new TextEncoder().encode(header), 8);
    const error = await failure(engine.load(foreign));
    expect(error).toMatchObject({ code: 'format', where: 'checkpoint' });
  });
});

describe('a call', () => {
  it('with arguments out of range', async () => {
    const messages = await Promise.all(
      [
        data.sample(90),
        bystander.step(0),
        bystander.setEpochs(1.5),
        bystander.setLearningRate(-1),
        bystander.setLearningRate(/** @type {any} */ ('0.1')),
        createEngine({ threads: 65 }),
        createEngine({ precision: /** @type {any} */ ('exakt') }),
        data.duplicates(data, { most: -1 }),
        engine.augmentations({}, data, 0, 0),
        bystander.evaluate(/** @type {any} */ (undefined)),
        engine.load(/** @type {any} */ ('run.safetensors')),
      ].map(async (call) => (await failure(call)).message),
    );
    expect(messages.slice(0, 3)).toEqual([
      'samples: there is no sample 90; they go from 0 to 89',
      'steps: 0 is not a whole number of at least 1',
      'epochs: 1.5 is not a whole number of at least 1',
    ]);
    expect(messages[3]).toMatch(/learning_rate.*-1/);
    expect(messages.slice(4)).toEqual([
      'learning_rate: 0.1 is not a number',
      "threads: 65 is neither 'auto' nor a number from 1 to 64",
      "precision: exakt is none of 'exact', 'fast' and 'double'",
      'most: -1 is not a whole number of at least 1',
      'count: 0 is not a whole number of at least 1',
      'dataset: give one of readFiles()',
      'checkpoint: its bytes must be a Uint8Array, an ArrayBuffer or a Blob',
    ]);
    expect(() => bystander.train({ epochs: -1 })).toThrow('epochs: -1 is not a whole number of at least 1');
    expect(() => engine.on(/** @type {any} */ ('crash'), () => {})).toThrow(/there is no event "crash"/);
  });

  it('for more than there is or can be', async () => {
    const [few, all] = await Promise.all([data.duplicates(data), data.duplicates(data, { most: Infinity })]);
    expect([few.count, all.count, all.examples.length]).toEqual([90, 90, 90]);
    expect(all.examples.slice(0, 20)).toEqual(few.examples);
    const within = bystander.deadUnits(data);
    expect(await bystander.deadUnits(data, { samples: 2 ** 32 })).toEqual(await within);
    for (const call of [engine.augmentations({}, data, 0, 2 ** 30), data.thumbnails([0], { size: 100_000 })])
      expect(await failure(call)).toMatchObject({ code: 'memory' });
    expect(bystander.state).toBe('idle');
  });

  it('for training without data', async () => {
    const run = await engine.run(stripesRecipe());
    const error = await failure(collect(run.train()));
    expect(error.code).toBe('state');
    expect(run.state).toBe('idle');
    await run.close();
  });
});
