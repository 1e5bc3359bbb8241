import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchesOf } from '../../../src/rules/dependencies.js';
import type { RuleSpec } from '../../../src/rules/spec.js';
import { alerting, recording } from '../../support/rules.js';

const CASES: readonly [name: string, rules: readonly RuleSpec[], batches: readonly (readonly number[])[]][] = [
  ['independent rules', [recording('a', 'x'), recording('b', 'rate(y[5m])')], [[0, 1]]],
  ['a chain', [recording('a', 'x'), recording('b', 'a'), recording('c', 'sum(b) / a')], [[0], [1], [2]]],
  [
    'a fan',
    [recording('a', 'x'), recording('b', 'a'), recording('c', 'a'), recording('d', 'y')],
    [
      [0, 3],
      [1, 2],
    ],
  ],
  ['what comes later is no input', [recording('b', 'a'), recording('a', 'x')], [[0, 1]]],
  ['patterns of names', [recording('job:a', 'x'), recording('b', '{__name__=~"job:.+"}')], [[0], [1]]],
  ['a selector without a name', [recording('a', 'x'), recording('b', '{job="j"}')], [[0], [1]]],
  ['alerts of a name', [alerting('A', 'x'), recording('n', 'count(ALERTS{alertname="A"})')], [[0], [1]]],
  ['alerts of another name', [alerting('A', 'x'), recording('n', 'count(ALERTS{alertname="B"})')], [[0, 1]]],
  ['subqueries', [recording('a', 'x'), recording('b', 'max_over_time(rate(a[1m])[5m:])')], [[0], [1]]],
];

for (const [name, rules, batches] of CASES) {
  test(`dependencies: ${name}`, () => assert.deepEqual(batchesOf(rules), batches));
}
