// Pictures that the browser decodes: JPEG, WebP, GIF (its first frame) and BMP. Turned as their EXIF orientation says,
// as browsers show them. Node has no such decoder.
import { Damaged } from './damaged.js';
import { mediaTypeOf } from './sniff.js';

/** @typedef {import('./png.js').Picture} Picture */

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Picture>} */
export async function decodeByBrowser(bytes) {
  const type = mediaTypeOf(bytes);
  if (typeof createImageBitmap === 'undefined') {
    const name = type.slice('image/'.length).toUpperCase();
    throw new Damaged(`is a ${name}, which only browsers decode here; convert it to PNG`);
  }
  const jpeg = type === 'image/jpeg' ? readJpegHeader(bytes) : null;
  try {
    // ImageDecoder is several times as quick, but does not turn pictures in every browser.
    const rgba =
      jpeg?.hasExif === false && canDecode() ? await byDecoder(bytes, type) : await byBitmap(bytes, type);
    return jpeg?.isGrey ? grey(rgba) : rgba;
  } catch {
    throw new Damaged('is a damaged picture, or one that this browser does not know; get it again');
  }
}

/** @type {OffscreenCanvasRenderingContext2D | null} one for all: making a canvas takes longer than drawing on it */
let canvas = null;

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} type @returns {Promise<Picture>} */
async function byBitmap(bytes, type) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }), { premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  try {
    canvas ??= new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!canvas) throw new Error('no canvas');
    if (canvas.canvas.width < width || canvas.canvas.height < height)
      Object.assign(canvas.canvas, { width, height });
    canvas.clearRect(0, 0, width, height);
    canvas.drawImage(bitmap, 0, 0);
    const { data } = canvas.getImageData(0, 0, width, height);
    return { width, height, channels: 4, pixels: new Uint8Array(data.buffer) };
  } finally {
    bitmap.close();
  }
}

function canDecode() {
  return 'ImageDecoder' in globalThis;
}

/** @param {Uint8Array<ArrayBuffer>} data @param {string} type @returns {Promise<Picture>} */
async function byDecoder(data, type) {
  const decoder = new ImageDecoder({ data, type });
  try {
    const { image } = await decoder.decode();
    const { displayWidth: width, displayHeight: height } = image;
    const pixels = new Uint8Array(width * height * 4);
    await image.copyTo(pixels, { format: 'RGBA', colorSpace: 'srgb' });
    image.close();
    return { width, height, channels: 4, pixels };
  } finally {
    decoder.close();
  }
}

/** @param {Picture} rgba @returns {Picture} */
function grey({ width, height, pixels }) {
  return {
    width,
    height,
    channels: 1,
    pixels: Uint8Array.from({ length: width * height }, (_, i) => pixels[4 * i]),
  };
}

/** What a JPEG says before its pixels. (ITU-T T.81, annex B) @param {Uint8Array} bytes */
function readJpegHeader(bytes) {
  let hasExif = false;
  for (
    let at = 2;
    at + 10 < bytes.length && bytes[at] === 0xff;
    at += 2 + bytes[at + 2] * 256 + bytes[at + 3]
  ) {
    const marker = bytes[at + 1];
    if (marker === 0xe1) hasExif = true;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { hasExif, isGrey: bytes[at + 9] === 1 };
    if (marker === 0xda) break;
  }
  return { hasExif: true, isGrey: false };
}
