// The licences of what dist/ contains: the npm packages whose modules ended up in a bundle, and the run time that
// Emscripten links in.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './steps.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string[]} modules  paths of the bundled modules
 * @param {string} emscripten  the folder that holds emcc
 * @returns {string}
 */
export function notices(modules, emscripten) {
  const names = modules.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  const sections = [...new Set(names)].sort().map(packageNotice);
  const parts = ['Third-party software in this folder\n', ...sections, ...runtimeNotices(emscripten)];
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** @param {string} name */
function packageNotice(name) {
  const folder = join(PROJECT, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (!file) throw new Failure(`The npm package ${name} has no licence text, so it cannot be shipped.`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

/** Emscripten's JavaScript glue and the C library it links. @param {string} emscripten */
function runtimeNotices(emscripten) {
  const mit = readFileSync(join(PROJECT, 'LICENSE'), 'utf8').replace(/^[\s\S]*?(?=Permission is)/, '');
  const musl = readFileSync(join(emscripten, 'system/lib/libc/musl/COPYRIGHT'), 'utf8');
  return [
    `Emscripten (MIT)\n\nCopyright (c) 2010-2024 Emscripten authors\n\n${mit}`,
    `musl, as part of Emscripten (MIT)\n\n${musl.trim()}\n`,
  ];
}
