import { html } from 'lit';
import { live } from 'lit/directives/live.js';
import { LightElement } from './light-element.js';

const FIELDS = [
  { key: 'epochs', testid: 'epochs', label: 'Epochs', step: '1', min: '1' },
  { key: 'batchSize', testid: 'batch-size', label: 'Batch size', step: '1', min: '1', fixed: true },
  { key: 'learningRate', testid: 'learning-rate', label: 'Learning rate', step: 'any', min: '0' },
  { key: 'seed', testid: 'seed', label: 'Seed', step: '1', min: '0', fixed: true },
];

/** Recipe and settings. Fires `change-settings` with what was changed. */
export class RecipeForm extends LightElement {
  static properties = {
    recipes: { attribute: false },
    settings: { attribute: false },
    running: { type: Boolean },
    changed: { type: Boolean },
  };

  constructor() {
    super();
    /** @type {Record<string, import('../app/recipes.js').Recipe>} */
    this.recipes = {};
    /** @type {import('../app/state.js').Settings | null} */
    this.settings = null;
    /** Whether a run is under way: what determines it from its start cannot be changed then. */
    this.running = false;
    /** The chosen recipe is not as it came. */
    this.changed = false;
  }

  render() {
    const { settings, recipes } = this;
    if (!settings) return;
    return html`
      <form class="recipe-form" novalidate @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
        <label class="field wide">
          <span>Network</span>
          <select
            data-testid="recipe-select"
            aria-describedby="recipe-about"
            .value=${live(settings.recipe)}
            ?disabled=${this.running}
            @change=${(/** @type {Event} */ event) => this.change('recipe', inputOf(event).value)}
          >
            ${Object.entries(recipes).map(
              ([name, recipe]) =>
                html`<option value=${name} ?selected=${name === settings.recipe}>${recipe['x-title'] ?? name}${name === settings.recipe && this.changed ? ', changed' : ''}</option>`,
            )}
          </select>
        </label>
        ${FIELDS.map((field) => this.renderField(field, settings))}
        <p id="recipe-about" class="aside wide">${recipes[settings.recipe]['x-about'] ?? ''}</p>
      </form>
    `;
  }

  /**
   * @param {typeof FIELDS[number]} field
   * @param {import('../app/state.js').Settings} settings
   */
  renderField({ key, testid, label, step, min, fixed }, settings) {
    const value = settings[/** @type {'epochs'} */ (key)];
    return html`
      <label class="field">
        <span>${label}</span>
        <input
          type="number"
          inputmode="decimal"
          data-testid=${testid}
          step=${step}
          min=${min}
          .value=${live(Number.isFinite(value) ? String(value) : '')}
          ?disabled=${this.running && fixed}
          @change=${(/** @type {Event} */ event) => this.change(key, inputOf(event).valueAsNumber)}
        />
      </label>
    `;
  }

  /**
   * What the fields hold now, typed but not yet left included.
   * @returns {import('../app/state.js').Settings}
   */
  get values() {
    const value = (/** @type {string} */ testid) =>
      /** @type {HTMLInputElement} */ (this.querySelector(`[data-testid=${testid}]`));
    return {
      recipe: value('recipe-select').value,
      epochs: value('epochs').valueAsNumber,
      batchSize: value('batch-size').valueAsNumber,
      learningRate: value('learning-rate').valueAsNumber,
      seed: value('seed').valueAsNumber,
    };
  }

  /**
   * @param {string} key
   * @param {string | number} value
   */
  change(key, value) {
    this.dispatchEvent(new CustomEvent('change-settings', { detail: { [key]: value } }));
  }
}

/** @param {Event} event */
function inputOf(event) {
  return /** @type {HTMLInputElement} */ (event.target);
}

customElements.define('tg-recipe-form', RecipeForm);
