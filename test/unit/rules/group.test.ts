import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueryError } from '../../../src/promql/errors.js';
import { alerting, RuleRig, recording, START_MS, sample, settle } from '../../support/rules.js';

const MINUTE = 60_000;

test('groups: rules run in order, each seeing what those before it stored', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({ __name__: 'a', job: 'x' }, 1)]);
  rig.answers.set('b', () => [sample({ __name__: 'b', stored: String(rig.stored.length) }, 1)]);
  await rig.group({ rules: [recording('b', 'a'), recording('c', 'b')] }).evaluate(START_MS);
  assert.deepEqual(rig.takeStored(), ['b{job="x"} 1', 'c{stored="1"} 1']);
});

test('groups: labels of a rule win, and an empty one takes a label away', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({ __name__: 'a', job: 'x', instance: 'i' }, 1)]);
  await rig
    .group({ rules: [recording('b', 'a', { labels: ['instance', '', 'job', 'y', 'new', 'z'] })] })
    .evaluate(START_MS);
  assert.deepEqual(rig.takeStored(), ['b{job="y", new="z"} 1']);
});

test('groups: the query offset moves queries and samples', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({}, 1)]);
  rig.offsetMs = 30_000;
  const rules = [recording('b', 'a')];
  await rig.group({ rules }).evaluate(START_MS + MINUTE);
  await rig.group({ rules, queryOffsetMs: 0 }).evaluate(START_MS + MINUTE);
  assert.deepEqual(rig.asked, ['a@30', 'a@60']);
  assert.deepEqual(
    rig.stored.map(({ timeMs }) => timeMs - START_MS),
    [30_000, 60_000],
  );
});

test('groups: a series that is gone ends', async () => {
  const rig = new RuleRig();
  const found = [sample({ i: '1' }, 1), sample({ i: '2' }, 2)];
  rig.answers.set('a', () => found);
  const group = rig.group({ rules: [recording('b', 'a')] });
  await group.evaluate(START_MS);
  found.pop();
  rig.takeStored();
  await group.evaluate(START_MS + MINUTE);
  assert.deepEqual(rig.takeStored(), ['b{i="1"} 1', 'b{i="2"} ended']);
  found.pop();
  await group.evaluate(START_MS + 2 * MINUTE);
  assert.deepEqual(rig.takeStored(), ['b{i="1"} ended']);
  await group.evaluate(START_MS + 3 * MINUTE);
  assert.deepEqual(rig.takeStored(), []);
});

const FAILURES: readonly [name: string, limit: number, rule: ReturnType<typeof recording>, message: string][] = [
  [
    'recorded series that are the same',
    0,
    recording('b', 'two', { labels: ['i', ''] }),
    'vector contains metrics with the same labelset after applying rule labels',
  ],
  [
    'alerts that are the same',
    0,
    alerting('A', 'two', { labels: ['i', 'same'] }),
    'vector contains metrics with the same labelset after applying alert labels',
  ],
  ['too many series', 1, recording('b', 'two'), 'exceeded limit of 1 with 2 series'],
  ['too many alerts', 1, alerting('A', 'two'), 'exceeded limit of 1 with 2 alerts'],
  ['a query that fails', 0, recording('b', 'bad'), 'no such thing'],
];

for (const [name, limit, rule, message] of FAILURES) {
  test(`groups: ${name} fail the rule, and the others go on`, async () => {
    const rig = new RuleRig();
    rig.answers.set('two', () => [sample({ i: '1' }, 1), sample({ i: '2' }, 2)]);
    rig.answers.set('bad', () => {
      throw new QueryError('execution', 'no such thing');
    });
    rig.answers.set('ok', () => [sample({}, 1)]);
    const group = rig.group({ limit, rules: [rule, recording('c', 'ok')] });
    await group.evaluate(START_MS);
    assert.deepEqual(rig.takeStored(), ['c 1']);
    assert.deepEqual(
      group.rules.map(({ health, lastError }) => [health, lastError]),
      [
        ['err', message],
        ['ok', ''],
      ],
    );
    assert.equal(rig.metric('prometheus_rule_evaluation_failures_total{rule_group="rules.yml;g"}'), '1');
    assert.equal(rig.metric('prometheus_rule_evaluations_total{rule_group="rules.yml;g"}'), '2');
    assert.equal(rig.lines.filter((line) => line.includes('Evaluating rule failed')).length, 1);
  });
}

