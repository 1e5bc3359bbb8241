import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { FloatHistogram } from '../../../src/model/histogram.js';
import { evaluateWindows, type WindowCall } from '../../../src/promql/exec/window/evaluate.js';
import { RANGE_FUNCTIONS } from '../../../src/promql/exec/window/table.js';
import type { SeriesSamples } from '../../../src/promql/exec/window/window.js';

type Cells = (number | undefined)[];

function samplesOf(points: readonly (readonly [timeMs: number, value: number])[]): SeriesSamples {
  return {
    times: Float64Array.from(points, ([timeMs]) => timeMs),
    values: Float64Array.from(points, ([, value]) => value),
    count: points.length,
  };
}

function run(call: WindowCall, series: SeriesSamples): Cells {
  const { count } = call.steps;
  const values = new Float64Array(count);
  const present = new Uint8Array(count);
  const histograms = new Map<number, FloatHistogram>();
  evaluateWindows(call, series, { values, present, histograms, offset: 0 }, () => {});
  return Array.from(values, (value, i) => (present[i] === 1 ? value : undefined));
}

function at(endMs: number, fn: string, windowMs: number, args: number[] = []): WindowCall {
  return { fn, windowMs, args, steps: { startMs: endMs, stepMs: 1, count: 1 } };
}

const MIN = 60_000;
/** 0, 10, 20 … each minute from minute 0 to 10. */
const ramp: [number, number][] = Array.from({ length: 11 }, (_, i) => [i * MIN, i * 10]);

const cases: [name: string, points: [number, number][], call: WindowCall, want: number | undefined][] = [
  ['rate: both bounds reached', ramp, at(10 * MIN, 'rate', 5 * MIN), 10 / 60],
  ['increase: extrapolates to both bounds', ramp, at(10 * MIN, 'increase', 5 * MIN), 50],
  ['increase: one sample is none', ramp, at(10 * MIN, 'increase', MIN), undefined],
  ['window is left-open', ramp, at(10 * MIN, 'count_over_time', 5 * MIN), 5],
  ['nothing in the window', ramp, at(30 * MIN, 'count_over_time', 5 * MIN), undefined],
  [
    'increase: a reset counts what was there',
    [
      [0, 5],
      [MIN, 9],
      [2 * MIN, 1],
    ],
    at(2 * MIN, 'increase', 2 * MIN + 1),
    5.00004,
  ],
  [
    'increase: not below zero',
    [
      [MIN, 1],
      [2 * MIN, 21],
      [3 * MIN, 41],
    ],
    at(3 * MIN, 'increase', 3 * MIN),
    41,
  ],
  [
    'increase: half a gap where the bound is far',
    [
      [5 * MIN, 100],
      [6 * MIN, 110],
    ],
    at(10 * MIN, 'increase', 9 * MIN),
    20,
  ],
  [
    'delta: may fall',
    [
      [0, 30],
      [MIN, 20],
      [2 * MIN, 10],
    ],
    at(2 * MIN, 'delta', 2 * MIN),
    -20,
  ],
  [
    'irate: of the last two',
    [
      [0, 0],
      [MIN, 6],
      [90_000, 66],
    ],
    at(2 * MIN, 'irate', 5 * MIN),
    2,
  ],
  [
    'irate: after a reset the value itself',
    [
      [0, 50],
      [MIN, 6],
    ],
    at(2 * MIN, 'irate', 5 * MIN),
    0.1,
  ],
  [
    'idelta',
    [
      [0, 50],
      [MIN, 6],
    ],
    at(2 * MIN, 'idelta', 5 * MIN),
    -44,
  ],
  [
    'resets',
    [
      [0, 5],
      [1, 3],
      [2, 4],
      [3, 1],
    ],
    at(3, 'resets', 10),
    2,
  ],
  [
    'changes: NaN to NaN is none',
    [
      [0, 1],
      [1, Number.NaN],
      [2, Number.NaN],
      [3, 2],
    ],
    at(3, 'changes', 10),
    2,
  ],
  [
    'sum_over_time: Kahan',
    [
      [0, 1],
      [1, 1e100],
      [2, 1],
      [3, -1e100],
    ],
    at(3, 'sum_over_time', 10),
    2,
  ],
  [
    'avg_over_time: no overflow',
    [
      [0, 1e308],
      [1, 1e308],
      [2, 1e308],
    ],
    at(2, 'avg_over_time', 10),
    1e308,
  ],
  [
    'min_over_time: NaN only if alone',
    [
      [0, Number.NaN],
      [1, 3],
      [2, 2],
    ],
    at(2, 'min_over_time', 10),
    2,
  ],
  [
    'max_over_time',
    [
      [0, Number.NaN],
      [1, 3],
      [2, 2],
    ],
    at(2, 'max_over_time', 10),
    3,
  ],
  [
    'ts_of_max_over_time: the newest of equals',
    [
      [1000, 3],
      [2000, 3],
      [3000, 1],
    ],
    at(3000, 'ts_of_max_over_time', 9000),
    2,
  ],
  [
    'stdvar_over_time: of the population',
    [
      [0, 2],
      [1, 4],
    ],
    at(1, 'stdvar_over_time', 10),
    1,
  ],
  [
    'stddev_over_time',
    [
      [0, 1],
      [1, 5],
    ],
    at(1, 'stddev_over_time', 10),
    2,
  ],
  [
    'quantile_over_time: between two',
    [
      [0, 0],
      [1, 10],
    ],
    at(1, 'quantile_over_time', 10, [0.25]),
    2.5,
  ],
  [
    'quantile_over_time: φ above 1',
    [
      [0, 0],
      [1, 10],
    ],
    at(1, 'quantile_over_time', 10, [2]),
    Infinity,
  ],
  [
    'mad_over_time',
    [
      [0, 4],
      [1, 6],
      [2, 2],
      [3, 1],
      [4, 999],
      [5, 1],
      [6, 2],
    ],
    at(6, 'mad_over_time', 10),
    1,
  ],
  ['deriv: per second', ramp, at(10 * MIN, 'deriv', 5 * MIN), 10 / 60],
  ['predict_linear: from the window’s end', ramp, at(10 * MIN, 'predict_linear', 5 * MIN, [60]), 110],
  ['predict_linear: seen from later', ramp, at(10 * MIN, 'predict_linear', 5 * MIN, [60, MIN]), 120],
  ['first_over_time', ramp, at(10 * MIN, 'first_over_time', 5 * MIN), 60],
  ['last_over_time', ramp, at(10 * MIN + 5, 'last_over_time', 5 * MIN), 100],
  ['present_over_time', ramp, at(10 * MIN, 'present_over_time', 5 * MIN), 1],
];

