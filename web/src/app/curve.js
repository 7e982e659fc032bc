// A series of any length in a bounded number of points: neighbours are averaged whenever the points run out, so that a
// chart of a million steps costs what one of a thousand costs and every step still counts.

export class Curve {
  /** Steps averaged in one point. */
  #span = 1;
  #limit;
  #sum = 0;
  #pending = 0;
  /** @type {number[]} */
  #steps = [];
  /** @type {number[]} */
  #values = [];

  /** @param {number} [limit] points kept at most; even */
  constructor(limit = 800) {
    this.#limit = limit;
  }

  /** Last step of each point. */
  get steps() {
    return this.#steps;
  }

  /** Mean value of each point. */
  get values() {
    return this.#values;
  }

  get span() {
    return this.#span;
  }

  /**
   * @param {number} firstStep
   * @param {ArrayLike<number>} values one a step
   */
  append(firstStep, values) {
    for (let i = 0; i < values.length; i++) {
      this.#sum += values[i];
      this.#pending++;
      if (this.#pending < this.#span) continue;
      this.#steps.push(firstStep + i);
      this.#values.push(this.#sum / this.#pending);
      this.#sum = 0;
      this.#pending = 0;
      if (this.#steps.length >= this.#limit) this.#halve();
    }
  }

  #halve() {
    const half = this.#steps.length >> 1;
    for (let i = 0; i < half; i++) {
      this.#steps[i] = this.#steps[2 * i + 1];
      this.#values[i] = (this.#values[2 * i] + this.#values[2 * i + 1]) / 2;
    }
    this.#steps.length = half;
    this.#values.length = half;
    this.#span *= 2;
  }
}
