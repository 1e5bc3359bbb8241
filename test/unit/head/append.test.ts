// Appending: order rules, outcome, log bytes, chunks and isolation, against a list of samples for each series.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { decodeSamples, decodeSeries, encodeSamples, encodeSeries } from '../../../src/tsdb/wal/record.js';
import type { AppendOutcome } from '../../../src/wasm/head.js';
import type { Query, View } from '../../../src/wasm/query.js';
import type { SeriesList } from '../../../src/wasm/select.js';
import { ANY_TIME, HeadRig, type HeadRow, type RawSample } from '../../support/head.js';

const STALE = 0x7ff0000000000002n;

interface ModelSample extends RawSample {
  readonly append: number;
}

interface ModelSeries {
  readonly labels: Labels;
  readonly index: number;
  readonly ref: number;
  readonly samples: ModelSample[];
}

type Counts = Record<'accepted' | 'repeated' | 'outOfOrder' | 'duplicate' | 'tooOld' | 'tooFar' | 'unknown', number>;

const NO_COUNTS: Counts = { accepted: 0, repeated: 0, outOfOrder: 0, duplicate: 0, tooOld: 0, tooFar: 0, unknown: 0 };

function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

function randomBits(random: Prng): bigint {
  if (random.float() < 0.1) return STALE;
  return random.float() < 0.5 ? BigInt(random.int(3)) << 52n : (BigInt(random.u32()) << 32n) | BigInt(random.u32());
}

/** Makes `count` series whose refs are not in order, some above 32 bits. */
function makeSeries(rig: HeadRig, count: number, random: Prng): ModelSeries[] {
  return Array.from({ length: count }, (_, i) => {
    const labels = ['__name__', 'm', 'i', `${i}`];
    const ref = 1 + ((i * 7919) % count) + (random.float() < 0.3 ? 2 ** 39 : 0);
    return { labels, index: rig.create(labels, ref), ref, samples: [] };
  });
}

/** What the head must answer for one row, and its sample where it is accepted. */
function modelAppend(
  series: ModelSeries,
  timeMs: number,
  bits: bigint,
  append: number,
  min: number,
  max: number,
): keyof Counts {
  const last = series.samples.at(-1);
  if (last !== undefined && timeMs < last.timeMs) return timeMs < min ? 'tooOld' : 'outOfOrder';
  if (last !== undefined && timeMs === last.timeMs) return bits === last.bits ? 'repeated' : 'duplicate';
  if (timeMs < min) return 'tooOld';
  if (timeMs > max) return 'tooFar';
  series.samples.push({ timeMs, bits, append });
  return 'accepted';
}

function countsOf(outcome: AppendOutcome): Counts {
  const { accepted, repeated, outOfOrder, duplicate, tooOld, tooFar, unknown } = outcome;
  return { accepted, repeated, outOfOrder, duplicate, tooOld, tooFar, unknown };
}

/** A part of a samples record with the head that the log puts in front. */
function samplesRecord(part: Uint8Array, baseRef: number, baseTimeMs: number): Uint8Array {
  const record = new Uint8Array(17 + part.length);
  const view = new DataView(record.buffer);
  record[0] = 2;
  view.setBigUint64(1, BigInt(baseRef));
  view.setBigInt64(9, BigInt(baseTimeMs));
  record.set(part, 17);
  return record;
}

/** As raw samples come out: without stale markers. */
function plain(samples: readonly RawSample[]): RawSample[] {
  return samples.filter(({ bits }) => bits !== STALE).map(({ timeMs, bits }) => ({ timeMs, bits }));
}

function expected(
  series: readonly ModelSeries[],
  visible: (one: ModelSeries) => readonly RawSample[],
): Map<string, RawSample[]> {
  const found = new Map<string, RawSample[]>();
  for (const one of series) {
    const samples = plain(visible(one));
    if (samples.length > 0) found.set(one.labels.join('\0'), samples);
  }
  return found;
}

function assertSame(got: Map<string, RawSample[]>, want: Map<string, RawSample[]>, what: string): void {
  assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort(), what);
  for (const [key, samples] of want) assert.deepEqual(got.get(key), samples, `${what}: ${key}`);
}

