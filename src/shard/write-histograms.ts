// The histograms of a remote write request (prometheus.WriteRequest), which was scanned before: assembly/remote/write.ts
// takes its floats and checks its form, and what has histograms is read here.
//
//   WriteRequest   1 TimeSeries …
//   TimeSeries     1 Label (1 name, 2 value) … │ 4 Histogram …
//   Histogram      1 count uint64, 2 as double │ 3 sum │ 4 schema sint32 │ 5 zero threshold │ 6 zero count uint64, 7 as double
//                  8 negative spans (1 offset sint32, 2 length) │ 9 negative deltas sint64 … │ 10 negative counts double …
//                  11, 12, 13 the same of positive buckets │ 14 hint │ 15 time, ms │ 16 bounds double …
//
// Integers beyond 2^53 are rounded, as they are for every query.

import type { CounterHint } from '../model/histogram.js';
import type { Labels } from '../model/labels.js';
import type { Span, StoredHistogram } from '../model/stored-histogram.js';
import type { HistogramSample } from '../tsdb/chunk/histogram.js';

export interface HistogramSeries {
  readonly labels: Labels;
  readonly samples: readonly HistogramSample[];
}

const HINTS: readonly CounterHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The body is no request: something that was not looked at before. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Series that have histograms, with these. `body` may be a view of shared memory. */
export function histogramsOf(body: Uint8Array): HistogramSeries[] {
  const series: HistogramSeries[] = [];
  for (const field of new Fields(body)) {
    if (field.number !== 1) continue;
    const labels: string[] = [];
    const samples: HistogramSample[] = [];
    for (const { number, bytes } of new Fields(field.bytes)) {
      if (number === 1) labels.push(...labelOf(bytes));
      else if (number === 4) samples.push(sampleOf(bytes));
    }
    if (samples.length > 0) series.push({ labels, samples });
  }
  return series;
}

function labelOf(bytes: Uint8Array): [name: string, value: string] {
  const label: [string, string] = ['', ''];
  // Shared memory cannot be decoded in place: slice() copies.
  for (const field of new Fields(bytes)) {
    if (field.number === 1 || field.number === 2) label[field.number - 1] = utf8.decode(field.bytes.slice());
  }
  return label;
}

function sampleOf(bytes: Uint8Array): HistogramSample {
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

function unzigzag(value: number): number {
  return value % 2 === 1 ? -((value + 1) / 2) : value / 2;
}

/** The fields of a message, one after the other; each is good until the next. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #start = 0;
  #kind = 0;
  number = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  *[Symbol.iterator](): Generator<this> {
    while (this.#at < this.#bytes.length) {
      const tag = this.#varint();
      this.number = Math.floor(tag / 8);
      this.#kind = tag % 8;
      this.#start = this.#at;
      this.#skip();
      yield this;
    }
  }

  /** Content of a field with a length. */
  get bytes(): Uint8Array {
    if (this.#kind !== 2) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#read(() => {
      const length = this.#varint();
      return this.#bytes.subarray(this.#at, this.#at + length);
    });
  }

  get varint(): number {
    if (this.#kind !== 0) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#read(() => this.#varint());
  }

  /** A varint of 64 bits in two's complement. */
  get signed(): number {
    const value = this.varint;
    if (value < 2 ** 63) return value;
    // Exact: the high bits are ones, which a double would round away.
    return this.#read(() => {
      let bits = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = this.#bytes[this.#at++]!;
        bits |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return Number(BigInt.asIntN(64, bits));
      }
    });
  }

  get fixed64(): bigint {
    if (this.#kind !== 1) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#view.getBigUint64(this.#start, true);
  }

  get double(): number {
    if (this.#kind !== 1) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#view.getFloat64(this.#start, true);
  }

  /** Packed, or one of them. */
  get varints(): number[] {
    if (this.#kind === 0) return [this.varint];
    const packed = new Fields(this.bytes);
    const values: number[] = [];
    while (packed.#at < packed.#bytes.length) values.push(packed.#varint());
    return values;
  }

  get doubles(): number[] {
    if (this.#kind === 1) return [this.double];
    const { bytes } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length % 8 !== 0) throw new WireError(`field ${this.number} holds no doubles`);
    return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(i * 8, true));
  }

  /** Reads the field under way again. */
  #read<T>(action: () => T): T {
    const end = this.#at;
    this.#at = this.#start;
    const value = action();
    this.#at = end;
    return value;
  }

  #skip(): void {
    if (this.#kind === 0) this.#varint();
    else if (this.#kind === 1) this.#at += 8;
    else if (this.#kind === 5) this.#at += 4;
    else if (this.#kind === 2) {
      const length = this.#varint();
      this.#at += length;
    } else throw new WireError(`illegal wire type ${this.#kind}`);
    if (this.#at > this.#bytes.length) throw new WireError('unexpected end');
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new WireError('unexpected end');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new WireError('bad varint');
  }
}
