// The records of the log that hold floats, their series, deletions and metadata:
// the clear codec, for cold paths and as the model of the kernels.
//
//   series      │ 1 │ ref u64 │ n uvarint │ n × (name, value: uvarint length, bytes) │ ...
//   samples     │ 2 │ base ref u64 │ base time i64 │ Δref varint │ Δtime varint │ value u64 │ ...
//   tombstones  │ 3 │ ref u64 │ mint varint │ maxt varint │ ...
//   metadata    │ 6 │ ref uvarint │ type u8 │ n uvarint │ n × (field name, field value) │ ...
//
// Deltas are against the base, which is the first sample. The other types are
// only recognised here; filter.ts knows how far their entries reach.
// Byte layout of all: docs/formats/wal.md.

import type { Labels } from '../../model/labels.js';
import { ByteReader, BytesError, ByteWriter } from '../bytes.js';

/** The first byte of a record. */
export enum RecordType {
  /** Of no kind: stands where something was lost, and readers pass over it. */
  Filler = 0,
  Series = 1,
  Samples = 2,
  Tombstones = 3,
  Exemplars = 4,
  MmapMarkers = 5,
  Metadata = 6,
  HistogramSamples = 7,
  FloatHistogramSamples = 8,
  CustomBucketsHistogramSamples = 9,
  CustomBucketsFloatHistogramSamples = 10,
  /** From here on newer than Prometheus 3.5: with start times. */
  SamplesV2 = 11,
  HistogramSamplesV2 = 12,
  FloatHistogramSamplesV2 = 13,
  MinValidTime = 14,
}

const TYPE_NAMES = new Map<number, string>([
  [RecordType.Series, 'series'],
  [RecordType.Samples, 'samples'],
  [RecordType.Tombstones, 'tombstones'],
  [RecordType.Exemplars, 'exemplars'],
  [RecordType.MmapMarkers, 'mmapmarkers'],
  [RecordType.Metadata, 'metadata'],
  [RecordType.HistogramSamples, 'histogram_samples'],
  [RecordType.FloatHistogramSamples, 'float_histogram_samples'],
  [RecordType.CustomBucketsHistogramSamples, 'custom_buckets_histogram_samples'],
  [RecordType.CustomBucketsFloatHistogramSamples, 'custom_buckets_float_histogram_samples'],
  [RecordType.SamplesV2, 'samples_v2'],
  [RecordType.HistogramSamplesV2, 'histogram_samples_v2'],
  [RecordType.FloatHistogramSamplesV2, 'float_histogram_samples_v2'],
  [RecordType.MinValidTime, 'min_valid_time'],
]);

/** As Prometheus names the type; `unknown` for one that neither of us knows. */
export function recordTypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? 'unknown';
}

/** Prometheus's numbers for metric types in metadata records, by their place here. */
export const METRIC_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;

export type MetricType = (typeof METRIC_TYPES)[number];

/** A series' address in the log: below 2^40, one for the life of its label set. */
export interface SeriesEntry {
  readonly ref: number;
  readonly labels: Labels;
}

export interface SampleEntry {
  readonly ref: number;
  readonly timeMs: number;
  /** The float's bits: a stale marker must not pass through a JS number. */
  readonly bits: bigint;
}

/** Samples of `ref` from mint to maxt, both inclusive, are deleted. */
export interface TombstoneEntry {
  readonly ref: number;
  readonly mint: number;
  readonly maxt: number;
}

export interface MetadataEntry {
  readonly ref: number;
  readonly type: MetricType;
  readonly unit: string;
  readonly help: string;
}

export function encodeSeries(entries: Iterable<SeriesEntry>): Uint8Array {
  const out = new ByteWriter();
  out.u8(RecordType.Series);
  for (const { ref, labels } of entries) {
    out.u64(ref);
    out.uvarint(labels.length / 2);
    for (const text of labels) out.string(text);
  }
  return out.finish();
}

