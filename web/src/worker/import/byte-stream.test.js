import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sourceOf } from './byte-source.js';
import { ByteStream } from './byte-stream.js';

/** More than a window. */
const bytes = Uint8Array.from({ length: 5_000_003 }, (_, i) => (i * 2654435761) >>> 24);

/** @type {string} */
let folder;
/** @type {string} */
let path;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-'));
  path = join(folder, 'bytes');
  await writeFile(path, bytes);
});
afterEach(() => rm(folder, { recursive: true }));

it('reads a file on disk from front to end, however long it is', async () => {
  const whole = ByteStream.whole(sourceOf(await openAsBlob(path)));
  expect(Buffer.compare(await whole.peek(3_000_000), bytes.subarray(0, 3_000_000))).toBe(0);
  expect(Buffer.compare(await whole.rest(), bytes)).toBe(0);
  const short = ByteStream.whole(sourceOf((await openAsBlob(path)).slice(0, 1000)));
  expect(Buffer.compare(await short.rest(), bytes.subarray(0, 1000))).toBe(0);
});

it('reads from any place on', async () => {
  for (const source of [sourceOf(await openAsBlob(path)), sourceOf(bytes)]) {
    const stream = ByteStream.from(source, 4_000_000);
    expect(stream.position).toBe(4_000_000);
    expect(Buffer.compare(await stream.rest(), bytes.subarray(4_000_000))).toBe(0);
  }
});

it('says so when a file changes while it is read', async () => {
  const stream = ByteStream.whole(sourceOf(await openAsBlob(path)));
  await stream.take(1);
  await truncate(path, 1000);
  await expect(stream.rest()).rejects.toThrow(/^cannot be read \(.*\); choose it again$/);
});
