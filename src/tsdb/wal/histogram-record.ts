// The records of the log that hold histograms: types 7 to 10, one for each kind.
//
//   type │ base ref u64 │ base time i64 │ Δref varint │ Δtime varint │ histogram │ …
//
//   histogram   hint u8 │ schema varint │ zero threshold u64 │ zero count │ count │ sum u64
//               │ positive spans │ negative spans │ positive buckets │ negative buckets │ [bounds, if schema = -53]
//   spans       n uvarint │ n × (offset varint, length uvarint)
//   integers    zero count and count uvarint, buckets as varint differences to the one before; floats: u64 each
//
// Several shards may hold histograms of one append, and one record must hold them all, so that a shard writes its
// entries only; whoever joins them writes the head.

import { type CounterHint, CUSTOM_SCHEMA } from '../../model/histogram.js';
import { bitsOf, floatOf, type Span, type StoredHistogram, spanBuckets } from '../../model/stored-histogram.js';
import { ByteReader, BytesError, ByteWriter } from '../bytes.js';
import { RecordType } from './record.js';

/** Hints by their numbers. */
const HINTS: readonly CounterHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

export interface HistogramEntry {
  readonly ref: number;
  readonly timeMs: number;
  readonly histogram: StoredHistogram;
}

/** The type of the record that a histogram belongs in. */
export function histogramRecordType({ isFloat, schema }: StoredHistogram): RecordType {
  if (schema !== CUSTOM_SCHEMA) return isFloat ? RecordType.FloatHistogramSamples : RecordType.HistogramSamples;
  return isFloat ? RecordType.CustomBucketsFloatHistogramSamples : RecordType.CustomBucketsHistogramSamples;
}

export function isHistogramRecord(type: number): boolean {
  return type >= RecordType.HistogramSamples && type <= RecordType.CustomBucketsFloatHistogramSamples;
}

/** One entry, relative to a record's bases. */
export function encodeHistogramEntry(refDelta: number, timeDelta: number, histogram: StoredHistogram): Uint8Array {
  const to = new ByteWriter();
  to.varint(refDelta);
  to.varint(timeDelta);
  writeHistogram(to, histogram);
  return to.finish();
}

/** A whole record of entries that are all of its type. */
export function encodeHistogramRecord(type: RecordType, entries: readonly HistogramEntry[]): Uint8Array {
  const to = new ByteWriter();
  to.u8(type);
  const base = entries[0];
  if (base === undefined) return to.finish();
  to.u64(base.ref);
  to.i64(base.timeMs);
  for (const { ref, timeMs, histogram } of entries) {
    to.raw(encodeHistogramEntry(ref - base.ref, timeMs - base.timeMs, histogram));
  }
  return to.finish();
}

/** BytesError where the bytes do not hold what their type says. */
export function decodeHistogramRecord(record: Uint8Array): HistogramEntry[] {
  const from = new ByteReader(record);
  const type: RecordType = from.u8();
  if (!isHistogramRecord(type)) throw new BytesError(0, `type ${type} where histograms are expected`);
  const isFloat = type === RecordType.FloatHistogramSamples || type === RecordType.CustomBucketsFloatHistogramSamples;
  const entries: HistogramEntry[] = [];
  if (from.left === 0) return entries;
  const baseRef = from.u64();
  const baseTimeMs = from.i64();
  while (from.left > 0) {
    const ref = baseRef + from.varint();
    if (ref < 0) throw new BytesError(from.at, 'a ref below 0');
    entries.push({ ref, timeMs: baseTimeMs + from.varint(), histogram: readHistogram(from, isFloat) });
  }
  return entries;
}

function writeHistogram(to: ByteWriter, histogram: StoredHistogram): void {
  const { isFloat, hint, schema, zeroThreshold, zeroCount, count, sumBits } = histogram;
  const writeCount = (value: number) => (isFloat ? to.bits(bitsOf(value)) : to.uvarint(value));
  to.u8(HINTS.indexOf(hint));
  to.varint(schema);
  to.bits(bitsOf(zeroThreshold));
  writeCount(zeroCount);
  writeCount(count);
  to.bits(sumBits);
  writeSpans(to, histogram.positiveSpans);
  writeSpans(to, histogram.negativeSpans);
  writeBuckets(to, histogram.positive, isFloat);
  writeBuckets(to, histogram.negative, isFloat);
  if (schema !== CUSTOM_SCHEMA) return;
  to.uvarint(histogram.bounds.length);
  for (const bound of histogram.bounds) to.bits(bitsOf(bound));
}

/** A histogram as it stands in an entry, behind its deltas. */
export function readHistogram(from: ByteReader, isFloat: boolean): StoredHistogram {
  const readCount = () => (isFloat ? floatOf(from.bits()) : from.uvarint());
  const hint = HINTS[from.u8()] ?? 'unknown';
  const schema = from.varint();
  const zeroThreshold = floatOf(from.bits());
  const zeroCount = readCount();
  const count = readCount();
  const sumBits = from.bits();
  const positiveSpans = readSpans(from);
  const negativeSpans = readSpans(from);
  const positive = readBuckets(from, isFloat);
  const negative = readBuckets(from, isFloat);
  if (positive.length !== spanBuckets(positiveSpans) || negative.length !== spanBuckets(negativeSpans)) {
    throw new BytesError(from.at, 'buckets that their spans do not name');
  }
  const bounds: number[] = [];
  if (schema === CUSTOM_SCHEMA) {
    for (let left = readSize(from, 8); left > 0; left--) bounds.push(floatOf(from.bits()));
  }
  const head = { isFloat, hint, schema, zeroThreshold, zeroCount, count, sumBits };
  return { ...head, positiveSpans, negativeSpans, positive, negative, bounds };
}

function writeSpans(to: ByteWriter, spans: readonly Span[]): void {
  to.uvarint(spans.length);
  for (const { offset, length } of spans) {
    to.varint(offset);
    to.uvarint(length);
  }
}

function readSpans(from: ByteReader): Span[] {
  const spans: Span[] = [];
  for (let left = readSize(from, 2); left > 0; left--) {
    const offset = from.varint();
    spans.push({ offset, length: from.uvarint() });
  }
  return spans;
}

function writeBuckets(to: ByteWriter, counts: Float64Array, isFloat: boolean): void {
  to.uvarint(counts.length);
  let before = 0;
  for (const count of counts) {
    if (isFloat) to.bits(bitsOf(count));
    else to.varint(count - before);
    before = count;
  }
}

function readBuckets(from: ByteReader, isFloat: boolean): Float64Array {
  const counts = new Float64Array(readSize(from, isFloat ? 8 : 1));
  let before = 0;
  for (let i = 0; i < counts.length; i++) {
    before = isFloat ? floatOf(from.bits()) : before + from.varint();
    counts[i] = before;
  }
  return counts;
}

/** How many of something follow, each of so many bytes at least. */
function readSize(from: ByteReader, bytesEach: number): number {
  const count = from.uvarint();
  if (count * bytesEach > from.left) throw new BytesError(from.at, `${count} entries in ${from.left} bytes`);
  return count;
}
