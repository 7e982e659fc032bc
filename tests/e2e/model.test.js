// A person changes the network, by card and by text, is told what cannot be, and trains what they made.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS } from '../support/browsers.js';
import { DIGITS, Person } from '../support/person.js';

describe.each(BROWSERS)('the Model panel in %s', (browser) => {
  let site;
  let person;

  beforeAll(async () => {
    site = await serve();
    person = await Person.arrive(browser);
    await person.open(site.url);
    await person.chooseRecipe('mnist-linear');
    await untilSummary('7,850');
  });

  afterAll(async () => {
    await person?.leave();
    await site?.close();
  });

  const untilSummary = (/** @type {string} */ text) =>
    person.until(
      (wanted) => document.querySelector('[data-testid="model-summary"]')?.textContent?.includes(wanted),
      text,
    );

  const layersOfJson = async () => (await recipe()).model.layers;
  const json = () => person.page.$eval('[data-testid="recipe-json"]', (area) => area.value);
  const recipe = async () => JSON.parse(await json());

  const cards = () =>
    person.page.$$eval('[data-layer] b', (names) => names.map((name) => name.textContent?.trim()));

  /** Opens a card, or closes it. @param {number} index */
  const choose = (index) => person.page.click(`[data-layer="${index}"] [data-part=head]`);

  /** @param {number} index @param {string} key @param {string} value */
  async function setField(index, key, value) {
    await person.typeOver(`[data-layer="${index}"] [data-attribute=${key}]`, value);
    await person.page.keyboard.press('Enter');
  }

  it('builds a hidden layer from cards, and the JSON says the same', async () => {
    await choose(0);
    await person.page.select('[data-testid="new-layer"]', 'dense');
    await person.click('add-layer');
    await untilSummary('dense2');
    await setField(1, 'units', '20');
    await untilSummary('15,700');
    await person.page.select('[data-testid="new-layer"]', 'relu');
    await person.click('add-layer');
    await untilSummary('relu1');
    expect(await cards()).toEqual(['flatten1', 'dense1', 'relu1', 'dense2']);
    expect(await layersOfJson()).toEqual([
      { type: 'flatten' },
      { type: 'dense', units: 20 },
      { type: 'relu' },
      { type: 'dense', units: 10 },
    ]);
    await untilSummary('15,910');
  });

  it('moves and removes layers with the keyboard, which stays where it was', async () => {
    const focused = () =>
      person.page.evaluate(() => document.activeElement?.closest('[data-layer]')?.getAttribute('data-layer'));
    const { keyboard } = person.page;
    await person.page.focus('[data-layer="2"] [data-part=head]');
    await keyboard.down('Alt');
    await keyboard.press('ArrowUp');
    await keyboard.up('Alt');
    await person.until(() => document.querySelector('[data-layer="1"] b')?.textContent === 'relu1');
    expect(await focused()).toBe('1');
    await keyboard.press('Delete');
    await person.until(() => document.querySelectorAll('[data-layer]').length === 3);
    expect(await cards()).toEqual(['flatten1', 'dense1', 'dense2']);
    expect(await focused()).toBe('1');
    await person.click('undo-edit');
    await person.click('undo-edit');
    await person.until(() => document.querySelector('[data-layer="2"] b')?.textContent === 'relu1');
  });

  it('says at the card what is wrong with it, and keeps what was typed', async () => {
    await choose(1);
    await setField(1, 'units', '0');
    await person.until(() => document.querySelector('[data-testid="layer-problem"]'));
    expect(await person.text('layer-problem')).toMatch(/^model\.layers\[1\] dense: units .*0/);
    expect(
      await person.page.$eval('[data-testid="layer-problem"]', (sentence) =>
        sentence.closest('[data-layer]')?.getAttribute('data-layer'),
      ),
    ).toBe('1');
    expect((await layersOfJson())[1].units).toBe(0);
    await setField(1, 'units', '24');
    await person.until(() => !document.querySelector('[data-testid="layer-problem"]'));
    await untilSummary('19,090');
  });

  it('follows the text as it is typed, and says where it is no JSON', async () => {
    const type = async (/** @type {string} */ text) => {
      await person.page.$eval(
        '[data-testid="recipe-json"]',
        (area, text) => {
          area.value = text;
          area.dispatchEvent(new Event('input'));
        },
        text,
      );
    };
    const text = await json();
    await type(text.replace('"units": 24', '"units": 24,,'));
    await person.until(() => document.querySelector('[data-testid="recipe-problem"]')?.textContent);
    expect(await person.text('recipe-problem')).toMatch(/^recipe: this is no JSON yet: .+/);
    expect(await json()).toContain('"units": 24,,');
    await type(text.replace('"units": 24', '"units": 32').replace('"epochs": 10', '"epochs": 1'));
    await untilSummary('25,450');
    expect(await person.text('recipe-problem')).toBe('');
    expect(await person.page.$eval('[data-testid="add-layer"]', (button) => button.disabled)).toBe(false);
    const whole = await json();
    await type(JSON.stringify({ ...JSON.parse(whole), model: { input: [28, 28, 1] } })); // there is no list to add to
    await person.until(() => document.querySelector('[data-testid="add-layer"]')?.disabled);
    await type(whole);
    await untilSummary('25,450');
    expect(await person.page.$eval('[data-testid="epochs"]', (field) => field.value)).toBe('1');
    await person.fill('seed', 5);
    expect(await recipe()).toMatchObject({ seed: 5, epochs: 1 });
  });

  it('trains what was made, better than the recipe it came from, and then knows what an epoch takes', async () => {
    await person.click('train');
    await person.untilState('done');
    expect((await person.status()).testAccuracy).toBeGreaterThan(0.92);
    // How many pictures an epoch has is looked up once the training leaves time for it.
    await person.until(() =>
      /An epoch\s*about \d+:\d\d/.test(
        document.querySelector('[data-testid="model-summary"]')?.textContent ?? '',
      ),
    );
    const saved = await person.saved(() => person.click('save-checkpoint'));
    const header = saved.bytes.subarray(8, 8 + Number(saved.bytes.readBigUInt64LE(0))).toString();
    expect(JSON.parse(JSON.parse(header).__metadata__.recipe)).toMatchObject({
      seed: 5,
      model: { layers: [{ type: 'flatten' }, { units: 32 }, { type: 'relu' }, { units: 10 }] },
    });
  });

  it('goes back to the recipe as it was, and to the changes again; other recipes keep theirs', async () => {
    await person.click('restore-recipe');
    await untilSummary('7,850');
    await person.click('undo-edit');
    await untilSummary('25,450');
    await person.chooseRecipe('mnist-mlp');
    await untilSummary('203,530');
    await person.chooseRecipe('mnist-linear');
    await untilSummary('25,450');
  });

  it('takes what was typed out of a field where it does not count any more', async () => {
    const rate = () => person.page.$eval('[data-testid="learning-rate"]', (field) => field.value);
    await person.chooseRecipe('mnist-cnn');
    const before = await rate();
    await person.fill('learning-rate', 0.5);
    await person.chooseRecipe('mnist-mlp'); // which has the same
    await untilSummary('203,530');
    expect(await rate()).toBe(before);
    if (!(await person.page.$('[data-layer="1"] [data-attribute=units]'))) await choose(1);
    const units = () => person.page.$eval('[data-layer="1"] [data-attribute=units]', (field) => field.value);
    await setField(1, 'units', '99');
    await person.until(() => document.querySelector('[data-testid="recipe-json"]')?.value.includes('99'));
    await person.click('undo-edit');
    await untilSummary('203,530');
    expect(await units()).toBe('256');
    await person.chooseRecipe('mnist-linear');
    await untilSummary('25,450');
  });

  it('lets an autoencoder repeat what is drawn, and says how well it repeats', async () => {
    await person.draw(DIGITS[7]);
    await person.chooseRecipe('letters-autoencoder-notmnist');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    const [, psnr] = (await person.text('status')).match(/PSNR of ([\d.]+) dB/);
    expect(Number(psnr)).toBeGreaterThan(8);
    await person.until(() => {
      const canvas = document.querySelector('[data-testid="repeated"] canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return canvas.width === 32 && data.some((value, i) => i % 4 === 3 && value > 30);
    });
    expect(await person.page.$$('[data-testid="prediction-bars"] li')).toHaveLength(0);
    await person.click('reset');
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === '7',
    );
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});
