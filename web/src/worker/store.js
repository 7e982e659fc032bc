// Data sets that are kept in the origin private file system, to be there again after a reload. Each is one file, a
// .safetensors as others can read it, named by the digests of what is in it: what was changed on disk is noticed.
import { TabgradError } from '../shared/errors.js';
import { Dataset } from './datasets.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../shared/protocol.js').DatasetFacts} DatasetFacts */
/** @typedef {import('../shared/protocol.js').KeptSets} KeptSets */
/** @typedef {{ dtype: string, shape: number[], data_offsets: [number, number] }} TensorHeader */
/** @typedef {{ name: string, keptAt: number, classes: string[], report: unknown, train: PartFacts, test: PartFacts | null }} Kept */
/** @typedef {Pick<DatasetFacts, 'count' | 'shape' | 'type' | 'sha256'> & { soft: boolean }} PartFacts */
/** @typedef {{ pointer: number, bytes: number, name: string, dtype: string, shape: number[] }} Block  of the core's memory */

const FOLDER = 'tabgrad-data';
const SUFFIX = '.safetensors';
/** What goes over at a time. */
const CHUNK = 2 ** 22;
const MAX_HEADER = 2 ** 24;
/** Bytes that a header has beyond what it needs, and for each class: longer names are written in the same place. */
const HEADER_ROOM = 4096;
const NAME_ROOM = 64;

/** @returns {Promise<FileSystemDirectoryHandle>} */
async function openFolder() {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(FOLDER, { create: true });
  } catch {
    const what = 'this browser keeps no files for this page (a private window, perhaps); go on without';
    throw new TabgradError('unsupported', 'storage', what);
  }
}

/** @param {Core} core @param {Dataset} train @param {Dataset | null} test @param {string} name @param {unknown} report */
export async function keep(core, train, test, name, report) {
  const folder = await openFolder();
  const blocks = [...blocksOf(core, 'train', train), ...(test ? blocksOf(core, 'test', test) : [])];
  /** @type {Kept} */
  const kept = {
    name,
    keptAt: Date.now(),
    classes: train.facts.classes,
    report,
    train: factsOf(core, train),
    test: test && factsOf(core, test),
  };
  const key = [train, test].map((set) => set?.allFacts().sha256.slice(0, 16) ?? 'none').join('-');
  const header = encodeHeader(tensorsOf(blocks), kept);
  const size = blocks.reduce((sum, { bytes }) => sum + bytes, header.length);
  try {
    const file = await folder.getFileHandle(key + SUFFIX, { create: true });
    await writing(file, (put, access) => {
      access.truncate(0);
      put(header);
      for (const { pointer, bytes } of blocks) {
        for (let done = 0; done < bytes; done += CHUNK)
          put(core.u8(pointer + done, Math.min(CHUNK, bytes - done)));
      }
    });
  } catch (error) {
    await folder.removeEntry(key + SUFFIX).catch(() => {});
    const reason = /** @type {Error} */ (error);
    const what =
      reason.name === 'QuotaExceededError'
        ? 'there is no room for it here; delete kept data'
        : reason.message;
    throw new TabgradError('unavailable', 'storage', `${name} (${megabytes(size)}) cannot be kept: ${what}`);
  }
  return described(key, kept, size);
}

/** @returns {Promise<KeptSets[]>}  the newest first; none where nothing can be kept */
export async function listKept() {
  const folder = await openFolder().catch(() => null);
  const sets = [];
  for await (const [name, handle] of folder?.entries() ?? []) {
    if (handle.kind !== 'file' || !name.endsWith(SUFFIX)) continue;
    const file = await /** @type {FileSystemFileHandle} */ (handle).getFile();
    const found = await readHeader(file).catch(() => null);
    if (found) sets.push(described(name.slice(0, -SUFFIX.length), found.kept, file.size));
  }
  return sets.sort((a, b) => b.keptAt - a.keptAt);
}

/** @param {string} key */
export async function deleteKept(key) {
  const folder = await openFolder();
  await folder.removeEntry(key + SUFFIX).catch((error) => {
    if (error.name !== 'NotFoundError') throw new TabgradError('unavailable', 'storage', error.message);
  });
}

/**
 * @param {Core} core
 * @param {string} key
 * @returns {Promise<{ train: Dataset, test: Dataset | null, report: unknown }>}
 */
export async function openKept(core, key) {
  const file = await (await handleOf(key)).getFile();
  const { kept, tensors, start } = await readHeader(file);
  const train = await readPart(core, file, 'train', kept.train, kept, tensors, start);
  try {
    const test = kept.test && (await readPart(core, file, 'test', kept.test, kept, tensors, start));
    return { train, test, report: kept.report };
  } catch (error) {
    train.release();
    throw error;
  }
}

/** Other names for the classes of what is kept; the samples stay where they are. @param {string} key @param {string[]} classes */
export async function renameKept(key, classes) {
  const handle = await handleOf(key);
  const { kept, tensors, start } = await readHeader(await handle.getFile());
  if (classes.length !== kept.classes.length) {
    const what = `${classes.length} names for ${kept.classes.length} classes; give one for each`;
    throw new TabgradError('argument', 'classes', what);
  }
  const header = encodeHeader(tensors, { ...kept, classes }, start);
  if (header.length > start) {
    const what = `${kept.name} is kept without room for such long names; read the files again`;
    throw new TabgradError('unavailable', 'storage', what);
  }
  await writing(handle, (put) => put(header)).catch((error) => {
    throw new TabgradError('unavailable', 'storage', `the names cannot be kept: ${error.message}`);
  });
}

