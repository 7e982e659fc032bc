// One set of labelled pictures, as IDX, written in the ways in which people have theirs.
import { encode } from 'fast-png';
import { gzipSync, zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';

/** @typedef {{ images: Uint8Array, labels: Uint8Array, height: number, width: number }} Pictures */
/** @typedef {{ train: Pictures, test: Pictures }} Parts */
/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} File */

/** @param {Uint8Array} images @param {Uint8Array} labels  IDX files @returns {Pictures} */
export function picturesFromIdx(images, labels) {
  const view = new DataView(images.buffer, images.byteOffset);
  return {
    images: images.subarray(16),
    labels: labels.subarray(8),
    height: view.getUint32(8),
    width: view.getUint32(12),
  };
}

/** @param {Pictures} pictures @param {number} index */
export function png({ images, height, width }, index) {
  const data = images.slice(index * height * width, (index + 1) * height * width);
  return encode({ width, height, data, channels: 1, depth: 8 });
}

/** A folder for each class below one for each part; names tell the order. @param {Parts} parts @returns {Record<string, Uint8Array>} */
export function pngFolders(parts) {
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  for (const [part, pictures] of Object.entries(parts)) {
    for (const [i, label] of pictures.labels.entries()) {
      files[`pictures/${part}/${label}/${String(i).padStart(5, '0')}.png`] = png(pictures, i);
    }
  }
  return files;
}

/** @param {string} name @param {Parts} parts @returns {File} */
export function zipOfPngs(name, parts) {
  return { name, bytes: bytesOf(zipSync(pngFolders(parts), { level: 0 })) };
}

/** A tar (ustar) of files; their order is that of the object. @param {Record<string, Uint8Array>} files */
export function tarOf(files) {
  const encoder = new TextEncoder();
  const blocks = Object.entries(files).flatMap(([path, content]) => {
    const header = new Uint8Array(512);
    const put = (/** @type {number} */ at, /** @type {string} */ text) =>
      header.set(encoder.encode(text), at);
    put(0, path);
    put(100, '0000644\0');
    put(124, `${content.length.toString(8).padStart(11, '0')}\0`);
    put(148, '        ');
    put(156, '0');
    put(257, 'ustar\x0000');
    put(
      148,
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
    );
    return [header, content, new Uint8Array(-content.length & 511)];
  });
  return bytesOf(Buffer.concat([...blocks, new Uint8Array(1024)]));
}

/** A Parquet file for each part, as Hugging Face writes them. @param {Parts} parts @param {string[]} names @returns {File[]} */
export function parquetFiles(parts, names) {
  return Object.entries(parts).map(([part, pictures]) => {
    const rows = [...pictures.labels.keys()];
    const info = { features: { image: { _type: 'Image' }, label: { names, _type: 'ClassLabel' } } };
    const buffer = parquetWriteBuffer({
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
        { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
        { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
      ],
      columnData: [
        { name: 'image', data: rows.map((i) => ({ bytes: png(pictures, i), path: `${i}.png` })) },
        { name: 'label', data: Array.from(pictures.labels, BigInt) },
      ],
      kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info }) }],
      rowGroupSize: 5000,
    });
    return { name: `${part}-00000-of-00001.parquet`, bytes: new Uint8Array(buffer) };
  });
}

/** @param {File} file @returns {File} */
export function gzipped({ name, bytes }) {
  return { name: `${name}.gz`, bytes: bytesOf(gzipSync(bytes, { level: 1 })) };
}

/** @param {Uint8Array} bytes @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(bytes) {
  return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
}
