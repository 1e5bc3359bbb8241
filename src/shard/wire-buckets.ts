// Buckets of native histograms in messages: six fields in a row, the same in those of remote writes and of scraped targets.
//
//   first      negative spans (1 offset sint32, 2 length) │ + 1  negative deltas sint64 … │ + 2  negative counts double …
//   first + 3  the same three of positive buckets

import type { Span, StoredHistogram } from '../model/stored-histogram.js';
import { Fields, unzigzag } from './wire.js';

/** The buckets on one side of zero, as the message has them: deltas of integers, or counts. */
class Side {
  readonly spans: Span[] = [];
  readonly deltas: number[] = [];
  readonly counts: number[] = [];

  buckets(isFloat: boolean): Float64Array {
    return isFloat ? Float64Array.from(this.counts) : summed(this.deltas);
  }
}

const FIELDS_OF_SIDE = 3;

/** Gathers the buckets of one histogram. */
export class WireBuckets {
  readonly #first: number;
  readonly #sides = [new Side(), new Side()] as const;

  /** `first` is the number of the first of the six fields. */
  constructor(first: number) {
    this.#first = first;
  }

  /** Takes a field where it is one of the six; others are passed over. Throws a WireError. */
  take(field: Fields): void {
    const place = field.number - this.#first;
    const side = this.#sides[Math.floor(place / FIELDS_OF_SIDE)];
    if (side === undefined) return;
    switch (place % FIELDS_OF_SIDE) {
      case 0:
        side.spans.push(spanOf(field.bytes));
        break;
      case 1:
        side.deltas.push(...field.varints.map(unzigzag));
        break;
      case 2:
        side.counts.push(...field.doubles);
        break;
    }
  }

  finish(isFloat: boolean): Pick<StoredHistogram, 'negativeSpans' | 'positiveSpans' | 'negative' | 'positive'> {
    const [negative, positive] = this.#sides;
    return {
      negativeSpans: negative.spans,
      positiveSpans: positive.spans,
      negative: negative.buckets(isFloat),
      positive: positive.buckets(isFloat),
    };
  }
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
