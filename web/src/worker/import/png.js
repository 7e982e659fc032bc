// PNG, decoded here: for pictures as small as those of data sets, a browser takes longer to hand one over than this
// takes to decode it. Samples come out as they are stored, 8 bits each (of 16 the upper half, fewer scaled to 0..255),
// whatever gamma or profile says: what `libpng` gives with expand and strip_16. (W3C: PNG, third edition)
import { unzlibSync } from 'fflate';
import { joined } from './byte-stream.js';
import { crc32 } from './crc32.js';
import { Damaged } from './damaged.js';

/**
 * @typedef {object} Picture
 * @property {number} width
 * @property {number} height
 * @property {1 | 2 | 3 | 4} channels  grey, grey and alpha, RGB, RGBA
 * @property {Uint8Array<ArrayBuffer>} pixels  [height, width, channels]
 */
/** @typedef {{ width: number, height: number, depth: number, color: number, isInterlaced: boolean }} Header */

const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGBA = 6;

/** Samples of a pixel, by colour type. @type {Record<number, 1 | 2 | 3 | 4>} */
const SAMPLES = { [GREY]: 1, [RGB]: 3, [PALETTE]: 1, [GREY_ALPHA]: 2, [RGBA]: 4 };
/** @type {Record<number, number[]>} */
const DEPTHS = {
  [GREY]: [1, 2, 4, 8, 16],
  [RGB]: [8, 16],
  [PALETTE]: [1, 2, 4, 8],
  [GREY_ALPHA]: [8, 16],
  [RGBA]: [8, 16],
};
/** Of Adam7's passes: first column and row, and the steps. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

const MAX_PIXELS = 2 ** 27;
/** Deflate packs no better than that. */
const MAX_DEFLATE_RATIO = 1032;

/** @param {Uint8Array} bytes @returns {Picture} */
export function decodePng(bytes) {
  const { header, palette, transparent, data } = readChunks(bytes);
  const passes = passesOf(header);
  const rawSize = passes.reduce((sum, pass) => sum + pass.height * (pass.rowBytes + 1), 0);
  if (data.length * MAX_DEFLATE_RATIO < rawSize) throw new Damaged('is a PNG cut short; get it again');
  const raw = inflate(data, rawSize);

  const samples = SAMPLES[header.color];
  const expand = expander(header, palette, transparent);
  const { channels } = expand;
  const { width, height } = header;
  const pixels = new Uint8Array(width * height * channels);
  let at = 0;
  for (const pass of passes) {
    const rows = unfilter(
      raw.subarray(at),
      pass.height,
      pass.rowBytes,
      Math.max(1, (samples * header.depth) >> 3),
    );
    at += pass.height * (pass.rowBytes + 1);
    if (!header.isInterlaced && expand.isCopy) return { width, height, channels, pixels: rows };
    const values = expand.rows(rows, pass);
    if (!header.isInterlaced) pixels.set(values);
    else scatter(values, pass, pixels, width, channels);
  }
  return { width, height, channels, pixels };
}

/** @typedef {{ x: number, y: number, stepX: number, stepY: number, width: number, height: number, rowBytes: number }} Pass */

