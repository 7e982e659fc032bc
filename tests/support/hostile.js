// The hostile files, plain ones and archives, as they are given and what must be said of them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hostileContainers } from '../hostile_containers.mjs';
import { hostileFiles } from '../hostile_files.mjs';

/** @typedef {{ name: string, bytes: Uint8Array }} NamedBytes */
/**
 * @typedef {object} Attack
 * @property {string} name
 * @property {() => NamedBytes[]} files  it, and what belongs beside it
 * @property {RegExp} sentence  all that Node says
 * @property {RegExp} browser  all that a browser says
 * @property {number} [read]  so many samples are read all the same, and the report has the sentence
 */

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

/** @param {import('../hostile_files.mjs').Attack & { bytes: Uint8Array }} attack @returns {Attack} */
function plainAttack({ file, bytes, where = file, sentence, beside, read }) {
  const whole = (read ? sentence : `${where}: ${sentence}`).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const expected = new RegExp(`^${whole}$`);
  const partner = beside && { name: beside.replace(/.*\//, ''), path: FIXTURES + beside };
  const files = () => [
    { name: file, bytes: new Uint8Array(bytes) },
    ...(partner ? [{ name: partner.name, bytes: new Uint8Array(readFileSync(partner.path)) }] : []),
  ];
  return { name: file, files, sentence: expected, browser: expected, read };
}

/** @param {import('../hostile_containers.mjs').PackedAttack} attack @returns {Attack} */
function packedAttack({ file, bytes, library, browser = library }) {
  return { name: file, files: () => [{ name: file, bytes: bytes() }], sentence: library, browser };
}

/** @type {Attack[]} */
export const ATTACKS = [
  ...hostileFiles.filter(({ container }) => !container).map(plainAttack),
  ...hostileContainers.map(packedAttack),
];

/** Those that a thousand tries may be made of: not the ones that unpack to much, or wait for a worker of their own. */
export const QUICK = ATTACKS.filter(({ name, read }) => !read && !/bomb|parquet/.test(name));
