import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf } from '../../../src/model/labels.js';
import { lastEvaluation } from '../../../src/rules/group-times.js';
import { GroupLoop } from '../../../src/rules/loop.js';
import { RuleManager } from '../../../src/rules/manager.js';
import type { GroupSpec } from '../../../src/rules/spec.js';
import { alerting, groupOf, RuleRig, recording, START_MS, sample, settle } from '../../support/rules.js';

const MINUTE = 60_000;
const GROUP = groupOf({ rules: [recording('b', 'a')] });
/** When it is evaluated first, after START_MS. */
const FIRST_MS = lastEvaluation(GROUP, START_MS) + MINUTE - START_MS;

/** Turns the clock in small steps, so that what timers begin can go on. */
async function turn(rig: RuleRig, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    rig.clock.advance(Math.min(left, 1000));
    await settle();
  }
}

test('loops: evaluations are at the times that file and name give', async () => {
  const rig = new RuleRig();
  const loop = new GroupLoop(rig.group(GROUP), rig.clock);
  await turn(rig, 3 * MINUTE);
  assert.deepEqual(
    rig.asked,
    [0, 1, 2].map((i) => `a@${(FIRST_MS + i * MINUTE) / 1000}`),
  );
  await loop.stop();
  await turn(rig, 3 * MINUTE);
  assert.equal(rig.asked.length, 3);
});

test('loops: an evaluation that takes long costs those that were due meanwhile, but for the last', async () => {
  const rig = new RuleRig();
  let answer = () => {};
  rig.answers.set('a', () => new Promise((resolve) => (answer = () => resolve([]))));
  const loop = new GroupLoop(rig.group(GROUP), rig.clock);
  await turn(rig, FIRST_MS);
  await turn(rig, 3.5 * MINUTE);
  answer();
  await settle();
  assert.deepEqual(rig.asked, [`a@${FIRST_MS / 1000}`, `a@${(FIRST_MS + 3 * MINUTE) / 1000}`]);
  assert.equal(rig.metric('prometheus_rule_group_iterations_missed_total{rule_group="rules.yml;g"}'), '2');
  assert.equal(rig.metric('prometheus_rule_group_iterations_total{rule_group="rules.yml;g"}'), '4');
  answer();
  await loop.stop();
});

test('loops: stopping waits for the rule under way, and begins no other', async () => {
  const rig = new RuleRig();
  let answer = () => {};
  rig.answers.set('a', () => new Promise((resolve) => (answer = () => resolve([sample({}, 1)]))));
  const loop = new GroupLoop(rig.group({ ...GROUP, rules: [recording('b', 'a'), recording('c', 'b')] }), rig.clock);
  await turn(rig, FIRST_MS);
  let isStopped = false;
  const stopped = loop.stop().then(() => (isStopped = true));
  await settle();
  assert.equal(isStopped, false);
  answer();
  await stopped;
  assert.equal(rig.asked.length, 1);
  assert.deepEqual(rig.takeStored(), ['b 1']);
});

test('loops: a clock that is set back delays nothing', async () => {
  const rig = new RuleRig();
  let backMs = 0;
  const clock = {
    ...rig.clock,
    nowMs: () => rig.clock.nowMs() - backMs,
    monotonicMs: () => 0,
    after: rig.clock.after.bind(rig.clock),
  };
  const loop = new GroupLoop(rig.group(GROUP), clock);
  await turn(rig, FIRST_MS);
  backMs = 10 * MINUTE;
  await turn(rig, 2 * MINUTE);
  assert.deepEqual(
    rig.asked,
    [0, 1, 2].map((i) => `a@${(FIRST_MS + i * MINUTE) / 1000}`),
  );
  await loop.stop();
});

