// What somebody dropped, sorted into the parts of a dataset.
import { isCifarFile, sortCifarFiles } from './cifar-files.js';
import { pairIdxFiles } from './idx-files.js';

/** @typedef {import('./file-bytes.js').NamedBytes} NamedBytes */
/** @typedef {'idx' | 'cifar'} FileFormat */
/** @typedef {{ format: FileFormat, files: NamedBytes[], classes: string[] | null }} FilePart  idx: images, then labels */
/** @typedef {{ train: FilePart, test?: FilePart }} FileParts */

/** @param {NamedBytes[]} files @returns {Promise<FileParts>} */
export function sortFiles(files) {
  return files.some(isCifarFile) ? sortCifarFiles(files) : pairIdxFiles(files);
}
