import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldConstants } from '../../../src/promql/plan/fold.js';
import { wrapInvariant } from '../../../src/promql/plan/invariant.js';
import { lower, type PlanContext } from '../../../src/promql/plan/lower.js';
import { inputsOf, type Plan } from '../../../src/promql/plan/plan.js';
import { explainQuery, planQuery } from '../../../src/promql/plan/planner.js';
import { pushDown } from '../../../src/promql/plan/pushdown.js';
import { sharePlans } from '../../../src/promql/plan/share.js';
import { planText } from '../../../src/promql/plan/text.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../src/promql/syntax/parse.js';

const context: PlanContext = {
  startMs: 1_000_000,
  endMs: 1_600_000,
  stepMs: 60_000,
  lookbackMs: 300_000,
  subqueryStepMs: 15_000,
  delayedNames: false,
};

function lowered(query: string, changes: Partial<PlanContext> = {}): Plan {
  return lower(parseExpr(query, ALL_PARSE_OPTIONS), { ...context, ...changes });
}

function table(
  name: string,
  run: (plan: Plan) => Plan,
  cases: readonly (readonly [query: string, text: string])[],
): void {
  for (const [query, text] of cases)
    test(`plan: ${name}: ${query}`, () => assert.equal(planText(run(lowered(query))), text));
}

table('lower', (plan) => plan, [
  ['up', 'fragment up'],
  ['((up))', 'fragment up'],
  ['up{job="a",x!~"b|c"}', 'fragment up{job="a",x!~"b|c"}'],
  ['{__name__=~"a.*"}', 'fragment {__name__=~"a.*"}'],
  ['up offset 5m', 'fragment up offset 5m'],
  ['up @ 1.5 offset -1m', 'fragment up @ 1.500 offset -1m'],
  ['up @ start()', 'fragment up @ 1000.000'],
  ['up @ end()', 'fragment up @ 1600.000'],
  ['up offset (2 * step())', 'fragment up offset 2m'],
  ['rate(x[5m])', 'window rate x[5m]'],
  ['rate(x[range()])', 'window rate x[10m]'],
  ['rate(x[5m:])', 'window rate [5m:15s] (fragment x)'],
  ['max_over_time(rate(x[1m])[5m:30s] offset 1h)', 'window max_over_time [5m:30s] offset 1h (window rate x[1m])'],
  ['quantile_over_time(0.9, x[5m])', 'window quantile_over_time x[5m] (0.9)'],
  ['increase(x[5m] smoothed)', 'window increase x[5m] smoothed'],
  ['x smoothed', 'smoothed x smoothed'],
  ['timestamp((x))', 'fragment timestamp(x[5m])'],
  ['timestamp(x + 1)', 'timestamp (binary + (fragment x, 1))'],
  ['start() + end() + range() + step()', 'binary + (binary + (binary + (1000, 1600), 600), 60)'],
  ['-x', 'negate (fragment x)'],
  ['+x', 'fragment x'],
  ['sum without (a, b) (x)', 'sum without (a, b) (fragment x)'],
  ['topk by (a) (3, x)', 'topk by (a) (3, fragment x)'],
  ['a * on(x) group_left(y) b', 'binary * on(x) group_left(y) (fragment a, fragment b)'],
  ['a > bool 1', 'binary > bool (fragment a, 1)'],
  ['absent(x{a="1"})', 'absent (fragment x{a="1"})'],
  ['absent_over_time(x[5m])', 'absent_over_time (window absent_over_time x[5m])'],
  ['info(x, {data="a"})', 'info{data="a"} (fragment x)'],
]);

table('fold constants', foldConstants, [
  ['1 + 2 * 3', '7'],
  ['-(2 ^ 3)', '-8'],
  ['x + (1 - 1)', 'binary + (fragment x, 0)'],
  ['pi() > bool 3', '1'],
  ['time() + 1', 'binary + (time, 1)'],
  ['quantile_over_time(1 - 0.5, x[5m])', 'window quantile_over_time x[5m] (0.5)'],
]);

