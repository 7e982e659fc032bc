// One worker from its start to its end: requests go out with an id, replies and events come back by it.
import { startWorker } from './environment.js';
import { TabgradError } from './errors.js';

/** @typedef {import('./protocol.js').Message} Message */
/** @typedef {import('./protocol.js').RequestEvent} RequestEvent */
/** @typedef {import('./protocol.js').Requests} Requests */
/** @typedef {import('./protocol.js').RequestType} RequestType */

/**
 * @typedef {object} RequestOptions
 * @property {ArrayBuffer[]} [transfer]
 * @property {(event: any) => void} [onEvent]
 */

/**
 * @typedef {object} Orphan  a request whose worker died before it replied
 * @property {number | undefined} about  the run or dataset it was for
 * @property {(error: TabgradError) => void} reject
 */

/** A busy worker that says nothing for that long is asked whether it is there; after as long again it is given up.
 * Nothing it does without a pause takes half as long. */
const PATIENCE_MS = 30_000;
/** The same from its first word, which it says as soon as its script runs, until it has first answered: fetching and
 * compiling the engine keep no worker from speaking. */
const START_PATIENCE_MS = 5_000;

/** @typedef {Orphan & RequestOptions & { resolve: (value: any) => void }} Pending */

export class Connection {
  #worker;
  #onMessage;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #lastId = 0;
  #isOver = false;
  #isAsked = false;
  #patience = PATIENCE_MS;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;
  /** It stopped answering before it had first answered. */
  hungAtStart = false;
  /** How many messages were sent, for the worker to see while it computes; nothing where no memory is shared. */
  sent = globalThis.SharedArrayBuffer && new Int32Array(new SharedArrayBuffer(4));
  /** What to do when the worker dies. @type {(reason: string, orphans: Orphan[]) => void} */
  onDeath = () => {};

  /**
   * @param {URL} workerUrl
   * @param {(message: Message) => void} onMessage  those that answer no request
   */
  constructor(workerUrl, onMessage) {
    this.#onMessage = onMessage;
    this.#worker = startWorker(
      workerUrl,
      (message) => this.#hear(message),
      (reason) => this.#die(reason),
    );
  }

  /**
   * @template {RequestType} T
   * @param {T} type
   * @param {Requests[T]['fields']} fields
   * @param {RequestOptions} [options]
   * @returns {Promise<Requests[T]['value']>}
   */
  request(type, fields, { transfer, onEvent } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#isOver) throw new TabgradError('crashed', type, 'the worker has just stopped; try again');
      const id = ++this.#lastId;
      try {
        this.#send({ ...fields, type, id }, transfer);
      } catch (error) {
        // A detached buffer, or something that cannot be sent at all.
        throw new TabgradError('argument', type, /** @type {Error} */ (error).message);
      }
      const { run, dataset } = /** @type {{ run?: number, dataset?: number }} */ (fields);
      this.#pending.set(id, { about: run ?? dataset, resolve, reject, onEvent });
      this.#setBusy(true);
    });
  }

  /** Whether the worker has ended. */
  get isOver() {
    return this.#isOver;
  }

  /** Ends the worker. @param {TabgradError} error  what those get who still wait */
  close(error) {
    for (const { reject } of this.#end()) reject(error);
  }

  /** @param {Message} message */
  #hear(message) {
    if (this.#isOver) return;
    this.#isAsked = false;
    if (message.type === 'fatal') return this.#die(message.reason);
    if (message.type === 'loaded') return this.#setPatience(START_PATIENCE_MS);
    if (!('id' in message)) return this.#onMessage(message);
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'event') return pending.onEvent?.(message.event);
    this.#pending.delete(message.id);
    this.#setPatience(PATIENCE_MS);
    if (message.ok) pending.resolve(message.value);
    else pending.reject(TabgradError.from(message.error));
  }

  /** @param {number} ms  from now on */
  #setPatience(ms) {
    if (this.#patience !== ms) this.#setBusy(false);
    this.#patience = ms;
    this.#setBusy(this.#pending.size > 0);
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    if (busy) this.#watch ??= setInterval(() => this.#check(), this.#patience);
    else {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
    this.#worker.setBusy(busy);
  }

  /** A worker that hangs, or that a browser has taken away, tells nobody. */
  #check() {
    if (this.#isAsked) {
      this.hungAtStart = this.#patience === START_PATIENCE_MS;
      return this.#die('it does not answer any more');
    }
    this.#isAsked = true;
    this.#send({ type: 'ping', id: 0 }); // an id that nobody waits for: that it speaks is the answer
  }

  /** @param {unknown} message @param {ArrayBuffer[]} [transfer] */
  #send(message, transfer) {
    this.#worker.post(message, transfer);
    if (this.sent) Atomics.add(this.sent, 0, 1);
  }

  /** @param {string} reason */
  #die(reason) {
    if (!this.#isOver) this.onDeath(reason, this.#end());
  }

  /** @returns {Orphan[]} */
  #end() {
    this.#isOver = true;
    this.#setBusy(false);
    this.#worker.terminate();
    const orphans = [...this.#pending.values()];
    this.#pending.clear();
    return orphans;
  }
}
