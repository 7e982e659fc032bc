// CIFAR-10 in its binary version: data_batch_1.bin to data_batch_5.bin, test_batch.bin, and the names of the classes in
// batches.meta.txt. Its batches have no header, so names tell what they are; the engine checks what is in them.
import { TabgradError } from './errors.js';
import { readFile, unpack } from './file-bytes.js';

/** @typedef {import('./file-bytes.js').NamedBytes} NamedBytes */
/** @typedef {import('./file-parts.js').FilePart} FilePart */
/** @typedef {import('./file-parts.js').FileParts} FileParts */

/** @param {NamedBytes} file */
export function isCifarFile({ name }) {
  return isBatch(name) || isNames(name);
}

/**
 * @param {NamedBytes[]} files  in any order; batches of one part alone are the training part
 * @returns {Promise<FileParts>}
 */
export async function sortCifarFiles(files) {
  const stranger = files.find((file) => !isCifarFile(file));
  if (stranger) {
    const what =
      "does not belong to CIFAR-10's data_batch_*.bin and test_batch.bin; give the files of one set at a time";
    throw new TabgradError('data', stranger.name, what);
  }
  const batches = files.filter(({ name }) => isBatch(name)).sort(byName);
  if (batches.length === 0) {
    const what = 'names the classes of CIFAR-10, but its batches are missing; give data_batch_*.bin as well';
    throw new TabgradError('data', files[0].name, what);
  }
  const classes = await readNames(files.find(({ name }) => isNames(name)));
  const [train, test] = [false, true].map((isTest) => {
    const part = batches.filter(({ name }) => /test/i.test(name) === isTest);
    return part.length > 0 ? /** @type {FilePart} */ ({ format: 'cifar', files: part, classes }) : undefined;
  });
  return train ? { train, test } : { train: /** @type {FilePart} */ (test) };
}

/** @param {string} name */
function isBatch(name) {
  return /\.bin(\.gz)?$/i.test(name);
}

/** @param {string} name */
function isNames(name) {
  return /^batches\.meta\.txt$/i.test(name);
}

/** data_batch_2 before data_batch_10. @param {NamedBytes} a @param {NamedBytes} b */
function byName(a, b) {
  return a.name.localeCompare(b.name, 'en', { numeric: true });
}

/** One name a line. @param {NamedBytes | undefined} file */
async function readNames(file) {
  if (!file) return null;
  const text = new TextDecoder().decode(await unpack(await readFile(file)));
  return text.split(/\s+/).filter((name) => name !== '');
}
