// Series as remote read sends them.
//
//   samples   TimeSeries           1 label … │ 2 sample (1 value, 2 time) … │ 4 histogram …
//   chunks    ChunkedReadResponse  1 series (1 label … │ 2 chunk (1 from, 2 to, 3 type, 4 data) …) │ 2 index of the query
//             one message for each so many bytes of chunks: a frame of the answer
//
// Chunks are made here, of what is in the time range: their samples are in order, and each is there once.

import { BYTES, DOUBLE, type MessageWriter, VARINT } from '../base/message-writer.js';
import { compareStrings, type Labels, pairsOf } from '../model/labels.js';
import type { Span, StoredHistogram } from '../model/stored-histogram.js';
import type { HistogramSample } from '../tsdb/chunk/histogram.js';
import { HistogramAppender, type SealedHistograms } from '../tsdb/chunk/histogram-appender.js';
import { XorAppender } from '../tsdb/chunk/xor.js';
import type { StoredSeries } from './stored-series.js';

export interface ReadStyle {
  readonly form: 'samples' | 'chunks';
  /** Added to series that lack them, sorted in among their own. */
  readonly externalLabels: Labels;
  /** Of chunks: about so many bytes make a message. */
  readonly frameBytes: number;
  /** Which of a request's queries this is. */
  readonly queryIndex: number;
}

const CHUNK_SAMPLES = 120;
/** prometheus.Chunk.Encoding. */
const XOR = 1;
const HISTOGRAM = 2;
const FLOAT_HISTOGRAM = 3;

interface Chunk {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** The messages of a series: writes them one after the other, and gives where each ends. */
export function writeSeries(to: MessageWriter, series: StoredSeries, style: ReadStyle): number[] {
  const labels = mergedLabels(series.labels, style.externalLabels);
  if (style.form === 'chunks') return writeFrames(to, labels, series, style);
  writeLabels(to, labels);
  writeFloats(to, series);
  for (const sample of series.histograms) writeHistogram(to, sample);
  return [to.length];
}

function writeFrames(to: MessageWriter, labels: Labels, series: StoredSeries, style: ReadStyle): number[] {
  const ends: number[] = [];
  let start: number | undefined;
  let left = 0;
  const finish = () => {
    if (start === undefined) return;
    to.closeExact(start);
    if (style.queryIndex !== 0) {
      to.head(2, VARINT);
      to.varint(style.queryIndex);
    }
    ends.push(to.length);
    start = undefined;
  };
  for (const chunk of chunksOf(series)) {
    if (start === undefined) {
      start = to.open(1);
      writeLabels(to, labels);
      left = style.frameBytes - (to.length - start);
    }
    const before = to.length;
    writeChunk(to, chunk);
    left -= to.length - before;
    if (left <= 0) finish();
  }
  finish();
  return ends;
}

function writeChunk(to: MessageWriter, { minTimeMs, maxTimeMs, encoding, data }: Chunk): void {
  const start = to.open(2);
  to.head(1, VARINT);
  to.signed(minTimeMs);
  to.head(2, VARINT);
  to.signed(maxTimeMs);
  to.head(3, VARINT);
  to.varint(encoding);
  to.bytes(4, data);
  to.closeExact(start);
}

/** Chunks in the order of time: floats and histograms of either kind take turns. */
export function* chunksOf({ times, values, histograms }: StoredSeries): Generator<Chunk> {
  const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  let float = 0;
  let at = 0;
  while (float < times.length || at < histograms.length) {
    const until = histograms[at]?.timeMs ?? Number.POSITIVE_INFINITY;
    let end = float;
    while (end < times.length && times[end]! < until && end - float < CHUNK_SAMPLES) end++;
    if (end > float) {
      yield floatChunk(times.subarray(float, end), bits.subarray(float, end));
      float = end;
      continue;
    }
    const nextFloatMs = times[float] ?? Number.POSITIVE_INFINITY;
    const { isFloat } = histograms[at]!.histogram;
    const run = at;
    while (
      at < histograms.length &&
      histograms[at]!.timeMs <= nextFloatMs &&
      histograms[at]!.histogram.isFloat === isFloat
    )
      at++;
    yield* histogramChunks(histograms.slice(run, at), isFloat);
  }
}

function floatChunk(times: Float64Array, bits: BigUint64Array): Chunk {
  const appender = new XorAppender();
  for (let i = 0; i < times.length; i++) appender.append(times[i]!, bits[i]!);
  return { minTimeMs: times[0]!, maxTimeMs: times.at(-1)!, encoding: XOR, data: appender.take() };
}

function* histogramChunks(samples: readonly HistogramSample[], isFloat: boolean): Generator<Chunk> {
  const appender = new HistogramAppender(isFloat);
  const chunkOf = ({ minTimeMs, maxTimeMs, data }: SealedHistograms): Chunk => {
    return { minTimeMs, maxTimeMs, encoding: isFloat ? FLOAT_HISTOGRAM : HISTOGRAM, data };
  };
  for (const { timeMs, histogram } of samples) {
    const cut = appender.append(timeMs, histogram);
    if (cut !== undefined) yield chunkOf(cut);
  }
  yield chunkOf(appender.peek()!);
}

export function writeLabels(to: MessageWriter, labels: Labels): void {
  for (const [name, value] of pairsOf(labels)) {
    const start = to.open(1);
    to.text(1, name);
    to.text(2, value);
    to.closeExact(start);
  }
}

function writeFloats(to: MessageWriter, { times, values }: StoredSeries): void {
  const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < times.length; i++) {
    const start = to.open(2);
    if (bits[i] !== 0n) {
      to.head(1, DOUBLE);
      to.fixed64(bits[i]!);
    }
    if (times[i] !== 0) {
      to.head(2, VARINT);
      to.signed(times[i]!);
    }
    to.closeExact(start);
  }
}

