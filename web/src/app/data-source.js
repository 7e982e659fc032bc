// Where pictures come from: the site's own MNIST, fetched when first needed, or files that a person opens.
/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} NamedBytes */
/** @typedef {{ name: string, bytes: Blob }} NamedBlob  whose bytes go to the worker past this thread */
/**
 * @typedef {object} Descriptor
 * @property {string} name
 * @property {string} title
 * @property {string[]} classes
 * @property {Record<string, string>} samples_sha256 of each part, as a dataset says it
 */

// Key by key, so that where each file comes from and its digest stay out of the page.
const NAMES = import.meta.glob('../../../datasets/*.json', { eager: true, import: 'name' });
const TITLES = import.meta.glob('../../../datasets/*.json', { eager: true, import: 'title' });
const CLASSES = import.meta.glob('../../../datasets/*.json', { eager: true, import: 'classes' });
const SAMPLES = import.meta.glob('../../../datasets/*.json', { eager: true, import: 'samples_sha256' });

/** The data sets whose samples are known. */
export const DESCRIPTORS = Object.keys(NAMES).map(
  (path) =>
    /** @type {Descriptor} */ ({
      name: NAMES[path],
      title: TITLES[path],
      classes: CLASSES[path],
      samples_sha256: SAMPLES[path],
    }),
);

const FILES = {
  train: ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'],
  test: ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
};

/**
 * Fetches one half of the site's MNIST.
 * @param {'train' | 'test'} part
 * @returns {Promise<NamedBlob[]>}
 */
export function fetchMnist(part) {
  return Promise.all(FILES[part].map((file) => fetchBlob(`data/mnist/${file}`)));
}

/**
 * @param {string} path relative to the page, so that the site works under any path
 * @returns {Promise<NamedBytes>}
 */
export async function fetchBytes(path) {
  const { name, bytes } = await fetchBlob(path);
  return { name, bytes: new Uint8Array(await bytes.arrayBuffer()) };
}

/** @param {string} path @returns {Promise<NamedBlob>} */
async function fetchBlob(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const failed = `${name}: could not be fetched from this site; check the connection and try again.`;
  const response = await fetch(new URL(path, document.baseURI)).catch(() => {
    throw new Error(failed);
  });
  if (!response.ok) throw new Error(failed);
  return { name, bytes: await response.blob() };
}

/**
 * The known data set that these samples are, whatever files they came in.
 * @param {string} sha256 of a dataset
 * @returns {Descriptor | undefined}
 */
export function recognise(sha256) {
  return DESCRIPTORS.find(({ samples_sha256: known }) => Object.values(known).includes(sha256));
}
