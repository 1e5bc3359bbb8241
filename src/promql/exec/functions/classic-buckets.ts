// Quantiles and fractions of classic histograms: cumulative counts by upper bound.

/** Buckets whose counts fell and were raised to the one before. */
export interface Repair {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDifference: number;
}

/** Differences below this, relative to the counts, are rounding and not worth a remark. */
const TOLERANCE = 1e-12;

/** Cumulative counts by rising upper bound. One serves many histograms, one after another. */
export class ClassicBuckets {
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  #length = 0;

  constructor(room: number) {
    this.#bounds = new Float64Array(room);
    this.#counts = new Float64Array(room);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Adds a bucket; they must come by rising bound. Equal bounds are one bucket. */
  push(bound: number, count: number): void {
    const last = this.#length - 1;
    if (last >= 0 && this.#bounds[last] === bound) {
      this.#counts[last]! += count;
    } else {
      this.#bounds[this.#length] = bound;
      this.#counts[this.#length++] = count;
    }
  }

  /** Linear within a bucket; the first one begins at 0 if its end is positive. At least one bucket, and repaired. */
  quantile(phi: number): number {
    if (Number.isNaN(phi)) return Number.NaN;
    if (phi < 0) return -Infinity;
    if (phi > 1) return Infinity;
    const bounds = this.#bounds;
    const counts = this.#counts;
    const last = this.#length - 1;
    if (bounds[last] !== Infinity || last < 1) return Number.NaN;
    const observations = counts[last]!;
    if (observations === 0) return Number.NaN;
    const rank = phi * observations;
    const index = this.#search(rank);
    if (index === last) return bounds[last - 1]!;
    const end = bounds[index]!;
    if (index === 0) return end <= 0 ? end : end * (rank / counts[0]!);
    const start = bounds[index - 1]!;
    const before = counts[index - 1]!;
    return start + (end - start) * ((rank - before) / (counts[index]! - before));
  }

  /**
   * The first bucket that holds the rank; the last one where none does. By halves, as Prometheus searches:
   * where counts are NaN, that decides which one it is.
   */
  #search(rank: number): number {
    let from = 0;
    let to = this.#length - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#counts[middle]! >= rank) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** Makes counts rise, where quantiles are asked for and there is a last bucket; gives what had to be forced. */
  repair(phi: number): Repair | undefined {
    if (!(phi >= 0 && phi <= 1) || this.#bounds[this.#length - 1] !== Infinity) return undefined;
    const counts = this.#counts;
    let forced: Repair | undefined;
    let previous = counts[0]!;
    for (let i = 1; i < this.#length; i++) {
      const count = counts[i]!;
      if (count === previous) continue;
      if (almostEqual(previous, count, TOLERANCE)) {
        counts[i] = previous;
      } else if (count < previous) {
        counts[i] = previous;
        forced = widen(forced, this.#bounds[i]!, previous - count);
      } else {
        previous = count;
      }
    }
    return forced;
  }

  /** The share of observations between two values. At least one bucket. */
  fraction(lower: number, upper: number): number {
    const last = this.#length - 1;
    if (this.#bounds[last] !== Infinity) return Number.NaN;
    const total = this.#counts[last]!;
    if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
    if (lower >= upper) return 0;
    return (Math.min(this.#rankOf(upper), total) - Math.min(this.#rankOf(lower), total)) / total;
  }

  /** How many observations lie below a value. */
  #rankOf(value: number): number {
    let below = 0;
    let start = this.#bounds[0]! <= 0 ? -Infinity : 0;
    for (let i = 0; i < this.#length; i++) {
      if (start >= value) return below;
      const end = this.#bounds[i]!;
      const count = this.#counts[i]!;
      if (end > value) return start === -Infinity ? count : below + ((count - below) * (value - start)) / (end - start);
      below = count;
      start = end;
    }
    return below;
  }
}

function widen(forced: Repair | undefined, bound: number, difference: number): Repair {
  return {
    minBucket: Math.min(forced?.minBucket ?? Infinity, bound),
    maxBucket: Math.max(forced?.maxBucket ?? -Infinity, bound),
    maxDifference: Math.max(forced?.maxDifference ?? 0, difference),
  };
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
