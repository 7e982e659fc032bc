import { strToU8, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { Budget } from './budget.js';
import { sourceOf } from './byte-source.js';
import { walkZip } from './zip.js';

const LARGE = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * i) >> 9);

/** @param {Uint8Array} bytes @param {Budget} [budget] */
async function contents(bytes, budget = new Budget(bytes.length)) {
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  /** @type {Record<string, string>} */
  const skipped = {};
  await walkZip(sourceOf(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)])), budget, {
    expect: () => {},
    file: async (path, _, content) => {
      files[path] = await content.rest();
    },
    skip: (path, reason) => {
      skipped[path] = reason;
    },
  });
  return { files, skipped };
}

/** @param {Uint8Array} bytes @param {number} signature  in the order of its bytes @param {number} [nth] */
function find(bytes, signature, nth = 0) {
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at++) {
    if (view.getUint32(at) === signature && nth-- === 0) return at;
  }
  throw new Error('not in there');
}
const LOCAL = 0x504b0304;
const ENTRY = 0x504b0102;
const END = 0x504b0506;

const files = { 'a.txt': strToU8('first'), 'folder/ä.bin': LARGE, 'folder/empty': new Uint8Array() };

it.each([0, 6])('reads files packed with level %i, in the order they lie', async (level) => {
  const bytes = zipSync({ folder: {}, ...files }, { level: /** @type {0 | 6} */ (level) });
  const read = await contents(bytes);
  expect(read.skipped).toEqual({});
  expect(Object.keys(read.files)).toEqual(Object.keys(files));
  for (const [path, content] of Object.entries(files)) {
    expect(Buffer.compare(read.files[path], content), path).toBe(0);
  }
});

it('reads more files than the count of an old zip can say', async () => {
  const many = Object.fromEntries(Array.from({ length: 65_540 }, (_, i) => [`${i}`, Uint8Array.of(i)]));
  expect(Object.keys((await contents(zipSync(many, { level: 0 }))).files)).toHaveLength(65_540);
});

it('reads a zip behind something else, and with a comment behind it', async () => {
  const bytes = zipSync(files);
  const shifted = new Uint8Array([...strToU8('#!/bin/sh\n'), ...bytes, ...strToU8('hello')]);
  new DataView(shifted.buffer).setUint16(shifted.length - 5 - 2, 5, true);
  expect(Object.keys((await contents(shifted)).files)).toEqual(Object.keys(files));
});

it('reads zip64', async () => {
  // What lies at the end: zip64's own end, its locator, and the old end with nothing but ones.
  const small = zipSync({ 'a.txt': [strToU8('first'), { extra: { 1: new Uint8Array(24) } }] }, { level: 0 });
  const entry = find(small, ENTRY);
  const end = find(small, END);
  const bytes = new Uint8Array(small.length + 76);
  bytes.set(small.subarray(0, end));
  bytes.set(small.subarray(end), end + 76);
  const view = new DataView(bytes.buffer);
  const extra = find(bytes, 0x01001800, 1) + 4;
  for (const [i, field] of [24, 20, 42].entries()) {
    view.setBigUint64(extra + 8 * i, BigInt(view.getUint32(entry + field, true)), true);
    view.setUint32(entry + field, 0xffffffff, true);
  }
  view.setUint32(end, 0x504b0606);
  view.setBigUint64(end + 32, 1n, true);
  view.setBigUint64(end + 40, BigInt(end - entry), true);
  view.setBigUint64(end + 48, BigInt(entry), true);
  view.setUint32(end + 56, 0x504b0607);
  view.setBigUint64(end + 56 + 8, BigInt(end), true);
  for (const field of [12, 16]) view.setUint32(end + 76 + field, 0xffffffff, true);
  expect((await contents(bytes)).files).toEqual({ 'a.txt': strToU8('first') });
});

/** One entry's fields altered, there and before the file. @param {(view: DataView, entry: number, local: number) => void} alter */
async function reasonOf(alter) {
  const bytes = zipSync({ 'a.txt': strToU8('first '.repeat(100)), 'b.txt': strToU8('second') });
  alter(new DataView(bytes.buffer), find(bytes, ENTRY), find(bytes, LOCAL));
  const { files, skipped } = await contents(bytes);
  expect(files['b.txt']).toEqual(strToU8('second')); // the others are not in danger
  return skipped['a.txt'];
}

it.each([
  ['an encrypted file', /^is encrypted; unpack/, (v, entry) => v.setUint16(entry + 8, 1, true)],
  ['an unknown method', /^is packed in a way \(93\)/, (v, entry) => v.setUint16(entry + 10, 93, true)],
  ['a link', /^is a link to another file/, (v, entry) => v.setUint16(entry + 40, 0xa1ff, true)],
  ['a wrong checksum', /^is damaged: what it unpacks to/, (v, entry) => v.setUint32(entry + 16, 1, true)],
  ['a size too small', /^is damaged: what it unpacks to/, (v, entry) => v.setUint32(entry + 24, 5, true)],
  ['a size too large', /^is damaged: what it unpacks to/, (v, entry) => v.setUint32(entry + 24, 5000, true)],
  [
    'a size of terabytes',
    /^does not fit into memory/,
    (v, entry) => v.setUint32(entry + 24, 0xfffffffe, true),
  ],
  [
    'damaged deflate',
    /^is damaged: what it unpacks to/,
    (v, _, local) => v.setUint32(local + 36, 0xffffffff),
  ],
  ['no local header', /^is not where the zip says/, (v, _, local) => v.setUint32(local, 0)],
])('skips %s with a reason', async (_, reason, /** @type {any} */ alter) => {
  expect(await reasonOf(alter)).toMatch(reason);
});

it('refuses entries that share their bytes', async () => {
  const bytes = zipSync({ 'a.txt': strToU8('first'), 'b.txt': strToU8('second') }, { level: 0 });
  new DataView(bytes.buffer).setUint32(find(bytes, ENTRY, 1) + 42, 10, true);
  expect((await contents(bytes)).skipped['b.txt']).toMatch(/^overlaps the file before it/);
});

it('stops a bomb', async () => {
  const zeros = new Uint8Array(2 ** 24);
  const bytes = zipSync(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}`, zeros])));
  const { files, skipped } = await contents(bytes);
  expect(Object.keys(files)).toHaveLength(4);
  expect(skipped['5']).toMatch(/^unpacks to far more than data would/);
});

it('says that a zip is cut short', async () => {
  const bytes = zipSync(files);
  const end = find(bytes, END);
  for (const size of [4, 100, end, end + 21]) {
    await expect(contents(bytes.slice(0, size))).rejects.toThrow(/^is a zip without its directory/);
  }
  new DataView(bytes.buffer).setUint16(end + 10, 9, true); // more entries than there are
  await expect(contents(bytes)).rejects.toThrow(/^is a zip without its directory/);
});
