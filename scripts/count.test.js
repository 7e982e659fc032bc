import { expect, test } from 'vitest';
import { countCtest, countVitest } from './count.mjs';

/** As ctest 3.25 writes what cmocka 1.1.7 prints. */
const MIXED = `<testsuite>
  <testcase name="test_a" classname="test_a" time="0.1" status="fail">
    <failure message=""/>
    <system-out>[==========] Running 4 test(s).
[ RUN      ] good
[       OK ] good
[ RUN      ] bad
[  ERROR   ] --- 0x1 != 0x2
[  FAILED  ] bad
[ RUN      ] absent
[  SKIPPED ] absent
[ RUN      ] unprepared
Could not run test: Test setup failed
[  ERROR   ] unprepared
[==========] 4 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] absent

 1 SKIPPED TEST(S)
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] bad
</system-out>
  </testcase>
  <testcase name="test_plain" classname="test_plain" time="0.1" status="run"><system-out></system-out></testcase>
</testsuite>`;

const CRASH = `<testcase name="test_a" status="fail"><system-out>[==========] Running 3 test(s).
[ RUN      ] good
[       OK ] good
[ RUN      ] crashes
</system-out></testcase>`;

test('cases of cmocka are counted, a plain program is one', () => {
  expect(countCtest(MIXED, 8)).toEqual({ passed: 2, failed: 2 });
});

test('a case that never ended has failed', () => {
  expect(countCtest(CRASH, 8)).toEqual({ passed: 1, failed: 1 });
});

test('a runner that ran nothing, or failed without a word, has failed', () => {
  expect(countCtest('', 0)).toEqual({ passed: 0, failed: 1 });
  expect(countVitest('', 1)).toEqual({ passed: 0, failed: 1 });
  const nothingFailed = '{"numPassedTests":3,"numFailedTests":0,"testResults":[]}';
  expect(countVitest(nothingFailed, 1)).toEqual({ passed: 3, failed: 1 });
});

test('a test file that cannot be loaded counts as a failed test', () => {
  const report = {
    numPassedTests: 2,
    numFailedTests: 1,
    testResults: [{ status: 'failed', assertionResults: [] }],
  };
  expect(countVitest(JSON.stringify(report), 1)).toEqual({ passed: 2, failed: 2 });
});