test('groups: alerts beyond the limit are forgotten, without stale markers', async () => {
  const rig = new RuleRig();
  const found = [sample({ i: '1' }, 1)];
  rig.answers.set('a', () => found);
  const group = rig.group({ limit: 1, rules: [alerting('A', 'a')] });
  await group.evaluate(START_MS);
  found.push(sample({ i: '2' }, 1));
  rig.takeStored();
  await group.evaluate(START_MS + MINUTE);
  assert.deepEqual(rig.takeStored(), []);
  assert.deepEqual([...group.alertingRules[0]!.alerts], []);
});

test('groups: an alert is stored as ALERTS with its state and ALERTS_FOR_STATE with its start', async () => {
  const rig = new RuleRig();
  rig.answers.set('up == 0', () => [sample({ __name__: 'up', job: 'x' }, 0)]);
  const rules = [alerting('Down', 'up == 0', { holdMs: MINUTE, labels: ['severity', 'page'] })];
  const group = rig.group({ rules });
  const start = START_MS / 1000;
  await group.evaluate(START_MS);
  assert.deepEqual(rig.takeStored(), [
    'ALERTS{alertname="Down", alertstate="pending", job="x", severity="page"} 1',
    `ALERTS_FOR_STATE{alertname="Down", job="x", severity="page"} ${start}`,
  ]);
  await group.evaluate(START_MS + MINUTE);
  assert.deepEqual(rig.takeStored(), [
    'ALERTS{alertname="Down", alertstate="firing", job="x", severity="page"} 1',
    `ALERTS_FOR_STATE{alertname="Down", job="x", severity="page"} ${start}`,
    'ALERTS{alertname="Down", alertstate="pending", job="x", severity="page"} ended',
  ]);
  assert.deepEqual(rig.sent, [
    {
      labels: ['alertname', 'Down', 'job', 'x', 'severity', 'page'],
      annotations: [],
      generatorUrl: 'http://narthex.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
      startsAtMs: START_MS + MINUTE,
      endsAtMs: START_MS + 5 * MINUTE,
    },
  ]);
});

test('groups: labels and annotations of alerts are expanded, other texts are not', async () => {
  const expanded: string[] = [];
  const rig = new RuleRig({
    expand: async (text, { name, sample: { value } }) => {
      expanded.push(text);
      return `${name} ${value}`;
    },
  });
  rig.answers.set('a', () => [sample({ __name__: 'a', job: 'x' }, 7)]);
  const rule = alerting('A', 'a', {
    labels: ['plain', 'p', 'value', '{{ $value }}'],
    annotations: ['text', '{{ x }}!'],
  });
  const group = rig.group({ rules: [rule] });
  await group.evaluate(START_MS);
  const [alert] = group.alertingRules[0]!.alerts;
  assert.deepEqual(alert!.labels, ['alertname', 'A', 'job', 'x', 'plain', 'p', 'value', 'A 7']);
  assert.deepEqual(alert!.annotations, ['text', 'A 7']);
  assert.deepEqual(expanded, ['{{ $value }}', '{{ x }}!']);
});

test('groups: what storage refuses is told with the rule', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({}, 1)]);
  rig.refuse = () => ({ outOfOrder: 1, tooOld: 0, duplicates: 0, reason: 'out of order sample' });
  const group = rig.group({ rules: [recording('b', 'a')] });
  await group.evaluate(START_MS);
  assert.deepEqual([group.rules[0]!.health, group.rules[0]!.lastError], ['err', 'out of order sample']);
  assert.match(rig.lines.join(), /Error on ingesting out-of-order result from rule evaluation.*num_dropped=1/);
});

