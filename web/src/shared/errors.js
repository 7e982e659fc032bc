// What went wrong, as everyone sees it: a code for programs, and one sentence for people.

/**
 * The first line are the engine's own (tg_status_name); the others come from this side of it:
 * `crashed` the worker died and was restarted, `closed` the engine, run or dataset was closed, `unsupported` this
 * browser cannot do what was asked for, `unavailable` a file of the library could not be loaded.
 * @typedef {'argument' | 'memory' | 'recipe' | 'shape' | 'data' | 'format' | 'diverged' | 'state'
 *   | 'crashed' | 'closed' | 'unsupported' | 'unavailable'} ErrorCode
 */

/** @typedef {{ code: ErrorCode, where: string, what: string }} ErrorFacts  as it crosses the worker boundary */

/** Every error that this library throws on purpose. Its message is `where: what`. */
export class TabgradError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} where  path in the recipe ("model.layers[3] conv2d"), a file's name, or a call ("predict")
   * @param {string} what  what is wrong there, and what to do
   */
  constructor(code, where, what) {
    super(where ? `${where}: ${what}` : what);
    this.name = 'TabgradError';
    this.code = code;
    this.where = where;
    this.what = what;
  }

  /** @param {ErrorFacts} facts */
  static from({ code, where, what }) {
    return new TabgradError(code, where, what);
  }

  /** @returns {ErrorFacts} */
  facts() {
    return { code: this.code, where: this.where, what: this.what };
  }
}
