import { LightElement } from './light-element.js';

/**
 * An element with much to show, each time in a task of its own: what appears all at once with new data would keep the
 * page from answering.
 */
export class LateElement extends LightElement {
  /** @override */
  async scheduleUpdate() {
    await new Promise((resolve) => setTimeout(resolve));
    return super.scheduleUpdate();
  }
}
