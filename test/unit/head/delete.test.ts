// Deleting samples: the head against arrays of samples, whatever lies at the edges of the range.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { encodeSamples, encodeSeries, encodeTombstones } from '../../../src/tsdb/wal/record.js';
import type { SeriesIndex } from '../../../src/wasm/head.js';
import { DELETED_FIELDS } from '../../../src/wasm/head.js';
import { HeadRig, type RawSample } from '../../support/head.js';

const LABELS = ['__name__', 'x'];
const KEY = LABELS.join('\0');
const PAGES_MAX = 65_536;
const HOUR = 3_600_000;

/** Deletes of all series; gives [ref, from, to] of each that lost samples. */
function deleteAll(rig: HeadRig, minTimeMs: number, maxTimeMs: number): number[][] {
  const list = rig.select.anyOf([]);
  try {
    const { intervals, handled } = rig.head.deleteSamples(list.address, list.count, minTimeMs, maxTimeMs);
    assert.equal(handled, list.count);
    return Array.from({ length: intervals.length / DELETED_FIELDS }, (_, i) => [
      ...intervals.subarray(i * DELETED_FIELDS, (i + 1) * DELETED_FIELDS),
    ]);
  } finally {
    rig.select.release(list);
  }
}

function samplesOf(rig: HeadRig, key = KEY): RawSample[] {
  return rig.allSamples(0).get(key) ?? [];
}

/** A series of `count` samples, a second apart from time 1000 on, their value their number. */
function filled(count: number): HeadRig {
  const rig = new HeadRig();
  const series = rig.create(LABELS);
  for (let i = 0; i < count; i++) rig.sample(series, 1000 * (i + 1), BigInt(i + 1));
  return rig;
}

const RANGES: [name: string, from: number, to: number, left: (second: number) => boolean, interval: number[]][] = [
  ['the whole', -Infinity, Infinity, () => false, [1000, 300_000]],
  ['the first', -Infinity, 1000, (s) => s > 1, [1000, 1000]],
  ['the newest', 300_000, 300_000, (s) => s < 300, [300_000, 300_000]],
  ['the newest and what is to come', 250_500, Infinity, (s) => s <= 250, [251_000, 300_000]],
  ['within one chunk', 5000, 9999, (s) => s < 5 || s > 9, [5000, 9000]],
  ['over several chunks', 50_000, 290_000, (s) => s < 50 || s > 290, [50_000, 290_000]],
];

for (const [name, from, to, left, interval] of RANGES) {
  test(`${name}: the others stay, with their values; what was deleted is told`, () => {
    const rig = filled(300);
    assert.deepEqual(deleteAll(rig, from, to), [[1, ...interval]]);
    const want = Array.from({ length: 300 }, (_, i) => i + 1).filter(left);
    assert.deepEqual(
      samplesOf(rig).map(({ timeMs, bits }) => [timeMs / 1000, Number(bits)]),
      want.map((second) => [second, second]),
    );
    assert.equal(rig.head.counters.samplesDeleted, 300 - want.length);
    assert.deepEqual(deleteAll(rig, from, to), [], 'again: nothing is left to delete');
  });
}

test('between samples, before and behind: nothing is deleted and nothing changes', () => {
  const rig = filled(300);
  const before = samplesOf(rig);
  for (const [from, to] of [
    [1001, 1999],
    [-Infinity, 999],
    [300_001, Infinity],
    [9000, 5000],
  ] as const)
    assert.deepEqual(deleteAll(rig, from, to), []);
  assert.deepEqual(samplesOf(rig), before);
});

test('samples that come later, at the same times too, are new ones', () => {
  const rig = filled(10);
  deleteAll(rig, 5000, Infinity);
  const series = rig.find(LABELS);
  for (const second of [6, 8, 20]) rig.sample(series, second * 1000, BigInt(second + 100));
  assert.deepEqual(
    samplesOf(rig).map(({ timeMs, bits }) => [timeMs / 1000, Number(bits)]),
    [...[1, 2, 3, 4].map((second) => [second, second]), [6, 106], [8, 108], [20, 120]],
  );
});

test('a series that lost all its samples leaves when they would have, and its memory is given back', () => {
  const rig = new HeadRig();
  const other = rig.create(['__name__', 'y']);
  rig.sample(other, 1_000_000);
  let before = 0;
  for (let round = 0; round < 40; round++) {
    // What the first rounds carve for their sizes stays carved.
    if (round === 2) before = rig.core.heldBytes;
    const series = rig.create(LABELS);
    for (let i = 0; i < 500; i++) rig.sample(series, 2000 + i * 1000, BigInt(i) * 0x1234_5678_9abcn);
    const list = rig.select.anyOf([[{ op: '=', name: '__name__', value: 'x' }]]);
    rig.head.deleteSamples(list.address, list.count, -Infinity, Infinity);
    rig.select.release(list);
    assert.deepEqual([...rig.allSamples(0).keys()], ['__name__\0y']);
    rig.truncate(501_000);
    assert.equal(rig.head.seriesCount, 2);
    rig.truncate(501_001);
    assert.equal(rig.head.seriesCount, 1);
  }
  const more = rig.core.heldBytes - before;
  assert.ok(more < 10_000, `${more} bytes more`);
  assert.equal(rig.head.counters.chunksFreed, rig.head.counters.chunksSealed);
});

