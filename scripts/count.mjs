// How many tests a runner ran, read from its report. A runner that failed without naming a failed test, or that ran
// none, counts as one failed test: silence is never success.

/** @typedef {{ passed: number, failed: number, output: string }} Count */

/**
 * Counts cmocka's cases in ctest's JUnit report; a program that prints no cases counts as one.
 * @param {string} junit
 * @param {number} status  exit status of ctest
 */
export function countCtest(junit, status) {
  let passed = 0;
  let failed = 0;
  for (const [, attributes, output] of junit.matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g)) {
    const begun = countMatches(output, /^(?:.*>)?\[ RUN {6}\] /gm);
    const skipped = new Set(output.match(/^\[ {2}SKIPPED \] \w+$/gm)).size; // named at the case and again at the end
    const good = countMatches(output, /^\[ {7}OK \] /gm);
    const succeeded = attributes.includes('status="run"');
    passed += succeeded && begun === 0 ? 1 : good;
    failed += succeeded ? 0 : Math.max(begun - good - skipped, 1); // what began and never ended has failed as well
  }
  return honest(passed, failed, status);
}

/**
 * @param {string} json  Vitest's report
 * @param {number} status
 */
export function countVitest(json, status) {
  if (json === '') return honest(0, 0, status);
  const report = JSON.parse(json);
  /** @type {{ status: string, assertionResults: unknown[] }[]} */
  const files = report.testResults;
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return honest(report.numPassedTests, report.numFailedTests + broken.length, status);
}

/** @param {number} passed @param {number} failed @param {number} status */
function honest(passed, failed, status) {
  const silent = failed === 0 && (status !== 0 || passed === 0);
  return { passed, failed: silent ? 1 : failed };
}

/** @param {string} text @param {RegExp} pattern */
function countMatches(text, pattern) {
  return [...text.matchAll(pattern)].length;
}
