// Prepared sets as people have them, for what is measured or tested at full size: MNIST written by NumPy, by SciPy, as
// Kaggle's tables, as Parquet and as PNGs, CIFAR-10 as its archive. What is there already is left alone.
//
//   node scripts/make_formats.mjs
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetFiles, picturesFromIdx } from '../tests/support/formats.js';
import { prepareDataset } from './datasets.mjs';
import { attempt, Failure, run, runMain, step } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const DATA = join(PROJECT, 'build/data');
const FORMATS = join(PROJECT, 'build/formats');
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** Paths of the files of each, from the project's folder. */
export const FORMAT_FILES = {
  npz: ['build/formats/mnist/digits.npz'],
  mat: ['build/formats/mnist/digits.mat'],
  csv: ['build/formats/mnist/train.csv', 'build/formats/mnist/test.csv'],
  zip: ['build/formats/mnist/digits.zip'],
  parquet: ['train', 'test'].map((part) => `build/formats/mnist/${part}-00000-of-00001.parquet`),
  cifar: ['build/formats/cifar-10-binary.tar.gz'],
};

/** Makes what is not there yet. @param {(keyof typeof FORMAT_FILES)[]} names */
export async function prepareFormats(names) {
  const missing = names.filter(
    (name) => !FORMAT_FILES[name].every((file) => existsSync(join(PROJECT, file))),
  );
  await mkdir(join(FORMATS, 'mnist'), { recursive: true });
  if (missing.some((name) => name !== 'cifar')) await prepareDataset('mnist');
  if (missing.includes('cifar')) await step('packing CIFAR-10', packCifar);
  if (missing.includes('parquet')) await step('writing MNIST as Parquet', writeParquet);
  if (missing.some((name) => name !== 'cifar' && name !== 'parquet'))
    await step('writing MNIST by NumPy, SciPy and as PNGs', writeByPython);
}

async function packCifar() {
  await prepareDataset('cifar10');
  const rename = 's/^cifar10/cifar-10-batches-bin/';
  await run('tar', [
    '-czf',
    join(PROJECT, FORMAT_FILES.cifar[0]),
    '-C',
    DATA,
    '--transform',
    rename,
    'cifar10/',
  ]);
}

async function writeParquet() {
  const part = async (/** @type {string} */ name) => {
    const file = async (/** @type {string} */ kind) =>
      new Uint8Array(await readFile(join(DATA, 'mnist', `${name}-${kind}-ubyte`)));
    return picturesFromIdx(await file('images-idx3'), await file('labels-idx1'));
  };
  const parts = { train: await part('train'), test: await part('t10k') };
  for (const { name, bytes } of parquetFiles(parts, [...'0123456789']))
    await writeFile(join(FORMATS, 'mnist', name), bytes);
}

async function writeByPython() {
  for (const python of PYTHONS) {
    if ((await attempt(python, ['-c', 'import numpy, scipy'])).status !== 0) continue;
    const script = join(PROJECT, 'tests/make_data_fixtures.py');
    await run(python, [script, join(DATA, 'mnist'), join(FORMATS, 'mnist')]);
    return;
  }
  throw new Failure('NumPy and SciPy are missing; on Debian: apt-get install python3-numpy python3-scipy');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await runMain(() =>
    prepareFormats(/** @type {(keyof typeof FORMAT_FILES)[]} */ (Object.keys(FORMAT_FILES))),
  );
