// The histograms of a remote write request: messages of prometheus.WriteRequest.
//
//   Histogram      1 count uint64, 2 as double │ 3 sum │ 4 schema sint32 │ 5 zero threshold │ 6 zero count uint64, 7 as double
//                  8 negative spans (1 offset sint32, 2 length) │ 9 negative deltas sint64 … │ 10 negative counts double …
//                  11, 12, 13 the same of positive buckets │ 14 hint │ 15 time, ms │ 16 bounds double …
//                  17 start time, ms: of version 2.0
//
// Integers beyond 2^53 are rounded, as they are for every query.

import type { CounterHint } from '../model/histogram.js';
import type { StoredHistogram } from '../model/stored-histogram.js';
import type { ReceivedHistogram } from './protocol.js';
import { Fields, unzigzag } from './wire.js';
import { WireBuckets } from './wire-buckets.js';

/** The field of the negative spans. */
const FIRST_BUCKETS = 8;
const HINTS: readonly CounterHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

/** One histogram with its time; with that of its start only where `startTimes`. */
export function histogramOf(bytes: Uint8Array, startTimes = false): ReceivedHistogram {
  let [isFloat, count, zeroCount, sumBits] = [false, 0, 0, 0n];
  let [schema, zeroThreshold, timeMs, startMs] = [0, 0, 0, 0];
  let hint: CounterHint = 'unknown';
  const buckets = new WireBuckets(FIRST_BUCKETS);
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
      case 14:
        hint = HINTS[field.varint] ?? 'unknown';
        break;
      case 15:
        timeMs = field.signed;
        break;
      case 16:
        bounds.push(...field.doubles);
        break;
      case 17:
        if (startTimes) startMs = field.signed;
        break;
      default:
        buckets.take(field);
    }
  }
  const histogram: StoredHistogram = {
    isFloat,
    hint,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sumBits,
    ...buckets.finish(isFloat),
    bounds,
  };
  return { timeMs, histogram, ...(startMs !== 0 && { startMs }) };
}
