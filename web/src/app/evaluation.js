// How a network did on pictures it never learned from, and where it was most wrong.

/** @typedef {import('./state.js').Mistake} Mistake */

/**
 * The wrong answers of which the network was surest. Pictures are fetched a few at a time, greatest loss first: of
 * those, some may have been read right by a narrow margin.
 * @param {{ predicted: Int32Array, losses: Float32Array }} details
 * @param {{ shape: number[],
 *   samples(indices: number[]): Promise<{ pixels: Uint8Array | Float32Array, labels: Int32Array }> }} data
 * @param {number} limit
 * @returns {Promise<Mistake[]>} the worst first
 */
export async function worstMistakes({ predicted, losses }, data, limit) {
  const order = Array.from(losses.keys()).sort((a, b) => losses[b] - losses[a] || a - b);
  const size = data.shape.reduce((product, side) => product * side, 1);
  /** @type {Mistake[]} */
  const mistakes = [];
  for (let start = 0; start < order.length && mistakes.length < limit; start += 2 * limit) {
    const indices = order.slice(start, start + 2 * limit);
    const { pixels, labels } = await data.samples(indices);
    for (const [place, index] of indices.entries()) {
      if (labels[place] === predicted[index] || mistakes.length === limit) continue;
      mistakes.push({
        index,
        truth: labels[place],
        read: predicted[index],
        loss: losses[index],
        pixels: pixels.slice(place * size, (place + 1) * size),
        shape: data.shape,
      });
    }
    if (losses[indices[indices.length - 1]] < Math.LN2 / 2) break; // nobody is wrong with so small a loss
  }
  return mistakes;
}
