// The programs that a build or a test run needs, and the Debian packages that bring them.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure, run, step } from './steps.mjs';

/** @typedef {{ what: string, package: string, present: () => boolean, optional?: boolean }} Tool */

/** @type {Record<'build' | 'native' | 'test', Tool[]>} */
const TOOLS = {
  build: [program('cmake'), program('ninja', 'ninja-build'), program('python3')],
  native: [
    program('cmake'),
    program('ninja', 'ninja-build'),
    { what: 'a C compiler', package: 'gcc libc6-dev', present: () => findProgram('cc') !== null },
    header('cjson/cJSON.h', 'libcjson-dev'),
    header('zlib.h', 'zlib1g-dev'),
    header('archive.h', 'libarchive-dev'),
    header('png.h', 'libpng-dev'),
    header('jpeglib.h', 'libjpeg-dev'),
    optional(header('gif_lib.h', 'libgif-dev')),
    optional(header('webp/demux.h', 'libwebp-dev')),
    optional(header('stb/stb_image.h', 'libstb-dev')),
  ],
  test: [
    program('clang'), // the same bits from a second compiler
    header('cmocka.h', 'libcmocka-dev'),
    program('ctest', 'cmake'),
    { what: 'Chromium', package: 'chromium', present: () => findChromium() !== null },
    { what: 'Firefox', package: 'firefox-esr', present: () => findFirefox() !== null },
  ],
};

/**
 * Installs what is missing where that is possible without asking, and says what to install where it is not.
 * @param {(keyof typeof TOOLS)[]} purposes
 */
export async function prepareTools(purposes) {
  const absent = purposes.flatMap((purpose) => TOOLS[purpose]).filter((tool) => !tool.present());
  await installOptional(absent.filter((tool) => tool.optional));
  const missing = absent.filter((tool) => !tool.optional);
  if (missing.length === 0) return;
  if (!isDebian()) {
    const names = missing.map((tool) => tool.what).join(', ');
    throw new Failure(`Missing: ${names}. Install these with your package manager, then try again.`);
  }
  await installPackages([...new Set(missing.flatMap((tool) => tool.package.split(' ')))]);
}

/** What the program does without is installed where that is possible, and not asked for where it is not. @param {Tool[]} tools */
async function installOptional(tools) {
  if (tools.length === 0 || process.getuid?.() !== 0 || !isDebian()) return;
  await installPackages(tools.map((tool) => tool.package)).catch(({ message }) =>
    console.error(`  ${message}`),
  );
}

function isDebian() {
  const { ID, ID_LIKE } = osRelease();
  return `${ID} ${ID_LIKE}`.includes('debian');
}

/** Installs Debian packages where this process may, and says how where it may not. @param {string[]} packages */
export async function installPackages(packages) {
  const names = packages.join(' ');
  if (process.getuid?.() !== 0) {
    throw new Failure(`Needs root once: sudo apt-get install -y ${names}   Then try again.`);
  }
  console.error(`  installing with apt, as root: ${names}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step('reading the package lists', () => run('apt-get', ['update'], { env }));
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  await step('installing with apt', () => run('apt-get', install, { env }));
}

/** What /etc/os-release says, empty where there is none. @returns {Record<string, string>} */
export function osRelease() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return Object.fromEntries([...text.matchAll(/^(\w+)="?(.*?)"?$/gm)].map(([, key, value]) => [key, value]));
}

/** The path of a program, or null. @param {string} name */
export function findProgram(name) {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find(isExecutable) ?? null;
}

/** The path of Chromium or one of its kin, or null. */
export function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  return firstOf([...names.map(findProgram), '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']);
}

/** The path of Firefox, or null. */
export function findFirefox() {
  const names = ['firefox-esr', 'firefox'];
  return firstOf([...names.map(findProgram), '/Applications/Firefox.app/Contents/MacOS/firefox']);
}

/** @param {(string | null)[]} paths */
function firstOf(paths) {
  return paths.find((path) => path !== null && isExecutable(path)) ?? null;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} name @param {string} [packageName] @returns {Tool} */
function program(name, packageName = name) {
  return { what: name, package: packageName, present: () => findProgram(name) !== null };
}

/** @param {string} name @param {string} packageName @returns {Tool} */
function header(name, packageName) {
  const folders = ['/usr/include', '/usr/local/include', '/opt/homebrew/include'];
  return {
    what: name,
    package: packageName,
    present: () => folders.some((folder) => existsSync(join(folder, name))),
  };
}

/** @param {Tool} tool @returns {Tool} */
function optional(tool) {
  return { ...tool, optional: true };
}
