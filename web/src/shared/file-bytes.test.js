import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readFile, unpack, unpackStart } from './file-bytes.js';

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7);
const packed = new Uint8Array(gzipSync(content));

it.each([
  ['plain bytes', content],
  ['gzipped bytes', packed],
  ['a gzipped buffer', packed.buffer],
  ['a gzipped blob', new Blob([packed])],
  ['a plain blob', new Blob([content])],
])('reads %s', async (_, bytes) => {
  expect(Buffer.compare(await unpack(await readFile({ name: 'file', bytes })), content)).toBe(0); // far quicker than toEqual
  expect(await unpackStart({ name: 'file', bytes }, 16)).toEqual(content.slice(0, 16));
});

it('reads the start of what is damaged later on', async () => {
  const damaged = packed.slice(0, packed.length - 1000);
  expect(await unpackStart({ name: 'file', bytes: damaged }, 8)).toEqual(content.slice(0, 8));
  await expect(unpack({ name: 'file', bytes: damaged })).rejects.toThrow(
    'file: the gzip data is damaged or cut short; get the file again',
  );
});

it('reads what is shorter than asked for', async () => {
  expect(await unpackStart({ name: 'file', bytes: content.slice(0, 3) }, 8)).toEqual(content.slice(0, 3));
  expect(await unpackStart({ name: 'file', bytes: new Uint8Array() }, 8)).toEqual(new Uint8Array());
});

it('says which file cannot be read any more', async () => {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
  const { openAsBlob } = await import('node:fs');
  const { join } = await import('node:path');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-'));
  const path = join(folder, 'file');
  await writeFile(path, content);
  const bytes = await openAsBlob(path);
  await rm(folder, { recursive: true });
  const error = expect.objectContaining({
    code: 'unavailable',
    message: expect.stringMatching(/^file: cannot be read \(.*\); choose it again$/),
  });
  await expect(readFile({ name: 'file', bytes })).rejects.toThrow(error);
});
