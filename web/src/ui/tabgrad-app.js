import { html } from 'lit';
import * as format from '../app/format.js';
import { canUndo, isChanged } from '../app/recipes.js';
import { DIGITS } from '../app/state.js';
import { LightElement } from './light-element.js';
import './data-panel.js';
import './draw-pad.js';
import './drop-overlay.js';
import './error-alert.js';
import './line-chart.js';
import './model-editor.js';
import './panels-nav.js';
import './prediction-view.js';
import './recipe-form.js';
import './run-status.js';
import './sample-picker.js';
import './train-controls.js';
import { download } from './download.js';
import { icon } from './icons.js';

/** @typedef {import('../app/state.js').State} State */

/** The page: lays the panels out, hands each what it shows and the session what a person asks for. */
export class TabgradApp extends LightElement {
  static properties = { session: { attribute: false }, state: { attribute: false }, spoken: { state: true } };

  constructor() {
    super();
    /** @type {import('../app/session.js').Session | null} */
    this.session = null;
    /** @type {State | null} */
    this.state = null;
    /** What a screen reader is told about the last drawing. */
    this.spoken = '';
    this.speakNext = false;
  }

  render() {
    const { state, session } = this;
    if (!state || !session) return;
    return html`
      ${this.renderUse(state)} ${this.renderTrain(state)}
      ${this.renderData(state)} ${this.renderModel(state)}
      ${this.renderUnderstand(state)} ${this.renderColophon(state)}
      <tg-panels-nav ?evaluated=${state.evaluation !== null || state.weights !== null}></tg-panels-nav>
      <tg-drop-overlay @data=${this.onData}></tg-drop-overlay>
      <tg-error-alert .message=${state.error} @dismiss=${() => session.dismissError()}></tg-error-alert>
    `;
  }

  /** @param {State} state */
  renderUse({ reading, classes, shape, repeater, network, testPicture, data }) {
    const isRow = shape[0] * shape[1] === 1;
    const digits = classes.every((name) => DIGITS.includes(name));
    const what = isRow ? 'Try a row' : digits ? 'Draw a digit' : 'Draw a picture';
    const part = data.train && !data.test ? 'training' : 'test';
    return html`
      <section class="panel use" id="use" aria-labelledby="use-title">
        <h2 id="use-title">${what}</h2>
        <div class="use-grid">
          ${
            isRow
              ? html`<tg-row-fields .shape=${shape} .picture=${testPicture} @ink=${this.onInk}></tg-row-fields>`
              : html`
                <tg-draw-pad
                  .shape=${shape}
                  .picture=${testPicture}
                  hint="${what} here"
                  @ink=${this.onInk}
                ></tg-draw-pad>`
          }
          <tg-prediction-view
            .reading=${reading}
            .classes=${classes}
            .shape=${shape}
            .repeater=${repeater}
            .network=${network}
            .spoken=${this.spoken}
          ></tg-prediction-view>
          <tg-sample-picker
            .picture=${testPicture}
            what="${part} ${isRow ? 'row' : 'picture'}"
            @pick=${this.onPick}
          ></tg-sample-picker>
        </div>
      </section>
    `;
  }

