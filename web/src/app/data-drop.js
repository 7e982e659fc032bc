// What a person drops or chooses, folders opened up: files with the path that leads to them.

/** @typedef {{ name: string, path?: string, bytes: File }} Opened path: only where there was a folder */

/**
 * Everything in a drop. Has to be called while the event is being handled: afterwards the browser knows nothing of it.
 * @param {DataTransfer} transfer
 * @param {(count: number) => void} onCount told now and then how many files the folders hold so far
 * @returns {Promise<Opened[]>}
 */
export function droppedFiles(transfer, onCount) {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === 'file');
  const roots = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  return gather(roots, onCount);
}

/**
 * @param {{ entry: FileSystemEntry | null | undefined, file: File | null }[]} roots
 * @param {(count: number) => void} onCount
 */
async function gather(roots, onCount) {
  /** @type {Opened[]} */
  const files = [];
  for (const { entry, file } of roots) {
    if (entry?.isDirectory) await walk(/** @type {FileSystemDirectoryEntry} */ (entry), files, onCount);
    else if (file) files.push({ name: file.name, bytes: file });
  }
  return files;
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @param {Opened[]} files
 * @param {(count: number) => void} onCount
 */
async function walk(folder, files, onCount) {
  const reader = folder.createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} a browser hands over a hundred at a time, and none at the end */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    const plain = entries.filter(({ isFile }) => isFile);
    const opened = await Promise.all(
      plain.map((entry) => fileOf(/** @type {FileSystemFileEntry} */ (entry))),
    );
    files.push(...opened);
    onCount(files.length);
    for (const entry of entries) {
      if (entry.isDirectory) await walk(/** @type {FileSystemDirectoryEntry} */ (entry), files, onCount);
    }
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<Opened>} */
async function fileOf(entry) {
  const bytes = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return { name: entry.name, path: entry.fullPath.replace(/^\//, ''), bytes };
}

/**
 * Files of an input; those of a folder know their path.
 * @param {FileList | null} list
 * @returns {Opened[]}
 */
export function chosenFiles(list) {
  return Array.from(list ?? [], (file) =>
    file.webkitRelativePath
      ? { name: file.name, path: file.webkitRelativePath, bytes: file }
      : { name: file.name, bytes: file },
  );
}

/**
 * What a person would call these files: the folder or file they came as, else all of them.
 * @param {Opened[]} files
 */
export function titleOf(files) {
  const roots = [...new Set(files.map(({ name, path }) => (path ?? name).split('/')[0]))];
  return roots.length <= 4
    ? roots.join(', ')
    : `${roots.slice(0, 3).join(', ')} and ${roots.length - 3} more`;
}

/**
 * A name for a recipe's data.dataset: short, and another one for other samples.
 * @param {string} title
 * @param {string} sha256
 */
export function datasetName(title, sha256) {
  const words = title.split(',')[0].split('.')[0].toLowerCase();
  const slug = words.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `${slug.slice(0, 40) || 'files'}-${sha256.slice(0, 8)}`;
}
