// Files in real browsers: every format is the same set as in Node, pictures that only browsers decode, sets that are
// kept until the page comes again.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'fflate';
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS, launch } from '../support/browsers.js';
import { gzipped, parquetFiles, picturesFromIdx, pngFolders, tarOf, zipOfPngs } from '../support/formats.js';

const DIGITS = fileURLToPath(new URL('../fixtures/digits/', import.meta.url));
/** @param {string} name */
const fixture = (name) => ({ name, bytes: new Uint8Array(readFileSync(DIGITS + name)) });
const IDX = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
const idx = IDX.map((name) => fixture(`${name}-ubyte`));
const [trainImages, trainLabels, testImages, testLabels] = idx.map(({ bytes }) => bytes);
const parts = {
  train: picturesFromIdx(trainImages, trainLabels),
  test: picturesFromIdx(testImages, testLabels),
};
const NAMES = [...'0123456789'];
const FORMATS = {
  'IDX in gzip': idx.map(gzipped),
  'an .npz of NumPy': [fixture('digits.npz')],
  'a .mat of SciPy': [fixture('digits.mat')],
  "Kaggle's CSV": [fixture('train.csv'), fixture('test.csv')],
  'Parquet with PNGs': parquetFiles(parts, NAMES),
  'a zip of PNG folders': [zipOfPngs('digits.zip', parts)],
  'a tar.gz of them': [{ name: 'digits.tar.gz', bytes: gzipSync(tarOf(pngFolders(parts))) }],
};
/** The same picture in every kind of file; the program's tests read these as well. */
const FOLDER = fileURLToPath(new URL('../fixtures/pictures/', import.meta.url));
const PICTURES = ['lossless', 'transparent', 'turned'].map(
  (kind) =>
    /** @type {const} */ ([
      kind,
      readdirSync(FOLDER + kind).map((name) => ({
        name,
        bytes: new Uint8Array(readFileSync(`${FOLDER}${kind}/${name}`)),
      })),
    ]),
);

/** @type {(string | undefined)[]} what Node gets */
let digests;
beforeAll(async () => {
  const engine = await createEngine({ threads: 1 });
  const { train, test } = await engine.readFiles(idx);
  digests = [train.sha256, test?.sha256];
  await engine.close();
});

