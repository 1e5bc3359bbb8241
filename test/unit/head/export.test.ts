// What leaves the head for a block, beside a model that keeps plain lists of samples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK_SAMPLES_MAX } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { ChunkPages } from '../../../src/tsdb/compact/chunk-pages.js';
import { Chunks } from '../../../src/wasm/chunks.js';
import { Core } from '../../../src/wasm/core.js';
import { CHUNK_WINDOW_MS, Export, type TimeRange } from '../../../src/wasm/export.js';
import { HeadRig } from '../../support/head.js';

const ALL: TimeRange = { minTimeMs: -(2 ** 52), maxTimeMs: 2 ** 52 };
const PAGE = 1 << 20;
const PAGES_MAX = 65_536;

type Sample = readonly [timeMs: number, bits: bigint];

interface Rig {
  readonly rig: HeadRig;
  readonly exports: Export;
  /** By series number. */
  readonly labels: Map<number, Labels>;
  readonly samples: Map<number, Sample[]>;
}

function empty(): Rig {
  const rig = new HeadRig();
  return { rig, exports: new Export(rig.core), labels: new Map(), samples: new Map() };
}

function add({ rig, labels, samples }: Rig, set: Labels, list: readonly Sample[]): number {
  const series = rig.create(set);
  labels.set(series, set);
  const all = samples.get(series) ?? [];
  for (const [timeMs, bits] of list) {
    rig.sample(series, timeMs, bits);
    all.push([timeMs, bits]);
  }
  samples.set(series, all);
  return series;
}

/** Random walks of several lengths from 1970 on, some before it. */
function fill(rig: Rig, random: Prng, count: number): void {
  for (let i = 0; i < count; i++) {
    const set = [
      '__name__',
      `metric_${random.int(5)}`,
      'id',
      `${i}`,
      ...(random.float() < 0.3 ? ['zone', `z${i}`] : []),
    ];
    let timeMs = random.int(4 * CHUNK_WINDOW_MS) - CHUNK_WINDOW_MS;
    const step = random.pick([1, 15_000, 60_000, 900_000]);
    const samples = Array.from({ length: random.int(400) }, (): Sample => {
      timeMs += random.float() < 0.8 ? step : 1 + random.int(2 * step);
      return [timeMs, random.float() < 0.7 ? 7n : BigInt(random.u32()) << 20n];
    });
    add(rig, set, samples);
  }
}

function seriesIn({ rig, exports }: Rig, range: TimeRange, count = 1000, bytes = PAGE): Map<number, number[]> {
  const names = schemas(exports);
  const found = new Map<number, number[]>();
  for (let from = 0; from < rig.head.seriesBound; ) {
    const page = exports.series(range, from, count, bytes);
    const words = new Uint32Array(page.series);
    for (let at = 0; at < words.length; ) {
      const schema = names[words[at + 1]!]!;
      const values = words.subarray(at + 2, at + 2 + schema.length);
      found.set(
        words[at]!,
        schema.flatMap((name, i) => [name, values[i]!]),
      );
      at += 2 + schema.length;
    }
    assert.ok(page.next > from);
    from = page.next;
  }
  return found;
}

function schemas(exports: Export): number[][] {
  const words = new Uint32Array(exports.schemas());
  const all: number[][] = [];
  for (let at = 0; at < words.length; at += 1 + words[at]!) all.push([...words.subarray(at + 1, at + 1 + words[at]!)]);
  return all;
}

function strings(exports: Export, bytes = PAGE): string[] {
  const all: string[] = [];
  for (let from = 0; ; ) {
    const page = exports.symbols(from, bytes);
    let at = 0;
    for (const length of new Uint32Array(page.lengths)) {
      all.push(Buffer.from(page.bytes, at, length).toString());
      at += length;
    }
    if (page.next === from) return all;
    from = page.next;
  }
}

const decoder = new Chunks(new Core());

