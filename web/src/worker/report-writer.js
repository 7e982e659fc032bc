// From what the engine says after each slice of training to the reports that are sent: about ten a second, one at the
// end of every epoch, and every step's loss in exactly one of them.

/** @typedef {import('../shared/protocol.js').Progress} Progress */
/** @typedef {import('../shared/protocol.js').Report} Report */

/** The rate is measured over between one and two of these. */
const RATE_WINDOW_MS = 1000;

export class ReportWriter {
  /** @type {Report[]} */
  #complete = [];
  /** @type {Progress | null} */
  #newest = null;
  /** Of the steps since the last report. @type {number[]} */
  #losses = [];
  #recent = { samples: 0, ms: 0 };
  #before = { samples: 0, ms: 0 };
  #steps = 0;
  #ms = 0;
  #samples;

  /** @param {Progress} start */
  constructor(start) {
    this.#samples = start.samples;
  }

  /**
   * @param {Progress} progress  after the slice
   * @param {Float32Array} losses  begins with those of the steps finished in it
   * @param {number} steps  as many as these
   * @param {number} ms  it took, with what went on between it and the slice before
   */
  add(progress, losses, steps, ms) {
    this.#recent.samples += progress.samples - this.#samples;
    this.#recent.ms += ms;
    this.#samples = progress.samples;
    if (this.#recent.ms >= RATE_WINDOW_MS) {
      this.#before = this.#recent;
      this.#recent = { samples: 0, ms: 0 };
    }
    this.#steps += steps;
    this.#ms += ms;
    if (steps === 0 && !progress.epochFinished) return;
    for (let i = 0; i < steps; i++) this.#losses.push(losses[i]);
    this.#newest = progress;
    if (progress.epochFinished) this.#complete.push(this.write(progress));
  }

  /** What has not been taken yet. @param {number} lastEpoch  where the training will end @returns {Report[]} */
  take(lastEpoch) {
    if (this.#newest) this.#complete.push(this.write(this.#newest));
    const reports = this.#complete;
    this.#complete = [];
    const secondsPerStep = this.#steps > 0 ? this.#ms / this.#steps / 1000 : 0;
    for (const report of reports) {
      const { epoch, epochStep, stepsPerEpoch } = report;
      const stepsLeft = (lastEpoch - epoch) * stepsPerEpoch - epochStep;
      report.secondsLeft = Math.max(0, stepsLeft) * secondsPerStep;
    }
    return reports;
  }

  /** A report of what has been added since the last one.
   * @param {Progress} progress @returns {Report} */
  write(progress) {
    const stepLosses = new Float32Array(this.#losses);
    const ms = this.#recent.ms + this.#before.ms;
    this.#losses = [];
    this.#newest = null;
    return {
      ...progress,
      firstStep: progress.step - stepLosses.length,
      stepLosses,
      samplesPerSecond: ms > 0 ? ((this.#recent.samples + this.#before.samples) / ms) * 1000 : 0,
      secondsLeft: 0,
    };
  }
}
