// The worker's side of the protocol, in this thread and with the real engine.
import { expect, it, vi } from 'vitest';
import { mnistFiles, stripes, stripesRecipe } from '../../../tests/support/training.js';
import { attributesOf } from '../shared/attributes.js';
import { Core } from './core.js';
import { Server } from './server.js';

const glueUrl = new URL('../../../dist/tabgrad-simd.js', import.meta.url).href;

/** A server, what it has said, and a way to ask it that waits for the reply. */
function converse() {
  /** @type {any[]} */
  const messages = [];
  const server = new Server((message) => messages.push(message));
  const sent = new Int32Array(new SharedArrayBuffer(4));
  let id = 0;
  /** @param {string} type @param {Record<string, unknown>} [fields] */
  async function ask(type, fields = {}) {
    const request = { type, id: ++id, ...fields, ...(type === 'start' && { sent }) };
    sent[0]++;
    server.receive(/** @type {any} */ (request));
    for (;;) {
      const reply = messages.find((message) => message.type === 'reply' && message.id === request.id);
      if (reply || messages.some(({ type: kind }) => kind === 'fatal')) return reply;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  return { messages, ask, sent };
}

/** @param {Record<string, unknown>} [changes] of the recipe */
async function withRun(changes) {
  const { messages, ask, sent } = converse();
  await ask('start', { glueUrl, threads: 1 });
  const { images, labels, ...rest } = stripes();
  await ask('createDataset', {
    dataset: 1,
    name: 'stripes',
    pixels: images,
    labels: Int32Array.from(labels),
    ...rest,
  });
  const recipe = attributesOf({ ...stripesRecipe(), ...changes }, 'recipe');
  await ask('createRun', { run: 2, recipe, train: 1, test: null });
  return { messages, ask, sent };
}

it('replies to every request with its id', async () => {
  const { messages, ask } = converse();
  expect(await ask('memory')).toEqual({
    type: 'reply',
    id: 1,
    ok: false,
    error: { code: 'state', where: 'engine', what: 'it has not been started' },
  });
  expect(await ask('start', { glueUrl, threads: 1 })).toMatchObject({
    id: 2,
    ok: true,
    value: { threads: 1 },
  });
  expect(await ask('hash', { run: 7 })).toMatchObject({ id: 3, ok: false, error: { code: 'closed' } });
  expect(messages).toHaveLength(3);
});

it('says which file of the engine is missing', async () => {
  const { ask } = converse();
  const nowhere = new URL('nowhere.js', import.meta.url).href;
  const { error } = await ask('start', { glueUrl: nowhere, threads: 1 });
  expect(error).toMatchObject({ code: 'unavailable', where: nowhere });
});

it('sends states and reports while it trains, then what it takes to go on from there', async () => {
  const { messages, ask } = await withRun();
  messages.length = 0;
  const reply = await ask('train', { run: 2, epochs: null });
  await ask('hash', { run: 2 });
  const kinds = messages.map(({ type, state }) => state ?? type);
  expect(kinds).toEqual(['training', 'event', 'done', 'saved', 'reply', 'reply']);
  const [, { id, event }] = messages;
  expect(id).toBe(reply.id);
  expect(event.at(-1)).toMatchObject({ epoch: 3, step: 27, finished: true });

  const { bytes, step } = messages[3];
  expect(step).toBe(27);
  await ask('loadRun', { run: 3, name: 'saved', bytes, train: 1, test: null });
  expect((await ask('hash', { run: 3 })).value).toBe((await ask('hash', { run: 2 })).value);
});

/** A run of one epoch of 60 steps on MNIST without its digest, which the first saving of a run has to take then. */
async function withMnist() {
  const { messages, ask, sent } = converse();
  await ask('start', { glueUrl, threads: 1 });
  const how = { reading: 1, options: [], parquet: {}, wantsPreview: false, wantsDigest: false };
  const read = await ask('readFiles', { files: await mnistFiles(), train: 2, test: 3, ...how });
  expect(read.value.train).toMatchObject({ count: 60_000, sha256: '' });
  const model = { input: [28, 28, 1], layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] };
  const recipe = attributesOf(stripesRecipe({ model, batch_size: 1000, epochs: 1 }), 'recipe');
  await ask('createRun', { run: 4, recipe, train: 2, test: null });
  messages.length = 0;
  sent[0]++; // as if one were always on its way: others get the thread between two slices
  return { messages, ask };
}

/** A training of it that comes to its last step. */
async function withTrained() {
  const { messages, ask } = await withMnist();
  const trained = ask('train', { run: 4, epochs: null });
  while (!messages.some(({ type, event }) => type === 'event' && event.at(-1).finished))
    await new Promise((resolve) => setTimeout(resolve, 1));
  const order = () =>
    messages.filter(({ type }) => type === 'reply' || type === 'saved').map(({ type, id }) => id ?? type);
  return { ask, trained, order };
}

it('answers questions at the end of a training before it is saved, which the digest of the data delays', async () => {
  const { ask, trained, order } = await withTrained();
  const { id: asked } = await ask('evaluate', { run: 4, dataset: 3, details: false });
  const { id: last } = await trained;
  expect(order()).toEqual([asked, 'saved', last]);
}, 30_000);

it.each(['stop', 'train'])(
  'saves a training that has come to its end before a %s',
  async (type) => {
    const { ask, trained, order } = await withTrained();
    const { id: asked, ok } = await ask(type, { run: 4, epochs: 1 });
    const { id: last } = await trained;
    expect(ok).toBe(true);
    expect(order().slice(0, 2)).toEqual(['saved', last]);
    expect(order()).toContain(asked);
  },
  30_000,
);

it('trains on when that is asked for while the last of some steps are being saved', async () => {
  const { ask } = await withMnist();
  const losses = async () => (await ask('history', { run: 4 })).value.stepLosses.length;
  const stepped = ask('step', { run: 4, steps: 60 });
  while ((await losses()) < 60) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(await ask('train', { run: 4, epochs: 1 })).toMatchObject({ ok: true });
  expect(await stepped).toMatchObject({ ok: true, value: { step: 60, finished: true } });
  expect(await losses()).toBe(120);
}, 30_000);

it('keeps its thread while nobody wants anything, but leaves it after a slice when a request is on its way', async () => {
  const { ask, sent } = await withRun({ epochs: 1_000_000 });
  ask('train', { run: 2, epochs: null });
  /** How long others wait for the thread. */
  const waits = async () => {
    const all = [];
    for (let i = 0; i < 5; i++) {
      const begin = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      all.push(performance.now() - begin);
    }
    return all.slice(1); // the first began somewhere within a task
  };
  expect(Math.min(...(await waits()))).toBeGreaterThan(200);
  sent[0]++;
  expect(Math.min(...(await waits()))).toBeLessThan(150);
  sent[0]--;
  expect(await ask('stop', { run: 2 })).toMatchObject({ ok: true });
});

it('reports what must never happen as fatal, and falls silent', async () => {
  const { messages, ask } = await withRun();
  messages.length = 0;
  await ask('samples', { dataset: 1, indices: [2 ** 31] }); // the library checks that; here it goes out of memory
  expect(messages).toEqual([{ type: 'fatal', reason: expect.any(String) }]);
  await ask('hash', { run: 2 });
  expect(messages).toHaveLength(1);
});

it('warms up while nobody asks for anything, and leaves nothing behind', async () => {
  const { messages, ask } = converse();
  await ask('start', { glueUrl, threads: 1 });
  const { value: before } = await ask('memory'); // also the end of warming up
  const other = converse();
  await other.ask('start', { glueUrl, threads: 1 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { value: after } = await other.ask('memory');
  expect(after.usedBytes).toBe(before.usedBytes);
  expect(messages.concat(other.messages).filter(({ type }) => type !== 'reply')).toEqual([]);
});

it('tries in between whether one thread alone is faster', async () => {
  const { ask } = await withRun({ epochs: 1_000_000 });
  const get = vi.spyOn(Core.prototype, 'get');
  ask('train', { run: 2, epochs: null });
  const alone = () =>
    get.mock.calls.filter(([name]) => name === 'run_train_alone').map(([, , value]) => value);
  while (!alone().includes(1)) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(alone().indexOf(1)).toBeGreaterThanOrEqual(32);
  get.mockRestore();
  expect(await ask('stop', { run: 2 })).toMatchObject({ ok: true });
}, 60_000);
