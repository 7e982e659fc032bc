import { html } from 'lit';
import { count, percent } from '../app/format.js';
import { LateElement } from './late-element.js';

const MOST_PAIRS = 5;

/** Precision and recall of every class, and which classes are taken for which. */
export class ClassScores extends LateElement {
  static properties = {
    perClass: { attribute: false },
    confused: { attribute: false },
    classes: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').Evaluation['perClass']} */
    this.perClass = [];
    /** Pairs, the most frequent first. @type {import('../app/state.js').Evaluation['confused']} */
    this.confused = [];
    /** @type {string[]} */
    this.classes = [];
  }

  render() {
    const { perClass, classes, confused } = this;
    return html`
      <div class="scroll tall" tabindex="0" role="region" aria-label="Scores of each class">
        <table class="listing">
          <caption class="visually-hidden">Scores of each class</caption>
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" title="Of what was read as this class, the share that is">Precision</th>
              <th scope="col" title="Of what is this class, the share that was found">Recall</th>
              <th scope="col">Pictures</th>
            </tr>
          </thead>
          <tbody>
            ${perClass.map(
              (score, label) => html`
                <tr>
                  <th scope="row">${classes[label]}</th>
                  <td>${share(score.precision)}</td>
                  <td>${share(score.recall)}</td>
                  <td>${count(score.count)}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      <p class="aside">
        Precision: of what was read as a class, the share that is. Recall: of what is a class, the share that was found.
      </p>
      <h3>Most often confused</h3>
      <ol class="pairs" data-testid="confused-pairs">
        ${confused.slice(0, MOST_PAIRS).map(
          (pair) => html`
            <li>
              <b>${classes[pair.actual]}</b> read as <b>${classes[pair.predicted]}</b>
              <span class="number aside">${count(pair.count)} times</span>
            </li>
          `,
        )}
      </ol>
      ${confused.length === 0 ? html`<p class="aside">Nothing was read wrong.</p>` : ''}
    `;
  }
}

/** @param {number | null} value null: there is nothing to have a share of */
function share(value) {
  return value === null ? '–' : percent(value);
}

customElements.define('tg-class-scores', ClassScores);
