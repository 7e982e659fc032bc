// What a person waits for, in the page as it is served: until it is there, and from the click on Train until a test
// accuracy stands on the screen.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from './steps.mjs';

/** @typedef {import('./bench_chromium.mjs').Chromium} Chromium */
/** @typedef {import('puppeteer-core').Page} Page */

/** Whoever opens a page looks at it before clicking; a browser is busy with itself meanwhile, a tenth of a second's work. */
const LOOKING_MS = 3000;

/**
 * @typedef {object} Load  of the page, in ms since the navigation began
 * @property {number} paintMs  something is seen
 * @property {number} readyMs  the network that comes with the page reads the pad
 */

/**
 * @typedef {object} Click
 * @property {number} ms  from the click on Train until a test accuracy that is high enough stands in the page
 * @property {number} loadedMs  until the training began
 * @property {number} accuracy  when training has ended
 * @property {number} samplesPerSecond  at its best
 */

/** Networks that reach an accuracy soon: recipes of the page, on its own MNIST or on opened files.
 * @typedef {object} Goal
 * @property {string} recipe
 * @property {string} title
 * @property {number} accuracy  0..1
 * @property {number} seconds  from the click, asked for
 * @property {{ dataset: string, files: string[] }} [open]
 */

const CIFAR10 = [
  ...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  'test_batch.bin',
  'batches.meta.txt',
];

/** @type {Goal[]} */
export const GOALS = [
  { recipe: 'mnist-quick', title: 'MNIST 97 %', accuracy: 0.97, seconds: 1 },
  { recipe: 'mnist-cnn-quick', title: 'MNIST 99 %', accuracy: 0.99, seconds: 8 },
  {
    recipe: 'cifar10-quick',
    title: 'CIFAR-10 60.3 %',
    accuracy: 0.603,
    seconds: 90,
    open: { dataset: 'cifar10', files: CIFAR10 },
  },
];

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The page's first load, with nothing in the browser's cache, and its second.
 * @param {Chromium} chromium
 * @returns {Promise<{ first: Load, second: Load }>}
 */
export async function measureLoad(chromium) {
  const context = await chromium.browser.createBrowserContext();
  try {
    const loads = [];
    for (let i = 0; i < 2; i++) {
      const page = await context.newPage();
      await openPage(page, chromium.url);
      loads.push(
        await page.evaluate(() => ({
          paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
          readyMs: performance.now(),
        })),
      );
      await page.close();
    }
    return { first: loads[0], second: loads[1] };
  } finally {
    await context.close();
  }
}

/**
 * Trains a recipe with one click, in a browser that has the page but not its data in its cache.
 * @param {Chromium} chromium @param {Goal} goal
 * @returns {Promise<Click>}
 */
export async function measureClick(chromium, { recipe, title, accuracy, open }) {
  const context = await chromium.browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await openPage(page, chromium.url);
    if (open) await openFiles(page, open);
    await page.select('[data-testid="recipe-select"]', recipe);
    await sleep(LOOKING_MS);
    await page.evaluate(recordStatus, accuracy);
    await page.click('[data-testid="train"]');
    await page.waitForFunction(
      () => /** @type {any} */ (globalThis).seen.done || /** @type {any} */ (globalThis).seen.error,
      {
        timeout: 0,
        polling: 100,
      },
    );
    const seen = await page.evaluate(() => /** @type {any} */ (globalThis).seen);
    if (!(seen.done?.accuracy >= accuracy))
      throw new Failure(`${title}: ${recipe} ended at ${seen.done?.accuracy ?? 'an error'}.`);
    return {
      ms: seen.reached.ms,
      loadedMs: seen.training.ms,
      accuracy: seen.done.accuracy,
      samplesPerSecond: seen.pace,
    };
  } finally {
    await context.close();
  }
}

/** Until the network that comes with it is ready. @param {Page} page @param {string} url */
export async function openPage(page, url) {
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(`${url}dist/index.html`);
  await page.waitForFunction(() => document.querySelector('[data-testid="save-checkpoint"]:not(:disabled)'), {
    polling: 'raf',
  });
}

/** @param {Page} page @param {NonNullable<Goal['open']>} open */
async function openFiles(page, { dataset, files }) {
  const input = await page.$('[data-testid="open-files"]');
  const paths = files.map((file) => join(PROJECT, 'build/data', dataset, file));
  await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(...paths);
  await page.waitForFunction(
    () => /** @type {any} */ (document.querySelector('tabgrad-app')).state.data.train === 50_000,
    {
      timeout: 0,
      polling: 100,
    },
  );
}

/** In the page: notes when the click came, after how many ms the status changed to what, and when the accuracy wanted was
 * reached. @param {number} wanted */
function recordStatus(wanted) {
  /** @type {Record<string, any>} */
  const seen = { pace: 0 };
  Object.assign(globalThis, { seen });
  let start = 0;
  document
    .querySelector('[data-testid="train"]')
    ?.addEventListener('click', (event) => (start = event.timeStamp), true);
  const status = /** @type {HTMLElement} */ (document.querySelector('[data-testid="status"]'));
  const note = () => {
    const { state, testAccuracy, samplesPerSecond } = status.dataset;
    seen.pace = Math.max(seen.pace, Number(samplesPerSecond));
    if (!state || start === 0) return;
    const now = { ms: performance.now() - start, accuracy: Number(testAccuracy) };
    if (now.accuracy >= wanted) seen.reached ??= now;
    if (state !== 'done' || testAccuracy !== undefined) seen[state] ??= now;
  };
  new MutationObserver(note).observe(status, { attributes: true });
}
