import { html } from 'lit';
import * as format from '../app/format.js';
import { LightElement } from './light-element.js';
import './pixel-picture.js';

/** Weights of the first layer as pictures, and the range of every tensor. */
export class WeightsView extends LightElement {
  static properties = { weights: { attribute: false }, classes: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../app/weights.js').Weights | null} */
    this.weights = null;
    /** @type {string[]} */
    this.classes = [];
  }

  render() {
    const { weights } = this;
    if (!weights) return;
    return html`
      <div class="understand-grid">
        ${weights.pictures ? this.renderPictures(weights.pictures, weights.tensors.length) : ''}
        <div>
          <h3>Ranges of the weights</h3>
          ${this.renderRanges(weights.tensors)}
          ${
            weights.dead.length > 0
              ? html`<p class="aside" data-testid="dead-units">
                  Units that answered none of 1,000 pictures:
                  ${weights.dead.map(({ name, units, dead }) => `${name} ${dead} of ${units}`).join(', ')}.
                </p>`
              : ''
          }
        </div>
      </div>
    `;
  }

  /**
   * @param {import('../app/weights.js').WeightPictures} pictures
   * @param {number} tensors of the network
   */
  renderPictures({ layer, shape, pictures, units, limit }, tensors) {
    // The units of a network's only layer are its classes.
    const names = tensors <= 2 && this.classes.length === units ? this.classes : [];
    const some =
      pictures.length < units ? `The first ${pictures.length} of ${format.count(units)} units. ` : '';
    const colours =
      shape[2] === 3 ? 'Grey: weight 0' : 'Blue: speaks for it; red: against it; clear: weight 0';
    return html`
      <div>
        <h3>What ${layer} looks for</h3>
        <p class="aside">${some}${colours}; the strongest is ${limit.toPrecision(2)}.</p>
        <ol class="weights" data-testid="weight-pictures">
          ${pictures.map(
            (pixels, unit) => html`
              <li>
                <tg-pixel-picture
                  .pixels=${pixels}
                  .shape=${shape}
                  .limit=${limit}
                  label="Weights of unit ${names[unit] ?? unit + 1}"
                ></tg-pixel-picture>
                ${names.length > 0 ? html`<span class="number" aria-hidden="true">${names[unit]}</span>` : ''}
              </li>
            `,
          )}
        </ol>
      </div>
    `;
  }

  /** @param {import('../app/weights.js').Weights['tensors']} tensors */
  renderRanges(tensors) {
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label="Ranges of the weights">
        <table class="listing" data-testid="weight-ranges">
          <caption class="visually-hidden">Ranges of the weights</caption>
          <thead>
            <tr>
              <th scope="col">Tensor</th><th scope="col">Shape</th><th scope="col">Min</th><th scope="col">Max</th>
              <th scope="col">Mean</th><th scope="col">Zeros</th>
            </tr>
          </thead>
          <tbody>
            ${tensors.map(
              (tensor) => html`
                <tr>
                  <th scope="row">${tensor.name}</th>
                  <td>${format.shape(tensor.shape)}</td>
                  <td>${format.weight(tensor.min)}</td>
                  <td>${format.weight(tensor.max)}</td>
                  <td>${format.weight(tensor.mean)}</td>
                  <td>${format.count(tensor.zeros)}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

customElements.define('tg-weights-view', WeightsView);
