// Native histograms: one sample that is a whole distribution.
//
//       negative buckets         zero bucket        positive buckets
//   … (-b2,-b1] (-b1,-b0]  [-zeroThreshold, +zeroThreshold]  (b0,b1] (b1,b2] …
//
// With an exponential schema s (-4 … 8) positive bucket i spans
// (2^((i-1)·2^-s), 2^(i·2^-s)]; a smaller schema is coarser. With custom bounds
// (schema -53) there are positive buckets only, bucket i spanning
// (bounds[i-1], bounds[i]], the last one up to +Inf.
//
// Buckets are kept sparse: indices in rising order beside their counts, empty
// buckets left out. Counts are floats, as query results have them. A histogram is
// not changed once it is shared; operations give new ones unless they say otherwise.

import { exponentialBound } from './bucket-bounds.js';
import { formatGeneral } from './number.js';

export const CUSTOM_SCHEMA = -53;

/** What a sample says about the one before: `reset` a counter began anew, `gauge` it is no counter. */
export type CounterHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

export interface Buckets {
  readonly indices: readonly number[];
  readonly counts: readonly number[];
}

export const NO_BUCKETS: Buckets = { indices: [], counts: [] };

/** One bucket with its bounds. */
export interface Bucket {
  lower: number;
  upper: number;
  count: number;
}

/** What two histograms must share to be added bucket by bucket. */
export interface Layout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly bounds: readonly number[];
}

export interface HistogramParts {
  readonly schema?: number;
  readonly bounds?: readonly number[];
  readonly count?: number;
  readonly sum?: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positive?: Buckets;
  readonly negative?: Buckets;
  readonly hint?: CounterHint;
}

export class FloatHistogram {
  readonly schema: number;
  /** Upper bounds without +Inf: of schema -53 only. */
  readonly bounds: readonly number[];
  readonly count: number;
  readonly sum: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  readonly hint: CounterHint;

  constructor(parts: HistogramParts) {
    this.schema = parts.schema ?? 0;
    this.bounds = parts.bounds ?? [];
    this.count = parts.count ?? 0;
    this.sum = parts.sum ?? 0;
    this.zeroThreshold = parts.zeroThreshold ?? 0;
    this.zeroCount = parts.zeroCount ?? 0;
    this.positive = parts.positive ?? NO_BUCKETS;
    this.negative = parts.negative ?? NO_BUCKETS;
    this.hint = parts.hint ?? 'unknown';
  }

  get isCustom(): boolean {
    return this.schema === CUSTOM_SCHEMA;
  }

  with(parts: HistogramParts): FloatHistogram {
    return new FloatHistogram({ ...this, ...parts });
  }

  /** All that can be said without buckets. */
  get statistics(): FloatHistogram {
    const { schema, count, sum, hint } = this;
    return new FloatHistogram({ schema, count, sum, hint });
  }

  /** All counts and the sum mapped; buckets that become empty are dropped. */
  map(change: (value: number) => number): FloatHistogram {
    return this.with({
      count: change(this.count),
      sum: change(this.sum),
      zeroCount: change(this.zeroCount),
      positive: mapBuckets(this.positive, change),
      negative: mapBuckets(this.negative, change),
    });
  }

  multiply(factor: number): FloatHistogram {
    const scaled = this.map((value) => value * factor);
    return factor < 0 ? scaled.with({ hint: 'gauge' }) : scaled;
  }

  /** Division by zero leaves no buckets. */
  divide(divisor: number): FloatHistogram {
    const scaled = this.map((value) => value / divisor);
    if (divisor === 0) return scaled.with({ positive: NO_BUCKETS, negative: NO_BUCKETS });
    return divisor < 0 ? scaled.with({ hint: 'gauge' }) : scaled;
  }

  get overflows(): boolean {
    const infinite = (value: number) => Math.abs(value) === Infinity;
    return (
      [this.count, this.sum, this.zeroCount].some(infinite) ||
      this.positive.counts.some(infinite) ||
      this.negative.counts.some(infinite)
    );
  }

