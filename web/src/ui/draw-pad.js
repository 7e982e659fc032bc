import { html } from 'lit';
import { inkToImage } from '../app/ink-image.js';
import { DarkMode } from './dark-mode.js';
import { INK_SIZE, Ink } from './ink.js';
import { LightElement } from './light-element.js';
import { paintPixels } from './pixels.js';

/** Brush widths as a share of the pad's side; with the middle one a digit comes out as thick as MNIST's. */
const BRUSHES = [
  { name: 'fine', width: 0.055 },
  { name: 'medium', width: 0.085 },
  { name: 'broad', width: 0.12 },
];

/**
 * A pad to draw on with pen, finger or mouse. Fires `ink` for everything that changes the drawing, with
 * `{ image, since }`: what a network would see (null: nothing) and when the hand made it.
 */
export class DrawPad extends LightElement {
  static properties = {
    shape: { attribute: false },
    picture: { attribute: false },
    hint: {},
    brush: { state: true },
    empty: { state: true },
  };

  constructor() {
    super();
    /** @type {number[]} of the pictures that the network reads */
    this.shape = [28, 28, 1];
    /** @type {import('../app/state.js').Picture | null} shown instead of ink until someone draws */
    this.picture = null;
    /** Shown while the pad is empty. */
    this.hint = '';
    this.brush = 1;
    this.empty = true;
    this.ink = new Ink();
    /** @type {number | null} the pointer that draws */
    this.pointer = null;
    this.frame = 0;
    this.since = 0;
    new DarkMode(this, () => this.paint());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    cancelAnimationFrame(this.frame);
  }

  render() {
    const blank = this.empty && !this.picture;
    return html`
      <div class="pad">
        <canvas
          data-testid="draw-pad"
          width=${INK_SIZE}
          height=${INK_SIZE}
          role="img"
          aria-label="Drawing pad. Draw with pen, finger or mouse; with the keyboard, choose a test picture below."
          @pointerdown=${this.penDown}
          @pointermove=${this.penMove}
          @pointerup=${this.penUp}
          @pointercancel=${this.penUp}
        ></canvas>
        <p class="pad-hint" aria-hidden="true" ?hidden=${!blank}>${this.hint}</p>
      </div>
      <div class="pad-tools">
        <button type="button" class="tool" @click=${this.undo} ?disabled=${this.empty}>Undo</button>
        <button type="button" class="tool" data-testid="draw-clear" @click=${this.clear}>Clear</button>
        <fieldset class="brushes">
          <legend class="visually-hidden">Brush</legend>
          ${BRUSHES.map(
            ({ name, width }, i) => html`
              <label title="${name} brush">
                <input
                  type="radio"
                  name="brush"
                  .checked=${this.brush === i}
                  @change=${() => {
                    this.brush = i;
                  }}
                />
                <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r=${width * 80} /></svg>
                <span class="visually-hidden">${name}</span>
              </label>
            `,
          )}
        </fieldset>
      </div>
    `;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (changed.has('picture') && this.picture) {
      this.ink.clear();
      this.empty = true;
    }
    if (changed.has('picture')) this.paint();
    if (changed.has('shape') && changed.get('shape') && !this.empty) this.tell(performance.now());
  }

  /** @returns {HTMLCanvasElement} */
  get canvas() {
    return /** @type {HTMLCanvasElement} */ (this.querySelector('canvas'));
  }

  /** @param {PointerEvent} event */
  penDown(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.pointer = event.pointerId;
    this.capture(event.pointerId);
    this.empty = false;
    this.ink.begin(this.pointOf(event, this.canvas.getBoundingClientRect()), BRUSHES[this.brush].width);
    this.since = event.timeStamp;
    if (this.picture) {
      this.picture = null;
      this.tell(this.since); // before it is handed down again, which would take the ink away
    }
    this.paintSoon();
  }

  /**
   * The stroke stays the pad's when the hand leaves it.
   * @param {number} pointer
   */
  capture(pointer) {
    try {
      this.canvas.setPointerCapture(pointer);
    } catch {
      // A pointer that a program moves cannot be captured; it can draw all the same.
    }
  }

  /** @param {PointerEvent} event */
  penMove(event) {
    if (event.pointerId !== this.pointer) return;
    const box = this.canvas.getBoundingClientRect();
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const part of coalesced.length > 0 ? coalesced : [event]) this.ink.lead(this.pointOf(part, box));
    this.since = event.timeStamp;
    this.paintSoon();
  }

  /** @param {PointerEvent} event */
  penUp(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.paint();
    this.tell(event.timeStamp, true);
  }

  /** Draws and tells once a frame, however fast the pen is. */
  paintSoon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
      this.tell(this.since);
    });
  }

  undo() {
    this.ink.undo();
    this.changed();
  }

  clear() {
    this.ink.clear();
    this.picture = null;
    this.changed();
  }

  changed() {
    this.empty = this.ink.isEmpty;
    this.paint();
    this.tell(performance.now(), true);
  }

  paint() {
    if (this.picture) {
      paintPixels(this.canvas, this.picture.pixels, this.picture.shape);
      this.canvas.classList.add('pixelated');
      return;
    }
    this.canvas.classList.remove('pixelated');
    this.ink.paint(this.canvas);
  }

  /**
   * @param {number} since
   * @param {boolean} [final] the hand rests
   */
  tell(since, final = false) {
    const [rows, columns, channels] = this.shape;
    const grey = inkToImage(this.ink.values(), INK_SIZE, INK_SIZE, rows, columns);
    const image = grey && (channels === 1 ? grey : inChannels(grey, channels));
    this.dispatchEvent(new CustomEvent('ink', { detail: { image, since, final } }));
  }

  /**
   * @param {PointerEvent} event
   * @param {DOMRect} box
   */
  pointOf(event, box) {
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    return { x, y, pressure: event.pointerType === 'pen' ? event.pressure : 0.5 };
  }
}

/**
 * @param {Uint8Array} grey
 * @param {number} channels
 */
function inChannels(grey, channels) {
  const image = new Uint8Array(grey.length * channels);
  for (let i = 0; i < image.length; i++) image[i] = grey[Math.floor(i / channels)];
  return image;
}

customElements.define('tg-draw-pad', DrawPad);
