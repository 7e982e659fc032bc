// Archives, pictures and Parquet files made to do harm, or come to harm, and what is said of each: by the library, by the
// program where that is another sentence, and by browsers, which know more pictures. Some unpack to much, so they are made when they are needed.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync, strToU8, zipSync } from 'fflate';
import { parquetFiles, picturesFromIdx, png, tarOf } from './support/formats.js';

/** @typedef {{ file: string, bytes: () => Uint8Array, library: RegExp, browser?: RegExp, program?: RegExp }} PackedAttack */

const DIGITS = fileURLToPath(new URL('./fixtures/digits/', import.meta.url));
const PICTURES = fileURLToPath(new URL('./fixtures/pictures/lossless/', import.meta.url));
/** @param {string} name */
const fixture = (name) => new Uint8Array(readFileSync(DIGITS + name));
const idx = fixture('train-images-idx3-ubyte');
const pictures = picturesFromIdx(idx, fixture('train-labels-idx1-ubyte'));
const zeros = () => new Uint8Array(2 ** 27);
const parquet = () => parquetFiles({ train: pictures, test: pictures }, [...'0123456789'])[0].bytes;
const thousand = new Uint8Array(1000);

/** @param {Uint8Array} bytes @param {Record<number, number>} changes */
const altered = (bytes, changes) => bytes.map((byte, i) => changes[i] ?? byte);

/** A zip in a zip in a zip. @param {Uint8Array} bytes @param {number} depth */
function nested(bytes, depth) {
  let inner = bytes;
  for (let i = depth; i > 0; i--) inner = zipSync({ [`${i}.zip`]: inner });
  return inner;
}

/** A zip's field at that place of its first directory entry. @param {Uint8Array} bytes @param {number} at @param {number} value */
function withField(bytes, at, value) {
  const view = new DataView(bytes.slice().buffer);
  let entry = 0;
  while (view.getUint32(entry) !== 0x504b0102) entry++;
  view.setUint32(entry + at, value, true);
  return new Uint8Array(view.buffer);
}

/** A tar whose first header is changed, its checksum made right again.
 * @param {Record<number, number>} changes @param {Record<string, Uint8Array>} [files] */
