// Keeps a worker at hand. When one dies, the next one gets all datasets and runs back under their old numbers, as far
// as this side knows how to make them again; only then do those who were waiting hear that their call failed.
import { Connection } from './connection.js';
import { TabgradError } from './errors.js';

/** @typedef {import('./connection.js').Orphan} Orphan */
/** @typedef {import('./connection.js').RequestOptions} RequestOptions */
/** @typedef {import('./protocol.js').EngineFacts} EngineFacts */
/** @typedef {import('./protocol.js').Message} Message */
/** @typedef {import('./protocol.js').Requests} Requests */
/** @typedef {import('./protocol.js').RequestType} RequestType */

/**
 * A dataset or a run, as far as its worker's death concerns it.
 * @typedef {object} Restorable
 * @property {number} id
 * @property {(connection: Connection) => Promise<boolean>} restore  makes it again in a new worker, as a whole or not, or throws
 * @property {(error: TabgradError) => void} lose  restoring failed: it answers with this error from now on
 * @property {string} whereItStands  after it was restored: "the run goes on from step 120"
 * @property {(message: Message) => void} [hear]  what the worker says of it
 */

/** @typedef {{ reason: string, restored: boolean }} Respawn  restored: everything that there was */

/** How often a worker that hangs as it starts is given up for another one. Firefox may forget to wake a worker that starts
 * threads, while its debugger or whoever drives it looks on. */
const STARTS = 3;

export class Supervisor {
  #workerUrl;
  #start;
  /** @type {Map<number, Restorable>} in the order they were made: a run comes after its data */
  #things = new Map();
  #lastId = 0;
  /** @type {Promise<Connection>} */
  #connection;
  /** @type {TabgradError | null} */
  #closed = null;
  /** @type {Set<(event: Respawn) => void>} */
  #listeners = new Set();
  /** @type {EngineFacts} */
  engine = { threads: 0, kernels: '' };

  /** @param {URL} workerUrl @param {{ glueUrl: string, threads: number }} start */
  constructor(workerUrl, start) {
    this.#workerUrl = workerUrl;
    this.#start = start;
    this.#connection = this.#connect().then(({ connection }) => connection);
  }

  /** Resolves when the worker is there, or rejects. */
  async ready() {
    await this.#connection;
  }

  /** A number for something new. */
  nextId() {
    return ++this.#lastId;
  }

  /** @param {Restorable} thing */
  add(thing) {
    this.#things.set(thing.id, thing);
  }

  /** Whether a thing is in use. @param {number} id */
  holds(id) {
    return this.#things.has(id);
  }

  /**
   * Lets go of a thing, here and in the worker; if it is gone already, so much the better.
   * @param {Restorable} thing
   * @param {'closeDataset' | 'closeRun'} type
   */
  async remove(thing, type) {
    this.#things.delete(thing.id);
    await this.request(type, { dataset: thing.id, run: thing.id }).catch((error) => {
      if (error.code !== 'closed' && error.code !== 'crashed') throw error;
    });
  }

  /**
   * @template {RequestType} T
   * @param {T} type
   * @param {Requests[T]['fields']} fields
   * @param {RequestOptions} [options]
   * @returns {Promise<Requests[T]['value']>}
   */
  async request(type, fields, options) {
    const connection = await this.#connection;
    return connection.request(type, fields, options);
  }

  /** @param {(event: Respawn) => void} listener @returns {() => void} takes the listener off again */
  onRespawn(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close() {
    this.#closed ??= new TabgradError('closed', 'engine', 'it was closed');
    const connection = this.#connection;
    this.#fail(this.#closed);
    await connection.then((open) => open.close(/** @type {TabgradError} */ (this.#closed))).catch(() => {});
  }

  /** A new worker that holds all things again, or as many as could be restored. */
  async #connect() {
    for (let tries = 1; ; tries++) {
      const connection = new Connection(this.#workerUrl, (message) => this.#hear(message));
      connection.onDeath = (reason, orphans) => {
        const where = this.#workerUrl.href;
        const error = new TabgradError('unavailable', where, `the worker could not be started (${reason})`);
        for (const { reject } of orphans) reject(error);
      };
      try {
        this.engine = await connection.request('start', { ...this.#start, sent: connection.sent });
        const restored = await this.#restoreAll(connection);
        if (this.#closed) throw this.#closed;
        connection.onDeath = (reason, orphans) => this.#respawn(reason, orphans);
        return { connection, restored };
      } catch (error) {
        connection.close(/** @type {TabgradError} */ (error));
        if (!connection.hungAtStart || tries === STARTS) throw error;
      }
    }
  }

  /** @param {Connection} connection @returns {Promise<boolean>} whether nothing was lost */
  async #restoreAll(connection) {
    let restored = true;
    for (const thing of this.#things.values()) {
      try {
        if (!(await thing.restore(connection))) restored = false;
      } catch (error) {
        if (connection.isOver || !(error instanceof TabgradError)) throw error;
        thing.lose(error);
        restored = false;
      }
    }
    return restored;
  }

  /** @param {string} reason @param {Orphan[]} orphans */
  #respawn(reason, orphans) {
    const started = this.#connect();
    this.#connection = started.then(({ connection }) => connection);
    this.#connection.catch(() => {}); // nobody may be waiting
    started.then(
      ({ restored }) => {
        for (const { about, reject } of orphans) {
          const stands = (about !== undefined && this.#things.get(about)?.whereItStands) || 'call again';
          const what = `the worker stopped (${reason}) and was restarted; ${stands}`;
          reject(new TabgradError('crashed', 'engine', what));
        }
        for (const listener of this.#listeners) listener({ reason, restored }); // last, as one may throw
      },
      (/** @type {Error} */ error) => {
        const what = `the worker stopped (${reason}) and cannot be restarted (${error.message}); create a new engine`;
        const crashed = this.#closed ?? new TabgradError('crashed', 'engine', what);
        this.#fail(crashed);
        for (const { reject } of orphans) reject(crashed);
      },
    );
  }

  /** Every request from now on fails. @param {TabgradError} error */
  #fail(error) {
    this.#connection = Promise.reject(error);
    this.#connection.catch(() => {}); // nobody may be waiting
  }

  /** @param {Message} message */
  #hear(message) {
    if ('run' in message) this.#things.get(message.run)?.hear?.(message);
  }
}
