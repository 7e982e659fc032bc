// Datasets in the worker: memory of the C core, filled from arrays or files.
import { unpack } from '../shared/file-bytes.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./core.js').Scratch} Scratch */
/** @typedef {import('../shared/file-bytes.js').ReadBytes} ReadBytes */
/** @typedef {import('../shared/file-parts.js').FileFormat} FileFormat */
/** @typedef {import('../shared/protocol.js').DatasetFacts} DatasetFacts */
/** @typedef {import('../shared/protocol.js').Requests} Requests */
/** @typedef {import('../shared/protocol.js').Samples} Samples */

const U8 = 0;
const F32 = 1;

const CIFAR_10 = 0;

/** What makes a dataset of the files of a part.
 * @type {Record<FileFormat, (core: Core, scratch: Scratch, files: ReadBytes[]) => number>} */
const READERS = {
  idx: (core, scratch, files) =>
    core.make('wasm_dataset_from_idx', ...files.flatMap((file) => bytesIn(scratch, file))),
  cifar: (core, scratch, files) => {
    const batches = Uint32Array.from(files.flatMap((file) => bytesIn(scratch, file)));
    return core.make('dataset_from_cifar', scratch.copy(batches), files.length, CIFAR_10);
  },
};

/** The three words of a tg_bytes. @param {Scratch} scratch @param {ReadBytes} file */
function bytesIn({ string, copy }, { name, bytes }) {
  return [string(name), copy(bytes), bytes.length];
}

/** tg_dtype of what holds the pixels. @param {Uint8Array | Float32Array} pixels */
export function typeOf(pixels) {
  return pixels instanceof Float32Array ? F32 : U8;
}

export class Dataset {
  #core;
  #users = 1; // whoever made it; then every run that borrows it

  /** @param {Core} core @param {number} pointer */
  constructor(core, pointer) {
    this.#core = core;
    this.pointer = pointer;
    this.facts = this.#describe();
  }

  /** @param {Core} core @param {Requests['createDataset']['fields']} fields */
  static fromArrays(core, { name, shape, pixels, labels, classes }) {
    const [height, width, channels] = shape;
    const soft = labels instanceof Float32Array;
    const count = soft ? labels.length / classes.length : labels.length;
    const type = typeOf(pixels);
    const pointer = core.make(
      'dataset_create',
      type,
      height,
      width,
      channels,
      count,
      classes.length,
      Number(soft),
    );
    return keepOrDestroy(core, pointer, () => {
      core.write(core.get('dataset_pixels', pointer), pixels);
      core.write(core.get(soft ? 'dataset_targets' : 'dataset_labels', pointer), labels);
      nameClasses(core, pointer, classes);
      check(core, pointer, name);
    });
  }

  /** @param {Core} core @param {Requests['readFiles']['fields']} fields */
  static async fromFiles(core, { format, files, classes }) {
    /** @type {ReadBytes[]} */
    const unpacked = [];
    for (const file of files) unpacked.push({ name: file.name, bytes: await unpack(file) });
    const pointer = core.withScratch((scratch) => READERS[format](core, scratch, unpacked));
    return keepOrDestroy(core, pointer, () => {
      if (!classes) return;
      nameClasses(core, pointer, classes);
      check(core, pointer, files[files.length - 1].name); // how many classes there are has changed, perhaps
    });
  }

  /** @returns {DatasetFacts} */
  #describe() {
    const core = this.#core;
    const classes = Array.from({ length: core.get('dataset_classes', this.pointer) }, (_, i) =>
      core.text(core.get('dataset_class_name', this.pointer, i)),
    );
    const shape = core.withScratch(({ alloc }) => {
      const out = alloc(12);
      core.get('dataset_shape', this.pointer, out);
      return /** @type {[number, number, number]} */ ([...core.u32(out, 3)]);
    });
    return {
      count: core.get('dataset_count', this.pointer),
      shape,
      classes,
      sha256: core.text(core.get('dataset_sha256', this.pointer)),
    };
  }

  /** @param {number[]} indices  below count @returns {Samples} */
  samples(indices) {
    const core = this.#core;
    const { shape, classes } = this.facts;
    const size = shape[0] * shape[1] * shape[2];
    const isF32 = core.get('dataset_type', this.pointer) === F32;
    const start = core.get('dataset_pixels', this.pointer);
    const labelsAt = core.get('dataset_labels', this.pointer);
    const targetsAt = core.get('dataset_targets', this.pointer);
    const pixels = new (isF32 ? Float32Array : Uint8Array)(indices.length * size);
    const labels = new Int32Array(indices.length);
    for (const [i, index] of indices.entries()) {
      pixels.set(
        isF32 ? core.f32(start + 4 * index * size, size) : core.u8(start + index * size, size),
        i * size,
      );
      labels[i] = labelsAt
        ? core.i32(labelsAt + 4 * index, 1)[0]
        : largest(core.f32(targetsAt + 4 * index * classes.length, classes.length));
    }
    return { pixels, labels };
  }

  retain() {
    this.#users++;
    return this;
  }

  /** A run may outlive its maker's interest in the data: the memory goes with the last user. */
  release() {
    this.#users--;
    if (this.#users === 0) this.#core.get('dataset_destroy', this.pointer);
  }
}

/** @param {Core} core @param {number} pointer @param {() => void} fill */
function keepOrDestroy(core, pointer, fill) {
  try {
    fill();
    return new Dataset(core, pointer);
  } catch (error) {
    core.get('dataset_destroy', pointer);
    throw error;
  }
}

/** @param {Core} core @param {number} pointer @param {string[]} classes */
function nameClasses(core, pointer, classes) {
  core.withScratch(({ string, copy }) => {
    const names = copy(Uint32Array.from(classes, string));
    core.call('dataset_set_classes', pointer, classes.length, names);
  });
}

/** @param {Core} core @param {number} pointer @param {string} name */
function check(core, pointer, name) {
  core.withScratch(({ string }) => core.call('dataset_check', pointer, string(name)));
}

/** @param {Float32Array} values */
function largest(values) {
  return values.indexOf(values.reduce((a, b) => Math.max(a, b)));
}
