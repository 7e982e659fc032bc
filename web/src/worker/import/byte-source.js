// Bytes that can be read anywhere: a file on disk, or a file in memory.
import { Damaged } from './damaged.js';

/** @typedef {import('./byte-stream.js').Pull} Pull */

/**
 * @typedef {object} ByteSource
 * @property {number} size
 * @property {Blob} [blob]  what it is, where it is one
 * @property {(start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>} read  end: at most size
 * @property {() => Pull} [pieces]  of a blob: all of it, from front to end, in the pieces that the browser likes, which in
 *   Chromium takes less than half as long as window after window
 */

/** @param {Uint8Array | ArrayBuffer | Blob} bytes @returns {ByteSource} */
export function sourceOf(bytes) {
  if (bytes instanceof Blob)
    return {
      size: bytes.size,
      blob: bytes,
      read: (start, end) => unlessGone(bytes.slice(start, end).arrayBuffer().then(bytesOf)),
      pieces: () => piecesOf(bytes),
    };
  const all =
    bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  return { size: all.length, read: async (start, end) => all.subarray(start, end) };
}

/** @param {ArrayBuffer} buffer */
const bytesOf = (buffer) => new Uint8Array(buffer);

/** @param {Blob} blob @returns {Pull} */
function piecesOf(blob) {
  /** @type {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined} opened when something is wanted of it */
  let reader;
  return async () => {
    reader ??= blob.stream().getReader();
    return (await unlessGone(reader.read())).value ?? null;
  };
}

/** @template T @param {Promise<T>} reading */
async function unlessGone(reading) {
  try {
    return await reading;
  } catch (error) {
    // Moved, changed or forbidden since it was chosen.
    throw new Damaged(`cannot be read (${/** @type {Error} */ (error).message}); choose it again`);
  }
}