  /** Bit for bit, hints aside. */
  equals(other: FloatHistogram): boolean {
    return (
      this.schema === other.schema &&
      Object.is(this.count, other.count) &&
      Object.is(this.sum, other.sum) &&
      this.zeroThreshold === other.zeroThreshold &&
      Object.is(this.zeroCount, other.zeroCount) &&
      sameNumbers(this.bounds, other.bounds) &&
      sameBuckets(this.positive, other.positive) &&
      sameBuckets(this.negative, other.negative)
    );
  }

  /**
   * From the lowest bound to the highest, empty buckets left out; and, as in Prometheus, a zero bucket below zero. Where others reach
   * into the zero bucket, their inner bounds are its bounds, be their order lost.
   */
  *buckets(): Generator<Bucket> {
    const zero = this.zeroThreshold;
    for (const bucket of this.#plainBuckets(this.zeroCount > 0)) {
      const { lower, upper } = bucket;
      if (lower > 0 && lower < zero) yield { ...bucket, lower: zero };
      else if (upper < 0 && upper > -zero) yield { ...bucket, upper: -zero };
      else yield bucket;
    }
  }

  /** The same as their indices say. */
  *#plainBuckets(hasZero: boolean): Generator<Bucket> {
    const { negative } = this;
    for (let i = negative.indices.length - 1; i >= 0; i--) {
      const index = negative.indices[i]!;
      yield { lower: -this.#bound(index), upper: -this.#bound(index - 1), count: negative.counts[i]! };
    }
    if (hasZero) {
      yield { lower: -this.zeroThreshold, upper: this.zeroThreshold, count: this.zeroCount };
    }
    yield* this.positiveBuckets();
  }

  *positiveBuckets(): Generator<Bucket> {
    const { indices, counts } = this.positive;
    for (let i = 0; i < indices.length; i++) yield { ...this.boundsOf(indices[i]!), count: counts[i]! };
  }

  /** Lower and upper bound of a positive bucket. */
  boundsOf(index: number): { lower: number; upper: number } {
    return { lower: this.#bound(index - 1), upper: this.#bound(index) };
  }

  /** Upper bound of positive bucket `index`. */
  #bound(index: number): number {
    if (!this.isCustom) return exponentialBound(index, this.schema);
    if (index < 0) return -Infinity;
    return index < this.bounds.length ? this.bounds[index]! : Infinity;
  }

  /** As Prometheus prints histograms: `{count:3, sum:4.5, [-0.001,0.001]:1, (0.5,1]:2}`. */
  toString(): string {
    const parts = [`count:${formatGeneral(this.count)}`, `sum:${formatGeneral(this.sum)}`];
    for (const bucket of this.#plainBuckets(this.zeroCount !== 0)) {
      const { lower, upper, count } = bucket;
      const [open, close] = this.#brackets(bucket);
      parts.push(`${open}${formatGeneral(lower)},${formatGeneral(upper)}${close}:${formatGeneral(count)}`);
    }
    return `{${parts.join(', ')}}`;
  }

  /** Square where the bound is in the bucket, round where it is not. */
  #brackets({ lower, upper }: Bucket): readonly [open: string, close: string] {
    if (this.isCustom) return [lower === -Infinity ? '[' : '(', ']'];
    const isZero = lower === -upper;
    return [isZero || lower < 0 ? '[' : '(', isZero || upper > 0 ? ']' : ')'];
  }

  /** Whether a counter was reset between `previous` and this sample. */
  isResetAfter(previous: FloatHistogram): boolean {
    if (this.hint === 'reset') return true;
    if (this.hint === 'not_reset') return false;
    if (this.count < previous.count) return true;
    if (this.isCustom !== previous.isCustom) return true;
    if (this.isCustom) return customShrank(previous, this);
    if (this.schema > previous.schema || this.zeroThreshold < previous.zeroThreshold) return true;
    const widened = widenZero(previous, this.zeroThreshold);
    // The new threshold cuts a populated bucket in two: it cannot be the same counter.
    if (widened.zeroThreshold !== this.zeroThreshold || this.zeroCount < widened.zeroCount) return true;
    const before = reduceSchema(widened, this.schema);
    return shrank(before.positive, this.positive) || shrank(before.negative, this.negative);
  }
}

/**
 * A sample as storage keeps it behind `before`, the sample before it if that is a histogram. No hint but `gauge`
 * is kept. `not_reset` is said where a histogram goes on from the one before, in the same chunk; what a reset
 * begins is in a new chunk, of whose first sample nothing is said.
 */
