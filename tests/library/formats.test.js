// The same pictures in every way that people have them: one set, to the bit, also in the command line program.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openAsBlob, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const PROGRAM = fileURLToPath(new URL('../../build/native/tabgrad', import.meta.url));
const CONVERTER = fileURLToPath(new URL('../../scripts/parquet_to_idx.mjs', import.meta.url));
/** What the command line program makes of files. @param {{ name: string, path?: string, bytes: Uint8Array }[]} given */
function readByProgram(given) {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-'));
  try {
    for (const { name, path = name, bytes } of given) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const { train, test, skipped } = JSON.parse(
      execFileSync(PROGRAM, ['data', '--json', folder], { encoding: 'utf8' }),
    );
    return { digests: [train.sha256, test?.sha256], skipped };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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
)('%s', async (kind, given) => {
  const found = await read(given());
  expect(found.report.skipped).toEqual([]);
  expect(found.classes).toEqual(NAMES);
  expect(found.digests).toEqual(digests);
  if (kind === 'Parquet with PNGs') return; // which the program does not read: see below
  expect(readByProgram(given())).toEqual({ digests, skipped: [] });
});

it('Parquet becomes IDX for the program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-'));
  const paths = parquetFiles(parts, NAMES).map(({ name, bytes }) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  });
  execFileSync(process.execPath, [CONVERTER, ...paths, join(folder, 'idx')]);
  const { train, test } = JSON.parse(
    execFileSync(PROGRAM, ['data', '--json', join(folder, 'idx')], { encoding: 'utf8' }),
  );
  rmSync(folder, { recursive: true });
  expect([train.sha256, test.sha256]).toEqual(digests);
  expect(train.classes).toEqual(NAMES);
});

it('files on disk are read piece by piece', async () => {
  const blobs = await Promise.all(
    IDX.map(async (name) => ({ name, bytes: await openAsBlob(DIGITS + name) })),
  );
  expect((await read(blobs)).digests).toEqual(digests);
});
