import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanContext } from '../../../src/promql/plan/lower.js';
import { planQuery } from '../../../src/promql/plan/planner.js';
import { parseExpr } from '../../../src/promql/syntax/parse.js';
import { Plans } from '../../../src/query/plans.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';

function contextAt(startMs: number, lookbackMs = 300_000): PlanContext {
  return { startMs, endMs: startMs + 60_000, stepMs: 15_000, lookbackMs, subqueryStepMs: 60_000, delayedNames: false };
}

/** Asks twice, the second time at another time, and says how often the text was planned. */
function planned(text: string, contexts: readonly PlanContext[]): number {
  const plans = new Plans(1_000);
  let made = 0;
  for (const context of contexts) {
    const make = (given: PlanContext) => {
      made++;
      return planQuery(parseExpr(text, SCRIPT_OPTIONS.parse), given);
    };
    const got = plans.get(text, 'range', context, make);
    assert.deepEqual(got, planQuery(parseExpr(text, SCRIPT_OPTIONS.parse), context));
  }
  return made;
}

const cases: [text: string, contexts: PlanContext[], made: number][] = [
  ['m', [contextAt(0), contextAt(15_000)], 1],
  ['sum by (job) (rate(m[5m] offset 1m)) / 2', [contextAt(0), contextAt(15_000)], 1],
  ['max_over_time(rate(m[5m])[1h:])', [contextAt(0), contextAt(15_000)], 1],
  ['m @ 100', [contextAt(0), contextAt(15_000)], 1],
  ['m', [contextAt(0), contextAt(0, 60_000), contextAt(0)], 2],
  // These ask for times.
  ['m @ start()', [contextAt(0), contextAt(15_000)], 2],
  ['m @ end()', [contextAt(0), contextAt(15_000)], 2],
  ['rate(m[step()])', [contextAt(0), contextAt(15_000)], 2],
  ['rate(m[range()])', [contextAt(0), contextAt(15_000)], 2],
  ['m + step()', [contextAt(0), contextAt(15_000)], 2],
  ['m + range()', [contextAt(0), contextAt(15_000)], 2],
  [`m{a="${'x'.repeat(5000)}"}`, [contextAt(0), contextAt(0)], 2],
];

for (const [text, contexts, made] of cases) {
  test(`plans: ${text.slice(0, 50)} at ${contexts.length} times is planned ${made} times`, () => {
    assert.equal(planned(text, contexts), made);
  });
}

test('plans: the longest unused is forgotten', () => {
  const plans = new Plans(1_000);
  const made: string[] = [];
  const ask = (text: string) => {
    plans.get(text, 'instant', contextAt(0), (context) => {
      made.push(text);
      return planQuery(parseExpr(text, SCRIPT_OPTIONS.parse), context);
    });
  };
  for (let i = 0; i < 1000; i++) ask(`m${i}`);
  ask('m0');
  ask('m1000');
  made.length = 0;
  ask('m0');
  ask('m1');
  assert.deepEqual(made, ['m1']);
});
