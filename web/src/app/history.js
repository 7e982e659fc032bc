// What the charts draw: every step's loss, and after each epoch how the network did on pictures it does not learn from.
import { Curve } from './curve.js';

/** @typedef {import('tabgrad').Report} Report */

/**
 * @typedef {object} EpochRow
 * @property {number} epoch
 * @property {number} step
 * @property {number} loss
 * @property {number | null} accuracy
 * @property {number | null} heldOutLoss
 * @property {number | null} heldOutAccuracy
 */

export class History {
  loss = new Curve();
  accuracy = new Curve();
  /** @type {EpochRow[]} */
  epochs = [];

  /**
   * What a loaded run remembers of its epochs.
   * @param {import('tabgrad').History['epochs']} epochs
   */
  static of(epochs) {
    const history = new History();
    history.epochs = epochs.map(({ epoch, step, loss, accuracy, held_out_loss, held_out_accuracy }) => ({
      epoch,
      step,
      loss,
      accuracy,
      heldOutLoss: held_out_loss ?? null,
      heldOutAccuracy: held_out_accuracy ?? null,
    }));
    history.#lastStep = epochs.at(-1)?.step ?? 0;
    return history;
  }

  #lastStep = 0;

  /** @param {Report} report one that repeats what is known adds nothing */
  append(report) {
    if (report.epochFinished && this.epochs.at(-1)?.epoch !== report.epoch) this.#finishEpoch(report);
    if (report.step <= this.#lastStep) return;
    this.#lastStep = report.step;
    this.loss.append(report.firstStep + 1, report.stepLosses);
    if (report.accuracy !== null) this.accuracy.append(report.step, [report.accuracy]);
  }

  /** @param {Report} report */
  #finishEpoch({ epoch, step, loss, accuracy, heldOut }) {
    this.epochs.push({
      epoch,
      step,
      loss,
      accuracy,
      heldOutLoss: heldOut ? heldOut.loss : null,
      heldOutAccuracy: heldOut ? heldOut.accuracy : null,
    });
  }
}
