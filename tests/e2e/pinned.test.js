// The bits that the C tests get natively from every compiler and set of kernels, in real browsers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS, launch } from '../support/browsers.js';
import { readPinned } from '../support/pinned.js';

const { steps, hashes, recipes, samples } = await readPinned();

describe.each(BROWSERS)('the library in %s', (name) => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  beforeAll(async () => {
    site = await serve({});
    browser = await launch(name, '');
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it.each([1, 3])('ends every pinned recipe at its hash with %i threads', async (threads) => {
    const page = await browser.newPage();
    await page.goto(`${site.url}THIRD-PARTY-NOTICES.txt`);
    // As text: Vitest would put an import of its own there.
    await page.evaluate(`import('${site.url}tabgrad.js').then((library) => { window.tabgrad = library; })`);
    const seen = await page.evaluate(
      async (threads, recipes, steps, images, labels) => {
        const engine = await /** @type {any} */ (window).tabgrad.createEngine({ threads });
        const arrays = { images: Uint8Array.from(images), labels: Uint8Array.from(labels) };
        const train = await engine.dataset({ ...arrays, shape: [12, 12, 1], classes: 10 });
        /** @type {Record<string, string>} */
        const seen = {};
        for (const [name, recipe] of Object.entries(recipes)) {
          const run = await engine.run(recipe, { train });
          await run.step(steps);
          seen[name] = await run.hash();
          await run.close();
        }
        await engine.close();
        return seen;
      },
      threads,
      recipes,
      steps,
      Array.from(samples.images),
      Array.from(samples.labels),
    );
    expect(seen).toEqual(hashes);
    await page.close();
  });
});
