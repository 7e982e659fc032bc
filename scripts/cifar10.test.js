import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { convertCifar10 } from './cifar10.mjs';

/** What comes of a package with these labels and this first sheet. @param {number[]} train @param {Uint8Array} sheet */
async function convert(train, sheet) {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-'));
  const test = Array.from({ length: 10_000 }, (_, i) => i % 10);
  writeFileSync(join(folder, 'train_lables.json'), JSON.stringify(train));
  writeFileSync(join(folder, 'test_lables.json'), JSON.stringify(test));
  writeFileSync(join(folder, 'data_batch_1.png'), sheet);
  try {
    await convertCifar10(folder, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const labels = Array.from({ length: 50_000 }, (_, i) => i % 10);
const sheet = encode({ width: 2, height: 2, data: new Uint8Array(12), channels: 3, depth: 8 });

test('labels must be there for every picture, each class equally often', async () => {
  await expect(convert([3, 4], sheet)).rejects.toThrow(
    /train_lables\.json: 2 labels, by class 0,0,0,1,1,0,0,0,0,0; 50000 were expected, equally many\./,
  );
  await expect(convert([...labels.slice(1), 1], sheet)).rejects.toThrow(/50000 labels, by class 4999,5001,/);
});

test('a sheet must have a row for every picture', async () => {
  await expect(convert(labels, sheet)).rejects.toThrow(
    /data_batch_1\.png: 2x2 with 3 channels of 8 bits is no sheet of CIFAR-10\./,
  );
});
