import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { percent } from '../app/format.js';
import { pixelsOf } from '../app/repeater.js';
import { LightElement } from './light-element.js';
import './pixel-picture.js';

/** Bars beyond these are scrolled to. */
const MOST_BARS = 14;

/** What the network sees on the pad and what it makes of it: the best class, one bar per class, how long it took. */
export class PredictionView extends LightElement {
  static properties = {
    reading: { attribute: false },
    classes: { attribute: false },
    shape: { attribute: false },
    repeater: { attribute: false },
    network: {},
    spoken: {},
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').Reading} */
    this.reading = { image: null, answer: null };
    /** @type {string[]} */
    this.classes = [];
    /** @type {number[]} */
    this.shape = [28, 28, 1];
    /** Of a network that answers with a picture. @type {import('../app/repeater.js').Repeater | null} */
    this.repeater = null;
    /** Who answers, in a few words. */
    this.network = '';
    /** The answer in words, given only when the hand rests: a screen reader should not follow every stroke. */
    this.spoken = '';
  }

  render() {
    const { image, answer } = this.reading;
    return html`
      <div class="verdict">
        <figure class="seen" ?hidden=${this.shape[0] * this.shape[1] === 1}>
          <tg-pixel-picture .pixels=${image} .shape=${this.shape}></tg-pixel-picture>
          <figcaption>it sees</figcaption>
        </figure>
        ${this.repeater ? this.renderRepeated(this.repeater) : this.renderBest()}
      </div>
      <ul
        data-testid="prediction-bars"
        data-answer=${answer?.serial ?? 0}
        aria-label="Probability of each class"
        tabindex=${this.classes.length > MOST_BARS ? '0' : nothing}
      >
        ${repeat(
          this.classes,
          (name) => name,
          (name, i) => this.renderBar(name, answer?.probabilities[i] ?? 0, i === answer?.best),
        )}
      </ul>
      <p class="aside">
        ${this.network ? html`Read by ${this.network}` : 'The network is loading'}${
          answer
            ? html` in <span class="number" data-testid="latency">${latency(answer.milliseconds)}</span>`
            : ''
        }
      </p>
      <p class="visually-hidden" aria-live="polite">${this.spoken}</p>
    `;
  }

  renderBest() {
    const { answer } = this.reading;
    const best = answer ? (this.classes[answer.best] ?? '–') : '–';
    const size = answer ? (best.length > 2 ? 'long' : '') : 'none';
    return html`
      <figure class="answer">
        <output data-testid="prediction" class=${size} aria-live="off">${best}</output>
        <figcaption>it reads</figcaption>
      </figure>
    `;
  }

  /** @param {import('../app/repeater.js').Repeater} repeater */
  renderRepeated(repeater) {
    const values = this.reading.answer?.probabilities;
    const size = repeater.shape.reduce((product, side) => product * side, 1);
    const pixels = values?.length === size ? pixelsOf(repeater, values) : null; // else of the network before
    return html`
      <figure class="seen">
        <tg-pixel-picture
          data-testid="repeated"
          label="The picture as the network repeats it"
          .pixels=${pixels}
          .shape=${repeater.shape}
        ></tg-pixel-picture>
        <figcaption data-testid="prediction">it repeats</figcaption>
      </figure>
    `;
  }

  /**
   * @param {string} name
   * @param {number} probability
   * @param {boolean} best
   */
  renderBar(name, probability, best) {
    return html`
      <li class=${best ? 'best' : ''} data-class=${name} data-probability=${probability}>
        <span class="name">${name}</span>
        <span class="track"><span class="fill" .style=${`--share: ${probability}`}></span></span>
        <span class="number">${percent(probability, 0)}</span>
      </li>
    `;
  }
}

/** @param {number} milliseconds */
function latency(milliseconds) {
  return milliseconds < 9.95 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}

customElements.define('tg-prediction-view', PredictionView);
