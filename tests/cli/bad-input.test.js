// Whatever is wrong: exit status 2, nothing on standard output, and one line on standard error that has the place
// and the way out.
import { closeSync, existsSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idx, makeFolder, quarters, quartersRecipe, tabgrad } from './program.js';

const folder = makeFolder();
/** @type {string[]} */
let data;
/** @type {string} */
let recipe;
/** @type {string} */
let checkpoint;

beforeAll(async () => {
  const { images, labels } = quarters(32, 1);
  data = ['--train', folder.write('images', images)];
  folder.write('labels', labels);
  recipe = folder.write('recipe.json', quartersRecipe());
  checkpoint = folder.path('made.safetensors');
  await tabgrad(['train', recipe, ...data, '--steps', '1', '--out', checkpoint]);
});
afterAll(folder.remove);

/** Runs the program, which must refuse. @param {string[]} args @param {string} sentence */
async function refused(args, sentence) {
  const { status, stdout, stderr } = await tabgrad(args);
  expect(stderr).toBe(`tabgrad: ${sentence}\n`);
  expect(stdout).toBe('');
  expect(status).toBe(2);
}

describe('arguments', () => {
  it.each([
    [[], 'needs a command; tabgrad --help lists them'],
    [['learn'], 'there is no command "learn"; tabgrad --help lists them'],
    [['train'], 'train needs RECIPE|CHECKPOINT'],
    [['predict', 'x'], 'predict needs CHECKPOINT FILE'],
    [['train', 'x', 'y'], 'y: is one argument too many; train takes RECIPE|CHECKPOINT'],
    [['train', 'x', '--fast'], '--fast: is no option of train; tabgrad --help lists them'],
    [['summary', 'x', '--out', 'y'], '--out: is no option of summary; tabgrad --help lists them'],
    [['train', 'x', '--epochs'], '--epochs: needs N after it'],
    [['train', 'x', '--epochs', 'many'], '--epochs: must be a whole number from 1 to 1048576, not "many"'],
    [['train', 'x', '--epochs=0'], '--epochs: must be a whole number from 1 to 1048576, not "0"'],
    [['train', 'x', '--seed', '-1'], '--seed: must be a whole number from 0 to 9007199254740991, not "-1"'],
    [['train', 'x', '--threads', '65'], '--threads: must be a whole number from 1 to 64, not "65"'],
    [['train', 'x', '--json=yes'], '--json=yes: takes no value'],
    [
      ['train', 'x', '--out', 'no/such/folder/y'],
      'no/such/folder/y: cannot be written: No such file or directory',
    ],
    [['train', 'missing.json'], 'missing.json: cannot be read: No such file or directory'],
    [['train', 'recipes'], 'recipes: cannot be read: Is a directory'],
  ])('%j', refused);

  it('needs paths to look at', () => refused(['data'], 'data needs PATH...'));

  it('takes options for reading as JSON', async () => {
    await refused(
      ['data', folder.path('images'), '--read', '[]'],
      '--read: must be a JSON object: {"size": [32, 32]}',
    );
    const keys = 'roles, classes, transposed, labels, label_column, flat, size, fit, color, unlabeled';
    await refused(
      ['data', folder.path('images'), '--read', '{"width": 3}'],
      `options: unknown key "width"; there are ${keys}`,
    );
  });

  it('has help', async () => {
    const { status, stdout } = await tabgrad(['--help']);
    expect(status).toBe(0);
    for (const word of [
      'train',
      'evaluate',
      'predict',
      'summary',
      'gradcheck',
      'data',
      '--json',
      '--threads',
    ]) {
      expect(stdout).toContain(word);
    }
  });
});

describe('recipes', () => {
  /** @param {object} changes @param {string} sentence */
  const refusedRecipe = (changes, sentence) => {
    const path = folder.write('wrong.json', quartersRecipe(changes));
    return refused(['train', path, ...data], `${path}: ${sentence}`);
  };
  /** @param {...object} layers */
  const model = (...layers) => ({ model: { input: [3, 3, 1], layers } });

  it('name line and column where they are no JSON', async () => {
    const text = '{\n  "tabgrad": 1,\n  "epochs": 3,,\n}';
    const path = folder.write('syntax.json', text);
    const what = 'is no JSON from here on; look for a missing or surplus comma, quote or bracket';
    await refused(['train', path, ...data], `${path}:3:16: ${what}`);
    folder.write('syntax.json', '{"tabgrad": 1} x');
    await refused(['train', path, ...data], `${path}:1:16: ${what}`);
    folder.write('syntax.json', '');
    await refused(['train', path, ...data], `${path}:1:1: ${what}`);
    folder.write('syntax.json', '[1, 2]');
    await refused(['train', path, ...data], `${path}: a recipe is a JSON object, { "tabgrad": 1, ... }`);
    folder.write('syntax.json', '{"model": {"layers": [{"a": 1, "a": 2}]}}');
    await refused(['train', path, ...data], `${path}: model.layers[0].a: the key "a" stands twice`);
  });

  it('name the layer that cannot be', () =>
    refusedRecipe(
      model({ type: 'conv2d', filters: 2, kernel: 5, padding: 'valid' }),
      'model.layers[0] conv2d: kernel 5x5 exceeds input 3x3',
    ));

  it('name an unknown key', () => {
    const known = 'units, bias, type, name, inputs, initializer, weights, trainable, learning_rate_factor';
    const what = `unknown key "unit"; there are ${known}`;
    return refusedRecipe(model({ type: 'dense', unit: 4 }), `model.layers[0] dense: ${what}`);
  });

  it('name a wrong type', () =>
    refusedRecipe({ epochs: 'three' }, 'recipe: epochs must be a whole number, not a text'));

  it('must fit the data', () =>
    refusedRecipe(
      model({ type: 'flatten' }, { type: 'dense', units: 4 }),
      'training data: samples are 8x8x1 but model.input is 3x3x1; change one of the two',
    ));

  it('need data', () =>
    refused(['train', recipe], `${recipe}: data.dataset names no dataset; give --train PATH`));

  it('may name only datasets there are', async () => {
    const what = 'datasets/ has those there are, and --train and --test take files of your own';
    const path = folder.write('wrong.json', quartersRecipe({ data: { dataset: 'nmist' } }));
    await refused(['train', path], `${path}: data.dataset: there is no dataset "nmist"; ${what}`);
    folder.write('wrong.json', quartersRecipe({ data: { dataset: '../datasets/mnist' } }));
    await refused(['train', path], `${path}: data.dataset: there is no dataset "../datasets/mnist"; ${what}`);
  });

  it('that diverge stop, and leave an older checkpoint alone', async () => {
    const path = folder.write(
      'wild.json',
      quartersRecipe({ batch_size: 1, optimizer: { type: 'sgd', learning_rate: 1e6 } }),
    );
    const out = folder.write('kept.safetensors', 'what was there before');
    const { status, stderr } = await tabgrad(['train', path, ...data, '--out', out]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^tabgrad: step \d: .*; start again with a lower learning rate, such as 1e\+05\n$/,
    );
    expect(readFileSync(out, 'utf8')).toBe('what was there before');
  });
});

