import { html } from 'lit';
import { DarkMode } from './dark-mode.js';
import { LightElement } from './light-element.js';

/** @typedef {{ steps: number[], values: number[] }} Series */
/** @typedef {import('uplot')} uPlot */

const HEIGHT = 152;
const TABLE_ROWS = 12;
/** Drawing takes longer than all else that a report changes, and the cores from whoever trains. */
const DRAW_EVERY_MS = 200;
/** Then it waits for the next report, to be drawn in one frame with all else that changes: each costs some milliseconds. */
const NEXT_REPORT_MS = 120;
const TABLE_EVERY_MS = 1000;
/** Part of a smoothed value that comes from the values before it. */
const SMOOTHING = 0.92;

/**
 * A curve over the steps of a run, with a mark after each epoch for pictures that were held out. Losses are noisy and
 * fall by orders of magnitude: they are drawn faintly, their moving average on top, over a logarithmic scale. Draws
 * a few times a second from the newest data; the same numbers stand in a table for whoever cannot see it.
 */
export class LineChart extends LightElement {
  static properties = {
    name: {},
    curve: { attribute: false },
    marks: { attribute: false },
    revision: { type: Number },
    awaited: { type: Boolean },
    format: { attribute: false },
    share: { type: Boolean },
    hint: {},
    pointed: { state: true },
    rows: { state: true },
  };

  constructor() {
    super();
    this.name = '';
    /** @type {Series} grows in place; `revision` says when */
    this.curve = { steps: [], values: [] };
    /** @type {Series} */
    this.marks = { steps: [], values: [] };
    this.revision = 0;
    /** There will be a curve. */
    this.awaited = false;
    /** @type {(value: number) => string} */
    this.format = String;
    /** Values are shares: the scale ends at 1. */
    this.share = false;
    /** Shown until there is a curve. */
    this.hint = '';
    /** @type {number | null} index of the point below the mouse */
    this.pointed = null;
    /** @type {[number, string][]} */
    this.rows = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.tableTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.drawTimer = undefined;
    this.drawnAt = 0;
    /** @type {uPlot | null} */
    this.plot = null;
    /** @type {Promise<void> | undefined} */
    this.loading = undefined;
    new DarkMode(this, () => this.plot?.redraw(false, true));
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      this.plot?.setSize({ width: Math.floor(contentRect.width), height: HEIGHT });
    });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.sizes.disconnect();
    clearTimeout(this.drawTimer);
    clearTimeout(this.tableTimer);
    this.tableTimer = undefined; // it may come back into the page
    this.plot?.destroy();
    this.plot = null;
    this.loading = undefined;
  }

  render() {
    const { steps, values } = this.drawn;
    const at = this.pointed ?? steps.length - 1;
    const shown = steps.length > 0 && at >= 0 ? values[at] : undefined;
    return html`
      <div class="chart-head">
        <h3>${this.name}</h3>
        <span class="number" aria-hidden="true">
          ${shown === undefined ? '' : html`step ${steps[at]} <b>${this.format(shown)}</b>`}
        </span>
      </div>
      <div class="plot ${steps.length > 0 ? '' : 'blank'}" aria-hidden="true">
        <p class="chart-hint" ?hidden=${steps.length > 0}>${this.hint}</p>
      </div>
      <div class="visually-hidden">
        <table>
          <caption>${this.name} over the steps of training</caption>
          <thead><tr><th scope="col">Step</th><th scope="col">${this.name}</th></tr></thead>
          <tbody>${this.rows.map(([step, value]) => html`<tr><td>${step}</td><td>${value}</td></tr>`)}</tbody>
        </table>
      </div>
    `;
  }

  /** The chart library comes when a curve is awaited: until there is one the box is blank and has its size. */
  async load() {
    const { default: Plot } = await import('uplot');
    const box = /** @type {HTMLElement | null} */ (this.querySelector('.plot'));
    if (!box || !this.isConnected || this.plot) return;
    this.plot = new Plot(this.options(box.clientWidth), this.columns, box);
    this.sizes.observe(box);
  }

  get columns() {
    return joined(this.curve, this.drawn, this.marks);
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (!['awaited', 'revision', 'curve', 'marks'].some((key) => changed.has(key))) return;
    if (this.awaited || this.curve.steps.length > 0 || this.marks.steps.length > 0) {
      this.loading ??= this.load().catch(() => {
        this.loading = undefined; // the next report tries again
      });
    }
    clearTimeout(this.drawTimer);
    const wait = this.drawnAt + DRAW_EVERY_MS - performance.now();
    if (wait > 0) this.drawTimer = setTimeout(() => this.draw(), wait + NEXT_REPORT_MS);
    else this.draw();
    this.tableTimer ??= setTimeout(() => {
      this.tableTimer = undefined;
      this.rows = tableRows(this.drawn, this.format);
    }, TABLE_EVERY_MS);
  }

  draw() {
    this.drawnAt = performance.now();
    this.plot?.setData(this.columns);
  }

  /** What the eye follows. */
  get drawn() {
    return this.share ? this.curve : smoothed(this.curve);
  }

  /**
   * @param {number} width
   * @returns {uPlot.Options}
   */
  options(width) {
    const colour = (/** @type {string} */ name) => () => getComputedStyle(this).getPropertyValue(name).trim();
    const font = '12px system-ui, sans-serif';
    const line = { stroke: colour('--line'), width: 1 };
    const axis = { stroke: colour('--muted'), font, ticks: { show: false } };
    return {
      width: width || 300,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { setScale: false } },
      scales: {
        x: { time: false },
        y: { distr: this.share ? 1 : 3, range: () => this.range },
      },
      axes: [
        { ...axis, size: 28, grid: { show: false }, values: (_, splits) => splits.map(shortNumber) },
        {
          ...axis,
          size: 48,
          grid: line,
          values: (_, splits) => splits.map((value) => this.tick(value)),
          ...(this.share
            ? {}
            : { splits: (_, _axis, low, high) => decades(low, high), filter: (_, splits) => splits }),
        },
      ],
      series: [
        {},
        { stroke: colour('--accent-faint'), width: 1, spanGaps: true, points: { show: false } },
        {
          stroke: colour('--accent'),
          width: 2,
          spanGaps: true,
          points: { show: (plot) => plot.data[0].length === 1, size: 6 },
        },
        {
          stroke: colour('--text'),
          width: 1.25,
          spanGaps: true,
          points: { show: true, size: 6, fill: colour('--text') },
        },
      ],
      hooks: {
        setCursor: [
          (plot) => {
            const x =
              plot.cursor.idx === null || plot.cursor.idx === undefined
                ? null
                : plot.data[0][plot.cursor.idx];
            const at = x === null ? -1 : this.curve.steps.indexOf(x);
            this.pointed = at < 0 ? null : at;
          },
        ],
      },
    };
  }

  /**
   * Lowest and highest value of the scale, after what the eye follows: a single lucky batch may fall out of it.
   * @returns {[number, number]}
   */
  get range() {
    const values = [...this.drawn.values, ...this.marks.values];
    if (values.length === 0) return [0.1, 1];
    const low = Math.min(...values);
    return this.share ? [Math.max(0, Math.floor(low * 10) / 10), 1] : [low / 2, Math.max(...values) * 1.5];
  }

  /** @param {number} value */
  tick(value) {
    return this.share ? `${Math.round(value * 100)} %` : String(Number(value.toPrecision(3)));
  }
}

