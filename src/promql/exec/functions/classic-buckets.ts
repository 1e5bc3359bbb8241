// Quantiles and fractions of classic histograms: cumulative counts by upper bound.

/** Cumulative counts by rising upper bound, equal bounds joined. Lent: quantiles correct the counts in place. */
export interface ClassicBuckets {
  readonly bounds: number[];
  readonly counts: number[];
}

/** Adds a bucket; they must come by rising bound. */
export function pushBucket({ bounds, counts }: ClassicBuckets, bound: number, count: number): void {
  if (bounds.length > 0 && bounds[bounds.length - 1] === bound) counts[counts.length - 1]! += count;
  else {
    bounds.push(bound);
    counts.push(count);
  }
}

/** Buckets whose counts fell and were raised to the one before. */
export interface Repair {
  minBucket: number;
  maxBucket: number;
  maxDifference: number;
}

/** Differences below this, relative to the counts, are rounding and not worth a remark. */
const TOLERANCE = 1e-12;

/** Makes counts rise; gives what had to be forced, if anything. */
export function repair({ bounds, counts }: ClassicBuckets): Repair | undefined {
  let forced: Repair | undefined;
  let previous = counts[0]!;
  for (let i = 1; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === previous) continue;
    if (almostEqual(previous, count, TOLERANCE)) {
      counts[i] = previous;
    } else if (count < previous) {
      counts[i] = previous;
      forced ??= { minBucket: Infinity, maxBucket: -Infinity, maxDifference: 0 };
      forced.minBucket = Math.min(forced.minBucket, bounds[i]!);
      forced.maxBucket = Math.max(forced.maxBucket, bounds[i]!);
      forced.maxDifference = Math.max(forced.maxDifference, previous - count);
    } else {
      previous = count;
    }
  }
  return forced;
}

const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Relative to the sum of both sizes, as Prometheus compares. */
export function almostEqual(a: number, b: number, epsilon: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  if (a === b) return true;
  const size = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || size < SMALLEST_NORMAL) return difference < epsilon * SMALLEST_NORMAL;
  return difference / Math.min(size, Number.MAX_VALUE) < epsilon;
}

export interface ClassicQuantile {
  readonly value: number;
  readonly forced?: Repair;
}

/** Linear within a bucket; the first one begins at 0 if its end is positive. At least one bucket. */
export function classicQuantile(phi: number, buckets: ClassicBuckets): ClassicQuantile {
  const { bounds, counts } = buckets;
  if (Number.isNaN(phi)) return { value: Number.NaN };
  if (phi < 0) return { value: -Infinity };
  if (phi > 1) return { value: Infinity };
  if (bounds.at(-1) !== Infinity) return { value: Number.NaN };
  const forced = repair(buckets);
  return { value: bounds.length < 2 ? Number.NaN : interpolate(phi, bounds, counts), forced };
}

function interpolate(phi: number, bounds: readonly number[], counts: readonly number[]): number {
  const last = counts.length - 1;
  const observations = counts[last]!;
  if (observations === 0) return Number.NaN;
  const rank = phi * observations;
  // As Go's binary search over all but the last, NaN counts and all.
  let index = 0;
  while (index < last && !(counts[index]! >= rank)) index++;
  if (index === last) return bounds[last - 1]!;
  const end = bounds[index]!;
  if (index === 0) return end <= 0 ? end : end * (rank / counts[0]!);
  const start = bounds[index - 1]!;
  const before = counts[index - 1]!;
  return start + (end - start) * ((rank - before) / (counts[index]! - before));
}

/** The share of observations between two values. At least one bucket. */
export function classicFraction(lower: number, upper: number, { bounds, counts }: ClassicBuckets): number {
  if (bounds.at(-1) !== Infinity) return Number.NaN;
  const total = counts.at(-1)!;
  if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const rankOf = (value: number): number => {
    let below = 0;
    let start = bounds[0]! <= 0 ? -Infinity : 0;
    for (let i = 0; i < bounds.length; i++) {
      const end = bounds[i]!;
      if (start >= value) return below;
      if (end > value)
        return start === -Infinity ? counts[i]! : below + ((counts[i]! - below) * (value - start)) / (end - start);
      below = counts[i]!;
      start = end;
    }
    return total;
  };
  return (Math.min(rankOf(upper), total) - Math.min(rankOf(lower), total)) / total;
}