  /** @param {State} state */
  renderTrain(state) {
    const { phase, activity, recipes, settings, continues, progress, evaluation, summary, history } = state;
    const { epochs } = history;
    const marks = (/** @type {'heldOutLoss' | 'heldOutAccuracy'} */ key) => {
      const rows = epochs.filter((row) => row[key] !== null);
      return { steps: rows.map(({ step }) => step), values: rows.map((row) => Number(row[key])) };
    };
    return html`
      <section class="panel train" id="train" aria-labelledby="train-title">
        <h2 id="train-title">Train</h2>
        <tg-recipe-form
          .recipes=${recipes}
          .settings=${settings}
          .data=${state.data}
          ?changed=${isChanged(state)}
          ?running=${isRunning(phase)}
          @change-settings=${this.onChangeSettings}
        ></tg-recipe-form>
        <tg-train-controls
          .phase=${phase}
          ?continues=${continues}
          ?testing=${phase === 'training' && activity !== ''}
          @control=${this.onControl}
        ></tg-train-controls>
        <tg-run-status
          .phase=${phase}
          .activity=${activity}
          ?continues=${continues}
          .progress=${progress}
          .evaluation=${evaluation}
          .psnr=${state.psnr}
          .summary=${summary}
        ></tg-run-status>
        <div class="charts">
          <tg-line-chart
            data-testid="loss-chart"
            name="Loss"
            hint="The loss falls here while the network learns."
            .curve=${history.loss}
            .marks=${marks('heldOutLoss')}
            .revision=${progress?.step ?? 0}
            ?awaited=${isRunning(phase)}
            .format=${format.loss}
          ></tg-line-chart>
          <tg-line-chart
            data-testid="accuracy-chart"
            name="Accuracy"
            hint="The share of pictures read right rises here."
            .curve=${history.accuracy}
            .marks=${marks('heldOutAccuracy')}
            .revision=${progress?.step ?? 0}
            ?awaited=${isRunning(phase)}
            .format=${format.percent}
            share
          ></tg-line-chart>
        </div>
        <p class="aside">Line: pictures it learns from. Dots: pictures held out, after each epoch.</p>
      </section>
    `;
  }

  /** @param {State} state */
  renderData(state) {
    return html`
      <section class="panel data" id="data" aria-labelledby="data-title">
        <h2 id="data-title">Data</h2>
        <tg-data-panel
          .state=${state}
          ?running=${isRunning(state.phase)}
          @data=${this.onData}
          @as-written=${(/** @type {CustomEvent} */ event) => this.session?.leaveAsWritten(event.detail)}
        ></tg-data-panel>
      </section>
    `;
  }

  /** @param {State} state */
  renderModel(state) {
    const { phase, draft, summary, data, pace, canSave } = state;
    return html`
      <section class="panel model" id="model" aria-labelledby="model-title">
        <h2 id="model-title">Model</h2>
        <tg-model-editor
          data-testid="model-summary"
          .draft=${draft}
          .summary=${summary}
          .pace=${pace}
          .count=${data.train}
          ?running=${isRunning(phase)}
          ?undoable=${canUndo(state)}
          ?changed=${isChanged(state)}
          @edit=${(/** @type {CustomEvent} */ event) => this.session?.editRecipe(event.detail)}
          @type-recipe=${(/** @type {CustomEvent} */ event) => this.session?.typeRecipe(event.detail)}
          @end-typing=${() => this.session?.endTyping()}
          @undo=${() => this.session?.undoEdit()}
          @restore=${() => this.session?.restoreRecipe()}
        ></tg-model-editor>
        <div class="buttons">
          <button type="button" class="button" data-testid="save-checkpoint" ?disabled=${!canSave} @click=${this.save}>
            ${icon('save')}Save network
          </button>
          <label class="button">
            ${icon('open')}Load network
            <input
              type="file"
              accept=".safetensors"
              class="visually-hidden"
              data-testid="load-checkpoint"
              @change=${this.load}
            />
          </label>
        </div>
      </section>
    `;
  }

  /** @param {State} state */
  renderUnderstand({ evaluation, weights, data }) {
    if (!evaluation && !weights) return '';
    return html`
      <section class="panel understand" id="understand" aria-labelledby="understand-title">
        <h2 id="understand-title">Understand</h2>
        ${evaluation ? this.renderEvaluation(evaluation) : ''}
        ${
          weights
            ? html`<tg-weights-view
                data-testid="weights"
                .weights=${weights}
                .classes=${evaluation?.classes ?? data.classes}
              ></tg-weights-view>`
            : ''
        }
      </section>
    `;
  }

