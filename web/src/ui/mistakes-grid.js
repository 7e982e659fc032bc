import { html } from 'lit';
import { loss } from '../app/format.js';
import { LateElement } from './late-element.js';
import './pixel-picture.js';

/** The test pictures that were read most wrongly. Fires `pick` with a picture's index to put it on the pad. */
export class MistakesGrid extends LateElement {
  static properties = { mistakes: { attribute: false }, classes: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../app/state.js').Mistake[]} */
    this.mistakes = [];
    /** @type {string[]} */
    this.classes = [];
  }

  render() {
    return html`
      <ol class="mistakes" data-testid="mistakes">
        ${this.mistakes.map((mistake) => this.renderMistake(mistake))}
      </ol>
    `;
  }

  /** @param {import('../app/state.js').Mistake} mistake */
  renderMistake({ index, truth, read, loss: value, pixels, shape }) {
    const [is, seemed] = [this.classes[truth], this.classes[read]];
    return html`
      <li>
        <button
          type="button"
          title="Put it on the pad"
          @click=${() => this.dispatchEvent(new CustomEvent('pick', { detail: index }))}
        >
          <tg-pixel-picture .pixels=${pixels} .shape=${shape}></tg-pixel-picture>
          <span class="number">
            <b>${is}</b> <span aria-hidden="true">→</span><span class="visually-hidden">read as</span> ${seemed}
          </span>
          <span class="number aside"><span class="visually-hidden">loss</span> ${loss(value)}</span>
        </button>
      </li>
    `;
  }
}

customElements.define('tg-mistakes-grid', MistakesGrid);
