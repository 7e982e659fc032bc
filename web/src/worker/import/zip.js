// Zip: a directory at the end says where each file lies, how it is packed and how large it is. Nothing is inflated
// whose size was not checked first. (PKWARE's APPNOTE 6.3.10: 4.3.7 local header, 4.3.12 directory, 4.3.16 its end,
// 4.5.3 zip64)
import { inflateSync } from 'fflate';
import { Budget } from './budget.js';
import { ByteStream, newBytes } from './byte-stream.js';
import { crc32 } from './crc32.js';
import { Damaged } from './damaged.js';
import { inflated } from './inflate.js';

/** @typedef {import('./byte-source.js').ByteSource} ByteSource */
/**
 * @typedef {object} ZipEntry
 * @property {string} path
 * @property {number} flags
 * @property {number} method  0 stored, 8 deflated
 * @property {number} crc
 * @property {number} packedSize
 * @property {number} size
 * @property {number} offset  of its local header
 * @property {boolean} isLink
 */
/**
 * @typedef {object} ZipVisitor
 * @property {(paths: string[]) => void} expect  all that will come
 * @property {(path: string, size: number, content: ByteStream) => Promise<void>} file
 * @property {(path: string, reason: string) => void} skip  one that cannot be read
 */

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_COMMENT = 0xffff;
const MAX_DIRECTORY = 2 ** 28;
const ENCRYPTED = 1;
const UTF8 = 1 << 11;
const STORED = 0;
const DEFLATED = 8;
/** Larger files come piece by piece, inflated by the platform: faster, and a cancel gets in between. */
const AT_ONCE = 2 ** 18;
/** Gaps that are not worth reading. */
const FAR = 2 ** 16;

/**
 * Calls the visitor for every file, in the order in which they lie.
 * @param {ByteSource} source
 * @param {Budget} budget
 * @param {ZipVisitor} visitor
 */
export async function walkZip(source, budget, visitor) {
  const entries = await readDirectory(source);
  entries.sort((a, b) => a.offset - b.offset);
  visitor.expect(entries.map(({ path }) => path));
  let stream = ByteStream.from(source);
  for (const entry of entries) {
    if (entry.path.endsWith('/')) continue; // a folder
    try {
      check(entry);
      // Bombs are made of entries that share one packed core.
      if (entry.offset < stream.position)
        throw new Damaged('overlaps the file before it; make the zip again');
      if (entry.offset - stream.position > FAR) stream = ByteStream.from(source, entry.offset);
      await stream.discard(entry.offset - stream.position);
      await skipLocalHeader(stream);
      await visitor.file(entry.path, entry.size, await open(entry, source, stream, budget));
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      visitor.skip(entry.path, error.message);
    }
  }
}

/** @param {ZipEntry} entry */
function check({ flags, method, packedSize, size, isLink }) {
  if (flags & ENCRYPTED) throw new Damaged('is encrypted; unpack it with its password first');
  if (isLink) throw new Damaged('is a link to another file, and links are not followed');
  if (method !== STORED && method !== DEFLATED) {
    throw new Damaged(
      `is packed in a way (${method}) that only newer programs know; make the zip with "deflate"`,
    );
  }
  if (method === STORED && size !== packedSize)
    throw new Damaged('is damaged: its sizes differ; get it again');
  Budget.check(size);
}

/** What the directory does not say of a local header is how long it is. @param {ByteStream} stream */
async function skipLocalHeader(stream) {
  const header = view(await stream.take(30));
  if (header.getUint32(0, true) !== LOCAL) throw new Damaged('is not where the zip says; get the zip again');
  await stream.skip(header.getUint16(26, true) + header.getUint16(28, true));
}

/**
 * @param {ZipEntry} entry
 * @param {ByteSource} source
 * @param {ByteStream} stream  at the entry's first byte
 * @param {Budget} budget
 * @returns {Promise<ByteStream>}
 */
async function open({ method, packedSize, size, crc }, source, stream, budget) {
  if (Math.max(packedSize, size) <= AT_ONCE) {
    const packed = await stream.take(packedSize);
    const content = method === STORED ? packed : inflateAtOnce(packed, size);
    budget.spend(content.length);
    if (crc32(content) !== crc) throw damaged();
    return ByteStream.of(content);
  }
  // Read apart, because inflating reads ahead.
  const packed = ByteStream.from(source, stream.position).part(packedSize);
  return checked(method === STORED ? packed : inflated(packed, 'deflate-raw', budget, size), size, crc);
}

/** @param {Uint8Array} packed @param {number} size */
function inflateAtOnce(packed, size) {
  let content;
  try {
    content = inflateSync(packed, { out: newBytes(size) });
  } catch {
    throw damaged();
  }
  if (content.length !== size) throw damaged();
  return /** @type {Uint8Array<ArrayBuffer>} */ (content);
}

