// tabgrad: trains neural networks in a worker of this page, or of Node. See docs/library.md.
import { startEngine } from './engine-client.js';

export { rankConfused, scoreClasses } from './class-scores.js';
export { TabgradError } from './errors.js';

/** @typedef {import('./dataset-client.js').Dataset} Dataset */
/** @typedef {import('./dataset-client.js').DatasetOptions} DatasetOptions */
/** @typedef {import('./engine-client.js').Engine} Engine */
/** @typedef {import('./engine-client.js').EngineOptions} EngineOptions */
/** @typedef {import('./file-reading.js').ReadOptions} ReadOptions */
/** @typedef {import('./protocol.js').Evaluation} Evaluation */
/** @typedef {import('./protocol.js').ImportReport} ImportReport */
/** @typedef {import('./protocol.js').KeptSets} KeptSets */
/** @typedef {import('./protocol.js').ReadingPreview} ReadingPreview */
/** @typedef {import('./protocol.js').ReadingProgress} ReadingProgress */
/** @typedef {import('./protocol.js').Thumbnails} Thumbnails */
/** @typedef {import('./class-scores.js').ClassScore} ClassScore */
/** @typedef {import('./class-scores.js').Confused} Confused */
/** @typedef {import('./protocol.js').DeadUnits} DeadUnits */
/** @typedef {import('./protocol.js').Gradcheck} Gradcheck */
/** @typedef {import('./protocol.js').History} History */
/** @typedef {import('./protocol.js').Parameters} Parameters */
/** @typedef {import('./protocol.js').Report} Report */
/** @typedef {import('./protocol.js').Summary} Summary */
/** @typedef {import('./run-client.js').Run} Run */

/**
 * Starts the engine in a worker of its own.
 * @param {EngineOptions} [options]
 * @returns {Promise<Engine>}
 */
export function createEngine(options = {}) {
  return startEngine(options, new URL('./', import.meta.url));
}
