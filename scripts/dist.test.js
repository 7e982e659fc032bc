// What `npm run build` leaves in dist/ (npm test has built it).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const html = readFileSync(join(DIST, 'index.html'), 'utf8');
const assets = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path);

test('the page, the library, its types and every variant are there', () => {
  const variants = ['simd', 'threads', 'fast', 'double'].flatMap((name) => [
    `tabgrad-${name}.js`,
    `tabgrad-${name}.wasm`,
  ]);
  const files = [
    'tabgrad.js',
    'tabgrad.worker.js',
    'tabgrad.parquet.js',
    'tabgrad.d.ts',
    'recipes/index.json',
    'data/mnist/dataset.json',
  ];
  for (const file of [...files, ...variants]) expect(existsSync(join(DIST, file)), file).toBe(true);
  for (const name of JSON.parse(readFileSync(join(DIST, 'recipes/index.json'), 'utf8'))) {
    expect(existsSync(join(DIST, 'recipes', `${name}.json`)), name).toBe(true);
  }
});

test('the page names its files relative to itself, so that it works below any path', () => {
  expect(assets.length).toBeGreaterThanOrEqual(2);
  expect(html).not.toMatch(/(?:src|href)="(?:\/|https?:)/);
});

/** A script and what it imports at once; what it loads when needed does not count. @param {string} file @returns {string[]} */
function importsOf(file) {
  const script = readFileSync(join(DIST, file), 'utf8');
  const imports = [...script.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)].map(([, name]) => name);
  return [file, ...imports.flatMap(importsOf)];
}

test('page, script and WebAssembly take at most 200 kB on first load, gzipped', () => {
  const chunks = [...importsOf('tabgrad.js'), ...importsOf('tabgrad.worker.js')];
  const engine = ['tabgrad-threads.js', 'tabgrad-threads.wasm'];
  const sizes = ['index.html', ...assets, ...new Set(chunks), ...engine].map((file) => [
    file,
    gzipSync(readFileSync(join(DIST, file))).length,
  ]);
  const total = sizes.reduce((sum, [, size]) => sum + Number(size), 0);
  expect(total, JSON.stringify(sizes)).toBeLessThanOrEqual(200_000);
});

test('what is bundled brings its licence', () => {
  const notices = readFileSync(join(DIST, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  for (const name of [
    'fflate ',
    'hyparquet ',
    'lit ',
    'uplot ',
    'wasm-feature-detect ',
    'Emscripten ',
    'musl,',
  ]) {
    expect(notices).toMatch(new RegExp(`^${name}`, 'm'));
  }
});
