// Everything that was dropped, on its way to the C core: containers are opened and pictures decoded here; what a file
// means, what belongs together and what cannot be used, tg_import says.
import { Unzlib } from 'fflate';
import { typeOf } from '../datasets.js';
import { decodeByBrowser } from './browser-picture.js';
import { Budget } from './budget.js';
import { sourceOf } from './byte-source.js';
import { ByteStream } from './byte-stream.js';
import { Damaged } from './damaged.js';
import { inflated } from './inflate.js';
import { Pace } from './pace.js';
import { readParquetApart } from './parquet-client.js';
import { cleanPath, hasPictureSuffix, isJunk } from './paths.js';
import { decodePng } from './png.js';
import { HEAD, kindOf } from './sniff.js';
import { walkTar } from './tar.js';
import { walkZip } from './zip.js';

/** @typedef {import('../core.js').Core} Core */
/** @typedef {import('./byte-source.js').ByteSource} ByteSource */
/** @typedef {import('./byte-stream.js').Pull} Pull */
/** @typedef {import('./png.js').Picture} Picture */
/** @typedef {import('../../shared/protocol.js').ImportFields} ImportFields */
/** @typedef {import('../../shared/protocol.js').ReadingProgress} ReadingProgress */
/** @typedef {import('../../shared/protocol.js').ImportReport} ImportReport */
/**
 * A file or a member of an archive, while it is being looked at.
 * @typedef {object} Item
 * @property {string} path
 * @property {number} depth  how many packings it came out of
 * @property {number | null} size  null: known at the end
 * @property {ByteStream} content
 * @property {ByteSource} [source]  where all of it can be read at will
 */

/** A zip in a zip, or a tar.gz in one; what goes deeper may go on for ever. */
const MAX_DEPTH = 3;
/** A folder may have thousands of files, and waiting for each takes longer than reading it. */
const FILES_AHEAD = 8;
/** Pictures that the browser decodes at the same time. */
const DECODING = 8;
/** Of a packed part of a .mat file, given to fflate at a time: often only its beginning is wanted. */
const INFLATE_STEP = 2 ** 14;

/**
 * @param {Core} core
 * @param {ImportFields} fields
 * @param {{ signal: AbortSignal, parquetUrl: URL, onProgress: (progress: ReadingProgress) => void }} options
 * @returns {Promise<{ train: number, test: number, report: ImportReport }>}  pointers of datasets, 0: none
 */
export async function importFiles(core, { files, options, parquet }, { signal, parquetUrl, onProgress }) {
  core.provideInflate((from, size, to, room) => inflateZlib(core, from, size, to, room));
  const sources = files.map(({ bytes }) => sourceOf(bytes));
  const total = sources.reduce((sum, { size }) => sum + size, 0);
  const pace = new Pace(total, signal, onProgress);
  const pointer = core.withAttributes(options, (attrs) => core.make('wasm_import_create', attrs));
  const importer = new Importer(core, pointer, {
    budget: new Budget(total),
    pace,
    signal,
    parquet,
    parquetUrl,
  });
  try {
    importer.expect(files.filter(({ name }) => hasPictureSuffix(name)).length);
    /** @type {Pick<Item, 'source' | 'content'>[]} */
    const opened = [];
    for (const [i, { name, path }] of files.entries()) {
      for (const bytes of sources.slice(i + opened.length, i + FILES_AHEAD)) {
        const source = counted(bytes, pace);
        opened.push({ source, content: ByteStream.whole(source) });
      }
      const next = /** @type {typeof opened[0]} */ (opened.shift());
      await importer.add({ path: cleanPath(path ?? name), depth: 0, size: sources[i].size, ...next });
    }
    pace.note({ stage: 'finishing', name: '' });
    await importer.settled();
    signal.throwIfAborted(); // inside a packing it was taken for damage
    return importer.finish();
  } finally {
    importer.close();
  }
}

/** Says how much of it was read. @param {ByteSource} source @param {Pace} pace @returns {ByteSource} */
function counted({ size, read, blob, pieces }, pace) {
  return {
    size,
    blob,
    read: async (start, end) => {
      await pace.breathe();
      pace.advance(end - start);
      return read(start, end);
    },
    pieces: pieces && (() => countedPieces(pieces(), pace)),
  };
}

/** @param {Pull} pull @param {Pace} pace @returns {Pull} */
function countedPieces(pull, pace) {
  return async () => {
    await pace.breathe();
    const piece = await pull();
    if (piece) pace.advance(piece.length);
    return piece;
  };
}

class Importer {
  #core;
  #pointer;
  #budget;
  #pace;
  #signal;
  #parquet;
  #parquetUrl;
  /** @type {Set<Promise<void>>} pictures on their way */
  #decoding = new Set();
  /** @type {unknown} what ended everything */
  #failure = null;
  #classList = '';
  #isOver = false;

