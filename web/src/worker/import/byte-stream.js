// Bytes from front to end, in whatever pieces they come: looked at, taken or passed on as many at a time as needed.
import { Damaged } from './damaged.js';

/** @typedef {import('./byte-source.js').ByteSource} ByteSource */
/** The next piece; null at the end. @typedef {() => Promise<Uint8Array<ArrayBuffer> | null>} Pull */

/** Of a file, read at once: enough that waiting for the disk does not show, and no more, as windows that were used stay
 * in memory until the browser collects them. */
const WINDOW = 2 ** 21;
/** Windows asked for ahead: a browser takes its time with each, but reads several at once. */
const AHEAD = 3;
const NOTHING = new Uint8Array();

export class ByteStream {
  #pull;
  #rest = NOTHING;
  #isOver = false;
  /** Where the next byte lies. */
  position = 0;

  /** @param {Pull} pull */
  constructor(pull) {
    this.#pull = pull;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  static of(bytes) {
    /** @type {Uint8Array<ArrayBuffer> | null} */
    let next = bytes;
    return new ByteStream(async () => {
      const piece = next;
      next = null;
      return piece;
    });
  }

  /** All of it. @param {ByteSource} source */
  static whole(source) {
    return source.pieces && source.size > WINDOW ? new ByteStream(source.pieces()) : ByteStream.from(source);
  }

  /** Reads the next windows while this one is being used. @param {ByteSource} source @param {number} [start] */
  static from(source, start = 0) {
    const read = (/** @type {number} */ at) => {
      const window = source.read(at, Math.min(at + WINDOW, source.size));
      window.catch(() => {}); // heard of when it is asked for
      return window;
    };
    let at = start;
    /** @type {ReturnType<ByteSource['read']>[]} */
    const windows = [];
    const readAhead = () => {
      for (; windows.length < AHEAD && at < source.size; at += WINDOW) windows.push(read(at));
    };
    readAhead();
    const stream = new ByteStream(async () => {
      const window = await windows.shift();
      readAhead();
      return window ?? null;
    });
    stream.position = start;
    return stream;
  }

  /** The next bytes without taking them; fewer at the end. @param {number} count */
  async peek(count) {
    while (this.#rest.length < count && !this.#isOver) {
      const piece = await this.#next();
      this.#rest = this.#rest.length === 0 ? piece : joined([this.#rest, piece]);
    }
    return this.#rest.subarray(0, count);
  }

  /** Exactly so many bytes. @param {number} count */
  async take(count) {
    if (this.#rest.length === 0) this.#rest = await this.#next();
    if (this.#rest.length >= count) return this.#takeRest(count);
    const all = newBytes(count);
    let filled = 0;
    await this.pass(count, (piece) => {
      all.set(piece, filled);
      filled += piece.length;
    });
    return all;
  }

  /** Exactly so many bytes, in the pieces that they come in. @param {number} count @param {(piece: Uint8Array<ArrayBuffer>) => void} sink */
  async pass(count, sink) {
    for (let left = count; left > 0; ) {
      const piece = await this.piece(left);
      if (!piece) throw new Damaged('is cut short; get it again');
      left -= piece.length;
      sink(piece);
    }
  }

  /** The next piece, however long it is; null at the end. @param {number} [most] */
  async piece(most = Infinity) {
    if (this.#rest.length === 0) this.#rest = await this.#next();
    if (this.#rest.length === 0) return null;
    return this.#takeRest(Math.min(most, this.#rest.length));
  }

  /** The next so many bytes as a stream of their own; they are gone from this one as they are read from that.
   * @param {number} count */
  part(count) {
    let left = count;
    return new ByteStream(async () => {
      if (left === 0) return null;
      const piece = await this.piece(left);
      if (!piece) throw new Damaged('is cut short; get it again');
      left -= piece.length;
      return piece;
    });
  }

  /** @param {number} count */
  skip(count) {
    return this.pass(count, () => {});
  }

  /** So many bytes, or as many as there still are. @param {number} count */
  async discard(count) {
    for (let left = count; left > 0; ) {
      const piece = await this.piece(left);
      if (!piece) return;
      left -= piece.length;
    }
  }

  /** All that is left, in the pieces that it comes in. */
  async pieces() {
    const pieces = [];
    for (let piece = await this.piece(); piece; piece = await this.piece()) pieces.push(piece);
    return pieces;
  }

  /** All that is left. */
  async rest() {
    const pieces = await this.pieces();
    return pieces.length === 1 ? pieces[0] : joined(pieces);
  }

  /** @param {number} count */
  #takeRest(count) {
    const piece = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    this.position += count;
    return piece;
  }

  async #next() {
    while (!this.#isOver) {
      const piece = await this.#pull();
      if (!piece) this.#isOver = true;
      else if (piece.length > 0) return piece;
    }
    return NOTHING;
  }
}

/** @param {Uint8Array[]} pieces */
export function joined(pieces) {
  const all = newBytes(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** @param {number} count */
export function newBytes(count) {
  try {
    return new Uint8Array(count);
  } catch {
    throw new Damaged('does not fit into memory; use fewer samples'); // a RangeError
  }
}