table('push down', (plan) => pushDown(plan, { delayedNames: false }), [
  ['rate(x[5m])', 'fragment rate(x[5m])'],
  ['rate(x[5m] offset 1h)', 'fragment rate(x[5m] offset 1h)'],
  ['sum by (job) (rate(x[5m]))', 'fragment rate(x[5m]) | sum by (job)'],
  ['count(x)', 'fragment x | count'],
  ['sum by (__name__, a) (rate(x[5m]))', 'fragment rate(x[5m]) | sum by (a)'],
  ['sum without (a) (rate(x[5m]))', 'fragment rate(x[5m]) | sum without (a, __name__, __type__, __unit__)'],
  ['sum by (__name__) (last_over_time(x[5m]))', 'fragment last_over_time(x[5m]) | sum by (__name__)'],
  ['max without (a) (x)', 'fragment x | max without (a)'],
  ['sum(max by (a) (x))', 'sum (fragment x | max by (a))'],
  ['sum(rate(x[5m]) * 2)', 'fragment rate(x[5m]) | multiply 2 | sum'],
  ['sum(rate(x[5m]) ^ 2)', 'sum (binary ^ (fragment rate(x[5m]), 2))'],
  ['x / 1024 / 1024 > 1', 'fragment x | divide 1024 | divide 1024 | greater 1'],
  ['8 - x', 'fragment x | subtractFrom 8'],
  ['1 < bool x', 'fragment x | greaterBool 1'],
  ['-abs(x)', 'fragment x | abs | negate'],
  ['clamp(x, 1, 2)', 'fragment x | atMost 2 | atLeast 1'],
  ['clamp(x, 2, 1)', 'clamp (fragment x, 2, 1)'],
  ['round(x, 0.5)', 'fragment x | multiply 2 | add 0.5 | floor | divide 2'],
  ['deg(x)', 'fragment x | multiply 180 | divide 3.141592653589793'],
  ['avg by (job) (clamp_min(x, 0))', 'fragment x | atLeast 0 | avg by (job)'],
  ['x * scalar(y)', 'binary * (fragment x, scalar (fragment y))'],
  ['x * Inf', 'binary * (fragment x, +Inf)'],
  ['x * -0', 'binary * (fragment x, -0)'],
  ['sum(x) * 8', 'binary * (fragment x | sum, 8)'],
  ['{a="b"} * 8', 'binary * (fragment {a="b"}, 8)'],
  ['{a="b"} > 8', 'fragment {a="b"} | greater 8'],
  // What a comparison takes away would not be remarked on.
  ['rate(x[5m]) > 8', 'binary > (fragment rate(x[5m]), 8)'],
  ['rate(x_total[5m]) > 8', 'fragment rate(x_total[5m]) | greater 8'],
  ['quantile_over_time(2, x[5m]) > 8', 'binary > (fragment quantile_over_time(2, x[5m]), 8)'],
  ['topk(3, rate(x[5m]))', 'topk (3, fragment rate(x[5m]) | largest 3)'],
  ['bottomk by (job) (3.9, x > 0)', 'bottomk by (job) (3.9, fragment x | greater 0 | smallest 3 by (job))'],
  [
    'limitk without (__name__) (2, rate(x[5m]))',
    'limitk without (__name__) (2, fragment rate(x[5m]) | first 2 without (__name__, __type__, __unit__))',
  ],
  ['topk(0, x)', 'topk (0, fragment x)'],
  ['topk(scalar(y), x)', 'topk (scalar (fragment y), fragment x)'],
  ['topk(2, sum by (job) (x))', 'topk (2, fragment x | sum by (job))'],
  ['topk(2, rate({__name__=~"a|b"}[5m]))', 'topk (2, fragment rate({__name__=~"a|b"}[5m]))'],
  ['absent(x)', 'absent (fragment x | group)'],
  ['absent(rate({__name__=~"a|b"}[5m]))', 'absent (fragment rate({__name__=~"a|b"}[5m]))'],
  ['absent_over_time(x[5m])', 'absent_over_time (fragment absent_over_time(x[5m]) | group)'],
  ['quantile(0.5, x)', 'quantile (0.5, fragment x)'],
  // Rows of several metrics may become the same without their names: an error that aggregating would hide.
  ['sum(rate({__name__=~"a|b"}[5m]))', 'sum (fragment rate({__name__=~"a|b"}[5m]))'],
  ['count by (__name__) ({__name__!=""})', 'fragment {__name__!=""} | count by (__name__)'],
  ['quantile_over_time(0.9, x[5m])', 'fragment quantile_over_time(0.9, x[5m])'],
  ['quantile_over_time(scalar(y), x[5m])', 'window quantile_over_time x[5m] (scalar (fragment y))'],
  ['predict_linear(x[5m] offset 1m, 3600)', 'fragment predict_linear(x[5m] offset 1m, 3600, 60000)'],
  ['predict_linear(x[5m] @ 10, 3600)', 'window predict_linear x[5m] @ 10.000 (3600)'],
  ['rate(x[5m] anchored)', 'window rate x[5m] anchored'],
  ['rate(x[5m:1m])', 'window rate [5m:1m] (fragment x)'],
  ['sum_over_time(sum(rate(x[1m]))[5m:1m])', 'window sum_over_time [5m:1m] (fragment rate(x[1m]) | sum)'],
]);

