// What the WebAssembly variants are made of.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** How often an instruction's encoding stands in a file: three bytes in a row, which chance alone puts into a file of
 * 250 kB once in sixty files. @param {string} variant @param {number[]} opcode */
function countOpcode(variant, [first, second, third]) {
  const bytes = readFileSync(new URL(`../../dist/tabgrad-${variant}.wasm`, import.meta.url));
  let count = 0;
  for (let i = 2; i < bytes.length; i++)
    count += Number(bytes[i - 2] === first && bytes[i - 1] === second && bytes[i] === third);
  return count;
}

const F32X4_ADD = [0xfd, 0xe4, 0x01];
const F32X4_MUL = [0xfd, 0xe6, 0x01];
const F32X4_RELAXED_MADD = [0xfd, 0x85, 0x02];

it.each(['simd', 'threads', 'fast'])('%s computes with vectors', (variant) => {
  expect(countOpcode(variant, F32X4_ADD)).toBeGreaterThan(50);
  expect(countOpcode(variant, F32X4_MUL)).toBeGreaterThan(50);
});

it('only fast multiplies and adds in one rounding', () => {
  expect(countOpcode('fast', F32X4_RELAXED_MADD)).toBeGreaterThan(20);
  for (const variant of ['simd', 'threads', 'double'])
    expect(countOpcode(variant, F32X4_RELAXED_MADD), variant).toBeLessThan(3);
});
