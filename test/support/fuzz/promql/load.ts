// The generated series on their way into a Prometheus, by remote write, and into our
// own sources, in the same order: sums depend on it.

import type { Buckets, FloatHistogram } from '../../../../src/model/histogram.js';
import { bitsOf, STALE } from '../../promqltest/series.js';
import { bytesField, fixed64Field, labelField, sampleField, varint, varintField } from '../../write-request.js';
import type { FuzzSample, FuzzSeries } from './data.js';

/** Samples that are sent together: per series either floats or histograms, or one stale marker. */
export type Batch = ReadonlyMap<FuzzSeries, readonly FuzzSample[]>;

const BATCH_MS = 600_000;

/** By time, because a Prometheus takes nothing that is much older than what it has. */
export function batchesOf(series: readonly FuzzSeries[]): Batch[] {
  const all = series.flatMap((one) => one.samples.map((sample) => ({ one, sample })));
  all.sort((a, b) => a.sample.timeMs - b.sample.timeMs);
  const batches: Map<FuzzSeries, FuzzSample[]>[] = [];
  let batch = new Map<FuzzSeries, FuzzSample[]>();
  let startMs = -Infinity;
  for (const { one, sample } of all) {
    const before = batch.get(one)?.at(-1);
    const turns = before !== undefined && kindOf(before) !== kindOf(sample);
    if (turns || sample.timeMs >= startMs + BATCH_MS) {
      batches.push((batch = new Map()));
      startMs = sample.timeMs;
    }
    if (!batch.has(one)) batch.set(one, []);
    batch.get(one)!.push(sample);
  }
  return batches;
}

/** Of one series in one request, Prometheus takes floats first; and a marker behind histograms becomes one of them. */
function kindOf({ value }: FuzzSample): 'float' | 'histogram' | 'stale' {
  if (typeof value !== 'bigint') return 'histogram';
  return value === STALE ? 'stale' : 'float';
}

/** A prometheus.WriteRequest. */
export function encodeBatch(batch: Batch): Uint8Array {
  return Buffer.concat([...batch].map(([series, samples]) => bytesField(1, encodeSeries(series, samples))));
}

function encodeSeries({ labels, whole }: FuzzSeries, samples: readonly FuzzSample[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < labels.length; i += 2) parts.push(labelField(labels[i]!, labels[i + 1]!));
  for (const { timeMs, value } of samples) {
    if (typeof value === 'bigint') parts.push(sampleField({ timeMs: BigInt(timeMs), bits: value }));
    else parts.push(bytesField(4, encodeHistogram(value, timeMs, whole)));
  }
  return Buffer.concat(parts);
}

const GAUGE_HINT = 3;

function encodeHistogram(histogram: FloatHistogram, timeMs: number, whole: boolean): Uint8Array {
  const { schema, count, sum, zeroThreshold, zeroCount, negative, positive, bounds, hint } = histogram;
  return Buffer.concat([
    whole ? varintField(1, count) : double(2, count),
    double(3, sum),
    varintField(4, zigzag(schema)),
    double(5, zeroThreshold),
    whole ? varintField(6, zeroCount) : double(7, zeroCount),
    encodeBuckets(8, negative, whole),
    encodeBuckets(11, positive, whole),
    varintField(14, hint === 'gauge' ? GAUGE_HINT : 0),
    varintField(15, timeMs),
    ...(bounds.length === 0 ? [] : [packed(16, bounds.map(bits))]),
  ]);
}

/** Spans, then deltas or counts, in fields that follow each other. */
function encodeBuckets(field: number, { indices, counts }: Buckets, whole: boolean): Uint8Array {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of indices) {
    if (spans.length > 0 && index === next) spans.at(-1)!.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  const encoded = spans.map(({ offset, length }) =>
    bytesField(field, Buffer.concat([varintField(1, zigzag(offset)), varintField(2, length)])),
  );
  if (whole) {
    const deltas = counts.map((count, i) => varint(zigzag(count - (counts[i - 1] ?? 0))));
    return Buffer.concat([...encoded, packed(field + 1, deltas)]);
  }
  return Buffer.concat([...encoded, packed(field + 2, counts.map(bits))]);
}

function packed(field: number, items: readonly Uint8Array[]): Uint8Array {
  return bytesField(field, Buffer.concat(items));
}

function double(field: number, value: number): Uint8Array {
  return fixed64Field(field, bitsOf(value));
}

function bits(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
