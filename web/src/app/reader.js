// Asks a network to read pictures, one at a time: while an answer is under way, only the newest picture waits for the
// next. A hand draws faster than a busy worker may answer; stale pictures would make every later answer late.

/**
 * @typedef {Uint8Array | Float32Array} Image
 * @typedef {{ predict(images: Image): Promise<Float32Array> }} Network
 * @typedef {{ probabilities: Float32Array, best: number, milliseconds: number, serial: number }} Answer
 *   milliseconds: from `since` to the answer; serial: counts the answers
 */

export class Reader {
  /** @type {Network | null} */
  #network = null;
  /** @type {Image | null} */
  #image = null;
  /** @type {{ image: Image, since: number } | null} */
  #waiting = null;
  #busy = false;
  #serial = 0;
  #onAnswer;
  #onFailure;

  /**
   * @param {(answer: Answer | null) => void} onAnswer null: there is nothing to read
   * @param {(error: Error) => void} onFailure
   */
  constructor(onAnswer, onFailure) {
    this.#onAnswer = onAnswer;
    this.#onFailure = onFailure;
  }

  /** From now on this network answers, at once for the picture at hand. @param {Network | null} network */
  use(network) {
    this.#network = network;
    this.reread();
    this.#answer();
  }

  /**
   * @param {Image | null} image null: the pad is empty
   * @param {number} [since] when the picture was made, on performance.now()'s clock
   */
  read(image, since = performance.now()) {
    this.#image = image;
    this.#waiting = image && { image, since };
    if (!image) this.#onAnswer(null);
    else this.#answer();
  }

  /** Reads the picture at hand again: the network has learned since. */
  reread() {
    if (this.#image && !this.#waiting) this.read(this.#image);
  }

  async #answer() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting && this.#network) {
      const network = this.#network;
      const { image, since } = this.#waiting;
      this.#waiting = null;
      try {
        const probabilities = await network.predict(image);
        if (network !== this.#network) this.#waiting ??= this.#image && { image: this.#image, since };
        else if (this.#image) this.#onAnswer(this.#judge(probabilities, since));
      } catch (error) {
        if (network === this.#network) this.#onFailure(/** @type {Error} */ (error));
      }
    }
    this.#busy = false;
  }

  /**
   * @param {Float32Array} probabilities
   * @param {number} since
   * @returns {Answer}
   */
  #judge(probabilities, since) {
    let best = 0;
    for (let i = 1; i < probabilities.length; i++) if (probabilities[i] > probabilities[best]) best = i;
    return { probabilities, best, milliseconds: performance.now() - since, serial: ++this.#serial };
  }
}
