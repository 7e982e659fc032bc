// Files made to do harm, and files that came to harm: each gets its sentence, in time, and nothing stays behind.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine, TabgradError } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ATTACKS, QUICK } from '../support/hostile.js';
import { stripes } from '../support/training.js';

/** For one of them: 2 s, and five times that where other tests have the machine as well. */
const MOST_MS = 10_000;

/** @type {import('tabgrad').Engine} */
let engine;
/** @type {import('tabgrad').Dataset} */
let bystander;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  bystander = await engine.dataset(stripes());
});
afterAll(async () => {
  expect((await bystander.sample(1)).label).toBe(1);
  await engine.close();
});

it.each(ATTACKS)('$name', { timeout: 20_000 }, async ({ files, sentence, read }) => {
  const given = files();
  const start = performance.now();
  const outcome = await engine.readFiles(given).catch((error) => error);
  expect(performance.now() - start).toBeLessThan(MOST_MS);
  if (read) {
    const { train, report } = outcome;
    expect(train.count).toBe(read);
    const told = [...report.skipped.map(({ reason }) => reason), ...report.sources.map(({ note }) => note)];
    expect(told.filter((text) => sentence.test(text))).toHaveLength(1);
    await train.close();
  } else {
    expect(outcome).toBeInstanceOf(TabgradError);
    expect(outcome.message).toMatch(sentence);
    expect(outcome.message).not.toMatch(/undefined|\[object/);
  }
});

it('leaves nothing behind after a thousand tries', { timeout: 300_000 }, async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  const attacks = QUICK.map(({ files }) => files());
  const round = () => Promise.all(attacks.map((files) => engine.readFiles(files).catch(() => {})));
  const rounds = Math.ceil(1000 / attacks.length);
  for (let i = 0; i < 5; i++) await round();
  collectGarbage();
  const before = { memory: await engine.memory(), heap: process.memoryUsage().heapUsed };
  for (let i = 0; i < rounds; i++) await round();
  collectGarbage();
  expect(await engine.memory()).toEqual(before.memory);
  expect(process.memoryUsage().heapUsed - before.heap).toBeLessThan(2 * 2 ** 20);
});
