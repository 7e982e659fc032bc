import { html, nothing } from 'lit';
import { bytes, count } from '../app/format.js';
import { ask } from './data-ask.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/** Data of earlier visits that the browser keeps: opened again, or forgotten, with one click. */
export class DataKept extends LightElement {
  static properties = { kept: { attribute: false }, problem: {}, busy: { type: Boolean } };

  constructor() {
    super();
    /** @type {import('../app/state.js').State['kept']} */
    this.kept = [];
    /** Why the last data are not kept, or ''. */
    this.problem = '';
    /** Something is being read. */
    this.busy = false;
  }

  render() {
    const { kept, problem } = this;
    if (kept.length === 0 && !problem) return;
    return html`
      <section class="kept" aria-labelledby="kept-title" data-testid="kept">
        <h3 id="kept-title">Kept in this browser</h3>
        ${problem ? html`<p class="aside" role="status">${problem}. Training goes on all the same.</p>` : nothing}
        <ul>
          ${kept.map(
            (entry) => html`
              <li class="kept-entry">
                <button
                  type="button"
                  class="kept-open"
                  data-testid="open-kept"
                  ?disabled=${this.busy}
                  @click=${() => ask(this, 'openKept', entry)}
                >
                  <b>${entry.name}</b>
                  <span class="aside number">
                    ${count(entry.train)}${entry.test > 0 ? ` + ${count(entry.test)}` : ''} samples, ${bytes(entry.bytes)}
                  </span>
                </button>
                <button
                  type="button"
                  class="tool square"
                  data-testid="forget-kept"
                  aria-label="Forget ${entry.name}"
                  @click=${() => ask(this, 'forget', entry.key)}
                >
                  ${icon('close')}
                </button>
              </li>
            `,
          )}
        </ul>
      </section>
    `;
  }
}

customElements.define('tg-data-kept', DataKept);
