import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { beginningsOf } from './beginnings.js';

/** @param {number[]} axes @param {(i: number) => number} value */
function idx(axes, value) {
  const header = new Uint8Array(4 + 4 * axes.length);
  header.set([0, 0, 8, axes.length]);
  for (const [i, axis] of axes.entries()) new DataView(header.buffer).setUint32(4 + 4 * i, axis);
  const count = axes.reduce((product, axis) => product * axis, 1);
  return Uint8Array.from([...header, ...Uint8Array.from({ length: count }, (_, i) => value(i))]);
}

const images = idx([8192, 16, 16], (i) => (i * 7) >> 8); // twice what is enough
const labels = idx([8192], (i) => i % 5);

it('takes the same fraction of every file, packed or not', async () => {
  const files = [
    { name: 'images.gz', path: 'set/images.gz', bytes: new Uint8Array(gzipSync(images)) },
    { name: 'labels', bytes: labels },
  ];
  const { files: begun, counts } = /** @type {import('./beginnings.js').Beginnings} */ (
    await beginningsOf(files)
  );
  expect(begun.map(({ name }) => name)).toEqual(['set/images', 'labels']);
  expect(
    Buffer.compare(
      begun[0].bytes,
      idx([4096, 16, 16], (i) => (i * 7) >> 8),
    ),
  ).toBe(0);
  expect(
    Buffer.compare(
      begun[1].bytes,
      idx([4096], (i) => i % 5),
    ),
  ).toBe(0);
  expect([...counts.values()]).toEqual([8192, 8192]);
});

const header = (/** @type {number[]} */ ...axes) =>
  Uint8Array.from([0, 0, 8, axes.length, ...axes.flatMap((axis) => [axis >>> 24, 0, 0, axis & 255])]);
it.each([
  ['small files', [idx([10, 2, 2], () => 1), idx([10], () => 0)]],
  ['other files beside them', [images, labels, new TextEncoder().encode('What these files are.')]],
  ['labels that have classes later on', [images, idx([8192], (i) => Number(i > 6000))]],
  ['counts that are nearly the same', [images, idx([8191], (i) => i % 5)]],
  ['sizes that nothing could have', [header(0xff000001, 0xff000001, 0xff000001), labels]],
  ['axes of nothing', [header(1, 0, 28), labels]],
  ['more files than a set has', [images, labels, labels, labels, labels]],
  ['nothing', []],
])('takes nothing of %s', async (_, contents) => {
  expect(await beginningsOf(contents.map((bytes, i) => ({ name: `file ${i}`, bytes })))).toBeNull();
});

it('says nothing of files that are cut short inside their beginning', async () => {
  const files = [images.slice(0, 1000), labels].map((bytes, i) => ({ name: `file ${i}`, bytes }));
  await expect(beginningsOf(files)).rejects.toThrow('is cut short; get it again');
});