for (const [seed, start] of [
  [11, 1_700_000_000_000],
  [12, -20_000_000],
  [13, 0],
] as const) {
  test(`append: rows in every order, from ${start} on (seed ${seed})`, () => {
    const random = new Prng(seed);
    const rig = new HeadRig();
    const series = makeSeries(rig, 60, random);
    let now = start;
    for (let append = 1; append <= 150; append++) {
      now += random.pick([15_000, 15_000, 15_000, 1, 700_000, 5_000_000]);
      const min = now - 100_000;
      const max = now + 30_000;
      const baseRef = random.pick([0, 5, 2 ** 39]);
      const rows: HeadRow[] = [];
      const counts = { ...NO_COUNTS };
      const accepted: { ref: number; timeMs: number; bits: bigint }[] = [];
      for (let i = random.int(200); i >= 0; i--) {
        const one = random.pick(series);
        const timeMs = now + random.pick([0, 0, 0, 0, 1, -1, -200_000, 30_000, 30_001, 15_000]);
        const bits = random.float() < 0.5 ? (one.samples.at(-1)?.bits ?? 0n) : randomBits(random);
        const kind = random.float();
        if (kind < 0.02) rows.push({ series: 0xfffffffe, ref: 0, timeMs: 0n, bits });
        else if (kind < 0.05) {
          const strange = random.pick([
            { series: one.index, ref: one.ref + 1 },
            { series: 4000, ref: 1 },
          ]);
          rows.push({ ...strange, timeMs: BigInt(timeMs), bits });
          counts.unknown++;
        } else {
          rows.push({ series: one.index, ref: one.ref, timeMs: BigInt(timeMs), bits });
          const answer = modelAppend(one, timeMs, bits, append, min, max);
          counts[answer]++;
          if (answer === 'accepted') accepted.push({ ref: one.ref, timeMs, bits });
        }
      }
      const bounds = { append, baseRef, baseTimeMs: now - 7, minTimeMs: min, maxTimeMs: max };
      const part = rig.append(rows, bounds)!;
      const outcome = rig.head.outcome();
      assert.deepEqual(countsOf(outcome), counts);
      const times = accepted.map(({ timeMs }) => timeMs);
      assert.equal(outcome.minTimeMs, times.length === 0 ? undefined : Math.min(...times));
      assert.equal(outcome.maxTimeMs, times.length === 0 ? undefined : Math.max(...times));
      assert.equal(rig.head.unknownRows(outcome.unknown).length, counts.unknown);
      if (accepted.length > 0) assert.deepEqual(decodeSamples(samplesRecord(part, baseRef, now - 7)), accepted);
      rig.head.commit(append);
    }
    assertSame(
      rig.allSamples(150),
      expected(series, ({ samples }) => samples),
      `seed ${seed}`,
    );
    assert.equal(rig.head.counters.corruptChunks, 0);
    assert.ok(rig.head.counters.chunksSealed! > 0);
  });
}

test('append: times at the ends of what an i64 holds', () => {
  const rig = new HeadRig();
  const index = rig.create(['__name__', 'm']);
  const times = [-(2n ** 63n), -(2n ** 63n) + 1n, -1n, 0n, 1n, 2n ** 63n - 2n, 2n ** 63n - 1n];
  const bounds = { append: 1, baseRef: 0, baseTimeMs: 0, ...ANY_TIME };
  const rows = times.map((timeMs) => ({ series: index, ref: rig.head.refLow(index), timeMs, bits: 1n }));
  assert.notEqual(rig.append(rows, bounds), undefined);
  assert.equal(rig.head.outcome().accepted, times.length);
  rig.head.commit(1);
  assert.deepEqual(
    rig
      .allSamples(1)
      .get('__name__\0m')!
      .map(({ timeMs }) => timeMs),
    [-1, 0, 1],
  );
});

test('append: a series record as the log has it', () => {
  const rig = new HeadRig();
  const sets: Labels[] = [['__name__', 'a', 'b', 'c'.repeat(200)], ['ü', '\ufeff'], []];
  const bytes = rig.withPart((part) => {
    sets.forEach((labels, i) => {
      rig.find(labels);
      rig.head.create(part, 2 ** 39 + i);
    });
    const span = rig.head.partSpan(part);
    return rig.core.u8(span.address, span.bytes).slice();
  });
  assert.deepEqual(
    decodeSeries(bytes),
    sets.map((labels, i) => ({ ref: 2 ** 39 + i, labels })),
  );
  const pairs = [...rig.head.liveRefs(0, 100, (series) => series)];
  assert.deepEqual(pairs, [2 ** 39, 0, 2 ** 39 + 1, 1, 2 ** 39 + 2, 2]);
  const pages = [0, 1, 2, 3].map((from) => [...rig.head.liveRefs(from, 1)].filter((_, i) => i % 2 === 0));
  assert.deepEqual(pages, [[2 ** 39], [2 ** 39 + 1], [2 ** 39 + 2], []]);
});

