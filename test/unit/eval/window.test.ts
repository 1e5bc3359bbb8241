import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK_SAMPLES_MAX, WindowFn } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import { evaluateWindows } from '../../../src/promql/exec/window/evaluate.js';
import { RANGE_FUNCTIONS } from '../../../src/promql/exec/window/table.js';
import { Chunks, type Samples } from '../../../src/wasm/chunks.js';
import { Core } from '../../../src/wasm/core.js';
import { Eval, type Row, WINDOW_FNS, type Windows } from '../../../src/wasm/eval.js';
import { evaluateModel, type Stored, WINDOW_MODELS } from '../../support/window-model.js';
import { floatBits } from '../../support/xor-model.js';

const STALE = 0x7ff0000000000002n;
const core = new Core();
const chunks = new Chunks(core);
const evaluator = new Eval(core);

function columns(samples: readonly Stored[]): Samples {
  return {
    times: Float64Array.from(samples, ({ time }) => time),
    valueBits: BigUint64Array.from(samples, ({ stale, value }) => (stale ? STALE : floatBits(value))),
  };
}

function cells(row: Row): (number | undefined)[] {
  return Array.from(row.values, (value, i) => {
    if (row.present[i] === 1) return value;
    assert.equal(value, 0, 'a cell without a value holds 0');
    return undefined;
  });
}

const at = (time: number, value: number): Stored => ({ time, value, stale: false });
const stale = (time: number): Stored => ({ time, value: Number.NaN, stale: true });

// One step at 60 s over 60 s, unless said otherwise.
const cases: [name: string, fn: string, samples: Stored[], want: number | undefined][] = [
  ['the window is left-open', 'count_over_time', [at(0, 1)], undefined],
  ['the window is right-closed', 'count_over_time', [at(60000, 1)], 1],
  ['one sample has no rate', 'rate', [at(30000, 5)], undefined],
  [
    'extrapolated to both ends',
    'increase',
    [at(10000, 100), at(20000, 110), at(30000, 120), at(40000, 130), at(50000, 140)],
    60,
  ],
  ['per second', 'rate', [at(10000, 100), at(20000, 110), at(30000, 120), at(40000, 130), at(50000, 140)], 1],
  ['not beyond zero', 'increase', [at(10000, 0), at(20000, 10), at(30000, 20), at(40000, 30), at(50000, 40)], 50],
  ['a gauge goes beyond zero', 'delta', [at(10000, 0), at(20000, 10), at(30000, 20), at(40000, 30), at(50000, 40)], 60],
  ['by half a gap where the end is far', 'delta', [at(20000, 0), at(30000, 10)], 20],
  ['a reset adds what was there', 'increase', [at(15000, 5), at(30000, 1), at(45000, 6)], 12],
  ['a stale marker hides older samples', 'last', [at(30000, 5), stale(40000)], undefined],
  ['but not newer ones', 'last', [stale(40000), at(50000, 5)], 5],
  ['ranges have no stale markers', 'last_over_time', [at(30000, 5), stale(40000)], 5],
  ['the time of the sample', 'timestamp', [at(30500, 5)], 30.5],
  ['two NaNs are no change', 'changes', [at(10000, NaN), at(20000, NaN), at(30000, 1), at(40000, 1)], 1],
  ['a NaN is no reset', 'resets', [at(10000, 5), at(20000, NaN), at(30000, 1), at(40000, 0)], 1],
  ['NaN loses', 'max_over_time', [at(10000, NaN), at(20000, -5)], -5],
  ['unless all are', 'min_over_time', [at(10000, NaN)], NaN],
  ['the first zero wins', 'min_over_time', [at(10000, 0), at(20000, -0)], 0],
  ['compensated', 'sum_over_time', [at(10000, 1), at(20000, 1e100), at(30000, 1), at(40000, -1e100)], 2],
  ['a sum may overflow', 'sum_over_time', [at(10000, 1e308), at(20000, 1e308)], Infinity],
  ['a mean may not', 'avg_over_time', [at(10000, 1e308), at(20000, 1e308)], 1e308],
  ['the variance is the population’s', 'stdvar_over_time', [at(10000, 1), at(20000, 3)], 1],
  ['the slope, per second', 'deriv', [at(10000, 1), at(20000, 3), at(30000, 5)], 0.2],
  ['one sample has no slope', 'deriv', [at(10000, 1)], undefined],
  ['what does not change has none either', 'deriv', [at(10000, 7), at(20000, 7)], 0],
  ['infinities that do not change', 'deriv', [at(10000, Infinity), at(20000, Infinity)], NaN],
  ['the line at the evaluation time', 'predict_linear', [at(30000, 3), at(40000, 4)], 6],
];

