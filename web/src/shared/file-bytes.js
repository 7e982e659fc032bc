// Files as a user of the library gives them.
import { TabgradError } from './errors.js';

/**
 * @typedef {object} NamedBytes  a file, also one from an <input>
 * @property {string} name
 * @property {string} [path]  where a folder was dropped: 'folder/name.png'
 * @property {Uint8Array | ArrayBuffer | Blob} bytes
 */

/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} ReadBytes  its content, as it is on disk */

const NO_BYTES = 'its bytes must be a Uint8Array, an ArrayBuffer or a Blob';

/** @param {NamedBytes | File} file @returns {NamedBytes} */
export function namedBytes(file) {
  if (file instanceof Blob)
    return { name: file.name, path: file.webkitRelativePath || undefined, bytes: file };
  const { name, path, bytes } = file;
  if (bytes instanceof Uint8Array || bytes instanceof ArrayBuffer || bytes instanceof Blob)
    return { name, path, bytes };
  throw new TabgradError('argument', String(name), NO_BYTES);
}

/** As often as a buffer is sent away: a Buffer's own slice() is no copy.
 * @template {Uint8Array | Float32Array} T @param {T} array @returns {T} */
export function copied(array) {
  return /** @type {any} */ (Uint8Array.prototype.slice.call(array));
}

/** A blob's content; of other files, their own bytes.
 * @param {NamedBytes} file @returns {Promise<ReadBytes>} */
export async function readFile({ name, bytes }) {
  if (bytes instanceof Uint8Array) return { name, bytes: /** @type {Uint8Array<ArrayBuffer>} */ (bytes) };
  if (bytes instanceof ArrayBuffer) return { name, bytes: new Uint8Array(bytes) };
  if (!(bytes instanceof Blob)) throw new TabgradError('argument', name, NO_BYTES);
  try {
    return { name, bytes: new Uint8Array(await bytes.arrayBuffer()) };
  } catch (error) {
    // Moved, changed or forbidden since it was chosen, or larger than memory.
    const what = `cannot be read (${/** @type {Error} */ (error).message}); choose it again`;
    throw new TabgradError('unavailable', name, what);
  }
}
