// What a query reads besides the head: guests, and chunks that were loaded for its series.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { FOREIGN, Guests, isGuest, type LabelRows, UNKNOWN } from '../../../src/wasm/guests.js';
import { type ChunkSlice, LoadedChunks } from '../../../src/wasm/history.js';
import type { Query } from '../../../src/wasm/query.js';
import type { SeriesList } from '../../../src/wasm/select.js';
import { HeadRig, type RawSample } from '../../support/head.js';
import { encodeXor, floatBits } from '../../support/xor-model.js';

const ALONE = { index: 0, count: 1 };

function labelRows(sets: readonly Labels[]): LabelRows {
  const strings = [...new Set(sets.flat())];
  const rows = sets.flatMap((labels) => [labels.length / 2, ...labels.map((text) => strings.indexOf(text))]);
  return { strings: strings.map((text) => Buffer.from(text)), rows, count: sets.length };
}

function labelsOf(i: number): Labels {
  return ['__name__', 'm', 'i', String(i)];
}

function listOf(rig: HeadRig, numbers: number[]): SeriesList {
  const none = { address: 0, count: 0, bytes: 0 };
  return rig.select.extended(none, Uint32Array.from(numbers));
}

test('guests: series of the head keep their numbers, others become guests, once', () => {
  const rig = new HeadRig();
  const guests = new Guests(rig.core, ALONE);
  const own = rig.create(labelsOf(1));
  const [first, second, third] = guests.invite(labelRows([labelsOf(1), labelsOf(2), labelsOf(3)]));
  assert.equal(first, own);
  assert.ok(isGuest(second!) && isGuest(third!) && second !== third);
  assert.deepEqual([...guests.invite(labelRows([labelsOf(3), labelsOf(2)]))], [third, second]);
  assert.equal(guests.count, 2);
  assert.equal(rig.find(labelsOf(2)), 2 ** 32 - 1, 'an append does not find a guest');
});

test('guests: a series takes the place of its guest, and what is gone is unknown', () => {
  const rig = new HeadRig();
  const guests = new Guests(rig.core, ALONE);
  const [guest, other] = guests.invite(labelRows([labelsOf(1), labelsOf(2)]));
  const series = rig.create(labelsOf(1));
  const numbers = Uint32Array.of(guest!, other!, series, FOREIGN, UNKNOWN);
  assert.equal(guests.renew(numbers), 1);
  assert.deepEqual([...numbers], [series, other, series, FOREIGN, UNKNOWN]);
  assert.deepEqual([...guests.invite(labelRows([labelsOf(1)]))], [series]);

  rig.truncate(1);
  assert.equal(guests.renew(numbers), 3);
  assert.deepEqual([...numbers], [UNKNOWN, other, UNKNOWN, FOREIGN, UNKNOWN]);
  const [again] = guests.invite(labelRows([labelsOf(1)]));
  assert.ok(isGuest(again!) && again !== guest, 'a guest once more');
});

test('guests: dropped ones give all their memory back but schemas', () => {
  const rig = new HeadRig();
  const guests = new Guests(rig.core, ALONE);
  const sets = Array.from({ length: 3_000 }, (_, i) => labelsOf(i));
  guests.invite(labelRows(sets));
  guests.drop();
  const before = rig.core.heldBytes;
  const symbols = rig.head.counters.symbols;
  for (let round = 0; round < 3; round++) {
    guests.invite(labelRows(sets));
    assert.equal(guests.count, 3_000);
    guests.drop();
    assert.equal(guests.count, 0);
  }
  assert.equal(rig.head.counters.symbols, symbols);
  assert.ok(rig.core.heldBytes <= before, 'nothing is left of them');
});

test('guests: each label set is the guest of one shard', () => {
  const owners = [0, 1, 2].map((index) => {
    const rig = new HeadRig();
    return new Guests(rig.core, { index, count: 3 }).invite(
      labelRows(Array.from({ length: 200 }, (_, i) => labelsOf(i))),
    );
  });
  for (let i = 0; i < 200; i++) assert.equal(owners.filter((numbers) => isGuest(numbers[i]!)).length, 1, `series ${i}`);
});

test('guests: a label name twice is no series', () => {
  const guests = new Guests(new HeadRig().core, ALONE);
  const rows = labelRows([
    ['a', '1', 'a', '2'],
    ['a', '1'],
  ]);
  const [twice, fine] = guests.invite(rows);
  assert.equal(twice, UNKNOWN);
  assert.ok(isGuest(fine!));
});

/** Samples at steps that change now and then. */
function randomSamples(random: Prng, count: number): RawSample[] {
  let timeMs = 1_000_000;
  return Array.from({ length: count }, () => {
    timeMs += random.pick([15_000, 15_000, 15_000, 14_998, 60_000]);
    return { timeMs, bits: floatBits(random.pick([1, 2, 2, random.float()])) };
  });
}