/** The exported samples of a series, chunk by chunk. */
function chunksOf({ exports }: Rig, series: readonly number[], range: TimeRange, bytes = PAGE): Sample[][][] {
  const buffers: ArrayBuffer[] = [];
  for (let rest = Uint32Array.from(series); rest.length > 0; ) {
    const { count, chunks } = exports.chunks(range, rest, bytes);
    buffers.push(chunks);
    rest = rest.slice(count);
  }
  const pages = new ChunkPages(buffers);
  return series.map(() =>
    pages.next().map(({ minTimeMs, maxTimeMs, encoding, data }) => {
      const decoded = decoder.decode(data);
      const { times, valueBits } = decoded!;
      const samples = Array.from(times, (timeMs, i): Sample => [timeMs, valueBits[i]!]);
      assert.equal(encoding, 1);
      assert.deepEqual([minTimeMs, maxTimeMs], [samples[0]![0], samples.at(-1)![0]]);
      return samples;
    }),
  );
}

function within(samples: readonly Sample[], { minTimeMs, maxTimeMs }: TimeRange): Sample[] {
  return samples.filter(([timeMs]) => timeMs >= minTimeMs && timeMs < maxTimeMs);
}

test('label sets come as numbers of strings, in pages of any size', () => {
  const rig = empty();
  fill(rig, new Prng(1), 300);
  const bytes = [1, 500, PAGE];
  for (const size of bytes) {
    const texts = strings(rig.exports, size);
    const found = seriesIn(rig, ALL, size, size);
    for (const [series, samples] of rig.samples) {
      assert.equal(found.has(series), samples.length > 0);
      if (samples.length > 0)
        assert.deepEqual(
          found.get(series)!.map((symbol) => texts[symbol]),
          rig.labels.get(series),
        );
    }
  }
});

test('series and chunks of each block range are those of the model', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const rig = empty();
    fill(rig, new Prng(seed), 120);
    for (let window = -1; window < 8; window++) {
      const range = { minTimeMs: window * CHUNK_WINDOW_MS, maxTimeMs: (window + 1) * CHUNK_WINDOW_MS };
      const want = [...rig.samples].filter(([, samples]) => within(samples, range).length > 0);
      const found = [...seriesIn(rig, range).keys()];
      assert.deepEqual(
        found,
        want.map(([series]) => series),
        `seed ${seed}, window ${window}`,
      );
      const chunks = chunksOf(rig, found, range, window % 2 === 0 ? 1 : PAGE);
      for (const [i, list] of chunks.entries()) assert.deepEqual(list.flat(), within(want[i]![1], range));
    }
  }
});

test('a series that is gone, or has nothing in the range, has no chunks', () => {
  const rig = empty();
  const gone = add(rig, ['a', 'gone'], [[1000, 1n]]);
  const stays = add(rig, ['a', 'stays'], [[5000, 1n]]);
  rig.rig.truncate(3000);
  assert.deepEqual(chunksOf(rig, [gone, stays], ALL), [[], [[[5000, 1n]]]]);
  assert.deepEqual(chunksOf(rig, [stays], { minTimeMs: 0, maxTimeMs: 5000 }), [[]]);
});

test('split at any time: nothing crosses it, nothing is lost, and appends go on', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Prng(seed);
    const rig = empty();
    fill(rig, random, 80);
    const at = random.int(3 * CHUNK_WINDOW_MS);
    for (let from = 0; from < rig.rig.head.seriesBound; from += 7) rig.exports.split(at, from, 7);
    for (const [series, samples] of rig.samples) {
      const newest = samples.at(-1)?.[0] ?? at;
      const timeMs = Math.max(newest, at) + 1 + random.int(1000);
      rig.rig.sample(series, timeMs, 3n);
      samples.push([timeMs, 3n]);
    }
    for (const range of [
      { ...ALL, maxTimeMs: at },
      { ...ALL, minTimeMs: at },
    ]) {
      for (const [series, samples] of rig.samples) {
        const [chunks] = chunksOf(rig, [series], range);
        assert.deepEqual(chunks!.flat(), within(samples, range), `seed ${seed}`);
      }
    }
    for (const timeMs of [at, ALL.maxTimeMs]) rig.rig.truncate(timeMs);
    const { chunksSealed, chunksFreed } = rig.rig.head.counters;
    assert.equal(chunksFreed, chunksSealed, `seed ${seed}: all that were there have gone`);
  }
});

