// Files of the project, read alike in Node and in a page that is served from the project's folder.
import { nodeModule } from '../web/src/shared/environment.js';

const PROJECT = new URL('../', import.meta.url);

/** @param {string} path  from the project's folder @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function readBytes(path) {
  const url = new URL(path, PROJECT);
  const files = nodeModule('node:fs/promises');
  if (files) return new Uint8Array(await files.readFile(url));
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The library as it is built, for anyone. @returns {Promise<typeof import('../web/src/shared/library.js')>} */
export function importLibrary() {
  return import(new URL('dist/tabgrad.js', PROJECT).href);
}