for (const [name, points, call, want] of cases) {
  test(`window: ${name}`, () => {
    const [got] = run(call, samplesOf(points));
    if (want === undefined || got === undefined) assert.equal(got, want);
    else assert.ok(Object.is(got, want) || Math.abs(got - want) < 1e-5 * Math.abs(want), `got ${got}, want ${want}`);
  });
}

test('window: sliding over all steps gives what each step gives alone', () => {
  const seed = 7;
  const random = new Prng(seed);
  for (let round = 0; round < 40; round++) {
    const points: [number, number][] = [];
    let timeMs = 0;
    for (let i = 0; i < 60; i++) {
      timeMs += 1 + random.int(3000);
      points.push([timeMs, random.int(10) === 0 ? Number.NaN : random.int(20)]);
    }
    const steps = { startMs: random.int(20_000), stepMs: 1 + random.int(4000), count: 25 };
    const windowMs = 1 + random.int(15_000);
    for (const fn of RANGE_FUNCTIONS.keys()) {
      const args = [0.4, 0.5];
      const slid = run({ fn, windowMs, args, steps }, samplesOf(points));
      const alone: Cells = slid.map((_, step) => {
        const endMs = steps.startMs + step * steps.stepMs;
        const inside = points.filter(([time]) => time > endMs - windowMs && time <= endMs);
        return run(at(endMs, fn, windowMs, args), samplesOf(inside))[0];
      });
      assert.deepEqual(slid, alone, `${fn}, seed ${seed}, round ${round}`);
    }
  }
});

test('window: arguments may change from step to step', () => {
  const call: WindowCall = {
    fn: 'quantile_over_time',
    windowMs: 10,
    args: [Float64Array.of(0, 1)],
    steps: { startMs: 3, stepMs: 0, count: 2 },
  };
  assert.deepEqual(
    run(
      call,
      samplesOf([
        [1, 5],
        [2, 9],
      ]),
    ),
    [5, 9],
  );
});
