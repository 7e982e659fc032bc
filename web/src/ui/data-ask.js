/**
 * Asks the page for something about data: the name of what the session does with data, and what it needs for it. The event
 * rises through the panel, so that its parts need not hand it on.
 * @param {Element} element
 * @param {string} action
 * @param {unknown} [value]
 */
export function ask(element, action, value) {
  element.dispatchEvent(new CustomEvent('data', { detail: { action, value }, bubbles: true }));
}