/** The same bytes, and at their end a word about whether they are the right ones.
 * @param {ByteStream} content @param {number} size @param {number} expected */
function checked(content, size, expected) {
  let crc = 0;
  let count = 0;
  return new ByteStream(async () => {
    const piece = await content.piece();
    if (piece) {
      crc = crc32(piece, crc);
      count += piece.length;
    }
    if (piece ? count === size && crc !== expected : count !== size) throw damaged();
    return piece;
  });
}

function damaged() {
  return new Damaged('is damaged: what it unpacks to is not what was packed; get the zip again');
}

/** @param {ByteSource} source @returns {Promise<ZipEntry[]>} */
async function readDirectory(source) {
  const { size, offset, count, before } = await findDirectory(source);
  if (size > MAX_DIRECTORY || offset + size > source.size) throw incomplete();
  const bytes = await source.read(before + offset, before + offset + size);
  const data = view(bytes);
  const entries = [];
  for (let at = 0; at < size; ) {
    if (at + 46 > size || data.getUint32(at, true) !== ENTRY) throw incomplete();
    const nameEnd = at + 46 + data.getUint16(at + 28, true);
    const extraEnd = nameEnd + data.getUint16(at + 30, true);
    const next = extraEnd + data.getUint16(at + 32, true);
    if (next > size) throw incomplete();
    const flags = data.getUint16(at + 8, true);
    /** @type {ZipEntry} */
    const entry = {
      path: textOf(bytes.subarray(at + 46, nameEnd), flags),
      flags,
      method: data.getUint16(at + 10, true),
      crc: data.getUint32(at + 16, true),
      packedSize: data.getUint32(at + 20, true),
      size: data.getUint32(at + 24, true),
      offset: data.getUint32(at + 42, true),
      isLink: data.getUint16(at + 40, true) >> 12 === 0xa, // Unix's S_IFLNK
    };
    readZip64(entry, bytes.subarray(nameEnd, extraEnd));
    entry.offset += before;
    entries.push(entry);
    at = next;
  }
  // Some programs write more files than the two bytes of the count can say.
  if ((entries.length & 0xffff) !== (count & 0xffff)) throw incomplete();
  return entries;
}

/** Where the directory lies; before: bytes that something else has put in front of the zip. @param {ByteSource} source */
async function findDirectory(source) {
  const tailStart = Math.max(0, source.size - 22 - MAX_COMMENT - 20);
  const tail = view(await source.read(tailStart, source.size));
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || at + 22 + tail.getUint16(at + 20, true) > tail.byteLength)
      continue;
    const end = tailStart + at;
    const found = { size: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) };
    const count = tail.getUint16(at + 10, true);
    if (at >= 20 && tail.getUint32(at - 20, true) === LOCATOR_64) {
      return findDirectory64(source, u64(tail, at - 20 + 8));
    }
    const before = end - found.size - found.offset;
    if (before < 0) throw incomplete();
    return { ...found, count, before };
  }
  throw incomplete();
}

/** @param {ByteSource} source @param {number} at */
async function findDirectory64(source, at) {
  if (at + 56 > source.size) throw incomplete();
  const end = view(await source.read(at, at + 56));
  if (end.getUint32(0, true) !== END_64) throw incomplete();
  return { count: u64(end, 32), size: u64(end, 40), offset: u64(end, 48), before: 0 };
}

/** Values that are all ones stand in the extra field with number 1, in this order. @param {ZipEntry} entry @param {Uint8Array} extra */
function readZip64(entry, extra) {
  const data = view(extra);
  const missing = /** @type {const} */ (['size', 'packedSize', 'offset']).filter(
    (key) => entry[key] === 0xffffffff,
  );
  for (let at = 0; at + 4 <= extra.length && missing.length > 0; at += 4 + data.getUint16(at + 2, true)) {
    if (data.getUint16(at, true) !== 1) continue;
    for (const [i, key] of missing.entries()) {
      if (at + 12 + 8 * i > extra.length) throw incomplete();
      entry[key] = u64(data, at + 4 + 8 * i);
    }
    return;
  }
}

/** UTF-8 where the entry says so, or where it is no contradiction. @param {Uint8Array} bytes @param {number} flags */
function textOf(bytes, flags) {
  try {
    return new TextDecoder('utf-8', { fatal: !(flags & UTF8) }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** @param {Uint8Array} bytes */
function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @param {DataView} data @param {number} at */
function u64(data, at) {
  return Number(data.getBigUint64(at, true));
}

function incomplete() {
  return new Damaged('is a zip without its directory, cut short or damaged; get it again');
}