test('groups: a successor goes on with rules of the same name and labels, and ends what the others stored', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({ i: '1' }, 1)]);
  const before = rig.group({
    rules: [alerting('A', 'a', { holdMs: MINUTE }), recording('kept', 'a'), recording('gone', 'a')],
  });
  await before.evaluate(START_MS);
  rig.takeStored();
  rig.answers.set('b', () => [sample({ i: '2' }, 1)]);
  const after = rig.group({ rules: [recording('kept', 'b'), alerting('A', 'a', { holdMs: MINUTE })] });
  after.inherit(before);
  await after.evaluate(START_MS + MINUTE);
  assert.deepEqual(rig.takeStored(), [
    'kept{i="2"} 1',
    'ALERTS{alertname="A", alertstate="firing", i="1"} 1',
    `ALERTS_FOR_STATE{alertname="A", i="1"} ${START_MS / 1000}`,
    'kept{i="1"} ended',
    'ALERTS{alertname="A", alertstate="pending", i="1"} ended',
    'gone{i="1"} ended',
  ]);
});

test('groups: of rules with the same name and labels the first goes on with the first', async () => {
  const rig = new RuleRig();
  for (const expr of ['a', 'b']) rig.answers.set(expr, () => [sample({ from: expr }, 1)]);
  const before = rig.group({ rules: [recording('r', 'a'), recording('r', 'b')] });
  await before.evaluate(START_MS);
  rig.takeStored();
  const after = rig.group({ rules: [recording('r', 'a')] });
  after.inherit(before);
  await after.evaluate(START_MS + MINUTE);
  assert.deepEqual(rig.takeStored(), ['r{from="a"} 1', 'r{from="b"} ended']);
});

test('groups: rules that do not depend on each other are asked at once and stored at once, others after them', async () => {
  const rig = new RuleRig();
  const waiting = new Map<string, () => void>();
  for (const expr of ['x', 'y']) {
    rig.answers.set(expr, () => new Promise((resolve) => waiting.set(expr, () => resolve([sample({}, 1)]))));
  }
  const group = rig.group({ rules: [recording('a', 'x'), recording('c', 'a'), recording('b', 'y')] });
  const evaluated = group.evaluate(START_MS);
  await settle();
  assert.deepEqual(rig.asked, ['x@0', 'y@0']);
  waiting.get('y')!();
  await settle();
  assert.deepEqual(rig.stored, []);
  waiting.get('x')!();
  await evaluated;
  assert.deepEqual(rig.asked, ['x@0', 'y@0', 'a@0']);
  assert.equal(rig.stored.length, 1);
  assert.deepEqual(rig.takeStored(), ['a 1', 'b 1']);
});

test('groups: a rule that finds no memory beside others is asked again alone', async () => {
  const rig = new RuleRig();
  let refusals = 1;
  rig.answers.set('big', () => {
    if (refusals-- > 0) throw new QueryError('unavailable', 'no room');
    return [sample({}, 1)];
  });
  const group = rig.group({ rules: [recording('a', 'big'), recording('b', 'x')] });
  await group.evaluate(START_MS);
  assert.deepEqual(rig.asked, ['big@0', 'x@0', 'big@0']);
  assert.deepEqual(rig.takeStored(), ['a 1']);
  refusals = 2;
  await group.evaluate(START_MS);
  assert.equal(group.rules[0]!.lastError, 'no room');
  assert.equal(rig.metric('prometheus_rule_evaluations_total{rule_group="rules.yml;g"}'), '4');
});

test('groups: where storage takes nothing all rules that gave something fail, and keep what they had', async () => {
  const rig = new RuleRig();
  const store = rig.world.results.append;
  for (const expr of ['x', 'y']) rig.answers.set(expr, () => [sample({ of: expr }, 1)]);
  const group = rig.group({ rules: [recording('a', 'x'), recording('b', 'y'), recording('c', 'none')] });
  await group.evaluate(START_MS);
  rig.takeStored();
  rig.world.results.append = async () => {
    throw new Error('the log is stuck');
  };
  rig.answers.set('x', () => []);
  await group.evaluate(START_MS + MINUTE);
  assert.deepEqual(
    group.rules.map(({ lastError }) => lastError),
    ['the log is stuck', 'the log is stuck', ''],
  );
  rig.world.results.append = store;
  await group.evaluate(START_MS + 2 * MINUTE);
  assert.deepEqual(rig.takeStored(), ['b{of="y"} 1', 'a{of="x"} ended']);
});
