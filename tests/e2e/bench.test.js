// The benchmark measures: a workload for a moment in Node and in Chromium. How fast it is, is not judged.
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../../scripts/steps.mjs';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

it('trains and predicts in Node and Chromium, and says how fast beside the peak', async () => {
  const moment = ['--windows', '2', '--window', '50', '--in', 'node,chromium', '--threads', '1,2', '--json'];
  const output = await run(process.execPath, ['scripts/bench.mjs', '--only', 'W1,W7', ...moment], {
    cwd: PROJECT,
  });
  const { machine, speeds } = JSON.parse(output.slice(output.indexOf('{\n')));
  expect(machine.chromium).toMatch(/Chrome/);
  expect(speeds.map(({ name, place, threads }) => `${name} ${place} ${threads}`)).toEqual(
    ['W1', 'W7'].flatMap((name) =>
      [1, 2].flatMap((threads) => ['node', 'chromium'].map((place) => `${name} ${place} ${threads}`)),
    ),
  );
  for (const { samplesPerSecond, share, loss, memory } of speeds) {
    expect(samplesPerSecond.windows).toBe(2);
    expect(samplesPerSecond.low).toBeGreaterThan(0);
    expect(share.median).toBeGreaterThan(0);
    expect(share.median).toBeLessThan(1.2);
    expect(loss.after).toBeLessThan(loss.before);
    expect(memory.plannedBytes).toBeGreaterThan(0);
  }
});

it('says in a sentence what it does not know', async () => {
  const answer = (/** @type {string[]} */ ...args) =>
    run(process.execPath, ['scripts/bench.mjs', ...args], { cwd: PROJECT });
  await expect(answer('--only', 'W9')).rejects.toThrow('--only names nothing there is: W1, W2');
  await expect(answer('--threads', 'two')).rejects.toThrow(
    '--threads takes whole numbers from 1, not "two".',
  );
  await expect(answer('--in', 'opera')).rejects.toThrow('--in takes chromium, node, native, not "opera".');
});
