import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ByteStream } from './byte-stream.js';
import { isTar, walkTar } from './tar.js';

const LONG = `${'deep/'.repeat(40)}${'name'.repeat(20)}.txt`;

/** A tar of the system's own making. @param {string} format @param {Record<string, string>} files */
function tar(format, files) {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  symlinkSync('a.txt', join(folder, 'link'));
  const bytes = execFileSync('tar', ['-c', `--format=${format}`, '-C', folder, '.']);
  rmSync(folder, { recursive: true });
  return new Uint8Array(bytes);
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function contents(bytes) {
  /** @type {Record<string, string>} */
  const files = {};
  /** @type {string[]} */
  const skipped = [];
  await walkTar(ByteStream.of(bytes), {
    file: async (path, size, content) => {
      if (path.includes('skipped')) return;
      files[path.replace(/^\.\//, '')] = new TextDecoder().decode(await content.take(size));
    },
    skip: (path, reason) => skipped.push(`${path}: ${reason}`),
  });
  expect(skipped).toEqual(['./link: is a link to another file, and links are not followed']);
  return files;
}

it.each(['v7', 'ustar', 'pax', 'gnu'])('reads what tar writes as %s', async (format) => {
  const short = {
    'a.txt': 'first',
    'folder/b.txt': 'x'.repeat(1000),
    'empty.txt': '',
    skipped: 'y'.repeat(2000),
  };
  const files =
    format === 'pax' || format === 'gnu' ? { ...short, [LONG]: 'deep down', 'ä.txt': 'utf-8' } : short;
  const bytes = tar(format, files);
  expect(isTar(bytes)).toBe(true);
  const { skipped: _, ...read } = files;
  expect(await contents(bytes)).toEqual(read);
});

it('says what is wrong, and reads what is whole without its end', async () => {
  const bytes = tar('ustar', { 'a.txt': 'first' });
  const at = bytes.findIndex((byte, i) => byte === 97 && bytes[i + 1] === 46); // its header
  expect(await contents(bytes.slice(0, bytes.length - 5000))).toEqual({ 'a.txt': 'first' });
  await expect(contents(bytes.slice(0, at - 2 + 512 + 3))).rejects.toThrow('is cut short; get it again');
  bytes[at] ^= 1;
  await expect(contents(bytes)).rejects.toThrow('a header inside has a wrong checksum');
  expect(isTar(new Uint8Array(512))).toBe(false);
  expect(isTar(new TextEncoder().encode('1,2,3\n'.repeat(100)))).toBe(false);
});
