import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { isStaleHistogram, sameStored } from '../../../src/model/stored-histogram.js';
import { BytesError } from '../../../src/tsdb/bytes.js';
import { emptyFilterStats, filterRecord } from '../../../src/tsdb/wal/filter.js';
import {
  decodeHistogramRecord,
  encodeHistogramRecord,
  type HistogramEntry,
  histogramRecordType,
} from '../../../src/tsdb/wal/histogram-record.js';
import type { RecordType } from '../../../src/tsdb/wal/record.js';
import { generateStored } from '../../support/stored-histograms.js';

function records(seed: number): [type: RecordType, entries: HistogramEntry[]][] {
  const random = new Prng(seed);
  const byType = new Map<RecordType, HistogramEntry[]>();
  for (const histogram of generateStored(random, seed % 2 === 0, 40)) {
    const type = histogramRecordType(histogram);
    const entries = byType.get(type) ?? [];
    entries.push({ ref: random.int(1000), timeMs: 1e12 + random.int(100_000), histogram });
    byType.set(type, entries);
  }
  return [...byType];
}

test('histogram records: back to what they were, and as long as a checkpoint takes them to be (seeds 1 … 100)', () => {
  for (let seed = 1; seed <= 100; seed++) {
    for (const [type, entries] of records(seed)) {
      const record = encodeHistogramRecord(type, entries);
      const decoded = decodeHistogramRecord(record);
      assert.equal(decoded.length, entries.length);
      decoded.forEach(({ ref, timeMs, histogram }, i) => {
        assert.deepEqual([ref, timeMs], [entries[i]!.ref, entries[i]!.timeMs]);
        assert.ok(sameStored(histogram, entries[i]!.histogram), `seed ${seed}`);
        if (!isStaleHistogram(histogram)) assert.equal(histogram.hint, entries[i]!.histogram.hint);
      });
      const stats = emptyFilterStats();
      const mint = 1e12 + 50_000;
      const kept = filterRecord(record, { series: () => true, mint }, stats);
      const left = kept === undefined ? [] : decodeHistogramRecord(kept);
      assert.deepEqual(
        left.map(({ timeMs }) => timeMs),
        entries.filter(({ timeMs }) => timeMs >= mint).map(({ timeMs }) => timeMs),
      );
      assert.equal(stats.malformedDropped, 0);
    }
  }
});

test('histogram records: damaged ones are malformed or others, never more', () => {
  const random = new Prng(3);
  for (const [type, entries] of records(7)) {
    const record = encodeHistogramRecord(type, entries);
    for (let i = 0; i < 2000; i++) {
      const bad = record.slice(0, random.int(2) === 0 ? 1 + random.int(record.length) : record.length);
      for (let flips = random.int(3); flips > 0; flips--) bad[1 + random.int(bad.length - 1)]! ^= 1 << random.int(8);
      try {
        decodeHistogramRecord(bad);
      } catch (error) {
        if (!(error instanceof BytesError)) throw error;
      }
    }
  }
});