/** @param {Header} header @returns {Pass[]} */
function passesOf({ width, height, depth, color, isInterlaced }) {
  const bits = depth * SAMPLES[color];
  return (isInterlaced ? PASSES : [[0, 0, 1, 1]])
    .map(([x, y, stepX, stepY]) => {
      const across = Math.ceil((width - x) / stepX);
      return {
        x,
        y,
        stepX,
        stepY,
        width: across,
        height: Math.ceil((height - y) / stepY),
        rowBytes: Math.ceil((across * bits) / 8),
      };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/** @param {Uint8Array} bytes */
function readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isWhole = (/** @type {number} */ at) =>
    at + 12 <= bytes.length && at + 12 + view.getUint32(at) <= bytes.length;
  /** @type {Header | undefined} */
  let header;
  let palette = null;
  let transparent = null;
  /** @type {Uint8Array[]} */
  const data = [];
  for (let at = 8; isWhole(at); ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IEND') break;
    if (type === 'IHDR' || type === 'PLTE' || type === 'tRNS' || type === 'IDAT') {
      const crc = crc32(bytes.subarray(at + 4, at + 8 + length));
      if (crc !== view.getUint32(at + 8 + length)) throw new Damaged('is a damaged PNG; get it again');
    }
    if (type === 'IHDR') header = readHeader(content);
    if (type === 'PLTE') palette = content;
    if (type === 'tRNS') transparent = content;
    if (type === 'IDAT') data.push(content);
    at += length + 12;
  }
  if (!header || data.length === 0) throw new Damaged('is a PNG cut short; get it again');
  if (header.color === PALETTE && !palette)
    throw new Damaged('is a damaged PNG: its palette is missing; get it again');
  return { header, palette, transparent, data: data.length === 1 ? data[0] : joined(data) };
}

/** @param {Uint8Array} bytes @returns {Header} */
function readHeader(bytes) {
  if (bytes.length !== 13) throw new Damaged('is a damaged PNG; get it again');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, color, packing, filter, interlace] = bytes.subarray(8);
  if (width === 0 || height === 0 || !DEPTHS[color]?.includes(depth) || packing || filter || interlace > 1) {
    throw new Damaged('is a damaged PNG: its header makes no sense; get it again');
  }
  if (width * height > MAX_PIXELS)
    throw new Damaged(`is too large (${width} x ${height} pixels); make it smaller`);
  return { width, height, depth, color, isInterlaced: interlace === 1 };
}

/** @param {Uint8Array} data @param {number} size */
function inflate(data, size) {
  let raw;
  try {
    raw = unzlibSync(data, { out: new Uint8Array(size) });
  } catch {
    throw new Damaged('is a damaged PNG; get it again');
  }
  if (raw.length < size) throw new Damaged('is a PNG cut short; get it again');
  return raw;
}

/**
 * Rows without the filters' bytes: each row says how it was predicted from its left and upper neighbours.
 * @param {Uint8Array} raw
 * @param {number} height
 * @param {number} rowBytes
 * @param {number} step  bytes from a sample to the one on its left
 */
function unfilter(raw, height, rowBytes, step) {
  const rows = new Uint8Array(height * rowBytes);
  for (let y = 0, from = 0, to = 0; y < height; y++, to += rowBytes) {
    const filter = raw[from++];
    const left = to - step;
    const up = to - rowBytes; // the row above the first is all zeros, as is what lies left of a row
    for (let i = 0; i < rowBytes; i++, from++) {
      const a = i >= step ? rows[left + i] : 0;
      const b = y > 0 ? rows[up + i] : 0;
      let predicted = 0;
      if (filter === 1) predicted = a;
      else if (filter === 2) predicted = b;
      else if (filter === 3) predicted = (a + b) >> 1;
      else if (filter === 4) predicted = paeth(a, b, i >= step && y > 0 ? rows[up + i - step] : 0);
      else if (filter !== 0) throw new Damaged('is a damaged PNG; get it again');
      rows[to + i] = raw[from] + predicted;
    }
  }
  return rows;
}

/** Of left, above and above left, the one nearest to a + b - c. @param {number} a @param {number} b @param {number} c */
function paeth(a, b, c) {
  const pa = Math.abs(b - c);
  const pb = Math.abs(a - c);
  const pc = Math.abs(a + b - 2 * c);
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/**
 * How rows of this picture become 8-bit channels.
 * @param {Header} header
 * @param {Uint8Array | null} palette
 * @param {Uint8Array | null} transparent  alpha of the palette's first colours, or the one colour that is see-through
 * @returns {{ channels: 1 | 2 | 3 | 4, isCopy: boolean, rows: (rows: Uint8Array, pass: Pass) => Uint8Array }}
 */
function expander({ depth, color }, palette, transparent) {
  const samples = SAMPLES[color];
  if (palette && color === PALETTE) {
    const channels = transparent ? 4 : 3;
    const rows = (/** @type {Uint8Array} */ packed, /** @type {Pass} */ pass) =>
      colored(samplesOf(packed, pass, samples, depth, 1), palette, transparent);
    return { channels, isCopy: false, rows };
  }
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  if (!transparent || color === GREY_ALPHA || color === RGBA) {
    const rows = (/** @type {Uint8Array} */ packed, /** @type {Pass} */ pass) =>
      eightBits(samplesOf(packed, pass, samples, depth, scale), depth);
    return { channels: samples, isCopy: depth === 8, rows };
  }
  const clear = new DataView(transparent.buffer, transparent.byteOffset, transparent.length);
  if (transparent.length < 2 * samples) throw new Damaged('is a damaged PNG; get it again');
  const key = Array.from({ length: samples }, (_, i) => clear.getUint16(2 * i) * scale);
  const rows = (/** @type {Uint8Array} */ packed, /** @type {Pass} */ pass) =>
    withAlpha(samplesOf(packed, pass, samples, depth, scale), depth, key);
  return { channels: /** @type {2 | 4} */ (samples + 1), isCopy: false, rows };
}

/** One number for each sample: rows begin at whole bytes. @param {Uint8Array} packed @param {Pass} pass
 * @param {number} samples @param {number} depth @param {number} scale */
function samplesOf(packed, { width, height, rowBytes }, samples, depth, scale) {
  const across = width * samples;
  const values = new Uint16Array(across * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let i = 0; i < across; i++, at++) {
      const bit = i * depth;
      const byte = y * rowBytes + (bit >> 3);
      if (depth === 16) values[at] = packed[byte] * 256 + packed[byte + 1];
      else values[at] = ((packed[byte] >> (8 - depth - (bit & 7))) & (2 ** depth - 1)) * scale;
    }
  }
  return values;
}

/** @param {Uint16Array} values @param {number} depth */
function eightBits(values, depth) {
  return Uint8Array.from(values, (value) => (depth === 16 ? value >> 8 : value));
}

/** @param {Uint16Array} values @param {number} depth @param {number[]} key  the colour whose alpha is 0 */
function withAlpha(values, depth, key) {
  const samples = key.length;
  const pixels = new Uint8Array((values.length / samples) * (samples + 1));
  for (let from = 0, to = 0; from < values.length; from += samples) {
    for (let i = 0; i < samples; i++) pixels[to++] = depth === 16 ? values[from + i] >> 8 : values[from + i];
    pixels[to++] = key.every((value, i) => values[from + i] === value) ? 0 : 255;
  }
  return pixels;
}

/** @param {Uint16Array} indices @param {Uint8Array} palette @param {Uint8Array | null} alpha */
function colored(indices, palette, alpha) {
  const channels = alpha ? 4 : 3;
  const pixels = new Uint8Array(indices.length * channels);
  for (let i = 0, to = 0; i < indices.length; i++) {
    const from = 3 * indices[i];
    if (from + 3 > palette.length)
      throw new Damaged('is a damaged PNG: a colour is not in its palette; get it again');
    for (let channel = 0; channel < 3; channel++) pixels[to++] = palette[from + channel];
    if (alpha) pixels[to++] = alpha[indices[i]] ?? 255;
  }
  return pixels;
}

/** A pass's pixels to where they belong. @param {Uint8Array} values @param {Pass} pass @param {Uint8Array} pixels
 * @param {number} width @param {number} channels */
function scatter(values, { x, y, stepX, stepY, width: across, height }, pixels, width, channels) {
  for (let row = 0, from = 0; row < height; row++) {
    for (let column = 0; column < across; column++) {
      const to = ((y + row * stepY) * width + x + column * stepX) * channels;
      for (let channel = 0; channel < channels; channel++) pixels[to + channel] = values[from++];
    }
  }
}