test('chunks of a window end at other places in each series, and are no more than if each had 120 samples', () => {
  for (const stepMs of [1000, 5000, 10_000, 15_000, 20_000, 30_000, 60_000, 300_000]) {
    const rig = empty();
    const count = CHUNK_WINDOW_MS / stepMs;
    const firsts = new Set<number>();
    let lasts = 0;
    for (let i = 0; i < 40; i++) {
      const startMs = CHUNK_WINDOW_MS + ((i * 37) % stepMs);
      const series = add(
        rig,
        ['id', `${i}`],
        Array.from({ length: count }, (_, n): Sample => [startMs + n * stepMs, BigInt(n)]),
      );
      const [chunks] = chunksOf(rig, [series], ALL);
      assert.equal(chunks!.flat().length, count);
      const most = Math.max(1, count / 120);
      const lengths = chunks!.map(({ length }) => length);
      assert.ok(lengths.length <= most && lengths.length >= most - 1, `${stepMs} ms: ${lengths}`);
      assert.ok(
        lengths.every((length) => length <= CHUNK_SAMPLES_MAX) &&
          lengths.slice(0, -1).every((length) => length >= Math.min(count, 40)),
        `${stepMs} ms: ${lengths}`,
      );
      firsts.add(lengths[0]!);
      lasts += lengths.at(-1)!;
    }
    if (count > 200) assert.ok(firsts.size > 7, `${stepMs} ms: ${[...firsts]}`);
    // All open chunks are full at once there.
    if (count > 300) assert.ok(lasts / 40 < 100, `${stepMs} ms: ${lasts / 40} in the last`);
  }
});

test('the oldest sample, from any time on', () => {
  const rig = empty();
  assert.equal(rig.exports.oldest(ALL.minTimeMs, 0, 100), Number.POSITIVE_INFINITY);
  fill(rig, new Prng(9), 60);
  const firsts = [...rig.samples.values()].flatMap((samples) => samples.map(([timeMs]) => timeMs));
  assert.equal(rig.exports.oldest(ALL.minTimeMs, 0, 60), Math.min(...firsts));
  for (let window = 0; window < 5; window++) {
    const from = window * CHUNK_WINDOW_MS;
    const want = Math.min(...firsts.filter((timeMs) => timeMs >= from));
    assert.equal(rig.exports.oldest(from, 0, 60), want, `window ${window}`);
  }
});

test('without memory pages are refused and splits leave chunks as they were', () => {
  const rig = empty();
  const random = new Prng(4);
  fill(rig, random, 200);
  const { core } = rig.rig;
  const refuse = (action: () => void) => {
    core.exports.memory_limit(0);
    try {
      assert.throws(action, { name: 'OutOfMemory' });
    } finally {
      core.exports.memory_limit(PAGES_MAX);
    }
  };
  const before = chunksOf(rig, [...rig.samples.keys()], ALL);
  rig.exports.close();
  // Small blocks come from pages that are there: the list of free ones is used up first.
  const held: number[] = [];
  core.exports.memory_limit(0);
  for (let bytes = 32_768; bytes >= 16; bytes /= 2) {
    for (;;) {
      const at = core.exports.heap_alloc(bytes) >>> 0;
      if (at === 0) break;
      held.push(at, bytes);
    }
  }
  core.exports.memory_limit(PAGES_MAX);
  refuse(() => rig.exports.series(ALL, 0, 1000, PAGE));
  refuse(() => rig.exports.symbols(0, PAGE));
  refuse(() => rig.exports.split(CHUNK_WINDOW_MS / 2, 0, 1000));
  for (let i = 0; i < held.length; i += 2) core.exports.heap_free(held[i]!, held[i + 1]!);
  const after = chunksOf(rig, [...rig.samples.keys()], ALL);
  assert.deepEqual(
    after.map((chunks) => chunks.flat()),
    before.map((chunks) => chunks.flat()),
  );
});
