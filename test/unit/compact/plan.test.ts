import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockMeta, Compaction } from '../../../src/tsdb/block/contract.js';
import { blockRanges, planCompaction } from '../../../src/tsdb/compact/plan.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Extra extends Partial<Compaction> {
  readonly series?: number;
  readonly tombstones?: number;
}

/** A block of these bounds; they are its name. */
function block(min: number, max: number, { series = 10, tombstones = 0, ...compaction }: Extra = {}): BlockMeta {
  return {
    ulid: `${min}-${max}`,
    minTimeMs: min,
    maxTimeMs: max,
    stats: { samples: 1, series, chunks: 1, tombstones },
    compaction: { level: 1, sources: [], ...compaction },
    version: 1,
  };
}

const LATE = { hints: ['from-out-of-order'] };

const RANGES = [20, 60, 180, 540, 1620];

/** Known answers; the first dozen are cases of Prometheus's own planner. */
const cases: [what: string, blocks: BlockMeta[], want: string[]][] = [
  ['nothing of nothing', [], []],
  [
    'late blocks beyond the others are not merged with them: the head is still there',
    [block(0, 20), block(20, 40), block(40, 60, LATE), block(60, 80, LATE)],
    [],
  ],
  [
    'nor where they overlap the last of them; among themselves they are',
    [block(0, 20), block(20, 30), block(20, 40, LATE), block(20, 41, LATE)],
    ['20-40', '20-41'],
  ],
  ['until the others reach as far', [block(0, 20), block(20, 40), block(20, 40, LATE)], ['20-40', '20-40']],
  ['a single block', [block(0, 20)], []],
  ['two blocks: the newest is left alone', [block(0, 20), block(20, 40)], []],
  ['a range filled, but its last block is the newest', [block(0, 20), block(20, 40), block(40, 60)], []],
  [
    'a range filled, and a newer block',
    [block(0, 20), block(20, 40), block(40, 60), block(60, 80)],
    ['0-20', '20-40', '40-60'],
  ],
  [
    'a gap in it does not matter where newer blocks are',
    [block(0, 20), block(40, 60), block(60, 80)],
    ['0-20', '40-60'],
  ],
  [
    'the first two do not span the range, the newest is in it',
    [block(0, 20), block(20, 40), block(40, 60, { failed: true })],
    [],
  ],
  ['the older incomplete range', [block(0, 20), block(20, 40), block(60, 80), block(80, 100)], ['0-20', '20-40']],
  [
    'small ranges go before large ones',
    [block(0, 60), block(60, 120), block(120, 180), block(180, 200), block(200, 220), block(220, 240), block(240, 260)],
    ['180-200', '200-220', '220-240'],
  ],
  [
    'a range of the next level',
    [block(0, 60), block(60, 120), block(120, 180), block(180, 200)],
    ['0-60', '60-120', '120-180'],
  ],
  [
    'one of another size in it',
    [block(0, 20), block(20, 40), block(40, 60), block(60, 120), block(120, 140), block(140, 200)],
    ['0-20', '20-40', '40-60'],
  ],
  [
    'one across the end of its range is in none',
    [block(20, 40), block(50, 70), block(80, 100), block(100, 120), block(120, 140), block(140, 160)],
    ['80-100', '100-120'],
  ],
  [
    'a failed one keeps its range from being tried again',
    [block(0, 20), block(20, 40, { failed: true }), block(40, 60), block(60, 80)],
    [],
  ],
  [
    'and another range goes on',
    [block(0, 20), block(20, 40, { failed: true }), block(60, 80), block(80, 100), block(100, 120), block(120, 140)],
    ['60-80', '80-100', '100-120'],
  ],
  [
    'times before 1970',
    [block(-60, -40), block(-40, -20), block(-20, 0), block(0, 20)],
    ['-60--40', '-40--20', '-20-0'],
  ],
  ['overlapping blocks, the newest too', [block(0, 20), block(19, 40), block(40, 60)], ['0-20', '19-40']],
  ['in any order', [block(40, 60), block(19, 40), block(0, 20)], ['0-20', '19-40']],
  ['the newest over the one before', [block(0, 20), block(20, 40), block(30, 50)], ['20-40', '30-50']],
  [
    'by way of a long one',
    [block(0, 100), block(10, 20), block(30, 40), block(100, 120), block(110, 130)],
    ['0-100', '10-20', '30-40'],
  ],
  ['one inside the other', [block(0, 60), block(20, 40), block(60, 80)], ['0-60', '20-40']],
  ['the same time twice', [block(0, 20), block(0, 20), block(20, 40)], ['0-20', '0-20']],
  ['overlaps go though one of them failed', [block(0, 20, { failed: true }), block(19, 40)], ['0-20', '19-40']],
  ['much deleted of a large one', [block(0, 540, { tombstones: 3 }), block(540, 600), block(1620, 1640)], []],
  [
    'of a large one, and the others are large too',
    [block(0, 540, { tombstones: 3 }), block(540, 1080, { tombstones: 0 }), block(1620, 1640)],
    ['0-540'],
  ],
  ['little deleted', [block(0, 540, { series: 100, tombstones: 5 }), block(1620, 1640)], []],
  ['a little more', [block(0, 540, { series: 100, tombstones: 6 }), block(1620, 1640)], ['0-540']],
  ['a small one with something deleted waits', [block(0, 20, { tombstones: 9 }), block(20, 40)], []],
  ['unless all of it seems to be deleted', [block(0, 20, { tombstones: 10 }), block(20, 40)], ['0-20']],
  ['never the newest', [block(0, 540, { tombstones: 100 })], []],
  [
    'blocks of part of the series are merged among themselves, after the others',
    [
      block(0, 20, { hints: ['from-stale-series'] }),
      block(5, 25, { hints: ['from-stale-series'] }),
      block(0, 20),
      block(20, 40),
    ],
    ['0-20', '5-25'],
  ],
  [
    'and not with whole ones that they overlap',
    [block(0, 20, { hints: ['from-selected-series'] }), block(0, 20, { hints: ['from-stale-series'] }), block(0, 20)],
    [],
  ],
  [
    'out-of-order blocks are merged with the others',
    [block(0, 20, { hints: ['from-out-of-order'] }), block(0, 20), block(20, 40)],
    ['0-20', '0-20'],
  ],
];

