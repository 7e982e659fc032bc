// Streams of deflated bytes, through the platform's own inflate.
import { Budget, MAX_FILE } from './budget.js';
import { ByteStream } from './byte-stream.js';
import { Damaged } from './damaged.js';

/**
 * @param {ByteStream} packed
 * @param {'gzip' | 'deflate-raw'} format
 * @param {Budget} budget
 * @param {number} [expected]  bytes, where the container says: more are an error at once
 */
export function inflated(packed, format, budget, expected = MAX_FILE) {
  const reader = unpackedReader(packed, format);
  let size = 0;
  return new ByteStream(async () => {
    const { value } = await reader.read().catch((error) => {
      if (error instanceof Damaged) throw error;
      throw new Damaged(
        `is damaged or cut short inside its ${format === 'gzip' ? 'gzip' : 'zip'} packing; get it again`,
      );
    });
    if (!value) return null;
    size += value.length;
    try {
      budget.spend(value.length);
      Budget.check(size);
      if (size > expected) throw new Damaged(`holds more than the ${expected} bytes it should; get it again`);
    } catch (error) {
      reader.cancel().catch(() => {}); // that not all was read is what we want
      throw error;
    }
    return value;
  });
}

/** @param {ByteStream} packed @param {'gzip' | 'deflate-raw'} format */
function unpackedReader(packed, format) {
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const stream = new ReadableStream({
    async pull(controller) {
      const piece = await packed.piece();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
  return stream.pipeThrough(new DecompressionStream(/** @type {CompressionFormat} */ (format))).getReader();
}
