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
  #summedOver;

  /**
   * @param {import('./recipes.js').Recipe} [recipe] of the run, every default filled in. Where its losses are sums over
   *   a batch, each step's is divided by the pictures in it: the loss of held-out pictures is a mean, and both stand
   *   on one scale.
   */
  constructor(recipe) {
    const losses = recipe?.losses ?? [];
    const sums = losses.length > 0 && losses.every((/** @type {any} */ { reduction }) => reduction === 'sum');
    this.#summedOver = sums ? Number(recipe?.batch_size) : 1;
  }

  /**
   * What a loaded run remembers of its epochs.
   * @param {import('tabgrad').History['epochs']} epochs
   * @param {import('./recipes.js').Recipe} recipe
   */
  static of(epochs, recipe) {
    const history = new History(recipe);
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
    this.loss.append(report.firstStep + 1, this.#summedOver > 1 ? this.#means(report) : report.stepLosses);
    if (report.accuracy !== null) this.accuracy.append(report.step, [report.accuracy]);
  }

  /** @param {Report} report */
  #means({ firstStep, stepLosses, stepsPerEpoch, epoch, samples, epochStep }) {
    const full = this.#summedOver;
    const atEnd = epochStep === stepsPerEpoch ? 1 : 0; // of an epoch that is yet to be counted
    const inEpoch = (samples - (atEnd ? 0 : epochStep * full)) / (epoch + atEnd); // known once one has ended
    const last = inEpoch - (stepsPerEpoch - 1) * full;
    return stepLosses.map((loss, i) => loss / ((firstStep + i + 1) % stepsPerEpoch === 0 ? last : full));
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
