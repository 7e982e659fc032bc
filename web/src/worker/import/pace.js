// How a long reading gets along with everybody else: it says how far it is, lets others have the thread, and stops
// when it is told to.
import { makeTurn } from '../turns.js';

/** @typedef {import('../../shared/protocol.js').ReadingProgress} ReadingProgress */

/** Without a pause: what a cancel, or a training meanwhile, may have to wait. */
const SLICE_MS = 15;
const REPORT_MS = 100;

export class Pace {
  #signal;
  #report;
  #sliceEnd = performance.now() + SLICE_MS;
  #lastReport = Number.NEGATIVE_INFINITY;
  /** @type {(() => void)[]} whoever waits for the next turn: files are read ahead */
  #waiting = [];
  #takeTurn = makeTurn(() => this.#resume());
  /** @type {ReadingProgress} */
  #progress;

  /** @param {number} total  bytes @param {AbortSignal} signal @param {(progress: ReadingProgress) => void} report */
  constructor(total, signal, report) {
    this.#signal = signal;
    this.#report = report;
    this.#progress = { stage: 'reading', done: 0, total, name: '' };
  }

  /** @param {Partial<ReadingProgress>} change */
  note(change) {
    Object.assign(this.#progress, change);
  }

  /** @param {number} bytes  read; some are read twice */
  advance(bytes) {
    this.#progress.done = Math.min(this.#progress.done + bytes, this.#progress.total);
  }

  /** To be awaited often; throws the signal's reason when it is aborted. */
  async breathe() {
    const now = performance.now();
    if (now >= this.#sliceEnd) {
      if (now - this.#lastReport >= REPORT_MS) {
        this.#report({ ...this.#progress });
        this.#lastReport = now;
      }
      await new Promise((resolve) => {
        this.#waiting.push(() => resolve(null));
        this.#takeTurn();
      });
    }
    this.#signal.throwIfAborted();
  }

  #resume() {
    this.#sliceEnd = performance.now() + SLICE_MS;
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
