// The worker dies, for real: its thread is ended from outside, as when the system takes it. What was there must be
// there again, and whoever waited must hear what happened.
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from 'tabgrad';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collect, stripes, stripesRecipe } from '../support/training.js';

const threads = createRequire(import.meta.url)('node:worker_threads');
const { Worker } = threads;

/** @type {import('node:worker_threads').Worker[]} */
let workers;
/** @type {import('tabgrad').Engine} */
let engine;
/** @type {{ reason: string, restored: boolean }[]} */
let respawns;

beforeEach(async () => {
  workers = [];
  threads.Worker = class extends Worker {
    /** @param {any} url @param {any} options */
    constructor(url, options) {
      super(url, options);
      workers.push(/** @type {any} */ (this));
    }
  };
  engine = await createEngine({ threads: 1 });
  respawns = [];
  engine.on('respawn', (event) => respawns.push(event));
});
afterEach(async () => {
  threads.Worker = Worker;
  await engine.close();
});

/** A run that is not at its end while a test lasts. @param {import('tabgrad').Dataset} data */
const newRun = (data) => engine.run(stripesRecipe({ epochs: 10_000 }), { train: data });
/** The stripes as IDX files. */
function idxFiles() {
  const { images, labels } = stripes();
  return {
    images: Buffer.concat([Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 90, 0, 0, 0, 4, 0, 0, 0, 4), images]),
    labels: Buffer.concat([Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 90), labels]),
  };
}

const kill = () => workers[workers.length - 1].terminate();

it('goes on from the last saved state, to the same bits', async () => {
  const data = await engine.dataset(stripes(900)); // 90 steps an epoch
  const [run, twin] = [await newRun(data), await newRun(data)];
  await twin.step(100);
  const hash = await twin.hash();

  await collect(run.train({ epochs: 1 })); // saved at its end
  const steps = run.step(100_000_000);
  await kill();
  await expect(steps).rejects.toMatchObject({
    code: 'crashed',
    message: 'engine: the worker stopped (it ended) and was restarted; the run goes on from step 90',
  });
  expect(respawns).toEqual([{ reason: 'it ended', restored: true }]);
  expect(workers).toHaveLength(2);
  expect([run.state, run.progress.step]).toEqual(['stopped', 90]);
  await run.step(10);
  expect(await run.hash()).toBe(hash);
  expect((await data.sample(1)).label).toBe(1);
});

it('ends train() with what happened, and begins anew what was never saved', async () => {
  const data = await engine.dataset(stripes(9000));
  const run = await newRun(data);
  const iterated = (async () => {
    for await (const { step } of run.train()) if (step > 0) kill();
  })();
  await expect(iterated).rejects.toThrow(/was restarted; the run goes on from its beginning/);
  expect([run.state, run.progress.step]).toEqual(['idle', 0]);
  expect((await run.step(3)).step).toBe(3);
});

it('survives more than one death, also while nothing waits for an answer', async () => {
  const data = await engine.dataset(stripes());
  const run = await engine.run(stripesRecipe(), { train: data });
  await run.step(2);
  for (let i = 1; i <= 2; i++) {
    const event = new Promise((resolve) => engine.on('respawn', resolve));
    await kill();
    await event;
    expect((await data.sample(0)).label).toBe(0);
  }
  expect(respawns).toHaveLength(2);
});

it('answers those who wait also where a listener throws', async () => {
  const data = await engine.dataset(stripes());
  const run = await newRun(data);
  const thrown = new Promise((resolve) => {
    const others = process.listeners('unhandledRejection'); // the runner's, which would end the test
    process.removeAllListeners('unhandledRejection');
    process.once('unhandledRejection', (reason) => {
      for (const listener of others) process.on('unhandledRejection', listener);
      resolve(reason);
    });
  });
  engine.on('respawn', () => {
    throw new Error('of the listener');
  });
  const steps = run.step(100_000_000);
  await kill();
  await expect(steps).rejects.toMatchObject({ code: 'crashed' });
  expect(await thrown).toMatchObject({ message: 'of the listener' });
  expect((await run.step(1)).step).toBe(1);
});

it('replaces a worker that says itself that it cannot go on', async () => {
  const data = await engine.dataset(stripes());
  const event = new Promise((resolve) => engine.on('respawn', resolve));
  // Past the library, which would refuse it: samples far outside of memory.
  workers[0].postMessage({ type: 'samples', id: 1_000_000, dataset: data.id, indices: [2 ** 31] });
  expect(await event).toEqual({ reason: expect.stringMatching(/./), restored: true });
  expect((await data.sample(4)).label).toBe(1);
});

it('says so when data was handed over and is gone, and keeps the run', async () => {
  const data = await engine.dataset({ ...stripes(), transfer: true });
  const run = await engine.run(stripesRecipe(), { train: data });
  await collect(run.train());
  const hash = await run.hash();
  const evaluated = run.evaluate(data);
  await kill();
  await expect(evaluated).rejects.toThrow(/goes on from step 27, but without its data/);
  expect(respawns).toEqual([{ reason: 'it ended', restored: false }]);
  await expect(data.sample(0)).rejects.toMatchObject({ code: 'crashed', where: 'dataset' });
  await expect(run.evaluate(data)).rejects.toThrow(/handed over with `transfer`/);
  expect(await run.hash()).toBe(hash);
  expect(await run.predict(new Uint8Array(16))).toHaveLength(3);
});

