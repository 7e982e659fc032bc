// Which of the four WebAssembly variants to load, and with how many threads.
import { relaxedSimd, simd, threads } from 'wasm-feature-detect';
import { countCores } from './environment.js';
import { TabgradError } from './errors.js';

/** @typedef {'exact' | 'fast' | 'double'} Precision */
/** @typedef {'simd' | 'threads' | 'fast' | 'double'} Variant  file name: tabgrad-<variant>.wasm */
/** @typedef {{ simd: boolean, threads: boolean, relaxedSimd: boolean, cores: number }} Support */

/** As many as `auto` takes at most: the models of a tab have too little work for more. */
const MAX_AUTO_THREADS = 8;
const MAX_THREADS = 64;

/** @returns {Promise<Support>} */
export async function probeSupport() {
  const [hasSimd, hasThreads, hasRelaxedSimd] = await Promise.all([simd(), threads(), relaxedSimd()]);
  return { simd: hasSimd, threads: hasThreads, relaxedSimd: hasRelaxedSimd, cores: countCores() };
}

/**
 * @param {{ threads?: 'auto' | number, precision?: Precision }} wish
 * @param {Support} support
 * @returns {{ variant: Variant, threads: number }}
 */
export function pickVariant({ threads: wanted = 'auto', precision = 'exact' }, support) {
  if (wanted !== 'auto' && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= MAX_THREADS)) {
    throw new TabgradError(
      'argument',
      'threads',
      `${wanted} is neither 'auto' nor a number from 1 to ${MAX_THREADS}`,
    );
  }
  if (precision !== 'exact' && precision !== 'fast' && precision !== 'double') {
    throw new TabgradError('argument', 'precision', `${precision} is none of 'exact', 'fast' and 'double'`);
  }
  if (precision === 'double') {
    if (wanted === 'auto' || wanted === 1) return { variant: 'double', threads: 1 };
    throw new TabgradError('argument', 'threads', `'double' computes with one, not ${wanted}; use 'auto'`);
  }
  if (!support.simd) {
    throw new TabgradError(
      'unsupported',
      '',
      'this browser runs no WebAssembly SIMD; use one from 2023 or newer',
    );
  }
  const count = wanted !== 'auto' ? wanted : support.threads ? Math.min(support.cores, MAX_AUTO_THREADS) : 1;
  const isFast = precision === 'fast';
  if (isFast && !support.relaxedSimd) {
    throw new TabgradError(
      'unsupported',
      'precision',
      "'fast' needs relaxed SIMD, which is missing here; use 'exact'",
    );
  }
  if ((isFast || count > 1) && !support.threads) {
    const [where, what, instead] = isFast
      ? ['precision', "'fast'", "'exact'"]
      : ['threads', 'more than one', "'auto'"];
    const headers = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';
    throw new TabgradError(
      'unsupported',
      where,
      `${what} needs shared memory, so a page served with the headers ${headers}; or use ${instead}`,
    );
  }
  if (isFast) return { variant: 'fast', threads: count };
  return { variant: count > 1 ? 'threads' : 'simd', threads: count };
}