/** Chunks of some samples each, far more than ours have, as one slice each. */
function load(loaded: LoadedChunks, place: number, samples: readonly RawSample[], perChunk: number): void {
  for (let from = 0; from < samples.length; from += perChunk) {
    const part = samples.slice(from, from + perChunk);
    const bytes = encodeXor(part.map(({ timeMs, bits }) => ({ time: timeMs, bits })));
    const slice: ChunkSlice = {
      place,
      minTimeMs: part[0]!.timeMs,
      maxTimeMs: part.at(-1)!.timeMs,
      start: 3,
      length: bytes.length,
    };
    loaded.add(Buffer.concat([Buffer.from('abc'), bytes]), [slice]);
  }
}

function cellsOf(query: Query, steps: number): [number[], number[]] {
  const values: number[] = [];
  const present: number[] = [];
  for (let done = false; !done; ) {
    done = query.next();
    const rows = query.rows();
    values.push(...new Float64Array(rows.values));
    present.push(...new Uint8Array(rows.present));
  }
  assert.equal(values.length % steps, 0);
  return [values, present];
}

for (const perChunk of [120, 240, 3_000]) {
  test(`history: chunks of ${perChunk} samples and the head give what the head alone gives`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Prng(seed);
      const samples = randomSamples(random, 2_500);
      const split = random.int(samples.length + 1);
      const whole = new HeadRig();
      const alone = whole.create(labelsOf(1));
      for (const { timeMs, bits } of samples) whole.sample(alone, timeMs, bits);

      const rig = new HeadRig();
      const guests = new Guests(rig.core, ALONE);
      const number = split === samples.length ? guests.invite(labelRows([labelsOf(1)]))[0]! : rig.create(labelsOf(1));
      // The head still has some that the block has, too.
      const kept = Math.max(0, split - random.int(100));
      if (split < samples.length) for (const { timeMs, bits } of samples.slice(kept)) rig.sample(number, timeMs, bits);
      const floorMs = samples[split]?.timeMs ?? Number.POSITIVE_INFINITY;

      const from = random.pick(samples).timeMs;
      const steps = 1 + random.int(40);
      const window = { startMs: from, stepMs: 30_000 * (1 + random.int(20)), steps, windowMs: 300_000 };
      for (const fn of ['last', 'last_over_time', 'rate', 'count_over_time', 'sum_over_time', 'quantile_over_time']) {
        const ask = (one: HeadRig, series: number, past?: readonly RawSample[]) => {
          const list = listOf(one, [series]);
          const query = one.queries.open(list, one.queries.view(0), fn, { ...window, args: [0.5] }, false);
          const loaded = new LoadedChunks(one.core, 0, 1);
          if (past !== undefined) {
            query.setFloor(floorMs);
            load(loaded, 0, past, perChunk);
            loaded.giveTo(query.address);
          }
          const cells = cellsOf(query, steps);
          query.close();
          loaded.release();
          one.select.release(list);
          return cells;
        };
        assert.deepEqual(ask(rig, number, samples.slice(0, split)), ask(whole, alone), `seed ${seed}, ${fn}`);
      }
    }
  });
}

test('history: a morsel ends with the last place that is loaded, and skipped series give nothing', () => {
  const rig = new HeadRig();
  const numbers = Array.from({ length: 10 }, (_, i) => {
    const series = rig.create(labelsOf(i));
    rig.sample(series, 1_000, floatBits(i));
    return series as number;
  });
  const list = listOf(rig, numbers);
  const query = rig.queries.open(
    list,
    rig.queries.view(0),
    'last_over_time',
    {
      ...{ startMs: 1_000, stepMs: 1_000, steps: 2, windowMs: 60_000 },
    },
    false,
  );
  const ends: number[] = [];
  const rows: number[] = [];
  while (query.place < 10) {
    const loaded = new LoadedChunks(rig.core, query.place, Math.min(4, 10 - query.place));
    if (query.place === 4) loaded.skip(5);
    loaded.giveTo(query.address);
    query.next();
    rows.push(query.rows().count);
    loaded.release();
    ends.push(query.place);
  }
  query.close();
  rig.select.release(list);
  assert.deepEqual(ends, [4, 8, 10]);
  assert.deepEqual(rows, [4, 3, 2]);
});

test('history: chunks that are all a series has stand in for those of the head', () => {
  const rig = new HeadRig();
  const series = rig.create(labelsOf(1));
  rig.sample(series, 5_000, floatBits(5));
  const list = listOf(rig, [series]);
  const query = rig.queries.openSamples(list, rig.queries.view(0), 60_000, 60_000);
  const loaded = new LoadedChunks(rig.core, 0, 1);
  load(
    loaded,
    0,
    [
      { timeMs: 4_000, bits: floatBits(4) },
      { timeMs: 5_000, bits: floatBits(5) },
      { timeMs: 6_000, bits: floatBits(6) },
    ],
    2,
  );
  loaded.setWhole(0);
  loaded.giveTo(query.address);
  const [[, samples]] = [...rig.samples(query)] as [[string, RawSample[]]];
  assert.deepEqual(
    samples.map(({ timeMs }) => timeMs),
    [4_000, 5_000, 6_000],
  );
  query.close();
  loaded.release();
  rig.select.release(list);
});
