// A recipe as text: what fits in a line stands in one, so that each layer is a line to read and to move.
const WIDTH = 80;

/**
 * JSON with objects and lists on one line where they are short.
 * @param {unknown} value
 * @param {string} [indent]
 * @returns {string}
 */
export function formatJson(value, indent = '') {
  const line = oneLine(value);
  const isNested = typeof value === 'object' && value !== null;
  if (!isNested || (indent && indent.length + line.length <= WIDTH)) return line;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((item) => formatJson(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${formatJson(item, inner)}`);
  if (parts.length === 0) return line;
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
}

/** @param {unknown} value @returns {string} */
function oneLine(value) {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

/**
 * @param {string} text
 * @returns {Record<string, any>}
 */
export function parseRecipe(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`recipe: this is no JSON yet: ${/** @type {Error} */ (error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('recipe: an object in braces { } is needed here');
  }
  return value;
}
