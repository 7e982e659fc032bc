// From files to data sets: their beginnings, to look at, and all of them.
import { TabgradError } from '../../shared/errors.js';
import { Dataset } from '../datasets.js';
import { previewOf } from '../thumbnails.js';
import { beginningsOf } from './beginnings.js';
import { Damaged } from './damaged.js';
import { importFiles } from './importer.js';

export { importFiles, previewOf };

/** @typedef {import('../core.js').Core} Core */
/** @typedef {import('../../shared/protocol.js').ImportFields} ImportFields */
/** @typedef {import('../../shared/protocol.js').ReadingPreview} ReadingPreview */
/** @typedef {Parameters<typeof importFiles>[2]} Following */

/**
 * The first samples, understood as all of them will be.
 * @param {Core} core
 * @param {ImportFields} fields
 * @param {Following} following
 * @returns {Promise<ReadingPreview | null>}  null: nothing can be said of them yet
 */
export async function previewOfBeginnings(core, fields, following) {
  try {
    const beginnings = await beginningsOf(fields.files);
    return beginnings && (await previewOfFirst(core, fields, following, beginnings));
  } catch (error) {
    if (error instanceof Damaged || error instanceof TabgradError) return null; // the whole files will say what is wrong
    throw error;
  }
}

/** @param {Core} core @param {ImportFields} fields @param {Following} following
 * @param {import('./beginnings.js').Beginnings} beginnings */
async function previewOfFirst(core, fields, following, { files, counts }) {
  const read = await importFiles(core, { ...fields, files }, { ...following, onProgress: () => {} });
  const train = new Dataset(core, read.train);
  const test = read.test ? new Dataset(core, read.test) : null;
  const { sources, skippedCount } = read.report;
  const wholeCounts = (/** @type {string} */ part) =>
    sources.filter((source) => source.part === part).map(({ name }) => counts.get(name) ?? 0);
  const [inTrain, ...others] = wholeCounts('train');
  try {
    if (skippedCount > 0 || others.length > 0) return null; // of two files, the second would begin elsewhere
    const preview = previewOf({ train, test });
    preview.train = { ...preview.train, count: inTrain };
    if (preview.test)
      preview.test = { ...preview.test, count: wholeCounts('test').reduce((sum, count) => sum + count, 0) };
    return preview;
  } finally {
    train.release();
    test?.release();
  }
}
