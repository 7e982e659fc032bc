import { html, nothing } from 'lit';
import { count } from '../app/format.js';
import { fitAtHand } from '../app/recipes.js';
import { ask } from './data-ask.js';
import './data-kept.js';
import './data-sources.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/** What it shows of the state, and what that follows from. */
const SHOWN = /** @type {const} */ ([
  ...['data', 'overview', 'atlas', 'preview', 'opening', 'corrections', 'augmented'],
  ...['kept', 'keptProblem', 'isKept', 'draft', 'asWritten', 'recipes', 'versions', 'settings'],
]);

/**
 * What there is to train on, and the ways to other data. What was understood of them, and what can be corrected, comes
 * with the first data.
 */
export class DataPanel extends LightElement {
  static properties = {
    state: { attribute: false },
    running: { type: Boolean },
    detailed: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').State | null} */
    this.state = null;
    /** A run is under way: the recipe is not to be changed now. */
    this.running = false;
    /** The parts that show data are loaded. */
    this.detailed = false;
  }

  render() {
    const { state } = this;
    if (!state) return;
    const { data, overview, opening, preview, kept, keptProblem } = state;
    const details = overview && this.detailed;
    return html`
      <div class="data-grid">
        <div class="data-understood">
          ${preview && this.detailed ? this.renderPreview(preview) : this.renderData(state)}
        </div>
        <div class="data-ways">
          <tg-data-sources .opening=${opening}></tg-data-sources>
          <tg-data-kept .kept=${kept} .problem=${keptProblem} ?busy=${opening !== null}></tg-data-kept>
          ${
            details
              ? html`<tg-data-preparation
                  .recipe=${state.draft.recipe}
                  .count=${data.train}
                  .augmented=${state.augmented}
                  ?pictures=${data.shape[0] > 1 && data.shape[1] > 1}
                  ?running=${this.running}
                ></tg-data-preparation>`
              : nothing
          }
        </div>
      </div>
    `;
  }

  /** @param {import('../app/state.js').State} state */
  renderData(state) {
    const { data, overview, atlas, opening, corrections, isKept } = state;
    return html`
      <div class="data-head">
        <div>
          <p class="data-title"><b>${data.title}</b></p>
          <p class="aside number" data-testid="data-summary">${this.summary(data)}</p>
        </div>
        ${
          data.name === 'mnist'
            ? nothing
            : html`<button type="button" class="tool" @click=${() => ask(this, 'useMnist')}>
                ${icon('reset')}Back to MNIST
              </button>`
        }
      </div>
      ${this.renderFit(state)}
      ${
        overview && this.detailed
          ? html`
              <tg-data-understood .data=${data} .overview=${overview} .atlas=${atlas}></tg-data-understood>
              <tg-data-corrections
                .report=${overview.report}
                .opened=${data.opened}
                .corrections=${corrections}
                ?hasTest=${data.test > 0}
                ?kept=${isKept}
                ?busy=${opening !== null}
              ></tg-data-corrections>
            `
          : this.renderBlank(opening !== null || overview !== null)
      }
    `;
  }

  /** What is coming, while it is being read. @param {import('../app/data-overview.js').Preview} preview */
  renderPreview(preview) {
    return html`
      <p class="data-title"><b>Reading …</b></p>
      <p class="aside number">${this.summary(preview)}</p>
      <tg-data-classes .classes=${preview.classes} .atlas=${preview.atlas} fixed></tg-data-classes>
    `;
  }

  /** @param {Pick<import('../app/state.js').Loaded, 'train' | 'test' | 'shape' | 'classes' | 'range'>} data */
  summary({ train, test, shape, classes, range }) {
    if (train === 0)
      return '60,000 to learn from, 10,000 to test with; fetched from this site when you train';
    const [height, width, channels] = shape;
    const colours = { 1: '', 3: ' in colour' }[channels] ?? ` of ${channels} channels`;
    const isRow = height === 1 && width === 1;
    const size = isRow ? `${channels} numbers each` : `${height} × ${width} pixels${colours}`;
    const values = range ? `, values ${number(range[0])} to ${number(range[1])}` : '';
    const held = test > 0 ? `, ${count(test)} to test with` : '';
    return `${count(train)} to learn from${held}; ${size}, ${classes.length} classes${values}`;
  }

  /** @param {boolean} coming */
  renderBlank(coming) {
    return html`
      <div class="data-blank">
        ${
          coming
            ? nothing
            : html`<button type="button" class="button" data-testid="show-data" @click=${() => ask(this, 'look')}>
                Show the pictures
              </button>`
        }
      </div>
    `;
  }

  /** What was changed in the recipe so that it fits. @param {import('../app/state.js').State} state */
  renderFit(state) {
    const { asWritten, overview } = state;
    const { changes } = fitAtHand(state);
    if (!overview || (!asWritten && changes.length === 0)) return nothing;
    const what = asWritten
      ? 'The recipe is left as it is written, whatever the data are.'
      : `The recipe was fitted to these data: ${changes.join('; ')}.`;
    return html`
      <div class="fit" data-testid="fit">
        <p>${what}</p>
        <button
          type="button"
          class="tool"
          data-testid="fit-undo"
          ?disabled=${this.running}
          @click=${() => this.dispatchEvent(new CustomEvent('as-written', { detail: !asWritten }))}
        >
          ${asWritten ? 'Fit it' : html`${icon('undo')}Undo`}
        </button>
      </div>
    `;
  }

  /** The state changes with every stroke on the pad; this panel does not. @param {Map<PropertyKey, unknown>} changed */
  shouldUpdate(changed) {
    const before = /** @type {import('../app/state.js').State | null | undefined} */ (changed.get('state'));
    if (changed.size > 1 || !before || !this.state) return true;
    const { state } = this;
    return SHOWN.some((key) => state[key] !== before[key]);
  }

  willUpdate() {
    if (this.detailed || !(this.state?.overview || this.state?.opening)) return;
    import('./data-details.js').then(
      () => {
        this.detailed = true;
      },
      () => {}, // offline: what is above is enough to train, and the next data try again
    );
  }
}

/** @param {number} value */
function number(value) {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(3)));
}

customElements.define('tg-data-panel', DataPanel);
