// What a run measured, and docs/reproduction.md made of it.

/** @typedef {import('./reproduce_rows.mjs').Row} Row */
/** @typedef {import('./reproduce_rows.mjs').Reported} Reported */

/**
 * @typedef {object} Result  of one seed
 * @property {number} epoch  finished
 * @property {number} seconds  it took to train, evaluations included
 * @property {Record<string, number>} measured  by metric, as "test_accuracy" or "test_accuracy@10" after 10 epochs
 * @property {string} [command]
 * @property {string} [hash]  of the parameters, once the run is finished
 * @property {string} [waiting]  why it was not run to its end
 */

/** @typedef {{ recipe?: string, seeds: Record<string, Result>, missing?: string }} RowResult */
/** @typedef {Record<string, RowResult>} Results  by the row's name */

/** @type {Record<Reported['metric'], { title: string, text: (value: number) => string }>} */
const METRICS = {
  test_accuracy: { title: 'test', text: percent },
  validation_accuracy: { title: 'validation', text: percent },
  train_accuracy: { title: 'train', text: percent },
  train_loss_sum: { title: 'total loss', text: (value) => value.toFixed(2) },
  psnr: { title: 'PSNR', text: (value) => `${value.toFixed(2)} dB` },
};

/** @param {number} value */
function percent(value) {
  return `${(100 * value).toFixed(2).replace(/0$/, '')} %`;
}

/** @param {Pick<Reported, 'metric' | 'epoch'>} reported */
function keyOf({ metric, epoch }) {
  return epoch === undefined ? metric : `${metric}@${epoch}`;
}

/**
 * Takes down what the end of an epoch, or the evaluation after the last one, says.
 * @param {Row} row @param {Result} result
 * @param {{ epoch?: Record<string, any>, test?: Record<string, any> }} said  lines of the program
 */
export function measure(row, result, { epoch, test }) {
  const { measured } = result;
  if (epoch) {
    const heldOut = row.recipe.data.validation ? 'validation_accuracy' : 'test_accuracy';
    const samples = epoch.samples / epoch.epoch;
    /** @type {Record<string, number | null | undefined>} */
    const now = {
      train_accuracy: epoch.accuracy,
      train_loss_sum: epoch.loss * samples,
      [heldOut]: epoch.heldOut?.accuracy,
    };
    for (const [metric, value] of Object.entries(now)) {
      if (value === null || value === undefined) continue;
      measured[metric] = value;
      const reported = row.recipe['x-reported'].find(
        (/** @type {Reported} */ other) => other.metric === metric && other.epoch === epoch.epoch,
      );
      if (reported) measured[keyOf(reported)] = value;
    }
  }
  if (typeof test?.accuracy === 'number') measured.test_accuracy = test.accuracy;
  if (typeof test?.psnr === 'number') measured.psnr = test.psnr;
}

/**
 * @param {Row[]} rows @param {Results} results
 * @returns {string}
 */
export function table(rows, results) {
  const plain = rows.filter((row) => !row.sweep);
  const swept = rows.filter((row) => row.sweep);
  const validation = (/** @type {Row} */ { name }) =>
    results[name]?.seeds[1]?.measured.validation_accuracy ?? -1;
  const done = swept.filter(({ name }) => results[name]?.seeds[1]?.hash);
  const rest = swept.filter((row) => !done.includes(row));
  return `# The figures of the reports, reproduced

Written by \`npm run reproduce\`, which trains the recipes in [\`recipes/reports/\`](../recipes/reports) with the native program.
Where a run takes less than ten minutes it is made with the seeds 1, 2 and 3, and the measured figure is their mean, with
the range in brackets; without a range only seed 1 has been run so far. The same command gives the same parameters, to the last bit, on every machine: the hash is SHA-256
over them. Seconds are those of the first seed on the machine that ran it, and say little about another. NIST36 is not to be
had: in its place stand 52,152 handwritten lower-case letters (taskar) and 10,000 letters from fonts (notmnist), 80 % to train
on, 10 % for validation, 10 % to test on. The toy check, 4-10-3 on five samples, is a test: \`tests/unit/test_toy.c\`.

| recipe | reported | measured | reached | epochs | seconds |
| --- | --- | --- | --- | --- | --- |
${plain.map((row) => line(row, results[row.name])).join('\n')}

${plain.flatMap(remark).join('\n')}

## The sweep
24 settings of \`cifar10-mlp80\`, the best on the validation part first; 20 and 46 epochs are the report's 2,000 and 4,500
steps. ${done.length} of ${swept.length} were run${rest.length > 0 ? '; the others not yet' : ''}.

| setting | reported | measured | reached | epochs | seconds |
| --- | --- | --- | --- | --- | --- |
${[...done.toSorted((a, b) => validation(b) - validation(a)), ...rest].map((row) => line(row, results[row.name])).join('\n')}

## Commands
${[...plain, ...swept].flatMap(({ name }) => commands(results[name])).join('\n')}
`;
}

