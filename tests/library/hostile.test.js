// Files made to do harm, and files that came to harm: each gets its sentence, in time, and nothing stays behind.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine, TabgradError } from 'tabgrad';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostileContainers } from '../hostile_containers.mjs';
import { hostileFiles } from '../hostile_files.mjs';
import { stripes } from '../support/training.js';

/** For one of them, on a busy machine. */
const MOST_MS = 2000;
const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const plainFiles = hostileFiles.filter(({ container }) => !container);

/** What is given: the file, and what belongs beside it. @param {{ file: string, bytes: Uint8Array, beside?: string }} attack */
function filesOf({ file, bytes, beside }) {
  const attack = { name: file, bytes: new Uint8Array(bytes) };
  if (!beside) return [attack];
  const name = beside.replace(/.*\//, '');
  return [attack, { name, bytes: new Uint8Array(readFileSync(FIXTURES + beside)) }];
}

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

/** The message of the error that it must get, in time. @param {{ name: string, bytes: Uint8Array }[]} files */
async function sentenceOf(files) {
  const start = performance.now();
  const error = await engine.readFiles(files).then(
    () => expect.fail('it was read'),
    (reason) => reason,
  );
  expect(performance.now() - start).toBeLessThan(MOST_MS);
  expect(error).toBeInstanceOf(TabgradError);
  return error.message;
}

it.each(plainFiles)('$file', async (attack) => {
  const { file, where = file, sentence, read } = attack;
  if (!read) return expect(await sentenceOf(filesOf(attack))).toBe(`${where}: ${sentence}`);
  const { train, report } = await engine.readFiles(filesOf(attack));
  expect(train.count).toBe(read);
  expect([
    ...report.skipped.map(({ reason }) => reason),
    ...report.sources.map(({ note }) => note),
  ]).toContain(sentence);
  await train.close();
});

it.each(hostileContainers)('$file', { timeout: 20_000 }, async ({ file, bytes, library }) => {
  const message = await sentenceOf([{ name: file, bytes: bytes() }]);
  expect(message).toMatch(library);
  expect(message).not.toMatch(/\n|undefined|\[object/);
});

it('leaves nothing behind after a thousand tries', { timeout: 300_000 }, async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  const small = hostileContainers
    .map(({ file, bytes }) => [{ name: file, bytes: bytes() }])
    .filter(([{ name, bytes }]) => bytes.length < 20_000 && !/bomb|parquet/.test(name));
  const attacks = [...small, ...plainFiles.filter(({ read }) => !read).map(filesOf)];
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
