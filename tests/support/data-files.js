// Files as people have them, small: three kinds of striped pictures that any network tells apart.
import { encode } from 'fast-png';
import { zipSync } from 'fflate';

export const SIDE = 12;
export const NAMES = ['across', 'along', 'slanted'];

/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} NamedBytes */

/** A picture of a class, each a bit different. @param {number} label @param {number} i */
export function picture(label, i) {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [y, x] = [Math.floor(at / SIDE), at % SIDE];
    const stripe = [y, x, x + y][label] + i;
    return (stripe % 3 === 0 ? 200 : 30) + ((i * 31 + at * 17) % 40);
  });
}

/** Labels of so many samples. @param {number} count */
const labelsOf = (count) => Uint8Array.from({ length: count }, (_, i) => i % NAMES.length);

/** @param {Uint8Array} labels @param {number} first */
function picturesOf(labels, first) {
  const pixels = new Uint8Array(labels.length * SIDE * SIDE);
  for (const [i, label] of labels.entries()) pixels.set(picture(label, first + i), i * SIDE * SIDE);
  return pixels;
}

/** NumPy's format, version 1. @param {number[]} shape @param {Uint8Array} bytes */
function npy(shape, bytes) {
  const about = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const header = `${about.padEnd(128 - 10 - 1)}\n`;
  const start = [0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8];
  return Uint8Array.from([...start, ...Buffer.from(header), ...bytes]);
}

/** @param {number} train @param {number} test @returns {NamedBytes} as numpy.savez_compressed writes it */
export function npz(train = 90, test = 30) {
  const [y_train, y_test] = [labelsOf(train), labelsOf(test)];
  const members = {
    'x_train.npy': npy([train, SIDE, SIDE], picturesOf(y_train, 0)),
    'y_train.npy': npy([train], y_train),
    'x_test.npy': npy([test, SIDE, SIDE], picturesOf(y_test, train)),
    'y_test.npy': npy([test], y_test),
  };
  return { name: 'stripes.npz', bytes: zipSync(members) };
}

/** More classes than a table has room for. @param {number} classes @returns {NamedBytes} */
export function npzOfMany(classes = 100) {
  const labels = Uint8Array.from({ length: 3 * classes }, (_, i) => i % classes);
  const pictures = Uint8Array.from({ length: labels.length * SIDE * SIDE }, (_, at) => {
    const label = labels[Math.floor(at / SIDE / SIDE)];
    return (label * 37 + (at % (SIDE * SIDE)) * (1 + (label % 7))) % 256;
  });
  const members = {
    'x_train.npy': npy([labels.length, SIDE, SIDE], pictures),
    'y_train.npy': npy([labels.length], labels),
    'x_test.npy': npy(
      [labels.length, SIDE, SIDE],
      pictures.map((value) => 255 - value),
    ),
    'y_test.npy': npy([labels.length], labels),
  };
  return { name: 'many.npz', bytes: zipSync(members) };
}

/** Folders of PNGs, one for each class, and one that is damaged. @param {number} each @returns {NamedBytes} */
export function zipOfFolders(each = 20) {
  /** @type {Record<string, Uint8Array>} */
  const members = {};
  for (const [label, name] of NAMES.entries()) {
    for (let i = 0; i < each; i++) {
      const grey = picture(label, i);
      const data = Uint8Array.from(
        { length: 3 * grey.length },
        (_, at) => grey[Math.floor(at / 3)] >> (at % 3 ? 0 : 1),
      );
      members[`stripes/${name}/${i}.png`] = encode({
        width: SIDE,
        height: SIDE,
        channels: 3,
        depth: 8,
        data,
      });
    }
  }
  members['stripes/along/damaged.png'] = members['stripes/along/0.png'].slice(0, 60);
  return { name: 'stripes.zip', bytes: zipSync(members) };
}

/** Rows of numbers with a header, the class as a word in the last column. @param {number} rows @returns {NamedBytes} */
export function csv(rows = 60) {
  const lines = Array.from({ length: rows }, (_, i) => {
    const label = i % NAMES.length;
    return `${label + (i % 7) / 10},${5 - 2 * label + (i % 5) / 10},${(i % 3) / 3},${NAMES[label]}`;
  });
  return { name: 'table.csv', bytes: new TextEncoder().encode(`a,b,c,kind\n${lines.join('\n')}\n`) };
}

/** CIFAR-10's binary batches and the names of the classes. @returns {NamedBytes[]} */
export function cifar() {
  const batch = (/** @type {number} */ first) => {
    const bytes = new Uint8Array(20 * 3073);
    for (let i = 0; i < 20; i++) {
      bytes.fill(25 * ((first + i) % 10), i * 3073, (i + 1) * 3073);
      bytes[i * 3073] = (first + i) % 10;
    }
    return bytes;
  };
  const words = 'airplane automobile bird cat deer dog frog horse ship truck'.replaceAll(' ', '\n');
  return [
    { name: 'data_batch_1.bin', bytes: batch(0) },
    { name: 'data_batch_2.bin', bytes: batch(3) },
    { name: 'test_batch.bin', bytes: batch(7) },
    { name: 'batches.meta.txt', bytes: new TextEncoder().encode(`${words}\n`) },
  ];
}