it('gives a run back the sets that were closed, as it keeps them', async () => {
  const [train, test] = [await engine.dataset(stripes(900)), await engine.dataset(stripes(90))];
  const sets = { train, test };
  const [run, twin] = [await engine.run(stripesRecipe(), sets), await engine.run(stripesRecipe(), sets)];
  const both = await engine.run(stripesRecipe(), { train: test, test });
  await twin.step(120);
  const hash = await twin.hash();
  await twin.close();
  await Promise.all([train.close(), test.close()]);
  const before = (await engine.memory()).usedBytes;
  const steps = run.step(100_000_000);
  await kill();
  await expect(steps).rejects.toThrow(/was restarted; the run goes on from its beginning$/);
  expect(respawns).toEqual([{ reason: 'it ended', restored: true }]);
  await run.step(120);
  expect(await run.hash()).toBe(hash);
  expect(run.progress.heldOut).toMatchObject({ count: 90 });
  expect((await both.step(1)).step).toBe(1);
  expect((await engine.memory()).usedBytes).toBeLessThan(before * 1.5);
  await expect(train.sample(0)).rejects.toThrow(/it was closed/);
});

it('says so when a closed set was handed over, and keeps the run', async () => {
  const [data, test] = [
    await engine.dataset(stripes()),
    await engine.dataset({ ...stripes(), transfer: true }),
  ];
  const run = await engine.run(stripesRecipe(), { train: data, test });
  await test.close();
  const steps = run.step(100_000_000);
  await kill();
  await expect(steps).rejects.toThrow(/goes on from its beginning$/);
  expect(respawns).toEqual([{ reason: 'it ended', restored: false }]);
  expect((await run.step(3)).step).toBe(3);
});

it('does not pass changed arrays off as the same data', async () => {
  const arrays = stripes();
  const data = await engine.dataset(arrays);
  arrays.images[0] ^= 1;
  const sampled = data.sample(0);
  await kill();
  await sampled.catch(() => {}); // may have been answered just before
  await expect(data.sample(0)).rejects.toThrow(/its arrays have changed since they were given/);
});

it('makes sets again that came into being together, also when one of them is closed', async () => {
  const { images, labels } = idxFiles();
  const files = ['train', 'test'].flatMap((part) => [
    { name: `${part}-images`, bytes: images },
    { name: `${part}-labels`, bytes: labels },
  ]);
  const { train, test } = await engine.readFiles(files);
  const { train: rest, test: heldOut } = await train.split({ fraction: 0.1 });
  await heldOut.rename(['x', 'y', 'z']);
  const digits = await heldOut.samples([0, 8]);
  await Promise.all([train.close(), rest.close()]);
  const before = (await engine.memory()).usedBytes;
  const event = new Promise((resolve) => engine.on('respawn', resolve));
  await kill();
  expect(await event).toEqual({ reason: 'it ended', restored: true });
  expect(await heldOut.samples([0, 8])).toEqual(digits);
  expect((await test?.sample(1))?.label).toBe(1);
  expect((await engine.memory()).usedBytes - before).toBeLessThan(100); // blocks are rounded as they come
  const run = await engine.run(stripesRecipe(), { train: heldOut });
  expect(run.classes).toEqual(['x', 'y', 'z']);
});

it('loses only what it cannot read any more', async () => {
  const { images, labels } = idxFiles();
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-'));
  const path = join(folder, 'images');
  await writeFile(path, images);
  const files = [
    { name: 'images', bytes: await openAsBlob(path) },
    { name: 'labels', bytes: labels },
  ];
  const { train } = await engine.readFiles(files);
  const other = await engine.dataset(stripes());
  await rm(folder, { recursive: true });
  const event = new Promise((resolve) => engine.on('respawn', resolve));
  await kill();
  expect(await event).toEqual({ reason: 'it ended', restored: false });
  await expect(train.sample(0)).rejects.toThrow(/^images: cannot be read .* choose it again$/);
  expect((await other.sample(1)).label).toBe(1);
});

it('gives up with one sentence when no worker can be started any more', async () => {
  const data = await engine.dataset(stripes());
  threads.Worker = class extends Worker {
    constructor() {
      super(new URL('nowhere.js', import.meta.url));
    }
  };
  const sampled = data.sample(0);
  await kill();
  await sampled.catch(() => {});
  await expect(data.sample(0)).rejects.toMatchObject({ code: 'crashed' });
  await expect(data.sample(0)).rejects.toThrow(/cannot be restarted .* create a new engine$/);
});

it('a closed engine answers with that, and does not come back', async () => {
  const data = await engine.dataset(stripes());
  const sampled = data.sample(0);
  const closed = engine.close();
  await expect(sampled).rejects.toMatchObject({ code: 'closed', message: 'engine: it was closed' });
  await closed;
  await expect(data.sample(0)).rejects.toMatchObject({ code: 'closed' });
  expect(workers).toHaveLength(1);
});
