// What bytes are, told by their beginning, never by a name.
import { BLOCK, isTar } from './tar.js';

/** @typedef {'gzip' | 'zip' | 'tar' | 'parquet' | 'png' | 'picture' | 'other'} Kind  picture: one that browsers decode */

/** How many bytes of a file tell what it is. */
export const HEAD = BLOCK;

/** @type {[Kind, ...(number | null)[]][]} null: any byte */
const BEGINNINGS = [
  ['gzip', 0x1f, 0x8b],
  ['zip', 0x50, 0x4b, 3, 4],
  ['zip', 0x50, 0x4b, 5, 6], // with nothing in it
  ['parquet', 0x50, 0x41, 0x52, 0x31],
  ['png', 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  ['picture', 0xff, 0xd8, 0xff], // JPEG
  ['picture', 0x47, 0x49, 0x46, 0x38], // GIF
  ['picture', 0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50], // WebP
  ['picture', 0x42, 0x4d, null, null, null, null, 0, 0, 0, 0, null, null, 0, 0, null, 0, 0, 0], // BMP: 14 bytes, then its header's length
];

/** @param {Uint8Array} head  the first HEAD bytes, or all @returns {Kind} */
export function kindOf(head) {
  const [kind] = BEGINNINGS.find(([, ...bytes]) => begins(head, bytes)) ?? [];
  return kind ?? (isTar(head) ? 'tar' : 'other');
}

/** @param {Uint8Array} head @param {(number | null)[]} bytes */
function begins(head, bytes) {
  return head.length >= bytes.length && bytes.every((byte, i) => byte === null || head[i] === byte);
}

/** The type of a picture as browsers call it. @param {Uint8Array} head */
export function mediaTypeOf([first]) {
  return { 255: 'image/jpeg', 71: 'image/gif', 82: 'image/webp', 66: 'image/bmp' }[first] ?? 'image/png';
}