/** @param {Row} row @param {RowResult | undefined} result */
function line(row, result) {
  const seeds = Object.values(result?.seeds ?? {});
  const finished = seeds.filter(({ hash }) => hash);
  const some = finished.length > 0 ? finished : seeds.filter(({ epoch }) => epoch > 0);
  const first = some[0];
  const reported = /** @type {Reported[]} */ (row.recipe['x-reported']);
  const wanted = reported.length > 0 ? reported : wantedOf(row);
  const lines = wanted.map((one) => {
    const values = some.map(({ measured }) => measured[keyOf(one)]).filter((value) => value !== undefined);
    return { reported: reportedText(one), measured: spread(one, values), reached: verdict(one, values) };
  });
  const epochs = !first
    ? ''
    : first.epoch < row.recipe.epochs
      ? `${first.epoch} of ${row.recipe.epochs}`
      : first.epoch;
  const cells = [
    row.sweep ? row.title : `\`${row.name}\``,
    lines.map((one) => one.reported).join('<br>'),
    first ? lines.map((one) => one.measured).join('<br>') : `not run: ${why(result)}`,
    first ? lines.map((one) => one.reached).join('<br>') : '',
    epochs,
    first ? first.seconds.toFixed(0) : '',
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What to show where nothing is reported. @param {Row} row @returns {Reported[]} */
function wantedOf(row) {
  return [{ metric: row.sweep ? 'validation_accuracy' : 'test_accuracy' }];
}

/** @param {RowResult | undefined} result */
function why(result) {
  return result?.missing ?? Object.values(result?.seeds ?? {})[0]?.waiting ?? 'its turn has not come yet';
}

/** @param {Reported} reported */
function reportedText({ metric, value, at_most: atMost, epoch, note }) {
  if (value === undefined) return 'nothing';
  const { title, text } = METRICS[metric];
  const after = epoch === undefined ? '' : ` after ${epoch}`;
  return `${title} ${atMost ? 'below ' : ''}${text(value)}${after}${note ? ` (${note})` : ''}`;
}

/** @param {Reported} reported @param {number[]} values */
function spread({ metric }, values) {
  if (values.length === 0) return 'not yet';
  const { title, text } = METRICS[metric];
  const mean = text(values.reduce((sum, value) => sum + value, 0) / values.length);
  if (values.length === 1) return `${title} ${mean}`;
  return `${title} ${mean} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
}

/** @param {Reported} reported @param {number[]} values */
function verdict({ metric, value, at_most: atMost, note }, values) {
  if (value === undefined || values.length === 0) return '';
  if (note?.startsWith('on ')) return 'other data';
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const step = metric.endsWith('accuracy') ? 5e-4 : 5e-3; // as exactly as the reports print it
  return (atMost ? mean <= value : mean >= value - step) ? 'yes' : 'no';
}

/** @param {Row} row @returns {string[]} */
function remark({ name, recipe, varied }) {
  return recipe['x-remark'] && !varied ? [`- \`${name}\`: ${recipe['x-remark']}`] : [];
}

/** @param {RowResult | undefined} result @returns {string[]} */
function commands(result) {
  return Object.values(result?.seeds ?? {})
    .filter(({ hash }) => hash)
    .map(({ command, hash }) => `- \`${command}\`  \n  ${hash}`);
}