const HINTS = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 } as const;

/** prometheus.Histogram: drawn in write-histograms.ts. */
export function writeHistogram(to: MessageWriter, { timeMs, histogram }: HistogramSample): void {
  const { isFloat, count, sumBits, schema, zeroThreshold, zeroCount, hint, bounds } = histogram;
  const start = to.open(4);
  writeCount(to, 1, count, isFloat);
  to.head(3, DOUBLE);
  to.fixed64(sumBits);
  to.head(4, VARINT);
  to.zigzag(schema);
  to.head(5, DOUBLE);
  to.double(zeroThreshold);
  writeCount(to, 6, zeroCount, isFloat);
  writeBuckets(to, 8, histogram.negativeSpans, histogram.negative, isFloat);
  writeBuckets(to, 11, histogram.positiveSpans, histogram.positive, isFloat);
  to.head(14, VARINT);
  to.varint(HINTS[hint]);
  to.head(15, VARINT);
  to.signed(timeMs);
  if (bounds.length > 0) writeDoubles(to, 16, bounds);
  to.closeExact(start);
}

/** Floats have the field behind that of integers. */
function writeCount(to: MessageWriter, field: number, count: number, isFloat: boolean): void {
  to.head(isFloat ? field + 1 : field, isFloat ? DOUBLE : VARINT);
  if (isFloat) to.double(count);
  else to.varint(count);
}

function writeBuckets(
  to: MessageWriter,
  field: number,
  spans: readonly Span[],
  counts: StoredHistogram['positive'],
  isFloat: boolean,
): void {
  for (const { offset, length } of spans) {
    const span = to.open(field);
    to.head(1, VARINT);
    to.zigzag(offset);
    to.head(2, VARINT);
    to.varint(length);
    to.closeExact(span);
  }
  if (counts.length === 0) return;
  if (isFloat) {
    writeDoubles(to, field + 2, counts);
    return;
  }
  const packed = to.open(field + 1);
  let last = 0;
  for (const count of counts) {
    to.zigzag(count - last);
    last = count;
  }
  to.closeExact(packed);
}

function writeDoubles(to: MessageWriter, field: number, values: Iterable<number> & { readonly length: number }): void {
  to.head(field, BYTES);
  to.varint(values.length * 8);
  for (const value of values) to.double(value);
}

/** Sorted by name; the series' own count where both have one. */
function mergedLabels(own: Labels, external: Labels): Labels {
  if (external.length === 0) return own;
  const merged: string[] = [];
  let at = 0;
  for (const [name, value] of pairsOf(own)) {
    for (; at < external.length && compareStrings(external[at]!, name) < 0; at += 2) {
      merged.push(external[at]!, external[at + 1]!);
    }
    if (external[at] === name) at += 2;
    merged.push(name, value);
  }
  return [...merged, ...external.slice(at)];
}
