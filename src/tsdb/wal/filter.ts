// What of a record a checkpoint keeps: entries are dropped by copying the byte
// ranges of the others, so what stays, stays as it was written.
//
// Sample records keep their base even when the sample that gave it goes: deltas
// are against the base, and nothing says that it must be a sample's.

import type { RefTimes } from '../../wasm/sift.js';
import { ByteReader, BytesError } from '../bytes.js';
import { RecordType } from './record.js';

export interface Keep {
  /** Whether the series' record is still needed, and with it metadata and deletions. */
  series(ref: number): boolean;
  /** Samples of a series up to this time are on the disk elsewhere, and go; -Infinity where none are, Infinity where nothing is needed. */
  elsewhereTo?(ref: number): number;
  /** elsewhereTo() as a table, where there is one: it has all refs that are not at Infinity. */
  readonly times?: RefTimes;
  /** Samples, exemplars and deletions that end before this time go; milliseconds. */
  readonly mint: number;
}

/** What the filter saw and dropped, by kind. */
export interface FilterStats {
  series: number;
  seriesDropped: number;
  samples: number;
  samplesDropped: number;
  tombstones: number;
  tombstonesDropped: number;
  exemplars: number;
  exemplarsDropped: number;
  /** Whole records that no Prometheus of our time knows. */
  unknownDropped: number;
  /** Whole records that do not hold what their type says. */
  malformedDropped: number;
}

export function emptyFilterStats(): FilterStats {
  return {
    series: 0,
    seriesDropped: 0,
    samples: 0,
    samplesDropped: 0,
    tombstones: 0,
    tombstonesDropped: 0,
    exemplars: 0,
    exemplarsDropped: 0,
    unknownDropped: 0,
    malformedDropped: 0,
  };
}

type Counted = 'series' | 'samples' | 'tombstones' | 'exemplars';

/** Reads one entry from the cursor, to its end; whether to keep it. */
type Entry = (from: ByteReader) => boolean;

/** Ref and time of the base: behind the type byte in records of samples. */
const BASE_BYTES = 16;

/**
 * The record without what `keep` lets go: the same bytes if it keeps all, undefined if nothing is left.
 * Metadata is not for this function: of that only the latest counts.
 */
export function filterRecord(record: Uint8Array, keep: Keep, stats: FilterStats): Uint8Array | undefined {
  const type: RecordType = record[0] ?? 255;
  try {
    switch (type) {
      case RecordType.Series:
        return filterEntries(record, 1, 'series', stats, (from) => {
          const kept = keep.series(from.u64());
          skipLabels(from);
          return kept;
        });
      case RecordType.Tombstones:
        return filterEntries(record, 1, 'tombstones', stats, (from) => {
          const kept = keep.series(from.u64());
          from.varint();
          return from.varint() >= keep.mint && kept;
        });
      case RecordType.Samples:
        return filterTimed(record, keep, 'samples', stats, (from) => from.skip(8));
      case RecordType.Exemplars:
        return filterTimed(record, keep, 'exemplars', stats, (from) => {
          from.skip(8);
          skipLabels(from);
        });
      case RecordType.HistogramSamples:
      case RecordType.CustomBucketsHistogramSamples:
        return filterTimed(record, keep, 'samples', stats, skipHistogram);
      case RecordType.FloatHistogramSamples:
      case RecordType.CustomBucketsFloatHistogramSamples:
        return filterTimed(record, keep, 'samples', stats, skipFloatHistogram);
      case RecordType.SamplesV2:
        return keepWhole(record, keep.mint, stats, (from) => from.skip(8));
      case RecordType.HistogramSamplesV2:
        return keepWhole(record, keep.mint, stats, skipHistogram);
      case RecordType.FloatHistogramSamplesV2:
        return keepWhole(record, keep.mint, stats, skipFloatHistogram);
      default:
        stats.unknownDropped++;
        return undefined;
    }
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    stats.malformedDropped++;
    return undefined;
  }
}

/** The entries of a metadata record, as (ref, the bytes behind it). */
export function eachMetadata(record: Uint8Array, visit: (ref: number, said: Uint8Array) => void): void {
  const from = new ByteReader(record, 1);
  while (from.left > 0) {
    const ref = from.uvarint();
    const start = from.at;
    from.skip(1);
    for (let fields = from.uvarint(); fields > 0; fields--) {
      from.skipString();
      from.skipString();
    }
    visit(ref, record.subarray(start, from.at));
  }
}

