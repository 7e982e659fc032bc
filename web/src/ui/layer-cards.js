import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { count, shape } from '../app/format.js';
import * as layers from '../app/layers.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';
import { unlessTyping } from './unless-typing.js';

/** @typedef {import('../app/layers.js').Layer} Layer */

/**
 * The layers in their order; the chosen one shows what can be changed. Alt with an arrow key moves it, Delete removes
 * it. Fires `edit` with the changed recipe.
 */
export class LayerCards extends LightElement {
  static properties = {
    recipe: { attribute: false },
    filled: { attribute: false },
    summary: { attribute: false },
    problem: { attribute: false },
    disabled: { type: Boolean },
    chosen: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../app/recipes.js').Recipe} */
    this.recipe = {};
    /** With every default. @type {import('../app/recipes.js').Recipe | null} */
    this.filled = null;
    /** Of this recipe; null while there is something wrong with it. @type {import('../app/state.js').Summary | null} */
    this.summary = null;
    /** @type {import('../app/state.js').Draft['problem']} */
    this.problem = null;
    this.disabled = false;
    /** Index of the card that is open. @type {number | null} */
    this.chosen = null;
    /** What to put the keyboard on after a change, since the cards are others then. */
    this.focusNext = '';
  }

  get layers() {
    const given = this.recipe.model?.layers;
    return /** @type {Layer[]} */ (
      Array.isArray(given) ? given.filter((layer) => layer instanceof Object) : []
    );
  }

  render() {
    const after = this.chosen === null ? 'at the end' : `after ${this.nameOf(this.chosen)}`;
    return html`
      <ol class="layers" aria-label="Layers of the network">
        ${this.layers.map((layer, index) => this.renderCard(layer, index))}
      </ol>
      <form class="add-layer" @submit=${this.onAdd}>
        <label class="field">
          <span>New layer, ${after}</span>
          <select data-testid="new-layer" ?disabled=${this.disabled}>
            ${layers.LAYER_TYPES.map((type) => html`<option>${type}</option>`)}
          </select>
        </label>
        <button class="tool" data-testid="add-layer" ?disabled=${this.disabled || !Array.isArray(this.recipe.model?.layers)}>${icon('add')}Add</button>
      </form>
    `;
  }

  /** @param {Layer} layer @param {number} index */
  renderCard(layer, index) {
    const facts = this.summary?.layers[index];
    const problem = this.problem?.layer === index ? this.problem.message : '';
    const open = this.chosen === index;
    return html`
      <li class="layer ${problem ? 'wrong' : ''}" data-layer=${index} @keydown=${this.onKey}>
        <button
          type="button"
          class="layer-head"
          data-part="head"
          aria-expanded=${open ? 'true' : 'false'}
          aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown Delete"
          @click=${() => {
            this.chosen = open ? null : index;
          }}
        >
          <b>${this.nameOf(index)}</b>
          <span class="layer-gist">${gist(layer)}</span>
          <span class="number"><span class="visually-hidden">gives</span> ${facts ? shape(facts.shape) : '–'}</span>
          <span class="number layer-parameters">
            ${facts?.parameters ? count(facts.parameters) : '–'}<span class="visually-hidden"> parameters</span>
          </span>
        </button>
        ${problem ? html`<p class="problem" role="alert" data-testid="layer-problem">${problem}</p>` : ''}
        ${open ? this.renderOpen(layer, index) : ''}
      </li>
    `;
  }

  /** @param {Layer} layer @param {number} index */
  renderOpen(layer, index) {
    const { disabled } = this;
    const last = this.layers.length - 1;
    const attributes = layers.attributesOfLayer(layer, this.filled?.model.layers[index]);
    return html`
      <div class="layer-body">
        <div class="layer-fields">
          ${attributes.sort(switchesLast).map(([key, value]) => this.renderField(index, key, value))}
        </div>
        <div class="layer-tools">
          ${this.renderTool('up', 'Move up', disabled || index === 0, () => this.move(index, index - 1, 'up'))}
          ${this.renderTool('down', 'Move down', disabled || index === last, () => this.move(index, index + 1, 'down'))}
          ${this.renderTool('close', 'Remove', disabled || last === 0, () => this.drop(index))}
        </div>
      </div>
    `;
  }

  /**
   * @param {'up' | 'down' | 'close'} part
   * @param {string} label
   * @param {boolean} disabled
   * @param {() => void} action
   */
  renderTool(part, label, disabled, action) {
    return html`
      <button type="button" class="tool square" data-part=${part} aria-label=${label} title=${label} ?disabled=${disabled} @click=${action}>
        ${icon(part)}
      </button>
    `;
  }