for (const [name, fn, samples, want] of cases) {
  test(`${fn}: ${name}`, () => {
    const windows = { fn: WINDOW_FNS.get(fn)!, startMs: 60000, stepMs: 1, steps: 1, windowMs: 60000 };
    const [sealed] = chunks.encode(columns(samples));
    const row = evaluator.series(windows, [sealed!], 1000)!;
    const model = evaluateModel(fn, samples, windows)[0];
    assert.deepEqual(cells(row), [want]);
    assert.deepEqual(cells(row), [model]);
  });
}

/** A series of one of several natures, with gaps, jitter and stale markers. */
function randomSeries(random: Prng): Stored[] {
  const interval = random.pick([1000, 15000, 60000]);
  const jitter = random.pick([0, 0, 3, 500]);
  const nature = random.int(11);
  const base = random.pick([1, 1e6, 3e-5, -7.7]) * (1 + random.float());
  const staleOften = random.pick([0, 0, 20]);
  let time = 1_700_000_000_000 + random.int(interval);
  let value = random.int(1000);
  return Array.from({ length: random.int(300) }, () => {
    time += interval + random.int(jitter + 1) + (random.int(30) === 0 ? interval * random.int(10) : 0);
    if (staleOften > 0 && random.int(staleOften) === 0) return stale(time);
    if (nature === 0) value += random.int(10);
    else if (nature === 1) value = random.int(20) === 0 ? 0 : value + random.float() * 100;
    else if (nature === 2) value = random.float() - 0.5;
    else if (nature === 3) value = random.pick([0, -0, 1, -1, Infinity, -Infinity, NaN]);
    else if (nature === 4) value = random.pick([1.7e308, -1.7e308, 1e308, 5e-324, 1]);
    else if (nature === 5) value = random.pick([1, 1e16, -1e16, 1e100, -1e100, 3.3]);
    else if (nature === 8) value = base * (0.5 + random.float());
    else if (nature === 9) value = random.pick([0, base, -base, -0]) * (1 + random.float());
    else if (nature === 10) value = random.pick([-1, 1]) * 2 ** random.pick([5, 30, 40, 50]) + random.int(100);
    else if (nature === 6) value = random.int(4) === 0 ? random.int(5) : value;
    return at(time, value);
  });
}

function randomWindows(random: Prng, samples: readonly Stored[]): Omit<Windows, 'fn'> {
  const last = samples.at(-1)?.time ?? 1_700_000_000_000;
  const windowMs = random.pick([1, 1500, 60000, 300_000, 3_600_000]);
  const stepMs = random.pick([1000, 15000, 60000, 300_000]);
  const steps = 1 + random.int(80);
  const behindMs = random.int(steps * stepMs + windowMs);
  // Whole seconds from the samples where these are from each other.
  const startMs = last - (random.int(2) === 0 ? behindMs : Math.floor(behindMs / 1000) * 1000);
  return { startMs, stepMs, steps, windowMs };
}

test('every function has a model', () => {
  assert.deepEqual([...WINDOW_FNS.keys()].sort(), [...WINDOW_MODELS.keys()].sort());
});

