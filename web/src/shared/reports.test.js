import { expect, it } from 'vitest';
import { mergeReports, ReportStream } from './reports.js';

/** @param {number} firstStep @param {number[]} losses @param {boolean} [epochFinished] */
const report = (firstStep, losses, epochFinished = false) =>
  /** @type {import('./protocol.js').Report} */ (
    /** @type {unknown} */ ({
      firstStep,
      step: firstStep + losses.length,
      stepLosses: Float32Array.from(losses),
      epochFinished,
    })
  );

it('merging joins the losses and keeps the rest of the later one', () => {
  expect(mergeReports(report(3, [1, 2], true), report(5, [3]))).toEqual(report(3, [1, 2, 3], true));
});

it('hands reports to a waiting reader, then the end', async () => {
  const stream = new ReportStream(async () => {});
  const read = [stream.next(), stream.next(), stream.next()];
  stream.push(report(0, [1]));
  stream.push(report(1, [2]));
  stream.end();
  expect(await Promise.all(read)).toEqual([
    { done: false, value: report(0, [1]) },
    { done: false, value: report(1, [2]) },
    { done: true, value: undefined },
  ]);
});

it('merges what a slow reader has not fetched, but never across the end of an epoch', async () => {
  const stream = new ReportStream(async () => {});
  for (const next of [report(0, [1]), report(1, [2], true), report(2, [3]), report(3, [4])])
    stream.push(next);
  stream.end();
  const read = [];
  for await (const next of stream) read.push(next);
  expect(read).toEqual([report(0, [1, 2], true), report(2, [3, 4])]);
});

it('throws after the last report, once', async () => {
  const stream = new ReportStream(async () => {});
  stream.push(report(0, [1]));
  stream.end(new Error('diverged'));
  stream.end();
  expect((await stream.next()).value).toEqual(report(0, [1]));
  await expect(stream.next()).rejects.toThrow('diverged');
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

it('tells when its reader leaves early, and hears no more', async () => {
  let left = 0;
  const stream = new ReportStream(async () => {
    left++;
  });
  stream.push(report(0, [1]));
  for await (const next of stream) {
    expect(next.step).toBe(1);
    break;
  }
  stream.push(report(1, [2]));
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  expect(left).toBe(1);
});
