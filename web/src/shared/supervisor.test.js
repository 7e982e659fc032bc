import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Supervisor } from './supervisor.js';

const worker = new URL('../../../dist/tabgrad.worker.js', import.meta.url);
const glueUrl = new URL('../../../dist/tabgrad-simd.js', import.meta.url).href;

/** @type {string} */
let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-supervisor-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The real worker, which hangs as it starts, that many times: each leaves a folder behind. @param {number} times */
const hanging = (times) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
    import { mkdirSync, readdirSync } from 'node:fs';
    import { parentPort } from 'node:worker_threads';
    const folder = ${JSON.stringify(folder)};
    const n = readdirSync(folder).length;
    mkdirSync(folder + '/' + n);
    if (n < ${times}) {
      parentPort.postMessage({ type: 'loaded' });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    } else await import(${JSON.stringify(worker.href)});
  `)}`,
  );

it('starts another worker in place of one that hangs as it starts', { timeout: 60_000 }, async () => {
  const supervisor = new Supervisor(hanging(1), { glueUrl, threads: 1 });
  await supervisor.ready();
  expect(supervisor.engine.threads).toBe(1);
  await supervisor.close();
});

it('gives up when that does not help', { timeout: 120_000 }, async () => {
  const supervisor = new Supervisor(hanging(Infinity), { glueUrl, threads: 1 });
  await expect(supervisor.ready()).rejects.toMatchObject({
    code: 'unavailable',
    what: expect.stringContaining('could not be started (it does not answer any more)'),
  });
});
