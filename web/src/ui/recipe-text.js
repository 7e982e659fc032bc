import { html } from 'lit';
import { live } from 'lit/directives/live.js';
import { formatJson } from '../app/recipe-text.js';
import { LightElement } from './light-element.js';

/** The recipe as JSON. Fires `type-recipe` with the text at every key and `end-typing` when it is left. */
export class RecipeText extends LightElement {
  static properties = {
    recipe: { attribute: false },
    typed: { attribute: false },
    problem: {},
    disabled: { type: Boolean },
  };

  constructor() {
    super();
    /** @type {import('../app/recipes.js').Recipe} */
    this.recipe = {};
    /** @type {string | null} */
    this.typed = null;
    this.problem = '';
    this.disabled = false;
    /** Wide screens have room for it from the start. */
    this.roomy = matchMedia('(min-width: 760px)').matches;
  }

  render() {
    return html`
      <details class="recipe-text" ?open=${this.roomy}>
        <summary>The recipe as JSON</summary>
        <textarea
          data-testid="recipe-json"
          aria-label="The recipe as JSON"
          aria-describedby="recipe-problem"
          aria-invalid=${this.problem ? 'true' : 'false'}
          spellcheck="false"
          autocapitalize="off"
          rows="24"
          ?readonly=${this.disabled}
          .value=${live(this.typed ?? formatJson(this.recipe))}
          @input=${this.onInput}
          @change=${() => this.dispatchEvent(new Event('end-typing'))}
        ></textarea>
      </details>
      <p class="problem" id="recipe-problem" role="alert" data-testid="recipe-problem">${this.problem}</p>
    `;
  }

  /** @param {Event} event */
  onInput(event) {
    const { value } = /** @type {HTMLTextAreaElement} */ (event.target);
    this.dispatchEvent(new CustomEvent('type-recipe', { detail: value }));
  }
}

customElements.define('tg-recipe-text', RecipeText);
