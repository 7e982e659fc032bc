// Reads a Parquet file in a worker of its own, and ends that worker when it hears nothing of it for too long.
import { startWorker } from '../../shared/environment.js';
import { Damaged } from './damaged.js';

/** @typedef {import('./parquet.js').ParquetVisitor} ParquetVisitor */
/** @typedef {import('./parquet-worker.js').ParquetMessage} ParquetMessage */
/** @typedef {import('./parquet-worker.js').ParquetRequest} ParquetRequest */

/** Without a word: for a small file, and how much of a larger one is read meanwhile by a slow machine. */
const PATIENCE_MS = 1500;
const BYTES_PER_MS = 10_000;
/** For the worker to be there. The timer is also what holds on to it meanwhile: Firefox drops a worker that nobody has. */
const START_MS = 20_000;

/**
 * @param {URL} workerUrl
 * @param {ParquetRequest} request
 * @param {ParquetVisitor} visitor
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function readParquetApart(workerUrl, request, visitor, signal) {
  const size = request.bytes instanceof Blob ? request.bytes.size : request.bytes.length;
  return new Promise((resolve, reject) => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let watch;
    const end = (/** @type {() => void} */ settle) => {
      clearTimeout(watch);
      worker.terminate();
      signal.removeEventListener('abort', abort);
      settle();
    };
    const fail = (/** @type {string} */ reason) => end(() => reject(new Damaged(reason)));
    const abort = () => end(() => reject(signal.reason));
    const listen = () => {
      watch = setTimeout(
        fail,
        PATIENCE_MS + size / BYTES_PER_MS,
        'is a damaged Parquet file without an end; get it again',
      );
    };

    /** @param {ParquetMessage} message */
    async function hear(message) {
      clearTimeout(watch);
      if (message.type === 'done') return end(resolve);
      if (message.type === 'damaged') return fail(message.reason);
      if (message.type === 'ready') worker.post(request);
      if (message.type === 'rows') visitor.rows(message.count);
      if (message.type === 'classes') visitor.classes(message.names);
      if (message.type === 'array') visitor.array(message.name, message.values, message.shape);
      if (message.type === 'pictures') {
        await visitor.pictures(message.pictures);
        if (!signal.aborted) worker.post('next');
      }
      if (!signal.aborted) listen();
    }

    const worker = startWorker(
      workerUrl,
      (message) => hear(message).catch((error) => end(() => reject(error))),
      (reason) => fail(`cannot be read as Parquet (${reason})`),
    );
    watch = setTimeout(
      fail,
      START_MS,
      'cannot be read now, as the worker for Parquet does not start; try again',
    );
    worker.setBusy(true);
    signal.addEventListener('abort', abort);
  });
}
