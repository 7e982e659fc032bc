// Datasets in the worker: memory of the C core.

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../shared/protocol.js').DatasetFacts} DatasetFacts */
/** @typedef {import('../shared/protocol.js').Duplicates} Duplicates */
/** @typedef {import('../shared/protocol.js').SampleFacts} SampleFacts */
/** @typedef {import('../shared/protocol.js').Requests} Requests */
/** @typedef {import('../shared/protocol.js').Samples} Samples */

/** @typedef {{ shape: number[], count: number, classes: string[], soft: boolean, isF32: boolean }} Layout */

const U8 = 0;
const F32 = 1;

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
    const soft = labels instanceof Float32Array;
    const count = soft ? labels.length / classes.length : labels.length;
    const pointer = create(core, { shape, count, classes, soft, isF32: typeOf(pixels) === F32 });
    try {
      core.write(core.get('dataset_pixels', pointer), pixels);
      core.write(core.get(soft ? 'dataset_targets' : 'dataset_labels', pointer), labels);
      return finish(core, pointer, name, classes);
    } catch (error) {
      core.get('dataset_destroy', pointer);
      throw error;
    }
  }

  /** A set that `fill` fills: its pixels, and its labels or targets.
   * @param {Core} core @param {Layout & { name: string }} layout @param {(pointer: number) => Promise<void>} fill */
  static async filled(core, layout, fill) {
    const pointer = create(core, layout);
    try {
      await fill(pointer);
      return finish(core, pointer, layout.name, layout.classes);
    } catch (error) {
      core.get('dataset_destroy', pointer);
      throw error;
    }
  }

  /** @returns {Omit<DatasetFacts, 'sha256'>} */
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
      type: core.get('dataset_type', this.pointer) === F32 ? 'f32' : 'u8',
    };
  }

  /** With the digest, which takes the longest of all. @returns {DatasetFacts} */
  allFacts() {
    return { ...this.facts, sha256: this.#core.text(this.#core.get('dataset_sha256', this.pointer)) };
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

  /** @returns {SampleFacts} */
  sampleFacts() {
    const core = this.#core;
    return core.withScratch(({ alloc }) => {
      const counts = alloc(4 * this.facts.classes.length);
      const range = alloc(16);
      core.get('dataset_class_counts', this.pointer, counts);
      core.get('dataset_range', this.pointer, range);
      return {
        classCounts: [...core.u32(counts, this.facts.classes.length)],
        range: /** @type {[number, number]} */ ([...core.f64(range, 2)]),
      };
    });
  }

  /** @param {Dataset} other @param {number} most  examples @returns {Duplicates} */
  duplicates(other, most) {
    const core = this.#core;
    most = Math.min(most, other.facts.count);
    return core.withScratch(({ alloc }) => {
      const pairs = alloc(8 * most);
      const count = core.make('dataset_duplicates', this.pointer, other.pointer, pairs, most);
      const numbers = core.u32(pairs, 2 * Math.min(count, most));
      const examples = Array.from({ length: numbers.length / 2 }, (_, i) => [
        numbers[2 * i],
        numbers[2 * i + 1],
      ]);
      return { count, examples: /** @type {[number, number][]} */ (examples) };
    });
  }

  /** @param {{ fraction: number, seed: number, stratified: boolean }} options */
  split({ fraction, seed, stratified }) {
    const core = this.#core;
    return core.withScratch(({ alloc }) => {
      const out = alloc(8);
      core.call('wasm_dataset_split', this.pointer, fraction, seed, Number(stratified), out, out + 4);
      const [rest, heldOut] = core.u32(out, 2);
      return { train: rest, test: heldOut };
    });
  }

  /** What augmentation makes of one sample. @param {import('../shared/attributes.js').AttributeCall[]} recipe
   * @param {{ index: number, count: number, seed: number }} options */
  augmentations(recipe, { index, count, seed }) {
    const core = this.#core;
    const { shape } = this.facts;
    const values = count * shape[0] * shape[1] * shape[2];
    const pixels = core.withAttributes(recipe, (attrs) =>
      core.withScratch(({ alloc }) => {
        const out = alloc(4 * values);
        core.call('wasm_dataset_augment', this.pointer, attrs, seed, index, count, out);
        return core.f32(out, values);
      }),
    );
    return { pixels, shape, count };
  }

  /** Other names for as many classes. @param {string[]} classes */
  rename(classes) {
    nameClasses(this.#core, this.pointer, classes);
    this.facts = this.#describe();
  }

  /** Of all samples; of soft labels the most probable class. */
  labels() {
    const core = this.#core;
    const { count, classes } = this.facts;
    const labelsAt = core.get('dataset_labels', this.pointer);
    if (labelsAt) return core.i32(labelsAt, count);
    const targetsAt = core.get('dataset_targets', this.pointer);
    return Int32Array.from({ length: count }, (_, i) =>
      largest(core.f32(targetsAt + 4 * i * classes.length, classes.length)),
    );
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

/** @param {Core} core @param {Layout} layout */
function create(core, { shape: [height, width, channels], count, classes, soft, isF32 }) {
  const type = isF32 ? F32 : U8;
  return core.make('dataset_create', type, height, width, channels, count, classes.length, Number(soft));
}

/** @param {Core} core @param {number} pointer @param {string} name @param {string[]} classes */
function finish(core, pointer, name, classes) {
  nameClasses(core, pointer, classes);
  core.withScratch(({ string }) => core.call('dataset_check', pointer, string(name)));
  return new Dataset(core, pointer);
}

/** @param {Core} core @param {number} pointer @param {string[]} classes */
function nameClasses(core, pointer, classes) {
  core.withScratch(({ string, copy }) => {
    const names = copy(Uint32Array.from(classes, string));
    core.call('dataset_set_classes', pointer, classes.length, names);
  });
}

/** @param {Float32Array} values */
function largest(values) {
  return values.indexOf(values.reduce((a, b) => Math.max(a, b)));
}
