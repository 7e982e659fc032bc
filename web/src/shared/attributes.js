// A recipe is JSON; the engine takes names and values. This walks any plain value into a list of the engine's calls
// (tg_attrs_open_object, tg_attrs_number, ...), knowing nothing of what a recipe means: that is the op table's affair.
import { TabgradError } from './errors.js';

/**
 * One call: what to add, under which key (null inside a list), and its value.
 * @typedef {[kind: 'object' | 'list', key: string | null] | [kind: 'close']
 *   | [kind: 'number', key: string | null, value: number] | [kind: 'string', key: string | null, value: string]
 *   | [kind: 'bool', key: string | null, value: boolean] | [kind: 'null', key: string | null]} AttributeCall
 */

/** Deeper than any recipe; a value that contains itself ends here. */
const MAX_DEPTH = 64;

/**
 * @param {unknown} value  an object as JSON.parse makes it
 * @param {string} where  what to call it in messages
 * @returns {AttributeCall[]}
 */
export function attributesOf(value, where) {
  if (!isPlainObject(value)) {
    throw new TabgradError(
      'recipe',
      where,
      `is ${describe(value)}, not an object; parse the JSON text first`,
    );
  }
  /** @type {AttributeCall[]} */
  const calls = [];
  walkObject(calls, value, '', 0);
  return calls;
}

/** @param {AttributeCall[]} calls @param {Record<string, unknown>} object @param {string} path @param {number} depth */
function walkObject(calls, object, path, depth) {
  for (const [key, value] of Object.entries(object)) {
    const place = path ? `${path}.${key}` : key;
    checkText(key, place);
    walkValue(calls, key, value, place, depth);
  }
}

/**
 * @param {AttributeCall[]} calls
 * @param {string | null} key
 * @param {unknown} value
 * @param {string} path
 * @param {number} depth
 */
function walkValue(calls, key, value, path, depth) {
  if (depth > MAX_DEPTH)
    throw new TabgradError('recipe', path, `is nested more than ${MAX_DEPTH} levels deep`);
  if (value === null) {
    calls.push(['null', key]);
  } else if (typeof value === 'number' && Number.isFinite(value)) {
    calls.push(['number', key, value]);
  } else if (typeof value === 'string') {
    checkText(value, path);
    calls.push(['string', key, value]);
  } else if (typeof value === 'boolean') {
    calls.push(['bool', key, value]);
  } else if (Array.isArray(value)) {
    calls.push(['list', key]);
    // Not forEach: it would skip the holes of a sparse list.
    for (let i = 0; i < value.length; i++) walkValue(calls, null, value[i], `${path}[${i}]`, depth + 1);
    calls.push(['close']);
  } else if (isPlainObject(value)) {
    calls.push(['object', key]);
    walkObject(calls, value, path, depth + 1);
    calls.push(['close']);
  } else {
    throw new TabgradError(
      'recipe',
      path,
      `${describe(value)} has no place in a recipe; use what JSON can say`,
    );
  }
}

/** The engine's strings end at the first NUL. @param {string} text @param {string} path */
function checkText(text, path) {
  if (text.includes('\0'))
    throw new TabgradError('recipe', path.replaceAll('\0', '\\0'), 'contains a NUL character');
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // By name, so that an object from another realm (an iframe, a test runner's sandbox) is plain too.
  return prototype === null || (prototype.constructor?.name === 'Object' && !Array.isArray(value));
}

/** @param {unknown} value */
function describe(value) {
  if (typeof value === 'number' || value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return `a ${typeof value}`;
}