/** @param {string} key */
async function handleOf(key) {
  const folder = await openFolder();
  return folder.getFileHandle(key + SUFFIX).catch(() => {
    const what = 'these data are not kept here any more; read the files again';
    throw new TabgradError('unavailable', 'storage', what);
  });
}

/** @param {string} key @param {Kept} kept @param {number} bytes @returns {KeptSets} */
function described(key, { name, keptAt, classes, train, test }, bytes) {
  return {
    key,
    name,
    bytes,
    train: train.count,
    test: test?.count ?? 0,
    shape: train.shape,
    classes,
    keptAt,
  };
}

/** @param {Core} core @param {Dataset} dataset @returns {PartFacts} */
function factsOf(core, dataset) {
  const { count, shape, type, sha256 } = dataset.allFacts();
  return { count, shape, type, sha256, soft: core.get('dataset_targets', dataset.pointer) !== 0 };
}

/** @param {Core} core @param {string} part @param {{ pointer: number, facts: Pick<DatasetFacts, 'count' | 'shape' | 'type' | 'classes'> }} dataset
 * @returns {Block[]} */
function blocksOf(core, part, { facts: { count, shape, type, classes }, pointer }) {
  const dtype = type === 'u8' ? 'U8' : 'F32';
  const samples = count * shape[0] * shape[1] * shape[2];
  const targets = core.get('dataset_targets', pointer);
  return [
    {
      pointer: core.get('dataset_pixels', pointer),
      name: `${part}.images`,
      dtype,
      shape: [count, ...shape],
      bytes: samples * (type === 'u8' ? 1 : 4),
    },
    targets
      ? {
          pointer: targets,
          name: `${part}.targets`,
          dtype: 'F32',
          shape: [count, classes.length],
          bytes: 4 * count * classes.length,
        }
      : {
          pointer: core.get('dataset_labels', pointer),
          name: `${part}.labels`,
          dtype: 'I32',
          shape: [count],
          bytes: 4 * count,
        },
  ];
}

/** Where each lies behind the header. @param {Block[]} blocks */
function tensorsOf(blocks) {
  /** @type {Record<string, TensorHeader>} */
  const tensors = {};
  let at = 0;
  for (const { name, dtype, shape, bytes } of blocks) {
    tensors[name] = { dtype, shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  return tensors;
}

/** A safetensors' beginning: the length of its JSON, and that, spaces behind it.
 * @param {Record<string, TensorHeader>} tensors @param {Kept} kept @param {number} [length]  in all, if it suffices */
function encodeHeader(tensors, kept, length) {
  const json = new TextEncoder().encode(
    JSON.stringify({ __metadata__: { kept: JSON.stringify(kept) }, ...tensors }),
  );
  const room = length ?? 8 + json.length + HEADER_ROOM + NAME_ROOM * kept.classes.length;
  const bytes = new Uint8Array(Math.max(Math.ceil(room / 8) * 8, 8 + json.length)).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

/** Writes from the beginning of a file on. @param {FileSystemFileHandle} file
 * @param {(put: (bytes: Uint8Array<ArrayBuffer>) => void, access: FileSystemSyncAccessHandle) => void} write */
async function writing(file, write) {
  const access = await file.createSyncAccessHandle();
  try {
    let at = 0;
    write((bytes) => {
      if (access.write(bytes, { at }) !== bytes.length)
        throw new DOMException('the disk is full', 'QuotaExceededError');
      at += bytes.length;
    }, access);
    access.flush();
  } finally {
    access.close();
  }
}

/** @param {File} file @returns {Promise<{ kept: Kept, tensors: Record<string, TensorHeader>, start: number }>} */
async function readHeader(file) {
  try {
    const length = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
    if (length > MAX_HEADER) throw new Error('no header');
    const { __metadata__, ...tensors } = JSON.parse(await file.slice(8, 8 + length).text());
    return { kept: JSON.parse(__metadata__.kept), tensors, start: 8 + length };
  } catch {
    throw damaged();
  }
}

/**
 * @param {Core} core
 * @param {File} file
 * @param {string} part
 * @param {PartFacts} facts
 * @param {Kept} kept
 * @param {Record<string, TensorHeader>} tensors
 * @param {number} start
 */
async function readPart(
  core,
  file,
  part,
  { count, shape, type, sha256, soft },
  { name, classes },
  tensors,
  start,
) {
  const dataset = await Dataset.filled(
    core,
    { name, shape, count, classes, soft, isF32: type === 'f32' },
    async (pointer) => {
      for (const { name: tensor, bytes, pointer: to } of blocksOf(core, part, {
        facts: { count, shape, type, classes },
        pointer,
      })) {
        const [from, end] = tensors[tensor]?.data_offsets ?? [0, 0];
        if (end - from !== bytes || start + end > file.size) throw damaged();
        for (let done = 0; done < bytes; done += CHUNK) {
          const at = start + from + done;
          core.write(
            to + done,
            new Uint8Array(await file.slice(at, at + Math.min(CHUNK, bytes - done)).arrayBuffer()),
          );
        }
      }
    },
  );
  if (dataset.allFacts().sha256 === sha256) return dataset;
  dataset.release();
  throw damaged();
}

function damaged() {
  return new TabgradError(
    'format',
    'storage',
    'the kept data were damaged on the disk; delete them and read the files again',
  );
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
