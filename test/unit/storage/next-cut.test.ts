// Which range of the head is due.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextCut } from '../../../src/server/storage/next-cut.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NONE = Number.POSITIVE_INFINITY;

/** Hours; undefined stands for nothing due. */
const cases: [
  name: string,
  span: { oldest: number; newest: number; floor?: number },
  isCrowded: boolean,
  want: [min: number, max: number] | undefined,
][] = [
  ['an empty head', { oldest: NONE, newest: -NONE }, true, undefined],
  ['samples of an hour', { oldest: 10, newest: 11 }, false, undefined],
  ['three hours exactly', { oldest: 10, newest: 13 }, false, undefined],
  ['more than three hours', { oldest: 10, newest: 13.001 }, false, [10, 12]],
  ['not aligned', { oldest: 10.7, newest: 13.9 }, false, [10, 12]],
  ['behind by a day', { oldest: 10.7, newest: 34 }, false, [10, 12]],
  ['before 1970', { oldest: -3.5, newest: 0 }, false, [-4, -2]],
  ['behind a block that ends within the range', { oldest: 10.7, newest: 13.9, floor: 10.5 }, false, [10.5, 12]],
  ['behind older blocks', { oldest: 10.7, newest: 13.9, floor: 4 }, false, [10, 12]],
  ['crowded, a whole range is there', { oldest: 10.7, newest: 12.1 }, true, [10, 12]],
  ['crowded, within one range', { oldest: 10, newest: 11 }, true, [10, 10.5]],
  ['crowded, within one range behind a block', { oldest: 10.5, newest: 11.5, floor: 10.5 }, true, [10.5, 11]],
  ['crowded, and almost nothing there', { oldest: 10, newest: 10.1 }, true, undefined],
];

for (const [name, { oldest, newest, floor = -NONE }, isCrowded, want] of cases) {
  test(`${name}: ${want === undefined ? 'nothing' : want.join(' to ')}`, () => {
    const span = { oldestMs: oldest * HOUR, newestMs: newest * HOUR, floorMs: floor * HOUR };
    const range = nextCut(span, 2 * HOUR, isCrowded);
    assert.deepEqual(range && [range.minTimeMs / HOUR, range.maxTimeMs / HOUR], want);
  });
}

test('a range holds its oldest sample and ends before the newest, whatever the span', () => {
  for (let minutes = 0; minutes < 400; minutes += 7) {
    for (const rangeMs of [2000, 10 * MINUTE, 2 * HOUR]) {
      const oldestMs = 1_000_003 * minutes;
      const newestMs = oldestMs + minutes * MINUTE;
      const range = nextCut({ oldestMs, newestMs, floorMs: oldestMs - 5 }, rangeMs, true);
      if (range === undefined) continue;
      assert.ok(range.minTimeMs <= oldestMs && oldestMs < range.maxTimeMs);
      assert.ok(range.maxTimeMs <= newestMs);
    }
  }
});
