// Canvases do not follow the style sheet: what is painted on them is painted anew where the scheme changes.

/** @typedef {import('lit').ReactiveController} ReactiveController */

/** @implements {ReactiveController} */
export class DarkMode {
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #changed;

  /** @param {import('lit').ReactiveControllerHost} host @param {() => void} changed */
  constructor(host, changed) {
    this.#changed = changed;
    host.addController(this);
  }

  hostConnected() {
    this.#scheme.addEventListener('change', this.#changed);
  }

  hostDisconnected() {
    this.#scheme.removeEventListener('change', this.#changed);
  }
}
