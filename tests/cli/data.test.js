// What the program understands of files, folders and archives.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { hostileContainers } from '../hostile_containers.mjs';
import { hostileFiles } from '../hostile_files.mjs';
import { realTasks, shared } from '../support/real-data.js';
import { idx, makeFolder, project, quarters, quartersRecipe, tabgrad } from './program.js';

const folder = makeFolder();
const fixtures = join(project, 'tests/fixtures');
afterAll(folder.remove);

/** @param {string[]} paths @param {object} [options] */
async function understood(paths, options) {
  const { status, stderr, lines } = await tabgrad([
    'data',
    '--json',
    ...(options ? ['--read', JSON.stringify(options)] : []),
    ...paths,
  ]);
  expect([status, stderr]).toEqual([0, '']);
  return lines[0];
}

describe('one set of pictures', () => {
  const digits = join(fixtures, 'digits');
  const four = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  /** @param {any} report */
  const hashes = ({ train, test }) => [train.sha256, test.sha256];

  it.each([
    ['NumPy', ['digits.npz']],
    ['SciPy', ['digits.mat']],
    ['Kaggle', ['train.csv', 'test.csv']],
    ['PNGs in folders in a zip', ['digits.zip']],
  ])('is the same from %s', async (_, names) => {
    const truth = await understood(four.map((name) => join(digits, `${name}-ubyte`)));
    const report = await understood(names.map((name) => join(digits, name)));
    expect(hashes(report)).toEqual(hashes(truth));
    expect(report).toMatchObject({
      skipped: [],
      train: { count: 10, shape: [8, 8, 1], classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] },
      duplicates: { count: 1, examples: [[4, 1]] },
    });
  });

  it('is the same unpacked, packed again and inside another archive', async () => {
    const path = folder.path('again');
    mkdirSync(path);
    for (const name of four) copyFileSync(join(digits, `${name}-ubyte`), join(path, `${name}-ubyte`));
    const truth = await understood([path]);
    execFileSync('tar', ['czf', `${path}.tar.gz`, '-C', path, '.']);
    execFileSync('tar', ['cf', `${path}.tar`, '-C', join(path, '..'), 'again.tar.gz']);
    expect(hashes(await understood([`${path}.tar.gz`]))).toEqual(hashes(truth));
    expect(hashes(await understood([`${path}.tar`]))).toEqual(hashes(truth));
  });

  it('is read from a folder once, whatever else lies there: pipes, links that lead nowhere or round in circles', async () => {
    const path = folder.path('odd');
    mkdirSync(path);
    for (const name of four) copyFileSync(join(digits, `${name}-ubyte`), join(path, `${name}-ubyte`));
    const truth = await understood([path]);
    execFileSync('mkfifo', [join(path, 'pipe')]);
    symlinkSync('nowhere', join(path, 'dangling'));
    symlinkSync('.', join(path, 'loop'));
    const report = await understood([path]);
    expect(hashes(report)).toEqual(hashes(truth));
    expect(report.skipped).toEqual([
      { name: 'odd/dangling', reason: 'is a link to what cannot be read' },
      { name: 'odd/loop', reason: 'is a link to a folder, and these are not followed' },
      { name: 'odd/pipe', reason: 'is no file with data in it' },
    ]);
  });

  it('is printed for people, too', async () => {
    const { stdout } = await tabgrad(['data', join(digits, 'digits.npz')]);
    expect(stdout).toMatch(/^digits\.npz\/x_train\.npy: npy, train, 10 of 8x8x1$/m);
    expect(stdout).toMatch(/^train: 10 samples of 8x8x1, bytes, values 0 to 255$/m);
    expect(stdout).toMatch(/^1 samples of the test set are in the training set as well$/m);
  });
});

