// A row of numbers as people write it, or copy it from a table.

/**
 * @param {string} text  numbers with commas, spaces, tabs or semicolons between them; with the latter two also 3,5 for 3.5
 * @param {number} count  how many there have to be
 * @returns {Float32Array | string}  what is wrong; '' as long as nothing is there
 */
export function readRow(text, count) {
  const isSpaced = /[;\t]/.test(text);
  const parts = text
    .trim()
    .split(isSpaced ? /\s*[;\t]\s*/ : /\s*,\s*|\s+/)
    .map((part) => (isSpaced ? part.replace(',', '.') : part));
  if (parts.length === 1 && parts[0] === '') return '';
  const wrong = parts.find((part) => part === '' || !Number.isFinite(Math.fround(Number(part))));
  if (wrong !== undefined) return wrong === '' ? 'A number is missing.' : `${wrong} is not a number.`;
  if (parts.length !== count) return `These are ${parts.length} numbers of ${count}.`;
  return Float32Array.from(parts, Number);
}
