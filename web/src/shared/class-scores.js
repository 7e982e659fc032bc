// What a confusion matrix says of each class: rows are true classes, columns are predicted ones.

/**
 * @typedef {object} ClassScore
 * @property {number | null} precision  of what was taken for this class, the part that is; null: nothing was
 * @property {number | null} recall  of what is of this class, the part that was found; null: there is nothing of it
 * @property {number} count  samples of this class
 */

/** @typedef {{ actual: number, predicted: number, count: number }} Confused  classes by their numbers */

/** @param {number[][]} confusion @returns {ClassScore[]} */
export function scoreClasses(confusion) {
  return confusion.map((row, label) => {
    const count = sum(row);
    const taken = sum(confusion.map((other) => other[label]));
    return { precision: share(row[label], taken), recall: share(row[label], count), count };
  });
}

/** Every pair of classes of which one was taken for the other, the most frequent first.
 * @param {number[][]} confusion @returns {Confused[]} */
export function rankConfused(confusion) {
  return confusion
    .flatMap((row, actual) => row.map((count, predicted) => ({ actual, predicted, count })))
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count);
}

/** @param {number[]} counts */
function sum(counts) {
  return counts.reduce((total, count) => total + count, 0);
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return whole > 0 ? part / whole : null;
}
