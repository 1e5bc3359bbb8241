import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BlockFault, type BlockMeta } from '../../../src/tsdb/block/contract.js';
import { formatMeta, parseMeta } from '../../../src/tsdb/block/meta.js';
import { testdata } from '../../support/testdata.js';

const ULID = '01M7Y0DYVRQYB5RRVPA5E1T2RB';

test('meta: a recorded file is read and printed as it was', () => {
  const text = readFileSync(testdata(`blocks/killed/${ULID}/meta.json`), 'utf8');
  const meta = parseMeta(text, 'meta.json');
  assert.equal(meta.ulid, ULID);
  assert.deepEqual([meta.minTimeMs, meta.maxTimeMs], [1769817600000, 1769824800000]);
  assert.deepEqual(
    [meta.stats.samples, meta.stats.series, meta.stats.chunks, meta.stats.tombstones],
    [34656, 74, 296, 2],
  );
  assert.deepEqual([meta.compaction.level, meta.compaction.sources], [1, [ULID]]);
  assert.equal(formatMeta(meta), text);
});

test('meta: all fields survive the way through the file', () => {
  const meta: BlockMeta = {
    ulid: ULID,
    minTimeMs: -7200000,
    maxTimeMs: 0,
    stats: { samples: 9, series: 2, chunks: 3, floatSamples: 5, histogramSamples: 4, tombstones: 1 },
    compaction: {
      level: 3,
      sources: ['A', 'B'],
      parents: [{ ulid: 'A', minTimeMs: -7200000, maxTimeMs: -1 }],
      deletable: true,
      failed: true,
      hints: ['from-out-of-order'],
    },
    version: 1,
  };
  assert.deepEqual(parseMeta(formatMeta(meta), 'meta.json'), meta);
});

test("meta: what another program put there is passed over, and so is an object's own property of a bad name", () => {
  const more = '"thanos": {"labels": {}}, "__proto__": {"version": 2}';
  const text = `{"ulid": "A", "minTime": 1, "maxTime": 2, "stats": {}, "compaction": {"level": 1}, "version": 1, ${more}}`;
  const meta = parseMeta(text, 'meta.json');
  assert.equal(meta.version, 1);
  assert.doesNotMatch(formatMeta(meta), /thanos/);
});

const good = { ulid: 'A', minTime: 1, maxTime: 2, stats: {}, compaction: { level: 1 }, version: 1 };

const BAD: [change: unknown, message: string][] = [
  [null, 'm: file: not an object'],
  [[], 'm: file: not an object'],
  [{ ...good, version: 2 }, 'm: version: 2, only 1 is read'],
  [{ ...good, version: undefined }, 'm: version: not a whole number'],
  [{ ...good, ulid: 7 }, 'm: ulid: not a string'],
  [{ ...good, minTime: '1' }, 'm: minTime: not a whole number'],
  [{ ...good, minTime: 1.5 }, 'm: minTime: not a whole number'],
  [{ ...good, minTime: 3 }, 'm: minTime: 3 is behind maxTime 2'],
  [{ ...good, stats: undefined }, 'm: stats: not an object'],
  [{ ...good, stats: { numSamples: 'many' } }, 'm: stats.numSamples: not a whole number'],
  [{ ...good, compaction: { level: 1, sources: [1] } }, 'm: compaction.sources: not a list of strings'],
  [{ ...good, compaction: { level: 1, sources: 'A' } }, 'm: compaction.sources: not a list'],
  [{ ...good, compaction: { level: 1, failed: 1 } }, 'm: compaction.failed: neither true nor false'],
  [{ ...good, compaction: { level: 1, parents: [{}] } }, 'm: compaction.parents.ulid: not a string'],
];

for (const [value, message] of BAD) {
  test(`meta: ${message}`, () => {
    assert.throws(() => parseMeta(JSON.stringify(value), 'm'), { name: 'BlockFault', message });
  });
}

test('meta: every beginning of a file, and the file with a byte changed, is a fault or a description', () => {
  const text = readFileSync(testdata(`blocks/killed/${ULID}/meta.json`));
  for (let at = 0; at < text.length; at++) {
    const broken = Buffer.from(text);
    broken[at]! ^= 1 << (at % 8);
    for (const bytes of [text.subarray(0, at), broken]) {
      try {
        parseMeta(bytes.toString(), 'm');
      } catch (error) {
        assert.ok(error instanceof BlockFault, `byte ${at}: ${error}`);
      }
    }
  }
});
