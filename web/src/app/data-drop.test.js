import { describe, expect, it } from 'vitest';
import { chosenFiles, datasetName, droppedFiles, titleOf } from './data-drop.js';

/** A folder as a browser hands it over: a few entries at a time. */
function folder(path, entries) {
  const batches = [entries.slice(0, 2), entries.slice(2), []];
  const createReader = () => ({ readEntries: (resolve) => resolve(batches.shift()) });
  return { isFile: false, isDirectory: true, fullPath: path, createReader };
}

/** A file in it. */
function entry(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const file = new File(['x'], name);
  return { isFile: true, isDirectory: false, name, fullPath: path, file: (resolve) => resolve(file) };
}

describe('dropped files', () => {
  it('are those in folders too, each with the path that leads to it', async () => {
    const cats = folder('/pets/cat', [
      entry('/pets/cat/1.png'),
      entry('/pets/cat/2.png'),
      entry('/pets/cat/3.png'),
    ]);
    const pets = folder('/pets', [cats, entry('/pets/readme.txt')]);
    const single = new File(['y'], 'more.csv');
    const items = [
      { kind: 'string', webkitGetAsEntry: () => null, getAsFile: () => null },
      { kind: 'file', webkitGetAsEntry: () => pets, getAsFile: () => null },
      { kind: 'file', webkitGetAsEntry: () => null, getAsFile: () => single },
    ];
    const counts = [];
    const files = await droppedFiles({ items }, (count) => counts.push(count));
    expect(files.map(({ name, path }) => path ?? name)).toEqual([
      'pets/readme.txt',
      'pets/cat/1.png',
      'pets/cat/2.png',
      'pets/cat/3.png',
      'more.csv',
    ]);
    expect(counts).toEqual([1, 3, 4]);
    expect(files[4].bytes).toBe(single);
  });

  it('keep their path when a folder was chosen', () => {
    const inFolder = Object.assign(new File(['x'], '1.png'), { webkitRelativePath: 'pets/cat/1.png' });
    const alone = Object.assign(new File(['x'], 'a.npz'), { webkitRelativePath: '' });
    expect(chosenFiles([inFolder, alone])).toEqual([
      { name: '1.png', path: 'pets/cat/1.png', bytes: inFolder },
      { name: 'a.npz', bytes: alone },
    ]);
    expect(chosenFiles(null)).toEqual([]);
  });

  it('are called by what was dropped, not by each of its files', () => {
    const inPets = Array.from({ length: 9 }, (_, i) => ({ name: `${i}.png`, path: `pets/cat/${i}.png` }));
    expect(titleOf(inPets)).toBe('pets');
    expect(titleOf([{ name: 'a' }, { name: 'b' }])).toBe('a, b');
    expect(titleOf(['a', 'b', 'c', 'd', 'e'].map((name) => ({ name })))).toBe('a, b, c and 2 more');
  });

  it('give a data set a name that changes with its samples', () => {
    expect(datasetName('Pets & Co.tar.gz, more.csv', 'abcdef0123456789')).toBe('pets-co-abcdef01');
    expect(datasetName('数字.zip', '0123456789')).toBe('files-01234567');
  });
});
