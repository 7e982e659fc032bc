// A thousand times trained, stopped and dropped: memory is where it was, that of the engine to the byte.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine } from 'tabgrad';
import { expect, it } from 'vitest';
import { attributesOf } from '../../web/src/shared/attributes.js';
import { Server } from '../../web/src/worker/server.js';
import { stripes, stripesRecipe } from '../support/training.js';

const CYCLES = 1000;
/** What the test runner and the compiler may put on the heap meanwhile: 2 kB a cycle. */
const NOISE = 2 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Bytes of this thread's JavaScript that are still in use. */
function heapUsed() {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

it.each([1, 2])('in the engine and the library, with %i threads', { timeout: 120_000 }, async (threads) => {
  const engine = await createEngine({ threads });
  const data = await engine.dataset(stripes());

  async function cycle() {
    const run = await engine.run(stripesRecipe({ epochs: 10_000 }), { train: data, test: data });
    const reports = run.train();
    await run.step(2);
    await run.predict(new Uint8Array(16));
    await run.evaluate(data);
    await run.stop();
    expect((await reports.next()).value?.stepLosses.length).toBeGreaterThan(0);
    const other = await engine.dataset(stripes());
    const answers = [run.train().next(), run.evaluate(other), run.evaluate(other), run.step(1_000_000)];
    const dropped = Promise.allSettled(answers);
    await run.close();
    await dropped;
    await other.close();
  }

  for (let i = 0; i < 100; i++) await cycle();
  const before = { memory: await engine.memory(), heap: heapUsed() };
  for (let i = 0; i < CYCLES; i++) await cycle();
  expect(await engine.memory()).toEqual(before.memory);
  expect(heapUsed() - before.heap).toBeLessThan(NOISE);
  await engine.close();
});

it('in the worker', { timeout: 120_000 }, async () => {
  /** @type {Map<number, (reply: any) => void>} */
  const waiting = new Map();
  const server = new Server((message) => {
    if (message.type === 'reply') waiting.get(message.id)?.(message);
  });
  let lastId = 0;
  /** @param {string} type @param {Record<string, unknown>} fields @returns {Promise<any>} */
  async function ask(type, fields) {
    const id = ++lastId;
    const reply = new Promise((resolve) => waiting.set(id, resolve));
    server.receive(/** @type {any} */ ({ type, id, ...fields }));
    await reply;
    waiting.delete(id);
  }

  await ask('start', { glueUrl: new URL('../../dist/tabgrad-simd.js', import.meta.url).href, threads: 1 });
  const { images: pixels, labels, ...rest } = stripes();
  const recipe = attributesOf(stripesRecipe({ epochs: 10_000 }), 'recipe');

  async function cycle() {
    const [dataset, run] = [lastId, lastId + 1];
    await ask('createDataset', {
      dataset,
      name: 'stripes',
      pixels,
      labels: Int32Array.from(labels),
      ...rest,
    });
    await ask('createRun', { run, recipe, train: dataset, test: null });
    const trained = ask('train', { run, epochs: null });
    await ask('step', { run, steps: 2 });
    await ask('resume', { run });
    await ask('stop', { run });
    await trained;
    const dropped = ask('evaluate', { run, dataset, details: true });
    await ask('closeDataset', { dataset });
    await ask('closeRun', { run });
    await dropped;
  }

  for (let i = 0; i < 100; i++) await cycle();
  const before = heapUsed();
  for (let i = 0; i < CYCLES; i++) await cycle();
  expect(heapUsed() - before).toBeLessThan(NOISE);
});
