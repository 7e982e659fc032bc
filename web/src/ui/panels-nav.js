import { html } from 'lit';
import { LightElement } from './light-element.js';

const PANELS = [
  ['use', 'Draw'],
  ['train', 'Train'],
  ['data', 'Data'],
  ['model', 'Model'],
  ['understand', 'Understand'],
];

/** The way to each panel; under the thumb on a phone. A panel that has nothing to show yet is not in the list. */
export class PanelsNav extends LightElement {
  static properties = { evaluated: { type: Boolean }, current: { state: true } };

  constructor() {
    super();
    /** Whether there is something to understand. */
    this.evaluated = false;
    this.current = 'use';
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) if (isIntersecting) this.current = target.id;
      },
      { rootMargin: '-40% 0px -60%' },
    ); // the panel that crosses a line a bit above the middle
  }

  render() {
    return html`
      <nav class="panels-nav" aria-label="Panels">
        ${PANELS.filter(([id]) => id !== 'understand' || this.evaluated).map(
          ([id, name]) =>
            html`<a href="#${id}" aria-current=${this.current === id ? 'true' : 'false'}>${name}</a>`,
        )}
      </nav>
    `;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (changed.has('evaluated')) requestAnimationFrame(() => this.observePanels());
  }

  observePanels() {
    this.observer.disconnect();
    for (const [id] of PANELS) {
      const panel = document.getElementById(id);
      if (panel) this.observer.observe(panel);
    }
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.observer.disconnect();
  }
}

customElements.define('tg-panels-nav', PanelsNav);
