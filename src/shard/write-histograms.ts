// The histograms of a remote write request: messages of prometheus.WriteRequest.
//
//   Histogram      1 count uint64, 2 as double │ 3 sum │ 4 schema sint32 │ 5 zero threshold │ 6 zero count uint64, 7 as double
//                  8 negative spans (1 offset sint32, 2 length) │ 9 negative deltas sint64 … │ 10 negative counts double …
//                  11, 12, 13 the same of positive buckets │ 14 hint │ 15 time, ms │ 16 bounds double …
//
// Integers beyond 2^53 are rounded, as they are for every query.

import type { CounterHint } from '../model/histogram.js';
import type { Span, StoredHistogram } from '../model/stored-histogram.js';
import type { HistogramSample } from '../tsdb/chunk/histogram.js';
import { Fields, unzigzag } from './wire.js';

const HINTS: readonly CounterHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

/** One histogram with its time. */
export function histogramOf(bytes: Uint8Array): HistogramSample {
  let [isFloat, count, zeroCount, sumBits] = [false, 0, 0, 0n];
  let [schema, zeroThreshold, timeMs] = [0, 0, 0];
  let hint: CounterHint = 'unknown';
  const spans: [negative: Span[], positive: Span[]] = [[], []];
  const deltas: [negative: number[], positive: number[]] = [[], []];
  const counts: [negative: number[], positive: number[]] = [[], []];
  const bounds: number[] = [];
  for (const field of new Fields(bytes)) {
    switch (field.number) {
      case 1:
        count = field.varint;
        break;
      case 2:
        isFloat = true;
        count = field.double;
        break;
      case 3:
        sumBits = field.fixed64;
        break;
      case 4:
        schema = unzigzag(field.varint);
        break;
      case 5:
        zeroThreshold = field.double;
        break;
      case 6:
        zeroCount = field.varint;
        break;
      case 7:
        zeroCount = field.double;
        break;
      case 8:
      case 11:
        spans[field.number === 8 ? 0 : 1].push(spanOf(field.bytes));
        break;
      case 9:
      case 12:
        deltas[field.number === 9 ? 0 : 1].push(...field.varints.map(unzigzag));
        break;
      case 10:
      case 13:
        counts[field.number === 10 ? 0 : 1].push(...field.doubles);
        break;
      case 14:
        hint = HINTS[field.varint] ?? 'unknown';
        break;
      case 15:
        timeMs = field.signed;
        break;
      case 16:
        bounds.push(...field.doubles);
        break;
    }
  }
  const [negative, positive] = isFloat ? counts.map((all) => Float64Array.from(all)) : deltas.map(summed);
  const histogram: StoredHistogram = {
    isFloat,
    hint,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sumBits,
    negativeSpans: spans[0],
    positiveSpans: spans[1],
    negative: negative!,
    positive: positive!,
    bounds,
  };
  return { timeMs, histogram };
}

function spanOf(bytes: Uint8Array): Span {
  let [offset, length] = [0, 0];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) offset = unzigzag(field.varint);
    else if (field.number === 2) length = field.varint;
  }
  return { offset, length };
}

function summed(deltas: readonly number[]): Float64Array {
  let count = 0;
  return Float64Array.from(deltas, (delta) => {
    count += delta;
    return count;
  });
}