/** Entries of Δref, Δtime and a value, behind their base: from a time on, and not elsewhere. Exemplars go with their series alone. */
function filterTimed(
  record: Uint8Array,
  { mint, elsewhereTo }: Keep,
  counted: Counted,
  stats: FilterStats,
  skipValue: (from: ByteReader) => void,
): Uint8Array | undefined {
  if (record.length <= 1 + BASE_BYTES) return undefined;
  const base = new ByteReader(record, 1);
  const baseRef = base.u64();
  const baseTime = base.i64();
  return filterEntries(record, 1 + BASE_BYTES, counted, stats, (from) => {
    const ref = baseRef + from.varint();
    const timeMs = baseTime + from.varint();
    skipValue(from);
    const to = elsewhereTo?.(ref) ?? Number.NEGATIVE_INFINITY;
    return timeMs >= mint && (counted === 'exemplars' ? to < Number.POSITIVE_INFINITY : timeMs > to);
  });
}

/** Runs over the entries from byte `start` on, and copies the ranges of those kept, and what is before `start`. */
function filterEntries(
  record: Uint8Array,
  start: number,
  counted: Counted,
  stats: FilterStats,
  entry: Entry,
): Uint8Array | undefined {
  const from = new ByteReader(record, start);
  let out: Uint8Array | undefined;
  let length = start;
  let dropped = 0;
  let count = 0;
  while (from.left > 0) {
    const begin = from.at;
    count++;
    if (entry(from)) {
      out?.set(record.subarray(begin, from.at), length);
      length += from.at - begin;
    } else {
      // The first to go: from here on the rest is copied.
      out ??= record.slice();
      dropped++;
    }
  }
  stats[counted] += count;
  stats[`${counted}Dropped`] += dropped;
  if (count === dropped) return undefined;
  return out === undefined ? record : out.subarray(0, length);
}

/**
 * Records of newer servers, whose entries lean on their predecessors: kept while any sample of theirs is.
 * The first entry is whole, the others are Δref and Δtime, against the entry before and the first one.
 */
function keepWhole(
  record: Uint8Array,
  mint: number,
  stats: FilterStats,
  skipValue: (from: ByteReader) => void,
): Uint8Array | undefined {
  const EXPLICIT_START = 2;
  const from = new ByteReader(record, 1);
  let firstTime: number | undefined;
  let count = 0;
  let kept = false;
  while (from.left > 0) {
    from.varint();
    const time: number = (firstTime ?? 0) + from.varint();
    if (firstTime === undefined || from.u8() >= EXPLICIT_START) from.varint();
    firstTime ??= time;
    skipValue(from);
    count++;
    if (time >= mint) kept = true;
  }
  stats.samples += count;
  if (!kept) stats.samplesDropped += count;
  return kept ? record : undefined;
}

function skipLabels(from: ByteReader): void {
  for (let left = from.uvarint(); left > 0; left--) {
    from.skipString();
    from.skipString();
  }
}

/** The schema of histograms whose bounds are listed. */
const CUSTOM_BUCKETS_SCHEMA = -53;

function skipHistogram(from: ByteReader): void {
  const schema = skipHistogramHead(from);
  from.uvarint(); // zero count
  from.uvarint(); // count
  from.skip(8); // sum
  skipSpans(from);
  skipSpans(from);
  for (let side = 0; side < 2; side++) for (let left = from.uvarint(); left > 0; left--) from.varint();
  if (schema === CUSTOM_BUCKETS_SCHEMA) skipFloats(from);
}

function skipFloatHistogram(from: ByteReader): void {
  const schema = skipHistogramHead(from);
  from.skip(24); // zero count, count, sum
  skipSpans(from);
  skipSpans(from);
  skipFloats(from);
  skipFloats(from);
  if (schema === CUSTOM_BUCKETS_SCHEMA) skipFloats(from);
}

/** Counter reset hint, schema, zero threshold. */
function skipHistogramHead(from: ByteReader): number {
  from.skip(1);
  const schema = from.varint();
  from.skip(8);
  return schema;
}

function skipSpans(from: ByteReader): void {
  for (let left = from.uvarint(); left > 0; left--) {
    from.varint();
    from.uvarint();
  }
}

function skipFloats(from: ByteReader): void {
  from.skip(from.uvarint() * 8);
}
