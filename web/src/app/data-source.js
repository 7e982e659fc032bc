// Where pictures come from: the site's own MNIST, fetched when first needed, or files that a person opens.
/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} NamedBytes */
/** @typedef {{ name: string, title: string, classes: string[], sha256: Record<string, string> }} Descriptor */

/** @type {Descriptor[]} the data sets whose class names are known */
export const DESCRIPTORS = Object.values(
  import.meta.glob('../../../datasets/*.json', { eager: true, import: 'default' }),
);

const FILES = {
  train: ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'],
  test: ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
};

/** Label files are this small, and come with few others; what is larger or more is not read only to be recognised. */
const LABEL_FILE_LIMIT = 200_000;
const FEW_FILES = 8;

/**
 * Fetches one half of the site's MNIST.
 * @param {'train' | 'test'} part
 * @returns {Promise<NamedBytes[]>}
 */
export function fetchMnist(part) {
  return Promise.all(FILES[part].map((file) => fetchBytes(`data/mnist/${file}`)));
}

/**
 * @param {string} path relative to the page, so that the site works under any path
 * @returns {Promise<NamedBytes>}
 */
export async function fetchBytes(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const failed = `${name}: could not be fetched from this site; check the connection and try again.`;
  const response = await fetch(new URL(path, document.baseURI)).catch(() => {
    throw new Error(failed);
  });
  if (!response.ok) throw new Error(failed);
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/**
 * The data set that opened files are, where a label file's digest tells.
 * @param {File[]} files
 * @returns {Promise<Descriptor | undefined>}
 */
export async function recogniseFiles(files) {
  if (files.length > FEW_FILES) return;
  const digests = await Promise.all(files.filter((file) => file.size < LABEL_FILE_LIMIT).map(plainDigest));
  return DESCRIPTORS.find(({ sha256 }) => Object.values(sha256).some((digest) => digests.includes(digest)));
}

/**
 * SHA-256 of a file's content, unpacked if it is gzip.
 * @param {File} file
 * @returns {Promise<string>} '' where it cannot be told: a page served without https has no digests
 */
async function plainDigest(file) {
  if (!globalThis.crypto?.subtle) return '';
  try {
    const packed = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    const gzip = packed[0] === 0x1f && packed[1] === 0x8b;
    const plain = gzip ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
    const digest = await crypto.subtle.digest('SHA-256', await new Response(plain).arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  } catch {
    return ''; // cut short or unreadable: the reader says so with the file's name
  }
}