  /**
   * @param {Core} core
   * @param {number} pointer
   * @param {{ budget: Budget, pace: Pace, signal: AbortSignal, parquet: ImportFields['parquet'], parquetUrl: URL }} options
   */
  constructor(core, pointer, { budget, pace, signal, parquet, parquetUrl }) {
    this.#core = core;
    this.#pointer = pointer;
    this.#budget = budget;
    this.#pace = pace;
    this.#signal = signal;
    this.#parquet = parquet;
    this.#parquetUrl = parquetUrl;
  }

  /** @param {Item} item */
  async add(item) {
    if (isJunk(item.path)) return;
    this.#pace.note({ name: item.path });
    await this.#pace.breathe();
    if (this.#failure) throw this.#failure;
    try {
      await this.#dispatch(item, await item.content.peek(HEAD));
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      this.#skip(item.path, error.message);
    }
  }

  /** @param {Item} item @param {Uint8Array<ArrayBuffer>} head */
  async #dispatch(item, head) {
    const kind = kindOf(head);
    if (kind === 'png' || kind === 'picture') return this.#decode(item.path, await item.content.rest(), kind);
    if (kind === 'other') return this.#file(item);
    if (item.depth === MAX_DEPTH) throw new Damaged('is packed too many times over; unpack it once first');
    const whole = item.source ? { ...item, source: item.source } : await taken(item);
    if (kind === 'gzip') return this.#gzip(whole);
    if (kind === 'tar') return walkTar(whole.content, this.#visitorOf(item));
    if (kind === 'parquet') return this.#readParquet(whole);
    return walkZip(whole.source, this.#budget, {
      expect: (paths) => this.expect(paths.filter(hasPictureSuffix).length),
      ...this.#visitorOf(item),
    });
  }

