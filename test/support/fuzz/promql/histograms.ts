// Native histograms as they grow: one state per series, one sample at a time.
//
//   exponential integer or float, with custom buckets, or a gauge; now and then a
//   reset, another schema or zero threshold, an observation that is NaN

import type { Prng } from '../../../../src/base/prng.js';
import { type Buckets, CUSTOM_SCHEMA, FloatHistogram } from '../../../../src/model/histogram.js';

export type HistogramKind = 'integer' | 'float' | 'custom' | 'gauge';

/** A new sample at each call. */
export type NextHistogram = () => FloatHistogram;

const BOUNDS = [
  [0.1, 0.5, 1, 5],
  [0.1, 1, 5, 10],
  [-1, 0, 1],
  [1, 2, 3, 4, 5, 6],
];
const THRESHOLDS = [0, 1e-128, 0.001, 0.5];
/** Changes of a series come about this often, in samples. */
const CHANGE_EVERY = 70;

export function growingHistogram(random: Prng, kind: HistogramKind): NextHistogram {
  switch (kind) {
    case 'custom':
      return custom(random);
    case 'gauge':
      return gauge(random);
    default:
      return exponential(random, kind === 'integer');
  }
}

function exponential(random: Prng, whole: boolean): NextHistogram {
  const amount = () => (whole ? random.int(4) : random.float() * 3);
  const negatives = random.int(2) === 0;
  let schema = random.pick([0, 0, 1, 2, 3, -1]);
  let threshold = random.pick(THRESHOLDS);
  let state = new Tally();
  return () => {
    switch (random.int(CHANGE_EVERY)) {
      case 0:
        state = new Tally();
        break;
      case 1:
        schema = random.pick([0, 1, 2, 4, -1, -2]);
        state = new Tally();
        break;
      case 2:
        threshold = random.pick(THRESHOLDS);
        break;
      case 3:
        state.sum = random.int(3) === 0 ? Number.NaN : state.sum;
        break;
    }
    for (let adds = random.int(4); adds > 0; adds--) {
      const side = negatives && random.int(3) === 0 ? state.negative : state.positive;
      const index = random.int(9) - 2;
      state.add(side, index, amount(), (side === state.negative ? -1 : 1) * 2 ** (index * 2 ** -schema));
    }
    if (random.int(3) === 0) state.zero += amount();
    return state.histogram(schema, threshold);
  };
}

function gauge(random: Prng): NextHistogram {
  const schema = random.pick([0, 1, 3]);
  return () => {
    const state = new Tally();
    for (let adds = 1 + random.int(5); adds > 0; adds--) {
      state.add(
        random.int(4) === 0 ? state.negative : state.positive,
        random.int(6),
        random.float() * 10,
        random.float(),
      );
    }
    return state.histogram(schema, 0.001).with({ hint: 'gauge' });
  };
}

function custom(random: Prng): NextHistogram {
  let bounds = random.pick(BOUNDS);
  let state = new Tally();
  return () => {
    if (random.int(CHANGE_EVERY) === 0) state = new Tally();
    if (random.int(CHANGE_EVERY) === 0) {
      bounds = random.pick(BOUNDS);
      state = new Tally();
    }
    for (let adds = random.int(4); adds > 0; adds--) {
      const index = random.int(bounds.length + 1);
      state.add(state.positive, index, random.int(4), (bounds[index] ?? 10) * 0.9);
    }
    const { sum, positive } = state;
    const buckets = bucketsOf(positive);
    const count = buckets.counts.reduce((total, one) => total + one, 0);
    return new FloatHistogram({ schema: CUSTOM_SCHEMA, bounds, count, sum, positive: buckets });
  };
}

/** Counts by bucket index. */
class Tally {
  readonly positive = new Map<number, number>();
  readonly negative = new Map<number, number>();
  zero = 0;
  sum = 0;

  add(side: Map<number, number>, index: number, count: number, value: number): void {
    if (count === 0) return;
    side.set(index, (side.get(index) ?? 0) + count);
    this.sum += count * value;
  }

  histogram(schema: number, zeroThreshold: number): FloatHistogram {
    const [positive, negative] = [bucketsOf(this.positive), bucketsOf(this.negative)];
    const count = [...positive.counts, ...negative.counts].reduce((total, one) => total + one, this.zero);
    return new FloatHistogram({
      schema,
      zeroThreshold,
      zeroCount: this.zero,
      count,
      sum: this.sum,
      positive,
      negative,
    });
  }
}

function bucketsOf(counts: ReadonlyMap<number, number>): Buckets {
  const indices = [...counts.keys()].sort((a, b) => a - b);
  return { indices, counts: indices.map((index) => counts.get(index)!) };
}
