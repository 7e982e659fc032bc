// What a person does on the page and what they see there, in the words of the user stories.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch } from './browsers.js';

/** Strokes of digits on a pad whose sides are 1. */
export const DIGITS = {
  0: [
    [
      [0.5, 0.2],
      [0.34, 0.3],
      [0.3, 0.5],
      [0.36, 0.7],
      [0.5, 0.8],
      [0.64, 0.7],
      [0.7, 0.5],
      [0.66, 0.3],
      [0.5, 0.2],
    ],
  ],
  1: [
    [
      [0.52, 0.18],
      [0.5, 0.5],
      [0.49, 0.82],
    ],
  ],
  3: [
    [
      [0.34, 0.26],
      [0.5, 0.18],
      [0.64, 0.28],
      [0.6, 0.42],
      [0.46, 0.48],
      [0.62, 0.55],
      [0.66, 0.7],
      [0.5, 0.82],
      [0.33, 0.74],
    ],
  ],
  7: [
    [
      [0.28, 0.25],
      [0.7, 0.24],
      [0.58, 0.5],
      [0.46, 0.82],
    ],
  ],
};

export class Person {
  #browser;
  #downloads;

  /**
   * @param {import('puppeteer-core').Browser} browser
   * @param {import('puppeteer-core').Page} page
   * @param {string} downloads
   */
  constructor(browser, page, downloads) {
    this.#browser = browser;
    this.#downloads = downloads;
    this.page = page;
    /** @type {string[]} what the page complained of */
    this.complaints = [];
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  /** @param {import('./browsers.js').BrowserName} browserName */
  static async arrive(browserName) {
    const downloads = await mkdtemp(join(tmpdir(), 'tabgrad-e2e-'));
    const browser = await launch(browserName, downloads);
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    return new Person(browser, page, downloads);
  }

  async leave() {
    await this.#browser.close();
    await rm(this.#downloads, { recursive: true, force: true });
  }

  /** Opens the page and waits until a network is there to read. @param {string} url */
  async open(url) {
    await this.page.goto(url);
    await this.until(() => document.querySelector('[data-testid="save-checkpoint"]:not(:disabled)'));
  }

  /**
   * @template {unknown[]} A
   * @param {(...args: A) => unknown} condition carried out in the page
   * @param {A} args
   */
  async until(condition, ...args) {
    await this.page.waitForFunction(condition, { timeout: 60_000, polling: 50 }, ...args);
  }

  /** @param {string} testid */
  async click(testid) {
    await this.page.locator(`[data-testid="${testid}"]`).click();
  }

  /** @param {string} testid */
  text(testid) {
    return this.page.$eval(`[data-testid="${testid}"]`, (element) => element.textContent?.trim() ?? '');
  }

  /** The status as the hooks tell it: state, epoch, step, loss, testAccuracy. */
  async status() {
    const data = await this.page.$eval('[data-testid="status"]', (element) => ({
      .../** @type {any} */ (element).dataset,
    }));
    const number = (/** @type {string | undefined} */ text) => (text === undefined ? null : Number(text));
    return {
      state: data.state,
      epoch: number(data.epoch),
      step: number(data.step),
      loss: number(data.loss),
      testAccuracy: number(data.testAccuracy),
      samplesPerSecond: number(data.samplesPerSecond),
    };
  }

  /** The status when the page has had time to change it. */
  async settledStatus() {
    await sleep(400);
    return this.status();
  }

  /**
   * Notes every state from now on.
   * @returns {Promise<() => Promise<string[]>>} gives what was noted
   */
  async recordStates() {
    await this.page.$eval('[data-testid="status"]', (element) => {
      const states = /** @type {string[]} */ ([]);
      Object.assign(globalThis, { states });
      new MutationObserver(() => {
        const { state } = /** @type {HTMLElement} */ (element).dataset;
        if (state && states.at(-1) !== state) states.push(state);
      }).observe(element, { attributes: true });
    });
    return () => this.page.evaluate(() => /** @type {any} */ (globalThis).states);
  }

  /** Numbers in the last column of a chart's table, once it is up to date. @param {string} testid */
  async tableNumbers(testid) {
    await sleep(1100);
    return this.page.$$eval(`[data-testid="${testid}"] td:last-child`, (cells) =>
      cells.map((cell) => Number.parseFloat(String(cell.textContent))),
    );
  }

  /** @param {string} state */
  async untilState(state) {
    await this.until(
      (wanted) => document.querySelector('[data-testid="status"]')?.getAttribute('data-state') === wanted,
      state,
    );
  }

  /** @param {number} step */
  async untilStep(step) {
    await this.until(
      (wanted) =>
        Number(document.querySelector('[data-testid="status"]')?.getAttribute('data-step')) >= wanted,
      step,
    );
  }

  /** @param {string} recipe */
  async chooseRecipe(recipe) {
    await this.page.waitForSelector(`[data-testid="recipe-select"] option[value="${recipe}"]`); // some come a moment later
    await this.page.select('[data-testid="recipe-select"]', recipe);
  }

  /**
   * Types a number into a field and leaves it.
   * @param {string} testid
   * @param {number} value
   */
  async fill(testid, value) {
    await this.typeOver(`[data-testid="${testid}"]`, String(value));
    await this.page.keyboard.press('Tab');
  }

  /**
   * Types in the place of what a field holds. Three clicks would mark it too, but on a busy machine they are too slow.
   * @param {string} selector
   * @param {string} text
   */
  async typeOver(selector, text) {
    await this.page.click(selector);
    await this.page.$eval(selector, (field) => /** @type {HTMLInputElement} */ (field).select());
    await this.page.keyboard.type(text);
  }

  /**
   * Draws strokes with the mouse, with no haste; resolves when the drawing was answered.
   * @param {number[][][]} strokes
   */
  async draw(strokes) {
    const pad = await this.page.$('[data-testid="draw-pad"]');
    await pad?.scrollIntoView();
    const box = await pad?.boundingBox();
    if (!box) throw new Error('the pad is not on the page');
    const { mouse } = this.page;
    const before = await this.answers();
    for (const [start, ...rest] of strokes) {
      await mouse.move(box.x + start[0] * box.width, box.y + start[1] * box.height);
      await mouse.down();
      for (const [x, y] of rest)
        await mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 4 });
      await mouse.up();
    }
    await this.until(
      (count) =>
        Number(document.querySelector('[data-testid="prediction-bars"]')?.getAttribute('data-answer')) >
        count,
      before,
    );
    await sleep(100); // the pen is up: its last answer too
  }

