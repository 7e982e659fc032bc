import { describe, expect, it } from 'vitest';
import { asLearned, inkBounds, inkToImage } from './ink-image.js';

/** A pad of ink with one filled rectangle. */
function pad(width, height, rectangles) {
  const ink = new Uint8Array(width * height);
  for (const [left, top, w, h, value = 255] of rectangles) {
    for (let y = top; y < top + h; y++) ink.fill(value, y * width + left, y * width + left + w);
  }
  return ink;
}

function centreOfMass(image, rows, columns) {
  let mass = 0;
  let x = 0;
  let y = 0;
  for (let i = 0; i < rows * columns; i++) {
    mass += image[i];
    x += image[i] * ((i % columns) + 0.5);
    y += image[i] * (Math.floor(i / columns) + 0.5);
  }
  return { x: x / mass, y: y / mass };
}

describe('the picture the network sees', () => {
  it('is nothing when the paper is blank', () => {
    expect(inkToImage(new Uint8Array(280 * 280), 280, 280)).toBeNull();
  });

  it('fills the 20x20 box with the longer side and keeps the aspect', () => {
    const image = inkToImage(pad(280, 280, [[30, 20, 50, 200]]), 280, 280);
    expect(inkBounds(image, 28, 28)).toEqual({ left: 12, top: 4, width: 5, height: 20 });
    expect(image[14 * 28 + 14]).toBe(255);
  });

  it('does not depend on where on the pad the ink is, nor on the size of the pad', () => {
    const here = inkToImage(
      pad(280, 280, [
        [0, 0, 40, 120],
        [40, 0, 40, 40],
      ]),
      280,
      280,
    );
    const there = inkToImage(
      pad(280, 280, [
        [180, 150, 40, 120],
        [220, 150, 40, 40],
      ]),
      280,
      280,
    );
    const larger = inkToImage(
      pad(560, 400, [
        [10, 20, 80, 240],
        [90, 20, 80, 80],
      ]),
      560,
      400,
    );
    expect(there).toEqual(here);
    expect(larger).toEqual(here);
  });

  it('puts the centre of mass within half a pixel of the centre', () => {
    const image = inkToImage(
      pad(280, 280, [
        [40, 40, 120, 30],
        [130, 70, 30, 170],
      ]),
      280,
      280,
    );
    const centre = centreOfMass(image, 28, 28);
    expect(Math.abs(centre.x - 14)).toBeLessThanOrEqual(0.55);
    expect(Math.abs(centre.y - 14)).toBeLessThanOrEqual(0.55);
  });

  it('averages the area below each pixel, so that the ink keeps its mass', () => {
    const ink = pad(280, 280, [[37, 51, 133, 167]]);
    const image = inkToImage(ink, 280, 280);
    const mass = image.reduce((sum, value) => sum + value, 0) / 255;
    const scale = 20 / 167;
    expect(mass).toBeCloseTo(Math.round(133 * scale) * 20, 0);
    const grey = inkToImage(
      pad(40, 40, [
        [0, 0, 40, 40, 255],
        [0, 0, 20, 40, 100],
      ]),
      40,
      40,
    );
    expect(new Set(grey.filter((value) => value > 0))).toEqual(new Set([100, 255]));
  });

  it('keeps lopsided ink whole instead of pushing it over the edge', () => {
    const image = inkToImage(
      pad(280, 280, [
        [0, 0, 60, 200],
        [60, 198, 140, 2],
      ]),
      280,
      280,
    );
    const { width, height } = inkBounds(image, 28, 28);
    expect([width, height]).toEqual([20, 20]);
  });

  it('serves pictures of other sizes and shapes', () => {
    const image = inkToImage(pad(280, 280, [[100, 40, 20, 200]]), 280, 280, 20, 16);
    expect(image).toHaveLength(320);
    expect(inkBounds(image, 16, 20).height).toBe(14);
  });

  it('has the values that the network learned from', () => {
    const ink = Uint8Array.of(0, 51, 255);
    expect(asLearned(ink, [0, 255])).toBe(ink);
    expect(asLearned(ink, null)).toBe(ink);
    expect([...asLearned(ink, [0, 1])]).toEqual([0, Math.fround(0.2), 1]);
    expect([...asLearned(ink, [-1, 1])]).toEqual([-1, Math.fround(-0.6), 1]);
  });
});
