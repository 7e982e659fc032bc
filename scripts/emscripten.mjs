// Finds Emscripten, or puts one together for this user alone.
//
//   node scripts/emscripten.mjs          prepares it and prints its folder
//   node scripts/emscripten.mjs --env    prints shell lines for: eval "$(node scripts/emscripten.mjs --env)"
//
// An `emcc` on PATH that is new enough is used as it is. Debian 12's own is too old (no final relaxed SIMD, fails
// on Node 20), so there the packages of Debian 13 are unpacked into a cache folder: Emscripten itself is the same
// on every architecture; Clang and LLVM 19 come from Debian 12, and Binaryen runs on Debian 13's libc, which its
// own loader starts. apt fetches and verifies all of it with its own lists and status, so that neither root nor
// any change to the machine is needed.

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, Failure, run, runMain, step } from './steps.mjs';
import { installPackages, osRelease } from './tools.mjs';

const VERSION = '3.1.69';

const EMSCRIPTEN_PACKAGES = ['emscripten/trixie', 'node-acorn/trixie'];
const LLVM_PACKAGES = (
  'clang-19 libclang-cpp19 libclang-common-19-dev lld-19 llvm-19 libllvm19 ' +
  'libz3-4 libedit2 libbsd0 libmd0 libxml2 libicu72'
)
  .split(' ')
  .map((name) => `${name}/bookworm`);
const BINARYEN_PACKAGES = ['binaryen/trixie', 'libc6/trixie', 'libstdc++6/trixie', 'libgcc-s1/trixie'];

/** Parts of the packages that no build of ours touches: 1.3 GB of 2. */
const UNUSED = [
  './usr/share/doc*',
  './usr/share/emscripten/docs*',
  './usr/share/emscripten/test*',
  '*/wasm32-emscripten/lto*',
  '*/wasm32-emscripten/pic*',
  '*/wasm32-emscripten/*-asan*',
];

/** @typedef {{ triplet: string, loader: string }} Architecture */

/** @type {Record<string, Architecture | undefined>} */
const ARCHITECTURES = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/** @typedef {{ root: string }} Emscripten  the folder that holds emcc and cmake/ */

/**
 * The folder of a ready Emscripten; prepares one when there is none.
 * @returns {Promise<Emscripten>}
 */
export async function prepareEmscripten() {
  if (await isOnPath()) return { root: await rootOnPath() };
  const { ID, VERSION_ID } = osRelease();
  if (ID === 'debian' && Number(VERSION_ID) > 12) {
    await installPackages(['emscripten']);
    return { root: await rootOnPath() };
  }
  const architecture = ARCHITECTURES[process.arch];
  if (ID !== 'debian' || VERSION_ID !== '12' || !architecture) {
    throw new Failure(
      `Emscripten ${VERSION} or newer is missing: install its SDK (emsdk) so that emcc is on PATH, then try again.`,
    );
  }
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const home = join(cache, 'tabgrad', `emscripten-${VERSION}`);
  if (!existsSync(home)) await install(home, architecture);
  return { root: join(home, 'all/usr/share/emscripten') };
}

/** Environment for programs that call emcc or CMake with our presets.
 * @param {Emscripten} emscripten
 * @returns {NodeJS.ProcessEnv} */
export function emscriptenEnvironment({ root }) {
  return { ...process.env, EMSCRIPTEN_ROOT: root, PATH: `${root}${delimiter}${process.env.PATH}` };
}

/** Whether the emcc on PATH, if there is one, is new enough. */
async function isOnPath() {
  const { status, output } = await attempt('emcc', ['--version']);
  const version = /^emcc .*?(\d+)\.(\d+)\.(\d+)/m.exec(output)?.slice(1).map(Number);
  return status === 0 && version !== undefined && isAtLeast(version, VERSION.split('.').map(Number));
}

async function rootOnPath() {
  return (await run('em-config', ['EMSCRIPTEN_ROOT'])).trim();
}

/** @param {number[]} version @param {number[]} minimum */
function isAtLeast(version, minimum) {
  const i = version.findIndex((part, index) => part !== minimum[index]);
  return i < 0 || version[i] > minimum[i];
}

