import { html, nothing } from 'lit';
import { MAX_CLASSES } from '../app/data-overview.js';
import { count } from '../app/format.js';
import { DarkMode } from './dark-mode.js';
import { ask } from './data-ask.js';
import { LateElement } from './late-element.js';
import { inkColour } from './pixels.js';
import { unlessTyping } from './unless-typing.js';

// In CSS pixels. A row is as high as a finger needs; where it is narrow, the bar lies below the name.
const CELL = 44;
const GAP = 4;
const NARROW = 440;
const NARROW_ROW = 72;

/** Samples in one line. */
const MOST_COLUMNS = 10;

/** Part of the width that pictures may take; the rest is for names and bars. */
const PICTURES_SHARE = 0.58;

/** Lines of samples of one class. */
const MOST_LINES = 3;

/**
 * Every class: its name, which can be changed, samples of it, and how many there are. All pictures are on one canvas
 * beside the rows. Asks to `rename` with all names.
 */
export class DataClasses extends LateElement {
  static properties = {
    classes: { attribute: false },
    train: { attribute: false },
    test: { attribute: false },
    atlas: { attribute: false },
    fixed: { type: Boolean },
    width: { state: true },
  };

  constructor() {
    super();
    /** @type {string[]} */
    this.classes = [];
    /** Samples of each class to learn from; none: not counted yet. @type {number[]} */
    this.train = [];
    /** And to test with; empty where there are none. @type {number[]} */
    this.test = [];
    /** @type {import('../app/data-overview.js').Atlas | null} */
    this.atlas = null;
    /** The names stay as they are. */
    this.fixed = false;
    this.width = 600;
    new DarkMode(this, () => this.paint());
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      this.width = Math.floor(contentRect.width);
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.sizes.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  render() {
    const { classes, train, test, atlas } = this;
    const shown = Math.min(MAX_CLASSES, classes.length);
    const most = Math.max(1, ...train.slice(0, shown).map((samples, i) => samples + (test[i] ?? 0)));
    const { columns, cell, row, narrow } = this.layout;
    const pictures = atlas ? `${columns * cell}px` : '0px';
    const rows = classes.slice(0, shown);
    return html`
      <div class="scroll tall classes-scroll" tabindex="0" role="region" aria-label="Classes">
        <div
          class="classes ${narrow ? 'narrow' : ''}"
          .style=${`--row: ${row}px; --pictures: ${pictures}; --rows: ${shown}`}
        >
          <ul data-testid="data-classes">${rows.map((name, i) => this.renderClass(name, i, most))}</ul>
          ${atlas ? html`<canvas role="img" data-testid="data-samples" aria-label="Samples of each class"></canvas>` : nothing}
        </div>
      </div>
      <p class="aside legend" ?hidden=${train.length === 0}>
        <span class="key"></span>to learn from${test.length > 0 ? html`<span class="key test"></span>to test with` : ''}${
          classes.length > shown ? ` The first ${shown} of ${count(classes.length)} classes.` : ''
        }
      </p>
    `;
  }

  /**
   * @param {string} name
   * @param {number} i
   * @param {number} most
   */
  renderClass(name, i, most) {
    const [train, test] = [this.train[i] ?? 0, this.test[i] ?? 0];
    return html`
      <li>
        ${
          this.fixed
            ? html`<span class="class-name">${name}</span>`
            : html`<input
                class="class-name"
                aria-label="Name of class ${i + 1}"
                .value=${unlessTyping(name)}
                @change=${(/** @type {Event} */ event) => this.rename(i, event)}
              />`
        }
        <span class="class-count" ?hidden=${this.train.length === 0}>
          <span class="stack" aria-hidden="true">
            <span class="train" .style=${`--share: ${train / most}`}></span>
            <span class="test" .style=${`--share: ${test / most}; --from: ${train / most}`}></span>
          </span>
          <span class="aside number">
            ${count(train)}<span class="visually-hidden"> to learn from</span>${
              test > 0 ? html` + ${count(test)}<span class="visually-hidden"> to test with</span>` : ''
            }
          </span>
        </span>
      </li>
    `;
  }

  /**
   * @param {number} i
   * @param {Event} event
   */
  rename(i, event) {
    const field = /** @type {HTMLInputElement} */ (event.target);
    const name = field.value.trim();
    if (name) ask(this, 'rename', this.classes.with(i, name));
    else field.value = this.classes[i];
  }

  /** As many samples in a line as there is room for, and as many lines as that takes. */
  get layout() {
    const most = Math.max(1, ...(this.atlas?.counts ?? []));
    if (this.width < NARROW) {
      const columns = Math.min(4, Math.ceil(most / 2));
      const lines = Math.min(2, Math.ceil(most / columns));
      return { columns, lines, cell: NARROW_ROW / 2, row: NARROW_ROW, narrow: true };
    }
    const room = Math.floor((this.width * PICTURES_SHARE) / CELL);
    const columns = Math.min(MOST_COLUMNS, room, most);
    const lines = Math.min(MOST_LINES, Math.ceil(most / columns));
    return { columns, lines, cell: CELL, row: lines * CELL, narrow: false };
  }

  /** In a task of its own, like the rows: to ask for the colour of ink, the browser lays these out first. */
  updated() {
    setTimeout(() => this.paint());
  }

  paint() {
    const canvas = this.querySelector('canvas');
    const { atlas } = this;
    if (!canvas || !atlas) return;
    const { columns, lines, ...layout } = this.layout;
    const scale = Math.min(2, devicePixelRatio);
    const [cell, high, gap] = [layout.cell * scale, layout.row * scale, GAP * scale];
    canvas.width = columns * cell;
    canvas.height = atlas.counts.length * high;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.imageSmoothingQuality = 'high';
    const picture = pictureOf(atlas, canvas);
    let first = 0;
    for (const [row, samples] of atlas.counts.entries()) {
      for (let i = 0; i < Math.min(samples, columns * lines); i++) {
        const at = first + i;
        context.drawImage(
          picture,
          (at % atlas.columns) * atlas.size,
          Math.floor(at / atlas.columns) * atlas.size,
          atlas.size,
          atlas.size,
          (i % columns) * cell,
          row * high + Math.floor(i / columns) * cell + gap / 2,
          cell - gap,
          cell - gap,
        );
      }
      first += samples;
    }
  }
}

/**
 * The samples as something to draw from; light strokes on dark ground as ink in the colour of the text, so that they
 * look written in light and in dark.
 * @param {import('../app/data-overview.js').Atlas} atlas
 * @param {HTMLCanvasElement} canvas
 */
function pictureOf({ pixels, width, height, isInk }, canvas) {
  const picture = new OffscreenCanvas(width, height);
  const image = new ImageData(new Uint8ClampedArray(pixels), width, height);
  if (isInk) {
    const [red, green, blue] = inkColour(canvas);
    const ink = red | (green << 8) | (blue << 16);
    const words = new Uint32Array(image.data.buffer);
    for (let at = 0; at < words.length; at++) words[at] = ink | (words[at] << 24); // what was grey is how opaque it is
  }
  picture.getContext('2d')?.putImageData(image, 0, 0);
  return picture;
}

customElements.define('tg-data-classes', DataClasses);
