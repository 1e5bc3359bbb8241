import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoredStart } from '../../../src/rules/restoring.js';
import { alerting, RuleRig, START_MS, sample } from '../../support/rules.js';

const MINUTE = 60_000;

/** Minutes: when it was found, when it was seen last, `for`, the grace period; when it counts as found at minute 100. */
const CASES: readonly [name: string, found: number, seen: number, hold: number, grace: number, want: number][] = [
  ['it fired already', 10, 90, 30, 10, 10],
  ['it was about to fire', 60, 85, 30, 10, 80],
  ['it had waited a little: the time down does not count', 60, 80, 60, 10, 80],
  ['exactly the grace period is left', 60, 80, 30, 10, 80],
];

for (const [name, found, seen, hold, grace, want] of CASES) {
  test(`restoring: ${name}`, () => {
    const state = { activeAtMs: found * MINUTE, lastSeenMs: seen * MINUTE };
    const times = { nowMs: 100 * MINUTE, graceMs: grace * MINUTE };
    assert.equal(restoredStart(state, hold * MINUTE, times) / MINUTE, want);
  });
}

const SELECTOR = '{"__name__"="ALERTS_FOR_STATE","alertname"="A","severity"="page"}';

test('restoring: only alerts that are stored with the same labels', async () => {
  const rig = new RuleRig();
  const labels = ['severity', 'page', 'text', 'is {{ $labels.i }}'];
  const group = rig.group({ rules: [alerting('A', 'a', { holdMs: 60 * MINUTE, labels })] }, false);
  rig.answers.set('a', () => [sample({ i: '1' }, 1), sample({ i: '2' }, 1)]);
  await group.evaluate(START_MS);
  const own = { alertname: 'A', severity: 'page', text: 'is {{ $labels.i }}' };
  const state = { __name__: 'ALERTS_FOR_STATE', ...own, i: '1' };
  rig.answers.set(SELECTOR, () => [sample(state, START_MS / 1000 - 1200)]);
  rig.answers.set(`timestamp(${SELECTOR})`, () => [sample({ ...own, i: '1' }, START_MS / 1000 - 600)]);
  await group.restore();
  const starts = [...group.alertingRules[0]!.alerts].map(({ activeAtMs }) => (activeAtMs - START_MS) / MINUTE);
  assert.deepEqual(starts, [-10, 0]);
  assert.equal(group.isRestored, true);
});

test('restoring: a rule whose for is shorter than the grace period is not', async () => {
  const rig = new RuleRig();
  const group = rig.group({ rules: [alerting('A', 'a', { holdMs: 5 * MINUTE })] }, false);
  await group.restore();
  assert.deepEqual(rig.asked, []);
  assert.equal(group.isRestored, true);
});

test('restoring: where storage cannot be asked, alerts go on as they were found', async () => {
  const rig = new RuleRig();
  const group = rig.group({ rules: [alerting('A', 'a', { holdMs: 60 * MINUTE })] }, false);
  rig.answers.set('{"__name__"="ALERTS_FOR_STATE","alertname"="A"}', () => {
    throw new Error('no storage');
  });
  await group.restore();
  assert.equal(group.isRestored, true);
  assert.match(rig.lines.join(), /Failed to restore 'for' state.*no storage/);
});
