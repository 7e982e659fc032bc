// Parquet as Hugging Face keeps its sets: pictures as struct<bytes, path> beside the number of their class, whose
// names stand in the metadata; or plain columns of numbers, one of them the label.
import { gunzipSync } from 'fflate';
import { parquetMetadataAsync, parquetRead, snappyUncompress } from 'hyparquet';
import { newBytes } from './byte-stream.js';
import { Damaged } from './damaged.js';

/** @typedef {import('hyparquet').FileMetaData} FileMetaData */
/** @typedef {import('hyparquet').RowGroup} RowGroup */
/** @typedef {import('hyparquet').SchemaTree} SchemaTree */
/** @typedef {import('./budget.js').Budget} Budget */
/** @typedef {import('./byte-source.js').ByteSource} ByteSource */
/**
 * @typedef {object} ParquetOptions
 * @property {Budget} budget
 * @property {string} [label_column]  its name, 'first' or 'last'
 * @property {'fine' | 'coarse'} [labels]
 */
/**
 * @typedef {object} ParquetVisitor
 * @property {(count: number) => void} rows  how many there are
 * @property {(names: string[]) => void} classes
 * @property {(pictures: PackedPicture[]) => Promise<void>} pictures  of some rows
 * @property {(name: 'images' | 'labels', values: Uint8Array | Float32Array, shape: number[]) => void} array
 */
/** @typedef {{ row: number, bytes: Uint8Array<ArrayBuffer> | null, label: number }} PackedPicture  bytes: a PNG, a JPEG; null: none there */
/** @typedef {{ name: string, kind: 'picture' | 'number' | 'text' | 'other' }} Column */

const LABEL_NAMES = ['label', 'labels', 'class', 'target', 'y', 'digit', 'category', 'fine_label'];

/** @param {ByteSource} source @param {ParquetOptions} options @param {ParquetVisitor} visitor */
export async function readParquet(source, options, visitor) {
  try {
    const file = { byteLength: source.size, slice: sliceOf(source) };
    const metadata = await parquetMetadataAsync(file);
    checkPacking(metadata, options.budget);
    const columns = columnsOf(metadata);
    const features = huggingFaceFeatures(metadata);
    const label = labelColumn(columns, features, options);
    visitor.rows(Number(metadata.num_rows));
    const names = features[label.name]?.names;
    if (Array.isArray(names)) visitor.classes(names.map(String));
    const table = { file, metadata, label, budget: options.budget };
    const picture = columns.find(({ kind }) => kind === 'picture');
    if (picture) await readPictures(table, picture, visitor);
    else
      await readColumns(
        table,
        columns.filter((column) => column !== label),
        visitor,
      );
  } catch (error) {
    if (error instanceof Damaged || !(error instanceof Error)) throw error;
    const [reason] = error.message.split('\n');
    throw new Damaged(`cannot be read as Parquet (${reason}); write it again, packed with snappy or gzip`);
  }
}

/** @typedef {{ file: import('hyparquet').AsyncBuffer, metadata: FileMetaData, label: Column, budget: Budget }} Table */

/** @param {ByteSource} source */
function sliceOf({ size, read }) {
  return async (/** @type {number} */ start, /** @type {number | undefined} */ end) =>
    (await read(start, Math.min(end ?? size, size))).slice().buffer;
}

/** Of what a page claims to unpack to, nothing is believed before it was counted. @param {Budget} budget */
function unpackers(budget) {
  return {
    SNAPPY: (/** @type {Uint8Array} */ packed, /** @type {number} */ size) => {
      budget.spend(size);
      const out = newBytes(size);
      snappyUncompress(packed, out);
      return out;
    },
    GZIP: (/** @type {Uint8Array} */ packed, /** @type {number} */ size) => {
      budget.spend(size);
      return gunzipSync(packed, { out: newBytes(size) });
    },
  };
}