  /** @param {number} index @param {string} key @param {any} value */
  renderField(index, key, value) {
    const set = (/** @type {unknown} */ changed) =>
      this.edit(layers.setAttribute(this.recipe, index, key, changed), index);
    const label = key.replaceAll('_', ' ');
    if (typeof value === 'boolean') {
      return html`
        <label class="check">
          <input
            type="checkbox"
            data-attribute=${key}
            .checked=${live(value)}
            ?disabled=${this.disabled}
            @change=${(/** @type {Event} */ event) => set(inputOf(event).checked)}
          /><span>${label}</span>
        </label>
      `;
    }
    return html`
      <label class="field">
        <span>${label}</span>
        <input
          type="text"
          data-attribute=${key}
          inputmode=${typeof value === 'number' ? 'decimal' : nothing}
          autocapitalize="off"
          spellcheck="false"
          .value=${unlessTyping(typeof value === 'string' ? value : JSON.stringify(value))}
          ?disabled=${this.disabled}
          @change=${(/** @type {Event} */ event) => set(layers.attributeValue(inputOf(event).value))}
        />
      </label>
    `;
  }

  /** @param {number} index */
  nameOf(index) {
    return String(
      this.summary?.layers[index]?.name ?? this.layers[index]?.name ?? this.layers[index]?.type ?? '?',
    );
  }

  /** @param {import('../app/recipes.js').Recipe} recipe @param {number | null} chosen @param {string} [focusNext] */
  edit(recipe, chosen, focusNext = '') {
    this.chosen = chosen;
    this.focusNext = focusNext;
    this.dispatchEvent(new CustomEvent('edit', { detail: recipe }));
  }

  /** @param {number} from @param {number} to @param {string} part that keeps the keyboard */
  move(from, to, part) {
    if (to < 0 || to >= this.layers.length) return;
    this.edit(
      layers.moveLayer(this.recipe, from, to),
      this.chosen === null ? null : to,
      `[data-layer="${to}"] [data-part=${part}]`,
    );
  }

  /** @param {number} index */
  drop(index) {
    if (this.layers.length < 2) return;
    const next = Math.min(index, this.layers.length - 2);
    this.edit(layers.removeLayer(this.recipe, index), null, `[data-layer="${next}"] [data-part=head]`);
  }

  /** @param {Event} event */
  onAdd(event) {
    event.preventDefault();
    const type = /** @type {HTMLSelectElement} */ (this.querySelector('[data-testid=new-layer]')).value;
    const at = this.chosen === null ? this.layers.length : this.chosen + 1;
    this.edit(
      layers.addLayer(this.recipe, at, type, this.summary),
      at,
      `[data-layer="${at}"] [data-part=head]`,
    );
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (this.disabled || target.matches('input')) return;
    const index = Number(target.closest('li')?.dataset.layer);
    if (event.altKey && event.key === 'ArrowUp') this.move(index, index - 1, 'head');
    else if (event.altKey && event.key === 'ArrowDown') this.move(index, index + 1, 'head');
    else if (event.key === 'Delete') this.drop(index);
    else return;
    event.preventDefault();
  }

  willUpdate() {
    if (this.chosen !== null && this.chosen >= this.layers.length) this.chosen = null;
  }

  updated() {
    if (!this.focusNext) return;
    const wanted = this.focusNext;
    this.focusNext = '';
    const part = /** @type {HTMLElement | null} */ (this.querySelector(wanted));
    const head = part?.closest('li')?.querySelector('[data-part=head]');
    if (part?.matches(':disabled')) /** @type {HTMLElement | null} */ (head)?.focus();
    else part?.focus();
  }
}

/** What a layer says beyond its type, in a few words. @param {Layer} layer */
function gist({ type, name, ...attributes }) {
  return Object.entries(attributes)
    .filter(([, value]) => typeof value !== 'object')
    .map(([key, value]) => (typeof value === 'boolean' ? (value ? key : `no ${key}`) : `${key} ${value}`))
    .join(', ')
    .replaceAll('_', ' ');
}

/** @param {[string, any]} a @param {[string, any]} b */
function switchesLast([, a], [, b]) {
  return Number(typeof a === 'boolean') - Number(typeof b === 'boolean');
}

/** @param {Event} event */
function inputOf(event) {
  return /** @type {HTMLInputElement} */ (event.target);
}

customElements.define('tg-layer-cards', LayerCards);
