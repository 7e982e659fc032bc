import { html } from 'lit';
import { bytes, count, duration } from '../app/format.js';
import { epochSeconds } from '../app/layers.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';
import './layer-cards.js';
import './recipe-text.js';

/**
 * The network as cards and as JSON, both of the same recipe, and what it takes. Fires `edit` with a changed recipe,
 * `type-recipe` with text, `end-typing`, `undo` and `restore`.
 */
export class ModelEditor extends LightElement {
  static properties = {
    draft: { attribute: false },
    summary: { attribute: false },
    pace: { attribute: false },
    count: { type: Number },
    running: { type: Boolean },
    undoable: { type: Boolean },
    changed: { type: Boolean },
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').Draft | null} */
    this.draft = null;
    /** @type {import('../app/state.js').Summary | null} */
    this.summary = null;
    /** @type {import('../app/layers.js').Pace | null} */
    this.pace = null;
    /** Training samples at hand. */
    this.count = 0;
    this.running = false;
    this.undoable = false;
    this.changed = false;
  }

  render() {
    const { draft, summary, running } = this;
    if (!draft) return;
    return html`
      <div class="model-head">
        <p class="aside">
          ${
            running
              ? 'Stop or reset the training to change the network.'
              : 'Choose a layer to change it. Train begins with what stands here.'
          }
        </p>
        <div class="model-undo">
          <button
            type="button"
            class="tool"
            data-testid="undo-edit"
            ?disabled=${running || !this.undoable}
            @click=${() => this.dispatchEvent(new Event('undo'))}
          >
            ${icon('undo')}Undo
          </button>
          <button
            type="button"
            class="tool"
            data-testid="restore-recipe"
            ?disabled=${running || !this.changed}
            @click=${() => this.dispatchEvent(new Event('restore'))}
          >
            As it was
          </button>
        </div>
      </div>
      <div class="model-grid">
        <tg-layer-cards
          .recipe=${draft.recipe}
          .filled=${draft.filled}
          .summary=${draft.problem ? null : summary}
          .problem=${draft.problem}
          ?disabled=${running || draft.unreadable}
          @edit=${this.pass}
        ></tg-layer-cards>
        <tg-recipe-text
          .recipe=${draft.recipe}
          .typed=${draft.typed}
          .problem=${draft.problem?.layer === null ? draft.problem.message : ''}
          ?disabled=${running}
          @type-recipe=${this.pass}
          @end-typing=${this.pass}
        ></tg-recipe-text>
      </div>
      <dl class="figures small">${this.figures.map(
        ([name, value]) => html`<div><dt>${name}</dt><dd class="number">${value}</dd></div>`,
      )}</dl>
    `;
  }

  get figures() {
    const { draft, summary, pace } = this;
    if (!summary || !draft?.filled || draft.problem) {
      return ['Parameters', 'Weights', 'Optimizer', 'Activations', 'In all', 'An epoch'].map((name) => [
        name,
        '–',
      ]);
    }
    const { memory, parameters } = summary;
    const seconds = epochSeconds({ filled: draft.filled, summary, count: this.count, pace });
    return [
      ['Parameters', count(parameters)],
      ['Weights', bytes(memory.parametersBytes)],
      ['Optimizer', bytes(memory.optimizerBytes)],
      ['Activations', bytes(memory.activationsBytes)],
      ['In all', bytes(memory.totalBytes)],
      ['An epoch', seconds === null ? '–' : `about ${duration(seconds)}`],
    ];
  }

  /** Custom events of the parts do not bubble. @param {Event} event */
  pass(event) {
    const { detail } = /** @type {CustomEvent} */ (event);
    this.dispatchEvent(new CustomEvent(event.type, { detail }));
  }
}

customElements.define('tg-model-editor', ModelEditor);
