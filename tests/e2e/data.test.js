// Anyone's data: dropped, understood, corrected, learned from; and what happens when they are broken, too long or gone.
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS } from '../support/browsers.js';
import { cifar, csv, NAMES, npz, npzOfMany, zipOfFolders } from '../support/data-files.js';
import { Person } from '../support/person.js';

describe.each(BROWSERS)('data in %s', (browser) => {
  let site;
  let person;
  /** @type {string[]} */
  const requests = [];

  beforeAll(async () => {
    site = await serve();
    person = await Person.arrive(browser);
    person.page.on('request', (request) => requests.push(request.url()));
    await person.open(site.url);
  });

  afterAll(async () => {
    await person?.leave();
    await site?.close();
  });

  const understood = () => person.page.$eval('.data-understood', (element) => element.innerText);
  const summary = () => person.text('data-summary');
  const untilSummary = (/** @type {string} */ part) =>
    person.until(
      (text) => document.querySelector('[data-testid="data-summary"]')?.textContent?.includes(text),
      part,
    );
  const untilRead = () =>
    person.until(
      () =>
        document.querySelector('[data-testid="reading"]')?.hasAttribute('hidden') &&
        document.querySelector('[data-testid="data-classes"]'),
    );
  const classes = () =>
    person.page.$$eval('[data-testid="data-classes"] li', (rows) =>
      rows.map((row) => ({
        name: row.querySelector('input')?.value ?? row.querySelector('.class-name')?.textContent,
        counts: row
          .querySelector('.number')
          ?.textContent?.match(/[\d,]+/g)
          ?.map((text) => Number(text.replace(',', ''))),
      })),
    );
  const trainFor = async (/** @type {number} */ epochs) => {
    await person.fill('epochs', epochs);
    await person.click('train');
    await person.untilState('done');
    return person.status();
  };

  it('shows MNIST before anything is trained', async () => {
    await person.click('show-data');
    await person.until(() => document.querySelector('[data-testid="data-samples"]'));
    expect(await summary()).toMatch(/^60,000 to learn from, 10,000 to test with; 28 × 28 pixels, 10 classes/);
    const rows = await classes();
    expect(rows.map(({ name }) => name)).toEqual([...'0123456789']);
    expect(rows[0].counts).toEqual([5923, 980]);
    const inked = await person.page.$eval('[data-testid="data-samples"]', (canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, i) => i % 4 === 3 && value > 128).length / (data.length / 4);
    });
    expect(inked).toBeGreaterThan(0.05);
    expect(inked).toBeLessThan(0.5);
  });

  it('learns from an .npz, with a recipe fitted to it, and says what was changed', async () => {
    await person.chooseRecipe('mnist-mlp');
    await person.dropFiles('drop-zone', [npz()]);
    await untilSummary('90 to learn from, 30 to test with; 12 × 12 pixels, 3 classes');
    await untilRead();
    expect((await classes()).map(({ counts }) => counts)).toEqual([
      [30, 10],
      [30, 10],
      [30, 10],
    ]);
    expect(await person.text('fit')).toMatch(
      /the input is 12 × 12 × 1, not 28 × 28 × 1; the last layer has 3 units/,
    );
    const status = await trainFor(20);
    expect(status.testAccuracy).toBeGreaterThan(0.9);
    expect(await person.bars()).toHaveLength(3);
  });

  it('leaves the recipe as it is written if that is wanted, and fits it again', async () => {
    const json = () => person.page.$eval('[data-testid="recipe-json"]', ({ value }) => JSON.parse(value));
    expect((await json()).model.input).toEqual([12, 12, 1]);
    await person.click('fit-undo');
    await person.until(() =>
      document.querySelector('[data-testid="recipe-json"]')?.value.includes('[28, 28, 1]'),
    );
    await person.click('train');
    expect(await person.untilError()).toMatch(/12x12x1.*28x28x1/);
    await person.click('fit-undo');
    await person.until(() =>
      document.querySelector('[data-testid="recipe-json"]')?.value.includes('[12, 12, 1]'),
    );
    expect((await trainFor(1)).testAccuracy).not.toBeNull();
  });

  it('takes the folders of a zip for classes, and names what it skipped', async () => {
    await person.dropFiles('drop-zone', [zipOfFolders()]);
    await untilSummary('60 to learn from; 12 × 12 pixels in colour, 3 classes');
    await untilRead();
    expect((await classes()).map(({ name }) => name)).toEqual(NAMES);
    expect(await person.text('skipped')).toMatch(/1 skipped.*along\/damaged\.png/s);
    expect(await person.text('sources')).toContain('stripes.zip');
  });

  it('holds some back to test with, of every class alike, when asked to', async () => {
    await person.page.click('[data-testid="split-options"] summary');
    await person.fill('split-fraction', 20);
    await person.click('read-again');
    await untilSummary('48 to learn from, 12 to test with');
    await untilRead();
    expect((await classes()).map(({ counts }) => counts)).toEqual([
      [16, 4],
      [16, 4],
      [16, 4],
    ]);
  });

  it('shows which correction is wrong, also where it is out of sight', async () => {
    const summaryOf = '[data-testid="reading-options"] summary';
    await person.page.click(summaryOf);
    await person.typeOver('input[name="height"]', '16'); // and no width
    await person.page.click(summaryOf);
    const isOpen = () => person.page.$eval('[data-testid="reading-options"]', ({ open }) => open);
    await person.until(() => !document.querySelector('[data-testid="reading-options"]')?.open);
    await person.click('read-again');
    expect(await isOpen()).toBe(true);
    const asked = () =>
      person.page.evaluate(() => [
        document.activeElement?.name,
        document.activeElement?.validity.valueMissing,
      ]);
    await person.until(() => document.activeElement?.name === 'width');
    expect(await asked()).toEqual(['width', true]);
    await person.page.keyboard.type('16');
    await person.click('read-again');
    await untilSummary('48 to learn from, 12 to test with; 16 × 16 pixels');
    await untilRead();
  });

  it('calls classes what a person calls them', async () => {
    await person.typeOver('[data-testid="data-classes"] li:nth-child(2) input', 'upright');
    await person.page.keyboard.press('Enter');
    await trainFor(1);
    expect((await person.bars()).map(({ name }) => name)).toEqual(['across', 'upright', 'slanted']);
  });

  it('shows what augmentation makes of a sample, and puts it into the recipe', async () => {
    await person.page.click('[data-testid="augmentation"] summary');
    await person.page.click('[data-augmentation="rotate"]');
    await person.until(() => {
      const pictures = Array.from(document.querySelectorAll('[data-testid="outcomes"] canvas'));
      return pictures.length === 13 && new Set(pictures.map((canvas) => canvas.toDataURL())).size > 6;
    });
    expect(await person.page.$eval('[data-testid="recipe-json"]', ({ value }) => value)).toContain(
      '"rotate"',
    );
  });

  it('writes the mean and deviation of the training part into the recipe', async () => {
    await person.page.click('[data-testid="preparation"] summary');
    await person.page.select('[data-testid="scaling"]', 'unit');
    await person.until(
      () => !document.querySelector('[data-testid="recipe-json"]')?.value.includes('standardize'),
    );
    await person.page.select('[data-testid="scaling"]', 'channel');
    await person.until(() =>
      document.querySelector('[data-testid="recipe-json"]')?.value.includes('"mean": [0.'),
    );
    const recipe = await person.page.$eval('[data-testid="recipe-json"]', ({ value }) => JSON.parse(value));
    expect(recipe.preprocess.at(-1).std).toHaveLength(3);
  });

  it('leaves augmentation of pictures out for rows of numbers, also while it is looked at', async () => {
    await person.dropFiles('drop-zone', [npz()]); // its preview follows the data
    await untilSummary('90 to learn from');
    await untilRead();
    await person.dropFiles('drop-zone', [csv()]);
    await untilSummary('60 to learn from; 3 numbers each');
    await untilRead();
    expect(await person.text('fit')).toMatch(/augmentation of pictures is left out/);
    await new Promise((resolve) => setTimeout(resolve, 300)); // what looks at a sample may come after the figures
    expect(await person.text('error')).toBe('');
  });

  it('learns from the rows of a table', async () => {
    await person.chooseRecipe('mnist-mlp');
    expect(await summary()).toMatch(/3 numbers each, 3 classes/);
    expect((await classes()).map(({ name }) => name)).toEqual(NAMES);
    const status = await trainFor(20);
    expect(status.epoch).toBe(20);
    const losses = await person.tableNumbers('loss-chart');
    expect(losses.at(-1)).toBeLessThan(losses[0]);
  });

  it('answers for a row of a table, or one that a person writes, where there is nothing to draw', async () => {
    const answered = () =>
      person.page.$eval('[data-testid="prediction-bars"]', (bars) => bars.dataset.answer);
    const area = '[data-testid="row-values"]';
    await person.page.waitForSelector(area);
    expect(await person.page.$('[data-testid="draw-pad"]')).toBeNull();
    expect(await person.text('test-picture')).toBe('Training row');
    await person.click('test-picture');
    await person.until(() =>
      /labelled/.test(document.querySelector('tg-sample-picker .number')?.textContent ?? ''),
    );
    expect(await person.page.$eval(area, ({ value }) => value)).toMatch(/^[\d.]+, [\d.]+, [\d.]+$/);

    const before = await answered();
    await person.typeOver(area, '2,1; 1,2; 0,3'); // as rows of the third kind are
    await person.until(
      (was) => document.querySelector('[data-testid="prediction-bars"]')?.dataset.answer !== was,
      before,
    );
    expect(await person.text('prediction')).toBe(NAMES[2]);
    await person.typeOver(area, '0.1, 5.2, 0');
    await person.until(
      (name) => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === name,
      NAMES[0],
    );
    await person.typeOver(area, '0.1, 5.2');
    expect(await person.page.$eval('#row-wrong', ({ textContent }) => textContent)).toBe(
      'These are 2 numbers of 3.',
    );
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === '–',
    );
  });

  it('shows what a network repeats of a row, but not the row as a picture', async () => {
    const hidden = await person.page.evaluate(async () => {
      const view = /** @type {any} */ (document.createElement('tg-prediction-view'));
      Object.assign(view, { shape: [1, 1, 3], repeater: { shape: [1, 1, 3] } });
      document.body.append(view);
      await view.updateComplete;
      const figures = [...view.querySelectorAll('figure')].map((figure) => figure.hidden);
      view.remove();
      return figures;
    });
    expect(hidden).toEqual([true, false]);
  });

  it('tells what was read as what of a hundred classes too, by pointer and by key', async () => {
    await person.chooseRecipe('mnist-linear');
    await person.dropFiles('drop-zone', [npzOfMany()]);
    await untilSummary('300 to learn from, 300 to test with; 12 × 12 pixels, 100 classes');
    await untilRead();
    await trainFor(1);
    const map = await person.page.waitForSelector('[data-testid="confusion-matrix"] [role="application"]');
    const cell = () => person.text('confusion-cell');
    await person.page.mouse.move(0, 0); // away from what the page scrolls to
    await map.focus();
    await person.page.keyboard.press('ArrowDown');
    expect(await cell()).toMatch(/^0 read right: \d of 3$/);
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight']) await person.page.keyboard.press(key);
    expect(await cell()).toMatch(/^1 read as 2: \d of 3$/);
    const pointed = async () => {
      await map.hover();
      return cell();
    };
    await expect.poll(pointed, { timeout: 20_000 }).toMatch(/^50 read right: \d of 3$/); // once it scrolls no more
    const elements = await person.page.$$eval('[data-testid="confusion-matrix"] *', (all) => all.length);
    expect(elements).toBeLessThan(20); // not 10,000
  });

  it('reads the batches of CIFAR-10 in colour, with the names of their classes', async () => {
    await person.dropFiles('drop-zone', cifar());
    await untilSummary('40 to learn from, 20 to test with; 32 × 32 pixels in colour, 10 classes');
    await untilRead();
    expect((await classes())[3].name).toBe('cat');
  });

  it('keeps what was there when the next file is broken', async () => {
    const before = await understood();
    const whole = npz();
    await person.dropFiles('drop-zone', [{ name: 'cut.npz', bytes: whole.bytes.slice(0, 300) }]);
    expect(await person.untilError()).toMatch(/cut\.npz/);
    await person.page.locator('[aria-label="Dismiss"]').click();
    expect(await understood()).toBe(before);
    expect((await trainFor(1)).epoch).toBe(1);
  });

  it('gives up reading when it is told to, and keeps what was there', async () => {
    const before = await summary();
    await person.page.$eval('[data-testid="drop-zone"]', (zone) => {
      const rows = new Blob(Array(2000).fill(`${'1,2,3,4,5,6,7,8,9\n'.repeat(50)}`));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(Array(200).fill(rows), 'endless.csv'));
      zone.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await person.until(() => {
      const cancel = document.querySelector('[data-testid="cancel-reading"]');
      if (document.querySelector('[data-testid="reading"]')?.hasAttribute('hidden') ?? true) return false;
      /** @type {HTMLElement | null} */ (cancel)?.click(); // at once: a click from outside may come after the end
      return cancel !== null;
    });
    await person.until(() => document.querySelector('[data-testid="reading"]')?.hasAttribute('hidden'));
    expect(await person.text('error')).toBe('');
    expect(await summary()).toBe(before);
  });

  it('keeps data for the next visit, opens them again, and forgets them', async () => {
    const names = () =>
      person.page.$$eval('[data-testid="open-kept"] b', (all) => all.map((b) => b.textContent));
    await person.until(() =>
      Array.from(document.querySelectorAll('[data-testid="open-kept"]')).some((entry) =>
        entry.textContent?.includes('stripes.npz'),
      ),
    );
    await person.open(site.url);
    await person.until(() => document.querySelector('[data-testid="open-kept"]'));
    expect(await names()).toContain('stripes.npz');
    await person.page.locator('[data-testid="open-kept"]::-p-text(stripes.npz)').click();
    await untilSummary('90 to learn from, 30 to test with; 12 × 12 pixels, 3 classes');
    await person.chooseRecipe('mnist-mlp');
    expect((await trainFor(20)).testAccuracy).toBeGreaterThan(0.9);
  });

  it('keeps the names that a person gave to the classes, too', async () => {
    await person.typeOver('[data-testid="data-classes"] li:nth-child(3) input', 'sloping');
    await person.page.keyboard.press('Enter');
    await person.until(() =>
      document.querySelector('tabgrad-app')?.state.kept.some(({ classes }) => classes.includes('sloping')),
    );
    await person.open(site.url);
    await person.page.locator('[data-testid="open-kept"]::-p-text(stripes.npz)').click();
    await untilSummary('90 to learn from, 30 to test with; 12 × 12 pixels, 3 classes');
    await untilRead();
    expect((await classes()).map(({ name }) => name)).toEqual(['0', '1', 'sloping']);
  });

  it('forgets what it keeps when told to', async () => {
    const count = await person.page.$$eval('[data-testid="open-kept"]', (all) => all.length);
    for (let left = count; left > 0; left--) {
      await person.click('forget-kept');
      await person.until((n) => document.querySelectorAll('[data-testid="open-kept"]').length < n, left);
    }
    expect(await summary()).toMatch(/^90 to learn from/);
  });

  it.runIf(browser === 'chromium')('says so when there is no room to keep data, and trains on', async () => {
    const devtools = await person.page.createCDPSession();
    const { origin } = new URL(site.url);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
    await person.dropFiles('drop-zone', [csv()]);
    await person.until(() => document.querySelector('[data-testid="kept"]'));
    expect(await person.text('kept')).toMatch(
      /table\.csv \(1 MB\) cannot be kept: there is no room for it here; delete kept data\. Training goes on/,
    );
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
    expect((await trainFor(1)).epoch).toBe(1);
    expect(await person.text('error')).toBe('');
  });

  it('asked nobody but its own site for anything', () => {
    const foreign = requests.filter((url) => !url.startsWith(site.url) && !/^(data|blob):/.test(url));
    expect(foreign).toEqual([]);
  });

  it('fetches from an address that was typed, where the other server allows it', async () => {
    const file = npz();
    const other = createServer((request, response) => {
      if (request.url === '/open/stripes.npz') response.setHeader('Access-Control-Allow-Origin', '*');
      else if (request.url !== '/closed/stripes.npz')
        response.writeHead(404, { 'Access-Control-Allow-Origin': '*' });
      response.end(file.bytes);
    });
    await new Promise((resolve) => other.listen(0, '127.0.0.1', () => resolve(null)));
    const origin = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (other.address()).port}`;
    const fetchFrom = async (/** @type {string} */ address) => {
      await person.typeOver('[data-testid="address"]', address);
      await person.page.keyboard.press('Enter');
    };
    const complaints = person.complaints.length;
    await fetchFrom('http://example.org/stripes.npz');
    expect(await person.untilError()).toMatch(/type one that begins with https:/);
    for (const [path, sentence] of [
      ['/closed/stripes.npz', /does not let other pages read this file \(CORS\)/],
      ['/gone/stripes.npz', /127\.0\.0\.1: there is no such file; check the address: \/gone\/stripes\.npz/],
    ]) {
      await person.page.locator('[aria-label="Dismiss"]').click();
      await fetchFrom(origin + path);
      expect(await person.untilError()).toMatch(sentence);
    }
    await fetchFrom(`${origin}/open/stripes.npz`);
    await person.until(() => document.querySelector('#data')?.textContent?.includes('stripes.npz'));
    await untilSummary('90 to learn from, 30 to test with');
    expect(await person.text('error')).toBe('');
    other.close();
    other.closeAllConnections();
    person.complaints.length = complaints; // the browser itself reports what the two addresses answered
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});
