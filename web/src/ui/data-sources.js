import { html, nothing } from 'lit';
import { chosenFiles } from '../app/data-drop.js';
import { bytes, count } from '../app/format.js';
import { ask } from './data-ask.js';
import { icon } from './icons.js';
import { LightElement } from './light-element.js';

/** What the library calls the stages of its reading. @type {Record<string, string>} */
const STAGES = { reading: 'Reading', finishing: 'Putting together' };

/** The ways in for data: drop, files, a folder, an address; and how far the reading is. */
export class DataSources extends LightElement {
  static properties = { opening: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../app/state.js').Opening | null} */
    this.opening = null;
  }

  render() {
    return html`
      <div class="drop-zone" data-testid="drop-zone">
        <div class="ways">
          <label class="button">
            ${icon('open')}Open files
            <input
              type="file"
              multiple
              class="visually-hidden"
              data-testid="open-files"
              aria-describedby="open-files-about"
              @change=${this.choose}
            />
          </label>
          <label class="button">
            ${icon('folder')}Open a folder
            <input
              type="file"
              multiple
              webkitdirectory
              class="visually-hidden"
              data-testid="open-folder"
              aria-describedby="open-files-about"
              @change=${this.choose}
            />
          </label>
        </div>
        <p id="open-files-about" class="aside">
          or drop them anywhere on this page. Pictures in folders, one for each class; NumPy, MATLAB, CSV, Parquet,
          MNIST’s and CIFAR’s files; in zip, tar or gzip or as they are. They stay on your computer.
        </p>
        <form class="address" ?hidden=${this.opening} @submit=${this.fetch}>
          <label class="field">
            <span>or from an address</span>
            <input
              type="url"
              name="address"
              placeholder="https://"
              autocomplete="off"
              spellcheck="false"
              data-testid="address"
            />
          </label>
          <button type="submit" class="button" data-testid="fetch-address">Fetch</button>
        </form>
        ${this.renderProgress()}
      </div>
    `;
  }

  renderProgress() {
    const { opening } = this;
    return html`
      <div class="reading" data-testid="reading" ?hidden=${!opening}>
        <p class="aside" role="status">
          ${opening ? `${STAGES[opening.stage] ?? opening.stage}${opening.name ? ` ${shortened(opening.name)}` : ''} …` : ''}
        </p>
        <progress
          aria-label="Reading progress"
          max=${opening?.total || 1}
          .value=${opening?.total ? opening.done : 0}
        ></progress>
        <span class="aside number">${opening ? amount(opening) : ''}</span>
        <button type="button" class="tool" data-testid="cancel-reading" @click=${() => ask(this, 'cancel')}>
          Cancel
        </button>
      </div>
    `;
  }

  /** @param {Event} event */
  choose(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const files = chosenFiles(input.files);
    input.value = ''; // the same files can be chosen again
    if (files.length > 0) ask(this, 'openFiles', files);
  }

  /** @param {SubmitEvent} event */
  fetch(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (this.querySelector('[name=address]'));
    ask(this, 'openAddress', field.value);
  }
}

/** @param {import('../app/state.js').Opening} opening */
function amount({ done, total, unit }) {
  if (done === 0) return nothing;
  const shown = unit === 'bytes' ? bytes : count;
  return total > 0 ? `${Math.floor((100 * done) / total)} %` : shown(done);
}

/** The end of a long path says most. @param {string} name */
function shortened(name) {
  return name.length > 40 ? `…${name.slice(-39)}` : name;
}

customElements.define('tg-data-sources', DataSources);