  /** How often the pad was read. */
  answers() {
    return this.page.$eval('[data-testid="prediction-bars"]', (bars) =>
      Number(bars.getAttribute('data-answer')),
    );
  }

  /** @returns {Promise<{ name: string, probability: number }[]>} */
  bars() {
    return this.page.$eval('[data-testid="prediction-bars"]', (bars) =>
      Array.from(bars.children, (bar) => ({
        name: String(bar.getAttribute('data-class')),
        probability: Number(bar.getAttribute('data-probability')),
      })),
    );
  }

  /**
   * How long the bars take after the pen was lifted, in milliseconds: pen events of the page itself, so that the
   * driver's own time does not count.
   * @param {number} strokes
   * @returns {Promise<number[]>}
   */
  penUpLatencies(strokes) {
    return this.page.evaluate(async (count) => {
      const pad = /** @type {Element} */ (document.querySelector('[data-testid="draw-pad"]'));
      const bars = /** @type {Element} */ (document.querySelector('[data-testid="prediction-bars"]'));
      const box = pad.getBoundingClientRect();
      const pen = (/** @type {string} */ type, /** @type {number} */ x, /** @type {number} */ y) =>
        pad.dispatchEvent(
          new PointerEvent(type, {
            pointerId: 7,
            pointerType: 'pen',
            pressure: 0.5,
            bubbles: true,
            cancelable: true,
            clientX: box.left + x * box.width,
            clientY: box.top + y * box.height,
          }),
        );
      const frame = () => new Promise((resolve) => setTimeout(resolve, 16));
      const waits = [];
      for (let i = 0; i < count; i++) {
        pen('pointerdown', 0.3, 0.3);
        for (let t = 0; t <= 6; t++) {
          pen('pointermove', 0.3 + 0.06 * t, 0.3 + 0.01 * ((t * i) % 7));
          await frame();
        }
        await frame();
        await frame();
        const before = Number(bars.getAttribute('data-answer'));
        const lifted = performance.now();
        pen('pointerup', 0.66, 0.4);
        await new Promise((resolve, reject) => {
          const lost = setTimeout(() => {
            const { empty, pointer, frame } = /** @type {any} */ (document.querySelector('tg-draw-pad'));
            const now = bars.getAttribute('data-answer');
            const what = JSON.stringify({ before, now, empty, pointer, frame });
            reject(new Error(`stroke ${i} was not answered within 10 s: ${what}`));
          }, 10_000);
          const observer = new MutationObserver(() => {
            if (Number(bars.getAttribute('data-answer')) <= before) return;
            clearTimeout(lost);
            observer.disconnect();
            resolve(null);
          });
          observer.observe(bars, { attributes: true });
        });
        waits.push(performance.now() - lifted);
        document.querySelector('[data-testid="draw-clear"]')?.dispatchEvent(new MouseEvent('click'));
      }
      return waits;
    }, strokes);
  }

  /**
   * @param {string} testid
   * @param {string[]} paths
   */
  async chooseFiles(testid, paths) {
    const input = await this.page.$(`[data-testid="${testid}"]`);
    await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(
      ...paths,
    );
  }

  /**
   * Drops files on an element, as a file manager would.
   * @param {string} testid
   * @param {{ name: string, bytes: Uint8Array }[]} files
   */
  async dropFiles(testid, files) {
    const packed = files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('base64')]);
    await this.page.$eval(
      `[data-testid="${testid}"]`,
      (element, packed) => {
        const transfer = new DataTransfer();
        for (const [name, base64] of packed) {
          transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
        }
        for (const type of ['dragenter', 'dragover', 'drop']) {
          element.dispatchEvent(
            new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }),
          );
        }
      },
      packed,
    );
  }

  /** Waits for the alert and gives its sentence. */
  async untilError() {
    await this.until(() => document.querySelector('[data-testid="error"]')?.textContent?.trim());
    return this.text('error');
  }

  /**
   * The next file that the page saves.
   * @param {() => Promise<void>} action that saves it
   * @returns {Promise<{ path: string, bytes: Buffer }>}
   */
  async saved(action) {
    const before = await readdir(this.#downloads);
    await action();
    for (let tries = 0; tries < 100; tries++) {
      const fresh = (await readdir(this.#downloads)).filter((name) => !before.includes(name));
      const done = fresh.find((name) => name.endsWith('.safetensors'));
      if (done && fresh.length === 1) {
        const path = join(this.#downloads, done);
        const bytes = await readFile(path).catch(() => null); // Firefox gives it its name at the end
        if (bytes && bytes.length > 0) return { path, bytes };
      }
      await sleep(100);
    }
    throw new Error(`nothing was saved to ${this.#downloads}`);
  }
}