export function withStoredHint(histogram: FloatHistogram, before: FloatHistogram | undefined): FloatHistogram {
  if (histogram.hint === 'gauge') return histogram;
  const plain = histogram.hint === 'not_reset' ? histogram.with({ hint: 'unknown' }) : histogram;
  const goesOn =
    before !== undefined &&
    before.hint !== 'gauge' &&
    before.schema === plain.schema &&
    before.zeroThreshold === plain.zeroThreshold &&
    sameNumbers(before.bounds, plain.bounds) &&
    !plain.isResetAfter(before);
  return histogram.with({ hint: goesOn ? 'not_reset' : 'unknown' });
}

/** The layout in which two histograms can be added; undefined where one has custom bounds and the other none. */
export function commonLayout(a: FloatHistogram, b: FloatHistogram): Layout | undefined {
  if (a.isCustom !== b.isCustom) return undefined;
  if (a.isCustom) {
    const other = new Set(b.bounds);
    return { schema: CUSTOM_SCHEMA, zeroThreshold: 0, bounds: a.bounds.filter((bound) => other.has(bound)) };
  }
  let [left, right] = [a, b];
  while (left.zeroThreshold !== right.zeroThreshold) {
    if (left.zeroThreshold < right.zeroThreshold) left = widenZero(left, right.zeroThreshold);
    else right = widenZero(right, left.zeroThreshold);
  }
  return { schema: Math.min(a.schema, b.schema), zeroThreshold: left.zeroThreshold, bounds: [] };
}

/** The same histogram in a coarser layout. */
export function conform(histogram: FloatHistogram, layout: Layout): FloatHistogram {
  if (histogram.isCustom) return mergeBounds(histogram, layout.bounds);
  return reduceSchema(widenZero(histogram, layout.zeroThreshold), layout.schema);
}

export interface Combined {
  readonly histogram: FloatHistogram;
  /** Custom bounds differed; only those in common are left. */
  readonly reconciled: boolean;
  /** One said `reset`, the other `not_reset`. */
  readonly collided: boolean;
}

/** undefined where the schemas cannot be combined. */
export function addHistograms(a: FloatHistogram, b: FloatHistogram): Combined | undefined {
  return combine(a, b, (x, y) => x + y);
}

export function subtractHistograms(a: FloatHistogram, b: FloatHistogram): Combined | undefined {
  return combine(a, b, (x, y) => x - y);
}

function combine(
  a: FloatHistogram,
  b: FloatHistogram,
  operation: (x: number, y: number) => number,
): Combined | undefined {
  const layout = commonLayout(a, b);
  if (layout === undefined) return undefined;
  const left = conform(a, layout);
  const right = conform(b, layout);
  const { hint, collided } = combineHints(a.hint, b.hint);
  return {
    histogram: left.with({
      count: operation(left.count, right.count),
      sum: operation(left.sum, right.sum),
      zeroCount: operation(left.zeroCount, right.zeroCount),
      positive: combineBuckets(left.positive, right.positive, operation),
      negative: combineBuckets(left.negative, right.negative, operation),
      hint,
    }),
    reconciled: a.isCustom && !sameNumbers(a.bounds, b.bounds),
    collided,
  };
}

export function combineHints(a: CounterHint, b: CounterHint): { hint: CounterHint; collided: boolean } {
  if (a === b) return { hint: a, collided: false };
  if (a === 'gauge' || b === 'gauge') return { hint: 'gauge', collided: false };
  return { hint: 'unknown', collided: a !== 'unknown' && b !== 'unknown' };
}

export function combineBuckets(a: Buckets, b: Buckets, operation: (x: number, y: number) => number): Buckets {
  const indices: number[] = [];
  const counts: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.indices.length || j < b.indices.length) {
    const left = a.indices[i] ?? Infinity;
    const right = b.indices[j] ?? Infinity;
    const index = Math.min(left, right);
    const count = operation(left === index ? a.counts[i++]! : 0, right === index ? b.counts[j++]! : 0);
    if (count === 0) continue;
    indices.push(index);
    counts.push(count);
  }
  return { indices, counts };
}

/**
 * Widens the zero bucket up to `threshold`, taking in the buckets it covers. Where the threshold
 * falls into a populated bucket, it grows to that bucket's end.
 */