// --- Isolation ---

interface OpenView {
  readonly watermark: number;
  readonly list: SeriesList;
  readonly query: Query | undefined;
  readonly view: View;
}

/** Before the first sample of a later append: what comes behind it in time is hidden with it. */
function visibleAt(watermark: number): (one: ModelSeries) => readonly RawSample[] {
  return ({ samples }) => {
    const first = samples.findIndex(({ append }) => isAfter(append, watermark));
    return first < 0 ? samples : samples.slice(0, first);
  };
}

for (const [seed, first] of [
  [21, 1],
  [22, 2 ** 31 - 40],
  [23, 2 ** 32 - 40],
] as const) {
  test(`views: what each sees of appends that overtake each other, numbered from ${first} on (seed ${seed})`, () => {
    const random = new Prng(seed);
    const rig = new HeadRig();
    const series = makeSeries(rig, 12, random);
    const probe = rig.create(['__name__', 'probe']);
    // Numbers wrap around; the head has seen those before.
    for (let at = 0; at < first; at += 2 ** 29) rig.sample(probe, at + 1, 0n, Math.min(at, first - 1));
    rig.head.commit(first - 1);
    let last = first - 1;
    let watermark = last;
    let now = 1_000_000;
    const open: { append: number; rows: number; done: boolean }[] = [];
    const views: OpenView[] = [];
    for (let step = 0; step < 600; step++) {
      const action = random.float();
      if (action < 0.3) {
        last = (last + 1) >>> 0;
        open.push({ append: last, rows: 1 + random.int(3), done: false });
      } else if (action < 0.7 && open.some(({ done }) => !done)) {
        const one = random.pick(open.filter(({ done }) => !done));
        now += random.int(3) * 7000;
        const rows: HeadRow[] = [];
        for (let i = random.int(8); i >= 0; i--) {
          const target = random.pick(series);
          const bits = randomBits(random);
          rows.push({ series: target.index, ref: target.ref, timeMs: BigInt(now), bits });
          modelAppend(target, now, bits, one.append, -Infinity, Infinity);
        }
        rig.append(rows, { append: one.append, baseRef: 0, baseTimeMs: now, ...ANY_TIME });
        one.done = --one.rows === 0;
        while (open[0]?.done) watermark = open.shift()!.append;
        // As main does it: nothing is forgotten that a view could still be opened at.
        if (random.float() < 0.5) rig.head.commit(watermark);
      } else if (action < 0.78) {
        const list = rig.select.series([{ name: '__name__', op: '=', value: 'm' }]);
        const view = rig.queries.view(watermark);
        views.push({ watermark, list, view, query: undefined });
      } else if (action < 0.9 && views.length > 0) {
        const { view, watermark: seen, list } = random.pick(views);
        const query = rig.queries.openSamples(list, rig.queries.copyView(view), 2 ** 53, 2 ** 52);
        const got = rig.samples(
          query,
          random.pick([
            { samples: 5, series: 2 },
            { samples: 1e6, series: 1e6 },
          ]),
        );
        query.close();
        assertSame(got, expected(series, visibleAt(seen)), `seed ${seed}, step ${step}, watermark ${seen}`);
      } else if (views.length > 0) {
        const [gone] = views.splice(random.int(views.length), 1);
        rig.queries.closeView(gone!.view);
        rig.select.release(gone!.list);
      }
      if (random.float() < 0.02) {
        // A series that no append has touched.
        const labels = ['__name__', 'm', 'new', `${step}`];
        const ref = 1_000_000 + step;
        const known = views.splice(0);
        for (const { view, list } of known) {
          rig.queries.closeView(view);
          rig.select.release(list);
        }
        series.push({ labels, index: rig.create(labels, ref), ref, samples: [] });
      }
    }
  });
}

// --- Replay ---