test('plan: with delayed name removal aggregations over several metrics go down', () => {
  const plan = pushDown(lowered('sum(delta({__name__=~"a|b"}[5m]))', { delayedNames: true }), { delayedNames: true });
  assert.equal(planText(plan), 'fragment delta({__name__=~"a|b"}[5m]) | sum');
});

test('plan: not where the names of rows are remarked on', () => {
  const plan = pushDown(lowered('sum(rate({__name__=~"a|b"}[5m]))', { delayedNames: true }), { delayedNames: true });
  assert.equal(planText(plan), 'sum (fragment rate({__name__=~"a|b"}[5m]))');
});

table('evaluate once', wrapInvariant, [
  ['x @ 10', 'once (fragment x @ 10.000)'],
  ['x @ 10 + x', 'binary + (once (fragment x @ 10.000), fragment x)'],
  ['sum(rate(x[5m] @ 10)) * 2', 'once (binary * (sum (window rate x[5m] @ 10.000), 2))'],
  ['1 + 2', 'once (binary + (1, 2))'],
  ['time() - x @ 10', 'binary - (time, once (fragment x @ 10.000))'],
  ['timestamp(x @ 10)', 'once (fragment timestamp(x[5m] @ 10.000))'],
  ['timestamp(abs(x @ 10))', 'timestamp (once (abs (fragment x @ 10.000)))'],
  ['predict_linear(x[5m] @ 10, 60)', 'window predict_linear x[5m] @ 10.000 (60)'],
  ['sum_over_time(x[5m:1m] @ 10)', 'once (window sum_over_time [5m:1m] @ 10.000 (fragment x))'],
  ['sum_over_time(x[5m:1m])', 'window sum_over_time [5m:1m] (fragment x)'],
  ['sum_over_time((x @ 10)[5m:1m])', 'window sum_over_time [5m:1m] (once (fragment x @ 10.000))'],
  ['topk(scalar(y), x @ 10)', 'once (topk (scalar (fragment y), fragment x @ 10.000))'],
]);

