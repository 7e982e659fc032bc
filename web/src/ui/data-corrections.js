import { html, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { count, shape } from '../app/format.js';
import { ask } from './data-ask.js';
import { LateElement } from './late-element.js';

/** What the reader calls formats, in a person's words. @type {Record<string, string>} */
const FORMATS = {
  idx: 'IDX',
  npy: 'NumPy array',
  mat: 'MATLAB array',
  csv: 'table',
  array: 'column',
  text: 'list',
  'cifar-10': 'CIFAR-10 batch',
  'cifar-100': 'CIFAR-100 batch',
};

/** Where a file has gone. @type {Record<string, string>} */
const PARTS = { train: 'to learn from', test: 'to test with' };

const ROLES = { train: 'learn from', test: 'test with', ignore: 'leave out' };
const FITS = { crop: 'fill, cut the rest', fit: 'all of it, black around', stretch: 'stretched' };
const COLOURS = { rgb: 'colour', gray: 'grey' };

/** Sides of pictures that are offered, as long as what is typed is one. */
const SIDES = { min: 1, max: 1024 };

/** A browser says what is wrong with a field, but not where that is out of sight; it tells the field alone of it.
 * @type {EventListenerObject & AddEventListenerOptions} */
const SHOW_WHAT_IS_WRONG = {
  capture: true,
  handleEvent({ target }) {
    const details = /** @type {HTMLElement} */ (target).closest('details');
    if (details) details.open = true;
  },
};

/**
 * What each file was taken for, and how it can be read otherwise. Asks to `correct` with everything as it stands in the
 * form.
 */
export class DataCorrections extends LateElement {
  static properties = {
    report: { attribute: false },
    opened: {},
    corrections: { attribute: false },
    hasTest: { type: Boolean },
    kept: { type: Boolean },
    busy: { type: Boolean },
    changed: { state: true },
  };

  constructor() {
    super();
    /** @type {import('tabgrad').ImportReport | null} */
    this.report = null;
    /** What was opened. */
    this.opened = '';
    /** As they are in force. @type {import('../app/data-shelf.js').Corrections} */
    this.corrections = { options: {}, classes: null, split: null };
    /** There are test samples, whether the files have them or they were split off. */
    this.hasTest = false;
    /** The data come from the browser's store: the files are gone, so only a split can be made. */
    this.kept = false;
    /** Something is being read. */
    this.busy = false;
    /** The form is not as the corrections in force. */
    this.changed = false;
  }

  render() {
    const { report, corrections, hasTest, kept } = this;
    if (!report) return;
    const { options, split } = corrections;
    // What a person has typed stays until they apply it; other data begin with a fresh form.
    const form = html`
      <form class="corrections" @input=${this.touch} @invalid=${SHOW_WHAT_IS_WRONG} @submit=${this.apply}>
        <details class="disclosure" open>
          <summary>What was read</summary>
          <ul class="files" data-testid="sources">${report.sources.map((source) => this.renderSource(source))}</ul>
        </details>
        ${kept ? nothing : this.renderReading(options, report)}
        ${!hasTest || split ? this.renderSplit(split) : nothing}
        <button
          type="submit"
          class="button"
          data-testid="read-again"
          ?hidden=${!this.changed}
          ?disabled=${this.busy}
        >
          Read again
        </button>
      </form>
    `;
    return keyed(report, form);
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('report')) this.changed = false;
  }

  /** @param {import('tabgrad').ImportReport['sources'][number]} source */
  renderSource(source) {
    const { name, note } = source;
    const short = name.startsWith(`${this.opened}/`) ? name.slice(this.opened.length + 1) : name;
    return html`
      <li class="described" data-source=${name}>
        <p><b>${short}</b></p>
        <p class="aside number">${described(source)}</p>
        ${note ? html`<p class="aside">${note}</p>` : nothing}
        ${
          note?.includes('transposed')
            ? html`<p><button type="button" class="tool" data-testid="transpose" @click=${this.transpose}>Turn them</button></p>`
            : nothing
        }
        ${this.hasRole(source) ? this.renderRole(source) : nothing}
      </li>
    `;
  }

  /**
   * Samples can be learned from, tested with or left out; what only goes with them, or lies in several parts, cannot.
   * @param {import('tabgrad').ImportReport['sources'][number]} source
   */
  hasRole({ name, shape }) {
    const isAlone = this.report?.sources.filter((other) => other.name === name).length === 1;
    return !this.kept && isAlone && shape.length > 1;
  }

  /** @param {import('tabgrad').ImportReport['sources'][number]} source */
  renderRole({ name, part }) {
    const role = this.corrections.options.roles?.[name] ?? roleOf(part);
    return html`
      <label class="field role">
        <span class="visually-hidden">What to do with ${name}</span>
        <select name="role" data-file=${name} .value=${role}>
          ${Object.entries(ROLES).map(
            ([value, title]) => html`<option value=${value} ?selected=${value === role}>${title}</option>`,
          )}
        </select>
      </label>
    `;
  }

  /**
   * @param {import('tabgrad').ReadOptions} options
   * @param {import('tabgrad').ImportReport} report
   */
  renderReading({ size, fit, color, transposed, label_column: labelColumn, labels }, { sources }) {
    const has = (/** @type {RegExp} */ format) => sources.some((source) => format.test(source.format));
    return html`
      <details class="disclosure" data-testid="reading-options">
        <summary>Read them differently</summary>
        <div class="fields">
          ${this.renderSide('height', 'Height', size?.[0])} ${this.renderSide('width', 'Width', size?.[1])}
          ${choice('fit', 'Where the shape differs', { '': 'as it is', ...FITS }, fit)}
          ${choice('color', 'Colour', { '': 'as it is', ...COLOURS }, color)}
          ${
            has(/csv|tsv|table/i)
              ? html`<label class="field">
                  <span>Labels in the column</span>
                  <input name="label_column" list="label-columns" placeholder="first, last or its header" .value=${labelColumn ?? ''} />
                  <datalist id="label-columns"><option value="first"></option><option value="last"></option></datalist>
                </label>`
              : nothing
          }
          ${has(/cifar-100/i) ? choice('labels', 'Labels', { fine: 'fine, 100', coarse: 'coarse, 20' }, labels) : nothing}
          <label class="check wide">
            <input type="checkbox" name="transposed" .checked=${transposed === true} />Rows and columns change
            places (EMNIST)
          </label>
        </div>
      </details>
    `;
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {number | undefined} value
   */
  renderSide(name, title, value) {
    return html`
      <label class="field">
        <span>${title}</span>
        <input
          type="number"
          name=${name}
          min=${SIDES.min}
          max=${SIDES.max}
          placeholder="as it is"
          .value=${value === undefined ? '' : String(value)}
        />
      </label>
    `;
  }

  /** @param {import('../app/data-shelf.js').Corrections['split']} split */
  renderSplit(split) {
    return html`
      <details class="disclosure" data-testid="split-options" ?open=${split !== null}>
        <summary>Hold samples back to test with</summary>
        <div class="fields">
          <label class="field">
            <span>Share, in percent</span>
            <input
              type="number"
              name="fraction"
              min="1"
              max="99"
              placeholder="none"
              data-testid="split-fraction"
              .value=${split ? String(Math.round(100 * split.fraction)) : ''}
            />
          </label>
          <label class="field">
            <span>Seed</span>
            <input type="number" name="split_seed" min="0" .value=${String(split?.seed ?? 1)} />
          </label>
          <label class="check wide">
            <input type="checkbox" name="stratified" .checked=${split?.stratified ?? true} />The same share of
            every class
          </label>
        </div>
      </details>
    `;
  }

  transpose() {
    const { options, ...values } = this.values;
    ask(this, 'correct', { ...values, options: { ...options, transposed: true } });
  }

  touch() {
    this.changed = true;
    const sides = [...this.querySelectorAll('[name=height], [name=width]')];
    const isSize = sides.some((side) => /** @type {HTMLInputElement} */ (side).value !== '');
    for (const side of sides) /** @type {HTMLInputElement} */ (side).required = isSize;
  }

  /** @param {SubmitEvent} event */
  apply(event) {
    event.preventDefault();
    this.changed = false;
    ask(this, 'correct', this.values);
  }

  /** Everything as it stands in the form. @returns {import('../app/data-shelf.js').Corrections} */
  get values() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector('form'));
    const fields = new FormData(form);
    const text = (/** @type {string} */ name) => String(fields.get(name) ?? '').trim();
    const number = (/** @type {string} */ name) => Number(text(name));
    const fraction = number('fraction') / 100;
    const options = /** @type {import('tabgrad').ReadOptions} */ (
      Object.fromEntries(
        Object.entries({
          roles: this.roles,
          size: text('height') && text('width') ? [number('height'), number('width')] : undefined,
          fit: text('fit') || undefined,
          color: text('color') || undefined,
          labels: text('labels') || undefined,
          label_column: text('label_column') || undefined,
          transposed: fields.has('transposed') || undefined,
        }).filter(([, value]) => value !== undefined),
      )
    );
    const split =
      fraction > 0 && fraction < 1
        ? { fraction, seed: number('split_seed'), stratified: fields.has('stratified') }
        : null;
    return { options, classes: this.corrections.classes, split };
  }

  /** Of files whose role is not the one that was found, or was chosen before. */
  get roles() {
    const { roles = {} } = this.corrections.options;
    /** @type {Record<string, string>} */
    const chosen = {};
    for (const select of this.querySelectorAll('select[name=role]')) {
      const { value, dataset } = /** @type {HTMLSelectElement} */ (select);
      const name = String(dataset.file);
      const found = roleOf(this.report?.sources.find((source) => source.name === name)?.part);
      if (value !== found || name in roles) chosen[name] = value;
    }
    return Object.keys(chosen).length > 0 ? chosen : undefined;
  }
}

/** @param {string | undefined} part of a report @returns {keyof typeof ROLES} */
function roleOf(part) {
  return part === 'test' ? 'test' : part === 'train' ? 'train' : 'ignore';
}

/** A file in a few words. @param {import('tabgrad').ImportReport['sources'][number]} source */
function described({ format, count: samples, shape: [height, width, ...rest], part }) {
  const isRow = height === 1 && width === 1;
  const size =
    width === undefined ? '' : ` of ${isRow ? `${rest} numbers` : shape([height, width, ...rest])}`;
  const where = part === 'labels' ? ' labels' : PARTS[part] ? `, ${PARTS[part]}` : '';
  return `${FORMATS[format] ?? format}: ${count(samples)}${size}${where}`;
}

/**
 * @param {string} name
 * @param {string} title
 * @param {Record<string, string>} choices
 * @param {string | undefined} chosen
 */
function choice(name, title, choices, chosen = Object.keys(choices)[0]) {
  return html`
    <label class="field">
      <span>${title}</span>
      <select name=${name} .value=${chosen}>
        ${Object.entries(choices).map(
          ([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`,
        )}
      </select>
    </label>
  `;
}

customElements.define('tg-data-corrections', DataCorrections);
