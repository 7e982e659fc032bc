// The library alone, in real browsers, from a sub-path: same bits as in Node, threads where pages are isolated, a
// hidden tab that goes on learning, a worker that is replaced.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS, launch } from '../support/browsers.js';
import { mnistFiles, mnistRecipe } from '../support/training.js';

const STEPS = 200;
const SAMPLES = 1000;

/** What Node gets. @type {string} */
let expected;
/** And in double, after so many steps fewer. @type {string} */
let expectedInDouble;
const STEPS_IN_DOUBLE = 20;
/** Pixels as base64, which the browsers' protocols carry far more quickly than numbers.
 * @type {{ pixels: string, labels: number[] }} */
let samples;

beforeAll(async () => {
  const engine = await createEngine({ threads: 1 });
  const { train } = await engine.readFiles((await mnistFiles()).slice(0, 2));
  const { pixels, labels } = await train.samples(Array.from({ length: SAMPLES }, (_, i) => i));
  samples = {
    pixels: Buffer.from(/** @type {Uint8Array} */ (pixels)).toString('base64'),
    labels: Array.from(labels),
  };
  const data = await engine.dataset({ images: pixels, labels, shape: [28, 28, 1], classes: 10 });
  const run = await engine.run(mnistRecipe({ epochs: 100 }), { train: data });
  await run.step(STEPS);
  expected = await run.hash();
  await engine.close();

  const exact = await createEngine({ precision: 'double' });
  const set = await exact.dataset({ images: pixels, labels, shape: [28, 28, 1], classes: 10 });
  const twin = await exact.run(mnistRecipe({ epochs: 100 }), { train: set });
  await twin.step(STEPS_IN_DOUBLE);
  expectedInDouble = await twin.hash();
  await exact.close();
});

describe.each(BROWSERS)('the library in %s', (name) => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let isolated;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let plain;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  beforeAll(async () => {
    isolated = await serve({ base: '/some/path/' });
    plain = await serve({ base: '/some/path/', isolated: false });
    browser = await launch(name, '');
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([isolated?.close(), plain?.close()]);
  });

  /** An empty page of that site, with `window.ready(options)`: an engine, a run, and the workers that were started.
   * @param {{ url: string }} site */
  async function open(site) {
    const page = await browser.newPage();
    await page.goto(`${site.url}THIRD-PARTY-NOTICES.txt`);
    // As text: Vitest would put an import of its own there.
    await page.evaluate(`import('${site.url}tabgrad.js').then((library) => { window.tabgrad = library; })`);
    await page.evaluate(
      ({ pixels, labels }, recipe) => {
        const { Worker } = window;
        /** @type {Worker[]} */
        const workers = [];
        window.Worker = class extends Worker {
          /** @param {string | URL} script @param {WorkerOptions} [options] */
          constructor(script, options) {
            super(script, options);
            workers.push(this);
          }
        };
        Object.assign(window, {
          ready: async (/** @type {import('tabgrad').EngineOptions} */ options) => {
            const engine = await /** @type {any} */ (window).tabgrad.createEngine(options);
            const images = Uint8Array.from(atob(pixels), (byte) => byte.charCodeAt(0));
            const train = await engine.dataset({ images, labels, shape: [28, 28, 1], classes: 10 });
            return { engine, train, run: await engine.run(recipe, { train }), workers };
          },
        });
      },
      samples,
      mnistRecipe({ epochs: 100 }),
    );
    return page;
  }

  it.each([1, 2, 3])(`gets the bits of Node after ${STEPS} steps with %i threads`, async (threads) => {
    const page = await open(isolated);
    const seen = await page.evaluate(
      async (threads, steps) => {
        const { engine, run } = await /** @type {any} */ (window).ready({ threads });
        await run.step(steps);
        const seen = [engine.variant, engine.threads, await run.hash()];
        await engine.close();
        return seen;
      },
      threads,
      STEPS,
    );
    expect(seen).toEqual([threads > 1 ? 'threads' : 'simd', threads, expected]);
    await page.close();
  });

  it('needs no isolated page, but says what threads need', async () => {
    const page = await open(plain);
    const [variant, threads, hash, message] = await page.evaluate(async (steps) => {
      const { ready } = /** @type {any} */ (window);
      const { engine, run } = await ready({});
      await run.step(steps);
      const refused = await ready({ threads: 2 }).catch((/** @type {Error} */ error) => error.message);
      return [engine.variant, engine.threads, await run.hash(), refused];
    }, STEPS);
    expect([variant, threads, hash]).toEqual(['simd', 1, expected]);
    expect(message).toMatch(
      /^threads: more than one needs shared memory, so a page served with the headers /,
    );
    await page.close();
  });

  it('runs relaxed SIMD when asked to', async () => {
    const page = await open(isolated);
    const [variant, loss] = await page.evaluate(async () => {
      const { engine, run } = await /** @type {any} */ (window).ready({ precision: 'fast' });
      return [engine.variant, (await run.step(50)).loss];
    });
    expect(variant).toBe('fast');
    expect(loss).toBeLessThan(2.3);
    await page.close();
  });

  it('computes in double when asked to, and checks its gradients', async () => {
    const page = await open(isolated);
    const [variant, hash, found, type] = await page.evaluate(async (steps) => {
      const { engine, run } = await /** @type {any} */ (window).ready({ precision: 'double' });
      await run.step(steps);
      const [{ data }] = Object.values(await run.parameters());
      return [engine.variant, await run.hash(), await run.gradcheck({ perTensor: 5 }), data.constructor.name];
    }, STEPS_IN_DOUBLE);
    expect([variant, hash, type]).toEqual(['double', expectedInDouble, 'Float64Array']);
    expect(found.worst).toBeGreaterThan(0);
    expect(found.worst).toBeLessThan(1e-7);
    expect(found.skipped).toBeLessThan(found.checked);
    await page.close();
  });

  it('goes on learning in a hidden tab', async () => {
    const page = await open(isolated);
    await page.evaluate(async () => {
      const { run } = await /** @type {any} */ (window).ready({});
      Object.assign(window, { run, reports: run.train() });
      await /** @type {any} */ (window).reports.next();
    });
    const front = await browser.newPage();
    await front.bringToFront();
    await page.waitForFunction(() => document.visibilityState === 'hidden', { polling: 100 });
    const steps = await page.evaluate(async () => {
      const { run } = /** @type {any} */ (window);
      const before = run.progress.step;
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await run.pause();
      return run.progress.step - before;
    });
    expect(steps).toBeGreaterThan(30); // a timer per slice would allow three
    await front.close();
    await page.close();
  });

  it('replaces a worker that cannot go on', async () => {
    const page = await open(plain);
    const seen = await page.evaluate(async () => {
      const { engine, train, run, workers } = await /** @type {any} */ (window).ready({});
      await run.step(20);
      const hash = await run.hash();
      const respawned = new Promise((resolve) => engine.on('respawn', resolve));
      workers[0].postMessage({ type: 'samples', id: 1e6, dataset: train.id, indices: [2 ** 31] });
      const { restored } = await respawned;
      return {
        restored,
        workers: workers.length,
        step: run.progress.step,
        isSame: hash === (await run.hash()),
      };
    });
    expect(seen).toEqual({ restored: true, workers: 2, step: 20, isSame: true });
    await page.close();
  });
});