table('share', sharePlans, [
  ['x / x', 'binary / (fragment #1 x, fragment #1 x)'],
  ['x / y', 'binary / (fragment x, fragment y)'],
  ['x + x offset 5m', 'binary + (fragment x, fragment x offset 5m)'],
  ['x + y + x + y', 'binary + (binary + (binary + (fragment #1 x, fragment #2 y), fragment #1 x), fragment #2 y)'],
  ['x{a="1"} + {a="1",__name__="x"}', 'binary + (fragment #1 x{a="1"}, fragment #1 x{a="1"})'],
  ['abs(x) / (abs(x) + y)', 'binary / (#1 abs (fragment x), binary + (#1 abs (fragment x), fragment y))'],
  ['abs(x) / abs(x) + x', 'binary + (binary / (#1 abs (fragment #2 x), #1 abs (fragment #2 x)), fragment #2 x)'],
  [
    'sum by ("a, b") (x) / sum by (a, b) (x)',
    'binary / (sum by (a, b) (fragment #1 x), sum by (a, b) (fragment #1 x))',
  ],
  ['clamp(x, 0, 1) - clamp(x, -0, 1)', 'binary - (clamp (fragment #1 x, 0, 1), clamp (fragment #1 x, -0, 1))'],
  [
    'clamp_max(x, Inf) - clamp_max(x, NaN)',
    'binary - (clamp_max (fragment #1 x, +Inf), clamp_max (fragment #1 x, NaN))',
  ],
  [
    'histogram_quantile(0.5, x) / histogram_quantile(0.5, x)',
    'binary / (histogram_quantile (0.5, fragment #1 x), histogram_quantile (0.5, fragment #1 x))',
  ],
  [
    'max_over_time(x[1h:1m]) / max_over_time(x[1h:1m])',
    'binary / (#1 window max_over_time [1h:1m] (fragment x), #1 window max_over_time [1h:1m] (fragment x))',
  ],
]);

test('plan: what is shared has the place of its last one', () => {
  const plan = sharePlans(lowered('abs(x) / abs(x)'));
  const places = inputsOf(plan).map(({ pos }) => pos.start);
  assert.deepEqual(places, [9, 9]);
});

table('push down to whole groups', (plan) => pushDown(plan, { delayedNames: false, wholeGroups: true }), [
  ['quantile by (job) (0.9, rate(x[5m]))', 'fragment rate(x[5m]) | quantile 0.9 by (job)'],
  ['quantile without (a) (0, x * 2)', 'fragment x | multiply 2 | quantile 0 without (a, __name__, __type__, __unit__)'],
  ['quantile(0.5, x) > 3', 'binary > (fragment x | quantile 0.5, 3)'],
  ['sum(quantile by (job) (0.5, x))', 'sum (fragment x | quantile 0.5 by (job))'],
  ['quantile(1.5, x)', 'quantile (1.5, fragment x)'],
  ['quantile(NaN, x)', 'quantile (NaN, fragment x)'],
  ['quantile(scalar(y), x)', 'quantile (scalar (fragment y), fragment x)'],
  ['quantile(0.5, sum by (job) (x))', 'quantile (0.5, fragment x | sum by (job))'],
  ['quantile(0.5, rate({__name__=~"a|b"}[5m]))', 'quantile (0.5, fragment rate({__name__=~"a|b"}[5m]))'],
]);

test('plan: all passes together', () => {
  const query = 'histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m]))) / (60 * 5) + scalar(sum(up @ 10))';
  assert.equal(
    planText(planQuery(parseExpr(query), context)),
    'binary + (binary / (histogram_quantile (0.9, fragment rate(h_bucket[5m]) | sum by (le)), 300), ' +
      'once (scalar (fragment up @ 10.000 | sum)))',
  );
});

test('plan: explain shows the passes that changed something', () => {
  assert.equal(
    explainQuery(parseExpr('sum(rate(x[5m])) * (2 * 3)'), context),
    [
      'plan',
      '  binary *',
      '    sum',
      '      window rate x[5m]',
      '    binary *',
      '      2',
      '      3',
      '',
      'fold constants',
      '  binary *',
      '    sum',
      '      window rate x[5m]',
      '    6',
      '',
      'push down',
      '  binary *',
      '    fragment rate(x[5m]) | sum',
      '    6',
    ].join('\n'),
  );
});

test('plan: what a modifier does not fit is refused', () => {
  assert.throws(() => lowered('deriv(x[3m] anchored)'), {
    message: 'anchored modifier can only be used with: changes, delta, increase, rate, resets - not with deriv',
  });
  assert.throws(() => lowered('rate(x[step() - 1m])'), /duration must be greater than 0/);
  assert.throws(() => lowered('rate(x[1 / (step() - 1m)])'), /division by zero/);
});
