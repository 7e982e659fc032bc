import { html } from 'lit';
import { count } from '../app/format.js';
import { DarkMode } from './dark-mode.js';
import { LightElement } from './light-element.js';

/** Steps of the arrow keys: down, then to the right. @type {Record<string, [down: number, right: number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * A confusion matrix of many classes: one pixel for each cell, made as large as there is room. The cell that is pointed
 * at, or that the arrow keys have gone to, is told in words.
 */
export class ConfusionMap extends LightElement {
  static properties = {
    confusion: { attribute: false },
    most: { type: Number },
    classes: { attribute: false },
    chosen: { state: true },
  };

  constructor() {
    super();
    /** @type {number[][]} */
    this.confusion = [];
    /** The largest count of a wrong cell. */
    this.most = 1;
    /** @type {string[]} */
    this.classes = [];
    /** @type {{ truth: number, read: number } | null} */
    this.chosen = null;
    new DarkMode(this, () => this.paint());
  }

  render() {
    const { chosen, classes } = this;
    return html`
      <div
        class="confusion-map"
        role="application"
        tabindex="0"
        aria-roledescription="heat map"
        aria-label="Confusion matrix of ${classes.length} classes; arrow keys go from cell to cell"
        @pointermove=${this.point}
        @pointerdown=${this.point}
        @keydown=${this.step}
      >
        <canvas></canvas>
        ${
          chosen
            ? html`<span
                class="chosen"
                .style=${`--row: ${chosen.truth}; --column: ${chosen.read}; --classes: ${classes.length}`}
              ></span>`
            : ''
        }
      </div>
      <p class="number" role="status" data-testid="confusion-cell">${this.sentence}</p>
    `;
  }

  get sentence() {
    const { chosen, classes, confusion } = this;
    if (!chosen) return 'Point at a cell to see what it counts.';
    const { truth, read } = chosen;
    const row = confusion[truth];
    const all = row.reduce((sum, cell) => sum + cell, 0);
    const what = truth === read ? 'read right' : `read as ${classes[read]}`;
    return `${classes[truth]} ${what}: ${count(row[read])} of ${count(all)}`;
  }

  /** @param {PointerEvent} event */
  point(event) {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const cell = (/** @type {number} */ at, /** @type {number} */ side) =>
      this.#within(Math.floor((at / side) * this.classes.length));
    const truth = cell(event.clientY - box.top, box.height);
    const read = cell(event.clientX - box.left, box.width);
    if (truth !== this.chosen?.truth || read !== this.chosen.read) this.chosen = { truth, read };
  }

  /** @param {KeyboardEvent} event */
  step(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const { truth, read } = this.chosen ?? { truth: -step[0], read: -step[1] }; // the first key goes to the first cell
    this.chosen = { truth: this.#within(truth + step[0]), read: this.#within(read + step[1]) };
  }

  /** @param {number} index */
  #within(index) {
    return Math.min(this.classes.length - 1, Math.max(0, index));
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('confusion')) this.chosen = null;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (changed.has('confusion')) this.paint();
  }

  /** What was read right in the accent's colour, by its share; what was not in that of danger, by how often. */
  paint() {
    const canvas = /** @type {HTMLCanvasElement} */ (this.querySelector('canvas'));
    const { confusion, most } = this;
    canvas.width = confusion.length;
    canvas.height = confusion.length;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const style = getComputedStyle(canvas);
    const [accent, danger] = ['--accent', '--danger'].map((name) => style.getPropertyValue(name));
    for (const [truth, row] of confusion.entries()) {
      const all = Math.max(
        1,
        row.reduce((sum, cell) => sum + cell, 0),
      );
      for (const [read, cell] of row.entries()) {
        if (cell === 0) continue;
        context.fillStyle = truth === read ? accent : danger;
        context.globalAlpha = truth === read ? cell / all : 0.2 + (0.8 * cell) / most;
        context.fillRect(read, truth, 1, 1);
      }
    }
  }
}

customElements.define('tg-confusion-map', ConfusionMap);
