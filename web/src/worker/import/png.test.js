import { deflateSync } from 'node:zlib';
import { decode, encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32.js';
import { decodePng } from './png.js';

/** @param {string} type @param {Uint8Array} content */
function chunk(type, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, crc32(bytes.subarray(4, content.length + 8)));
  return bytes;
}

/** @param {number} width @param {number} height @param {number} depth @param {number} color @param {number} interlace */
function header(width, height, depth, color, interlace) {
  const bytes = new Uint8Array(13);
  new DataView(bytes.buffer).setUint32(0, width);
  new DataView(bytes.buffer).setUint32(4, height);
  bytes.set([depth, color, 0, 0, interlace], 8);
  return chunk('IHDR', bytes);
}

/** @param {Uint8Array[]} chunks */
const png = (...chunks) =>
  new Uint8Array(
    Buffer.concat([
      Uint8Array.of(0x89, 80, 78, 71, 13, 10, 26, 10),
      ...chunks,
      chunk('IEND', new Uint8Array()),
    ]),
  );

const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** Rows of samples, packed; with a filter of 0. @param {number[][]} pixels  [height * width][samples]
 * @param {number} width @param {number} depth @param {boolean} isInterlaced */
function packed(pixels, width, depth, isInterlaced) {
  const height = pixels.length / width;
  const bytes = [];
  for (const [x0, y0, dx, dy] of isInterlaced ? PASSES : [[0, 0, 1, 1]]) {
    for (let y = y0; y < height && x0 < width; y += dy) {
      let bits = '';
      for (let x = x0; x < width; x += dx) {
        for (const value of pixels[y * width + x]) bits += value.toString(2).padStart(depth, '0');
      }
      bytes.push(0, ...(bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
    }
  }
  return chunk('IDAT', deflateSync(Uint8Array.from(bytes)));
}

const WIDTH = 11;
const HEIGHT = 7;
/** @param {number} samples @param {number} depth */
const picture = (samples, depth) =>
  Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
    Array.from({ length: samples }, (_, s) => (i * i * 2654435 + s * 7919 * i) % 2 ** depth),
  );

const KINDS = [
  [0, 1, 1],
  [0, 2, 1],
  [0, 4, 1],
  [0, 8, 1],
  [0, 16, 1],
  [2, 8, 3],
  [2, 16, 3],
  [4, 8, 2],
  [4, 16, 2],
  [6, 8, 4],
  [6, 16, 4],
];

it.each(KINDS.flatMap((kind) => [0, 1].map((interlace) => [...kind, interlace])))(
  'decodes colour type %i of %i bits (%i samples), interlaced %i',
  (color, depth, samples, interlace) => {
    const pixels = picture(samples, depth);
    const bytes = png(
      header(WIDTH, HEIGHT, depth, color, interlace),
      packed(pixels, WIDTH, depth, interlace === 1),
    );
    const expected = pixels
      .flat()
      .map((value) => (depth === 16 ? value >> 8 : (value * 255) / (2 ** depth - 1)));
    expect(decodePng(bytes)).toEqual({
      width: WIDTH,
      height: HEIGHT,
      channels: samples,
      pixels: Uint8Array.from(expected),
    });
  },
);

it.each([1, 2, 4, 8])('decodes a palette of %i bits, with and without alpha', (depth) => {
  const indices = picture(1, depth);
  const colors = Array.from({ length: 2 ** depth }, (_, i) => [i, 255 - i, (i * 7) & 255]);
  const begin = [header(WIDTH, HEIGHT, depth, 3, 0), chunk('PLTE', Uint8Array.from(colors.flat()))];
  const data = packed(indices, WIDTH, depth, false);
  expect(decodePng(png(...begin, data))).toMatchObject({
    channels: 3,
    pixels: Uint8Array.from(indices.flatMap(([index]) => colors[index])),
  });
  expect(decodePng(png(...begin, chunk('tRNS', Uint8Array.of(7)), data))).toMatchObject({
    channels: 4,
    pixels: Uint8Array.from(indices.flatMap(([index]) => [...colors[index], index === 0 ? 7 : 255])),
  });
});

it.each([
  [0, 4, 1],
  [0, 16, 1],
  [2, 8, 3],
])('makes one colour of type %i with %i bits see-through', (color, depth, samples) => {
  const pixels = picture(samples, depth);
  const key = new Uint8Array(2 * samples);
  for (const [i, value] of pixels[5].entries()) new DataView(key.buffer).setUint16(2 * i, value);
  const bytes = png(
    header(WIDTH, HEIGHT, depth, color, 0),
    chunk('tRNS', key),
    packed(pixels, WIDTH, depth, false),
  );
  const { channels, pixels: decoded } = decodePng(bytes);
  expect(channels).toBe(samples + 1);
  for (const [i, pixel] of pixels.entries()) {
    expect(decoded[i * channels + samples]).toBe(`${pixel}` === `${pixels[5]}` ? 0 : 255);
  }
});

it('undoes every filter, as another decoder does', () => {
  const data = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => 128 + 100 * Math.sin(i / 17) + (i % 13));
  const raw = new Uint8Array(30 * 121);
  for (let y = 0; y < 30; y++) raw.set([y % 5, ...data.subarray(y * 120, y * 120 + 120)], y * 121);
  const half = deflateSync(raw);
  const bytes = png(
    header(40, 30, 8, 2, 0),
    chunk('IDAT', half.subarray(0, 50)),
    chunk('IDAT', half.subarray(50)),
  );
  expect(Buffer.compare(decodePng(bytes).pixels, /** @type {Uint8Array} */ (decode(bytes).data))).toBe(0);
  expect(decodePng(encode({ width: 40, height: 30, data, channels: 3, depth: 8 })).pixels).toEqual(data);
});

