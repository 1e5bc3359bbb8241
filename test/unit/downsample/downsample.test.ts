// Downsampling: what is kept gives the same increases, resets included; what is rebuilt has the same aggregates.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { STALE_SUM as STALE } from '../../../src/model/stored-histogram.js';
import type { FloatSamples } from '../../../src/tsdb/chunk/xor.js';
import { downsample, valuesOf } from '../../../src/tsdb/downsample/downsample.js';
import { rebuild } from '../../../src/tsdb/downsample/rebuild.js';
import { floatBits } from '../../support/xor-model.js';

const MINUTE = 60_000;
const FIVE = 5 * MINUTE;
const HOUR = 60 * MINUTE;

interface Row {
  readonly timeMs: number;
  readonly value: number;
}

const samplesOf = (rows: readonly Row[]): FloatSamples => ({
  times: Float64Array.from(rows, ({ timeMs }) => timeMs),
  bits: BigUint64Array.from(rows, ({ value }) => floatBits(value)),
});
const rowsOf = (samples: FloatSamples): Row[] => {
  const values = valuesOf(samples);
  return Array.from(samples.times, (timeMs, i) => ({ timeMs, value: values[i]! })).filter(
    (_, i) => samples.bits[i] !== STALE,
  );
};

/** A counter with resets, or a gauge, with gaps. */
function random(prng: Prng, isCounter: boolean): Row[] {
  const rows: Row[] = [];
  let timeMs = prng.int(10 * MINUTE);
  let value = prng.int(100);
  for (let i = 0; i < 1500; i++) {
    timeMs += prng.int(200) === 0 ? prng.int(40) * MINUTE : 14_900 + prng.int(200);
    if (!isCounter) value = prng.int(2000) / 8 - 100;
    else value = prng.int(150) === 0 ? prng.int(5) : value + prng.int(20);
    rows.push({ timeMs, value });
  }
  return rows;
}

/** What a counter rose by, over all of it. */
function increase(rows: readonly Row[]): number {
  let total = 0;
  for (let i = 1; i < rows.length; i++) {
    const [before, now] = [rows[i - 1]!.value, rows[i]!.value];
    total += now < before ? now : now - before;
  }
  return total;
}

const aggregatesOf = (rows: readonly Row[]) => {
  const values = rows.map(({ value }) => value);
  return {
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    min: Math.min(...values),
    max: Math.max(...values),
  };
};

for (const resolutionMs of [MINUTE, FIVE, HOUR]) {
  test(`downsample: a counter's increase between any two kept samples is that of all, to ${resolutionMs / MINUTE}m`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const raw = random(new Prng(seed), true);
      const kept = rowsOf(downsample(samplesOf(raw), [], resolutionMs, 'x_total').samples);
      assert.ok(kept.length < raw.length);
      const prng = new Prng(seed);
      for (let i = 0; i < 50; i++) {
        const [from, to] = [prng.int(kept.length), prng.int(kept.length)].sort((a, b) => a - b) as [number, number];
        const [fromMs, toMs] = [kept[from]!.timeMs, kept[to]!.timeMs];
        const within = raw.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs);
        assert.equal(increase(kept.slice(from, to + 1)), increase(within), `seed ${seed}`);
      }
      assert.deepEqual(kept.at(-1), raw.at(-1));
      assert.deepEqual(kept[0], raw[0]);
    }
  });

  test(`downsample: rebuilt samples have the aggregates of whole windows, to ${resolutionMs / MINUTE}m`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const raw = random(new Prng(seed), seed % 2 === 0);
      const { samples, windows } = downsample(samplesOf(raw), [], resolutionMs, 'x');
      const rebuilt = rowsOf(rebuild(samples, windows));
      assert.equal(rebuilt.length, raw.length);
      const windowOf = ({ timeMs }: Row) => Math.floor(timeMs / resolutionMs);
      for (const window of new Set(raw.map(windowOf))) {
        const want = aggregatesOf(raw.filter((row) => windowOf(row) === window));
        const got = aggregatesOf(rebuilt.filter((row) => windowOf(row) === window));
        assert.ok(Math.abs(got.sum - want.sum) <= 1e-9 * Math.max(1, Math.abs(want.sum)), `seed ${seed}`);
        assert.deepEqual({ ...got, sum: 0 }, { ...want, sum: 0 });
      }
      for (let i = 1; i < rebuilt.length; i++) assert.ok(rebuilt[i]!.timeMs > rebuilt[i - 1]!.timeMs);
    }
  });
}

