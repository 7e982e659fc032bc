// Gzip is told by its first two bytes, never by a name: a web server may have unpacked `.gz` files on the way.
import { TabgradError } from './errors.js';

/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> | ArrayBuffer | Blob }} NamedBytes  a file, also one from an <input> */

/** A web page's memory ends before that; a gzip bomb does not. */
const MAX_UNPACKED = 2 ** 31;

/** The file's whole content, unpacked if it is gzip.
 * @param {NamedBytes} file
 * @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function unpack({ name, bytes }) {
  const blob = new Blob([bytes]);
  if (!(await isGzip(blob))) return new Uint8Array(await blob.arrayBuffer());
  const chunks = await collect(name, blob, MAX_UNPACKED);
  return concatenate(chunks);
}

/** The first bytes of the file's content, unpacking no more than that takes; fewer if it is shorter or damaged.
 * @param {NamedBytes} file
 * @param {number} length */
export async function unpackStart({ name, bytes }, length) {
  const blob = new Blob([bytes]);
  if (!(await isGzip(blob))) return new Uint8Array(await blob.slice(0, length).arrayBuffer());
  return concatenate(await collect(name, blob, length, true)).subarray(0, length);
}

/** @param {Blob} blob */
async function isGzip(blob) {
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  return first === 0x1f && second === 0x8b;
}

/**
 * @param {string} name
 * @param {Blob} blob
 * @param {number} limit  of unpacked bytes
 * @param {boolean} [startOnly]  whether the limit is what is wanted, not what is tolerated
 */
async function collect(name, blob, limit, startOnly = false) {
  const reader = blob.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return chunks;
      chunks.push(value);
      size += value.length;
      if (size < limit) continue;
      reader.cancel().catch(() => {});
      if (startOnly) return chunks;
      throw new TabgradError('memory', name, `unpacks to more than ${limit / 2 ** 30} GB`);
    }
  } catch (error) {
    if (error instanceof TabgradError) throw error;
    throw new TabgradError('format', name, 'the gzip data is damaged or cut short; get the file again');
  }
}

/** @param {Uint8Array[]} chunks */
function concatenate(chunks) {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