describe('says what is wrong with', () => {
  const good = encode({ width: 28, height: 28, data: new Uint8Array(784).fill(9), channels: 1, depth: 8 });
  /** @param {number} at */
  const altered = (at) => good.map((byte, i) => (i === at ? byte ^ 0x40 : byte));
  const IDAT = 33;
  it.each([
    ['a file cut short', good.slice(0, good.length - 20), /^is a PNG cut short; get it again$/],
    ['a header alone', good.slice(0, 33), /^is a PNG cut short/],
    ['half a header', good.slice(0, 20), /^is a PNG cut short/],
    ['a header altered', altered(19), /^is a damaged PNG/],
    ['pixels altered', altered(IDAT + 12), /^is a damaged PNG/],
    ['no size', png(header(0, 5, 8, 0, 0), packed([[1]], 1, 8, false)), /its header makes no sense/],
    [
      'an impossible depth',
      png(header(5, 5, 3, 0, 0), packed([[1]], 1, 8, false)),
      /its header makes no sense/,
    ],
    [
      'a size beyond all memory',
      png(header(2 ** 31 - 1, 2 ** 31 - 1, 8, 6, 0), packed([[1]], 1, 8, false)),
      /^is too large \(2147483647 x/,
    ],
    [
      'a large size without pixels',
      png(header(8000, 8000, 8, 6, 0), packed([[1]], 1, 8, false)),
      /^is a PNG cut short/,
    ],
    ['too few pixels', png(header(8, 8, 8, 0, 0), packed([[1]], 1, 8, false)), /^is a PNG cut short/],
    [
      'an unknown filter',
      png(header(1, 1, 8, 0, 0), chunk('IDAT', deflateSync(Uint8Array.of(9, 1)))),
      /^is a damaged PNG/,
    ],
    ['no palette', png(header(1, 1, 8, 3, 0), packed([[1]], 1, 8, false)), /its palette is missing/],
    [
      'a colour outside the palette',
      png(header(1, 1, 8, 3, 0), chunk('PLTE', Uint8Array.of(1, 2, 3)), packed([[1]], 1, 8, false)),
      /is not in its palette/,
    ],
  ])('%s', (_, bytes, reason) => {
    expect(() => decodePng(bytes)).toThrow(reason);
  });
});