/** @param {string} home @param {Architecture} architecture */
async function install(home, architecture) {
  if ((await attempt('python3', ['--version'])).status !== 0) {
    throw new Failure('Emscripten needs Python 3: install the package python3, then try again.');
  }
  await mkdir(join(home, '..'), { recursive: true });
  const work = await mkdtemp(`${home}.`); // beside its place, so that a rename finishes it
  try {
    await step(`fetching Emscripten ${VERSION} (about 330 MB, once)`, () => download(work));
    await step('unpacking Emscripten', () => unpack(work));
    await configure(join(work, 'home'), home, architecture);
    await rename(join(work, 'home'), home).catch((error) => {
      if (!existsSync(home)) throw error; // else another process was faster, and its copy is as good
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Fetches all packages with an apt configuration of their own below `work`. @param {string} work */
async function download(work) {
  const etc = join(work, 'etc');
  for (const folder of ['etc', 'lists/partial', 'archives/partial', 'all', 'binaryen']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  await writeSources(etc);
  await writeFile(join(work, 'status'), '');
  const configuration = join(work, 'apt.conf');
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': etc,
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': work,
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': work,
    'Dir::Cache::archives': join(work, 'archives'),
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '', // the user `_apt` cannot enter a home folder
  };
  await writeFile(
    configuration,
    Object.entries(settings)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  const env = { ...process.env, APT_CONFIG: configuration, LC_ALL: 'C' };

  // A foreign source without our releases makes `update` fail; whether anything is missing, `download` tells.
  const update = await attempt('apt-get', ['update'], { env });
  for (const [folder, packages] of /** @type {const} */ ([
    ['all', [...EMSCRIPTEN_PACKAGES, ...LLVM_PACKAGES]],
    ['binaryen', BINARYEN_PACKAGES],
  ])) {
    const { status, output } = await attempt('apt-get', ['download', ...packages], {
      env,
      cwd: join(work, folder),
    });
    if (status !== 0)
      throw new Failure(`${update.output}${output}Emscripten could not be fetched: see above.`);
  }
}

/** Writes the machine's apt sources twice, as they are and for Debian 13. @param {string} folder */
async function writeSources(folder) {
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? (await readdir(parts)).map((name) => join(parts, name)) : [];
  for (const file of ['/etc/apt/sources.list', ...files].filter((name) => /\.(list|sources)$/.test(name))) {
    if (!existsSync(file)) continue;
    const text = await readFile(file, 'utf8');
    if (!/\bbookworm\b/.test(text)) continue;
    const [, stem, extension] = /** @type {RegExpExecArray} */ (/([^/]+)\.(\w+)$/.exec(file));
    await writeFile(join(folder, `${stem}-bookworm.${extension}`), text);
    await writeFile(join(folder, `${stem}-trixie.${extension}`), text.replace(/\bbookworm\b/g, 'trixie'));
  }
}

/** @param {string} work */
async function unpack(work) {
  const exclude = UNUSED.map((pattern) => `--exclude='${pattern}'`).join(' ');
  for (const folder of ['all', 'binaryen']) {
    const target = join(work, 'home', folder);
    await mkdir(target, { recursive: true });
    for (const name of (await readdir(join(work, folder))).filter((entry) => entry.endsWith('.deb'))) {
      const archive = join(work, folder, name);
      await run('sh', ['-c', `dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" ${exclude}`, archive, target]);
    }
  }
}

/**
 * Makes the unpacked programs find each other. `here` is where the files are now, `home` where they will be.
 * @param {string} here
 * @param {string} home
 * @param {Architecture} architecture
 */
async function configure(here, home, { triplet, loader }) {
  await mkdir(join(here, 'bin'));
  const llvm = 'all/usr/lib/llvm-19/bin';
  for (const name of await readdir(join(here, llvm))) {
    await writeProgram(
      join(here, 'bin', name),
      `LD_LIBRARY_PATH='${home}/all/usr/lib/${triplet}' exec '${home}/${llvm}/${name}' "$@"`,
    );
  }
  const libraries = `${home}/binaryen/usr/lib/${triplet}`;
  for (const name of await readdir(join(here, 'binaryen/usr/bin'))) {
    const program = `${home}/binaryen/usr/bin/${name}`;
    await writeProgram(
      join(here, 'bin', name),
      `exec '${libraries}/${loader}' --library-path '${libraries}' --argv0 '${program}' '${program}' "$@"`,
    );
  }
  const emscripten = join(here, 'all/usr/share/emscripten');
  const configuration = {
    LLVM_ROOT: `'${home}/bin'`,
    BINARYEN_ROOT: `'${home}'`,
    NODE_JS: "'node'",
    FROZEN_CACHE: 'True', // the package brings every system library ready
  };
  await writeFile(
    join(emscripten, '.emscripten'),
    Object.entries(configuration)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  // Debian's Node finds packages in /usr/share/nodejs by itself, other Nodes only in a node_modules.
  await symlink('../nodejs', join(emscripten, 'node_modules'));
}

/** @param {string} path @param {string} command */
async function writeProgram(path, command) {
  await writeFile(path, `#!/bin/sh\n${command}\n`);
  await chmod(path, 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    const emscripten = await prepareEmscripten();
    if (process.argv.includes('--env')) {
      console.log(`export EMSCRIPTEN_ROOT='${emscripten.root}' PATH='${emscripten.root}':"$PATH"`);
    } else console.log(emscripten.root);
  });
}
