// One click on Train: real MNIST is learned in the tab, the curve falls, and the same pad is read anew all the while.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../scripts/serve.mjs';
import { BROWSERS } from '../support/browsers.js';
import { DIGITS, Person } from '../support/person.js';
import { besides } from '../support/slowness.js';

/** Times are measured again where other programs of the machine may have disturbed them. */
const QUIET = { retry: 2 };

describe.each(BROWSERS)('training in %s', (browser) => {
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

  it('learns MNIST to more than 90 % in one epoch of the linear network', async () => {
    await person.draw(DIGITS[7]);
    const states = await person.recordStates();
    await person.chooseRecipe('mnist-linear');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    expect(await states()).toEqual(['loading', 'training', 'done']);

    const status = await person.status();
    expect(status).toMatchObject({ epoch: 1, step: 469 });
    expect(status.testAccuracy).toBeGreaterThan(0.9);
    expect(await person.text('status')).toContain(`${(status.testAccuracy * 100).toFixed(1)} %`);
    expect(await person.text('prediction')).toBe('7');
  });

  it('shows the curve in numbers too: the loss fell, the accuracy rose', async () => {
    const losses = await person.tableNumbers('loss-chart');
    expect(losses.length).toBeGreaterThan(5);
    expect(losses.at(-1)).toBeLessThan(losses[0] / 3);
    const accuracies = await person.tableNumbers('accuracy-chart');
    expect(accuracies.at(-1)).toBeGreaterThan(80);
  });

  it('tells what was confused with what, and where it was most wrong', async () => {
    const cells = await person.page.$$eval('[data-testid="confusion-matrix"] td', (cells) =>
      cells.map((cell) => Number(cell.textContent)),
    );
    expect(cells).toHaveLength(100);
    expect(cells.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    const right = cells.filter((_, i) => i % 11 === 0).reduce((sum, count) => sum + count, 0);
    expect(right / 10_000).toBeCloseTo((await person.status()).testAccuracy, 6);
    const mistakes = await person.page.$$eval('[data-testid="mistakes"] li', (items) =>
      items.map((item) =>
        Array.from(item.querySelectorAll('.number'), (part) => part.textContent.replace(/\s+/g, ' ').trim()),
      ),
    );
    expect(mistakes).toHaveLength(24);
    for (const [classes] of mistakes) expect(classes).toMatch(/^(\d) → ?read as (?!\1)\d$/);
  });

  it('tells precision and recall of every class, and which were taken for which', async () => {
    const cells = await person.page.$$eval('[data-testid="confusion-matrix"] td', (cells) =>
      cells.map((cell) => Number(cell.textContent)),
    );
    const scores = await person.page.$$eval('[data-testid="class-scores"] tbody tr', (rows) =>
      rows.map((row) =>
        Array.from(row.querySelectorAll('td'), (cell) => Number.parseFloat(cell.textContent)),
      ),
    );
    expect(scores).toHaveLength(10);
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    const right = cells[44];
    const row = sum(cells.slice(40, 50));
    const column = sum(cells.filter((_, i) => i % 10 === 4));
    expect(scores[4][0]).toBeCloseTo((100 * right) / column, 1);
    expect(scores[4][1]).toBeCloseTo((100 * right) / row, 1);
    const [pair] = await person.page.$$eval('[data-testid="confused-pairs"] li', (items) =>
      items.map((item) => item.textContent.replace(/\s+/g, ' ').trim()),
    );
    const most = Math.max(...cells.filter((_, i) => i % 11 !== 0));
    const [, truth, read, times] = pair.match(/^(\d) read as (\d) (\d+) times$/);
    expect([Number(times), cells[Number(truth) * 10 + Number(read)]]).toEqual([most, most]);
  });

  it('shows the weights as pictures, one a digit, and their ranges', async () => {
    const pictures = await person.page.$$eval('[data-testid="weight-pictures"] canvas', (canvases) =>
      canvases.map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const painted = data.filter((value, i) => i % 4 === 3 && value > 0).length;
        return { label: canvas.getAttribute('aria-label'), size: [canvas.width, canvas.height], painted };
      }),
    );
    expect(pictures.map(({ label }) => label)).toEqual(
      Array.from({ length: 10 }, (_, digit) => `Weights of unit ${digit}`),
    );
    for (const { size, painted } of pictures) {
      expect(size).toEqual([28, 28]);
      expect(painted).toBeGreaterThan(300);
    }
    const ranges = await person.page.$$eval('[data-testid="weight-ranges"] tbody tr', (rows) =>
      rows.map((row) => Array.from(row.children, (cell) => cell.textContent.trim())),
    );
    const [name, shape, min, max] = ranges.find(([name]) => name === 'dense1.weight');
    expect([name, shape]).toEqual(['dense1.weight', '10 × 784']);
    expect(Number(min)).toBeLessThan(0);
    expect(Number(max)).toBeGreaterThan(0.05);
  });

  it('puts a mistake on the pad and makes the same mistake again', async () => {
    const mistake = await person.page.$('[data-testid="mistakes"] button');
    const [, read] = (await mistake.evaluate((button) => button.textContent)).match(/read as\s+(\d)/);
    await mistake.click();
    await person.until(
      (digit) => document.querySelector('[data-testid="prediction"]')?.textContent?.trim() === digit,
      read,
    );
  });

  it('shows nothing of the run before as soon as another one is asked for', async () => {
    await person.chooseRecipe('mnist-cnn');
    await person.click('train');
    const status = await person.status();
    expect(['loading', 'training']).toContain(status.state);
    expect(status.testAccuracy).toBeNull();
    expect(status.step).toBeLessThan(469);
  });

  it('pauses, takes one step at a time, resumes and stops', async () => {
    await person.click('reset');
    await person.untilState('idle');
    expect(await person.status()).toMatchObject({ step: 0, testAccuracy: null });
    await person.chooseRecipe('mnist-mlp');
    await person.fill('epochs', 100);
    await person.click('train');
    await person.untilState('training');
    await person.untilStep(20);
    await person.fill('epochs', 0);
    expect(await person.untilError()).toBe('epochs must be at least 1, not 0');
    await person.fill('epochs', 100);
    await person.until(() =>
      document.querySelector('[data-testid="status"]')?.textContent?.includes('of 100'),
    );
    expect(await person.text('error')).toBe('');
    const answers = await person.answers(); // the drawing is read anew while the network learns
    await person.untilStep((await person.status()).step + 40);
    expect(await person.answers()).toBeGreaterThan(answers);
    await person.click('pause');
    await person.untilState('paused');
    const { step } = await person.settledStatus();
    await person.click('step');
    await person.untilStep(step + 1);
    await person.click('step');
    await person.untilStep(step + 2);
    expect(await person.settledStatus()).toMatchObject({ state: 'paused', step: step + 2 });
    await person.click('pause');
    await person.untilState('training');
    await person.untilStep(step + 20);
    await person.click('stop');
    await person.untilState('stopped');
    const stopped = await person.status();
    expect(stopped.testAccuracy).toBeGreaterThan(0.5);
    expect((await person.settledStatus()).step).toBe(stopped.step);
  });

  it('goes on from where it was stopped, with another learning rate', async () => {
    const { step } = await person.status();
    await person.click('train');
    await person.untilStep(step + 10);
    await person.fill('learning-rate', 0.0001);
    await person.untilStep((await person.status()).step + 10);
    await person.click('stop');
    await person.untilState('stopped');
    const saved = await person.saved(() => person.click('save-checkpoint'));
    const { events } = JSON.parse(metadataOf(saved.bytes).history);
    expect(events).toEqual([{ step: expect.any(Number), learning_rate: expect.closeTo(0.0001) }]);
    expect(events[0].step).toBeGreaterThanOrEqual(step + 10);
  });

  it('answers the lifted pen within 60 ms while it trains (95th percentile)', QUIET, async () => {
    await person.chooseRecipe('mnist-cnn');
    await person.fill('epochs', 100); // as they are, they are over before the pen has been lifted often enough
    await person.click('train');
    await person.untilState('training');
    await person.untilStep(5);
    const { result, slowness } = await besides(() => person.penUpLatencies(40), 0.95);
    const waits = result.toSorted((a, b) => a - b);
    expect((await person.status()).state).toBe('training');
    await person.click('reset');
    expect(waits[Math.floor(waits.length * 0.95)]).toBeLessThanOrEqual(60 * slowness);
  });

  it('lets the network from the start read again after Reset', async () => {
    await person.untilState('idle');
    await person.click('draw-clear');
    await person.draw(DIGITS[3]);
    expect(await person.text('prediction')).toBe('3');
    expect(await person.page.$('[data-testid="confusion-matrix"]')).toBeNull();
  });

  it('stops with the last sound weights when the learning rate lets the numbers overflow', async () => {
    await person.chooseRecipe('mnist-cnn');
    await person.click('train');
    await person.untilState('training');
    await person.untilStep(20);
    await person.fill('learning-rate', 1e6);
    await person.untilState('error');
    expect(await person.untilError()).toMatch(/^step \d+: .*lower learning rate, such as/);
    expect(await person.text('prediction')).toMatch(/^\d$/);
    expect((await person.bars()).every(({ probability }) => Number.isFinite(probability))).toBe(true);
  });

  it('says in one sentence that a learning rate is absurd, and trains again afterwards', async () => {
    await person.chooseRecipe('mnist-linear');
    await person.fill('learning-rate', 1e30);
    await person.click('train');
    await person.untilState('error');
    expect(await person.untilError()).toMatch(/learning.rate/i);
    await person.chooseRecipe('mnist-mlp');
    await person.chooseRecipe('mnist-linear');
    await person.fill('epochs', 1);
    await person.click('train');
    await person.untilState('done');
    expect(await person.text('error')).toBe('');
    expect((await person.status()).testAccuracy).toBeGreaterThan(0.9);
  });

  // Only over Chromium's own protocol can a test reach into a worker.
  it.runIf(browser === 'chromium')('starts the engine again when it dies, and says so', async () => {
    await person.chooseRecipe('mnist-mlp');
    await person.click('train');
    await person.untilState('training');
    await person.untilStep(20);
    const worker = person.page.workers().find((worker) => worker.url().endsWith('tabgrad.worker.js'));
    await worker.evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory');
      });
    });
    expect(await person.untilError()).toMatch(/out of memory.*restarted/);
    await person.untilState('error');
    await person.click('train');
    await person.untilState('training');
    await person.untilStep(30);
    expect(await person.text('error')).toBe('');
    await person.click('reset');
    await person.click('draw-clear');
    await person.draw(DIGITS[7]);
    expect(await person.text('prediction')).toBe('7');
  });

  it('made nobody complain', () => {
    expect(person.complaints).toEqual([]);
  });
});

/** The metadata of a .safetensors file. @param {Buffer} bytes */
function metadataOf(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  return JSON.parse(bytes.subarray(8, 8 + length).toString()).__metadata__;
}
