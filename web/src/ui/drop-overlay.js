import { html } from 'lit';
import { ask } from './data-ask.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/** Files that are dragged over the page may be dropped anywhere on it. Asks for `openDropped` with what is dropped. */
export class DropOverlay extends LightElement {
  static properties = { over: { state: true } };

  constructor() {
    super();
    /** Files hover above the page. */
    this.over = false;
    this.listening = new AbortController();
  }

  connectedCallback() {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    addEventListener('dragenter', (event) => this.drag(event), { signal });
    addEventListener('dragover', (event) => this.drag(event), { signal });
    addEventListener('dragleave', (event) => this.leave(event), { signal });
    addEventListener('drop', (event) => this.drop(event), { signal });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.listening.abort();
  }

  render() {
    return html`
      <div class="drop-overlay" ?hidden=${!this.over} aria-hidden="true">
        <p>${icon('open')}Drop to open</p>
      </div>
    `;
  }

  /** @param {DragEvent} event */
  drag(event) {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault(); // what is dropped must not take the place of the page
    this.over = true;
  }

  /** @param {DragEvent} event that leaves the window, not only one part of it for another */
  leave(event) {
    if (event.relatedTarget === null) this.over = false;
  }

  /** @param {DragEvent} event */
  drop(event) {
    this.over = false;
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    ask(this, 'openDropped', event.dataTransfer);
  }
}

customElements.define('tg-drop-overlay', DropOverlay);