for (const [name, fn] of WINDOW_FNS) {
  test(`${name} equals its model bit for bit, on random series and steps`, () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = new Prng(seed * 100 + fn);
      const samples = randomSeries(random);
      const args = randomArgs(random, name);
      const windows = { fn, ...randomWindows(random, samples), args };
      const want = evaluateModel(name, samples, windows);
      const ranged = fn === WindowFn.Last || fn === WindowFn.Timestamp ? samples : samples.filter((s) => !s.stale);
      assert.deepEqual(cells(evaluator.columns(windows, columns(ranged))), want, `columns, seed ${seed}`);
      if (RANGE_FUNCTIONS.has(name))
        assert.deepEqual(cells(engineRow(name, windows, ranged)), want, `engine, seed ${seed}`);
      // In chunks, with more or less room for decoded samples: the window goes through in pieces.
      const sealed = chunks.encode(columns(samples));
      const inWindow = samples.length === 0 ? 0 : mostIn(samples, windows.windowMs);
      const least = (inWindow + CHUNK_SAMPLES_MAX + random.int(50)) * (name === 'quantile_over_time' ? 2 : 1);
      for (const room of [10000, least]) {
        assert.deepEqual(cells(evaluator.series(windows, sealed, room)!), want, `chunks, room ${room}, seed ${seed}`);
      }
    }
  });
}

function randomArgs(random: Prng, fn: string): number[] {
  if (fn === 'predict_linear') return [random.pick([0, 3600, -60, Infinity]), random.pick([0, 90_000])];
  if (fn === 'quantile_over_time') return [random.pick([0, 1, 0.5, 0.95, random.float(), -0.1, 1.1, Number.NaN])];
  return [];
}

/** The engine's own evaluation, which stands in where the kernel cannot be used. */
function engineRow(
  fn: string,
  { startMs, stepMs, steps, windowMs, args = [] }: Windows,
  samples: readonly Stored[],
): Row {
  const row = { values: new Float64Array(steps), present: new Uint8Array(steps), histograms: new Map(), offset: 0 };
  const series = {
    times: Float64Array.from(samples, ({ time }) => time),
    values: Float64Array.from(samples, ({ value }) => value),
    count: samples.length,
  };
  evaluateWindows({ fn, windowMs, steps: { startMs, stepMs, count: steps }, args }, series, row, () => {});
  return row;
}

/** The most samples that any window holds. */
function mostIn(samples: readonly Stored[], windowMs: number): number {
  let most = 0;
  let lo = 0;
  samples.forEach(({ time }, hi) => {
    while (samples[lo]!.time <= time - windowMs) lo++;
    most = Math.max(most, hi - lo + 1);
  });
  return most;
}

test('samples after maxt are not seen', () => {
  const samples = Array.from({ length: 100 }, (_, i) => at(i * 1000, i));
  const windows = { fn: WindowFn.CountOverTime, startMs: 90_000, stepMs: 1, steps: 1, windowMs: 100_000 };
  const sealed = chunks.encode(columns(samples));
  assert.deepEqual(cells(evaluator.series(windows, sealed, 1000)!), [91]);
  assert.deepEqual(cells(evaluator.series({ ...windows, maxt: 50_000 }, sealed, 1000)!), [51]);
});

test('samples of a range come without stale markers, and only if they all fit', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new Prng(seed);
    const samples = randomSeries(random);
    const { startMs, windowMs } = randomWindows(random, samples);
    const want = samples.filter(({ time, stale }) => time > startMs - windowMs && time <= startMs && !stale);
    const sealed = chunks.encode(columns(samples));
    assert.deepEqual(evaluator.samples(startMs, windowMs, sealed, 1000), columns(want), `seed ${seed}`);
  }
  const many = chunks.encode(columns(Array.from({ length: 500 }, (_, i) => at(i, i))));
  assert.throws(() => evaluator.samples(499, 500, many, 499), RangeError);
});

test('too little room is said, damaged chunks are said, and neither traps', () => {
  const samples = Array.from({ length: 500 }, (_, i) => at(i * 1000, i));
  const windows = { fn: WindowFn.Rate, startMs: 400_000, stepMs: 1000, steps: 90, windowMs: 300_000 };
  const sealed = chunks.encode(columns(samples));
  assert.throws(() => evaluator.series(windows, sealed, 200), RangeError);
  const random = new Prng(3);
  for (let i = 0; i < 300; i++) {
    const damaged = sealed.map((chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
    const bytes = random.pick(damaged).bytes;
    bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
    for (const fn of WINDOW_FNS.values()) {
      try {
        evaluator.series({ ...windows, fn }, damaged, 1000);
      } catch (error) {
        // A damaged count may ask for more room than there is.
        assert.ok(error instanceof RangeError);
      }
    }
  }
});
