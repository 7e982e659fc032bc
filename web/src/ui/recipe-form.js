import { html } from 'lit';
import { live } from 'lit/directives/live.js';
import { titleOfData } from '../app/recipes.js';
import { LightElement } from './light-element.js';
import { unlessTyping } from './unless-typing.js';

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
    data: { attribute: false },
    running: { type: Boolean },
    changed: { type: Boolean },
  };

  constructor() {
    super();
    /** @type {Record<string, import('../app/recipes.js').Recipe>} */
    this.recipes = {};
    /** @type {import('../app/state.js').Settings | null} */
    this.settings = null;
    /** @type {import('../app/state.js').Loaded | null} */
    this.data = null;
    /** Whether a run is under way: what determines it from its start cannot be changed then. */
    this.running = false;
    /** The chosen recipe is not as it came. */
    this.changed = false;
  }

  render() {
    const { settings } = this;
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
            ${Object.entries(this.groups).map(
              ([dataset, names]) =>
                html`<optgroup label=${titleOfData(dataset)}>${names.map((name) => this.renderOption(name))}</optgroup>`,
            )}
          </select>
        </label>
        ${FIELDS.map((field) => this.renderField(field, settings))}
        <p id="recipe-about" class="aside wide">${this.about}</p>
      </form>
    `;
  }

  /** @param {string} name */
  renderOption(name) {
    const chosen = name === this.settings?.recipe;
    const title = this.recipes[name]['x-title'] ?? name;
    return html`<option value=${name} ?selected=${chosen}>${title}${chosen && this.changed ? ', changed' : ''}</option>`;
  }

  /** What the chosen recipe is, and whether the data at hand are what it is made for. */
  get about() {
    const { recipes, settings, data } = this;
    const recipe = recipes[settings?.recipe ?? ''];
    const home = recipe.data?.dataset;
    const elsewhere = data && home !== undefined && home !== data.name;
    const fitted = elsewhere
      ? ` Made for ${titleOfData(home)}; open its files, or Train fits it to ${data.title}.`
      : '';
    return `${recipe['x-about'] ?? ''}${fitted}`;
  }

  /** Names of recipes by the data they are made for. @returns {Record<string, string[]>} */
  get groups() {
    /** @type {Record<string, string[]>} */
    const groups = {};
    for (const [name, { data }] of Object.entries(this.recipes)) {
      const dataset = data?.dataset ?? '';
      groups[dataset] ??= [];
      groups[dataset].push(name);
    }
    return groups;
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
          .value=${unlessTyping(Number.isFinite(value) ? String(value) : '')}
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
