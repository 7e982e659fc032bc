// Real sets at full size, in real browsers: letters in two formats and photographs from folders with lists; and MNIST and
// CIFAR-10 as their users have them, which takes minutes and is run with TG_FULL_SIZE=1.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMAT_FILES, prepareFormats } from '../../scripts/make_formats.mjs';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS, launch } from '../support/browsers.js';
import { realTasks, shared } from '../support/real-data.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = join(PROJECT, 'build/native/tabgrad');
const MINUTES = 10 * 60_000;

describe.each(BROWSERS)('whole sets in %s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-'));
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {import('puppeteer-core').Page} */
  let page;
  beforeAll(async () => {
    site = await serve();
    browser = await launch(name, '');
    page = await browser.newPage();
    await page.goto(`${site.url}THIRD-PARTY-NOTICES.txt`);
    // As text: Vitest would put an import of its own there.
    await page.evaluate(
      `import('${site.url}tabgrad.js').then(async ({ createEngine }) => { window.engine = await createEngine(); })`,
    );
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true });
  });

  /** What the library makes of files, and of a recipe on them. @param {string[]} paths @param {object} [reading] @param {object} [recipe] */
  async function read(paths, reading = {}, recipe) {
    const input = await page.evaluateHandle(() => {
      const field = Object.assign(document.createElement('input'), { type: 'file', multiple: true });
      document.body.replaceChildren(field);
      return field;
    });
    await input.uploadFile(...paths);
    return page.evaluate(
      async (field, reading, recipe) => {
        const { engine } = /** @type {any} */ (window);
        const { train, test, report } = await engine.readFiles([...(field.files ?? [])], reading);
        const seen = {
          counts: [train.count, test?.count],
          digests: [train.sha256, test?.sha256],
          skipped: report.skipped,
          accuracy: 0,
        };
        if (recipe) {
          const run = await engine.run(recipe, { train, test });
          for await (const { heldOut } of run.train()) seen.accuracy = heldOut?.accuracy ?? seen.accuracy;
          await run.close();
        }
        await train.close();
        await test?.close();
        return seen;
      },
      input,
      reading,
      recipe ?? null,
    );
  }

  /** What the program makes of the same files. @param {string[]} paths */
  function digestsOfProgram(paths) {
    const { train, test } = JSON.parse(
      execFileSync(PROGRAM, ['data', '--json', ...paths], { encoding: 'utf8' }),
    );
    return [train.sha256, test?.sha256];
  }

  describe.runIf(existsSync(shared))('beside the project (skipped where ../shared/data is absent)', () => {
    it.each(realTasks)('$name is read and learned from', { timeout: MINUTES }, async (task) => {
      const { path, reading, recipe, accuracy } = task;
      const archive = join(folder, `${path.replace(/.*\//, '')}.tar`);
      execFileSync('tar', ['-cf', archive, '-C', join(shared, path, '..'), path.replace(/.*\//, '')]);
      const roles = { [`${archive.replace(/.*\//, '')}/taskar/ocr_taskar.mat`]: 'ignore' };
      const seen = await read([archive], path === 'letters/taskar' ? { roles } : reading, recipe);
      expect(seen.skipped).toEqual([]);
      expect(seen.accuracy).toBeGreaterThan(accuracy);
      if (path === 'sun8') expect(seen.counts).toEqual([1177, 400]);
      if (path.endsWith('.mat')) expect(seen.digests).toEqual(digestsOfProgram([join(shared, path)]));
    });
  });

  describe.runIf(process.env.TG_FULL_SIZE)('as people have them (with TG_FULL_SIZE=1)', () => {
    const IDX = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
    it.each(/** @type {const} */ (['npz', 'mat', 'csv', 'zip', 'parquet']))(
      'MNIST as %s is MNIST',
      { timeout: MINUTES },
      async (format) => {
        const files = FORMAT_FILES[format].map((file) => join(PROJECT, file));
        const truth = digestsOfProgram(IDX.map((file) => join(PROJECT, `build/data/mnist/${file}-ubyte`)));
        const { digests, skipped } = await read(files);
        expect({ digests, skipped }).toEqual({ digests: truth, skipped: [] });
        if (format !== 'parquet') expect(digestsOfProgram(files)).toEqual(truth);
      },
    );

    it('CIFAR-10 from its archive', { timeout: MINUTES }, async () => {
      await prepareFormats(['cifar']);
      const files = FORMAT_FILES.cifar.map((file) => join(PROJECT, file));
      const { digests, skipped } = await read(files);
      expect({ digests, skipped }).toEqual({ digests: digestsOfProgram(files), skipped: [] });
    });
  });
});
