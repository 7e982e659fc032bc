// Files as bytes. Gzip is told by its first two bytes, never by a name: a web server may have unpacked `.gz` files on
// the way.
import { TabgradError } from './errors.js';

/** @typedef {{ name: string, bytes: Uint8Array | ArrayBuffer | Blob }} NamedBytes  a file, also one from an <input> */
/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} ReadBytes  its content, as it is on disk */

/** A web page's memory ends before that; a gzip bomb does not. */
const MAX_UNPACKED = 2 ** 31;
/** Of a packed file: more than its first kilobyte of content can need. */
const START = 65_536;

/** The whole content, unpacked if it is gzip.
 * @param {ReadBytes} file
 * @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function unpack({ name, bytes }) {
  if (!isGzip(bytes)) return bytes;
  const { chunks, size } = await inflate(name, bytes, MAX_UNPACKED + 1);
  if (size > MAX_UNPACKED) throw tooLarge(name);
  return concatenate(name, chunks, size);
}

/** The first bytes of the file's content, unpacking no more than that takes; fewer if it is shorter.
 * @param {NamedBytes} file
 * @param {number} length  up to 1024 */
export async function unpackStart({ name, bytes }, length) {
  const start = await readFile({ name, bytes: bytes instanceof Blob ? bytes.slice(0, START) : bytes });
  if (!isGzip(start.bytes)) return start.bytes.slice(0, length);
  const { chunks, size } = await inflate(name, start.bytes.subarray(0, START), length);
  return concatenate(name, chunks, size).slice(0, length);
}

/** A blob's content; of other files, their own bytes.
 * @param {NamedBytes} file @returns {Promise<ReadBytes>} */
export async function readFile({ name, bytes }) {
  if (bytes instanceof Uint8Array) return { name, bytes: /** @type {Uint8Array<ArrayBuffer>} */ (bytes) };
  if (bytes instanceof ArrayBuffer) return { name, bytes: new Uint8Array(bytes) };
  try {
    return { name, bytes: new Uint8Array(await bytes.arrayBuffer()) };
  } catch (error) {
    // Moved, changed or forbidden since it was chosen, or larger than memory.
    throw new TabgradError(
      'unavailable',
      name,
      `cannot be read (${/** @type {Error} */ (error).message}); choose it again`,
    );
  }
}

/** @param {Uint8Array} bytes */
function isGzip([first, second]) {
  return first === 0x1f && second === 0x8b;
}

/** Unpacks until at least so many bytes are there, or all.
 * @param {string} name @param {Uint8Array<ArrayBuffer>} packed @param {number} enough */
async function inflate(name, packed, enough) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  /** @type {Uint8Array[]} */
  const chunks = [];
  let size = 0;
  try {
    while (size < enough) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.length;
    }
  } catch {
    throw new TabgradError('format', name, 'the gzip data is damaged or cut short; get the file again');
  }
  reader.cancel().catch(() => {}); // that not all was read is what we want
  return { chunks, size };
}

/** @param {string} name @param {Uint8Array[]} chunks @param {number} size */
function concatenate(name, chunks, size) {
  let all;
  try {
    all = new Uint8Array(size);
  } catch {
    throw tooLarge(name); // a RangeError
  }
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/** @param {string} name */
function tooLarge(name) {
  return new TabgradError('memory', name, 'does not fit into memory when it is unpacked; use fewer samples');
}
