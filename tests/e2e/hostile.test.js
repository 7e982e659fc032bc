// Files made to do harm, in real browsers: what Node and the program say of them is said here as well, in time, nothing stays
// behind, and on the page nothing is lost that was there before.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS } from '../support/browsers.js';
import { npz } from '../support/data-files.js';
import { ATTACKS, QUICK } from '../support/hostile.js';
import { Person } from '../support/person.js';

/** For one of them: 2 s, and five times that where other tests have the machine as well. */
const MOST_MS = 10_000;
const REFUSED = ATTACKS.filter(({ read }) => !read);
const TOLERATED = ATTACKS.filter(({ read }) => read);

/** @param {import('../support/hostile.js').Attack} attack */
const sendable = ({ files }) =>
  files().map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') }));

describe.each(BROWSERS)('hostile files in %s', (browser) => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {Person} */
  let person;
  beforeAll(async () => {
    site = await serve();
    person = await Person.arrive(browser);
  });
  afterAll(async () => {
    await person?.leave();
    await site?.close();
  });

  it('get their sentence from the library, and leave nothing behind after a thousand tries', {
    timeout: 600_000,
  }, async () => {
    const page = await person.page.browser().newPage();
    await page.goto(`${site.url}THIRD-PARTY-NOTICES.txt`);
    // As text: Vitest would put an import of its own there.
    await page.evaluate(
      `import('${site.url}tabgrad.js').then(async ({ createEngine }) => { window.engine = await createEngine({ threads: 1 }); })`,
    );
    await page.evaluate(() => {
      Object.assign(window, {
        read: (/** @type {{ name: string, base64: string }[]} */ files) =>
          /** @type {any} */ (window).engine.readFiles(
            files.map(({ name, base64 }) => ({
              name,
              bytes: Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)),
            })),
          ),
      });
    });
    for (const attack of REFUSED) {
      const seen = await page.evaluate(async (files) => {
        const start = performance.now();
        const message = await /** @type {any} */ (window).read(files).then(
          () => 'it was read',
          (/** @type {Error} */ error) => error.message,
        );
        return { message, ms: performance.now() - start };
      }, sendable(attack));
      expect(seen.message).toMatch(attack.browser);
      expect(seen.ms, attack.name).toBeLessThan(MOST_MS);
    }
    const growth = await page.evaluate(
      async (attacks) => {
        const { engine, read } = /** @type {any} */ (window);
        const round = () => Promise.all(attacks.map((files) => read(files).catch(() => {})));
        for (let i = 0; i < 3; i++) await round();
        const before = await engine.memory();
        for (let tries = 0; tries < 1000; tries += attacks.length) await round();
        const after = await engine.memory();
        return [after.heapBytes - before.heapBytes, after.usedBytes - before.usedBytes];
      },
      QUICK.map((attack) => sendable(attack)),
    );
    expect(growth).toEqual([0, 0]);
    await page.close();
  });

  it('get their sentence on the page, where everything stays as it was', { timeout: 600_000 }, async () => {
    await person.open(site.url);
    await person.dropFiles('drop-zone', [npz()]);
    await person.until(() => document.querySelector('[data-testid="data-classes"]'));
    await person.until(() => document.querySelector('[data-testid="reading"]')?.hasAttribute('hidden'));
    const before = await person.text('data-summary');
    expect(before).toMatch(/^90 to learn from/);
    for (const { files, browser: sentence, name } of REFUSED) {
      await person.dropFiles('drop-zone', files());
      const said = await person.untilError();
      expect(said, name).toMatch(new RegExp(sentence.source.replace(/^\^|\$$/g, '')));
      await person.page.$eval('[aria-label="Dismiss"]', (button) =>
        /** @type {HTMLElement} */ (button).click(),
      );
      await person.until(() => document.querySelector('[data-testid="error"]')?.textContent === '');
    }
    expect(await person.text('data-summary')).toBe(before);
    for (const { files, sentence, read } of TOLERATED) {
      await person.dropFiles('drop-zone', files());
      await person.until(
        (count, text) => {
          const panel = document.querySelector('#data')?.textContent ?? '';
          return panel.includes(`${count} to learn from`) && panel.includes(text);
        },
        read,
        sentence.source.replace(/^\^|\$$|\\/g, ''),
      );
    }
    expect(await person.text('error')).toBe('');
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});
