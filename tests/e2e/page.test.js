// What holds for the page as a whole, whatever it is used for: everybody can use it, on any screen, from any host.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { zipOfFolders } from '../support/data-files.js';
import { DIGITS, Person } from '../support/person.js';

const AXE = fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url));

const HOOKS = [
  ...['draw-pad', 'draw-clear', 'prediction', 'prediction-bars', 'recipe-select', 'epochs', 'batch-size'],
  ...[
    'learning-rate',
    'seed',
    'train',
    'pause',
    'step',
    'stop',
    'reset',
    'status',
    'open-files',
    'drop-zone',
  ],
  ...['error', 'loss-chart', 'accuracy-chart', 'model-summary', 'save-checkpoint', 'load-checkpoint'],
];

let person;

beforeAll(async () => {
  person = await Person.arrive('chromium');
});

afterAll(() => person?.leave());

describe('the page', () => {
  let site;
  /** @type {string[]} */
  const requests = [];

  beforeAll(async () => {
    site = await serve();
    person.page.on('request', (request) => requests.push(request.url()));
    await person.open(site.url);
  });

  afterAll(() => site?.close());

  it('has every hook, in the light', async () => {
    const missing = await person.page.evaluate(
      (hooks) => hooks.filter((hook) => !document.querySelector(`[data-testid="${hook}"]`)),
      HOOKS,
    );
    expect(missing).toEqual([]);
    expect(await person.page.$eval('[data-testid="status"]', (status) => status.getAttribute('role'))).toBe(
      'status',
    );
    expect(await person.page.$eval('[data-testid="error"]', (error) => error.getAttribute('role'))).toBe(
      'alert',
    );
  });

  it('offers the recipes by their file names, and shows what each would build', async () => {
    const options = await person.page.$$eval('[data-testid="recipe-select"] option', (all) =>
      all.map(({ value }) => value),
    );
    expect(options.slice(0, 3)).toEqual(['mnist-linear', 'mnist-mlp', 'mnist-cnn']);
    const groups = await person.page.$$eval('[data-testid="recipe-select"] optgroup', (all) =>
      all.map((group) => [group.label, group.querySelectorAll('option').length]),
    );
    expect(groups[0]).toEqual(['MNIST handwritten digits', expect.any(Number)]);
    expect(groups.reduce((sum, [, count]) => sum + count, 0)).toBe(options.length);
    await person.chooseRecipe('mnist-linear');
    await person.until(() =>
      document.querySelector('[data-testid="model-summary"]')?.textContent?.includes('7,850'),
    );
    await person.chooseRecipe('mnist-mlp');
    await person.until(() =>
      document.querySelector('[data-testid="model-summary"]')?.textContent?.includes('203,530'),
    );
  });

  it('can be used from start to end with the keyboard alone', async () => {
    const { keyboard } = person.page;
    await tabTo('test-picture');
    await keyboard.press('Enter');
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() !== '–',
    );
    await tabTo('recipe-select');
    await keyboard.press('Home');
    await person.until(
      () => document.querySelector('[data-testid="recipe-select"]')?.value === 'mnist-linear',
    );
    await tabTo('epochs');
    await keyboard.type('1');
    await tabTo('train');
    await keyboard.press('Space');
    await person.untilState('done');
    expect((await person.status()).testAccuracy).toBeGreaterThan(0.9);
    const focused = await person.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
    expect(focused).toBe('train'); // not Stop or Reset, which came to be enabled on the way
  });

  /** Presses Tab until that element has the focus; the focus has to be visible on every stop. @param {string} testid */
  async function tabTo(testid) {
    for (let presses = 0; presses < 60; presses++) {
      await person.page.keyboard.press('Tab');
      const stop = await person.page.evaluate(() => {
        const element = /** @type {HTMLElement} */ (document.activeElement);
        const ring = element.matches('.visually-hidden, [type=radio]') ? element.closest('label') : element;
        return { testid: element.dataset.testid, outline: getComputedStyle(ring ?? element).outlineStyle };
      });
      expect(stop.outline, `focus on ${stop.testid}`).not.toBe('none');
      if (stop.testid === testid) return;
    }
    throw new Error(`Tab does not lead to ${testid}`);
  }

  it('asks nobody but its own site for anything', () => {
    const foreign = requests.filter((url) => !url.startsWith(site.url) && !url.startsWith('data:'));
    expect(foreign).toEqual([]);
    expect(requests.some((url) => url.endsWith('data/mnist/train-images-idx3-ubyte.gz'))).toBe(true);
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});

describe.each(['light', 'dark'])('axe on the page, %s', (scheme) => {
  let site;

  beforeAll(async () => {
    site = await serve();
    await person.page.setBypassCSP(true); // for axe itself
    await person.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await person.open(site.url);
    await person.page.evaluate(await readFile(AXE, 'utf8'));
  });

  afterAll(() => site?.close());

  async function violations() {
    const { violations } = await person.page.evaluate(() => globalThis.axe.run());
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`),
    );
  }

  it('finds nothing while it is idle, with a drawing and without', async () => {
    expect(await violations()).toEqual([]);
    await person.draw(DIGITS[7]);
    expect(await violations()).toEqual([]);
  });

  it('finds nothing in the Model panel, with a layer open and with one that cannot be', async () => {
    await person.page.click('[data-layer="0"] [data-part=head]');
    await person.page.waitForSelector('[data-layer="0"] [data-attribute=kernel]');
    expect(await violations()).toEqual([]);
    await person.typeOver('[data-layer="0"] [data-attribute=kernel]', '50');
    await person.page.keyboard.press('Enter');
    await person.page.waitForSelector('[data-testid="layer-problem"]');
    expect(await violations()).toEqual([]);
    await person.click('undo-edit');
  });

  it('finds nothing in the Data panel, with everything open that there is', async () => {
    await openEverythingInData();
    expect(await violations()).toEqual([]);
    await person.page.locator('::-p-text(Back to MNIST)').click();
    await person.until(() =>
      document.querySelector('#data')?.textContent?.includes('MNIST handwritten digits'),
    );
  });

  it('finds nothing while it trains and while it is paused', async () => {
    await person.chooseRecipe('mnist-cnn');
    await person.click('train');
    await person.untilStep(3);
    expect(await violations()).toEqual([]);
    await person.click('pause');
    await person.untilState('paused');
    expect(await violations()).toEqual([]);
    await person.click('reset');
    await person.untilState('idle');
  });

  it('finds nothing when it is done, and beside an error', async () => {
    await person.chooseRecipe('mnist-linear');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    expect(await violations()).toEqual([]);
    await person.dropFiles('drop-zone', [{ name: 'notes.txt', bytes: Buffer.from('not pictures') }]);
    await person.untilError();
    expect(await violations()).toEqual([]);
  });
});

describe('the page at 360 px', () => {
  it('has nothing to scroll sideways and nothing too small to touch', async () => {
    const site = await serve();
    await person.page.setViewport({ width: 360, height: 740, hasTouch: true, isMobile: true });
    await person.open(site.url);
    await person.chooseRecipe('mnist-linear');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    await openEverythingInData();
    const { width, small } = await person.page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      small: Array.from(document.querySelectorAll('button, select, input, .panels-nav a, label.button'))
        .filter((element) => element.checkVisibility() && !element.matches('.visually-hidden, .check input')) // its label counts
        .map((element) => ({
          name: element.textContent?.trim() || element.outerHTML,
          box: element.getBoundingClientRect(),
        }))
        .filter(({ box }) => box.height < 44 || box.width < 44)
        .map(({ name, box }) => `${name} ${box.width} x ${box.height}`),
    }));
    expect(width).toBe(360);
    expect(small).toEqual([]);
    await site.close();
  });

  it('draws under the finger without scrolling the page', async () => {
    const site = await serve();
    await person.open(site.url);
    const pad = await person.page.$('[data-testid="draw-pad"]');
    const box = await pad.boundingBox();
    const before = await person.page.evaluate(() => scrollY);
    const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];
    const { touchscreen } = person.page;
    await touchscreen.touchStart(...at(...DIGITS[1][0][0]));
    for (let t = 0; t <= 10; t++) await touchscreen.touchMove(...at(0.5, 0.2 + 0.06 * t));
    await touchscreen.touchEnd();
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === '1',
    );
    expect(await person.page.evaluate(() => scrollY)).toBe(before);
    await site.close();
  });
});

describe('the page on a plain host, under a sub-path', () => {
  it('trains without cross-origin isolation, in one thread', async () => {
    const site = await serve({ base: '/some/where/', isolated: false });
    await person.page.setViewport({ width: 1280, height: 900 });
    await person.open(site.url);
    expect(await person.page.evaluate(() => crossOriginIsolated)).toBe(false);
    expect(await person.page.$eval('.colophon', (footer) => footer.textContent)).toContain('one thread');
    await person.chooseRecipe('mnist-linear');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    expect((await person.status()).testAccuracy).toBeGreaterThan(0.9);
    await site.close();
  });
});

/** Everything there is to open, once the set has been read: while it is, only its first samples are shown. */
async function openEverythingInData() {
  await person.dropFiles('drop-zone', [zipOfFolders()]);
  await person.until(
    () =>
      document.querySelector('[data-testid="data-summary"]')?.textContent?.startsWith('60 to learn from') &&
      document.querySelector('[data-testid="augmentation"]'),
  );
  await person.page.$$eval('#data details', (all) => {
    for (const details of all) details.open = true;
  });
  await person.page.waitForSelector('[data-testid="outcomes"]');
}
