// The first samples of large files, to look at while all of them are still being read: what a few files of IDX begin
// with is made into small files of IDX, which say of the data all but how many they are.
import { Budget } from './budget.js';
import { sourceOf } from './byte-source.js';
import { ByteStream } from './byte-stream.js';
import { inflated } from './inflate.js';
import { cleanPath } from './paths.js';
import { HEAD, kindOf } from './sniff.js';

/** @typedef {import('../../shared/protocol.js').ImportFields['files'][0]} File */
/**
 * @typedef {object} Idx  unpacked, of bytes
 * @property {string} name  as the importer calls it
 * @property {number[]} axes  the first counts samples
 * @property {ByteStream} content  behind the header
 */
/**
 * @typedef {object} Beginnings
 * @property {{ name: string, bytes: Uint8Array<ArrayBuffer> }[]} files
 * @property {Map<string, number>} counts  of what each file holds in all, by its name
 */

/** Images and labels, to learn from and to test with. */
const MOST_FILES = 4;
/** Bytes of the largest one, unpacked: samples of every class are among them. */
const ENOUGH = 2 ** 20;
/** Read from disk and unpacked at once. */
const STEP = 2 ** 18;
/** IDX: two zeros, the type (bytes), how many axes; then the axes, big-endian. */
const MAGIC = [0, 0, 8];

/**
 * Of each file the same fraction, as counts tell which files belong together.
 * @param {File[]} files
 * @returns {Promise<Beginnings | null>}  null: they are small, something else, or their beginning would not do
 */
export async function beginningsOf(files) {
  if (files.length === 0 || files.length > MOST_FILES) return null;
  const opened = await Promise.all(files.map(openIdx));
  const whole = opened.filter((idx) => idx !== null);
  const fraction = ENOUGH / Math.max(...whole.map(({ axes }) => product(axes)));
  if (whole.length < files.length || fraction >= 1) return null;
  const begun = await Promise.all(whole.map((idx) => begin(idx, Math.ceil(idx.axes[0] * fraction))));
  const small = begun.filter((file) => file !== null);
  const counts = new Map(whole.map(({ name, axes }) => [name, axes[0]]));
  const areApart = new Set(small.map(({ count }) => count)).size === new Set(counts.values()).size;
  return small.length === whole.length && areApart ? { files: small, counts } : null;
}

/** @param {File} file @returns {Promise<Idx | null>} */
async function openIdx({ name, path, bytes }) {
  const source = sourceOf(bytes);
  let content = inSteps(source);
  let of = cleanPath(path ?? name);
  if (kindOf(await content.peek(HEAD)) === 'gzip') {
    content = inflated(content, 'gzip', new Budget(source.size));
    of = of.replace(/\.gz$/i, '');
  }
  const head = await content.peek(MAGIC.length + 1);
  const rank = head[MAGIC.length];
  if (!MAGIC.every((byte, i) => head[i] === byte) || !(rank >= 1 && rank <= 4)) return null;
  const header = await content.take(4 + 4 * rank);
  const view = new DataView(header.buffer, header.byteOffset);
  const axes = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  return axes.includes(0) ? null : { name: of, axes, content };
}

/** @param {import('./byte-source.js').ByteSource} source */
function inSteps({ size, read }) {
  let at = 0;
  return new ByteStream(async () => {
    if (at >= size) return null;
    const start = at;
    at = Math.min(at + STEP, size);
    return read(start, at);
  });
}

/** A file of the first so many. Labels that have not all classes yet would tell of fewer: null.
 * @param {Idx} idx @param {number} count */
async function begin({ name, axes, content }, count) {
  const [all, ...sides] = axes;
  const isLabels = sides.length === 0;
  const size = count * product(sides);
  if (Math.max(size, isLabels ? all : 0) > 2 * ENOUGH) return null; // a single sample, or only labels
  const taken = await content.take(isLabels ? all : size);
  const values = taken.subarray(0, size);
  if (isLabels && largest(taken) > largest(values)) return null;
  const bytes = new Uint8Array(4 + 4 * axes.length + values.length);
  bytes.set([...MAGIC, axes.length]);
  const view = new DataView(bytes.buffer);
  for (const [i, side] of [count, ...sides].entries()) view.setUint32(4 + 4 * i, side);
  bytes.set(values, bytes.length - values.length);
  return { name, count, bytes };
}

/** @param {Uint8Array} values */
function largest(values) {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** @param {number[]} sides */
function product(sides) {
  return sides.reduce((all, side) => all * side, 1);
}