export function decodeSeries(record: Uint8Array): SeriesEntry[] {
  return entries(record, RecordType.Series, (from) => {
    const ref = from.u64();
    const labels: string[] = [];
    for (let left = from.uvarint(); left > 0; left--) labels.push(from.string(), from.string());
    return { ref, labels };
  });
}

export function encodeSamples(samples: readonly SampleEntry[]): Uint8Array {
  const out = new ByteWriter(17 + samples.length * 12);
  out.u8(RecordType.Samples);
  const base = samples[0];
  if (base === undefined) return out.finish();
  out.u64(base.ref);
  out.i64(base.timeMs);
  for (const { ref, timeMs, bits } of samples) {
    out.varint(ref - base.ref);
    out.varint(timeMs - base.timeMs);
    out.bits(bits);
  }
  return out.finish();
}

export function decodeSamples(record: Uint8Array): SampleEntry[] {
  const from = open(record, RecordType.Samples);
  const samples: SampleEntry[] = [];
  if (from.left === 0) return samples;
  const baseRef = from.u64();
  const baseTime = from.i64();
  while (from.left > 0) {
    const ref = baseRef + from.varint();
    if (ref < 0) throw new BytesError(from.at, 'a ref below 0');
    samples.push({ ref, timeMs: baseTime + from.varint(), bits: from.bits() });
  }
  return samples;
}

export function encodeTombstones(entries: Iterable<TombstoneEntry>): Uint8Array {
  const out = new ByteWriter();
  out.u8(RecordType.Tombstones);
  for (const { ref, mint, maxt } of entries) {
    out.u64(ref);
    out.varint(mint);
    out.varint(maxt);
  }
  return out.finish();
}

export function decodeTombstones(record: Uint8Array): TombstoneEntry[] {
  return entries(record, RecordType.Tombstones, (from) => ({
    ref: from.u64(),
    mint: from.varint(),
    maxt: from.varint(),
  }));
}

export function encodeMetadata(entries: Iterable<MetadataEntry>): Uint8Array {
  const out = new ByteWriter();
  out.u8(RecordType.Metadata);
  for (const entry of entries) out.raw(encodeMetadataEntry(entry));
  return out.finish();
}

/** Without the type of the record. A type that we do not know is `unknown`. */
export function encodeMetadataEntry({
  ref,
  type,
  unit,
  help,
}: Omit<MetadataEntry, 'type'> & { type: string }): Uint8Array {
  const out = new ByteWriter();
  out.uvarint(ref);
  out.u8(Math.max(0, (METRIC_TYPES as readonly string[]).indexOf(type)));
  out.uvarint(2);
  for (const text of ['UNIT', unit, 'HELP', help]) out.string(text);
  return out.finish();
}

/** Fields other than UNIT and HELP, which a later server may add, are passed over. */
export function decodeMetadata(record: Uint8Array): MetadataEntry[] {
  return entries(record, RecordType.Metadata, (from) => {
    const ref = from.uvarint();
    const type = METRIC_TYPES[from.u8()] ?? 'unknown';
    const fields = new Map<string, string>();
    for (let left = from.uvarint(); left > 0; left--) fields.set(from.string(), from.string());
    return { ref, type, unit: fields.get('UNIT') ?? '', help: fields.get('HELP') ?? '' };
  });
}

/** All entries of a record of the given type, one after the other to its last byte. */
function entries<T>(record: Uint8Array, type: RecordType, next: (from: ByteReader) => T): T[] {
  const from = open(record, type);
  const all: T[] = [];
  while (from.left > 0) all.push(next(from));
  return all;
}

/** A reader behind the type byte. */
function open(record: Uint8Array, type: RecordType): ByteReader {
  const from = new ByteReader(record);
  const found = from.u8();
  if (found !== type) {
    throw new BytesError(0, `type ${recordTypeName(found)} (${found}) where ${recordTypeName(type)} is expected`);
  }
  return from;
}
