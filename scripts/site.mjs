// What lies in dist/: the page (Vite), the library and its worker (Rolldown alone), WebAssembly and its glue as
// Emscripten made them, types, recipes, notices.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { minify } from 'rolldown/utils';
import { build as viteBuild } from 'vite';
import { binaryDirectory, WASM_PRESETS } from './cmake.mjs';
import { notices } from './notices.mjs';
import { Failure, run, step } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(PROJECT, 'dist');
const STAMP = join(PROJECT, 'build/site.stamp');
const LIBRARY = {
  tabgrad: 'web/src/shared/library.js',
  'tabgrad.worker': 'web/src/worker/worker.js',
  'tabgrad.parquet': 'web/src/worker/import/parquet-worker.js',
};

/**
 * Builds what dist/ holds except data, unless no input has changed since the last time.
 * @param {string} emscripten  the folder that holds emcc
 */
export async function buildSite(emscripten) {
  process.env.NODE_ENV = 'production'; // a test that builds would get Lit's development version
  const inputs = [
    ...['web', 'recipes', 'scripts'].map((folder) => join(PROJECT, folder)),
    ...['package-lock.json', 'vite.config.js', 'tsconfig.library.json'].map((file) => join(PROJECT, file)),
    ...(await wasmFiles()),
  ];
  const state = await fingerprint(inputs);
  const isComplete = existsSync(STAMP) && existsSync(join(DIST, 'index.html'));
  if (isComplete && (await readFile(STAMP, 'utf8')) === state) return;

  await rm(STAMP, { force: true });
  await clearSite();
  const modules = [
    ...(await step('building the library', buildLibrary)),
    ...(await step('building the page', buildPage)),
  ];
  await copyRecipes();
  await writeFile(join(DIST, 'THIRD-PARTY-NOTICES.txt'), notices(modules, emscripten));
  await writeFile(STAMP, state);
}

/** Everything but the data, which takes long to compress and never changes. */
async function clearSite() {
  await mkdir(DIST, { recursive: true });
  for (const name of await readdir(DIST)) {
    if (name !== 'data') await rm(join(DIST, name), { recursive: true });
  }
}

/** @returns {Promise<string[]>} the modules in it */
async function buildLibrary() {
  const resolve = { conditionNames: ['browser', 'import', 'default'] }; // what runs in browsers runs in Node, not so the reverse
  const bundle = await rolldown({ input: LIBRARY, cwd: PROJECT, platform: 'neutral', resolve });
  const { output } = await bundle.write({
    dir: DIST,
    format: 'es',
    minify: true,
    chunkFileNames: 'tabgrad.[name].js',
  });
  await bundle.close();
  for (const file of await wasmFiles()) await publishWasm(file);
  const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.library.json'], { cwd: PROJECT });
  await writeFile(join(DIST, 'tabgrad.d.ts'), "export * from './types/shared/library.js';\n");
  return modulesOf(output);
}

/** Glue is minified alone: bundled with anything else, it would lose its threads. @param {string} file */
async function publishWasm(file) {
  const to = join(DIST, basename(file));
  if (!file.endsWith('.js')) return copyFile(file, to);
  const { code, errors } = await minify(file, await readFile(file, 'utf8'), { module: true });
  if (errors.length > 0) throw new Failure(`${file}: ${errors[0].message}`);
  await writeFile(to, code);
}

/** @returns {Promise<string[]>} the modules in it */
async function buildPage() {
  const result = await viteBuild({ configFile: join(PROJECT, 'vite.config.js'), logLevel: 'warn' });
  return modulesOf(/** @type {import('rolldown').RolldownOutput} */ (result).output);
}

/** @param {import('rolldown').RolldownOutput['output']} output */
function modulesOf(output) {
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

async function copyRecipes() {
  const names = (await readdir(join(PROJECT, 'recipes'))).filter((name) => name.endsWith('.json')).sort();
  await mkdir(join(DIST, 'recipes'), { recursive: true });
  for (const name of names) await copyFile(join(PROJECT, 'recipes', name), join(DIST, 'recipes', name));
  const index = names.map((name) => name.slice(0, -'.json'.length));
  await writeFile(join(DIST, 'recipes/index.json'), `${JSON.stringify(index)}\n`);
}

/** The .js and .wasm of every variant. */
async function wasmFiles() {
  const files = [];
  for (const preset of WASM_PRESETS) {
    const folder = join(binaryDirectory(preset), 'wasm');
    for (const name of await readdir(folder)) {
      if (/^tabgrad-\w+\.(js|wasm)$/.test(name)) files.push(join(folder, name));
    }
  }
  return files;
}

/** A digest over path, size and time of every file below the given paths. @param {string[]} paths */
async function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    const info = await stat(path);
    const entries = info.isDirectory() ? (await readdir(path, { recursive: true })).sort() : [''];
    for (const entry of entries) {
      const { size, mtimeMs } = await stat(join(path, entry));
      hash.update(`${path}/${entry} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}
