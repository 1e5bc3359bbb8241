import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conformance, conformanceMissing } from '../../support/testdata.js';
import { verdictProblems } from '../../support/verdicts.js';

test('rule files, configurations and tests of rules have the verdicts and the words of promtool', {
  skip: conformanceMissing(),
}, async () => {
  const problems = await verdictProblems(conformance(''));
  assert.ok(problems.size >= 40);
  assert.deepEqual(
    [...problems].filter(([, problem]) => problem !== undefined),
    [],
  );
});
