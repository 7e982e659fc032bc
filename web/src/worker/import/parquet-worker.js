// A worker for one Parquet file. hyparquet believes what a file says of itself, so a hostile one can keep it busy for
// ever: here nobody else waits for it, and it can be ended.
import { nodeModule } from '../../shared/environment.js';
import { Budget } from './budget.js';
import { sourceOf } from './byte-source.js';
import { Damaged } from './damaged.js';
import { readParquet } from './parquet.js';

/** @typedef {import('./parquet.js').PackedPicture} PackedPicture */
/** @typedef {{ bytes: Blob | Uint8Array, label_column?: string, labels?: 'fine' | 'coarse' }} ParquetRequest  then 'next' for each batch */
/**
 * @typedef {{ type: 'ready' } | { type: 'rows', count: number } | { type: 'classes', names: string[] }
 *   | { type: 'pictures', pictures: PackedPicture[] }
 *   | { type: 'array', name: 'images' | 'labels', values: Uint8Array | Float32Array, shape: number[] }
 *   | { type: 'done' } | { type: 'damaged', reason: string }} ParquetMessage
 */

const parent = nodeModule('node:worker_threads')?.parentPort;
const port = /** @type {{ postMessage: (message: unknown, transfer?: Transferable[]) => void }} */ (
  parent ?? globalThis
);
const post = (/** @type {ParquetMessage} */ message, /** @type {Transferable[]} */ transfer = []) =>
  port.postMessage(message, transfer);
let goOn = () => {};

/** @param {ParquetRequest | 'next'} request */
async function receive(request) {
  if (request === 'next') return goOn();
  const source = sourceOf(request.bytes);
  try {
    await readParquet(
      source,
      { ...request, budget: new Budget(source.size) },
      {
        rows: (count) => post({ type: 'rows', count }),
        classes: (names) => post({ type: 'classes', names }),
        pictures: (pictures) => {
          post({ type: 'pictures', pictures });
          return new Promise((resolve) => {
            goOn = () => resolve();
          });
        },
        array: (name, values, shape) =>
          post({ type: 'array', name, values, shape }, [/** @type {ArrayBuffer} */ (values.buffer)]),
      },
    );
    post({ type: 'done' });
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    post({ type: 'damaged', reason: error.message });
  }
}

if (parent) parent.on('message', receive);
else globalThis.onmessage = ({ data }) => receive(data);
post({ type: 'ready' });
