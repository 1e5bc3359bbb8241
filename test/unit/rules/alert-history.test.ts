import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pastAlerts } from '../../../src/rules/alert-history.js';

const LABELS = ['alertname', 'A', 'job', 'x'];
/** Samples each minute. */
function seriesOf(name: string, minutes: readonly number[], values: readonly number[], more: readonly string[] = []) {
  return {
    labels: ['__name__', name, 'alertname', 'A', ...more, 'job', 'x'],
    times: Float64Array.from(minutes, (minute) => minute * 60_000),
    values: Float64Array.from(values),
  };
}

const states = (minutes: readonly number[], values: readonly number[]) => [
  seriesOf('ALERTS_FOR_STATE', minutes, values),
];
const firing = (minutes: readonly number[]) => [
  seriesOf(
    'ALERTS',
    minutes,
    minutes.map(() => 1),
    ['alertstate', 'firing'],
  ),
];

const MINUTE = 60_000;

const CASES: readonly [
  name: string,
  found: ReturnType<typeof pastAlerts>,
  wanted: readonly (readonly [active: number, firing: number | undefined, seen: number, open: boolean])[],
][] = [
  ['none', pastAlerts([], [], 0), []],
  ['one that fires', pastAlerts(states([1, 2, 3, 4], [60, 60, 60, 60]), firing([3, 4]), 5 * MINUTE), [[1, 3, 4, true]]],
  [
    'one that was over',
    pastAlerts(states([1, 2, 3, 4], [60, 60, 60, 60]), firing([3, 4]), 9 * MINUTE),
    [[1, 3, 4, false]],
  ],
  ['one that only waited', pastAlerts(states([1, 2], [60, 60]), [], 9 * MINUTE), [[1, undefined, 2, false]]],
  [
    'two, by their beginnings, the newest first',
    pastAlerts(states([1, 2, 3, 5, 6], [60, 60, 60, 300, 300]), firing([2, 3]), 7 * MINUTE),
    [
      [5, undefined, 6, true],
      [1, 2, 3, false],
    ],
  ],
  ['one from before', pastAlerts(states([10, 11], [120, 120]), firing([10, 11]), 11 * MINUTE), [[2, 10, 11, true]]],
];

for (const [name, found, wanted] of CASES) {
  test(`alert history: ${name}`, () => {
    assert.deepEqual(
      found.map(({ activeAtMs, firingAtMs, lastSeenMs, isOpen }) => [
        activeAtMs / MINUTE,
        firingAtMs && firingAtMs / MINUTE,
        lastSeenMs / MINUTE,
        isOpen,
      ]),
      wanted,
    );
    for (const { labels } of found) assert.deepEqual(labels, LABELS);
  });
}
