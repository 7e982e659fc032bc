// Files that want to be misread: what each is called, its bytes, the one sentence it must get from every importer.
// `where`: what the sentence is about, if not the whole file; `container`: hosts unpack it before; `beside`: a sound file
// of the fixtures that has to be given as well, for the attack to come that far; `read`: so many samples are read all the
// same, and the report has the sentence.
import { deflateSync } from 'node:zlib';

const again = 'download it again';
const resave = 'download it or save it again';
const follow = `${again} or check that it is not still compressed`;
const partner = 'give both files together';
const oneClass =
  'every sample is of one class, so there is nothing to tell apart; give samples of others as well';

/** @param {number[]} sizes @param {number | number[]} data bytes that follow @param {number} [type] */
function idx(sizes, data, type = 8) {
  const bytes = typeof data === 'number' ? Array.from({ length: data }, (_, i) => i % 2) : data;
  const file = Buffer.alloc(4 + 4 * sizes.length);
  file.set([0, 0, type, sizes.length]);
  for (const [i, size] of sizes.entries()) file.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([file, Buffer.from(bytes)]);
}

/** @param {number[][]} records */
function cifar(records) {
  return Buffer.from(records.flatMap((labels) => [...labels, ...Array(3072).fill(7)]));
}

/** @param {string} header @param {number[]} data @param {{ version?: number, length?: number }} [changes] */
function npy(header, data, { version = 1, length = header.length } = {}) {
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, length & 255, length >> 8]);
  return Buffer.concat([start, Buffer.from(header), Buffer.from(data)]);
}

