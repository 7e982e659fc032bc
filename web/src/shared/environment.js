// Where we are: a browser or Node. Node's built-ins come through process.getBuiltinModule, so that browsers can load
// the same file and bundlers see no `node:` import.

/** @typedef {{ getBuiltinModule?: (name: string) => any }} NodeProcess */

const { process } = /** @type {{ process?: NodeProcess }} */ (globalThis);

/** Node's module of that name; null in a browser. @param {string} name */
export function nodeModule(name) {
  return process?.getBuiltinModule?.(name) ?? null;
}

/** How many threads this machine runs at once. @returns {number} */
export function countCores() {
  return nodeModule('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/**
 * A worker in either world.
 * @typedef {object} WorkerHandle
 * @property {(message: unknown, transfer?: ArrayBuffer[]) => void} post
 * @property {() => void} terminate
 * @property {(busy: boolean) => void} setBusy  an idle worker does not keep Node from ending
 */

/**
 * @param {URL} url
 * @param {(message: any) => void} onMessage
 * @param {(reason: string) => void} onDeath  it failed to start, threw, or ended without being terminated by us
 * @returns {WorkerHandle}
 */
export function startWorker(url, onMessage, onDeath) {
  const threads = nodeModule('node:worker_threads');
  if (!threads) return startInBrowser(url, onMessage, onDeath);
  // Node's own options are for the main script, and some (--input-type) would keep the worker from starting.
  return startInNode(new threads.Worker(url, { execArgv: [] }), onMessage, onDeath);
}

/** @param {URL} url @param {(message: any) => void} onMessage @param {(reason: string) => void} onDeath */
function startInBrowser(url, onMessage, onDeath) {
  const worker = new Worker(url, { type: 'module', name: 'tabgrad' });
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onmessageerror = () => onDeath('a message could not be read');
  worker.onerror = (event) => {
    event.preventDefault();
    onDeath(event.message || 'it could not be loaded');
  };
  return {
    post: (/** @type {unknown} */ message, /** @type {ArrayBuffer[]} */ transfer = []) =>
      worker.postMessage(message, transfer),
    terminate: () => worker.terminate(),
    setBusy: () => {},
  };
}

/** @param {any} worker @param {(message: any) => void} onMessage @param {(reason: string) => void} onDeath */
function startInNode(worker, onMessage, onDeath) {
  worker.on('message', onMessage);
  worker.on('messageerror', () => onDeath('a message could not be read'));
  worker.on('error', (/** @type {Error} */ error) => onDeath(error.message));
  worker.on('exit', () => onDeath('it ended'));
  worker.unref();
  return {
    post: (/** @type {unknown} */ message, /** @type {ArrayBuffer[]} */ transfer = []) =>
      worker.postMessage(message, transfer),
    terminate: () => {
      worker.removeAllListeners();
      worker.on('error', () => {}); // of its last moments
      worker.terminate();
    },
    setBusy: (/** @type {boolean} */ busy) => (busy ? worker.ref() : worker.unref()),
  };
}
