// Files in and out: a network saved and loaded again, other people's pictures, and files that are not what they seem.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDataset } from '../../scripts/datasets.mjs';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS } from '../support/browsers.js';
import { DIGITS, Person } from '../support/person.js';

const FASHION = fileURLToPath(new URL('../../build/data/fashion-mnist/', import.meta.url));
const HOSTILE = fileURLToPath(new URL('../fixtures/hostile/', import.meta.url));
const TEN_CLASSES = [
  ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
  ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
];

beforeAll(() => prepareDataset('fashion-mnist'));

describe.each(BROWSERS)('files in %s', (browser) => {
  let site;
  let person;

  beforeAll(async () => {
    site = await serve();
    person = await Person.arrive(browser);
    await person.open(site.url);
  });

  afterAll(async () => {
    await person?.leave();
    await site?.close();
  });

  it('gives the same answer from a network that was saved and loaded again, and trains on', async () => {
    await person.draw(DIGITS[7]);
    await person.chooseRecipe('mnist-linear');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    const trained = await person.settledStatus();
    const answer = await person.bars();
    const { path } = await person.saved(() => person.click('save-checkpoint'));

    await person.click('reset');
    await person.until(
      (p) =>
        document
          .querySelector('[data-testid="prediction-bars"] li:nth-child(8)')
          ?.getAttribute('data-probability') !== p,
      String(answer[7].probability),
    );
    await person.chooseFiles('load-checkpoint', [path]);
    await person.until(
      (p) =>
        document
          .querySelector('[data-testid="prediction-bars"] li:nth-child(8)')
          ?.getAttribute('data-probability') === p,
      String(answer[7].probability),
    );
    expect(await person.bars()).toEqual(answer);
    expect(await person.status()).toMatchObject({ state: 'idle', epoch: 1, step: trained.step });

    await person.click('train');
    await person.untilState('done');
    const status = await person.status();
    expect(status).toMatchObject({ epoch: 2, step: 2 * trained.step });
    expect(status.testAccuracy).toBeGreaterThan(0.9);
  });

  it('learns Fashion-MNIST from its files, by the names of the clothes', async () => {
    const files = [
      'train-images-idx3-ubyte',
      'train-labels-idx1-ubyte',
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
    ];
    await person.chooseFiles(
      'open-files',
      files.map((file) => FASHION + file),
    );
    await person.fill('epochs', 1); // at once: Train waits for the files
    await person.click('train');
    await person.untilState('done');
    expect((await person.status()).testAccuracy).toBeGreaterThan(0.78);
    expect((await person.bars()).map(({ name }) => name)).toEqual(TEN_CLASSES);
    await person.click('draw-clear');
    await person.draw(DIGITS[1]);
    expect(TEN_CLASSES).toContain(await person.text('prediction'));
  });

  it('takes dropped files too, gzipped ones and pictures of any number', async () => {
    await person.dropFiles('drop-zone', await clothes(500));
    await person.until(() => document.querySelector('#data')?.textContent?.includes('500 to learn from'));
    await person.fill('epochs', 2); // while the rest may still be being read
    await person.click('train');
    await person.untilState('done');
    expect(await person.status()).toMatchObject({ epoch: 2, step: 8, testAccuracy: null });
  });

  it('leaves what is being typed alone when other data come', async () => {
    await person.typeOver('[data-testid="epochs"]', '4');
    await person.dropFiles('drop-zone', await clothes(250));
    await person.until(
      () =>
        document.querySelector('[data-testid="data-summary"]')?.textContent?.includes('250 to learn from') &&
        document.querySelector('[data-testid="reading"]')?.hasAttribute('hidden'),
    );
    await person.page.keyboard.press('Tab');
    await person.click('train');
    await person.untilState('done');
    expect(await person.status()).toMatchObject({ epoch: 4, step: 8 });
  });

  it('says what is wrong with a file, and keeps what was there', async () => {
    const before = await person.bars();
    const data = await person.page.$eval('#data', (panel) => panel.textContent);
    for (const file of ['idx-4-billion', 'idx-error-page', 'idx-empty', 'st-data-cut']) {
      const testid = file.startsWith('st-') ? 'load-checkpoint' : 'open-files';
      const name = file.startsWith('st-') ? `${file}.safetensors` : file;
      const bytes = await readFile(HOSTILE + file);
      if (testid === 'open-files') await person.dropFiles('drop-zone', await withPartner(name, bytes));
      else await person.dropFiles('drop-zone', [{ name, bytes }]);
      const sentence = await person.untilError();
      expect(sentence, file).toContain(name);
      expect(sentence.length, sentence).toBeGreaterThan(name.length + 10);
      await person.page.locator('[aria-label="Dismiss"]').click();
      await person.until(() => document.querySelector('[data-testid="error"]')?.textContent === '');
    }
    expect(await person.bars()).toEqual(before);
    expect(await person.page.$eval('#data', (panel) => panel.textContent)).toBe(data);
    expect((await person.status()).state).toBe('done');
    await person.click('train');
    await person.until(
      () => Number(document.querySelector('[data-testid="status"]')?.getAttribute('data-epoch')) === 8,
    );
  });

  it('does not show the network pictures of a size that it cannot read', async () => {
    const [count, rows, columns] = [30, 20, 16];
    const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, rows, 0, 0, 0, columns]);
    const images = Buffer.concat([header, Buffer.alloc(count * rows * columns, 99)]);
    const labels = Buffer.from([
      0,
      0,
      8,
      1,
      0,
      0,
      0,
      count,
      ...Array.from({ length: count }, (_, i) => i % 3),
    ]);
    await person.dropFiles('drop-zone', [
      { name: 'small-images', bytes: images },
      { name: 'small-labels', bytes: labels },
    ]);
    await person.until(() =>
      document.querySelector('#data')?.textContent?.includes('20 × 16 pixels, 3 classes'),
    );
    await person.click('test-picture');
    expect(await person.untilError()).toMatch(/these are 20 × 16 × 1, the network reads 28 × 28 × 1/);
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    expect(await person.bars()).toHaveLength(3);
    await person.click('test-picture');
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() !== '–',
    );
    expect(await person.text('error')).toBe('');
  });

  it('goes back to MNIST', async () => {
    await person.page.locator('::-p-text(Back to MNIST)').click();
    await person.until(() =>
      document.querySelector('#data')?.textContent?.includes('MNIST handwritten digits'),
    );
    await person.click('reset');
    await person.click('train');
    await person.untilState('done');
    expect((await person.status()).testAccuracy).toBeGreaterThan(0.9);
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});

/** As many pictures of clothes, packed, and their labels. @param {number} count */
async function clothes(count) {
  const images = await readFile(`${FASHION}t10k-images-idx3-ubyte`);
  const labels = await readFile(`${FASHION}t10k-labels-idx1-ubyte`);
  return [
    { name: 'some-images.gz', bytes: gzipSync(cut(images, 16, 784, count)) },
    { name: 'some-labels', bytes: cut(labels, 8, 1, count) },
  ];
}

/**
 * The first samples of an IDX file.
 * @param {Buffer} file
 * @param {number} header
 * @param {number} size of one sample
 * @param {number} count
 */
function cut(file, header, size, count) {
  const part = Buffer.from(file.subarray(0, header + count * size));
  part.writeUInt32BE(count, 4);
  return part;
}

/** A broken file of images beside labels that are as they should be. @param {string} name @param {Buffer} bytes */
async function withPartner(name, bytes) {
  return [
    { name, bytes },
    { name: 'labels', bytes: await readFile(`${FASHION}t10k-labels-idx1-ubyte`) },
  ];
}
