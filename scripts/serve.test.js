import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from './serve.mjs';

const packed = gzipSync('digits');
/** @type {string} */
let folder;
/** @type {string} */
let root;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-serve-'));
  root = join(folder, 'dist');
  await mkdir(join(root, 'data'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(root, 'index.html'), '<!doctype html>page');
  await writeFile(join(root, 'core.wasm'), '\0asm');
  await writeFile(join(root, 'data/index.html'), 'data');
  await writeFile(join(root, 'data/digits.gz'), packed);
  site = await serve({ root });
});

afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

test('pages and modules come with their types and the headers that allow threads', async () => {
  const page = await fetch(site.url);
  expect(await page.text()).toBe('<!doctype html>page');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect((await fetch(`${site.url}core.wasm`)).headers.get('content-type')).toBe('application/wasm');
});

test('gzipped data arrives as it lies on disk', async () => {
  const response = await fetch(`${site.url}data/digits.gz`);
  expect(response.headers.get('content-encoding')).toBe(null);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(packed);
});

test('an unchanged file is not sent again', async () => {
  const first = await fetch(site.url);
  const headers = { 'If-None-Match': String(first.headers.get('etag')) };
  expect((await fetch(site.url, { headers })).status).toBe(304);
});

test('no path leads out of the folder', async () => {
  for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/data/..%2f..%2fsecret.txt', '/%', '/%00']) {
    expect(await statusOfRawPath(path), path).toBe(404);
  }
});

test('a folder without its slash is sent on, another method refused', async () => {
  const folderAnswer = await fetch(`${site.url}data`);
  expect([folderAnswer.redirected, await folderAnswer.text()]).toEqual([true, 'data']);
  expect((await fetch(site.url, { method: 'POST' })).status).toBe(405);
});

test('below a path and without isolation, as on a plain static host', async () => {
  const plain = await serve({ root, base: '/some/where/', isolated: false });
  try {
    const page = await fetch(plain.url.replace(/\/$/, ''));
    expect([page.url, await page.text()]).toEqual([plain.url, '<!doctype html>page']);
    expect(page.headers.get('cross-origin-opener-policy')).toBe(null);
    expect((await fetch(new URL('/index.html', plain.url))).status).toBe(404);
  } finally {
    await plain.close();
  }
});

test('a port in use is said in one sentence', async () => {
  const port = Number(new URL(site.url).port);
  await expect(serve({ root, port })).rejects.toThrow(
    `Port ${port} is in use: choose another, as in PORT=${port + 1} npm start.`,
  );
});

/** fetch() tidies paths up before it asks; an attacker would not. @param {string} path @returns {Promise<number>} */
function statusOfRawPath(path) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1', () => {
      socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(Number(text.split(' ')[1])));
    socket.on('error', reject);
  });
}
