import { LitElement } from 'lit';

/**
 * An element that renders into the page itself, not into a shadow root: one style sheet serves all, and
 * document.querySelector finds every part.
 */
export class LightElement extends LitElement {
  createRenderRoot() {
    return this;
  }
}
