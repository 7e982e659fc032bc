import { html, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { count } from '../app/format.js';
import './data-classes.js';
import { LightElement } from './light-element.js';

/** Skipped files that are named; the others are counted. */
const NAMED = 100;

/** What was understood of the data: classes with samples, what each file was taken for, what was skipped. */
export class DataUnderstood extends LightElement {
  static properties = {
    data: { attribute: false },
    overview: { attribute: false },
    atlas: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('../app/state.js').Loaded | null} */
    this.data = null;
    /** @type {import('../app/data-overview.js').Overview | null} */
    this.overview = null;
    /** @type {import('../app/data-overview.js').Atlas | null} */
    this.atlas = null;
  }

  render() {
    const { data, overview, atlas } = this;
    if (!data || !overview) return;
    const { report } = overview;
    return html`
      ${this.renderNotices(overview)}
      ${keyed(
        overview, // a name that is being typed is not for the classes of other data
        html`<tg-data-classes
          .classes=${data.classes}
          .train=${overview.trainCounts}
          .test=${overview.testCounts}
          .atlas=${atlas}
          ?fixed=${report === null}
        ></tg-data-classes>`,
      )}
      ${report ? html`${this.renderSkipped(report)}` : nothing}
    `;
  }

  /** What is likely to go wrong with these data. @param {import('../app/data-overview.js').Overview} overview */
  renderNotices({ report, trainCounts }) {
    const shared = report?.duplicates?.count ?? 0;
    const empty = trainCounts.filter((samples) => samples === 0).length;
    const present = trainCounts.length - empty;
    const notices = [
      shared > 0 &&
        `${count(shared)} ${shared === 1 ? 'test sample is' : 'test samples are'} also in the training part: ` +
          'the test will look better than it is.',
      present === 1 && 'There is one class only, so there is nothing to tell apart.',
      empty > 0 && present > 1 && `${count(empty)} of the classes have no sample to learn from.`,
    ].filter(Boolean);
    if (notices.length === 0) return nothing;
    return html`<ul class="notices" data-testid="data-notices">${notices.map((text) => html`<li>${text}</li>`)}</ul>`;
  }

  /** @param {import('tabgrad').ImportReport} report */
  renderSkipped({ skipped, skippedCount }) {
    if (skippedCount === 0) return nothing;
    const more = skippedCount - Math.min(NAMED, skipped.length);
    return html`
      <details class="disclosure" data-testid="skipped">
        <summary>${count(skippedCount)} skipped</summary>
        <ul class="files scroll">
          ${skipped
            .slice(0, NAMED)
            .map(({ name, reason }) => html`<li><b>${name}</b> <span class="aside">${reason}</span></li>`)}
          ${more > 0 ? html`<li class="aside">and ${count(more)} more</li>` : nothing}
        </ul>
      </details>
    `;
  }
}

customElements.define('tg-data-understood', DataUnderstood);
