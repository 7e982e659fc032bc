import { encode } from 'fast-png';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, it } from 'vitest';
import { Budget } from './budget.js';
import { sourceOf } from './byte-source.js';
import { readParquet } from './parquet.js';

const picture = (/** @type {number} */ i) =>
  encode({ width: 2, height: 2, data: Uint8Array.of(i, 1, 2, 3), channels: 1, depth: 8 });

const IMAGE = /** @type {any[]} */ ([
  { name: 'root', num_children: 2 },
  { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
  { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
  { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
]);

/** As Hugging Face writes a set of pictures. @param {any[]} images @param {number[]} labels @param {string[]} names */
function huggingFace(images, labels, names) {
  const info = { features: { image: { _type: 'Image' }, label: { names, _type: 'ClassLabel' } } };
  return parquetWriteBuffer({
    schema: IMAGE,
    columnData: [
      { name: 'image', data: images },
      { name: 'label', data: labels.map(BigInt) },
    ],
    kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info }) }],
    rowGroupSize: 3,
  });
}

/** @param {ArrayBuffer} buffer @param {Partial<import('./parquet.js').ParquetOptions>} [options] */
async function contents(buffer, options) {
  /** @type {any} */
  const read = { pictures: [], arrays: {}, names: null, rows: 0 };
  await readParquet(
    sourceOf(buffer),
    { budget: new Budget(buffer.byteLength), ...options },
    {
      rows: (count) => {
        read.rows = count;
      },
      classes: (names) => {
        read.names = names;
      },
      pictures: async (pictures) => {
        read.pictures.push(...pictures);
      },
      array: (name, values, shape) => {
        read.arrays[name] = { values, shape };
      },
    },
  );
  return read;
}

it('reads pictures with labels, and the names of the classes', async () => {
  const labels = [3, 0, 2, 1, 1, 0, 3];
  const images = labels.map((_, i) => ({ bytes: picture(i), path: `${i}.png` }));
  const names = ['T - shirt / top', 'Trouser', 'Pullover', 'Dress'];
  const read = await contents(huggingFace(images, labels, names));
  expect(read).toMatchObject({ rows: 7, names });
  expect(read.pictures).toEqual(labels.map((label, row) => ({ row, bytes: picture(row), label })));
});

it('tells of rows without a picture', async () => {
  const images = [
    { bytes: picture(0), path: 'a' },
    { bytes: null, path: 'b' },
  ];
  const { pictures } = await contents(huggingFace(images, [0, 1], ['x', 'y']));
  expect(pictures.map((/** @type {any} */ { bytes }) => bytes)).toEqual([picture(0), null]);
});

it('reads plain columns: the label, and the others as features', async () => {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'pixel0', data: [0, 1, 255], type: 'INT32' },
      { name: 'species', data: ['iris', 'rose', 'iris'], type: 'STRING' },
      { name: 'pixel1', data: [7, 8, 9], type: 'DOUBLE' },
    ],
  });
  const read = await contents(buffer, { label_column: 'species' });
  expect(read.names).toEqual(['iris', 'rose']);
  expect(read.arrays).toEqual({
    images: { values: Uint8Array.of(0, 7, 1, 8, 255, 9), shape: [3, 2] },
    labels: { values: Float32Array.of(0, 1, 0), shape: [3] },
  });
  expect((await contents(buffer, { label_column: 'last' })).arrays.images).toEqual({
    values: Uint8Array.of(0, 1, 255),
    shape: [3, 1],
  });
  await expect(contents(buffer, { label_column: 'colour' })).rejects.toThrow(
    'has no column "colour" of labels',
  );
});

it('takes the coarse labels where they are asked for', async () => {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'x', data: [0.5, -1], type: 'DOUBLE' },
      { name: 'fine_label', data: [7, 8], type: 'INT32' },
      { name: 'coarse_label', data: [1, 2], type: 'INT32' },
    ],
  });
  const labels = async (/** @type {any} */ options) => (await contents(buffer, options)).arrays.labels.values;
  expect(await labels({})).toEqual(Float32Array.of(7, 8));
  expect(await labels({ labels: 'coarse' })).toEqual(Float32Array.of(1, 2));
});

it('tells of rows that a damaged group does not have', async () => {
  const whole = huggingFace(
    [
      { bytes: picture(0), path: 'a' },
      { bytes: picture(1), path: 'b' },
    ],
    [0, 1],
    ['x', 'y'],
  );
  for (let at = 4; at < 60; at++) {
    const bytes = new Uint8Array(whole.slice(0));
    if (bytes[at] !== 4) continue; // two, as zigzag: how many values a page has
    bytes[at] = 2;
    const { pictures } = await contents(bytes.buffer);
    expect(pictures).toHaveLength(2);
    expect(pictures[1].bytes).toBe(null);
    return;
  }
  expect.fail('there is no such byte');
});

it('says what is wrong', async () => {
  const whole = huggingFace([{ bytes: picture(0), path: 'a' }], [0], ['x']);
  for (const end of [4, 8, 50, whole.byteLength - 1]) {
    await expect(contents(whole.slice(0, end))).rejects.toThrow(
      /^cannot be read as Parquet \(.*\); write it again/,
    );
  }
});
