import { afterEach, expect, it, vi } from 'vitest';
import { Connection } from './connection.js';
import { TabgradError } from './errors.js';

/** A worker that does just this. @param {string} script */
const script = (script) => new URL(`data:text/javascript,${encodeURIComponent(script)}`);
const LISTEN =
  "import { parentPort as port } from 'node:worker_threads'; port.on('message', ({ type, id }) => ";

/** @type {Connection} */
let connection;
afterEach(() => {
  vi.useRealTimers();
  connection.close(new TabgradError('closed', '', 'the test is over'));
});

it('matches replies and events by their ids, and drops what nobody waits for', async () => {
  const answers = `for (const message of [
    { type: 'reply', id: 99, ok: true, value: 'stale' },
    { type: 'event', id: 98, event: 'stale' },
    { type: 'event', id, event: type },
    { type: 'reply', id, ok: true, value: id },
    { type: 'reply', id, ok: true, value: 'twice' },
  ]) port.postMessage(message)`;
  connection = new Connection(script(`${LISTEN}{ ${answers} })`), () => expect.fail('no message for others'));
  /** @type {unknown[]} */
  const events = [];
  const onEvent = (/** @type {unknown} */ event) => events.push(event);
  const replies = [
    connection.request('memory', {}, { onEvent }),
    connection.request('hash', { run: 1 }, { onEvent }),
  ];
  expect(await Promise.all(replies)).toEqual([1, 2]);
  expect(events).toEqual(['memory', 'hash']);
});

it('says what cannot be sent', async () => {
  connection = new Connection(script(`${LISTEN}0)`), () => {});
  const sent = connection.request('memory', /** @type {any} */ ({ wrong: () => {} }));
  await expect(sent).rejects.toMatchObject({ code: 'argument', where: 'memory' });
});

it('hands over who waits when the worker throws', async () => {
  connection = new Connection(script(`${LISTEN}{ throw new Error('trap') })`), () => {});
  const died = new Promise((resolve) => {
    connection.onDeath = (reason, orphans) => resolve({ reason, about: orphans.map(({ about }) => about) });
  });
  connection.request('hash', { run: 5 }).catch(() => {});
  expect(await died).toEqual({ reason: 'trap', about: [5] });
});

it('gives up a worker that hangs, not one that is slow or idle', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  connection = new Connection(
    script(`${LISTEN}{ if (type !== 'ping') for (;;); port.postMessage({ type: 'pong' }) })`),
    () => {},
  );
  /** @type {string[]} */
  const deaths = [];
  connection.onDeath = (reason) => deaths.push(reason);
  vi.advanceTimersByTime(10 * 60_000);
  expect(deaths).toEqual([]);
  connection.request('memory', {}).catch(() => {});
  vi.advanceTimersByTime(50_000);
  expect(deaths).toEqual([]);
  vi.advanceTimersByTime(50_000);
  expect(deaths).toEqual(['it does not answer any more']);
});

it('does not give up a worker that is at work', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const heard = vi.fn();
  connection = new Connection(script(`${LISTEN}port.postMessage({ type: 'state', asked: type }))`), heard);
  connection.onDeath = () => expect.fail('it was given up');
  connection.request('memory', {}).catch(() => {});
  for (let i = 1; i <= 3; i++) {
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(i));
    vi.advanceTimersByTime(30_000);
  }
  expect(heard).toHaveBeenLastCalledWith({ type: 'state', asked: 'ping' });
});

it('waits less for a worker that has loaded and then says nothing, as much as ever once it has answered', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const heard = vi.fn();
  const answer = "port.postMessage({ type: 'reply', id, ok: true, value: 1 })";
  connection = new Connection(
    script(
      `${LISTEN}{ if (type === 'hash') ${answer}; else if (type !== 'ping') for (;;); }); port.postMessage({ type: 'loaded' })`,
    ),
    heard,
  );
  /** @type {string[]} */
  const deaths = [];
  connection.onDeath = (reason) => deaths.push(reason);
  expect(await connection.request('hash', { run: 1 })).toBe(1);
  connection.request('memory', {}).catch(() => {});
  vi.advanceTimersByTime(50_000);
  expect(deaths).toEqual([]);
  vi.advanceTimersByTime(50_000);
  expect(deaths).toHaveLength(1);
  expect(connection.hungAtStart).toBe(false);
  expect(heard).not.toHaveBeenCalled();
});
