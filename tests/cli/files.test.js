// What the command line reads from and writes to, beside plain files of bytes.
import { existsSync, lstatSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, quarters, quartersRecipe, tabgrad } from './program.js';

const folder = makeFolder();
const { images, labels } = quarters(40, 1);
/** @type {string[]} */
let training;

beforeAll(() => {
  const data = `${folder.write('images', images)},${folder.write('labels', labels)}`;
  training = ['train', folder.write('quarters.json', quartersRecipe()), '--train', data, '--steps', '2'];
});
afterAll(folder.remove);

/** The same pictures as 32-bit floats. @param {Buffer} bytes an IDX file of 8x8 pictures */
function asFloats(bytes) {
  const file = Buffer.alloc(16 + 4 * (bytes.length - 16));
  bytes.copy(file, 0, 0, 16);
  file[2] = 0x0d;
  for (let i = 16; i < bytes.length; i++) file.writeFloatBE(bytes[i], 16 + 4 * (i - 16));
  return file;
}

it('predicts the same from bytes and from floats', async () => {
  const checkpoint = join(folder.path('.'), 'run.safetensors');
  expect((await tabgrad([...training, '--out', checkpoint])).status).toBe(0);
  const fromBytes = await tabgrad(['predict', checkpoint, folder.path('images'), '--json']);
  const floats = folder.write('floats', asFloats(images));
  const fromFloats = await tabgrad(['predict', checkpoint, floats, '--json']);
  expect(fromFloats.lines).toHaveLength(40);
  expect(fromFloats.lines).toEqual(fromBytes.lines);
});

describe('--out', () => {
  it('onto a folder is refused before training', async () => {
    const { status, stderr, lines } = await tabgrad([...training, '--json', '--out', folder.path('.')]);
    expect(stderr).toMatch(/: is a folder; name a file in it\n$/);
    expect([status, lines]).toEqual([2, []]);
  });

  it('onto a device writes into it', async () => {
    const { status } = await tabgrad([...training, '--out', '/dev/null']);
    expect(status).toBe(0);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('through a link writes what it points at', async () => {
    const target = folder.write('target', '');
    const link = join(folder.path('.'), 'link');
    symlinkSync(target, link);
    expect((await tabgrad([...training, '--out', link])).status).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(target) && lstatSync(target).size).toBeGreaterThan(100);
  });
});

it('asks for the files again that a checkpoint was trained on', async () => {
  const checkpoint = join(folder.path('.'), 'of-files.safetensors');
  await tabgrad([...training, '--out', checkpoint]);
  const without = await tabgrad(['train', checkpoint, '--steps', '1']);
  expect([without.status, without.stderr]).toEqual([
    2,
    `tabgrad: ${checkpoint}: data.dataset: there is no dataset "files"; datasets/ has those there are, and --train and --test take files of your own\n`,
  ]);
  expect((await tabgrad(['train', checkpoint, ...training.slice(2)])).status).toBe(0);
});

it('says one line of a file whose name has two', async () => {
  const { status, stderr } = await tabgrad(['train', 'no\nsuch.json']);
  expect([status, stderr]).toEqual([2, 'tabgrad: no?such.json: cannot be read: No such file or directory\n']);
});

it.each([['--help'], ['-h'], ['help'], ['train', '--help']])('helps when asked: %s %s', async (...args) => {
  const { status, stdout } = await tabgrad(args);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^tabgrad trains small neural networks/);
});

it('gradcheck takes no checkpoint', async () => {
  const checkpoint = join(folder.path('.'), 'other.safetensors');
  await tabgrad([...training, '--out', checkpoint]);
  const { status, stderr } = await tabgrad(['gradcheck', checkpoint]);
  expect([status, stderr]).toEqual([2, `tabgrad: ${checkpoint}: is a checkpoint; name a recipe\n`]);
});
