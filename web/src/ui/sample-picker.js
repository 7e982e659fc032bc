import { html } from 'lit';
import { count } from '../app/format.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/**
 * Puts test pictures on the pad, or rows in its place: the way in for whoever cannot or does not want to draw. Fires `pick` with `random`,
 * `next` or `previous`; the arrow keys do so too.
 */
export class SamplePicker extends LightElement {
  static properties = { picture: { attribute: false }, what: {} };

  constructor() {
    super();
    /** @type {import('../app/state.js').State['testPicture']} */
    this.picture = null;
    /** What it picks: "test picture". */
    this.what = '';
  }

  render() {
    const { picture, what } = this;
    return html`
      <div class="picker" role="group" aria-label="One ${what} after the other" @keydown=${this.keyDown}>
        <button type="button" class="tool" data-testid="test-picture" title="Any ${what}" @click=${() => this.pick('random')}>
          ${icon('dice')}${what[0]?.toUpperCase()}${what.slice(1)}
        </button>
        <button type="button" class="tool square" aria-label="Previous ${what}" @click=${() => this.pick('previous')}>
          ${icon('previous')}
        </button>
        <button type="button" class="tool square" aria-label="Next ${what}" @click=${() => this.pick('next')}>
          ${icon('next')}
        </button>
        <p class="aside number">
          ${
            picture
              ? html`No. ${count(picture.index + 1)} of ${count(picture.count)}, labelled ${picture.label}`
              : 'Or let it read one.'
          }
        </p>
      </div>
    `;
  }

  /** @param {KeyboardEvent} event */
  keyDown(event) {
    const which = { ArrowLeft: 'previous', ArrowUp: 'previous', ArrowRight: 'next', ArrowDown: 'next' }[
      event.key
    ];
    if (!which) return;
    event.preventDefault();
    this.pick(which);
  }

  /** @param {string} which */
  pick(which) {
    this.dispatchEvent(new CustomEvent('pick', { detail: which }));
  }
}

customElements.define('tg-sample-picker', SamplePicker);
