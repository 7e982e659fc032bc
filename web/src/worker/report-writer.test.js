import { expect, it } from 'vitest';
import { ReportWriter } from './report-writer.js';

/** @param {number} step @param {Partial<import('../shared/protocol.js').Progress>} [more] */
const at = (step, more) => ({
  epoch: 0,
  step,
  epochStep: step,
  stepsPerEpoch: 10,
  samples: step * 32,
  loss: 1,
  accuracy: 0.5,
  learningRate: 0.1,
  epochFinished: false,
  heldOut: null,
  finished: false,
  ...more,
});

it('puts every loss into exactly one report, and ends one with the epoch', () => {
  const writer = new ReportWriter(at(0));
  writer.add(at(2), Float32Array.of(1, 2, 99), 2, 20);
  writer.add(at(2), new Float32Array(), 0, 20); // in the middle of a long step
  writer.add(at(10, { epochFinished: true }), Float32Array.of(3, 4, 5, 6, 7, 8, 9, 10), 8, 80);
  writer.add(at(11), Float32Array.of(11), 1, 10);
  const reports = writer.take(2);
  expect(
    reports.map(({ firstStep, stepLosses, epochFinished }) => [firstStep, [...stepLosses], epochFinished]),
  ).toEqual([
    [0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], true],
    [10, [11], false],
  ]);
  expect(writer.take(2)).toEqual([]);
});

it('knows how fast it goes of late, and how long it will take', () => {
  const writer = new ReportWriter(at(0));
  for (let step = 1; step <= 20; step++) writer.add(at(step), Float32Array.of(1), 1, 100);
  expect(writer.take(5)[0]).toMatchObject({ samplesPerSecond: 320, secondsLeft: 3 });
  for (let step = 21; step <= 60; step++) writer.add(at(step), Float32Array.of(1), 1, 50);
  expect(writer.take(5)[0]).toMatchObject({ samplesPerSecond: 640, secondsLeft: 0 });
});

it('says nothing before the first step', () => {
  const writer = new ReportWriter(at(5));
  writer.add(at(5), new Float32Array(), 0, 20);
  expect(writer.take(1)).toEqual([]);
});
