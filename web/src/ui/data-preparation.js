import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import {
  AUGMENTATIONS,
  augmentationsOf,
  SCALINGS,
  scalingOf,
  toggleAugmentation,
  withSubset,
} from '../app/data-edits.js';
import { ask } from './data-ask.js';
import { LateElement } from './late-element.js';
import './pixel-picture.js';
import { unlessTyping } from './unless-typing.js';

/**
 * How the recipe prepares the data: how many samples it takes, how it scales values, what it augments; one sample with
 * twelve outcomes shows the last. Fires `edit` with a changed recipe; asks to `scale` and for `previewAugmentation`.
 */
export class DataPreparation extends LateElement {
  static properties = {
    recipe: { attribute: false },
    count: { type: Number },
    pictures: { type: Boolean },
    augmented: { attribute: false },
    running: { type: Boolean },
    sample: { state: true },
    previewing: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../app/recipes.js').Recipe} */
    this.recipe = {};
    /** Training samples there are. */
    this.count = 0;
    /** The samples are pictures, which most augmentations need. */
    this.pictures = false;
    /** @type {import('../app/state.js').Augmented | null} */
    this.augmented = null;
    this.running = false;
    /** The one that is shown augmented. */
    this.sample = 0;
    /** The preview is open. */
    this.previewing = false;
  }

  render() {
    const { recipe, running } = this;
    const taken = recipe.data?.train_size ?? '';
    return html`
      <details class="disclosure" data-testid="preparation">
        <summary>Samples and values</summary>
        <div class="fields">
          <label class="field">
            <span>Samples to learn from</span>
            <input
              type="number"
              min="1"
              max=${this.count}
              placeholder="all"
              data-testid="subset"
              .value=${unlessTyping(String(taken))}
              ?disabled=${running}
              @change=${this.takeSubset}
            />
          </label>
          <label class="field">
            <span>Values</span>
            <select data-testid="scaling" .value=${live(scalingOf(recipe))} ?disabled=${running} @change=${this.scale}>
              ${Object.entries(SCALINGS).map(
                ([value, title]) =>
                  html`<option value=${value} ?selected=${value === scalingOf(recipe)}>${title}</option>`,
              )}
            </select>
          </label>
          <p class="aside wide">Standardized: mean 0 and deviation 1, measured on the training part and written into the recipe.</p>
        </div>
      </details>
      ${this.pictures ? this.renderAugmentation() : nothing}
    `;
  }

  renderAugmentation() {
    const { recipe, running, augmented } = this;
    const chosen = augmentationsOf(recipe);
    return html`
      <details class="disclosure" data-testid="augmentation" @toggle=${this.toggle}>
        <summary>Augmentation${chosen.length > 0 ? `: ${chosen.map(spaced).join(', ')}` : ''}</summary>
        <div class="chips" role="group" aria-label="Random changes to the samples that are trained on">
          ${Object.keys(AUGMENTATIONS).map(
            (type) => html`
              <button
                type="button"
                class="chip"
                data-augmentation=${type}
                aria-pressed=${chosen.includes(type) ? 'true' : 'false'}
                ?disabled=${running}
                @click=${() => this.edit(toggleAugmentation(this.recipe, type))}
              >
                ${spaced(type)}
              </button>
            `,
          )}
        </div>
        ${
          augmented
            ? html`
                <div class="outcomes" data-testid="outcomes">
                  <tg-pixel-picture
                    class="before"
                    label="A sample as it is"
                    .pixels=${augmented.before.pixels}
                    .shape=${augmented.before.shape}
                  ></tg-pixel-picture>
                  ${augmented.after.map(
                    (picture, i) => html`<tg-pixel-picture
                      label="Outcome ${i + 1}"
                      .pixels=${picture.pixels}
                      .shape=${picture.shape}
                    ></tg-pixel-picture>`,
                  )}
                </div>
                <button type="button" class="tool" data-testid="another-sample" @click=${this.another}>
                  Another sample
                </button>
              `
            : nothing
        }
      </details>
    `;
  }

  /** @param {Event} event */
  toggle(event) {
    this.previewing = /** @type {HTMLDetailsElement} */ (event.target).open;
  }

  another() {
    this.sample = Math.floor(Math.random() * this.count);
  }

  willUpdate() {
    if (!this.pictures) this.previewing = false; // it is gone without being closed
  }

  /** The preview follows the recipe, as long as it is looked at. @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    const isOther = ['recipe', 'sample', 'previewing', 'count'].some((name) => changed.has(name));
    if (this.previewing && isOther) ask(this, 'previewAugmentation', Math.min(this.sample, this.count - 1));
  }

  /** @param {Event} event */
  takeSubset(event) {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    const wanted = Math.min(this.count, Math.max(0, Math.floor(Number(value))));
    this.edit(withSubset(this.recipe, wanted === this.count ? 0 : wanted));
  }

  /** @param {Event} event */
  scale(event) {
    ask(this, 'scale', /** @type {HTMLSelectElement} */ (event.target).value);
  }

  /** @param {import('../app/recipes.js').Recipe} recipe */
  edit(recipe) {
    if (this.running) return; // begun since this was rendered
    ask(this, 'edit', recipe);
  }
}

/** @param {string} type */
function spaced(type) {
  return type.replaceAll('_', ' ');
}

customElements.define('tg-data-preparation', DataPreparation);
