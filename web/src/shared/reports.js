// Reports of a training on their way to whoever iterates over train().

/** @typedef {import('./protocol.js').Report} Report */

/** Two consecutive reports as one: no step's loss is lost.
 * @param {Report} earlier @param {Report} later @returns {Report} */
export function mergeReports(earlier, later) {
  const stepLosses = new Float32Array(earlier.stepLosses.length + later.stepLosses.length);
  stepLosses.set(earlier.stepLosses);
  stepLosses.set(later.stepLosses, earlier.stepLosses.length);
  const epochFinished = earlier.epochFinished || later.epochFinished;
  return { ...later, epochFinished, firstStep: earlier.firstStep, stepLosses };
}

/**
 * What train() returns: an endless reader cannot fall behind, because reports that it has not fetched yet are merged
 * (never across the end of an epoch). Leaving the loop early stops the training.
 * @implements {AsyncIterableIterator<Report, undefined>}
 */
export class ReportStream {
  /** @type {Report[]} */
  #waiting = [];
  /** @type {{ resolve: (result: IteratorResult<Report, undefined>) => void, reject: (error: Error) => void }[]} */
  #readers = [];
  #isOpen = true;
  /** @type {Error | null} */
  #error = null;
  #onLeave;

  /** @param {() => Promise<unknown>} onLeave  called when the reader leaves before the end */
  constructor(onLeave) {
    this.#onLeave = onLeave;
  }

  /** @param {Report} report */
  push(report) {
    if (!this.#isOpen) return;
    const reader = this.#readers.shift();
    const last = this.#waiting.at(-1);
    if (reader) reader.resolve({ done: false, value: report });
    else if (last && !last.epochFinished)
      this.#waiting[this.#waiting.length - 1] = mergeReports(last, report);
    else this.#waiting.push(report);
  }

  /** @param {Error} [error]  thrown to the reader once it has read what came before */
  end(error) {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#error = error ?? null;
    for (const reader of this.#readers.splice(0)) this.next().then(reader.resolve, reader.reject);
  }

  /** @returns {Promise<IteratorResult<Report, undefined>>} */
  next() {
    const value = this.#waiting.shift();
    if (value) return Promise.resolve({ done: false, value });
    if (this.#isOpen) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = null;
    return error ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
  }

  /** @returns {Promise<IteratorResult<Report, undefined>>} */
  async return() {
    this.#waiting = [];
    if (this.#isOpen) {
      this.end();
      await this.#onLeave();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
