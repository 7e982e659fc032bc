// docs/performance.json, and the tables of docs/performance.md made of it. What stands around the tables is written by
// hand and stays.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { markdown, tablesOf } from './bench_table.mjs';

/** @typedef {import('./bench_table.mjs').Results} Results */

const RESULTS = fileURLToPath(new URL('../docs/performance.json', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const BEGIN = '<!-- measured: written by npm run bench -- --write -->\n';
const END = '<!-- end of what was measured -->\n';

/** What was measured now takes the place of the same measurements before. @param {Results} results */
export async function writePerformance(results) {
  const { machine, ...measured } = results;
  /** @type {Record<string, Results>} by measurement: what one run said of it */
  const runs = existsSync(RESULTS) ? JSON.parse(await readFile(RESULTS, 'utf8')) : {};
  for (const [name, rows] of Object.entries(measured)) runs[name] = { machine, [name]: rows };
  await writeFile(RESULTS, `${JSON.stringify(runs, null, 2)}\n`);
  await writeFile(DOCUMENT, fillIn(await readFile(DOCUMENT, 'utf8'), Object.values(runs)));
}

/** Puts the tables of some runs between the two marks of a document. @param {string} text @param {Results[]} runs */
export function fillIn(text, runs) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`${DOCUMENT} has lost its marks ${BEGIN.trim()}, ${END.trim()}`);
  /** @type {Map<string, Results>} */
  const byMachine = new Map(); // what one run said of several measurements stands together
  for (const run of runs) {
    const key = JSON.stringify(run.machine);
    byMachine.set(key, { ...byMachine.get(key), ...run });
  }
  const tables = [...byMachine.values()].map(
    (run) => `${told(run.machine)}\n\n${tablesOf(run).map(markdown).join('\n')}`,
  );
  return `${text.slice(0, begin)}${BEGIN}\n${tables.join('\n')}\n${text.slice(end)}`;
}

/** @param {Results['machine']} machine */
function told({ cpu, cores, chromium, torch, node, date, command }) {
  const programs = [chromium, `Node ${node.slice(1)}`, torch && `PyTorch ${torch}`]
    .filter(Boolean)
    .join(', ');
  return `\`${command}\`, ${date}: ${cpu}, ${cores} cores; ${programs}. Medians.`;
}