/** @param {FileMetaData} metadata @param {Budget} budget */
function checkPacking({ row_groups }, budget) {
  const known = ['UNCOMPRESSED', ...Object.keys(unpackers(budget))];
  for (const { meta_data } of row_groups.flatMap(({ columns }) => columns)) {
    if (!meta_data || known.includes(meta_data.codec)) continue;
    throw new Damaged(
      `is Parquet packed with ${meta_data.codec}; write it again, packed with snappy or gzip`,
    );
  }
}

/** The columns of a row; what lies inside one is its own business. @param {FileMetaData} metadata @returns {Column[]} */
function columnsOf({ schema }) {
  const columns = [];
  const [root, ...elements] = schema;
  for (let at = 0, left = root.num_children ?? 0; left > 0 && at < elements.length; left--) {
    const element = elements[at];
    const inner = elements.slice(at + 1, at + 1 + (element.num_children ?? 0)).map(({ name }) => name);
    const isPicture = inner.includes('bytes');
    columns.push({
      name: element.name,
      kind: isPicture ? /** @type {const} */ ('picture') : kindOf(element),
    });
    at = endOf(elements, at);
  }
  return columns;
}

/** @param {import('hyparquet').SchemaElement[]} elements @param {number} at */
function endOf(elements, at) {
  let next = at + 1;
  for (let left = elements[at]?.num_children ?? 0; left > 0 && next < elements.length; left--)
    next = endOf(elements, next);
  return next;
}

/** @param {import('hyparquet').SchemaElement} element @returns {Column['kind']} */
function kindOf({ type, converted_type, logical_type, repetition_type, num_children }) {
  if (num_children || repetition_type === 'REPEATED' || type === undefined) return 'other';
  const isText = converted_type === 'UTF8' || logical_type?.type === 'STRING';
  if (type === 'BYTE_ARRAY') return isText ? 'text' : 'other';
  return ['BOOLEAN', 'INT32', 'INT64', 'FLOAT', 'DOUBLE'].includes(type) ? 'number' : 'other';
}

/** What Hugging Face says of each column; a ClassLabel has names. @param {FileMetaData} metadata
 * @returns {Record<string, { names?: unknown, _type?: string }>} */
function huggingFaceFeatures({ key_value_metadata = [] }) {
  try {
    const text = key_value_metadata.find(({ key }) => key === 'huggingface')?.value;
    return JSON.parse(text ?? '{}').info?.features ?? {};
  } catch {
    return {};
  }
}

/** @param {Column[]} columns @param {ReturnType<typeof huggingFaceFeatures>} features @param {ParquetOptions} options */
function labelColumn(columns, features, { label_column: wanted, labels }) {
  const possible = columns.filter(({ kind }) => kind === 'number' || kind === 'text');
  if (wanted === 'first') return possible[0] ?? noLabels();
  if (wanted === 'last') return possible.at(-1) ?? noLabels();
  if (wanted) return possible.find(({ name }) => name === wanted) ?? noLabels(` "${wanted}"`);
  const classLabels = possible.filter(({ name }) => features[name]?._type === 'ClassLabel');
  const named = possible.filter(({ name }) => LABEL_NAMES.includes(name.toLowerCase()));
  const [label = noLabels()] = [
    ...possible.filter(({ name }) => labels && name === `${labels}_label`),
    ...classLabels,
    ...named,
    ...(possible.length === 1 ? possible : []),
  ];
  return label;
}

/** @returns {never} */
function noLabels(which = '') {
  throw new Damaged(`has no column${which} of labels; say with label_column which one it is`);
}

