// Bytes that can be read anywhere: a file on disk, or a file in memory.
import { Damaged } from './damaged.js';

/**
 * @typedef {object} ByteSource
 * @property {number} size
 * @property {Blob} [blob]  what it is, where it is one
 * @property {(start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>} read  end: at most size
 */

/** @param {Uint8Array | ArrayBuffer | Blob} bytes @returns {ByteSource} */
export function sourceOf(bytes) {
  if (bytes instanceof Blob)
    return { size: bytes.size, blob: bytes, read: (start, end) => readBlob(bytes, start, end) };
  const all =
    bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  return { size: all.length, read: async (start, end) => all.subarray(start, end) };
}

/** @param {Blob} blob @param {number} start @param {number} end */
async function readBlob(blob, start, end) {
  try {
    return new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (error) {
    // Moved, changed or forbidden since it was chosen.
    throw new Damaged(`cannot be read (${/** @type {Error} */ (error).message}); choose it again`);
  }
}
