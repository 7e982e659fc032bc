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
    /** The keyboard's place is here; a mouse needs none. */
    this.held = false;
  }

  render() {
    const { phase } = this;
    const running = phase === 'training' && !this.testing;
    const paused = phase === 'paused';
    const busy = phase === 'loading' || phase === 'training';
    const train = this.continues && !busy && !paused ? 'Train more' : 'Train';
    return html`
      <div class="controls" role="group" aria-label="Training">
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
    this.held = this.querySelector(':focus-visible') !== null;
  }

  /** Keeps the keyboard's place: a button that disables itself would drop it. */
  updated() {
    if (!this.held || this.querySelector('button:focus:not(:disabled)')) return;
    const next = /** @type {HTMLElement | null} */ (this.querySelector('button:not(:disabled)'));
    next?.focus({ preventScroll: true });
  }

  /** @param {string} action */
  act(action) {
    this.dispatchEvent(new CustomEvent('control', { detail: action }));
  }
}

customElements.define('tg-train-controls', TrainControls);
