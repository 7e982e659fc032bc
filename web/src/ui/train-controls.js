import { html } from 'lit';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/** @typedef {import('../app/state.js').Phase} Phase */

/** Train, pause, one step, stop, reset. Fires `control` with the name of the action. */
export class TrainControls extends LightElement {
  static properties = { phase: {}, continues: { type: Boolean }, testing: { type: Boolean } };

  constructor() {
    super();
    /** @type {Phase} */
    this.phase = 'idle';
    /** Train would go on with the network there is. */
    this.continues = false;
    /** The test pictures are being read: there is nothing to pause. */
    this.testing = false;
    /** Where the keyboard's place was last: a button's name; '' for elsewhere. A mouse needs none. */
    this.held = '';
  }

  render() {
    const { phase } = this;
    const running = phase === 'training' && !this.testing;
    const paused = phase === 'paused';
    const busy = phase === 'loading' || phase === 'training';
    const train = this.continues && !busy && !paused ? 'Train more' : 'Train';
    return html`
      <div class="controls" role="group" aria-label="Training" tabindex="-1">
        ${this.renderButton('train', html`${icon('play')}${train}`, busy)}
        ${this.renderButton('pause', paused ? 'Resume' : 'Pause', !running && !paused)}
        ${this.renderButton('step', 'One step', phase === 'loading' || this.testing)}
        ${this.renderButton('stop', 'Stop', !running && !paused && phase !== 'loading')}
        ${this.renderButton('reset', 'Reset')}
      </div>
    `;
  }

  /**
   * @param {string} action
   * @param {unknown} label
   * @param {boolean} [disabled]
   */
  renderButton(action, label, disabled = false) {
    const kind = action === 'train' ? 'primary' : '';
    return html`
      <button type="button" class="control ${kind}" data-testid=${action} ?disabled=${disabled} @click=${() => this.act(action)}>
        ${label}
      </button>
    `;
  }

  willUpdate() {
    const at = /** @type {HTMLElement | null} */ (this.querySelector(':focus-visible'));
    if (!at) this.held = '';
    else if (at.dataset.testid) this.held = at.dataset.testid;
  }

  /** Keeps the keyboard's place: a button that disables itself would drop it. Never to Stop or Reset, which the next Enter
   * would press, but to where nothing happens, until the button is there again. */
  updated() {
    if (!this.held || this.querySelector('button:focus:not(:disabled)')) return;
    const enabled = (/** @type {string} */ name) =>
      this.querySelector(`[data-testid=${name}]:not(:disabled)`);
    const next = enabled(this.held) ?? enabled('train') ?? this.firstElementChild;
    /** @type {HTMLElement | null} */ (next)?.focus({ preventScroll: true });
  }

  /** @param {string} action */
  act(action) {
    this.dispatchEvent(new CustomEvent('control', { detail: action }));
  }
}

customElements.define('tg-train-controls', TrainControls);
