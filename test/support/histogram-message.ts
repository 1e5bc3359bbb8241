// Protobuf messages of native histograms, written by hand: prometheus.Histogram of remote write.

import { isStaleHistogram, type Span, type StoredHistogram } from '../../src/model/stored-histogram.js';

const HINTS = ['unknown', 'reset', 'not_reset', 'gauge'];

export function encodeHistogramMessage(histogram: StoredHistogram, timeMs: number): Buffer {
  const { isFloat, count, zeroCount, sumBits, schema, zeroThreshold, hint, bounds } = histogram;
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(sumBits);
  const parts = [
    isFloat ? double(2, count) : varintField(1, BigInt(count)),
    Buffer.concat([tag(3, 1), sum]),
    varintField(4, zigzag(schema)),
    double(5, zeroThreshold),
    isFloat ? double(7, zeroCount) : varintField(6, BigInt(zeroCount)),
    ...spans(8, histogram.negativeSpans),
    buckets(9, histogram.negative, isFloat),
    ...spans(11, histogram.positiveSpans),
    buckets(12, histogram.positive, isFloat),
    varintField(14, BigInt(HINTS.indexOf(hint))),
    varintField(15, BigInt.asUintN(64, BigInt(timeMs))),
    field(16, Buffer.concat(bounds.map(doubleBytes))),
  ];
  return Buffer.concat(isStaleHistogram(histogram) && isFloat ? [double(2, 0), ...parts] : parts);
}

export function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([tag(number, 2), varint(BigInt(content.length)), content]);
}

export function text(value: string): Buffer {
  return Buffer.from(value);
}

function spans(number: number, all: readonly Span[]): Buffer[] {
  return all.map(({ offset, length }) =>
    field(number, Buffer.concat([varintField(1, zigzag(offset)), varintField(2, BigInt(length))])),
  );
}

/** Floats have the field behind that of integers. */
function buckets(number: number, counts: Float64Array, isFloat: boolean): Buffer {
  if (isFloat) return field(number + 1, Buffer.concat([...counts].map(doubleBytes)));
  return field(number, Buffer.concat([...counts].map((count, i) => varint(zigzag(count - (counts[i - 1] ?? 0))))));
}

function tag(number: number, kind: number): Buffer {
  return varint(BigInt(number * 8 + kind));
}

function varintField(number: number, value: bigint): Buffer {
  return Buffer.concat([tag(number, 0), varint(value)]);
}

function double(number: number, value: number): Buffer {
  return Buffer.concat([tag(number, 1), doubleBytes(value)]);
}

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function zigzag(value: number): bigint {
  const wide = BigInt(value);
  return wide >= 0n ? wide * 2n : -wide * 2n - 1n;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}