export function widenZero(histogram: FloatHistogram, threshold: number): FloatHistogram {
  if (threshold <= histogram.zeroThreshold) return histogram;
  const { schema } = histogram;
  const sides = [histogram.positive, histogram.negative];
  for (let grown = true; grown; ) {
    grown = false;
    for (const { indices } of sides) {
      const cut = indices.find(
        (index) => exponentialBound(index - 1, schema) < threshold && exponentialBound(index, schema) > threshold,
      );
      if (cut === undefined) continue;
      threshold = exponentialBound(cut, schema);
      grown = true;
    }
  }
  let zeroCount = histogram.zeroCount;
  const [positive, negative] = sides.map(({ indices, counts }) => {
    const first = indices.findIndex((index) => exponentialBound(index - 1, schema) >= threshold);
    const covered = first < 0 ? indices.length : first;
    for (let i = 0; i < covered; i++) zeroCount += counts[i]!;
    return { indices: indices.slice(covered), counts: counts.slice(covered) };
  });
  return histogram.with({ zeroThreshold: threshold, zeroCount, positive: positive!, negative: negative! });
}

/** Merges each 2^(difference) neighbouring buckets into one. */
export function reduceSchema(histogram: FloatHistogram, schema: number): FloatHistogram {
  if (schema >= histogram.schema || histogram.isCustom) return histogram;
  const shift = histogram.schema - schema;
  const target = (index: number) => ((index - 1) >> shift) + 1;
  return histogram.with({
    schema,
    positive: moveBuckets(histogram.positive, target),
    negative: moveBuckets(histogram.negative, target),
  });
}

/** Keeps only the given ones of a histogram's custom bounds. */
function mergeBounds(histogram: FloatHistogram, bounds: readonly number[]): FloatHistogram {
  if (sameNumbers(histogram.bounds, bounds)) return histogram;
  const target = (index: number) => {
    const upper = histogram.bounds[index] ?? Infinity;
    const at = bounds.findIndex((bound) => bound >= upper);
    return at < 0 ? bounds.length : at;
  };
  return histogram.with({ bounds, positive: moveBuckets(histogram.positive, target) });
}

/** Gives buckets new indices, of which several may be the same; the order must stay. */
function moveBuckets(buckets: Buckets, target: (index: number) => number): Buckets {
  const indices: number[] = [];
  const counts: number[] = [];
  buckets.indices.forEach((from, i) => {
    const index = target(from);
    if (indices.at(-1) === index) counts[counts.length - 1]! += buckets.counts[i]!;
    else {
      indices.push(index);
      counts.push(buckets.counts[i]!);
    }
  });
  return { indices, counts };
}

/** Drops empty buckets. */
export function denseBuckets(buckets: Buckets): Buckets {
  return mapBuckets(buckets, (count) => count);
}

function mapBuckets({ indices, counts }: Buckets, change: (count: number) => number): Buckets {
  const kept: { indices: number[]; counts: number[] } = { indices: [], counts: [] };
  for (let i = 0; i < indices.length; i++) {
    const count = change(counts[i]!);
    if (count === 0) continue;
    kept.indices.push(indices[i]!);
    kept.counts.push(count);
  }
  return kept;
}

/** Whether some bucket holds less than before, or is gone: that is a reset even of a negated counter. */
function shrank(before: Buckets, after: Buckets): boolean {
  let at = 0;
  return before.indices.some((index, i) => {
    while (at < after.indices.length && after.indices[at]! < index) at++;
    return after.indices[at] !== index || after.counts[at]! < before.counts[i]!;
  });
}

/** The same for custom bounds; other ones are compared at the bounds in common, where no bucket can be gone. */
function customShrank(before: FloatHistogram, after: FloatHistogram): boolean {
  if (sameNumbers(before.bounds, after.bounds)) return shrank(before.positive, after.positive);
  const layout = commonLayout(before, after)!;
  let lost = false;
  combineBuckets(conform(before, layout).positive, conform(after, layout).positive, (x, y) => {
    if (y < x) lost = true;
    return 0;
  });
  return lost;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function sameBuckets(a: Buckets, b: Buckets): boolean {
  return sameNumbers(a.indices, b.indices) && a.counts.every((count, i) => Object.is(count, b.counts[i]));
}
