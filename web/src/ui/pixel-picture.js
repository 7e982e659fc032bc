import { html } from 'lit';
import { DarkMode } from './dark-mode.js';
import { LightElement } from './light-element.js';
import { paintPixels, paintWeights } from './pixels.js';

/** One picture of a data set. Decoration unless it has a label. */
export class PixelPicture extends LightElement {
  static properties = {
    pixels: { attribute: false },
    shape: { attribute: false },
    label: {},
    limit: { type: Number },
  };

  constructor() {
    super();
    /** @type {ArrayLike<number> | null} null: blank */
    this.pixels = null;
    /** @type {number[]} */
    this.shape = [28, 28, 1];
    this.label = '';
    /** Of the values' size, where they are weights and have a sign; 0: they are pixels. */
    this.limit = 0;
    new DarkMode(this, () => this.paint());
  }

  render() {
    return this.label
      ? html`<canvas role="img" aria-label=${this.label}></canvas>`
      : html`<canvas aria-hidden="true"></canvas>`;
  }

  updated() {
    this.paint();
  }

  paint() {
    const canvas = this.querySelector('canvas');
    if (!canvas) return;
    if (this.pixels && this.limit > 0) paintWeights(canvas, this.pixels, this.shape, this.limit);
    else if (this.pixels) paintPixels(canvas, this.pixels, this.shape);
    else canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
  }
}

customElements.define('tg-pixel-picture', PixelPicture);
