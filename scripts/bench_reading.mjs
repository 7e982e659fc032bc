// How long files take that people drop: through the library, and in the page, where nobody may notice that it is being read.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPage } from './bench_page.mjs';
import { FORMAT_FILES } from './make_formats.mjs';

/** @typedef {import('./bench_chromium.mjs').Chromium} Chromium */
/** @typedef {import('puppeteer-core').Page} Page */

/**
 * @typedef {object} Reading  of some files, each time in a page of its own
 * @property {number} ms  through the library, until the sets are there
 * @property {number} heapBytes  of the engine, which never shrinks: with whole files in it, and the set
 * @property {number} peakBytes  that the whole process of the page grew by at most, from an engine at rest
 * @property {number} setBytes  pixels of the sets
 * @property {number} thumbnailsMs  in the page, from the choice of the files until samples are seen
 * @property {number} pageMs  until all is understood
 * @property {number} longestTaskMs  that its own thread was busy without a pause; 0: never for more than 50 ms
 */

/** @typedef {{ title: string, files: string[], asked: string }} FileSet  files: from the project's folder */

/** A process whose memory changes by less in this time is at rest. */
const SETTLING_MS = 1000;
const SETTLED_BYTES = 2 ** 20;

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const IDX = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];

/** @type {Record<string, FileSet>} */
export const FILE_SETS = {
  idx: {
    title: 'MNIST, IDX in gzip',
    files: IDX.map((name) => `dist/data/mnist/${name}-ubyte.gz`),
    asked: 'thumbnails in 300 ms',
  },
  cifar: { title: 'CIFAR-10, tar.gz', files: FORMAT_FILES.cifar, asked: '3 s, 1.3 times the set' },
  zip: { title: 'MNIST, 70,000 PNGs in a zip', files: FORMAT_FILES.zip, asked: '60,000 in 6 s' },
  csv: { title: "MNIST, Kaggle's tables", files: FORMAT_FILES.csv, asked: '100 MB/s' },
  npz: { title: 'MNIST, .npz of NumPy', files: FORMAT_FILES.npz, asked: '' },
  mat: { title: 'MNIST, .mat of SciPy', files: FORMAT_FILES.mat, asked: '' },
  parquet: { title: 'MNIST, Parquet with PNGs', files: FORMAT_FILES.parquet, asked: '' },
};

/** @param {string[]} files */
export async function bytesOf(files) {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(PROJECT, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** @param {Chromium} chromium @param {string[]} files @returns {Promise<Reading>} */
export async function measureReading(chromium, files) {
  const paths = files.map((file) => join(PROJECT, file));
  return { ...(await inLibrary(chromium, paths)), ...(await inPage(chromium, paths)) };
}

/** @param {Chromium} chromium @param {string[]} paths */
async function inLibrary(chromium, paths) {
  const context = await chromium.browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(`${chromium.url}dist/THIRD-PARTY-NOTICES.txt`);
    const input = await page.evaluateHandle(() => {
      const files = Object.assign(document.createElement('input'), { type: 'file', multiple: true });
      document.body.append(files);
      return files;
    });
    await input.uploadFile(...paths);
    await page.evaluate(async (library) => {
      const { createEngine } = await import(library);
      Object.assign(globalThis, { engine: await createEngine() });
    }, `${chromium.url}dist/tabgrad.js`);
    const before = await settledMemory(page);
    const read = await page.evaluate(async (input) => {
      const start = performance.now();
      const { engine } = /** @type {any} */ (globalThis);
      const { train, test } = await engine.readFiles([...(input.files ?? [])]);
      const ms = performance.now() - start;
      const { heapBytes } = await engine.memory();
      const bytes = (/** @type {any} */ set) =>
        set
          ? set.count * set.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1)
          : 0;
      return { ms, heapBytes, setBytes: bytes(train) + bytes(test) };
    }, input);
    const peaks = await memoryOfPages(page, 'VmHWM');
    return {
      ...read,
      peakBytes: Math.max(...Array.from(peaks, ([id, peak]) => peak - (before.get(id) ?? peak))),
    };
  } finally {
    await context.close();
  }
}

/** Of every process that pages are in, once an engine that has just begun is at rest: for a while its threads are still
 * starting and its code is compiled again, none of which is for the files. @param {Page} page */
async function settledMemory(page) {
  for (let before = await memoryOfPages(page, 'VmRSS'); ; ) {
    await sleep(SETTLING_MS);
    const now = await memoryOfPages(page, 'VmRSS');
    if ([...now].every(([id, bytes]) => Math.abs(bytes - (before.get(id) ?? 0)) < SETTLED_BYTES)) return now;
    before = now;
  }
}

/** Bytes of every process that pages are in. @param {Page} page @param {'VmRSS' | 'VmHWM'} field  now, or at most */
async function memoryOfPages(page, field) {
  const session = await page.browser().target().createCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  /** @type {Map<number, number>} */
  const memory = new Map();
  for (const { id } of processInfo.filter(({ type }) => type === 'renderer')) {
    const status = await readFile(`/proc/${id}/status`, 'utf8');
    memory.set(id, Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024);
  }
  return memory;
}

/** @param {Chromium} chromium @param {string[]} paths */
async function inPage(chromium, paths) {
  const context = await chromium.browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await openPage(page, chromium.url);
    await page.evaluate(recordReading);
    const input = await page.$('[data-testid="open-files"]');
    await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(
      ...paths,
    );
    await page.waitForFunction(() => /** @type {any} */ (globalThis).seen.pageMs, {
      timeout: 0,
      polling: 100,
    });
    return await page.evaluate(() => /** @type {any} */ (globalThis).seen);
  } finally {
    await context.close();
  }
}

/** In the page: notes after how many ms samples were seen, and all was understood; and how long its thread was busy. */
function recordReading() {
  const seen = { thumbnailsMs: 0, pageMs: 0, longestTaskMs: 0 };
  Object.assign(globalThis, { seen });
  let start = 0;
  const note = () => {
    const samples = document.querySelector('[data-testid="data-samples"]');
    const isReading = !document.querySelector('[data-testid="reading"]')?.hasAttribute('hidden');
    if (samples && !seen.thumbnailsMs) seen.thumbnailsMs = performance.now() - start;
    if (samples && !isReading) seen.pageMs = performance.now() - start;
    else requestAnimationFrame(note);
  };
  document.querySelector('[data-testid="open-files"]')?.addEventListener(
    'change',
    () => {
      start = performance.now();
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries())
          seen.longestTaskMs = Math.max(seen.longestTaskMs, duration);
      }).observe({ type: 'longtask' });
      requestAnimationFrame(note);
    },
    true,
  );
}