describe('pictures', () => {
  /** One picture for each class, the class being the name of its file. @param {string} kind */
  const named = (kind) => readdirSync(join(fixtures, 'pictures', kind)).map((name) => [kind, name]);

  it.for([...named('lossless'), ...named('transparent'), ...named('turned')])(
    '%s/%s',
    async ([kind, name], { skip }) => {
      const read = async (/** @type {string} */ file) =>
        tabgrad(['data', '--json', join(fixtures, 'pictures', kind, file)]);
      const truth = await read({ lossless: 'colour.png', transparent: 'corner.png', turned: '1.jpg' }[kind]);
      const { stderr, lines } = await read(name);
      if (stderr.includes('was built without')) skip(stderr);
      expect(stderr).toBe('');
      expect(lines[0].train).toEqual(truth.lines[0].train);
    },
  );
});

it('trains on, and predicts from, whatever can be read', async () => {
  const { images, labels } = quarters(80, 1);
  const rows = Array.from({ length: 80 }, (_, i) =>
    [labels[8 + i], ...images.subarray(16 + 64 * i, 80 + 64 * i)].join(','),
  );
  const table = folder.write('quarters.csv.gz', gzipSync(rows.join('\n')));
  const checkpoint = folder.path('quarters.safetensors');
  const recipe = folder.write('quarters.json', quartersRecipe());
  const { status, stderr } = await tabgrad([
    'train',
    recipe,
    '--train',
    table,
    '--out',
    checkpoint,
    '--steps',
    '2',
  ]);
  expect([status, stderr]).toEqual([0, '']);
  const { lines } = await tabgrad(['predict', checkpoint, join(fixtures, 'digits/digits.zip'), '--json']);
  expect(lines).toHaveLength(4); // the part to test on, made as large as the network reads
});

describe('what cannot be read', () => {
  const good = [
    folder.write('train-images', idx([1, 1, 2], [1, 2])),
    folder.write('train-labels', idx([1], [0])),
  ];

  /** A zip that holds one file. @param {string} name @param {Uint8Array} data @param {{ flags?: number }} [changes] */
  function zip(name, data, { flags = 0 } = {}) {
    const packed = deflateRawSync(data);
    const header = Buffer.alloc(26);
    header.writeUInt16LE(20, 0);
    header.writeUInt16LE(flags, 2);
    header.writeUInt16LE(8, 4);
    header.writeUInt32LE(crc32(data), 10);
    header.writeUInt32LE(packed.length, 14);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt16LE(name.length, 22);
    const central = Buffer.concat([
      Buffer.from('PK\x01\x02\x14\0'),
      header,
      Buffer.alloc(14),
      Buffer.from(name),
    ]);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, Buffer.from(name), packed]);
    const end = Buffer.alloc(22);
    end.write('PK\x05\x06');
    end.writeUInt16LE(1, 8);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(local.length, 16);
    return Buffer.concat([local, central, end]);
  }

  it.each([
    [
      'an encrypted member',
      'locked.zip',
      zip('a.csv', Buffer.from('1,2'), { flags: 1 }),
      'locked.zip/a.csv',
      'is encrypted; unpack it with its password first',
    ],
    [
      'a bomb',
      'bomb.zip',
      zip('a.csv', Buffer.alloc(200 << 20)),
      'bomb.zip/a.csv',
      'unpacks to far more than data would; unpack it yourself if you trust it',
    ],
    [
      'a gzip file cut short',
      'cut.gz',
      gzipSync(Buffer.alloc(5000, 'abc')).subarray(0, 20),
      'cut.gz',
      'is cut short; get it again',
    ],
    [
      'a GIF cut short',
      'a.png',
      Buffer.from('GIF89a'),
      'a.png',
      expect.stringMatching(
        /^is a (damaged GIF; download it or save it again|GIF, and this program was built without)/,
      ),
    ],
    [
      'a PNG cut short',
      'b.jpg',
      Buffer.from('\x89PNG\r\n\x1a\n\0\0', 'latin1'),
      'b.jpg',
      'is a damaged PNG; download it or save it again',
    ],
    [
      'a JPEG cut short',
      'c.png',
      Buffer.from('\xff\xd8\xff\xe0\0', 'latin1'),
      'c.png',
      'is a damaged JPEG; download it or save it again',
    ],
    [
      'a web page',
      'd.csv',
      Buffer.from('<!DOCTYPE html>'),
      'd.csv',
      'is a web page, not data; download the file itself',
    ],
    [
      'a path that climbs',
      'up.zip',
      zip('../../up.txt', Buffer.from('x')),
      'up.zip/up.txt',
      'is none of the kinds that can be read: IDX, CIFAR, .npy, .mat, .csv, .tsv, pictures, and archives of these',
    ],
  ])('%s is listed, and the rest is read', async (_, file, content, name, reason) => {
    const bad = folder.write(file, content);
    const report = await understood([...good, bad]);
    expect(report.skipped).toEqual([{ name, reason }]);
    expect(report.train.count).toBe(1);
  });
});

