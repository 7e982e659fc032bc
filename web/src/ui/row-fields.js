import { html } from 'lit';
import { readRow } from '../app/row-text.js';
import { LightElement } from './light-element.js';

/**
 * Where data are rows of numbers: a row to write or to paste. Fires `ink` like the pad, with `{ image, since, final }`; image
 * is null as long as what stands there is no such row.
 */
export class RowFields extends LightElement {
  static properties = {
    shape: { attribute: false },
    picture: { attribute: false },
    wrong: { state: true },
  };

  constructor() {
    super();
    /** @type {number[]} of a row */
    this.shape = [1, 1, 1];
    /** @type {import('../app/state.js').Picture | null} a row of the data */
    this.picture = null;
    /** What is wrong with what was written. */
    this.wrong = '';
  }

  render() {
    const numbers = this.shape.at(-1) === 1 ? 'One number' : `${this.shape.at(-1)} numbers`;
    return html`
      <label class="field">
        <span>${numbers}, as they stand in a row of the table without its label</span>
        <textarea
          rows="4"
          spellcheck="false"
          autocomplete="off"
          data-testid="row-values"
          aria-invalid=${this.wrong !== ''}
          aria-describedby="row-wrong"
          @input=${this.tell}
        ></textarea>
      </label>
      <p class="problem" id="row-wrong">${this.wrong}</p>
    `;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    const area = /** @type {HTMLTextAreaElement} */ (this.querySelector('textarea'));
    if (!changed.has('picture') || !this.picture) return;
    area.value = Array.from(this.picture.pixels, (value) => Number(value.toPrecision(7))).join(', ');
    this.wrong = '';
  }

  /** @param {InputEvent} event */
  tell({ target, timeStamp }) {
    const { value } = /** @type {HTMLTextAreaElement} */ (target);
    const read = readRow(value, this.shape[2]);
    this.wrong = typeof read === 'string' ? read : '';
    const image = typeof read === 'string' ? null : read;
    this.dispatchEvent(new CustomEvent('ink', { detail: { image, since: timeStamp, final: true } }));
  }
}

customElements.define('tg-row-fields', RowFields);
