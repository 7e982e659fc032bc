// From files to data sets, through the worker: told how far it is, cancelled, and done again should the worker die.
import { attributesOf } from './attributes.js';
import { Dataset } from './dataset-client.js';
import { nodeModule } from './environment.js';
import { namedBytes, readFile } from './file-bytes.js';
import { makersOfTwo } from './set-makers.js';

/** @typedef {import('./file-bytes.js').NamedBytes} NamedBytes */
/** @typedef {import('./protocol.js').ImportReport} ImportReport */
/** @typedef {import('./protocol.js').ReadingPreview} ReadingPreview */
/** @typedef {import('./protocol.js').ReadingProgress} ReadingProgress */
/** @typedef {import('./set-makers.js').MadeSets} MadeSets */
/** @typedef {import('./set-makers.js').WantedIds} WantedIds */
/** @typedef {import('./set-makers.js').Worker} Worker */
/** @typedef {import('./supervisor.js').Supervisor} Supervisor */

/**
 * How files are to be understood; without a word, their names and contents tell.
 * @typedef {object} Understanding
 * @property {string[]} [classes]  their names, instead of those found
 * @property {Record<string, 'train' | 'test' | 'ignore'>} [roles]  of files, folders and archives, named as in the report
 * @property {boolean} [transposed]  rows and columns change places, as EMNIST needs it
 * @property {'fine' | 'coarse'} [labels]  of CIFAR-100
 * @property {string} [label_column]  of tables: 'first', 'last' or the column's name
 * @property {boolean} [flat]  rows of numbers stay features, also where they could be pictures
 * @property {[height: number, width: number]} [size]  of every picture
 * @property {'crop' | 'fit' | 'stretch'} [fit]  how pictures come to that size
 * @property {'rgb' | 'gray'} [color]
 * @property {boolean} [unlabeled]  samples alone are enough
 */
/**
 * @typedef {object} Following
 * @property {AbortSignal} [signal]  ends the reading; the promise is rejected with its reason
 * @property {(progress: ReadingProgress) => void} [onProgress]  about ten times a second
 * @property {(preview: ReadingPreview) => void} [onPreview]  once: what the first samples look like
 */
/** @typedef {Understanding & Following & { digest?: boolean }} ReadOptions  digest false: `sha256` stays '', which spares
 *  a third of the time that MNIST takes */
/** @typedef {(worker: Worker, wanted: WantedIds) => Promise<MadeSets & { report: any }>} Make */

/**
 * @param {Supervisor} supervisor
 * @param {(NamedBytes | File)[]} files
 * @param {ReadOptions} [readOptions]
 * @returns {Promise<{ train: Dataset, test?: Dataset, report: ImportReport }>}
 */
export async function readFiles(supervisor, files, readOptions = {}) {
  const { signal, onProgress, onPreview, digest = true, ...options } = readOptions;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const fields = {
    files: files.map(namedBytes),
    options: attributesOf(given, 'options'),
    parquet: { label_column: options.label_column, labels: options.labels },
  };
  /** @param {Worker} worker @param {WantedIds} wanted @param {(event: ReadingProgress | ReadingPreview) => void} [onEvent] */
  async function read(worker, wanted, onEvent) {
    const reading = supervisor.nextId();
    const cancel = () => worker.request('cancelReading', { reading }).catch(() => {}); // it is over, then
    signal?.addEventListener('abort', cancel);
    try {
      const sendable = { ...fields, files: await sendableFiles(fields.files) };
      const wants = { wantsPreview: onPreview !== undefined, wantsDigest: digest };
      const request = { ...sendable, ...wanted, reading, ...wants };
      return await worker.request('readFiles', request, { onEvent });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }
  signal?.throwIfAborted();
  return makeBoth(supervisor, read, { signal, onProgress, onPreview });
}

/** In a browser the worker reads files from disk, as much of them as it needs; Node cannot send those.
 * @param {NamedBytes[]} files @returns {Promise<NamedBytes[]>} */
async function sendableFiles(files) {
  if (!nodeModule('node:worker_threads')) return files;
  return Promise.all(files.map(async (file) => ({ ...file, ...(await readFile(file)) })));
}

/** @param {Supervisor} supervisor @param {string} key */
export function openStored(supervisor, key) {
  return makeBoth(supervisor, (worker, wanted) => worker.request('openStored', { ...wanted, key }), {});
}

/**
 * @param {Supervisor} supervisor
 * @param {(...args: [...Parameters<Make>, onEvent?: (event: ReadingProgress | ReadingPreview) => void]) => ReturnType<Make>} make
 * @param {Following} following
 * @returns {Promise<{ train: Dataset, test?: Dataset, report: any }>}
 */
async function makeBoth(supervisor, make, { signal, onProgress, onPreview }) {
  const ids = { train: supervisor.nextId(), test: supervisor.nextId() };
  const making = make(supervisor, ids, (event) => {
    if (signal?.aborted) return;
    if (event.stage === 'preview') onPreview?.(event);
    else onProgress?.(event);
  });
  const made = await (signal ? abortable(making, signal, (late) => release(supervisor, ids, late)) : making);
  const makers = makersOfTwo(supervisor, ids, make);
  const train = new Dataset(supervisor, ids.train, made.train, makers.train);
  if (!made.test) return { train, report: made.report };
  return { train, test: new Dataset(supervisor, ids.test, made.test, makers.test), report: made.report };
}

/**
 * Rejects at once when the signal is aborted, whatever the worker is just doing.
 * @param {Promise<MadeSets & { report: any }>} making
 * @param {AbortSignal} signal
 * @param {(made: MadeSets) => void} drop  what comes all the same
 * @returns {Promise<MadeSets & { report: any }>}
 */
function abortable(making, signal, drop) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    making
      .then((made) => (signal.aborted ? drop(made) : resolve(made)), reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

/** @param {Supervisor} supervisor @param {{ train: number, test: number }} ids @param {MadeSets} made */
function release(supervisor, ids, { test }) {
  for (const dataset of test ? [ids.train, ids.test] : [ids.train]) {
    supervisor.request('closeDataset', { dataset }).catch(() => {}); // it is gone, then
  }
}
