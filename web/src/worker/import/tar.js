// Tar: blocks of 512 bytes, a header and then the file, one after the other. ustar, and its two ways to longer names:
// pax records and GNU's "L" entries. (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format")
import { Damaged } from './damaged.js';

/** @typedef {import('./byte-stream.js').ByteStream} ByteStream */

export const BLOCK = 512;
const decoder = new TextDecoder();
/** Longer names or records are no names. */
const MAX_RECORDS = 2 ** 20;

/** Whether this is a tar's first block: by its checksum, which also tar's oldest form has. @param {Uint8Array} block */
export function isTar(block) {
  return block.length >= BLOCK && block[0] !== 0 && checksum(block) === octal(block, 148, 8);
}

/**
 * Calls `file` for every regular file; what it leaves of it is skipped.
 * @param {ByteStream} stream
 * @param {{ file: (path: string, size: number, content: ByteStream) => Promise<void>, skip: (path: string, reason: string) => void }} visitor
 */
export async function walkTar(stream, { file, skip }) {
  /** @type {{ path?: string, size?: number }} what the entries before said about the next one */
  let said = {};
  while ((await stream.peek(1)).length > 0) {
    const header = await stream.take(BLOCK);
    if (header.every((byte) => byte === 0)) return; // the end; what follows is padding
    if (!isTar(header)) throw new Damaged('is damaged: a header inside has a wrong checksum; get it again');
    const type = String.fromCharCode(header[156] || 48);
    const size = said.size ?? octal(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new Damaged('is damaged: a size inside makes no sense; get it again');
    const end = stream.position + Math.ceil(size / BLOCK) * BLOCK;
    if ('xgLK'.includes(type)) {
      if (size > MAX_RECORDS) throw new Damaged('is damaged: a name inside is too long; get it again');
      const records = await stream.take(size);
      if (type === 'L') said.path = text(records);
      if (type === 'x') said = { ...said, ...paxRecords(records) };
    } else {
      const path = said.path ?? headerPath(header);
      if (type === '0' || type === '7') await file(path, size, stream.part(size));
      if (type === '1' || type === '2') skip(path, 'is a link to another file, and links are not followed');
      said = {};
    }
    await stream.discard(end - stream.position); // the padding of the last file may be missing
  }
}

/** @param {Uint8Array} header */
function headerPath(header) {
  const name = text(header.subarray(0, 100));
  const isUstar = text(header.subarray(257, 262)) === 'ustar';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  return prefix ? `${prefix}/${name}` : name;
}

/** "27 path=some/long/name\n", one after the other. @param {Uint8Array} bytes */
function paxRecords(bytes) {
  /** @type {{ path?: string, size?: number }} */
  const records = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(decoder.decode(bytes.subarray(at, space)));
    if (space < 0 || !(length > 0)) break;
    const [, key, value] =
      /^([^=]+)=(.*)\n$/s.exec(decoder.decode(bytes.subarray(space + 1, at + length))) ?? [];
    if (key === 'path') records.path = value;
    if (key === 'size') records.size = Number(value);
    at += length;
  }
  return records;
}

/** Octal digits, or GNU's big-endian number where the first bit is set. @param {Uint8Array} block @param {number} at @param {number} length */
function octal(block, at, length) {
  const field = block.subarray(at, at + length);
  if (field[0] & 128) return field.reduce((value, byte, i) => value * 256 + (i === 0 ? byte & 127 : byte), 0);
  return Number.parseInt(text(field).trim() || '0', 8);
}

/** @param {Uint8Array} block  its own field counts as spaces */
function checksum(block) {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i];
  return sum;
}

/** Up to the first NUL. @param {Uint8Array} bytes */
function text(bytes) {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
