import { html } from 'lit';
import { count } from '../app/format.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';
import './pixel-picture.js';

/** What there is to train on, and the way to other pictures. Fires `open-files` with files, and `use-mnist`. */
export class DataPanel extends LightElement {
  static properties = {
    data: { attribute: false },
    samples: { attribute: false },
    opening: { type: Number },
    over: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').Loaded | null} */
    this.data = null;
    /** @type {import('../app/state.js').State['samples']} */
    this.samples = [];
    /** Files that are being read. */
    this.opening = 0;
    /** Files hover above the drop zone. */
    this.over = false;
  }

  render() {
    const { data, samples } = this;
    if (!data) return;
    const [height, width] = data.shape;
    return html`
      <p class="data-title"><b>${data.title}</b></p>
      <p class="aside number">
        ${
          data.train > 0
            ? html`${count(data.train)} to learn from${data.test > 0 ? html`, ${count(data.test)} to test with` : ''};
            ${height} × ${width} pixels, ${data.classes.length} classes`
            : '60,000 to learn from, 10,000 to test with; fetched from this site when you train'
        }
      </p>
      ${
        samples.length > 0
          ? html`<div class="samples" role="img" aria-label="The first pictures: ${samples.map(({ label }) => label).join(', ')}">
            ${samples.map((sample) => html`<tg-pixel-picture .pixels=${sample.pixels} .shape=${sample.shape}></tg-pixel-picture>`)}
          </div>`
          : ''
      }
      <div
        class="drop-zone ${this.over ? 'over' : ''}"
        data-testid="drop-zone"
        @dragenter=${this.dragOver}
        @dragover=${this.dragOver}
        @dragleave=${this.dragLeave}
        @drop=${this.drop}
      >
        <label class="button">
          ${icon('open')}Open files
          <input
            type="file"
            multiple
            class="visually-hidden"
            data-testid="open-files"
            aria-describedby="open-files-about"
            @change=${this.choose}
          />
        </label>
        <p id="open-files-about" class="aside">
          or drop them here: pictures and labels in MNIST’s format (IDX, .gz or not), such as Fashion-MNIST.
        </p>
        <p class="aside" role="status">${this.opening > 0 ? 'Reading …' : ''}</p>
      </div>
      ${
        data.name === 'mnist'
          ? ''
          : html`<button type="button" class="tool" @click=${() => this.dispatchEvent(new Event('use-mnist'))}>
            ${icon('reset')}Back to MNIST
          </button>`
      }
    `;
  }

  /** @param {DragEvent} event */
  dragOver(event) {
    event.preventDefault();
    this.over = true;
  }

  dragLeave() {
    this.over = false;
  }

  /** @param {DragEvent} event */
  drop(event) {
    event.preventDefault();
    event.stopPropagation();
    this.over = false;
    this.open(event.dataTransfer?.files);
  }

  /** @param {Event} event */
  choose(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    this.open(input.files);
    input.value = ''; // the same files can be chosen again
  }

  /** @param {FileList | null | undefined} files */
  open(files) {
    if (!files || files.length === 0) return;
    this.dispatchEvent(new CustomEvent('open-files', { detail: Array.from(files) }));
  }
}

customElements.define('tg-data-panel', DataPanel);
