// One plain object holds what the page shows. Parts are replaced, never changed in place, so that whoever shows them
// sees by identity what is new.

/** @template {object} T */
export class Store {
  #state;
  /** @type {Set<(state: T) => void>} */
  #listeners = new Set();

  /** @param {T} initial */
  constructor(initial) {
    this.#state = initial;
  }

  get state() {
    return this.#state;
  }

  /** @param {Partial<T>} patch */
  update(patch) {
    this.#state = { ...this.#state, ...patch };
    for (const listener of this.#listeners) listener(this.#state);
  }

  /**
   * @param {(state: T) => void} listener
   * @returns {() => void} ends the subscription
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