  /** Takes what lies in an archive. @param {Pick<Item, 'path' | 'depth'>} archive */
  #visitorOf(archive) {
    return {
      file: (/** @type {string} */ path, /** @type {number} */ size, /** @type {ByteStream} */ content) =>
        this.#member(archive, path, size, content),
      skip: (/** @type {string} */ path, /** @type {string} */ reason) =>
        this.#skip(memberPath(archive, path), reason),
    };
  }

  /** @param {Pick<Item, 'path' | 'depth'>} item @param {string} path @param {number} size @param {ByteStream} content */
  #member(item, path, size, content) {
    return this.add({ path: memberPath(item, path), depth: item.depth + 1, size, content });
  }

  /** @param {Item} item */
  async #gzip({ path, depth, content }) {
    const unpacked = inflated(content, 'gzip', this.#budget);
    const isArchive = kindOf(await unpacked.peek(HEAD)) === 'tar';
    if (isArchive) return walkTar(unpacked, this.#visitorOf({ path, depth }));
    return this.add({ path: path.replace(/\.gz$/i, ''), depth: depth + 1, size: null, content: unpacked });
  }

  /** Straight into the core's memory; what is unpacked, once its size is known. @param {Item} item */
  async #file({ path, size, content }) {
    const core = this.#core;
    const unpacked = size === null ? await content.pieces() : [];
    const length = size ?? unpacked.reduce((sum, piece) => sum + piece.length, 0);
    Budget.check(length);
    const data = core.alloc(length);
    try {
      let at = data;
      const put = (/** @type {Uint8Array} */ piece) => {
        core.write(at, piece);
        at += piece.length;
      };
      for (const piece of unpacked.splice(0)) put(piece);
      await content.pass(data + length - at, put);
      core.withScratch(({ string }) =>
        core.call('wasm_import_file', this.#pointer, string(path), data, length),
      );
    } finally {
      core.free(data);
    }
  }

  /** @param {string} path @param {Uint8Array<ArrayBuffer>} bytes @param {import('./sniff.js').Kind} kind */
  async #decode(path, bytes, kind) {
    if (kind === 'png') return this.#picture(path, decodePng(bytes));
    const decoding = decodeByBrowser(bytes)
      .then((picture) => this.#picture(path, picture))
      .catch((error) => this.#fail(path, error))
      .then(() => {
        this.#decoding.delete(decoding);
      });
    this.#decoding.add(decoding);
    if (this.#decoding.size >= DECODING) await Promise.race(this.#decoding);
  }

  /** @param {string} path @param {unknown} error */
  #fail(path, error) {
    if (error instanceof Damaged) this.#skip(path, error.message);
    else this.#failure ??= error;
  }

  /** Waits for the pictures that are still being decoded; throws what went wrong with them. */
  async settled() {
    await Promise.all(this.#decoding);
    if (this.#failure) throw this.#failure;
  }

  /** @param {string} path @param {Picture} picture */
  #picture(path, { width, height, channels, pixels }) {
    if (this.#isOver) return;
    this.#core.withScratch(({ string, copy }) =>
      this.#core.call('import_picture', this.#pointer, string(path), height, width, channels, copy(pixels)),
    );
  }

  /** @param {Item & { source: ByteSource }} item */
  async #readParquet({ path, source }) {
    const bytes = source.blob ?? (await source.read(0, source.size));
    /** @type {string[]} */
    let names = [];
    const folder = (/** @type {number} */ label) => (names[label] ?? String(label)).replaceAll('/', '\u2215');
    const visitor = {
      rows: (/** @type {number} */ count) => this.expect(count),
      classes: (/** @type {string[]} */ found) => {
        names = found;
      },
      pictures: async (/** @type {import('./parquet.js').PackedPicture[]} */ pictures) => {
        for (const { row, bytes, label } of pictures) {
          await this.#pace.breathe();
          await this.#parquetPicture(`${path}/${folder(label)}/${row}`, bytes);
        }
      },
      array: (
        /** @type {string} */ name,
        /** @type {Uint8Array | Float32Array} */ values,
        /** @type {number[]} */ shape,
      ) => this.#array(`${path}/${name}`, values, shape),
    };
    await readParquetApart(this.#parquetUrl, { bytes, ...this.#parquet }, visitor, this.#signal);
    if (names.length > 0)
      this.#nameClasses(`${path}/label_names.txt`, names.map((_, i) => folder(i)).join('\n'));
  }

  /** @param {string} path @param {Uint8Array<ArrayBuffer> | null} bytes */
  async #parquetPicture(path, bytes) {
    const kind = bytes ? kindOf(bytes) : 'other';
    if (bytes && (kind === 'png' || kind === 'picture')) {
      await this.#decode(path, bytes, kind).catch((error) => this.#fail(path, error));
    } else {
      this.#skip(
        path,
        bytes ? 'is no picture' : 'has no picture in it, only its path; write the set with them inside',
      );
    }
  }

  /** One list of them is enough: of several files, the first. @param {string} path @param {string} list */
  #nameClasses(path, list) {
    if (this.#classList) return;
    this.#classList = list;
    const bytes = new TextEncoder().encode(list);
    this.#core.withScratch(({ string, copy }) =>
      this.#core.call('wasm_import_file', this.#pointer, string(path), copy(bytes), bytes.length),
    );
  }

  /** @param {string} path @param {Uint8Array | Float32Array} values @param {number[]} shape */
  #array(path, values, shape) {
    this.#core.withScratch(({ string, copy }) =>
      this.#core.call(
        'import_array',
        this.#pointer,
        string(path),
        typeOf(values),
        shape.length,
        copy(Uint32Array.from(shape)),
        copy(values),
      ),
    );
  }

  /** How many pictures are about to come. @param {number} count */
  expect(count) {
    if (count > 0) this.#core.get('import_expect_pictures', this.#pointer, count);
  }

  /** @param {string} path @param {string} reason */
  #skip(path, reason) {
    if (this.#isOver || isJunk(path)) return;
    this.#core.withScratch(({ string }) =>
      this.#core.call('import_skip', this.#pointer, string(path), string(reason)),
    );
  }

  /** @returns {{ train: number, test: number, report: ImportReport }} */
  finish() {
    const core = this.#core;
    return core.withScratch(({ alloc }) => {
      const out = alloc(8);
      core.call('import_finish', this.#pointer, out, out + 4);
      const [train, test] = core.u32(out, 2);
      return { train, test, report: JSON.parse(core.text(core.get('import_report', this.#pointer))) };
    });
  }

  /** Nothing that is still on its way may touch the core any more. */
  close() {
    this.#isOver = true;
    this.#core.get('import_destroy', this.#pointer);
  }
}

/** With all its bytes at hand, as what lies in it is not always read from front to end. @param {Item} item */
async function taken(item) {
  const bytes = await item.content.rest();
  return { ...item, content: ByteStream.of(bytes), source: sourceOf(bytes) };
}

/** @param {Pick<Item, 'path'>} archive @param {string} path */
function memberPath(archive, path) {
  return `${archive.path}/${cleanPath(path)}`;
}

/**
 * tg_inflate, between two places of the core's memory.
 * @param {Core} core
 * @param {number} from
 * @param {number} size
 * @param {number} to
 * @param {number} room
 * @returns {number} bytes written; -1: damaged
 */
function inflateZlib(core, from, size, to, room) {
  let written = 0;
  const unzlib = new Unzlib((piece) => {
    const part = piece.subarray(0, room - written);
    core.write(to + written, part);
    written += part.length;
  });
  try {
    for (let at = 0; at < size && written < room; at += INFLATE_STEP) {
      unzlib.push(core.u8(from + at, Math.min(INFLATE_STEP, size - at)), at + INFLATE_STEP >= size);
    }
  } catch {
    return -1;
  }
  return written;
}