describe.each(BROWSERS)('files in %s', (name) => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {import('puppeteer-core').Page} */
  let page;
  beforeAll(async () => {
    site = await serve();
    browser = await launch(name, '');
    page = await browser.newPage();
    await open();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  /** An empty page of the site with `window.engine`, and `window.file(name, base64)`. */
  async function open() {
    await page.goto(`${site.url}THIRD-PARTY-NOTICES.txt`);
    // As text: Vitest would put an import of its own there.
    await page.evaluate(
      `import('${site.url}tabgrad.js').then(async ({ createEngine }) => { window.engine = await createEngine(); })`,
    );
    await page.evaluate(() => {
      Object.assign(window, {
        file: (/** @type {{ name: string, base64: string }} */ { name, base64 }) =>
          new File([Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0))], name),
      });
    });
  }

  /** @param {{ name: string, bytes: Uint8Array }[]} files */
  const sendable = (files) =>
    files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') }));

  it.each(Object.entries(FORMATS))('%s', async (_, files) => {
    const seen = await page.evaluate(async (sent) => {
      const { engine, file } = /** @type {any} */ (window);
      const { train, test, report } = await engine.readFiles(sent.map(file));
      await train.close();
      await test.close();
      return { digests: [train.sha256, test.sha256], skipped: report.skipped };
    }, sendable(files));
    expect(seen).toEqual({ digests, skipped: [] });
  });

  it('pictures of every kind, turned as their EXIF data say', async () => {
    const seen = await page.evaluate(async () => {
      const { engine } = /** @type {any} */ (window);
      const canvas = new OffscreenCanvas(16, 8);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
      context.fillStyle = '#20c060';
      context.fillRect(0, 0, 16, 8);
      const drawn = async (/** @type {string} */ type) =>
        new Uint8Array(await (await canvas.convertToBlob({ type, quality: 1 })).arrayBuffer());
      const jpeg = await drawn('image/jpeg');
      // An APP1 segment whose only entry is an orientation of 6: a quarter turn.
      const exif = [0xff, 0xe1, 0, 34, ...new TextEncoder().encode('Exif\0\0MM\0*'), 0, 0, 0, 8, 0, 1];
      exif.push(1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0);
      const turned = new Uint8Array([...jpeg.slice(0, 2), ...exif, ...jpeg.slice(2)]);
      const gif = Uint8Array.from(atob('R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs='), (byte) =>
        byte.charCodeAt(0),
      );
      const bmp = new Uint8Array(58); // one pixel of 24 bits: blue, green, red
      bmp.set([0x42, 0x4d, 58], 0);
      bmp.set([54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24], 10);
      bmp.set([0x60, 0xc0, 0x20], 54);
      const colors = async (/** @type {Uint8Array} */ bytes) => {
        const { train } = await engine.readFiles([{ name: 'a', path: 'class/a', bytes }], { color: 'rgb' });
        const { pixels } = await train.sample(0);
        await train.close();
        return [train.shape, [...pixels.slice(0, 3)]];
      };
      const webp = await drawn('image/webp');
      const kinds = { jpeg, turned, gif, bmp, png: await drawn('image/png'), webp };
      /** @type {Record<string, any>} */
      const seen = {};
      for (const [kind, bytes] of Object.entries(kinds)) seen[kind] = await colors(bytes);
      const damaged = await colors(jpeg.slice(0, 200)).catch((error) => error.message);
      return { seen, damaged };
    });
    const green = [expect.closeTo(0x20, -1), expect.closeTo(0xc0, -1), expect.closeTo(0x60, -1)];
    expect(seen.seen).toEqual({
      jpeg: [[8, 16, 3], green],
      turned: [[16, 8, 3], green],
      gif: [
        [1, 1, 3],
        [255, 255, 255],
      ],
      bmp: [
        [1, 1, 3],
        [0x20, 0xc0, 0x60],
      ],
      png: [
        [8, 16, 3],
        [0x20, 0xc0, 0x60],
      ],
      webp: [[8, 16, 3], green],
    });
    expect(seen.damaged).toBe(
      'class/a: is a damaged picture, or one that this browser does not know; get it again',
    );
  });

  it.each(PICTURES)('pictures in %s/ are the same to the bit', async (_, files) => {
    const digests = await page.evaluate(async (sent) => {
      const { engine, file } = /** @type {any} */ (window);
      const digests = [];
      for (const one of sent) {
        const { train } = await engine.readFiles([file(one)]);
        digests.push(`${one.name}: ${train.sha256}`);
        await train.close();
      }
      return digests;
    }, sendable(files));
    const [, digest] = digests[0].split(': ');
    expect(digests).toEqual(files.map((one) => `${one.name}: ${digest}`));
  });

  it('sets that are kept are there when the page comes again', async () => {
    const kept = await page.evaluate(async (sent) => {
      const { engine, file } = /** @type {any} */ (window);
      const { train, test, report } = await engine.readFiles(sent.map(file));
      return engine.keep({ train, test }, { name: 'digits', report });
    }, sendable(idx));
    expect(kept).toMatchObject({ name: 'digits', train: 10, test: 4, shape: [8, 8, 1], classes: NAMES });
    await open();
    const seen = await page.evaluate(async () => {
      const { engine } = /** @type {any} */ (window);
      const stored = await engine.stored();
      const { train, test, report } = await engine.openStored(stored[0].key);
      const thumbnails = await test.thumbnails([0]);
      await engine.deleteStored(stored[0].key);
      const gone = await engine
        .openStored(stored[0].key)
        .catch((/** @type {Error} */ error) => error.message);
      return {
        stored,
        digests: [train.sha256, test.sha256],
        sources: report.sources.length,
        width: thumbnails.width,
        left: await engine.stored(),
        gone,
      };
    });
    expect(seen).toEqual({
      stored: [kept],
      digests,
      sources: 4,
      width: 28,
      left: [],
      gone: 'storage: these data are not kept here any more; read the files again',
    });
  });

  it('sets that are kept take other names for their classes where they lie', async () => {
    const longer = NAMES.map((name) => `${name}, as it was called by somebody else`);
    const seen = await page.evaluate(
      async (sent, longer) => {
        const { engine, file } = /** @type {any} */ (window);
        const { train, test, report } = await engine.readFiles(sent.map(file));
        const { key, bytes } = await engine.keep({ train, test }, { name: 'digits', report });
        const refusal = (/** @type {string[]} */ classes) =>
          engine.renameStored(key, classes).catch((/** @type {Error} */ error) => error.message);
        await engine.renameStored(key, longer);
        const refusals = [await refusal(['one']), await refusal(longer.with(0, 'x'.repeat(10_000)))];
        const [stored] = await engine.stored();
        const again = await engine.openStored(key);
        await engine.deleteStored(key);
        return {
          refusals,
          isAsLong: stored.bytes === bytes,
          classes: [stored.classes, again.train.classes, again.test.classes],
          digests: [again.train.sha256, again.test.sha256],
        };
      },
      sendable(idx),
      longer,
    );
    expect(seen).toEqual({
      refusals: [
        `classes: 1 names for ${NAMES.length} classes; give one for each`,
        'storage: digits is kept without room for such long names; read the files again',
      ],
      isAsLong: true,
      classes: [longer, longer, longer],
      digests,
    });
  });
});
