// The first ten seconds: somebody draws, and the network that is there from the start reads it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS } from '../support/browsers.js';
import { DIGITS, Person } from '../support/person.js';

/** Times are measured again where other programs of the machine may have disturbed them. */
const QUIET = { retry: 2 };

describe.each(BROWSERS)('drawing in %s', (browser) => {
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

  it('starts with an empty pad that claims nothing', async () => {
    expect(await person.text('prediction')).toBe('–');
    const bars = await person.bars();
    expect(bars.map(({ name }) => name)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(bars.every(({ probability }) => probability === 0)).toBe(true);
  });

  it.each(Object.entries(DIGITS))('reads a drawn %s', async (digit, strokes) => {
    await person.click('draw-clear');
    await person.draw(strokes);
    expect(await person.text('prediction')).toBe(digit);
    const bars = await person.bars();
    const sum = bars.reduce((total, { probability }) => total + probability, 0);
    expect(sum).toBeCloseTo(1, 4);
    expect(bars[Number(digit)].probability).toBeGreaterThan(0.5);
    expect(await person.text('latency')).toMatch(/^\d+(\.\d)? ms$/);
  });

  it('takes a tap for a dot', async () => {
    await person.click('draw-clear');
    await person.draw([[[0.5, 0.5]]]);
    expect(await person.text('prediction')).toMatch(/^\d$/);
    await person.click('draw-clear');
  });

  it('lets the pad be cleared while the pen is down', async () => {
    const pad = await person.page.$('[data-testid="draw-pad"]');
    const { x, y, width } = await pad.boundingBox();
    await person.page.mouse.move(x + width / 4, y + width / 4);
    await person.page.mouse.down();
    await person.page.mouse.move(x + width / 2, y + width / 2, { steps: 3 });
    await person.page.$eval('[data-testid="draw-clear"]', (button) => button.click());
    await person.page.mouse.move(x + width / 2, y + width / 4, { steps: 3 });
    await person.page.mouse.up();
    expect(person.complaints).toEqual([]);
    await person.click('draw-clear');
  });

  it('forgets a stroke on Undo and everything on Clear', async () => {
    await person.click('draw-clear');
    await person.draw(DIGITS[1]);
    await person.draw([
      [
        [0.2, 0.5],
        [0.8, 0.5],
      ],
    ]);
    await person.page.locator('tg-draw-pad ::-p-text(Undo)').click();
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === '1',
    );
    await person.click('draw-clear');
    await person.until(
      () => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === '–',
    );
  });

  it('reads test pictures that the keyboard puts on the pad', async () => {
    const { page } = person;
    await page.focus('[data-testid="test-picture"]');
    await page.keyboard.press('Enter');
    let right = 0;
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press('ArrowRight');
      const label = await untilRead(page, i);
      if ((await person.text('prediction')) === label) right++;
    }
    expect(right).toBeGreaterThanOrEqual(9);
  });

  /** Waits for another test picture to be read, and gives its label. */
  let lastNote = '';
  async function untilRead(page) {
    await person.until((before) => {
      const note = document.querySelector('tg-sample-picker .number')?.textContent ?? '';
      return note.includes('labelled') && note !== before;
    }, lastNote);
    lastNote = await page.$eval('tg-sample-picker .number', (note) => note.textContent);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return lastNote.trim().slice(-1);
  }

  it('keeps the ink of a pen on a test picture, whatever the page shows meanwhile', async () => {
    const keeps = await person.page.evaluate(async () => {
      const pad = /** @type {any} */ (document.querySelector('tg-draw-pad'));
      const app = /** @type {any} */ (document.querySelector('tabgrad-app'));
      const shown = Boolean(pad.picture);
      const box = pad.canvas.getBoundingClientRect();
      const at = { pointerId: 7, bubbles: true, clientX: box.left + 90, clientY: box.top + 90 };
      pad.canvas.dispatchEvent(new PointerEvent('pointerdown', at));
      app.requestUpdate(); // as every report of a training does
      await app.updateComplete;
      await pad.updateComplete;
      pad.canvas.dispatchEvent(new PointerEvent('pointerup', at));
      return [shown, !pad.ink.isEmpty, pad.picture === null];
    });
    expect(keeps).toEqual([true, true, true]);
    await person.click('draw-clear');
  });

  it('answers the lifted pen within 20 ms (median)', QUIET, async () => {
    const waits = await person.penUpLatencies(30);
    expect(median(waits)).toBeLessThanOrEqual(20);
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
