// What reading files tells on the way and afterwards, and what can be done with the sets that come of it.
import { openAsBlob } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { createEngine, TabgradError } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picturesFromIdx, png } from '../support/formats.js';
import { collect, mnistFiles, stripes, stripesRecipe } from '../support/training.js';

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {Awaited<ReturnType<typeof mnistFiles>>} */
let mnist;
beforeAll(async () => {
  engine = await createEngine();
  mnist = await mnistFiles();
});
afterAll(() => engine.close());

describe('reading', () => {
  it('takes no digest where nobody wants one, and a checkpoint holds it all the same', async () => {
    const { train } = await engine.readFiles(mnist);
    const quick = await engine.readFiles(mnist, { digest: false });
    expect(train.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect([quick.train.sha256, quick.test?.sha256]).toEqual(['', '']);
    const layers = [{ type: 'flatten' }, { type: 'dense', units: 10 }];
    const recipe = stripesRecipe({ model: { input: [28, 28, 1], layers } });
    const run = await engine.run(recipe, { train: quick.train });
    await run.step(2);
    const bytes = await run.checkpoint();
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header.__metadata__.dataset_sha256).toBe(train.sha256);
    for (const it of [run, train, quick.train, quick.test]) await it?.close();
  }, 30_000);

  it('says how far it is, and what was understood', async () => {
    /** @type {import('tabgrad').ReadingProgress[]} */
    const reports = [];
    /** @type {import('tabgrad').ReadingPreview[]} */
    const previews = [];
    const { train, test, report } = await engine.readFiles(mnist, {
      onProgress: (progress) => reports.push(progress),
      onPreview: (preview) => previews.push(preview),
    });
    expect(reports.length).toBeGreaterThan(0);
    const total = mnist.reduce((sum, { bytes }) => sum + bytes.length, 0);
    let done = 0;
    for (const progress of reports) {
      expect(progress).toMatchObject({ total, stage: expect.stringMatching(/^reading|finishing$/) });
      expect(progress.done).toBeGreaterThanOrEqual(done);
      done = progress.done;
    }
    expect(report.sources.map(({ name }) => name).sort()).toEqual(mnist.map(({ name }) => name).sort());
    expect(report).toMatchObject({
      skippedCount: 0,
      train: { count: 60_000, shape: [28, 28, 1], range: [0, 255] },
      test: { count: 10_000 },
      duplicates: { count: 0 },
    });
    expect(previews).toHaveLength(1);
    const [{ indices, labels, thumbnails }] = previews;
    expect(previews[0].train).toMatchObject({ count: 60_000, classes: [...'0123456789'] });
    expect([...labels]).toEqual(Array.from({ length: 60 }, (_, i) => Math.floor(i / 6)));
    expect((await train.samples(indices)).labels).toEqual(labels);
    expect([thumbnails.width, thumbnails.height, thumbnails.columns]).toEqual([280, 168, 10]);
    await train.close();
    await test?.close();
  });

  describe.each([
    ['IDX', (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => bytes],
    ['IDX in gzip', (/** @type {Uint8Array} */ bytes) => gzipSync(bytes, { level: 1 })],
  ])('shows the first samples of %s', (kind, packed) => {
    const ending = kind === 'IDX' ? '' : '.gz';
    /** The set, once its images were changed. @param {(bytes: Uint8Array<ArrayBuffer>, name: string) => Uint8Array} change */
    const files = (change) =>
      mnist.map(({ name, bytes }) => ({
        name: name + ending,
        bytes: packed(/** @type {Uint8Array<ArrayBuffer>} */ (change(bytes, name))),
      }));

    it('before it has seen the end of the files', async () => {
      /** @type {import('tabgrad').ReadingPreview[]} */
      const previews = [];
      const cut = files((bytes, name) => (name.includes('images') ? bytes.subarray(0, -1) : bytes));
      const reading = engine.readFiles(cut, { onPreview: (preview) => previews.push(preview) });
      await expect(reading).rejects.toThrow('header promises');
      expect(previews).toHaveLength(1);
      const [{ train, test, indices, labels, thumbnails }] = previews;
      expect(train).toMatchObject({ count: 60_000, shape: [28, 28, 1], classes: [...'0123456789'] });
      expect(test).toMatchObject({ count: 10_000 });
      const whole = await engine.readFiles(mnist);
      expect((await whole.train.samples(indices)).labels).toEqual(labels);
      const again = await whole.train.thumbnails(indices, { columns: 10 });
      expect(Buffer.from(again.pixels).equals(Buffer.from(thumbnails.pixels))).toBe(true);
      await whole.train.close();
      await whole.test?.close();
    });

    const sortedLabels = (/** @type {Uint8Array} */ bytes) => {
      const sorted = new Uint8Array(bytes);
      sorted.subarray(8).sort();
      return sorted;
    };
    it('only where there are samples of every class among them', async () => {
      /** @type {import('tabgrad').ReadingPreview[]} */
      const previews = [];
      const sorted = files((bytes, name) => (name.includes('labels') ? sortedLabels(bytes) : bytes));
      const { train, test } = await engine.readFiles(sorted, {
        onPreview: (preview) => previews.push(preview),
      });
      expect(previews).toHaveLength(1);
      expect(previews[0].train.classes).toEqual([...'0123456789']);
      expect((await train.samples(previews[0].indices)).labels).toEqual(previews[0].labels);
      await train.close();
      await test?.close();
    });
  });

  it('is cancelled within 100 ms, and leaves nothing behind', async () => {
    const packed = mnist.map(({ name, bytes }) => ({ name, bytes: gzipSync(bytes, { level: 1 }) })); // takes longer
    const before = (await engine.memory()).usedBytes;
    const controller = new AbortController();
    let aborted = 0;
    const reading = engine.readFiles(packed, {
      signal: controller.signal,
      onProgress: () => {
        aborted ||= performance.now();
        controller.abort(new Error('enough'));
      },
    });
    await expect(reading).rejects.toThrow('enough');
    expect(performance.now() - aborted).toBeLessThan(100);
    while ((await engine.memory()).usedBytes !== before)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(engine.readFiles(mnist, { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('goes on beside a training, which loses no report', async () => {
    const data = await engine.dataset(stripes());
    const run = await engine.run(stripesRecipe({ epochs: 100_000 }), { train: data });
    const reports = collect(run.train());
    while (run.progress.step === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const { train, test } = await engine.readFiles(mnist.slice(2));
    expect([train.count, test]).toEqual([10_000, undefined]);
    await run.stop();
    const [first] = (await reports).filter(({ stepLosses }) => stepLosses.length > 0);
    expect(first.firstStep).toBe(0);
    for (const dataset of [data, train]) await dataset.close();
    await run.close();
  });

  it('skips what it cannot use, with the reason, and takes the rest', async () => {
    const pictures = picturesFromIdx(mnist[2].bytes, mnist[3].bytes);
    const good = Object.fromEntries(
      Array.from({ length: 6 }, (_, i) => [`${i % 2 ? 'odd' : 'even'}/${i}.png`, png(pictures, i)]),
    );
    const damaged = png(pictures, 6).slice(0, 60);
    const files = {
      ...good,
      'odd/damaged.png': damaged,
      'odd/photo.jpg': Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
      'readme.txt': strToU8('hello'),
      '__MACOSX/odd/._1.png': strToU8('junk'),
      '.DS_Store': strToU8('junk'),
      '../../etc/passwd/7.png': png(pictures, 7),
    };
    const { train, report } = await engine.readFiles([{ name: 'mine.zip', bytes: zipSync(files) }], {
      roles: {},
    });
    expect(train.classes).toEqual(['even', 'odd', 'passwd']);
    expect([train.count, report.skippedCount]).toEqual([7, 3]);
    expect(report.skipped).toEqual([
      { name: 'mine.zip/odd/damaged.png', reason: 'is a PNG cut short; get it again' },
      {
        name: 'mine.zip/odd/photo.jpg',
        reason: 'is a JPEG, which only browsers decode here; convert it to PNG',
      },
      {
        name: 'mine.zip/readme.txt',
        reason: expect.stringMatching(/^is none of the kinds that can be read/),
      },
    ]);
    await train.close();
  });

  it('takes options, and says which of them make no sense', async () => {
    const idx = mnist.slice(2);
    const { train } = await engine.readFiles(idx, {
      classes: [...'abcdefghij'],
      transposed: true,
      roles: undefined,
    });
    expect(train.classes).toEqual([...'abcdefghij']);
    const plain = (await engine.readFiles(idx)).train;
    const [turned, straight] = [await train.sample(3), await plain.sample(3)];
    expect(turned.pixels[28 * 7 + 14]).toBe(straight.pixels[28 * 14 + 7]);
    for (const dataset of [train, plain]) await dataset.close();
    await expect(engine.readFiles(idx, /** @type {any} */ ({ colour: 'gray' }))).rejects.toThrow(
      /^options: unknown key "colour"/,
    );
    await expect(engine.readFiles([/** @type {any} */ ({ name: 'a', bytes: 'text' })])).rejects.toThrow(
      'a: its bytes must be a Uint8Array, an ArrayBuffer or a Blob',
    );
  });
});

describe('a set', () => {
  /** @type {import('tabgrad').Dataset} */
  let data;
  beforeAll(async () => {
    data = await engine.dataset(stripes());
  });

  it('tells how many samples each class has, and the range of its pixels', async () => {
    const { images } = stripes();
    expect(await data.facts()).toEqual({
      classCounts: [30, 30, 30],
      range: [Math.min(...images), Math.max(...images)],
    });
    expect(data.type).toBe('u8');
  });

  it('is split into two, class by class', async () => {
    const { train, test } = await data.split({ fraction: 0.2, seed: 3 });
    expect([train.count, test.count]).toEqual([72, 18]);
    expect((await test.facts()).classCounts).toEqual([6, 6, 6]);
    const { count, examples } = await train.duplicates(test, { most: 3 }); // stripes repeat themselves
    expect(count).toBeGreaterThan(3);
    expect(examples).toHaveLength(3);
    for (const [i, j] of examples)
      expect((await train.sample(i)).pixels).toEqual((await test.sample(j)).pixels);
    const again = await data.split({ fraction: 0.2, seed: 3 });
    expect([again.train.sha256, again.test.sha256]).toEqual([train.sha256, test.sha256]);
    await expect(data.split({ fraction: 1.5 })).rejects.toThrow(TabgradError);
    for (const set of [train, test, again.train, again.test]) await set.close();
  });

  it('gives samples by class, the same for a seed', async () => {
    const indices = await data.samplesByClass(4, 9);
    const { labels } = await data.samples(indices);
    expect([...labels]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(new Set(indices).size).toBe(12);
    expect(await data.samplesByClass(4, 9)).toEqual(indices);
    expect(await data.samplesByClass(4, 10)).not.toEqual(indices);
    expect(await data.samplesByClass(1000)).toHaveLength(90);
  });

  it('gives thumbnails: enlarged, and shrunk', async () => {
    const { images } = stripes();
    const { pixels, width, height, columns } = await data.thumbnails([0, 1, 2], { size: 8 });
    expect([width, height, columns]).toEqual([16, 16, 2]);
    expect([...pixels.slice(0, 8)]).toEqual([
      images[0],
      images[0],
      images[0],
      255,
      images[0],
      images[0],
      images[0],
      255,
    ]);
    expect([...pixels.slice(-4)]).toEqual([0, 0, 0, 0]); // no fourth sample
    const small = await data.thumbnails([0], { size: 2 });
    expect(small.pixels[0]).toBe(
      Uint8ClampedArray.of((images[0] + images[1] + images[4] + images[5]) / 4)[0],
    );
    await expect(data.thumbnails([90])).rejects.toThrow(
      'thumbnails: there is no sample 90; they go from 0 to 89',
    );
  });

  it('shows floats between their least and their largest, and what is not square in the middle', async () => {
    const wide = await engine.dataset({
      images: Float32Array.of(-1, 3, 1, 1),
      labels: [0, 0],
      shape: [1, 2, 1],
    });
    const { pixels } = await wide.thumbnails([0, 1], { size: 2, columns: 2 });
    const cell = (/** @type {number} */ at) => [...pixels.slice(4 * at, 4 * at + 4)];
    expect([cell(0), cell(1), cell(2), cell(4)]).toEqual([
      [0, 0, 0, 255],
      [255, 255, 255, 255],
      [128, 128, 128, 255],
      [0, 0, 0, 0],
    ]);
    await wide.close();
  });

  it('gets other names for its classes, which a new run has', async () => {
    const set = await engine.dataset(stripes());
    await set.rename(['x', 'y', 'z']);
    const run = await engine.run(stripesRecipe(), { train: set });
    expect([set.classes, run.classes]).toEqual([
      ['x', 'y', 'z'],
      ['x', 'y', 'z'],
    ]);
    await expect(set.rename(['x'])).rejects.toThrow('classes: 1 names for 3 classes; give one for each');
    await run.close();
    await set.close();
  });

  it('shows what augmentation makes of a sample', async () => {
    const recipe = stripesRecipe({ augment: [{ type: 'rotate', degrees: 90 }] });
    const { pixels, shape, count } = await engine.augmentations(recipe, data, 5, 6);
    expect([shape, count, pixels.length]).toEqual([[4, 4, 1], 6, 96]);
    expect(pixels.slice(0, 16)).not.toEqual(pixels.slice(16, 32));
    const plain = await engine.augmentations(stripesRecipe(), data, 5, 1);
    expect([...plain.pixels]).toEqual([...(await data.sample(5)).pixels]);
    await expect(engine.augmentations({ augment: [{ type: 'melt' }] }, data, 0)).rejects.toThrow(
      /^augment\[0\]/,
    );
    await expect(engine.augmentations(recipe, data, 90)).rejects.toThrow(/there is no sample 90/);
  });

  it('cannot be kept where there is no storage', async () => {
    expect(await engine.stored()).toEqual([]);
    await expect(engine.keep({ train: data })).rejects.toThrow(
      /^storage: this browser keeps no files for this page/,
    );
    await expect(engine.openStored('x')).rejects.toThrow(/^storage: /);
  });
});

it('files on disk are read', async () => {
  const path = new URL('../../build/data/mnist/t10k-', import.meta.url).pathname;
  const blobs = await Promise.all(
    ['images-idx3-ubyte', 'labels-idx1-ubyte'].map(async (name) => ({
      name,
      bytes: await openAsBlob(path + name),
    })),
  );
  const { train } = await engine.readFiles(blobs);
  expect(train.count).toBe(10_000);
  await train.close();
});
