import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storageSection } from '../../../src/config/storage.js';
import { retentionOf } from '../../../src/server/retention.js';

const DAY_MS = 86_400_000;
const given = { time: '', sizeBytes: 0, percentage: 0 };

const cases: [
  what: string,
  config: Partial<typeof given> | undefined,
  timeMs: number,
  bytes: number,
  want: number[],
][] = [
  ['nothing said: 15 days', undefined, 0, 0, [15 * DAY_MS, 0, 0]],
  ['time by flag', undefined, DAY_MS, 0, [DAY_MS, 0, 0]],
  ['a size alone: for ever', undefined, 0, 5, [0, 5, 0]],
  ['both', undefined, DAY_MS, 5, [DAY_MS, 5, 0]],
  ['the file goes before flags, wholly', { time: '1w' }, DAY_MS, 5, [7 * DAY_MS, 0, 0]],
  ['an empty section is no limit', {}, DAY_MS, 5, [0, 0, 0]],
  ['size and percentage', { sizeBytes: 7, percentage: 12.5 }, 0, 0, [0, 7, 12.5]],
];
for (const [what, section, storageRetentionMs, storageRetentionBytes, [timeMs, bytes, percentage]] of cases) {
  test(`retention: ${what}`, () => {
    const defaults = storageSection.defaults();
    const tsdb = section && {
      outOfOrderTimeWindowMs: 0,
      staleSeriesCompactionThreshold: 0,
      chunkEncoding: undefined,
      retention: { ...given, ...section },
    };
    const retention = retentionOf({ ...defaults, tsdb }, { storageRetentionMs, storageRetentionBytes });
    assert.deepEqual(retention, { timeMs, bytes, percentage });
  });
}
