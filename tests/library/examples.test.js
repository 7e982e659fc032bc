// The examples in the documentation, run as they stand there.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const project = new URL('../../', import.meta.url);
const documents = ['README.md', 'docs/library.md'];
const examples = documents.flatMap((name) =>
  [...readFileSync(new URL(name, project), 'utf8').matchAll(/^```js\n(import [\s\S]*?)^```/gm)].map(
    (match) => ({
      name,
      code: match[1],
    }),
  ),
);

it('are there', () => {
  expect(new Set(examples.map(({ name }) => name))).toEqual(new Set(documents));
});

it.each(examples)('$name', { timeout: 120_000 }, async ({ code }) => {
  const cwd = fileURLToPath(project);
  const args = ['--input-type=module', '-e', code]; // 'tabgrad' is this package itself
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd });
  expect(stderr).toBe('');
  expect(stdout).not.toBe('');
});
