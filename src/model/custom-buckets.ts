// Classic buckets gathered into one histogram with bounds of its own (schema -53): what
// convert_classic_histograms_to_nhcb of Prometheus asks for.
//
//   _bucket{le="0.1"} 2   _bucket{le="1"} 5   _bucket{le="+Inf"} 6      bounds  0.1  1  (+Inf)
//                                                                       counts  2    3  1
//
// Buckets come in any order, mostly ascending; the one of +Inf may be missing. Where all counts are whole
// the histogram is one of integers.

import { CUSTOM_SCHEMA } from './histogram.js';
import { compactHistogram } from './histogram-shape.js';
import { bitsOf, NO_COUNTS, NO_SPANS, type StoredHistogram } from './stored-histogram.js';

/** Empty buckets that may stand between others, where the counts are whole: as in Prometheus. */
const EMPTY_KEPT = 2;

export class CustomBuckets {
  readonly #bounds: number[] = [];
  /** Cumulative. */
  readonly #counts: number[] = [];
  #count: number | undefined;
  #sum = 0;
  #fault: string | undefined;

  /** A bound that was there before is passed over. */
  addBucket(bound: number, count: number): void {
    const bounds = this.#bounds;
    const counts = this.#counts;
    let at = bounds.length;
    while (at > 0 && bounds[at - 1]! >= bound) at--;
    const below = counts[at - 1] ?? 0;
    const above = counts[at] ?? count;
    if (Number.isNaN(bound)) this.#refuse('bucket boundary must not be NaN');
    else if (count < 0) this.#refuse(`bucket count must be non-negative: le=${bound}, count=${count}`);
    else if (bounds[at] === bound) return;
    else if (count < below) this.#refuse(`count is not cumulative: ${count} < ${below}`);
    else if (count > above) this.#refuse(`count is not cumulative: ${count} > ${above}`);
    if (at === bounds.length) {
      bounds.push(bound);
      counts.push(count);
    } else {
      bounds.splice(at, 0, bound);
      counts.splice(at, 0, count);
    }
  }

  setCount(count: number): void {
    if (count < 0) this.#refuse(`count must be non-negative: count=${count}`);
    this.#count = count;
  }

  setSum(sum: number): void {
    this.#sum = sum;
  }

  /** The histogram, or why there is none. */
  finish(isGauge: boolean): StoredHistogram | string {
    if (this.#fault !== undefined) return this.#fault;
    const cumulative = [...this.#counts];
    const bounds = this.#bounds.filter((bound) => bound !== Number.POSITIVE_INFINITY);
    const count = this.#count ?? cumulative.at(-1) ?? 0;
    if (bounds.length === cumulative.length) cumulative.push(count);
    const last = cumulative.at(-1)!;
    if (!Object.is(count, last) && count !== last) return `count mismatch: count=${count} != le=+Inf count=${last}`;
    const isFloat = ![count, ...cumulative].every(Number.isInteger);
    return compactHistogram(
      {
        isFloat,
        hint: isGauge ? 'gauge' : 'unknown',
        schema: CUSTOM_SCHEMA,
        zeroThreshold: 0,
        zeroCount: 0,
        count,
        sumBits: Number.isNaN(this.#sum) ? NAN_BITS : bitsOf(this.#sum),
        positiveSpans: [{ offset: 0, length: cumulative.length }],
        positive: Float64Array.from(cumulative, (total, i) => total - (cumulative[i - 1] ?? 0)),
        negativeSpans: NO_SPANS,
        negative: NO_COUNTS,
        bounds,
      },
      isFloat ? 0 : EMPTY_KEPT,
    );
  }

  #refuse(fault: string): void {
    this.#fault ??= fault;
  }
}

/** The NaN of samples. */
const NAN_BITS = 0x7ff8000000000001n;
