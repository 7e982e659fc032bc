import { html, nothing } from 'lit';
import { bytes, count, duration, loss, percent } from '../app/format.js';
import { LightElement } from './light-element.js';

/** Where training stands. The sentence is announced, so it changes rarely; the numbers below it are not. */
export class RunStatus extends LightElement {
  static properties = {
    phase: {},
    activity: {},
    continues: { type: Boolean },
    progress: { attribute: false },
    evaluation: { attribute: false },
    psnr: { attribute: false },
    summary: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').Phase} */
    this.phase = 'idle';
    this.activity = '';
    /** What is being loaded for is the run whose progress this is. */
    this.continues = false;
    /** @type {import('../app/state.js').Progress | null} */
    this.progress = null;
    /** @type {import('../app/state.js').Evaluation | null} */
    this.evaluation = null;
    /** Of test pictures that were repeated. @type {number | null} */
    this.psnr = null;
    /** @type {import('../app/state.js').Summary | null} */
    this.summary = null;
  }

  render() {
    const { phase, summary } = this;
    const progress = this.isLoadingAnother ? null : this.progress;
    const evaluation = phase === 'loading' ? null : this.evaluation;
    const running = phase === 'training';
    return html`
      <div class="standing">
        <p
          role="status"
          data-testid="status"
          data-state=${phase}
          data-epoch=${progress?.epoch ?? 0}
          data-step=${progress?.step ?? 0}
          data-loss=${progress?.loss ?? nothing}
          data-test-accuracy=${evaluation?.accuracy ?? nothing}
          data-samples-per-second=${progress ? Math.round(progress.samplesPerSecond) : 0}
        >${this.sentence}</p>
        ${evaluation ? html`<a class="aside" href="#understand">Mistakes ↓</a>` : ''}
      </div>
      <progress
        max=${(progress && progress.epochs * progress.stepsPerEpoch) || 1}
        .value=${progress?.step ?? 0}
        aria-label="Training progress"
      ></progress>
      <dl class="figures">
        ${figure('Loss', progress ? loss(progress.loss) : '–')}
        ${figure('Accuracy', typeof progress?.accuracy === 'number' ? percent(progress.accuracy) : '–')}
        ${figure('Pictures/s', running && progress ? count(progress.samplesPerSecond) : '–')}
        ${figure('Time left', running && progress ? duration(progress.secondsLeft) : '–')}
        ${figure('Memory', summary ? bytes(summary.memory.totalBytes) : '–')}
      </dl>
    `;
  }

  /** The numbers at hand are those of a run that is about to be replaced. */
  get isLoadingAnother() {
    return this.phase === 'loading' && !this.continues;
  }

  get sentence() {
    const { phase, progress, evaluation, psnr, activity } = this;
    const tested = evaluation
      ? `${percent(evaluation.accuracy)} right on ${count(evaluation.count)} test pictures`
      : psnr !== null
        ? `test pictures repeated with a PSNR of ${psnr.toFixed(1)} dB`
        : '';
    const epoch = progress
      ? `epoch ${Math.min(progress.epoch + 1, progress.epochs)} of ${progress.epochs}`
      : '';
    if (activity) return `${activity} …`;
    switch (phase) {
      case 'training':
        return progress ? `Training, ${epoch}` : 'Training';
      case 'paused':
        return `Paused at step ${count(progress?.step ?? 0)}, ${epoch}`;
      case 'stopped':
        return tested ? `Stopped: ${tested}` : 'Stopped';
      case 'done':
        return tested ? `Done: ${tested}` : 'Done';
      case 'error':
        return 'Training ended with an error';
      case 'loading':
        return 'Loading …';
      default:
        return progress ? 'Loaded, ready to train on' : 'Ready to train';
    }
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function figure(name, value) {
  return html`<div><dt>${name}</dt><dd class="number">${value}</dd></div>`;
}

customElements.define('tg-run-status', RunStatus);