  /** @param {import('../app/state.js').Evaluation} evaluation */
  renderEvaluation({ classes, confusion, confused, perClass, mistakes, accuracy, count, loss }) {
    const wrong = Math.round((1 - accuracy) * count);
    return html`
      <p class="lead">
        <b class="number">${format.percent(accuracy, 2)}</b> of ${format.count(count)} test pictures read right,
        ${format.count(wrong)} wrong. Mean loss <span class="number">${format.loss(loss)}</span>.
      </p>
      <div class="understand-grid">
        <div>
          <h3>Read as</h3>
          <tg-confusion-matrix
            data-testid="confusion-matrix"
            .confusion=${confusion}
            .confused=${confused}
            .classes=${classes}
          ></tg-confusion-matrix>
        </div>
        <div>
          <h3>Class by class</h3>
          <tg-class-scores
            data-testid="class-scores"
            .perClass=${perClass}
            .confused=${confused}
            .classes=${classes}
          ></tg-class-scores>
        </div>
        <div class="wide" ?hidden=${mistakes.length === 0}>
          <h3>Worst mistakes</h3>
          <p class="aside">What it is → what it was read as, and the loss. Choose one to put it on the pad.</p>
          <tg-mistakes-grid .mistakes=${mistakes} .classes=${classes} @pick=${this.onPick}></tg-mistakes-grid>
        </div>
      </div>
    `;
  }

  /** @param {State} state */
  renderColophon({ engine }) {
    const threads = engine && (engine.threads === 1 ? 'one thread' : `${engine.threads} threads`);
    return html`
      <footer class="colophon aside">
        <span>${engine ? `Computed here, by WebAssembly SIMD in ${threads}` : 'The engine is starting'}</span>
        <a href="THIRD-PARTY-NOTICES.txt">Third-party notices</a>
      </footer>
    `;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    const before = /** @type {State | undefined} */ (changed.get('state'));
    if (this.state) this.loadParts(this.state, before);
    const answer = this.state?.reading.answer;
    if (!this.state || !answer || !this.speakNext || answer === before?.reading.answer) return;
    this.speakNext = false;
    const { classes, repeater } = this.state;
    this.spoken = repeater
      ? 'The network repeats the picture'
      : `Read as ${classes[answer.best]}, ${format.percent(answer.probabilities[answer.best], 0)}`;
  }

  /** What shows what was learned comes while the network learns. Where that fails, it is asked for again with the next phase.
   * @param {State} state @param {State} [before] */
  loadParts({ phase, weights }, before) {
    if (phase === before?.phase && weights === before.weights) return;
    if (phase !== 'idle' || weights) import('./understand.js').catch(() => {});
  }

  /** @param {CustomEvent} event */
  onInk({ detail: { image, since, final } }) {
    this.speakNext = final;
    this.session?.draw(image, since);
  }

  /** @param {CustomEvent} event */
  onPick({ detail }) {
    this.speakNext = true;
    this.querySelector('.use-grid > *')?.scrollIntoView({ block: 'nearest' });
    this.session?.showTestPicture(detail);
  }

  /** @param {CustomEvent} event */
  onChangeSettings({ detail }) {
    this.session?.changeSettings(detail);
  }

  /** @param {CustomEvent<'train' | 'pause' | 'step' | 'stop' | 'reset'>} event */
  onControl({ detail: action }) {
    // What was typed but not yet left counts too.
    const form = /** @type {import('./recipe-form.js').RecipeForm} */ (this.querySelector('tg-recipe-form'));
    this.session?.[action](form.values);
  }

  /** @param {CustomEvent<{ action: keyof import('../app/data-session.js').DataSession, value: any }>} event */
  onData({ detail: { action, value } }) {
    if (action === 'openDropped') this.querySelector('#data')?.scrollIntoView({ block: 'nearest' });
    const session = /** @type {Record<string, (value: unknown) => unknown> | undefined} */ (
      /** @type {unknown} */ (this.session?.data)
    );
    session?.[action](value);
  }

  async save() {
    const file = await this.session?.saveCheckpoint();
    if (file) download(file.name, /** @type {BlobPart} */ (file.bytes));
  }

  /** @param {Event} event */
  load(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const [file] = input.files ?? [];
    if (file) this.session?.loadCheckpoint(file);
    input.value = '';
  }
}

/** @param {import('../app/state.js').Phase} phase */
function isRunning(phase) {
  return phase === 'loading' || phase === 'training' || phase === 'paused';
}

customElements.define('tabgrad-app', TabgradApp);
