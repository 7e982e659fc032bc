import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pairIdxFiles } from './idx-files.js';

/** A file that says of itself how many images or labels it has. @param {string} name @param {number} rank @param {number} count */
function file(name, rank, count) {
  const bytes = new Uint8Array(4 + 4 * rank);
  bytes[2] = 8;
  bytes[3] = rank;
  new DataView(bytes.buffer).setUint32(4, count);
  return { name, bytes };
}

/** The pairs, as names. @param {...{ name: string, bytes: Uint8Array<ArrayBuffer> }} files */
async function pairs(...files) {
  const { train, test } = await pairIdxFiles(files);
  return [train, test].map((pair) => pair?.files.map((file) => file.name).join(' '));
}

it('pairs by name, in any order', async () => {
  expect(
    await pairs(
      file('t10k-labels-idx1-ubyte', 1, 5),
      file('train-images-idx3-ubyte', 3, 5),
      file('t10k-images-idx3-ubyte', 3, 5),
      file('train-labels-idx1-ubyte', 1, 5),
    ),
  ).toEqual([
    'train-images-idx3-ubyte train-labels-idx1-ubyte',
    't10k-images-idx3-ubyte t10k-labels-idx1-ubyte',
  ]);
});

it('pairs by count where names do not tell: the larger part is to train on', async () => {
  expect(await pairs(file('a', 3, 5), file('b', 4, 50), file('c', 1, 5), file('d', 1, 50))).toEqual([
    'b d',
    'a c',
  ]);
});

it('takes one pair as the training part, whatever it is called', async () => {
  expect(await pairs(file('test-labels', 1, 5), file('test-images', 3, 5))).toEqual([
    'test-images test-labels',
    undefined,
  ]);
});

it('looks into gzip by its first two bytes, and into blobs', async () => {
  const images = file('images', 3, 5);
  const labels = file('labels', 1, 5);
  const packed = { name: 'images', bytes: new Blob([gzipSync(images.bytes)]) };
  const { train } = await pairIdxFiles([packed, { name: 'labels.gz', bytes: new Blob([labels.bytes]) }]);
  expect(train.files.map(({ name }) => name)).toEqual(['images', 'labels.gz']);
});

it('says what is missing or too much', async () => {
  await expect(pairs(file('a', 1, 5))).rejects.toThrow('a: its images are missing; give both files together');
  await expect(pairs(file('a', 3, 5), file('b', 3, 5), file('c', 1, 5))).rejects.toThrow(
    /^a: its labels are missing/,
  );
  await expect(pairs(file('a', 3, 5), file('b', 3, 5), file('c', 1, 5), file('d', 1, 5))).rejects.toThrow(
    /^a: which labels belong to it cannot be told; name the files train-images/,
  );
  await expect(pairs(...Array(5).fill(file('a', 1, 5)))).rejects.toThrow(/^files: 5 are too many/);
});