test('memory that is refused leaves all as it was', () => {
  const rig = new HeadRig();
  const fill = (name: string) => {
    const series = rig.create(['__name__', name]);
    for (let i = 0; i < 400; i++) rig.sample(series, i * 1000, BigInt(i) * 0x1234_5678_9abcn);
  };
  // Leaves room of the sizes that are needed.
  fill('before');
  deleteAll(rig, 100_500, 300_500);
  deleteAll(rig, -Infinity, Infinity);
  fill('x');
  const before = samplesOf(rig);
  const list = rig.select.anyOf([]);
  const out = rig.core.exports.heap_alloc(64) >>> 0;
  const fillers = exhaust(rig);
  let refused = 0;
  for (; fillers.length > 0; refused++) {
    const losers = rig.core.exports.delete_samples(list.address, list.count, 100_500, 300_500, out);
    if (rig.core.exports.delete_handled() === list.count) break;
    assert.equal(losers, 0);
    for (const [address, bytes] of fillers.splice(0, Math.ceil(fillers.length / 20))) {
      rig.core.exports.heap_free(address, bytes);
    }
  }
  assert.ok(refused > 0, 'memory was never short');
  for (const [address, bytes] of fillers) rig.core.exports.heap_free(address, bytes);
  rig.core.exports.memory_limit(PAGES_MAX);
  if (fillers.length === 0) assert.deepEqual(samplesOf(rig), before);
  rig.core.exports.delete_samples(list.address, list.count, 100_500, 300_500, out);
  assert.deepEqual(
    samplesOf(rig),
    before.filter(({ timeMs }) => timeMs < 100_500 || timeMs > 300_500),
  );
});

/** Takes all memory that small blocks could have; gives the blocks in no order. */
function exhaust(rig: HeadRig): [address: number, bytes: number][] {
  rig.core.exports.memory_limit(0);
  const taken: [number, number][] = [];
  for (let bytes = 4096; bytes >= 32; bytes -= 16) {
    for (;;) {
      const address = rig.core.exports.heap_alloc(bytes) >>> 0;
      if (address === 0) break;
      taken.push([address, bytes]);
    }
  }
  const prng = new Prng(1);
  return taken
    .map((block) => ({ block, order: prng.u32() }))
    .sort((a, b) => a.order - b.order)
    .map(({ block }) => block);
}

test('replay: a record of tombstones deletes what came before it, and nothing that follows', () => {
  const rig = new HeadRig();
  rig.head.beginReplay(0, 1);
  const sample = (ref: number, timeMs: number) => ({ ref, timeMs, bits: BigInt(timeMs) });
  const steps: [Uint8Array, 'series' | 'samples' | 'tombstones'][] = [
    [encodeSeries([{ ref: 7, labels: LABELS }]), 'series'],
    [encodeSamples([1, 2, 3, 4].map((timeMs) => sample(7, timeMs))), 'samples'],
    [
      encodeTombstones([
        { ref: 7, mint: 2, maxt: 4 },
        { ref: 99, mint: 0, maxt: 9 },
      ]),
      'tombstones',
    ],
    [encodeSamples([3, 5].map((timeMs) => sample(7, timeMs))), 'samples'],
  ];
  for (const [record, kind] of steps) assert.equal(rig.replay(record, kind), undefined);
  assert.deepEqual(
    samplesOf(rig).map(({ timeMs }) => timeMs),
    [1, 3, 5],
  );
  const whole = encodeTombstones([{ ref: 7, mint: -5, maxt: 2 ** 40 }]);
  for (let length = 2; length < whole.length; length++)
    assert.match(rig.replay(whole.subarray(0, length), 'tombstones') ?? '', /malformed/);
});

test('seeds: any samples, any ranges, appends in between; as an array would have it', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed);
    const rig = new HeadRig();
    const models = new Map<string, { series: SeriesIndex; samples: RawSample[] }>();
    for (const name of ['a', 'b', 'c']) models.set(`n\0${name}`, { series: rig.create(['n', name]), samples: [] });
    let newestMs = -HOUR;
    for (let round = 0; round < 12; round++) {
      for (let i = prng.int(120); i > 0; i--) {
        newestMs += 1 + prng.int(prng.pick([1000, 15_000, HOUR]));
        for (const { series, samples } of models.values()) {
          if (prng.float() < 0.2) continue;
          const bits = prng.float() < 0.5 ? 1n : (BigInt(prng.u32()) << 32n) | BigInt(prng.u32());
          rig.sample(series, newestMs, bits);
          samples.push({ timeMs: newestMs, bits });
        }
      }
      const from = prng.pick([-Infinity, newestMs - prng.int(8 * HOUR), newestMs - prng.int(30_000)]);
      const to = prng.pick([Infinity, from + prng.int(4 * HOUR), newestMs]);
      const told = deleteAll(rig, from, to);
      let losers = 0;
      for (const [key, model] of models) {
        const gone = model.samples.filter(({ timeMs }) => timeMs >= from && timeMs <= to);
        if (gone.length > 0) {
          const ref = rig.head.refLow(model.series);
          assert.deepEqual(
            told.find(([other]) => other === ref),
            [ref, gone[0]!.timeMs, gone.at(-1)!.timeMs],
          );
          losers++;
        }
        model.samples = model.samples.filter(({ timeMs }) => !(timeMs >= from && timeMs <= to));
        assert.deepEqual(samplesOf(rig, key), model.samples, `seed ${seed}, round ${round}, ${key}`);
      }
      assert.equal(told.length, losers);
    }
  }
});