for (const [what, blocks, want] of cases) {
  test(`plan: ${what}`, () => {
    assert.deepEqual(
      planCompaction(blocks, RANGES).map(({ ulid }) => ulid),
      want,
    );
  });
}

test('plan: with one level only overlaps are merged', () => {
  const blocks = [block(0, 20), block(20, 40), block(40, 60), block(60, 80)];
  assert.deepEqual(planCompaction(blocks, [20]), []);
});

test('plan: what is planned is merged in the end, whatever the blocks are', () => {
  let blocks = Array.from({ length: 100 }, (_, i) => block(i * 20, i * 20 + 20)).filter((_, i) => i % 7 !== 3);
  for (let round = 0; ; round++) {
    assert.ok(round < 200, 'no end');
    const planned = planCompaction(blocks, RANGES);
    if (planned.length === 0) break;
    assert.ok(!planned.includes(blocks.at(-1)!));
    const merged = block(planned[0]!.minTimeMs, planned.at(-1)!.maxTimeMs);
    blocks = [...blocks.filter((one) => !planned.includes(one)), merged].sort((a, b) => a.minTimeMs - b.minTimeMs);
  }
  assert.deepEqual(
    blocks.map(({ ulid }) => ulid),
    ['0-1600', '1620-1800', '1800-1980', '1980-2000'],
  );
});

const ranges: [what: string, shortest: number, longest: number, kept: number, want: number[]][] = [
  ['fifteen days', 2 * HOUR_MS, 0, 15 * DAY_MS, [2, 6, 18]],
  ['for ever: up to 31 days', 2 * HOUR_MS, 0, 0, [2, 6, 18, 54, 162, 486]],
  ['two years', 2 * HOUR_MS, 0, 730 * DAY_MS, [2, 6, 18, 54, 162, 486]],
  ['an hour: no shorter than the shortest', 2 * HOUR_MS, 0, HOUR_MS, [2]],
  ['the longest given', 2 * HOUR_MS, 6 * HOUR_MS, 730 * DAY_MS, [2, 6]],
  ['the longest below the shortest', 2 * HOUR_MS, HOUR_MS, 0, [2]],
];
for (const [what, shortest, longest, kept, want] of ranges) {
  test(`ranges: ${what}`, () => {
    assert.deepEqual(
      blockRanges(shortest, longest, kept).map((range) => range / HOUR_MS),
      want,
    );
  });
}
