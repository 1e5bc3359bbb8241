// Native histograms as two buffers, the form in which they cross threads.
//
//   shape     i32   per histogram: schema, hint, bounds, positive, negative (counts of each),
//                   then the indices of its positive and of its negative buckets
//   numbers   f64   per histogram: count, sum, zero threshold, zero count,
//                   then its bounds, its positive and its negative counts
//
// Both are read from the front; a histogram says itself how long it is.

import { type Buckets, type CounterHint, FloatHistogram, NO_BUCKETS } from './histogram.js';

/** Its buffers move with a message. */
export interface HistogramTable {
  readonly shape: ArrayBuffer;
  readonly numbers: ArrayBuffer;
}

const HINTS: readonly CounterHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

const SHAPE_HEAD = 5;
const NUMBERS_HEAD = 4;

export function encodeHistograms(histograms: readonly FloatHistogram[]): HistogramTable {
  let words = 0;
  let floats = 0;
  for (const { bounds, positive, negative } of histograms) {
    const buckets = positive.indices.length + negative.indices.length;
    words += SHAPE_HEAD + buckets;
    floats += NUMBERS_HEAD + bounds.length + buckets;
  }
  const shape = new Int32Array(words);
  const numbers = new Float64Array(floats);
  let at = 0;
  let from = 0;
  for (const { schema, hint, bounds, positive, negative, count, sum, zeroThreshold, zeroCount } of histograms) {
    shape.set([schema, HINTS.indexOf(hint), bounds.length, positive.indices.length, negative.indices.length], at);
    at += SHAPE_HEAD;
    numbers.set([count, sum, zeroThreshold, zeroCount], from);
    from += NUMBERS_HEAD;
    numbers.set(bounds, from);
    from += bounds.length;
    for (const { indices, counts } of [positive, negative]) {
      shape.set(indices, at);
      at += indices.length;
      numbers.set(counts, from);
      from += counts.length;
    }
  }
  return { shape: shape.buffer, numbers: numbers.buffer };
}

export function decodeHistograms(table: HistogramTable): FloatHistogram[] {
  const shape = new Int32Array(table.shape);
  const numbers = new Float64Array(table.numbers);
  const histograms: FloatHistogram[] = [];
  let from = 0;
  for (let at = 0; at < shape.length; ) {
    const [schema, hint, boundCount, positiveCount, negativeCount] = shape.subarray(at, at + SHAPE_HEAD);
    at += SHAPE_HEAD;
    const [count, sum, zeroThreshold, zeroCount] = numbers.subarray(from, from + NUMBERS_HEAD);
    from += NUMBERS_HEAD;
    const bounds = Array.from(numbers.subarray(from, from + boundCount!));
    from += boundCount!;
    const buckets = (size: number): Buckets => {
      if (size === 0) return NO_BUCKETS;
      const indices = Array.from(shape.subarray(at, at + size));
      const counts = Array.from(numbers.subarray(from, from + size));
      at += size;
      from += size;
      return { indices, counts };
    };
    const positive = buckets(positiveCount!);
    const negative = buckets(negativeCount!);
    const parts = { schema, bounds, count, sum, zeroThreshold, zeroCount, positive, negative, hint: HINTS[hint!] };
    histograms.push(new FloatHistogram(parts as Required<typeof parts>));
  }
  return histograms;
}

export function tableBytes({ shape, numbers }: HistogramTable): number {
  return shape.byteLength + numbers.byteLength;
}