/** @param {string} descr @param {string} shape @param {string} [order] */
const dictionary = (descr, shape, order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

/** @param {Buffer[]} elements @param {string} [text] */
function mat5(elements, text = 'MATLAB 5.0 MAT-file') {
  const header = Buffer.alloc(128, ' ');
  header.write(text);
  header.set([0, 1, 0x49, 0x4d], 124);
  return Buffer.concat([header, ...elements]);
}

/** @param {number} type @param {Buffer} data @param {number} [size] that is claimed */
function element(type, data, size = data.length) {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(size, 4);
  return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

/** @param {number[]} words */
const words = (...words) => Buffer.from(Int32Array.from(words).buffer);

/** A matrix of bytes. @param {number} kind its class @param {number[]} dims @param {Buffer} data @param {number} [flags] */
function matrix(kind, dims, data, flags = 0) {
  const parts = [
    element(6, words(kind | (flags << 8), 0)),
    element(5, words(...dims)),
    element(1, Buffer.from('x')),
  ];
  return element(14, Buffer.concat([...parts, element(2, data)]));
}

/** Little-endian, as its class says. @param {number[]} values */
const doubles = (...values) => Buffer.from(Float64Array.from(values).buffer);

/** A variable of doubles. @param {string} name @param {number[]} dims @param {Buffer} data @param {number} [flags] */
const variable = (name, dims, data, flags = 0) =>
  element(
    14,
    Buffer.concat([
      element(6, words(6 | (flags << 8), 0)),
      element(5, words(...dims)),
      element(1, Buffer.from(name)),
      element(9, data),
    ]),
  );

/** @param {number} type @param {number} rows @param {number} columns @param {number} name its length @param {number} data bytes */
function mat4(type, rows, columns, name, data) {
  return Buffer.concat([words(type, rows, columns, 0, name), Buffer.alloc(data)]);
}

/** @typedef {{ file: string, sentence: string, where?: string, container?: boolean, beside?: string, read?: number }} Attack */
/** @type {(Attack & { bytes: Buffer })[]} */
export const hostileFiles = [
  { file: 'idx-empty', bytes: Buffer.alloc(0), sentence: `the file is empty; ${again}` },
  {
    file: 'gzip-ubyte',
    bytes: Buffer.from('1f8b0800000000000003', 'hex'),
    container: true,
    sentence: 'is gzip-compressed; unpack it first',
  },
  {
    file: 'zip-ubyte',
    bytes: Buffer.from('PK\x03\x04 archive'),
    container: true,
    sentence: 'is a zip archive; unpack it first',
  },
  {
    file: 'idx-error-page',
    bytes: Buffer.from('<!DOCTYPE html><title>404 Not Found</title>'),
    sentence: 'is a web page, not data; download the file itself',
  },
  {
    file: 'hdf5.h5',
    bytes: Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'),
    sentence:
      'is an HDF5 file; in MATLAB save it with -v7 instead of -v7.3, in Python write its arrays with numpy.savez',
  },
  {
    file: 'pickle.bin',
    bytes: Buffer.from('80027d7101', 'hex'),
    sentence: 'is a Python pickle; take the binary version of CIFAR, or write arrays with numpy.savez',
  },
  {
    file: 'unknown.xyz',
    bytes: Buffer.from('anything'),
    sentence:
      'is none of the kinds that can be read: IDX, CIFAR, .npy, .mat, .csv, .tsv, pictures, and archives of these',
  },

  {
    file: 'idx-3-bytes-ubyte',
    bytes: Buffer.from([0, 0, 8]),
    sentence: `the file has only 3 bytes, less than an IDX header; ${again}`,
  },
  {
    file: 'idx-unknown-type',
    bytes: idx([1, 1, 1], 1, 0x42),
    sentence:
      'is not an IDX file: it begins with 00 00 42 03, where MNIST has 00 00 08 03 (images) or 00 00 08 01 (labels)',
  },
  {
    file: 'idx-rank-0',
    bytes: idx([], 1),
    sentence:
      'has rank 0; images have rank 3 (count, height, width) or 4 (and channels), rows of features rank 2, labels rank 1',
  },
  {
    file: 'idx-rank-255',
    bytes: idx(Array(255).fill(1), 1),
    sentence:
      'has rank 255; images have rank 3 (count, height, width) or 4 (and channels), rows of features rank 2, labels rank 1',
  },
  {
    file: 'idx-header-cut',
    bytes: idx([2, 2, 3], 0).subarray(0, 10),
    sentence: `is cut short inside its header of 16 bytes; ${again}`,
  },
  {
    file: 'idx-data-cut',
    bytes: idx([2, 2, 3], 11),
    sentence: `header promises 2 x 2 x 3 bytes, but 11 follow it; ${follow}`,
  },
  {
    file: 'idx-data-long',
    bytes: idx([2, 2, 3], 13),
    sentence: `header promises 2 x 2 x 3 bytes, but 13 follow it; ${follow}`,
  },
  {
    file: 'idx-no-images',
    bytes: idx([0, 28, 28], 0),
    sentence: `header promises 0 x 28 x 28 bytes, so there is nothing in it; ${again}`,
  },
  {
    file: 'idx-no-width',
    bytes: idx([2, 28, 0], 0),
    sentence: `header promises 2 x 28 x 0 bytes, so there is nothing in it; ${again}`,
  },
  {
    file: 'idx-4-billion',
    bytes: idx([0xffffffff, 28, 28], 784),
    sentence: `header promises 4294967295 x 28 x 28 bytes, but 784 follow it; ${follow}`,
  },
  // The products are 0 in 64 and in 32 bits: a reader that let them wrap would find nothing missing.
  {
    file: 'idx-wraps-64',
    bytes: idx([0x80000000, 0x80000000, 4], 0),
    sentence: `header promises 2147483648 x 2147483648 x 4 bytes, but 0 follow it; ${follow}`,
  },
  {
    file: 'idx-wraps-32',
    bytes: idx([65536, 65536, 1], 0),
    sentence: `header promises 65536 x 65536 x 1 bytes, but 0 follow it; ${follow}`,
  },
  {
    file: 'idx-floats-cut',
    bytes: idx([2, 3], 23, 0x0d),
    sentence: `header promises 2 x 3 floats of 4 bytes, but 23 bytes follow it; ${follow}`,
  },
  {
    file: 'idx-floats-wrap-64',
    bytes: idx([0x40000000, 0x80000000, 2], 0, 0x0d),
    sentence: `header promises 1073741824 x 2147483648 x 2 floats of 4 bytes, but 0 bytes follow it; ${follow}`,
  },
  {
    file: 'idx-floats-wrap-32',
    bytes: idx([0x40000000, 1], 0, 0x0d),
    sentence: `header promises 1073741824 x 1 floats of 4 bytes, but 0 bytes follow it; ${follow}`,
  },
  {
    file: 'idx-no-floats',
    bytes: idx([2, 0], 0, 0x0d),
    sentence: `header promises 2 x 0 floats of 4 bytes, so there is nothing in it; ${again}`,
  },
  {
    file: 'idx-nan',
    bytes: idx([2, 1], [0x3f, 0x80, 0, 0, 0x7f, 0xc0, 0, 0], 0x0d),
    beside: 'idx/labels',
    sentence: 'sample 1 has NaN at row 0, column 0, channel 0; every pixel must be a finite number',
  },
  {
    file: 'idx-infinity',
    bytes: idx([2, 1], [0x3f, 0x80, 0, 0, 0xff, 0x80, 0, 0], 0x0d),
    beside: 'idx/labels',
    sentence: 'sample 1 has an infinity at row 0, column 0, channel 0; every pixel must be a finite number',
  },
  {
    file: 'idx-half-a-label',
    bytes: idx([2], [0, 0, 0, 0, 0x3f, 0, 0, 0], 0x0d),
    beside: 'idx/images',
    sentence: 'sample 1 has label 0.5; labels are whole numbers from 0 to 65535',
  },
  {
    file: 'idx-negative-label',
    bytes: idx([2], [0, 0xff], 9),
    beside: 'idx/images',
    sentence: 'sample 1 has label -1; labels are whole numbers from 0 to 65535',
  },
  {
    file: 'idx-far-label',
    bytes: idx([2], [0, 99]),
    beside: 'idx/images',
    sentence:
      'sample 1 has label 99, but only 2 different labels occur; correct it, or number the classes from 0',
  },
  {
    file: 'idx-one-class',
    bytes: idx([2], [0, 0]),
    beside: 'idx/images',
    sentence: oneClass,
    read: 2,
  },
  { file: 'idx-labels-alone', bytes: idx([2], 2), sentence: `its images are missing; ${partner}` },
  { file: 'idx-images-alone', bytes: idx([2, 2, 3], 12), sentence: `its labels are missing; ${partner}` },

  {
    file: 'cifar-cut.bin',
    bytes: cifar([[3]]).subarray(0, 3072),
    sentence:
      'has 3072 bytes, no multiple of the 3073 of a CIFAR-10 record; take the binary version and download it again',
  },
  {
    file: 'cifar-label-10.bin',
    bytes: cifar([[9], [10]]),
    sentence: 'record 1 has label 10, but CIFAR-10 has 10 classes; this is no batch of CIFAR-10',
  },
  {
    file: 'cifar-label-100.bin',
    bytes: cifar([[1, 100]]),
    sentence: 'record 0 has label 100, but CIFAR-100 has 100 classes; this is no batch of CIFAR-100',
  },
  {
    file: 'cifar-label-alone.bin',
    bytes: Buffer.from([3]),
    sentence:
      'has 1 bytes, no multiple of the 3073 of a CIFAR-10 record; take the binary version and download it again',
  },

  {
    file: 'npy-9-bytes.npy',
    bytes: npy('', []).subarray(0, 9),
    sentence: `is cut short after 9 bytes of its header; ${resave}`,
  },
  {
    file: 'npy-version-9.npy',
    bytes: npy('{}', [], { version: 9 }),
    sentence: 'is version 9 of the format, which is not known; save it again with numpy.save',
  },
  {
    file: 'npy-header-cut.npy',
    bytes: npy('{}', [], { length: 118 }),
    sentence: `is cut short inside its header of 118 bytes; ${resave}`,
  },
  {
    file: 'npy-no-dictionary.npy',
    bytes: npy('[1, 2]', []),
    sentence: 'its header is not one that NumPy writes; save it again with numpy.save',
  },
  {
    file: 'npy-key-twice.npy',
    bytes: npy("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", []),
    sentence: 'its header is not one that NumPy writes; save it again with numpy.save',
  },
  {
    file: 'npy-negative.npy',
    bytes: npy(dictionary("'|u1'", '(-1, 2)'), []),
    sentence: 'its header is not one that NumPy writes; save it again with numpy.save',
  },
  {
    file: 'npy-objects.npy',
    bytes: npy(dictionary("'|O'", '(2,)'), [1, 2]),
    sentence: 'holds Python objects; save an array of numbers: numpy.save(file, numpy.stack(array))',
  },
  {
    file: 'npy-texts.npy',
    bytes: npy(dictionary("'<U3'", '(2,)'), [1, 2]),
    sentence: 'holds texts; save numbers of classes: numpy.unique(array, return_inverse=True)[1]',
  },
  {
    file: 'npy-complex.npy',
    bytes: npy(dictionary("'<c8'", '(2,)'), [1, 2]),
    sentence: 'holds elements of type "<c8"; save it as uint8 or float32',
  },
  {
    file: 'npy-records.npy',
    bytes: npy(dictionary("[('a', '<f4')]", '(2,)'), [1, 2]),
    sentence: 'holds records of several fields; save each field as an array of its own',
  },
  {
    file: 'npy-one-number.npy',
    bytes: npy(dictionary("'|u1'", '()'), [1]),
    sentence: 'is a single number; labels have rank 1, samples rank 2 to 4',
  },
  {
    file: 'npy-rank-5.npy',
    bytes: npy(dictionary("'|u1'", '(1, 1, 1, 1, 1)'), [1]),
    sentence: 'has rank 5; samples have rank 2 (features), 3 (height, width) or 4 (and channels)',
  },
  {
    file: 'npy-nothing.npy',
    bytes: npy(dictionary("'|u1'", '(0, 28, 28)'), []),
    sentence: 'has the shape 0 x 28 x 28, so there is nothing in it; save it again',
  },
  {
    file: 'npy-cut.npy',
    bytes: npy(dictionary("'<i4'", '(2, 3)'), [1, 2, 3]),
    sentence: `header promises 2 x 3 elements of 4 bytes, but 3 bytes follow it; ${resave}`,
  },
  {
    file: 'npy-wraps-64.npy',
    bytes: npy(dictionary("'<f8'", '(4294967295, 4294967295, 2)'), []),
    sentence:
      'header promises 4294967295 x 4294967295 x 2 elements of 8 bytes, but 0 bytes follow it; download it or save it again',
  },
  {
    file: 'npy-wraps-32.npy',
    bytes: npy(dictionary("'<f8'", '(536870912, 1)'), []),
    sentence:
      'header promises 536870912 x 1 elements of 8 bytes, but 0 bytes follow it; download it or save it again',
  },
  {
    file: 'npy-header-of-4-billion.npy',
    bytes: Buffer.concat([npy('', [], { version: 2, length: 0xffff }), Buffer.from([0xff, 0xff])]),
    sentence: 'is cut short inside its header of 4294967295 bytes; download it or save it again',
  },
  {
    file: 'npy-nan.npy',
    bytes: npy(dictionary("'<f4'", '(2, 2)'), [0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x7f, ...Array(8).fill(0)]),
    beside: 'idx/labels',
    sentence: 'sample 0 has NaN at row 0, column 0, channel 1; every pixel must be a finite number',
  },
  {
    file: 'npy-half-infinity.npy',
    bytes: npy(dictionary("'<f2'", '(2, 2)'), [0, 0x7c, 0, 0, 0, 0, 0, 0]),
    beside: 'idx/labels',
    sentence: 'sample 0 has an infinity at row 0, column 0, channel 0; every pixel must be a finite number',
  },
  {
    file: 'npy-beyond-floats.npy',
    bytes: npy(dictionary("'<f8'", '(2, 2)'), [...doubles(1, 1e300, 2, 3)]),
    beside: 'idx/labels',
    sentence: 'sample 0 has an infinity at row 0, column 0, channel 1; every pixel must be a finite number',
  },
  {
    file: 'y_half.npy',
    bytes: npy(dictionary("'<f8'", '(2,)'), [...doubles(0, 0.5)]),
    beside: 'idx/images',
    sentence: 'sample 1 has label 0.5; labels are whole numbers from 0 to 65535',
  },
  {
    file: 'y_negative.npy',
    bytes: npy(dictionary("'<i8'", '(2,)'), [...Array(8).fill(0), ...Array(8).fill(255)]),
    beside: 'idx/images',
    sentence: 'sample 1 has label -1; labels are whole numbers from 0 to 65535',
  },
  {
    file: 'y_one_class.npy',
    bytes: npy(dictionary("'|u1'", '(2,)'), [3, 3]),
    beside: 'idx/images',
    sentence: oneClass,
    read: 2,
  },
  {
    file: 'npy-larger-than-any-file.npy',
    bytes: npy(dictionary("'<i8'", '(99999999999999999999,)'), []),
    sentence: 'its header is not one that NumPy writes; save it again with numpy.save',
  },

  {
    file: 'mat-header-cut.mat',
    bytes: mat5([]).subarray(0, 100),
    sentence: `is cut short after 100 of the 128 bytes of its header; ${again}`,
  },
  {
    file: 'mat-7.3.mat',
    bytes: mat5([], 'MATLAB 7.3 MAT-file'),
    sentence:
      "is of MATLAB's version 7.3, which is HDF5; save it with -v7: save('file.mat', 'X', 'y', '-v7')",
  },
  {
    file: 'mat-nothing.mat',
    bytes: mat5([]),
    sentence: 'holds no arrays of numbers; save samples and labels as arrays',
  },
  {
    file: 'mat-tag-cut.mat',
    bytes: mat5([Buffer.from([14, 0, 0])]),
    sentence: `is cut short in element 1; ${resave}`,
  },
  {
    file: 'mat-element-cut.mat',
    bytes: mat5([element(14, Buffer.alloc(8), 4000)]),
    sentence: `is cut short in element 1; ${resave}`,
  },
  {
    file: 'mat-no-matrix.mat',
    bytes: mat5([element(14, Buffer.alloc(8))]),
    sentence: 'element 1 is damaged; save the file again',
  },
  {
    file: 'mat-wraps.mat',
    bytes: mat5([matrix(9, [65536, 65536, 65536, 65536], Buffer.alloc(8))]),
    sentence: 'variable "x" is damaged; save the file again',
  },
  {
    file: 'mat-negative.mat',
    bytes: mat5([matrix(9, [-2, 4], Buffer.alloc(8))]),
    sentence: 'variable "x" is damaged; save the file again',
  },
  {
    file: 'mat-33-dimensions.mat',
    bytes: mat5([matrix(9, Array(33).fill(1), Buffer.alloc(8))]),
    sentence: 'element 1 is damaged; save the file again',
  },
  {
    file: 'mat-5-dimensions.mat',
    bytes: mat5([matrix(9, [1, 2, 2, 1, 2], Buffer.alloc(8))]),
    where: 'mat-5-dimensions.mat: x',
    sentence: 'has more than 4 dimensions; save one of at most 4',
  },
  {
    file: 'mat-dimensions-cut.mat',
    bytes: mat5([element(14, Buffer.concat([element(6, words(9, 0)), element(5, words(2, 4), 4000)]))]),
    sentence: 'element 1 is damaged; save the file again',
  },
  {
    file: 'mat-sparse.mat',
    bytes: mat5([matrix(5, [2, 4], Buffer.alloc(8))]),
    where: 'mat-sparse.mat: x',
    sentence: 'is sparse; save full(X)',
  },
  {
    file: 'mat-complex.mat',
    bytes: mat5([variable('x', [2, 1], doubles(1, 2), 8)]),
    where: 'mat-complex.mat: x',
    sentence: 'has complex numbers; save abs(X)',
  },
  {
    file: 'mat-nan.mat',
    bytes: mat5([variable('x', [2, 2], doubles(1, 2, 3, Number.NaN)), variable('y', [2, 1], doubles(0, 1))]),
    where: 'mat-nan.mat: x',
    sentence: 'sample 1 has NaN at row 0, column 0, channel 1; every pixel must be a finite number',
  },
  {
    file: 'mat-half-a-label.mat',
    bytes: mat5([variable('x', [2, 2], doubles(1, 2, 3, 4)), variable('y', [2, 1], doubles(0, 0.5))]),
    where: 'mat-half-a-label.mat: y',
    sentence: 'sample 1 has label 0.5; labels are whole numbers from 0 to 65535',
  },
  {
    file: 'mat-one-class.mat',
    bytes: mat5([variable('x', [2, 2], doubles(1, 2, 3, 4)), variable('y', [2, 1], doubles(1, 1))]),
    sentence: oneClass,
    read: 2,
  },
  {
    file: 'mat-nothing-in-it.mat',
    bytes: mat5([variable('x', [0, 4], doubles()), variable('y', [0, 1], doubles())]),
    sentence: 'holds no arrays of numbers; save samples and labels as arrays',
  },
  {
    file: 'mat-shape-lies.mat',
    bytes: mat5([matrix(9, [2, 9], Buffer.alloc(8))]),
    sentence: 'variable "x" is damaged; save the file again',
  },
  {
    file: 'mat-not-deflate.mat',
    bytes: mat5([element(15, Buffer.from('not deflate'))]),
    sentence: 'element 1 cannot be unpacked; download the file or save it again',
  },
  {
    file: 'mat-bomb.mat',
    bytes: mat5([element(15, deflateSync(words(14, 0x7ffffff0, 0)))]),
    sentence: 'element 1 claims more bytes than its 19 packed ones can hold; save the file again',
  },
  {
    file: 'mat-packed-cut.mat',
    bytes: mat5([element(15, deflateSync(words(14, 400, 0)))]),
    sentence: 'element 1 cannot be unpacked; download the file or save it again',
  },
  {
    file: 'mat-4-cut.mat',
    bytes: mat4(50, 3, 3, 2, 4),
    sentence: `matrix 1 is of 3 x 3 elements, but the file ends before; ${resave}`,
  },
  {
    file: 'mat-4-name-cut.mat',
    bytes: mat4(50, 1, 1, 60, 4),
    sentence: 'matrix 1 is of 1 x 1 elements, but the file ends before; download it or save it again',
  },
  {
    file: 'mat-4-complex.mat',
    bytes: Buffer.concat([words(50, 2, 2, 1, 2), Buffer.from('x\0'), Buffer.alloc(8)]),
    where: 'mat-4-complex.mat: x',
    sentence: 'has complex numbers; save abs(X)',
  },
  {
    file: 'mat-4-second-header-cut.mat',
    bytes: Buffer.concat([mat4(50, 2, 2, 2, 6), words(50, 2)]),
    sentence: 'is cut short in the header of matrix 2; download it or save it again',
  },
  {
    file: 'mat-4-wraps.mat',
    bytes: mat4(0, -1, -1, 2, 4),
    sentence: `matrix 1 is of 4294967295 x 4294967295 elements, but the file ends before; ${resave}`,
  },

  {
    file: 'csv-no-text.csv',
    bytes: Buffer.from('a\0,\0b\0'),
    sentence: 'is no text; save it as UTF-8, not as UTF-16 or as a spreadsheet',
  },
  {
    file: 'csv-one-column.csv',
    bytes: Buffer.from('label\n1\n2\n'),
    sentence: 'has one column only; part the cells with commas, semicolons or tabs',
  },
  {
    file: 'csv-open-quote.csv',
    bytes: Buffer.from('a,label\n"1,0\n'),
    sentence: 'the quote before "1,0\n" is never closed; close it or remove it',
  },
  {
    file: 'csv-no-rows.csv',
    bytes: Buffer.from('a,b,label\n'),
    sentence: 'has a first line, but no rows; give at least one sample',
  },
  {
    file: 'csv-texts.csv',
    bytes: Buffer.from('name,age,label\nann,1,0\nbob,2,1\n'),
    sentence: 'row 2 has "ann" in column 1, where a number must stand',
  },
  {
    file: 'csv-nan.csv',
    bytes: Buffer.from('a,label\nnan,0\ninf,1\n'),
    sentence: 'row 2 has "nan" in column 1, where a number must stand',
  },
  {
    file: 'csv-infinity.csv',
    bytes: Buffer.from('a,label\n1e999,0\n-1e999,1\n'),
    sentence: 'row 2 has "1e999" in column 1, where a number must stand',
  },
  {
    file: 'csv-one-class.csv',
    bytes: Buffer.from('a,label\n1,cat\n2,cat\n'),
    sentence: oneClass,
    read: 2,
  },
  {
    file: 'csv-blanks.csv',
    bytes: Buffer.from(' \n\n \n'),
    sentence: 'has one column only; part the cells with commas, semicolons or tabs',
  },
  {
    file: 'csv-ragged.csv',
    bytes: Buffer.from('a,b,label\n1,2\n1,2,3,4\n'),
    sentence: 'row 2 has not the 3 cells of the first',
  },
  {
    file: 'csv-no-labels.csv',
    bytes: Buffer.from(`${Array.from({ length: 64 }, (_, i) => `pixel${i}`)}\n${Array(64).fill(1)}\n`),
    sentence: 'has no column of labels; it can only be predicted on',
  },
  {
    file: 'csv-other-columns.csv',
    bytes: Buffer.from('a,b,label\n1,2,0\n3,4,1\n'),
    beside: 'csv/iris.csv',
    sentence: 'its samples are 1x1x2, those of the others 1x1x4; give the files of one set at a time',
    read: 3,
  },

  {
    file: 'train_files.txt',
    bytes: Buffer.from('../../1.png\ncats/2.png\n'),
    where: '../../1.png',
    sentence: 'is on a list of files, but is not there',
  },
  {
    file: 'some_files.txt',
    bytes: Buffer.from('cats/1.png\n'),
    sentence: 'is a list of files of no part; call it train_files.txt or test_files.txt',
  },
];
