import { html } from 'lit';
import './confusion-map.js';
import { LateElement } from './late-element.js';

/** Letters of a class name that fit over a column; longer ones stand on end. */
const WIDE_NAME = 3;

/** Classes of which every cell shows its number; with more, nobody could read them. */
const MOST_CLASSES = 40;

/** Which class was read as which: rows are true, columns are read; the darker a wrong cell, the more often. */
export class ConfusionMatrix extends LateElement {
  static properties = {
    confusion: { attribute: false },
    confused: { attribute: false },
    classes: { attribute: false },
  };

  constructor() {
    super();
    /** @type {number[][]} */
    this.confusion = [];
    /** Pairs, the most frequent first. @type {import('../app/state.js').Evaluation['confused']} */
    this.confused = [];
    /** @type {string[]} */
    this.classes = [];
  }

  render() {
    const { confusion, confused, classes } = this;
    const most = confused[0]?.count ?? 1;
    return html`
      ${
        classes.length > MOST_CLASSES
          ? html`<tg-confusion-map .confusion=${confusion} .most=${most} .classes=${classes}></tg-confusion-map>`
          : this.renderTable(most)
      }
      <p class="aside">Rows: what it is. Columns: what it was read as.</p>
    `;
  }

  /** @param {number} most */
  renderTable(most) {
    const { confusion, classes } = this;
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
        <table class="confusion ${classes.some((name) => name.length > WIDE_NAME) ? 'upright' : ''}">
          <caption class="visually-hidden">How many pictures of each class (rows) were read as each class (columns)</caption>
          <thead>
            <tr>
              <th scope="col"><span class="visually-hidden">true class</span></th>
              ${classes.map((name) => html`<th scope="col"><span>${name}</span></th>`)}
            </tr>
          </thead>
          <tbody>
            ${confusion.map((row, truth) => this.renderRow(row, truth, most))}
          </tbody>
        </table>
      </div>
    `;
  }

  /**
   * @param {number[]} row
   * @param {number} truth
   * @param {number} most
   */
  renderRow(row, truth, most) {
    return html`
      <tr>
        <th scope="row">${this.classes[truth]}</th>
        ${row.map((cell, read) => {
          if (read === truth) return html`<td class="right">${cell}</td>`;
          const shade = cell === 0 ? 0 : 0.08 + (0.42 * cell) / most;
          return html`<td class=${cell === 0 ? 'none' : ''} .style=${`--shade: ${shade * 100}%`}>${cell}</td>`;
        })}
      </tr>
    `;
  }
}

customElements.define('tg-confusion-matrix', ConfusionMatrix);
