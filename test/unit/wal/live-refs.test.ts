import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { emptyFilterStats, filterRecord } from '../../../src/tsdb/wal/filter.js';
import { LiveRefs } from '../../../src/tsdb/wal/live-refs.js';
import { decodeSamples, encodeSamples } from '../../../src/tsdb/wal/record.js';

test('live refs: dense and sparse ones are found with their times, others are not', () => {
  for (const spread of [2, 1000]) {
    const random = new Prng(spread);
    const times = new Map(
      Array.from({ length: 300 }, () => [1 + random.int(300 * spread), random.pick([-Infinity, random.int(1000)])]),
    );
    const pairs = [...times].flat();
    const buffers = [pairs.slice(0, 200), pairs.slice(200)].map((part) => new Float64Array(part).buffer);
    const refs = new LiveRefs(buffers);
    for (let ref = 0; ref < 320 * spread; ref++) {
      assert.equal(refs.has(ref), times.has(ref));
      assert.equal(refs.elsewhereTo(ref), times.get(ref) ?? Infinity);
    }
  }
  assert.equal(new LiveRefs([]).has(1), false);
});

test('a checkpoint drops the samples that are elsewhere, by series', () => {
  const samples = [1, 2, 3].flatMap((ref) => [10, 20, 30].map((timeMs) => ({ ref, timeMs, bits: BigInt(timeMs) })));
  const to = new Map([
    [1, 20],
    [2, -Infinity],
    [3, 30],
  ]);
  const stats = emptyFilterStats();
  const keep = { series: () => true, elsewhereTo: (ref: number) => to.get(ref)!, mint: 15 };
  const kept = filterRecord(encodeSamples(samples), keep, stats);
  const left = samples.filter(({ ref, timeMs }) => timeMs >= 15 && timeMs > to.get(ref)!);
  assert.deepEqual(decodeSamples(kept!), left);
  assert.equal(stats.samplesDropped, samples.length - left.length);
});
