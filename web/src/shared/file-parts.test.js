import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { sortFiles } from './file-parts.js';

/** @param {string} name @param {string} [text] */
const file = (name, text = '') => ({ name, bytes: new TextEncoder().encode(text) });

/** Names of the parts' files. @param {...{ name: string, bytes: Uint8Array<ArrayBuffer> }} files */
async function parts(...files) {
  const { train, test } = await sortFiles(files);
  return [train, test].map((part) => part?.files.map(({ name }) => name));
}

it("sorts CIFAR-10's batches into parts, each in order", async () => {
  const names = ['data_batch_10.bin', 'test_batch.bin', 'data_batch_2.bin.gz', 'data_batch_1.bin'];
  expect(await parts(...names.map((name) => file(name)))).toEqual([
    ['data_batch_1.bin', 'data_batch_2.bin.gz', 'data_batch_10.bin'],
    ['test_batch.bin'],
  ]);
  expect(await parts(file('test_batch.bin'))).toEqual([['test_batch.bin'], undefined]);
});

it('takes the names of the classes from batches.meta.txt, also packed by a server', async () => {
  const names = file('batches.meta.txt', 'airplane\nautomobile\r\nbird\n\n');
  for (const bytes of [names.bytes, new Uint8Array(gzipSync(names.bytes))]) {
    const { train } = await sortFiles([file('data_batch_1.bin'), { ...names, bytes }]);
    expect(train).toMatchObject({ format: 'cifar', classes: ['airplane', 'automobile', 'bird'] });
  }
});

it('says what does not go together', async () => {
  await expect(parts(file('data_batch_1.bin'), file('train-images'))).rejects.toThrow(
    /^train-images: does not belong to CIFAR-10's .* one set at a time$/,
  );
  await expect(parts(file('batches.meta.txt', 'a'))).rejects.toThrow(
    /^batches.meta.txt: names the classes of CIFAR-10, but its batches are missing/,
  );
});

it('leaves the rest to IDX', async () => {
  await expect(parts(file('anything', 'GIF89a..'))).rejects.toThrow(/^anything: is not an IDX file/);
});
