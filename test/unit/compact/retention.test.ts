import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesKept, expiredBlocks, type Retention, type StoredBlock } from '../../../src/tsdb/compact/retention.js';

function stored(min: number, max: number, bytes = 100, deletable = false): StoredBlock {
  const meta = {
    ulid: `${min}-${max}`,
    minTimeMs: min,
    maxTimeMs: max,
    stats: { samples: 1, series: 1, chunks: 1 },
    compaction: { level: 1, sources: [], deletable },
    version: 1 as const,
  };
  return { meta, bytes };
}

const BLOCKS = [stored(0, 100), stored(100, 200), stored(200, 300), stored(300, 400)];
const NONE = { timeMs: 0, bytes: 0, percentage: 0 };

const cases: [what: string, blocks: StoredBlock[], retention: Partial<Retention>, head: number, want: object][] = [
  ['nothing without limits', BLOCKS, {}, 1e9, {}],
  ['nothing of nothing', [], { timeMs: 1, bytes: 1 }, 1e9, {}],
  ['time: from the end of the newest', BLOCKS, { timeMs: 200 }, 0, { byTime: ['100-200', '0-100'] }],
  ['time: a millisecond more keeps one more', BLOCKS, { timeMs: 201 }, 0, { byTime: ['0-100'] }],
  ['time: the newest stays', BLOCKS.slice(0, 1), { timeMs: 1 }, 0, {}],
  ['time: two that end together stay together', [stored(0, 100), stored(50, 100)], { timeMs: 1 }, 0, {}],
  ['size: exactly fits', BLOCKS, { bytes: 400 }, 0, {}],
  ['size: oldest first', BLOCKS, { bytes: 399 }, 0, { bySize: ['0-100'] }],
  ['size: the head counts', BLOCKS, { bytes: 400 }, 101, { bySize: ['100-200', '0-100'] }],
  ['size: the head may push out all', BLOCKS.slice(0, 2), { bytes: 400 }, 400, { bySize: ['100-200', '0-100'] }],
  [
    'size: what is older than one too large goes as well',
    [stored(0, 100, 1), stored(100, 200, 500), stored(200, 300, 1)],
    { bytes: 100 },
    0,
    { bySize: ['100-200', '0-100'] },
  ],
  ['percentage goes before size', BLOCKS, { bytes: 1, percentage: 30 }, 0, { bySize: ['0-100'] }],
  ['deletable ones', [stored(0, 100, 1, true), stored(100, 200)], {}, 0, { deletable: ['0-100'] }],
  ['the order given does not matter', [...BLOCKS].reverse(), { timeMs: 300 }, 0, { byTime: ['0-100'] }],
];

for (const [what, blocks, retention, headBytes, want] of cases) {
  test(`retention: ${what}`, () => {
    const expired = expiredBlocks(blocks, { ...NONE, ...retention }, { headBytes, diskBytes: 1000 });
    const names = Object.entries(expired).map(([why, list]: [string, StoredBlock[]]) => [
      why,
      list.map(({ meta }) => meta.ulid),
    ]);
    assert.deepEqual(Object.fromEntries(names), { deletable: [], byTime: [], bySize: [], ...want });
  });
}

test('retention: a share of a disk whose size is not known falls back to the size', () => {
  assert.equal(bytesKept({ timeMs: 0, bytes: 7, percentage: 50 }, 0), 7);
  assert.equal(bytesKept({ timeMs: 0, bytes: 7, percentage: 50 }, 1001), 500);
});