test('loops: for is restored after the second evaluation, and ALERTS_FOR_STATE written from then on', async () => {
  const rig = new RuleRig();
  const group = groupOf({ rules: [alerting('A', 'a', { holdMs: 30 * MINUTE })] });
  const beganMs = START_MS - 40 * MINUTE;
  const seen = sample({ __name__: 'ALERTS_FOR_STATE', alertname: 'A' }, beganMs / 1000);
  const selector = '{"__name__"="ALERTS_FOR_STATE","alertname"="A"}';
  rig.answers.set('a', () => [sample({}, 1)]);
  rig.answers.set(selector, (_timeMs, { lookbackMs }) => (lookbackMs === 3_600_000 ? [seen] : []));
  rig.answers.set(`timestamp(${selector})`, () => [sample({ alertname: 'A' }, START_MS / 1000 - 60)]);
  const loop = new GroupLoop(rig.group(group, false), rig.clock);
  await turn(rig, FIRST_MS + MINUTE);
  assert.deepEqual(rig.takeStored(), []);
  await turn(rig, MINUTE);
  assert.deepEqual(rig.takeStored(), [
    'ALERTS{alertname="A", alertstate="firing"} 1',
    `ALERTS_FOR_STATE{alertname="A"} ${beganMs / 1000}`,
  ]);
  await loop.stop();
});

function managed(rig: RuleRig): RuleManager {
  return new RuleManager(rig.world);
}

test('manager: a reload leaves groups alone that are the same', async () => {
  const rig = new RuleRig();
  const manager = managed(rig);
  await manager.apply([GROUP]);
  const [group] = manager.groups;
  await manager.apply([structuredClone(GROUP)]);
  assert.equal(manager.groups[0], group);
  await manager.stop();
});

test('manager: a changed group goes on with alerts and series, at its times', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({ i: '1' }, 1)]);
  const manager = managed(rig);
  const rules = [alerting('A', 'a', { holdMs: 90_000 })];
  await manager.apply([{ ...GROUP, rules }]);
  await turn(rig, FIRST_MS + MINUTE + 1000);
  const changed: GroupSpec = { ...GROUP, rules: [{ ...rules[0]!, annotations: ['text', 'new'] }] };
  await manager.apply([changed]);
  await turn(rig, MINUTE);
  const [alert] = manager.groups[0]!.alertingRules[0]!.alerts;
  assert.deepEqual(
    [alert!.state, alert!.annotations, alert!.activeAtMs],
    ['firing', ['text', 'new'], START_MS + FIRST_MS],
  );
  await manager.stop();
});

test('manager: a group that changes before for was restored restores it', async () => {
  const rig = new RuleRig();
  const rules = [alerting('A', 'a', { holdMs: 30 * MINUTE })];
  const manager = managed(rig);
  await manager.apply([{ ...GROUP, rules }]);
  await turn(rig, FIRST_MS);
  await manager.apply([{ ...GROUP, limit: 5, rules }]);
  assert.equal(manager.groups[0]!.isRestored, false);
  await turn(rig, 2 * MINUTE);
  assert.equal(manager.groups[0]!.isRestored, true);
  assert.equal(rig.asked.filter((query) => query.includes('ALERTS_FOR_STATE')).length, 2);
  await manager.stop();
});

test('manager: the series of a group that is gone end two intervals later, as of then', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({ i: '1' }, 1)]);
  const manager = managed(rig);
  await manager.apply([GROUP]);
  await turn(rig, FIRST_MS);
  rig.takeStored();
  await manager.apply([]);
  const goneMs = rig.clock.nowMs();
  assert.deepEqual(manager.groups, []);
  assert.equal(rig.metric('prometheus_rule_group_rules{rule_group="rules.yml;g"}'), undefined);
  await turn(rig, 2 * MINUTE - 1000);
  assert.equal(rig.stored.length, 0);
  await turn(rig, 1000);
  assert.deepEqual(
    rig.stored.map(({ timeMs, ended }) => [timeMs, ended.map(({ labels }) => keyOf(labels))]),
    [[goneMs, [keyOf(['__name__', 'b', 'i', '1'])]]],
  );
  await manager.stop();
});

test('manager: a stopped server ends no series', async () => {
  const rig = new RuleRig();
  rig.answers.set('a', () => [sample({ i: '1' }, 1)]);
  const manager = managed(rig);
  await manager.apply([GROUP]);
  await turn(rig, FIRST_MS);
  rig.takeStored();
  await manager.stop();
  await turn(rig, 5 * MINUTE);
  assert.deepEqual(rig.takeStored(), []);
});
