// Sifting samples in the core beside the filter in TypeScript, which does it entry by entry.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { emptyFilterStats, filterRecord } from '../../../src/tsdb/wal/filter.js';
import { LiveRefs } from '../../../src/tsdb/wal/live-refs.js';
import { encodeSamples, RecordType } from '../../../src/tsdb/wal/record.js';
import type { Core } from '../../../src/wasm/core.js';
import { Sift } from '../../../src/wasm/sift.js';
import { hex, testCore } from '../../support/wal.js';

const core = testCore();

/** What both make of a record: its bytes, or what is wrong, and what was counted. */
function both(
  on: Core,
  sift: Sift,
  live: LiveRefs,
  mint: number,
  record: Uint8Array,
): [sifted: string, filtered: string] {
  const address = on.exports.heap_alloc(Math.max(1, record.length)) >>> 0;
  on.bytes.set(record, address);
  const kept = sift.run(address, record.length);
  const sifted = typeof kept === 'string' ? kept : `${hex(kept!)} of ${sift.samples} less ${sift.dropped}`;
  on.exports.heap_free(address, Math.max(1, record.length));
  const stats = emptyFilterStats();
  const left = filterRecord(record, { series: () => true, elsewhereTo: (ref) => live.elsewhereTo(ref), mint }, stats);
  const filtered = `${left === undefined ? '' : hex(left)} of ${stats.samples} less ${stats.samplesDropped}`;
  return [sifted, stats.malformedDropped > 0 ? 'malformed' : filtered];
}

test('random records, whole, cut off and damaged at every byte: what the filter keeps', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Prng(seed);
    const least = random.pick([1, 5, 2 ** 33]);
    const pairs = Array.from({ length: 40 }, (_, i) => [
      least + i + random.int(2) * 40,
      random.pick([Number.NEGATIVE_INFINITY, random.int(2000)]),
    ]).filter(() => random.float() < 0.8);
    const live = new LiveRefs([new Float64Array(pairs.flat()).buffer]);
    assert.ok(live.times);
    const mint = random.pick([Number.NEGATIVE_INFINITY, 0, 1000]);
    const sift = Sift.open(core, live.times, mint)!;
    const samples = Array.from({ length: random.int(40) }, () => ({
      ref: Math.max(0, least + random.int(120) - 20),
      timeMs: random.int(3000) - 500,
      bits: BigInt(random.u32()) << 30n,
    }));
    const record = encodeSamples(samples);
    const [sifted, filtered] = both(core, sift, live, mint, record);
    assert.equal(sifted, filtered, `seed ${seed}`);
    for (let at = 1; at < record.length; at++) {
      const cut = record.slice(0, at);
      assert.equal(...both(core, sift, live, mint, cut), `seed ${seed}, cut at ${at}`);
      // Times and refs that numbers cannot hold are rounded by one of the two: of the base only low bytes are damaged.
      if (at < 8 || (at >= 9 && at < 15)) continue;
      const damaged = record.slice();
      damaged[at]! ^= 1 << random.int(8);
      assert.equal(...both(core, sift, live, mint, damaged), `seed ${seed}, damaged at ${at}`);
    }
    sift.release();
  }
});

test('an empty record, one with a base alone, a ref beyond numbers', () => {
  const live = new LiveRefs([new Float64Array([1, 5]).buffer]);
  const sift = Sift.open(core, live.times!, 0)!;
  const base = new Uint8Array(17);
  base[0] = RecordType.Samples;
  for (const bytes of [1, 2, 16, 17]) assert.equal(...both(core, sift, live, 0, base.slice(0, bytes)));
  base[1] = 0x20;
  assert.equal(...both(core, sift, live, 0, Uint8Array.of(...base, 0, 0, ...new Uint8Array(8))));
  sift.release();
});