/**
 * All series over one axis; null where one has nothing.
 * @param {Series[]} all
 * @returns {uPlot.AlignedData}
 */
function joined(...all) {
  const steps = [...new Set(all.flatMap((series) => series.steps))].sort((a, b) => a - b);
  const columns = all.map((series) => {
    const values = new Map(series.steps.map((step, i) => [step, series.values[i]]));
    return steps.map((step) => values.get(step) ?? null);
  });
  return /** @type {uPlot.AlignedData} */ ([steps, ...columns]);
}

/**
 * A moving average that gives older values ever less weight, and the first ones no more than their due.
 * @param {Series} series
 * @returns {Series}
 */
function smoothed({ steps, values }) {
  let sum = 0;
  let weight = 0;
  return {
    steps,
    values: values.map((value) => {
      sum = SMOOTHING * sum + (1 - SMOOTHING) * value;
      weight = SMOOTHING * weight + (1 - SMOOTHING);
      return sum / weight;
    }),
  };
}

/**
 * Round numbers between two values of a logarithmic scale: powers of ten, and 2 and 5 times those where there are few.
 * @param {number} low
 * @param {number} high
 */
function decades(low, high) {
  const factors = high / low < 100 ? [1, 2, 5] : [1];
  const numbers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of factors) numbers.push(Number(`${factor}e${power}`));
  }
  return numbers.filter((number) => number >= low && number <= high);
}

/**
 * @param {Series} series
 * @param {(value: number) => string} format
 * @returns {[number, string][]}
 */
function tableRows({ steps, values }, format) {
  const last = steps.length - 1;
  const count = Math.min(TABLE_ROWS, steps.length);
  return Array.from({ length: count }, (_, row) => {
    const i = count > 1 ? Math.round((row * last) / (count - 1)) : last;
    return [steps[i], format(values[i])];
  });
}

/** @param {number} value */
function shortNumber(value) {
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

customElements.define('tg-line-chart', LineChart);