test('downsample: in two stages as in one, and once more is no change', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const raw = samplesOf(random(new Prng(seed), true));
    const first = downsample(raw, [], FIVE, 'x_total');
    const twice = downsample(first.samples, first.windows, HOUR, 'x_total');
    const once = downsample(raw, [], HOUR, 'x_total');
    assert.deepEqual(twice.samples, once.samples);
    assert.equal(twice.windows.length, 1);
    for (const column of ['lastMs', 'counts', 'mins', 'maxs'] as const) {
      assert.deepEqual(twice.windows[0]![column], once.windows[0]![column]);
    }
    assert.deepEqual(downsample(once.samples, once.windows, HOUR, 'x_total'), once);
    assert.deepEqual(downsample(once.samples, once.windows, FIVE, 'x_total'), once, 'it gets no finer');
  }
});

test('downsample: a part that is coarse already stays, what comes behind it is lowered', () => {
  const raw = random(new Prng(3), true);
  const half = raw[700]!.timeMs;
  const windowEnd = Math.ceil(half / HOUR) * HOUR;
  const [older, newer] = [raw.filter((row) => row.timeMs < windowEnd), raw.filter((row) => row.timeMs >= windowEnd)];
  const first = downsample(samplesOf(older), [], HOUR, 'x_total');
  const both = samplesOf([...rowsOf(first.samples), ...newer]);
  const joined = downsample(both, first.windows, FIVE, 'x_total');
  assert.deepEqual(
    joined.windows.map(({ resolutionMs }) => resolutionMs),
    [HOUR, FIVE],
  );
  const count = rebuild(joined.samples, joined.windows).times.length;
  assert.equal(count, raw.length);
});

test('downsample: of a gauge one sample stays of each window; stale markers stay', () => {
  const rows = Array.from({ length: 240 }, (_, i) => ({ timeMs: i * 15_000, value: (i * 7) % 13 }));
  const { times, bits } = samplesOf(rows);
  bits[100] = STALE;
  bits[101] = STALE;
  const { samples, windows } = downsample({ times, bits }, [], FIVE, 'gauge');
  assert.equal(samples.times.length, 1 + 12 + 2);
  assert.deepEqual(
    [...samples.times].filter((_, i) => samples.bits[i] === STALE),
    [1_500_000, 1_515_000],
  );
  assert.equal(
    windows[0]!.counts.reduce((a, b) => a + b),
    238,
  );
  const rebuilt = rebuild(samples, windows);
  assert.equal([...rebuilt.bits].filter((one) => one === STALE).length, 2);
});

const odd: [name: string, values: number[]][] = [
  ['NaN', [Number.NaN, Number.NaN, Number.NaN]],
  ['NaN among others', [1, Number.NaN, 3, 2]],
  ['infinity', [1, 2, Number.POSITIVE_INFINITY, 3]],
  ['infinity below', [1, Number.NEGATIVE_INFINITY, 3, 2]],
  ['both', [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1]],
  ['one', [5]],
  ['two', [5, -5]],
];

for (const [name, values] of odd) {
  test(`downsample: ${name}`, () => {
    const rows = values.map((value, i) => ({ timeMs: 1000 + i * 1000, value }));
    const { samples, windows } = downsample(samplesOf(rows), [], FIVE, 'x');
    const rebuilt = rowsOf(rebuild(samples, windows)).map(({ value }) => value);
    const numbers = values.filter((value) => !Number.isNaN(value));
    const got = rebuilt.filter((value) => !Number.isNaN(value));
    assert.equal(rebuilt.length, values.length);
    assert.equal(Math.min(...got), Math.min(...numbers));
    assert.equal(Math.max(...got), Math.max(...numbers));
    const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
    if (Number.isNaN(sum(values))) assert.ok(Number.isNaN(sum(rebuilt)) || numbers.length === 0);
    else assert.equal(sum(rebuilt), sum(values));
  });
}
