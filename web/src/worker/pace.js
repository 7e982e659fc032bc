// Whether a run trains on all threads or on one. Several that share a core, or of which other programs hold one up, can
// together be slower than one alone, and that changes while a run trains. As no result depends on it, now and then a
// few calls are made the other way, and what was faster goes on.

/** Calls, of some 50 ms each, before it is tried: at first and while it trains on one, and at most. */
const SOONEST = 32;
const LATEST = 256;
/** Calls shorter than this, as somebody wanted something or an epoch ended, count as one with those that follow. */
const SHORT_MS = 20;
/** One thread has to be so much faster: by less it may be chance. */
const CLEARLY = 1.1;
/** Calls just before and then whose fastest are compared: the others may have been held up, or evaluated. */
const BEFORE = 8;
const TRIED = 2;

export class Pace {
  /** Whether the next call is for one thread. */
  alone = false;
  #wait = SOONEST;
  /** Units of work a millisecond, of each call since it was tried last. @type {number[]} */
  #speeds = [];
  #units = 0;
  #ms = 0;

  /** @param {number} units @param {number} ms  of a call that is over */
  add(units, ms) {
    this.#units += units;
    this.#ms += ms;
    if (this.#ms < SHORT_MS) return;
    const speeds = this.#speeds;
    const tried = speeds.push(this.#units / this.#ms) - this.#wait;
    this.#units = this.#ms = 0;
    if (tried === 0) this.alone = !this.alone;
    if (tried <= TRIED) return; // the first is not compared: threads fall asleep in it, or wake
    const now = Math.max(...speeds.slice(-TRIED));
    const before = Math.max(...speeds.slice(this.#wait - BEFORE, this.#wait));
    if (now <= before * (this.alone ? CLEARLY : 1)) this.alone = !this.alone;
    this.#wait = this.alone ? SOONEST : Math.min(2 * this.#wait, LATEST);
    this.#speeds = [];
  }
}
