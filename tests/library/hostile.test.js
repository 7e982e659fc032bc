// Files made to do harm, and files that came to harm: each gets its sentence, in time, and nothing stays behind.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync, strToU8, zipSync } from 'fflate';
import { createEngine, TabgradError } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parquetFiles, picturesFromIdx, png, tarOf } from '../support/formats.js';
import { stripes } from '../support/training.js';

const DIGITS = fileURLToPath(new URL('../fixtures/digits/', import.meta.url));
/** @param {string} name */
const fixture = (name) => new Uint8Array(readFileSync(DIGITS + name));
const pictures = picturesFromIdx(fixture('train-images-idx3-ubyte'), fixture('train-labels-idx1-ubyte'));
const idx = { name: 'train-images', bytes: fixture('train-images-idx3-ubyte') };
const [parquet] = parquetFiles({ train: pictures, test: pictures }, [...'0123456789']);
const zeros = new Uint8Array(2 ** 27);

/** @param {Uint8Array} bytes @param {Record<number, number>} changes */
const altered = (bytes, changes) => bytes.map((byte, i) => changes[i] ?? byte);
/** @param {Uint8Array} bytes @param {number} depth */
const nested = (bytes, depth) => {
  let inner = bytes;
  for (let i = depth; i > 0; i--) inner = zipSync({ [`${i}.zip`]: inner });
  return inner;
};
/** A zip's field at that place of its first directory entry. @param {Uint8Array} bytes @param {number} at @param {number} value */
function withField(bytes, at, value) {
  const view = new DataView(bytes.slice().buffer);
  let entry = 0;
  while (view.getUint32(entry) !== 0x504b0102) entry++;
  view.setUint32(entry + at, value, true);
  return new Uint8Array(view.buffer);
}

/** What somebody dropped, and what is said of it. @type {[string, Uint8Array, RegExp][]} */
const CATALOGUE = [
  ['nothing', new Uint8Array(), /^nothing: the file is empty/],
  ['bomb.gz', gzipSync(zeros), /^bomb(\.gz)?: unpacks to far more than data would; /],
  [
    'bomb.tar.gz',
    gzipSync(tarOf({ zeros })),
    /^bomb.tar.gz(\/zeros)?: unpacks to far more than data would; /,
  ],
  ['bomb.zip', zipSync({ a: zeros }), /^bomb.zip\/a: unpacks to far more than data would; /],
  ['nested-bomb.zip', zipSync({ 'b.zip': zipSync({ a: zeros }) }), /: unpacks to far more than data would; /],
  [
    'russian.zip',
    nested(zipSync({ a: idx.bytes }), 5),
    /^russian.zip\/1.zip\/2.zip\/3.zip: is packed too many times over; unpack it once first$/,
  ],
  [
    'lying.zip',
    withField(zipSync({ a: zeros.subarray(0, 1000) }), 24, 0x7fffffff),
    /^lying.zip\/a: is damaged: /,
  ],
  [
    'huge.zip',
    withField(zipSync({ a: zeros.subarray(0, 1000) }), 24, 0xfffffffe),
    /^huge.zip\/a: does not fit into memory/,
  ],
  ['away.zip', withField(zipSync({ a: strToU8('a') }), 42, 0x7fffffff), /^away.zip\/a: is cut short/],
  ['empty.zip', zipSync({}), /^files: there are no samples; /],
  ['up.zip', zipSync({ '../../up': strToU8('?') }), /^up.zip\/up: is none of the kinds that can be read/],
  [
    'cut.zip',
    zipSync({ a: idx.bytes }).slice(0, 300),
    /^cut.zip: is a zip without its directory, cut short or damaged; get it again$/,
  ],
  ['cut.tar', tarOf({ 'a.idx': idx.bytes }).slice(0, 600), /^cut.tar\/a.idx: is cut short; get it again$/],
  [
    'cut.gz',
    gzipSync(idx.bytes).slice(0, 40),
    /^cut(\.gz)?: is damaged or cut short inside its gzip packing; get it again$/,
  ],
  [
    'twice.gz',
    gzipSync(gzipSync(gzipSync(gzipSync(gzipSync(idx.bytes))))),
    /: is packed too many times over/,
  ],
  ['cut.png', png(pictures, 0).slice(0, 60), /^cut.png: is a PNG cut short; get it again$/],
  ['huge.png', altered(png(pictures, 0), { 16: 0x7f }), /^huge.png: is a damaged PNG/],
  [
    'photo.jpg',
    Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0),
    /^photo.jpg: is a JPEG, which only browsers decode here/,
  ],
  [
    'cut.parquet',
    parquet.bytes.slice(0, 400),
    /^cut.parquet: cannot be read as Parquet \(.*\); write it again/,
  ],
  [
    'endless.parquet',
    altered(parquet.bytes, { 22: parquet.bytes[22] ^ 0xff }),
    /^endless.parquet: is a damaged Parquet file without an end; get it again$/,
  ],
  ['page.html', strToU8('<!DOCTYPE html><title>404</title>'), /^page.html: is a web page, not data; /],
];

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let bystander;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  bystander = await engine.dataset(stripes());
});
afterAll(async () => {
  expect((await bystander.sample(1)).label).toBe(1);
  await engine.close();
});

it.each(CATALOGUE)('%s', { timeout: 20_000 }, async (name, bytes, sentence) => {
  const error = await engine.readFiles([{ name, bytes }]).then(
    () => expect.fail('it was read'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(TabgradError);
  expect(error.message).toMatch(sentence);
  expect(error.message).not.toMatch(/\n|undefined|\[object/);
});

it('leaves nothing behind after a thousand tries', { timeout: 300_000 }, async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  const quick = CATALOGUE.filter(([name, bytes]) => bytes.length < 20_000 && !/bomb|parquet/.test(name));
  const round = () =>
    Promise.all(quick.map(([name, bytes]) => engine.readFiles([{ name, bytes }]).catch(() => {})));
  const rounds = Math.ceil(1000 / quick.length);
  for (let i = 0; i < 5; i++) await round();
  collectGarbage();
  const before = { memory: await engine.memory(), heap: process.memoryUsage().heapUsed };
  for (let i = 0; i < rounds; i++) await round();
  collectGarbage();
  expect(await engine.memory()).toEqual(before.memory);
  expect(process.memoryUsage().heapUsed - before.heap).toBeLessThan(2 * 2 ** 20);
});
