// Taking turns with the messages that wait: work goes on in a new task, after whatever has arrived in the meantime.
import { nodeModule } from '../shared/environment.js';

/**
 * Timers would do the same, but a hidden tab slows them down to one a second or less.
 * @param {() => void} callback
 * @returns {() => void} asks for the callback, once
 */
export function makeTurn(callback) {
  // Node drains up to a thousand messages of one port before it looks at another, so there a port that posts to
  // itself would keep everybody else waiting.
  const timers = nodeModule('node:timers');
  if (timers) return () => timers.setImmediate(callback);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = callback;
  return () => port2.postMessage(null);
}