/** @param {Table} table @param {Column} picture @param {ParquetVisitor} visitor */
async function readPictures(table, picture, visitor) {
  const labels = new Labels(table, visitor);
  for (const [first, count] of groupsOf(table.metadata)) {
    const group = await readGroup(table, first, count, [picture.name, table.label.name]);
    const numbers = labels.numbers(group.get(table.label.name) ?? []);
    // A damaged group may have fewer rows than it says.
    const pictures = Array.from(group.get(picture.name) ?? [], (cell, i) => {
      const bytes = cell?.bytes ?? cell;
      const packed = bytes instanceof Uint8Array ? /** @type {Uint8Array<ArrayBuffer>} */ (bytes) : null;
      return { row: first + i, bytes: packed, label: numbers[i] };
    });
    await visitor.pictures(pictures);
  }
}

/** @param {Table} table @param {Column[]} others  than the label's @param {ParquetVisitor} visitor */
async function readColumns(table, others, visitor) {
  const numeric = others.filter(({ kind }) => kind === 'number');
  if (numeric.length === 0) throw new Damaged('has neither pictures nor columns of numbers');
  const rows = Number(table.metadata.num_rows);
  const width = numeric.length;
  table.budget.spend(rows * width * 4);
  const values = new Float32Array(newBytes(rows * width * 4).buffer);
  const numbers = new Float32Array(newBytes(rows * 4).buffer);
  const labels = new Labels(table, visitor);
  for (const [first, count] of groupsOf(table.metadata)) {
    const group = await readGroup(table, first, count, [
      ...numeric.map(({ name }) => name),
      table.label.name,
    ]);
    for (const [column, { name }] of numeric.entries()) {
      const cells = group.get(name) ?? [];
      for (let i = 0; i < cells.length; i++) values[(first + i) * width + column] = numberOf(cells[i]);
    }
    numbers.set(labels.numbers(group.get(table.label.name) ?? []), first);
  }
  const isBytes = values.every((value) => value >= 0 && value <= 255 && Number.isInteger(value));
  visitor.array('images', isBytes ? Uint8Array.from(values) : values, [rows, width]);
  visitor.array('labels', numbers, [rows]);
}

/** Numbers of classes; texts are numbered as they come, and named. */
class Labels {
  /** @type {Map<string, number>} */
  #names = new Map();
  #visitor;
  #isText;

  /** @param {Table} table @param {ParquetVisitor} visitor */
  constructor({ label }, visitor) {
    this.#visitor = visitor;
    this.#isText = label.kind === 'text';
  }

  /** @param {ArrayLike<any>} cells */
  numbers(cells) {
    if (!this.#isText) return Array.from(cells, numberOf);
    const before = this.#names.size;
    const numbers = Array.from(cells, (cell) => {
      const name = String(cell);
      if (!this.#names.has(name)) this.#names.set(name, this.#names.size);
      return /** @type {number} */ (this.#names.get(name));
    });
    if (this.#names.size > before) this.#visitor.classes([...this.#names.keys()]);
    return numbers;
  }
}

/** First row and number of rows of every group. @param {FileMetaData} metadata @returns {[number, number][]} */
function groupsOf({ row_groups }) {
  let first = 0;
  return row_groups.map(({ num_rows }) => {
    const group = /** @type {[number, number]} */ ([first, Number(num_rows)]);
    first += group[1];
    return group;
  });
}

/** @param {Table} table @param {number} first @param {number} count @param {string[]} columns @returns {Promise<Map<string, any[]>>} */
async function readGroup({ file, metadata, budget }, first, count, columns) {
  /** @type {Map<string, any[]>} */
  const cells = new Map(columns.map((name) => [name, new Array(count)]));
  await parquetRead({
    file,
    metadata,
    columns,
    rowStart: first,
    rowEnd: first + count,
    utf8: false,
    compressors: unpackers(budget),
    onChunk: ({ columnName, columnData, rowStart }) => {
      const all = cells.get(columnName);
      for (let i = 0; all && i < columnData.length; i++) all[rowStart - first + i] = columnData[i];
    },
  });
  return cells;
}

/** Null stands for a value that is missing. @param {unknown} cell */
function numberOf(cell) {
  return cell === null || cell === undefined ? Number.NaN : Number(cell);
}
