// Native histograms as they grow: one state per series, one sample at a time.
//
//   exponential integer or float, with custom buckets, with custom buckets whose bounds
//   change, or a gauge; now and then a
//   reset, another schema or zero threshold, an observation that is NaN

import type { Prng } from '../../../../src/base/prng.js';
import { type Buckets, CUSTOM_SCHEMA, FloatHistogram } from '../../../../src/model/histogram.js';

export type HistogramKind = 'integer' | 'float' | 'custom' | 'rebound' | 'gauge';

/** A new sample at each call. */
export type NextHistogram = () => FloatHistogram;

const BOUNDS = [
  [0.1, 0.5, 1, 5],
  [0.1, 1, 5, 10],
  [-1, 0, 1],
  [1, 2, 3, 4, 5, 6],
];
/** Bounds of buckets in all schemas, so that none is cut in two. */
const THRESHOLDS = [0, 2 ** -64, 2 ** -16, 1];
/** Changes of a series come about this often, in samples. */
const CHANGE_EVERY = 70;

export function growingHistogram(random: Prng, kind: HistogramKind): NextHistogram {
  switch (kind) {
    case 'custom':
      return custom(random, 0);
    case 'rebound':
      return custom(random, CHANGE_EVERY);
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
        schema = random.pick([0, 1, 2, 4, 8, -1, -2]);
        state = new Tally();
        break;
      case 2:
        threshold = Math.max(threshold, random.pick(THRESHOLDS));
        state.widenZero(threshold, schema);
        break;
      case 3:
        state.sum = random.int(3) === 0 ? Number.NaN : state.sum;
        break;
    }
    for (let adds = random.int(4); adds > 0; adds--) {
      const side = negatives && random.int(3) === 0 ? state.negative : state.positive;
      const index = random.int(9) - 2;
      const upper = 2 ** (index * 2 ** -schema);
      if (upper <= threshold) state.zero += amount();
      else state.add(side, index, amount(), side === state.negative ? -upper : upper);
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

/** Bounds change once in so many samples; never, where that is 0. */
function custom(random: Prng, changeEvery: number): NextHistogram {
  let bounds = changeEvery === 0 ? BOUNDS[0]! : random.pick(BOUNDS);
  let state = new Tally();
  return () => {
    if (random.int(CHANGE_EVERY) === 0) state = new Tally();
    if (changeEvery > 0 && random.int(changeEvery) === 0) {
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

/**
 * Counters begin with this: the rate of one that was near zero is something that versions of Prometheus do not
 * agree on.
 */
const BEGIN_COUNT = 20_000;

/** Counts by bucket index. */
class Tally {
  readonly positive = new Map<number, number>([[3, BEGIN_COUNT]]);
  readonly negative = new Map<number, number>();
  zero = 0;
  sum = 0;

  add(side: Map<number, number>, index: number, count: number, value: number): void {
    if (count === 0) return;
    side.set(index, (side.get(index) ?? 0) + count);
    this.sum += count * value;
  }

  /** Buckets up to the threshold become part of the zero bucket. */
  widenZero(threshold: number, schema: number): void {
    for (const side of [this.positive, this.negative]) {
      for (const [index, count] of side) {
        if (2 ** (index * 2 ** -schema) > threshold) continue;
        this.zero += count;
        side.delete(index);
      }
    }
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
