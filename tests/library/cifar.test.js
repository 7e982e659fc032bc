// CIFAR-10's binary batches: a label, then the red, green and blue planes of a picture.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';

const RECORD = 1 + 3 * 1024;

/** @type {import('tabgrad').Engine} */
let engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** Records with these labels, their planes of one value each: the label, 100, 200. @param {number[]} labels */
function batch(...labels) {
  const bytes = new Uint8Array(labels.length * RECORD);
  for (const [i, label] of labels.entries()) {
    bytes.fill(label, i * RECORD, i * RECORD + 1025);
    bytes.fill(100, i * RECORD + 1025, i * RECORD + 2049);
    bytes.fill(200, i * RECORD + 2049, (i + 1) * RECORD);
  }
  return bytes;
}

const NAMES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const meta = { name: 'batches.meta.txt', bytes: new TextEncoder().encode(`${NAMES.join('\n')}\n\n`) };

it('are read in order, with the names of their classes', async () => {
  const { train, test } = await engine.readFiles([
    { name: 'test_batch.bin', bytes: batch(9) },
    { name: 'data_batch_2.bin', bytes: new Blob([batch(7)]) },
    meta,
    { name: 'data_batch_1.bin', bytes: batch(3, 5) },
  ]);
  expect([train.count, train.shape, train.classes]).toEqual([3, [32, 32, 3], NAMES]);
  expect([test?.count, test?.classes]).toEqual([1, NAMES]);
  const { pixels, labels } = await train.samples([0, 1, 2]);
  expect([...labels]).toEqual([3, 5, 7]);
  expect([...pixels.slice(2 * 3072, 2 * 3072 + 6)]).toEqual([7, 100, 200, 7, 100, 200]);
});

it('without batches.meta.txt have numbers as names, unless they are given', async () => {
  const files = [{ name: 'data_batch_1.bin', bytes: batch(0) }];
  expect((await engine.readFiles(files)).train.classes).toEqual([...'0123456789']);
  const classes = NAMES.toReversed();
  expect((await engine.readFiles(files, { classes })).train.classes).toEqual(classes);
});

it('that are damaged are refused in one sentence', async () => {
  const read = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) =>
    engine.readFiles([{ name: 'data_batch_1.bin', bytes }]);
  await expect(read(batch(1).subarray(1))).rejects.toMatchObject({
    code: 'data',
    where: 'data_batch_1.bin',
  });
  await expect(read(batch(1, 10))).rejects.toThrow(/^data_batch_1\.bin: record 1 has label 10/);
  await expect(read(new Uint8Array())).rejects.toThrow(/^data_batch_1\.bin: the file is empty/);
});