describe('hostile files', () => {
  it.each(hostileFiles.filter(({ container }) => !container))('$file', async (attack) => {
    const { file, where = file, sentence, beside, read } = attack;
    const paths = [join(fixtures, 'hostile', file), ...(beside ? [join(fixtures, beside)] : [])];
    const { status, stdout, stderr } = await tabgrad(['data', ...paths]);
    if (read) {
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain(sentence);
      expect(stdout).toContain(`train: ${read} samples`);
      return;
    }
    const place = where.startsWith(file) ? join(fixtures, 'hostile', where) : where;
    expect(stderr).toBe(`tabgrad: ${`${place}: ${sentence}`.replaceAll('\n', '?')}\n`);
    expect([status, stdout]).toEqual([2, '']);
  });

  it.each(hostileContainers)('$file', async ({ file, bytes, library, program = library }) => {
    const { status, stdout, stderr } = await tabgrad(['data', folder.write(file, bytes())]);
    expect(stderr.replace(`tabgrad: ${folder.path('.')}/`, '').trimEnd()).toMatch(program);
    expect([status, stdout]).toEqual([2, '']);
  });
});

describe.runIf(existsSync(shared))('real files (skipped where ../shared/data is absent)', () => {
  it('taskar: the MATLAB file and IDX have the same letters', async () => {
    const idxFiles = await understood([join(shared, 'letters/taskar')]);
    const matlab = await understood([join(shared, 'letters/taskar/ocr_taskar.mat')]);
    expect(idxFiles.train.count).toBe(47535);
    expect(matlab.train).toMatchObject({ count: 4617, shape: [1, 1, 129], range: [0, 1] });
    expect(matlab.train.classCounts).toEqual(idxFiles.test.classCounts);
    expect(matlab.test.classCounts).toEqual(idxFiles.train.classCounts);
  });

  it('alphadigs: 39 of each of 36 classes, which MATLAB counts from 1', async () => {
    const matlab = await understood([join(shared, 'letters/alphadigs/binaryalphadigs.mat')], {
      size: [20, 16],
    });
    const idxFiles = await understood([join(shared, 'letters/alphadigs')]);
    expect(matlab.train).toMatchObject({ count: 1404, shape: [20, 16, 1], classCounts: Array(36).fill(39) });
    expect(matlab.train.classes[35]).toBe('36');
    expect(idxFiles.train).toMatchObject({
      count: 1404,
      shape: [20, 16, 1],
      classCounts: Array(36).fill(39),
    });
  });

  it('sun8: parts from lists, and the five files that are not what their name says', async () => {
    const report = await understood([join(shared, 'sun8')], { size: [32, 32] });
    expect(report.skipped).toEqual([]);
    expect(report.train).toMatchObject({ count: 1177, shape: [32, 32, 3] });
    expect(report.test.count).toBe(400);
    expect(report.train.classes).toHaveLength(8);
  });

  it.each(realTasks)('$name is learned from', async ({ path, reading, recipe, accuracy }) => {
    const options = ['--train', join(shared, path), '--read', JSON.stringify(reading), '--json'];
    const { status, stderr, lines } = await tabgrad(['train', folder.write('real.json', recipe), ...options]);
    expect([status, stderr]).toEqual([0, '']);
    expect(lines.at(-1).test.accuracy).toBeGreaterThan(accuracy);
  });
});

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
