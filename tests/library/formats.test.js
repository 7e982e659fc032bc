// The same pictures in every way that people have them: one set, to the bit, also in the command line program.
import { execFileSync } from 'node:child_process';
import { existsSync, openAsBlob, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync, zipSync } from 'fflate';
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gzipped, parquetFiles, picturesFromIdx, pngFolders, tarOf, zipOfPngs } from '../support/formats.js';

const DIGITS = fileURLToPath(new URL('../fixtures/digits/', import.meta.url));
const IDX = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];
const NAMES = [...'0123456789'];

/** @param {string} name */
const fixture = (name) => ({ name, bytes: new Uint8Array(readFileSync(DIGITS + name)) });
const idx = IDX.map(fixture);
const [trainImages, trainLabels, testImages, testLabels] = idx.map(({ bytes }) => bytes);
const parts = {
  train: picturesFromIdx(trainImages, trainLabels),
  test: picturesFromIdx(testImages, testLabels),
};
const folders = pngFolders(parts);
const files = Object.fromEntries(idx.map(({ name, bytes }) => [name, bytes]));

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {string[]} of the IDX files */
let digests;
/** @param {any[]} given @param {any} [options] */
async function read(given, options) {
  const { train, test, report } = await engine.readFiles(given, options);
  await Promise.all([train.close(), test?.close()]);
  return { digests: [train.sha256, test?.sha256], classes: train.classes, report };
}

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  ({ digests } = await read(idx));
});
afterAll(() => engine.close());

it.each(
  /** @type {[string, () => any[]][]} */ ([
    ['IDX in gzip', () => idx.map(gzipped)],
    ['IDX in a zip', () => [{ name: 'mnist.zip', bytes: zipSync(files) }]],
    [
      'IDX in gzip in a zip',
      () => [
        {
          name: 'mnist.zip',
          bytes: zipSync(Object.fromEntries(idx.map(gzipped).map(({ name, bytes }) => [name, bytes]))),
        },
      ],
    ],
    ['IDX in a tar.gz', () => [{ name: 'mnist.tar.gz', bytes: gzipSync(tarOf(files)) }]],
    ['a tar in a zip', () => [{ name: 'all.zip', bytes: zipSync({ 'mnist.tar': tarOf(files) }) }]],
    ['an .npz of NumPy', () => [fixture('digits.npz')]],
    ['a .mat of SciPy', () => [fixture('digits.mat')]],
    ["Kaggle's CSV", () => [fixture('train.csv'), fixture('test.csv')]],
    ['Parquet with PNGs', () => parquetFiles(parts, NAMES)],
    ['a zip of PNG folders', () => [zipOfPngs('digits.zip', parts)]],
    [
      'a zip of them in another order',
      () => [{ name: 'digits.zip', bytes: zipSync(Object.fromEntries(Object.entries(folders).reverse())) }],
    ],
    ['a tar of PNG folders', () => [{ name: 'digits.tar', bytes: tarOf(folders) }]],
    [
      'a folder that was dropped',
      () => Object.entries(folders).map(([path, bytes]) => ({ name: path.replace(/.*\//, ''), path, bytes })),
    ],
  ]),
)('%s', async (_, given) => {
  const read_ = await read(given());
  expect(read_.report.skipped).toEqual([]);
  expect(read_.classes).toEqual(NAMES);
  expect(read_.digests).toEqual(digests);
});

it('files on disk are read piece by piece', async () => {
  const blobs = await Promise.all(
    IDX.map(async (name) => ({ name, bytes: await openAsBlob(DIGITS + name) })),
  );
  expect((await read(blobs)).digests).toEqual(digests);
});

const PROGRAM = fileURLToPath(new URL('../../build/native/tabgrad', import.meta.url));
it.runIf(existsSync(PROGRAM))('the program finds the same', () => {
  const text = execFileSync(PROGRAM, ['data', '--json', `${DIGITS}digits.npz`], { encoding: 'utf8' });
  const { train, test } = JSON.parse(text);
  expect([train.sha256, test.sha256]).toEqual(digests);
});
