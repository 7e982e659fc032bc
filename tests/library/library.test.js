import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, stripes, stripesRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let data;

/** So much of it that no test sees its end. @type {import('tabgrad').Dataset} */
let muchData;

beforeAll(async () => {
  engine = await createEngine();
  data = await engine.dataset(stripes());
  muchData = await engine.dataset(stripes(9000));
});
afterAll(() => engine.close());

/** @param {Record<string, any>} [changes] */
const newRun = (changes) => engine.run(stripesRecipe(changes), { train: data, test: data });
const newLongRun = () => engine.run(stripesRecipe({ epochs: 10_000 }), { train: muchData, test: data });

describe('engine', () => {
  it('says what it runs on', () => {
    expect(['simd', 'threads']).toContain(engine.variant);
    expect(engine.threads).toBeGreaterThanOrEqual(1);
    expect(engine.kernels).toBe('wasm128');
  });

  it('takes a thread count literally', async () => {
    const [one, three] = await Promise.all([createEngine({ threads: 1 }), createEngine({ threads: 3 })]);
    expect([one.variant, one.threads]).toEqual(['simd', 1]);
    expect([three.variant, three.threads]).toEqual(['threads', 3]);
    await Promise.all([one.close(), three.close()]);
  });

  it('does with one thread where those of more cannot be loaded, unless told how many', async () => {
    const dist = new URL('../../dist/', import.meta.url);
    const folder = await mkdtemp(join(tmpdir(), 'tabgrad-'));
    const names = (await readdir(dist)).filter((name) => /^tabgrad.*\.(js|wasm)$/.test(name));
    for (const name of names.filter((name) => !name.startsWith('tabgrad-threads'))) {
      await copyFile(new URL(name, dist), join(folder, name));
    }
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const baseUrl = pathToFileURL(folder);
    const one = await createEngine({ baseUrl });
    expect([one.variant, one.threads]).toEqual(['simd', 1]);
    await one.close();
    const two = createEngine({ baseUrl, threads: 2 });
    await expect(two).rejects.toMatchObject({ code: 'unavailable', where: `${baseUrl}/tabgrad-threads.js` });
    await rm(folder, { recursive: true });
  });

  it('finds its files through baseUrl, and says which it does not find', async () => {
    const nowhere = createEngine({ baseUrl: new URL('nowhere/', import.meta.url) });
    await expect(nowhere).rejects.toMatchObject({ name: 'TabgradError', code: 'unavailable' });
    await expect(nowhere).rejects.toThrow(/nowhere\/tabgrad\.worker\.js/);
  });
});

describe('dataset', () => {
  it('has facts and samples', async () => {
    const { images } = stripes();
    expect(data).toMatchObject({ count: 90, shape: [4, 4, 1], classes: ['a', 'b', 'c'] });
    expect(data.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await data.sample(7)).toEqual({ pixels: images.slice(7 * 16, 8 * 16), label: 1 });
    const { pixels, labels } = await data.samples([89, 0]);
    expect(labels).toEqual(Int32Array.of(2, 0));
    expect(pixels).toEqual(Uint8Array.of(...images.slice(89 * 16), ...images.slice(0, 16)));
  });

  it('is copied, or handed over', async () => {
    const copied = stripes();
    await (await engine.dataset(copied)).close();
    expect(copied.images.length).toBe(90 * 16);
    const handedOver = stripes();
    await (await engine.dataset({ ...handedOver, transfer: true })).close();
    expect(handedOver.images.length).toBe(0);
  });

  it('takes a view into something larger, Float32 pixels, soft labels, and counts classes itself', async () => {
    const { images, shape } = stripes(2);
    const larger = new Uint8Array(100).fill(9);
    larger.set(images, 50);
    const view = await engine.dataset({ images: larger.subarray(50, 82), labels: [4, 0], shape });
    expect(view.classes).toEqual(['0', '1', '2', '3', '4']);
    expect((await view.sample(0)).pixels).toEqual(images.slice(0, 16));
    const numpy = await engine.dataset({
      images,
      labels: /** @type {any} */ (BigInt64Array.of(4n, 0n)),
      shape,
    });
    expect([numpy.classes.length, (await numpy.samples([0, 1])).labels]).toEqual([5, Int32Array.of(4, 0)]);
    await numpy.close();

    const soft = await engine.dataset({
      images: Float32Array.from(images, (value) => value / 255),
      labels: Float32Array.of(0.1, 0.2, 0.7, 1, 0, 0),
      shape,
      classes: 3,
    });
    const { pixels, labels } = await soft.samples([0, 1]);
    expect(labels).toEqual(Int32Array.of(2, 0));
    expect(pixels[3]).toBe(Math.fround(images[3] / 255));
    await Promise.all([view.close(), soft.close()]);
  });

  it('outlives close() for the runs that use it', async () => {
    const own = await engine.dataset(stripes());
    const run = await engine.run(stripesRecipe(), { train: own });
    await own.close();
    await expect(own.sample(0)).rejects.toMatchObject({ code: 'closed' });
    await collect(run.train());
    expect(run.state).toBe('done');
    await run.close();
  });
});

