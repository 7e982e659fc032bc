// The C core as JavaScript sees it: calls by name, errors thrown, memory copied in and out. What the calls mean is the
// business of datasets.js and run.js; how structs become rows of numbers, that of wasm/wasm_exports.c.
//
// Memory may grow in any call, so no view of it outlives the statement that made it, except a window's. Pointers and
// counts come as signed 32-bit numbers and are made unsigned (>>> 0): a tab may use up to 4 GB.
import { TabgradError } from '../shared/errors.js';

/** @typedef {import('../shared/attributes.js').AttributeCall} AttributeCall */
/** @typedef {import('../shared/errors.js').ErrorCode} ErrorCode */
/**
 * @typedef {object} Scratch  memory that is freed when `withScratch` ends
 * @property {(bytes: number) => number} alloc
 * @property {(text: string) => number} string
 * @property {(data: Uint8Array | Int32Array | Uint32Array | Float32Array) => number} copy
 */

const ROW_LENGTH = 17; // of the longest row of numbers in wasm_exports.c
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Core {
  #module;
  #error;
  #out;
  #row;
  #viewRow;
  /** Whether somebody wants to be heard: ends calls that take a duration. */
  isWanted = () => false;

  /** @param {any} module  an instance made by Emscripten's glue */
  constructor(module) {
    this.#module = module;
    module.isWanted = () => this.isWanted();
    this.#error = module._tg_wasm_error_create() >>> 0;
    this.#out = this.alloc(8);
    this.#row = this.alloc(8 * ROW_LENGTH);
    this.#viewRow = this.window(Float64Array, this.#row, ROW_LENGTH);
  }

  /**
   * @param {string} glueUrl  of tabgrad-<variant>.js; its .wasm lies beside it
   * @param {number} threads
   */
  static async load(glueUrl, threads) {
    try {
      const { default: createModule } = await import(/* @vite-ignore */ glueUrl);
      return new Core(await createModule({ poolSize: threads - 1 }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TabgradError('unavailable', glueUrl, `the engine could not be loaded (${reason})`);
    }
  }

  /** Calls a function that neither fails nor takes an error: `get('run_outputs', run)`.
   * @param {string} name  without tg_
   * @param {...number} args
   * @returns {number} unsigned */
  get(name, ...args) {
    return this.#module[`_tg_${name}`](...args) >>> 0;
  }

  /** Calls a function that returns a tg_status and takes a tg_error last; throws what that says.
   * @param {string} name
   * @param {...number} args */
  call(name, ...args) {
    const status = this.#module[`_tg_${name}`](...args, this.#error);
    if (status !== 0) throw this.#failure(status);
  }

  /** Calls a function that also hands a pointer out, before the error.
   * @param {string} name
   * @param {...number} args
   * @returns {number} */
  make(name, ...args) {
    this.call(name, ...args, this.#out);
    return this.u32(this.#out, 1)[0];
  }

  /** Calls a function that fills a row of numbers, given last (before the error, if there is one).
   * @param {'call' | 'get'} how
   * @param {string} name
   * @param {...number} args
   * @returns to be read before another is filled */
  row(how, name, ...args) {
    this[how](name, ...args, this.#row);
    return this.lastRow();
  }

  /** The row that was filled last, also by a call that failed: to be read before another is. */
  lastRow() {
    return this.#viewRow();
  }

  /** Where out-parameters may be written: two words. */
  get out() {
    return this.#out;
  }

  /** @param {number} status @returns {TabgradError} */
  #failure(status) {
    const code = /** @type {ErrorCode} */ (this.text(this.get('status_name', status)));
    const where = this.text(this.get('wasm_error_where', this.#error));
    return new TabgradError(code, where, this.text(this.get('wasm_error_what', this.#error)));
  }

  /** What the core calls to unpack a zlib stream inside a file: tg_inflate, between places of its memory; -1: damaged.
   * @param {(from: number, size: number, to: number, room: number) => number} inflate */
  provideInflate(inflate) {
    this.#module.inflate = inflate;
  }

  // Memory

  /** @param {number} bytes @returns {number} */
  alloc(bytes) {
    const pointer = bytes < 2 ** 32 ? this.#module._malloc(Math.max(bytes, 1)) >>> 0 : 0;
    if (pointer === 0) throw outOfMemory(bytes);
    return pointer;
  }

  /** @param {number} pointer */
  free(pointer) {
    this.#module._free(pointer);
  }

  /**
   * @template T
   * @param {(scratch: Scratch) => T} use
   * @returns {T}
   */
  withScratch(use) {
    /** @type {number[]} */
    const blocks = [];
    const alloc = (/** @type {number} */ bytes) => {
      const pointer = this.alloc(bytes);
      blocks.push(pointer);
      return pointer;
    };
    const copy = (/** @type {Uint8Array | Int32Array | Uint32Array | Float32Array} */ data) => {
      const pointer = alloc(data.byteLength);
      this.write(pointer, data);
      return pointer;
    };
    const string = (/** @type {string} */ text) => copy(encoder.encode(`${text}\0`));
    try {
      return use({ alloc, copy, string });
    } finally {
      for (const pointer of blocks) this.free(pointer);
    }
  }

  /** Hands `use` a tree of attributes that the calls have filled.
   * @template T
   * @param {AttributeCall[]} calls
   * @param {(attrs: number) => T} use
   * @returns {T} */
  withAttributes(calls, use) {
    const attrs = this.make('attrs_create');
    try {
      for (const call of calls) this.withScratch((scratch) => this.#addAttribute(attrs, call, scratch));
      return use(attrs);
    } finally {
      this.get('attrs_destroy', attrs);
    }
  }

  /** @param {number} attrs @param {AttributeCall} call @param {Scratch} scratch */
  #addAttribute(attrs, [kind, name, value], { string }) {
    if (kind === 'close') return this.call('attrs_close', attrs);
    const key = name === null ? 0 : string(name);
    if (kind === 'object' || kind === 'list') return this.call(`attrs_open_${kind}`, attrs, key);
    if (kind === 'null') return this.call('attrs_null', attrs, key);
    if (kind === 'string') return this.call('attrs_string', attrs, key, string(value));
    this.call(`attrs_${kind}`, attrs, key, Number(value));
  }

  /** @param {number} pointer @param {Uint8Array | Int32Array | Uint32Array | Float32Array} data */
  write(pointer, data) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    new Uint8Array(this.#module.wasmMemory.buffer, pointer, data.byteLength).set(bytes);
  }

  /** @param {number} pointer @param {number} length */
  u8(pointer, length) {
    return this.#copyOut(Uint8Array, pointer, length);
  }

  /** @param {number} pointer @param {number} length */
  i32(pointer, length) {
    return this.#copyOut(Int32Array, pointer, length);
  }

  /** @param {number} pointer @param {number} length */
  u32(pointer, length) {
    return this.#copyOut(Uint32Array, pointer, length);
  }

  /** @param {number} pointer @param {number} length */
  f32(pointer, length) {
    return this.#copyOut(Float32Array, pointer, length);
  }

  /** @param {number} pointer @param {number} length */
  f64(pointer, length) {
    return this.#copyOut(Float64Array, pointer, length);
  }

  /** Values of type tg_real: double where this variant computes in double. @param {number} pointer @param {number} length */
  real(pointer, length) {
    return this.computesInDouble ? this.f64(pointer, length) : this.f32(pointer, length);
  }

  get computesInDouble() {
    return this.get('wasm_real_size') === 8;
  }

  /** For a place that is read after every call. Making a view takes a hundred times as long as reading a few numbers
   * (50 us when arithmetic has had the caches to itself), so this one is kept for as long as memory that grows leaves it.
   * @template {Float32Array | Float64Array} T
   * @param {{ new (buffer: ArrayBuffer, offset: number, length: number): T }} Type
   * @param {number} pointer
   * @param {number} length  not 0
   * @returns {() => T} its view, to be read before another call, which may change what is there or let memory grow */
  window(Type, pointer, length) {
    const makeView = () => new Type(this.#module.wasmMemory.buffer, pointer, length);
    let view = makeView();
    return () => {
      if (view.length === 0) view = makeView();
      return view;
    };
  }

  /** 64-bit counts as numbers. @param {number} pointer @param {number} length */
  u64(pointer, length) {
    return Array.from(new BigUint64Array(this.#module.wasmMemory.buffer, pointer, length), Number);
  }

  /** A NUL-terminated string; '' for NULL. @param {number} pointer */
  text(pointer) {
    if (pointer === 0) return '';
    const memory = new Uint8Array(this.#module.wasmMemory.buffer);
    // slice: a decoder takes no shared memory
    return decoder.decode(memory.slice(pointer, memory.indexOf(0, pointer)));
  }

  /** What the heap has grown to, and how much of it is handed out. */
  heap() {
    return { heapBytes: this.#module.wasmMemory.buffer.byteLength, usedBytes: this.get('wasm_heap_used') };
  }

  /**
   * @template {Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>
   *   | Float64Array<ArrayBuffer>} T
   * @param {{ new (length: number): T, BYTES_PER_ELEMENT: number,
   *   new (buffer: ArrayBuffer, offset: number, length: number): T }} Type
   * @param {number} pointer
   * @param {number} length
   * @returns {T}
   */
  #copyOut(Type, pointer, length) {
    const copy = newArray(Type, length);
    copy.set(new Type(this.#module.wasmMemory.buffer, pointer, length));
    return copy;
  }
}

/**
 * @template T
 * @param {{ new (length: number): T, BYTES_PER_ELEMENT: number }} Type
 * @param {number} length
 * @returns {T}
 */
export function newArray(Type, length) {
  try {
    return new Type(length);
  } catch {
    throw outOfMemory(length * Type.BYTES_PER_ELEMENT); // a RangeError
  }
}

/** @param {number} bytes */
function outOfMemory(bytes) {
  const megabytes = Math.ceil(bytes / 2 ** 20);
  return new TabgradError(
    'memory',
    '',
    `out of memory: ${megabytes} MB more are needed; use less data or a smaller model`,
  );
}
