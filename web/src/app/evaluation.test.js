import { describe, expect, it } from 'vitest';
import { worstMistakes } from './evaluation.js';

/** Pictures of one pixel, which is their index. */
function dataset(labels) {
  return {
    shape: [1, 1, 1],
    asked: 0,
    async samples(indices) {
      this.asked += indices.length;
      return { pixels: Uint8Array.from(indices), labels: Int32Array.from(indices, (i) => labels[i]) };
    },
  };
}

describe('the worst mistakes', () => {
  const labels = [0, 1, 2, 3, 4, 5];
  const predicted = Int32Array.of(0, 7, 2, 8, 9, 5);
  const losses = Float32Array.of(0.9, 3, 0.1, 7, 3, 0.01);

  it('come worst first, without what was read right by a narrow margin', async () => {
    const mistakes = await worstMistakes({ predicted, losses }, dataset(labels), 24);
    expect(mistakes.map(({ index, truth, read }) => [index, truth, read])).toEqual([
      [3, 3, 8],
      [1, 1, 7],
      [4, 4, 9],
    ]);
    expect(mistakes[0].pixels).toEqual(Uint8Array.of(3));
  });

  it('are no more than asked for, and fetch little', async () => {
    const data = dataset(labels);
    expect(await worstMistakes({ predicted, losses }, data, 1)).toHaveLength(1);
    expect(data.asked).toBe(2);
  });

  it('are none when nothing was read wrong', async () => {
    expect(await worstMistakes({ predicted: Int32Array.from(labels), losses }, dataset(labels), 24)).toEqual(
      [],
    );
  });
});
