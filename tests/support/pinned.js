// tests/fixtures/pinned: recipes, the pictures they learn, and the hashes of what they have learned after some steps.
import { readFile } from 'node:fs/promises';

/** @param {string} name */
const read = (name) => readFile(new URL(`../fixtures/pinned/${name}`, import.meta.url));

/** @param {string} name */
const readJson = async (name) => JSON.parse((await read(name)).toString());

/** IDX files without their headers: 4 bytes, and 4 more for each dimension. @param {Buffer} file */
const body = (file) => Uint8Array.from(file.subarray(4 + 4 * file[3]));

export async function readPinned() {
  /** @type {{ steps: number, dataset_sha256: string, hashes: Record<string, string> }} */
  const { steps, dataset_sha256: sha256, hashes } = await readJson('hashes.json');
  /** @type {Record<string, Record<string, any>>} */
  const recipes = {};
  for (const name of Object.keys(hashes)) recipes[name] = await readJson(`${name}.json`);
  const shape = /** @type {[number, number, number]} */ ([12, 12, 1]);
  const samples = {
    images: body(await read('images')),
    labels: body(await read('labels')),
    shape,
    classes: 10,
  };
  return { steps, sha256, hashes, recipes, samples };
}