function tarWith(changes, files = { 'a.idx': idx }) {
  const tar = altered(tarOf(files), changes);
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.set(strToU8(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return tar;
}

/** Two entries of a directory that name the same bytes. */
function twiceTheSame() {
  const zip = zipSync({ 'a.idx': idx, 'b.idx': idx }, { level: 0 });
  const view = new DataView(zip.buffer);
  let second = zip.length - 22;
  while (view.getUint32(second) !== 0x504b0102) second--;
  view.setUint32(second + 42, 0, true);
  return zip;
}

/** @type {PackedAttack[]} */
export const hostileContainers = [
  {
    file: 'bomb.gz',
    bytes: () => gzipSync(zeros()),
    library: /^bomb(\.gz)?: unpacks to far more than data would; /,
  },
  {
    file: 'bomb.tar.gz',
    bytes: () => gzipSync(tarOf({ zeros: zeros() })),
    library: /^bomb.tar.gz(\/zeros)?: unpacks to far more than data would; /,
  },
  {
    file: 'bomb.zip',
    bytes: () => zipSync({ a: zeros() }),
    library: /^bomb.zip\/a: unpacks to far more than data would; /,
  },
  {
    file: 'nested-bomb.zip',
    bytes: () => zipSync({ 'b.zip': zipSync({ a: zeros() }) }),
    library: /: unpacks to far more than data would; /,
  },
  {
    file: 'russian.zip',
    bytes: () => nested(zipSync({ a: idx }), 5),
    library: /^russian.zip\/1.zip\/2.zip\/3.zip: is packed too many times over; unpack it once first$/,
    program: /^russian.zip\/1.zip\/2.zip: is packed too many times over; unpack it once first$/,
  },
  {
    file: 'twice.gz',
    bytes: () => gzipSync(gzipSync(gzipSync(gzipSync(gzipSync(idx))))),
    library: /: is packed too many times over/,
  },
  {
    file: 'lying.zip',
    bytes: () => withField(zipSync({ a: thousand }), 24, 0x7fffffff),
    library: /^lying.zip\/a: is damaged: /,
    program: /^lying.zip\/a: is none of the kinds that can be read/,
  },
  {
    file: 'huge.zip',
    bytes: () => withField(zipSync({ a: thousand }), 24, 0xfffffffe),
    library: /^huge.zip\/a: does not fit into memory/,
    program: /^huge.zip\/a: is none of the kinds that can be read/,
  },
  {
    file: 'away.zip',
    bytes: () => withField(zipSync({ a: strToU8('a') }), 42, 0x7fffffff),
    library: /^away.zip\/a: is cut short/,
    program: /^away.zip: is cut short; get it again$/,
  },
  {
    file: 'loop.zip',
    bytes: twiceTheSame,
    library: /^loop.zip\/b.idx: overlaps the file before it/,
    program: /^loop.zip\/a.idx: its labels are missing/,
  },
  {
    file: 'empty.zip',
    bytes: () => zipSync({}),
    library: /^files: there are no samples; /,
    program: /^empty.zip: is an empty zip archive; pack it again$/,
  },
  {
    file: 'up.zip',
    bytes: () => zipSync({ '../../up': strToU8('?') }),
    library: /^up.zip\/up: is none of the kinds that can be read/,
  },
  {
    file: 'cut.zip',
    bytes: () => zipSync({ a: idx }).slice(0, 300),
    library: /^cut.zip: is a zip without its directory, cut short or damaged; get it again$/,
    program: /^cut.zip\/a: is damaged \(.*\); get it again$/,
  },
  {
    file: 'cut.tar',
    bytes: () => tarOf({ 'a.idx': idx }).slice(0, 600),
    library: /^cut.tar\/a.idx: is cut short; get it again$/,
  },
  {
    file: 'huge.tar',
    bytes: () => tarWith({ 124: 0x37 }),
    library: /^huge.tar\/a.idx: does not fit into memory/,
    program: /^huge.tar\/a.idx: is cut short; get it again$/,
  },
  {
    file: 'negative.tar',
    bytes: () => tarWith({ 124: 0xff }),
    library: /^negative.tar: is damaged: a size inside makes no sense/,
    program: /^negative.tar: is damaged \(.*negative size\); get it again$/,
  },
  {
    file: 'negative-pax.tar',
    bytes: () => tarWith({ 156: 0x78 }, { pax: strToU8('14 size=-1024\n'), 'a.idx': idx }),
    library: /^negative-pax.tar: is damaged: a size inside makes no sense; get it again$/,
    program: /^negative-pax.tar: is damaged \(.*negative\); get it again$/,
  },
  {
    file: 'wrong.tar',
    bytes: () => altered(tarOf({ 'a.idx': idx }), { 100: 0x39 }),
    library: /^wrong.tar: is none of the kinds that can be read/,
  },
  {
    file: 'link.tar',
    bytes: () => tarWith({ 156: 0x32 }),
    library: /^link.tar\/a.idx: is a link to another file, and links are not followed$/,
  },
  {
    file: 'up.tar',
    bytes: () => tarOf({ '../../up': strToU8('?') }),
    library: /^up.tar\/up: is none of the kinds that can be read/,
  },
  {
    file: 'cut.gz',
    bytes: () => gzipSync(idx).slice(0, 40),
    library: /^cut(\.gz)?: is damaged or cut short inside its gzip packing; get it again$/,
    program: /^cut.gz: is cut short; get it again$/,
  },
  {
    file: 'wrong.gz',
    bytes: () => altered(gzipSync(idx), { 3: 0xff }),
    library: /^wrong(\.gz)?: is damaged or cut short inside its gzip packing/,
    program: /^wrong.gz: is gzip-compressed; unpack it first$/,
  },
  {
    file: 'cut.png',
    bytes: () => png(pictures, 0).slice(0, 60),
    library: /^cut.png: is a PNG cut short; get it again$/,
    program: /^cut.png: is a damaged PNG; download it or save it again$/,
  },
  {
    file: 'huge.png',
    bytes: () => altered(png(pictures, 0), { 16: 0x7f }),
    library: /^huge.png: is a damaged PNG/,
    program: /^huge.png: is a damaged PNG; download it or save it again$/,
  },
  {
    file: 'photo.jpg',
    bytes: () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0),
    library: /^photo.jpg: is a JPEG, which only browsers decode here/,
    program: /^photo.jpg: is a damaged JPEG; download it or save it again$/,
    browser: /^photo.jpg: is a damaged picture, or one that this browser does not know; get it again/,
  },
  {
    file: 'tiny.gif',
    bytes: () => strToU8('GIF89a'),
    library: /^tiny.gif: is a GIF, which only browsers decode here/,
    program: /^tiny.gif: is a (damaged )?GIF[;,] .*(again|to PNG)$/,
    browser: /^tiny.gif: is a damaged picture/,
  },
  // In their headers: of half a picture Firefox shows the half.
  ...['gif', 'webp', 'bmp'].map((kind) => ({
    file: `cut.${kind}`,
    bytes: () => {
      const whole = readFileSync(`${PICTURES}${kind === 'gif' ? 'plain' : 'colour'}.${kind}`);
      return new Uint8Array(whole.subarray(0, 40));
    },
    library: new RegExp(`^cut.${kind}: is a ${kind}, which only browsers decode here`, 'i'),
    browser: /: is a damaged picture, or one that this browser does not know; get it again$/,
    program: new RegExp(`: is a (damaged )?${kind}[;, ].*(again|to PNG)$`, 'i'),
  })),
  {
    file: 'wide.bmp',
    bytes: () => altered(new Uint8Array(readFileSync(`${PICTURES}colour.bmp`)), { 21: 0x7f, 25: 0x7f }),
    library: /^wide.bmp: is a BMP, which only browsers decode here/,
    browser: /^wide.bmp: is a damaged picture/,
    program:
      /^wide.bmp: (has too many pixels, or none; save it again, smaller|is a damaged BMP|.*built without)/,
  },
  {
    file: 'cut.parquet',
    bytes: () => parquet().slice(0, 400),
    library: /^cut.parquet: cannot be read as Parquet \(.*\); write it again/,
    program: /^cut.parquet: is a Parquet file; open it in the page, or write it as CSV$/,
  },
  {
    file: 'endless.parquet',
    bytes: () => altered(parquet(), { 22: parquet()[22] ^ 0xff }),
    library: /^endless.parquet: is a damaged Parquet file without an end; get it again$/,
    program: /^endless.parquet: is a Parquet file; open it in the page, or write it as CSV$/,
  },
];
