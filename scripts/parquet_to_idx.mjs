// Parquet for the command line program, which has no reader for it: the library reads it and writes the same sets as IDX.
//
//   npm run build && node scripts/parquet_to_idx.mjs FILE.parquet... FOLDER
import { openAsBlob } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { importLibrary } from './bench_files.mjs';
import { Failure, runMain } from './steps.mjs';

/** @typedef {import('../web/src/shared/library.js').Dataset} Dataset */

await runMain(async () => {
  const [folder, ...files] = process.argv.slice(2).reverse();
  if (files.length === 0) throw new Failure('needs FILE.parquet... FOLDER');
  const { createEngine } = await importLibrary();
  const engine = await createEngine();
  try {
    const blobs = files.map(async (file) => ({ name: basename(file), bytes: await openAsBlob(file) }));
    const { train, test } = await engine.readFiles(await Promise.all(blobs));
    await mkdir(folder, { recursive: true });
    await writeSet(folder, 'train', train);
    if (test) await writeSet(folder, 't10k', test);
    await writeFile(join(folder, 'label_names.txt'), `${train.classes.join('\n')}\n`);
  } finally {
    await engine.close();
  }
});

/** @param {string} folder @param {string} part @param {Dataset} set */
async function writeSet(folder, part, set) {
  const { pixels, labels } = await set.samples(Array.from({ length: set.count }, (_, i) => i));
  const [height, width, channels] = set.shape;
  const sizes = height * width === 1 ? [channels] : channels === 1 ? [height, width] : set.shape;
  await writeFile(join(folder, `${part}-images`), idx([set.count, ...sizes], pixels));
  await writeFile(join(folder, `${part}-labels`), idx([set.count], Float32Array.from(labels)));
}

/** Bytes, or floats with the largest byte first. @param {number[]} sizes @param {Uint8Array | Float32Array} values */
function idx(sizes, values) {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.set([0, 0, values instanceof Uint8Array ? 0x08 : 0x0d, sizes.length]);
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  const bytes = Buffer.from(values.slice().buffer);
  return Buffer.concat([header, values instanceof Uint8Array ? bytes : bytes.swap32()]);
}
