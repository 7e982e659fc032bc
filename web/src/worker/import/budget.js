// How much may come out of what was dropped. A packed bomb promises, or simply goes on, far beyond what data does:
// deflate can pack 1032 to one, but only what is nearly all the same.
import { Damaged } from './damaged.js';

/** Digits that are mostly background reach 20 to one. */
const MAX_RATIO = 250;
const ALWAYS_ALLOWED = 2 ** 26;
/** Of one file: a web page's memory ends before that. */
export const MAX_FILE = 2 ** 31 - 1;

export class Budget {
  #left;

  /** @param {number} packed  bytes of everything that was dropped */
  constructor(packed) {
    this.#left = Math.max(ALWAYS_ALLOWED, packed * MAX_RATIO);
  }

  /** @param {number} bytes  that are going to be unpacked, or have been */
  spend(bytes) {
    this.#left -= bytes;
    if (this.#left < 0)
      throw new Damaged('unpacks to far more than data would; unpack it yourself if you trust it');
  }

  /** @param {number} bytes  of one file */
  static check(bytes) {
    if (bytes > MAX_FILE)
      throw new Damaged('does not fit into memory when it is unpacked; use fewer samples');
  }
}