describe('run', () => {
  it('describes itself', async () => {
    const run = await newRun();
    expect(run.recipe.optimizer).toMatchObject({ type: 'adam', learning_rate: 0.01, beta1: 0.9 });
    expect(run.summary.parameters).toBe(16 * 8 + 8 + 8 * 3 + 3);
    expect(run.summary.layers.map(({ name, shape }) => [name, shape])).toEqual([
      ['flatten1', [16]],
      ['dense1', [8]],
      ['relu1', [8]],
      ['dense2', [3]],
    ]);
    expect(run.summary.memory.parametersBytes).toBeGreaterThanOrEqual(2 * 4 * run.summary.parameters);
    expect(run.summary.memory.totalBytes).toBeGreaterThan(run.summary.memory.activationsBytes);
    expect([run.classes, run.shape, run.state]).toEqual([['a', 'b', 'c'], [4, 4, 1], 'idle']);
    await run.close();
  });

  it('reports every step once, and every epoch', async () => {
    const run = await newRun();
    const reports = await collect(run.train());
    let next = 0;
    for (const { firstStep, stepLosses, step } of reports) {
      expect(firstStep).toBe(next);
      next += stepLosses.length;
      expect(next).toBe(step);
      expect(stepLosses.every(Number.isFinite)).toBe(true);
    }
    const epochs = reports.filter(({ epochFinished }) => epochFinished);
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 9],
      [2, 18],
      [3, 27],
    ]);
    expect(epochs.every(({ heldOut }) => heldOut?.count === 90)).toBe(true);
    const last = reports[reports.length - 1];
    expect(last).toMatchObject({
      finished: true,
      samples: 270,
      stepsPerEpoch: 9,
      secondsLeft: 0,
      learningRate: 0.01,
    });
    expect(last.loss).toBeLessThan(epochs[0].loss);
    expect(run.progress).toBe(last);
    expect(run.state).toBe('done');
    await run.close();
  });

  it('trains as many epochs as it is told, also beyond the recipe', async () => {
    const run = await newRun();
    await collect(run.train({ epochs: 2 }));
    expect([run.state, run.progress.epoch]).toEqual(['idle', 2]);
    await collect(run.train());
    expect([run.state, run.progress.epoch]).toEqual(['done', 3]);
    await collect(run.train({ epochs: 2 }));
    expect([run.state, run.progress.epoch, run.recipe.epochs]).toEqual(['done', 5, 5]);
    expect(await collect(run.train())).toEqual([]);
    await run.close();
  });

  it('pauses, steps, resumes and stops while train() is iterated', async () => {
    const run = await newLongRun();
    const seen = { steps: 0, epochs: 0 };
    const iterated = (async () => {
      for await (const { firstStep, stepLosses, epochFinished } of run.train()) {
        expect(firstStep).toBe(seen.steps);
        seen.steps += stepLosses.length;
        seen.epochs += Number(epochFinished);
      }
    })();
    await run.pause();
    expect(run.state).toBe('paused');
    const before = run.progress.step;
    const report = await run.step(1000);
    expect(report).toMatchObject({ firstStep: before, step: before + 1000, epochFinished: true });
    expect(report.stepLosses.length).toBe(1000);
    expect(run.state).toBe('paused');
    await run.resume();
    expect(run.state).toBe('training');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await run.stop();
    await iterated;
    expect(run.state).toBe('stopped');
    expect(run.progress.step).toBeGreaterThan(before + 1000);
    expect(seen).toEqual({ steps: run.progress.step, epochs: run.progress.epoch });
    await run.close();
  });

  it('steps without train(), to the end and no further', async () => {
    const run = await newRun();
    const reports = await Promise.all([run.step(), run.step(8), run.step(100), run.step(5)]);
    expect(reports.map(({ step, stepLosses }) => [step, stepLosses.length])).toEqual([
      [1, 1],
      [9, 8],
      [27, 18],
      [27, 0],
    ]);
    expect(run.state).toBe('done');
    await run.close();
  });

  it('stops when the loop over train() is left', async () => {
    const run = await newLongRun();
    for await (const { step } of run.train()) if (step > 0) break;
    expect(run.state).toBe('stopped');
    const { step } = run.progress;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await run.step(1)).firstStep).toBe(step);
    await run.close();
  });

  it('ends train() when it is closed, and answers nothing any more', async () => {
    const run = await newLongRun();
    const iterated = collect(run.train());
    await run.close();
    await iterated;
    await expect(run.hash()).rejects.toMatchObject({ code: 'closed' });
  });

  it('may be closed from within the loop over train(), which is then left', async () => {
    const run = await newLongRun();
    for await (const _ of run.train()) {
      run.close();
      break;
    }
    await expect(run.hash()).rejects.toMatchObject({ code: 'closed' });
  });

  it('may be closed twice, and after its engine', async () => {
    const own = await createEngine({ threads: 1 });
    const run = await own.run(stripesRecipe(), { train: await own.dataset(stripes()) });
    const other = await own.run(stripesRecipe());
    await run.close();
    await run.close();
    await own.close();
    await own.close();
    await other.close();
    await expect(other.hash()).rejects.toMatchObject({ code: 'closed' });
  });

  it('trains one session at a time, and several runs at once', async () => {
    const [one, two] = await Promise.all([newRun({ epochs: 500 }), newRun({ epochs: 500 })]);
    const [first, second] = [collect(one.train()), collect(two.train())];
    await expect(one.train().next()).rejects.toMatchObject({ code: 'state', where: 'train' });
    await Promise.all([first, second]);
    expect(await one.hash()).toBe(await two.hash());
    await Promise.all([one.close(), two.close()]);
  });

  it('changes the learning rate and the number of epochs on its way', async () => {
    const run = await newRun();
    await run.step(4);
    await run.setLearningRate(0.002);
    await run.setEpochs(1);
    const reports = await collect(run.train());
    expect(reports.at(-1)).toMatchObject({ epoch: 1, learningRate: 0.002, finished: true });
    const { events, epochs } = await run.history();
    expect(events).toEqual([
      { step: 4, learning_rate: 0.002 },
      { step: 4, epochs: 1 },
    ]);
    expect(epochs).toHaveLength(1);
    expect(epochs[0]).toMatchObject({
      epoch: 1,
      step: 9,
      held_out_accuracy: reports.at(-1)?.heldOut?.accuracy,
    });
    await run.setEpochs(2);
    expect([run.state, run.recipe.epochs]).toEqual(['stopped', 2]);
    await run.close();
  });

  it('evaluates with a confusion matrix, and with details', async () => {
    const run = await newRun({ epochs: 20 });
    await collect(run.train());
    const { predicted, losses, ...result } = await run.evaluate(data, { details: true });
    const { loss, accuracy, count, confusion } = result;
    expect([accuracy, count]).toEqual([1, 90]);
    expect(confusion).toEqual([
      [30, 0, 0],
      [0, 30, 0],
      [0, 0, 30],
    ]);
    expect(predicted).toEqual(Int32Array.from(stripes().labels));
    const mean = /** @type {Float32Array} */ (losses).reduce((sum, value) => sum + value, 0) / 90;
    expect(mean).toBeCloseTo(loss, 5);
    expect(await run.evaluate(data)).toEqual(result);
    await run.close();
  });

  it('predicts probabilities, one sample or many, and leaves the pixels alone', async () => {
    const run = await newRun({ epochs: 20 });
    await collect(run.train());
    const { images } = stripes();
    const all = await run.predict(images);
    expect([all.length, images.length]).toEqual([270, 90 * 16]);
    expect(all[0] + all[1] + all[2]).toBeCloseTo(1, 5);
    expect(await run.predict(images.subarray(16, 32))).toEqual(all.slice(3, 6));
    expect(await run.predict(new Uint8ClampedArray(images.buffer, 16, 16))).toEqual(all.slice(3, 6));
    const file = Buffer.from(images); // whose slice() is no copy
    expect(await run.predict(file.subarray(16, 32))).toEqual(all.slice(3, 6));
    expect(await run.predict(file)).toEqual(all);
    expect(file.equals(images)).toBe(true);
    await run.close();
  });

  it('shows its parameters', async () => {
    const run = await newRun();
    const parameters = await run.parameters();
    expect(Object.entries(parameters).map(([name, { shape }]) => [name, shape])).toEqual([
      ['dense1.weight', [8, 16]],
      ['dense1.bias', [8]],
      ['dense2.weight', [3, 8]],
      ['dense2.bias', [3]],
    ]);
    expect(parameters['dense1.weight'].data).toHaveLength(128);
    await run.close();
  });

  it('saves and loads, with data or without', async () => {
    const run = await newRun();
    await run.step(13);
    const bytes = await run.checkpoint();
    const again = await engine.load(bytes, { train: data, test: data });
    expect([again.recipe, again.classes, again.state]).toEqual([run.recipe, run.classes, 'idle']);
    expect(again.progress).toMatchObject({ step: 13, epoch: 1 });
    expect(await again.history()).toEqual(await run.history());
    await Promise.all([collect(run.train()), collect(again.train())]);
    expect(await again.hash()).toBe(await run.hash());

    const reader = await engine.load(await run.checkpoint(), {});
    const { images } = stripes(3);
    expect(await reader.predict(images)).toEqual(await run.predict(images));
    expect((await run.checkpoint({ weightsOnly: true })).length).toBeLessThan(bytes.length);
    await Promise.all([run.close(), again.close(), reader.close()]);
  });
});

it('lets Node end while nothing is going on', async () => {
  const { execFile } = await import('node:child_process');
  const library = new URL('../../dist/tabgrad.js', import.meta.url);
  const script = `const { createEngine } = await import('${library}'); await createEngine(); console.log('ready');`;
  const stdout = await new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 }, (error, out) =>
      error ? reject(error) : resolve(out),
    );
  });
  expect(stdout).toBe('ready\n');
});