describe('data files', () => {
  /** @param {string} name @param {Uint8Array} images @param {string} what */
  const refusedImages = (name, images, what) => {
    const path = folder.write(name, images);
    return refused(['train', recipe, '--train', `${path},${folder.path('labels')}`], `${path}: ${what}`);
  };

  it('that are empty', () => refusedImages('e', new Uint8Array(), 'the file is empty; download it again'));

  it('that are cut short', () =>
    refusedImages(
      'c',
      quarters(32, 1).images.subarray(0, 1000),
      'header promises 32 x 8 x 8 bytes, but 984 follow it; download it again or check that it is not still compressed',
    ));

  it('that claim 4 billion samples', () =>
    refusedImages(
      'b',
      idx([0xffffffff, 28, 28], []),
      'header promises 4294967295 x 28 x 28 bytes, but 0 follow it; download it again or check that it is not still compressed',
    ));

  it('whose gzip data is cut short', () =>
    refusedImages('g.gz', gzipSync(quarters(32, 1).images).subarray(0, 500), 'is cut short; get it again'));

  it('that are images twice', () =>
    refused(
      ['train', recipe, '--train', `${folder.path('images')},${folder.path('images')}`],
      `${folder.path('images')}: its labels are missing; give both files together`,
    ));

  it('whose counts differ', async () => {
    const labels = folder.write('few', quarters(8, 1).labels);
    const images = folder.path('images');
    await refused(
      ['train', recipe, '--train', `${images},${labels}`],
      `${images}: 32 images but 8 labels in few: take two files that belong together`,
    );
  });

  it('with a label the network has no score for', async () => {
    const labels = folder.write('large', idx([32], new Uint8Array(32).fill(9)));
    await refused(
      ['train', recipe, '--train', `${folder.path('images')},${labels}`],
      `${recipe}: training data: sample 0 has label 9, but layer dense1 gives only 4 scores, for labels 0 to 3; correct the label, or give it 10 units`,
    );
  });

  it('without labels beside them', async () => {
    const path = folder.write('pictures', quarters(8, 1).images);
    await refused(
      ['train', recipe, '--train', path],
      `${path}: its labels are missing; give both files together`,
    );
  });

  it('of another shape than the network reads', async () => {
    const path = folder.write('wide', idx([1, 4, 9], new Uint8Array(36)));
    await refused(
      ['predict', checkpoint, path],
      `${path}: its images are 4x9x1, but the network reads 8x8x1`,
    );
  });
});

describe('a full disk', () => {
  it.runIf(existsSync('/dev/full'))('is not taken for success', async () => {
    const full = openSync('/dev/full', 'w');
    for (const json of [[], ['--json']]) {
      const { status, stderr } = await tabgrad(['summary', recipe, ...json], { stdout: full });
      expect(stderr).toBe('tabgrad: standard output: cannot be written: No space left on device\n');
      expect(status).toBe(2);
    }
    closeSync(full);
  });
});

describe('checkpoints', () => {
  it('cut short', async () => {
    const path = folder.write('cut.safetensors', readFileSync(checkpoint));
    truncateSync(path, readFileSync(checkpoint).length - 5);
    const { status, stderr } = await tabgrad(['evaluate', path, '--test', folder.path('images')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /cut\.safetensors: tensor ".+" ends at byte \d+ .*; the file is cut short, download it again\n$/,
    );
    truncateSync(path, 5);
    await refused(
      ['evaluate', path],
      `${path}: has only 5 bytes, less than a .safetensors file begins with; download or save it again`,
    );
  });

  it('that are recipes', () =>
    refused(
      ['predict', recipe, folder.path('images')],
      `${recipe}: is a recipe; train it first, with --out CHECKPOINT`,
    ));

  it('with another seed', () =>
    refused(
      ['train', checkpoint, ...data, '--seed', '4'],
      '--seed: does not go with a checkpoint, whose seed is part of what it learned',
    ));
});
