// What a list of windows says.

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} low  the lower quartile
 * @property {number} high  the upper one
 * @property {number} windows  how many values there are
 */

/** @param {number[]} values @returns {Spread} */
export function spreadOf(values) {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    windows: values.length,
  };
}

/** Between the two values next to it in a straight line. @param {number[]} values @param {number} share 0 to 1 */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
