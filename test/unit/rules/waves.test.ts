import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { RuleSpec } from '../../../src/rules/spec.js';
import { WAVE_RULES_MAX, wavesOf } from '../../../src/rules/waves.js';
import { alerting, recording } from '../../support/rules.js';

const asking = (text: string) => alerting('Asks', 'x', { annotations: ['summary', text] });

const CASES: readonly [name: string, rules: readonly RuleSpec[], waves: readonly (readonly number[])[]][] = [
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
  [
    'what comes later is not written before it is read',
    [recording('a', 'x'), recording('b', 'a + c'), recording('c', 'x')],
    [[0], [1, 2]],
  ],
  ['patterns of names', [recording('job:a', 'x'), recording('b', '{__name__=~"job:.+"}')], [[0], [1]]],
  ['a selector without a name', [recording('a', 'x'), recording('b', '{job="j"}')], [[0], [1]]],
  ['alerts of a name', [alerting('A', 'x'), recording('n', 'count(ALERTS{alertname="A"})')], [[0], [1]]],
  ['alerts of another name', [alerting('A', 'x'), recording('n', 'count(ALERTS{alertname="B"})')], [[0, 1]]],
  ['alerts by a pattern', [alerting('A', 'x'), recording('n', '{__name__=~"ALERTS.*"}')], [[0], [1]]],
  ['subqueries', [recording('a', 'x'), recording('b', 'max_over_time(rate(a[1m])[5m:])')], [[0], [1]]],
  ['the same metric twice', [recording('a', 'x'), recording('b', 'a'), recording('a', 'b')], [[0], [1], [2]]],
  ['the same metric twice, apart from others', [recording('a', 'x'), recording('a', 'y')], [[0, 1]]],
  ['a template that asks', [recording('a', 'x'), asking('{{ query "a" }}')], [[0], [1]]],
  ['a template that does not', [recording('a', 'x'), asking('query a')], [[0, 1]]],
];

for (const [name, rules, waves] of CASES) {
  test(`waves: ${name}`, () => assert.deepEqual(wavesOf(rules), waves));
}

test('waves: long ones come in pieces', () => {
  const rules = Array.from({ length: WAVE_RULES_MAX + 1 }, (_, i) => recording(`r${i}`, 'x'));
  const sizes = wavesOf(rules).map(({ length }) => length);
  assert.deepEqual(sizes, [WAVE_RULES_MAX, 1]);
});

const METRICS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Rules that say what they saw; `read` by rule. */
function randomRules(prng: Prng): { rules: RuleSpec[]; reads: string[][] } {
  const reads = Array.from({ length: 1 + prng.int(20) }, () => METRICS.filter(() => prng.int(4) === 0));
  const rules = reads.map((read) => recording(prng.pick(METRICS), ['x', ...read].join(' + ')));
  return { rules, reads };
}

/** What each rule saw in three evaluations, where all rules of a wave ask before any of it stores. */
function run(rules: readonly RuleSpec[], reads: readonly string[][], waves: readonly (readonly number[])[]): string[] {
  const stored = new Map<string, string>();
  const seen: string[] = [];
  for (let evaluation = 0; evaluation < 3; evaluation++) {
    for (const wave of waves) {
      for (const i of wave) seen[i] = `${reads[i]!.map((metric) => stored.get(metric)).join()}`;
      for (const i of wave) stored.set(rules[i]!.name, `${evaluation}.${i}`);
    }
  }
  return seen;
}

for (let seed = 1; seed <= 300; seed++) {
  test(`waves: rules see what they see one by one, seed ${seed}`, () => {
    const { rules, reads } = randomRules(new Prng(seed));
    const alone = rules.map((_, i) => [i]);
    assert.deepEqual(run(rules, reads, wavesOf(rules)), run(rules, reads, alone));
  });
}
