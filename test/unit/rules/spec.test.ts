import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRuleFile } from '../../../src/config/rule-file.js';
import { DEFAULT_PARSE_OPTIONS } from '../../../src/promql/syntax/parse.js';
import { overlay } from '../../../src/rules/overlay.js';
import { groupSpec } from '../../../src/rules/spec.js';

const options = { intervalMs: 30_000, language: DEFAULT_PARSE_OPTIONS };

function specOf(text: string) {
  return groupSpec('f.yml', parseRuleFile(text)[0]!, options);
}

test('specs: expressions in their one form, labels of groups below those of rules, the interval of the configuration', () => {
  const spec = specOf(`
groups:
- name: g
  limit: 3
  labels: {team: infra, severity: info}
  rules:
  - record: a:b
    expr: sum( rate(x [5m]) )by(job)
    labels: {team: ''}
  - alert: A
    expr: up==0
    for: 5m
    keep_firing_for: 1m
    labels: {severity: page}
    annotations: {z: last, a: first}
`);
  assert.deepEqual(spec, {
    file: 'f.yml',
    name: 'g',
    intervalMs: 30_000,
    limit: 3,
    queryOffsetMs: undefined,
    rules: [
      {
        kind: 'recording',
        name: 'a:b',
        expr: 'sum by (job) (rate(x[5m]))',
        labels: ['severity', 'info', 'team', ''],
        annotations: [],
        holdMs: 0,
        keepFiringMs: 0,
      },
      {
        kind: 'alerting',
        name: 'A',
        expr: 'up == 0',
        labels: ['severity', 'page', 'team', 'infra'],
        annotations: ['a', 'first', 'z', 'last'],
        holdMs: 300_000,
        keepFiringMs: 60_000,
      },
    ],
  });
});

test('specs: what is not enabled is refused with its place', () => {
  const text = 'groups: [{name: g, rules: [{record: a, expr: "limitk(1, x)"}]}]';
  assert.throws(() => specOf(text), /group "g", rule 1, "a": could not parse expression: .*limitk/);
});

const OVERLAYS: readonly [labels: string[], over: string[], want: string[]][] = [
  [
    ['a', '1'],
    ['b', '2'],
    ['a', '1', 'b', '2'],
  ],
  [
    ['a', '1', 'c', '3'],
    ['a', '', 'b', '2'],
    ['b', '2', 'c', '3'],
  ],
  [[], ['a', ''], []],
];

for (const [labels, over, want] of OVERLAYS) {
  test(`overlay of ${JSON.stringify(over)} over ${JSON.stringify(labels)}`, () => {
    assert.deepEqual(overlay(labels, over), want);
  });
}
