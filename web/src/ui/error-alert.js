import { html } from 'lit';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/** One sentence about what went wrong, until it is dismissed. It floats, so that nothing below it moves. */
export class ErrorAlert extends LightElement {
  static properties = { message: {} };

  constructor() {
    super();
    this.message = '';
  }

  render() {
    return html`
      <div class="alert" ?hidden=${!this.message}>
        <p role="alert" data-testid="error">${this.message}</p>
        <button type="button" class="tool square" aria-label="Dismiss" @click=${() => this.dispatchEvent(new Event('dismiss'))}>
          ${icon('close')}
        </button>
      </div>
    `;
  }
}

customElements.define('tg-error-alert', ErrorAlert);
