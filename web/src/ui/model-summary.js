import { html } from 'lit';
import { bytes, count, shape } from '../app/format.js';
import { LightElement } from './light-element.js';

/** Layers with their shapes and parameters, and the memory that a run takes. */
export class ModelSummary extends LightElement {
  static properties = { summary: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../app/state.js').Summary | null} */
    this.summary = null;
  }

  render() {
    const { summary } = this;
    if (!summary) return html`<p class="aside">The engine is starting …</p>`;
    const { layers, parameters, memory } = summary;
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label="Layers of the network">
        <table class="summary">
          <caption class="visually-hidden">Layers of the network</caption>
          <thead>
            <tr><th scope="col">Layer</th><th scope="col">Output</th><th scope="col">Parameters</th></tr>
          </thead>
          <tbody>
            ${layers.map(
              (layer) => html`
                <tr>
                  <th scope="row">${layer.name}</th>
                  <td>${shape(layer.shape)}</td>
                  <td>${layer.parameters > 0 ? count(layer.parameters) : '–'}</td>
                </tr>
              `,
            )}
          </tbody>
          <tfoot>
            <tr><th scope="row" colspan="2">Parameters in all</th><td>${count(parameters)}</td></tr>
          </tfoot>
        </table>
      </div>
      <dl class="figures small">
        ${Object.entries({
          Weights: memory.parametersBytes,
          Optimizer: memory.optimizerBytes,
          Activations: memory.activationsBytes,
          'In all': memory.totalBytes,
        }).map(([name, value]) => html`<div><dt>${name}</dt><dd class="number">${bytes(value)}</dd></div>`)}
      </dl>
    `;
  }
}

customElements.define('tg-model-summary', ModelSummary);