for (const shards of [1, 3]) {
  test(`replay: what was logged is there again, over ${shards} shards`, () => {
    const random = new Prng(31 + shards);
    const rigs = Array.from({ length: shards }, () => new HeadRig());
    rigs.forEach((rig, i) => {
      rig.head.beginReplay(i, shards);
    });
    const series = Array.from({ length: 200 }, (_, i) => ({
      labels: ['__name__', 'm', 'i', `${i}`],
      refs: [1 + random.int(2 ** 20) * 1000 + i, 2 ** 39 + i],
      index: 0,
      ref: 0,
      samples: [] as ModelSample[],
    }));
    const everywhere = (record: Uint8Array, kind: 'series' | 'samples') => {
      for (const rig of rigs) assert.equal(rig.replay(record, kind), undefined);
    };
    everywhere(encodeSeries(series.map(({ labels, refs }) => ({ labels, ref: refs[0]! }))), 'series');
    // A label set that is there under another ref, and one that is there already.
    everywhere(encodeSeries(series.map(({ labels, refs }) => ({ labels, ref: refs[1]! }))), 'series');
    everywhere(encodeSeries(series.slice(0, 10).map(({ labels, refs }) => ({ labels, ref: refs[0]! }))), 'series');
    let skipped = 0;
    let foreign = 0;
    const earlier: bigint[] = [];
    const listed: bigint[] = [];
    for (let record = 0; record < 60; record++) {
      const entries = Array.from({ length: 100 }, () => {
        if (random.float() < 0.02) {
          foreign++;
          return { ref: 7, timeMs: record, bits: 0n };
        }
        const one = random.pick(series);
        const timeMs = 1_700_000_000_000 + record * 600_000 + random.int(3);
        const bits = randomBits(random);
        const lastMs = one.samples.at(-1)?.timeMs ?? -1;
        if (timeMs > lastMs) one.samples.push({ timeMs, bits, append: 0 });
        else if (timeMs === lastMs) skipped++;
        else earlier.push(bits);
        return { ref: random.pick(one.refs), timeMs, bits };
      });
      everywhere(encodeSamples(entries), 'samples');
      listed.push(...rigs.flatMap((rig) => rig.head.replayLate().map(({ bits }) => bits)));
    }
    const byValue = (values: readonly bigint[]) => [...values].sort();
    assert.deepEqual(byValue(listed), byValue(earlier));
    const totals = rigs.map((rig) => rig.head.endReplay());
    const applied = series.reduce((sum, { samples }) => sum + samples.length, 0);
    assert.equal(
      totals.reduce((sum, total) => sum + total.applied, 0),
      applied,
    );
    assert.equal(
      totals.reduce((sum, total) => sum + total.skipped, 0),
      skipped,
    );
    assert.equal(
      totals.reduce((sum, total) => sum + total.foreign, 0),
      foreign + (shards - 1) * 6000,
    );
    for (const { highestRef } of totals) assert.equal(highestRef, 2 ** 39 + 199);
    const found = new Map(rigs.flatMap((rig) => [...rig.allSamples(0)]));
    assertSame(
      found,
      expected(series, ({ samples }) => samples),
      'replay',
    );
    assert.equal(
      rigs.reduce((sum, rig) => sum + rig.head.seriesCount, 0),
      200,
    );
  });
}

test('replay: records cut short or changed never trap, and refs above 2^40 are refused', () => {
  const random = new Prng(41);
  const series = encodeSeries([
    { ref: 1, labels: ['__name__', 'm', 'a', 'b'] },
    { ref: 2, labels: ['__name__', 'n'] },
  ]);
  const samples = encodeSamples([
    { ref: 1, timeMs: 1000, bits: 1n },
    { ref: 2, timeMs: 2000, bits: 2n },
  ]);
  const rig = new HeadRig();
  rig.head.beginReplay(0, 1);
  for (const [record, kind] of [
    [series, 'series'],
    [samples, 'samples'],
  ] as const) {
    for (let length = 1; length < record.length; length++) rig.replay(record.slice(0, length), kind);
    for (let i = 0; i < 2000; i++) {
      const changed = record.slice();
      changed[1 + random.int(record.length - 1)] = random.int(256);
      rig.replay(changed, kind);
    }
  }
  const tooLarge = series.slice();
  tooLarge[3] = 1;
  assert.match(rig.replay(tooLarge, 'series')!, /malformed at byte 1$/);
  assert.equal(rig.replay(encodeSeries([{ ref: 3, labels: ['a', 'b'] }]), 'series'), undefined);
  const far = encodeSamples([{ ref: 3, timeMs: 5, bits: 1n }]);
  far[2] = 1;
  rig.replay(far, 'samples');
  assert.equal(rig.head.endReplay().highestRef < 2 ** 40, true);
  assert.equal(rig.allSamples(0).get('a\0b'), undefined);
});
