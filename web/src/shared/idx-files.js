// Which of the files that somebody dropped belong together: MNIST comes as four, images and labels of two parts.
// What a file is, its header says; which part it is, its name; and if names do not tell, the counts do.
import { TabgradError } from './errors.js';
import { unpackStart } from './file-bytes.js';

/** @typedef {import('./file-bytes.js').NamedBytes} NamedBytes */
/** @typedef {{ file: NamedBytes, part: 'train' | 'test' | null, isLabels: boolean, count: number }} IdxFile */
/** @typedef {import('./file-parts.js').FileParts} FileParts */
/** @typedef {import('./file-parts.js').FilePart} FilePart */

const HOW_TO = 'give images and labels as IDX files, as MNIST has them (.gz or not)';

/**
 * @param {NamedBytes[]} files  two (one pair: the training part) or four
 * @returns {Promise<FileParts>}
 */
export async function pairIdxFiles(files) {
  const all = await Promise.all(files.map(lookInto));
  const images = all.filter(({ isLabels }) => !isLabels);
  const labels = all.filter(({ isLabels }) => isLabels);
  if (all.length === 0) throw new TabgradError('argument', 'files', `there are none; ${HOW_TO}`);
  if (all.length > 4) throw new TabgradError('argument', 'files', `${all.length} are too many; ${HOW_TO}`);
  if (images.length !== labels.length) {
    const { file, isLabels } = (images.length > labels.length ? images : labels)[0];
    const other = isLabels ? 'images' : 'labels';
    throw new TabgradError('data', file.name, `its ${other} are missing; give both files together`);
  }
  if (images.length === 1) return { train: pair(images[0], labels[0]) };
  return pairByName(images, labels) ?? pairByCount(images, labels);
}

/** @param {IdxFile[]} images @param {IdxFile[]} labels */
function pairByName(images, labels) {
  const [train, test] = /** @type {const} */ (['train', 'test']).map((part) => {
    const image = images.find((file) => file.part === part);
    const label = labels.find((file) => file.part === part);
    return image && label && pair(image, label);
  });
  return train && test ? { train, test } : null;
}

/** @param {IdxFile[]} images @param {IdxFile[]} labels */
function pairByCount(images, labels) {
  const [large, small] = images.toSorted((a, b) => b.count - a.count);
  const [largeLabels, smallLabels] = labels.toSorted((a, b) => b.count - a.count);
  if (large.count === small.count) {
    throw new TabgradError(
      'data',
      large.file.name,
      `which labels belong to it cannot be told; name the files train-images, train-labels, test-images, test-labels`,
    );
  }
  return { train: pair(large, largeLabels), test: pair(small, smallLabels) };
}

/** @param {IdxFile} images @param {IdxFile} labels @returns {FilePart} */
function pair(images, labels) {
  return { format: 'idx', files: [images.file, labels.file], classes: null };
}

/** Reads as much of the header as tells images from labels; the engine checks the rest.
 * @param {NamedBytes} file @returns {Promise<IdxFile>} */
async function lookInto(file) {
  const start = await unpackStart(file, 8);
  if (start.length === 0) throw new TabgradError('format', file.name, `is empty; ${HOW_TO}`);
  const [zero, alsoZero, , rank] = start;
  if (start.length < 8 || zero !== 0 || alsoZero !== 0) {
    throw new TabgradError('format', file.name, `is not an IDX file; ${HOW_TO}`);
  }
  return {
    file,
    part: partOf(file.name),
    isLabels: rank === 1,
    count: new DataView(start.buffer).getUint32(4),
  };
}

/** @param {string} name */
function partOf(name) {
  if (/t10k|test/i.test(name)) return 'test';
  return /train/i.test(name) ? 'train' : null;
}
