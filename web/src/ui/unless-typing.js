import { noChange } from 'lit';
import { Directive, directive } from 'lit/directive.js';

class UnlessTyping extends Directive {
  /** @type {HTMLInputElement | null} */
  #field = null;
  #isTyping = false;

  /** @param {string} value */
  render(value) {
    return value;
  }

  /**
   * @override
   * @param {import('lit/directive.js').Part} part
   * @param {[value: string]} values
   */
  update(part, [value]) {
    this.#field ??= this.#watch(/** @type {import('lit/directive.js').PropertyPart} */ (part).element);
    // Not by way of Lit, which takes what it wrote last for what is there.
    if (!this.#isTyping && this.#field.value !== value) this.#field.value = value;
    return noChange;
  }

  /** @param {Element} field */
  #watch(field) {
    for (const [type, isTyping] of /** @type {const} */ ([
      ['input', true],
      ['change', false],
      ['blur', false],
    ])) {
      field.addEventListener(type, () => {
        this.#isTyping = isTyping;
      });
    }
    return /** @type {HTMLInputElement} */ (field);
  }
}

/** The value of a field as it is, like Lit's `live`; but what is being typed stays until it is left, whatever happens. */
export const unlessTyping = directive(UnlessTyping);
