// opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest, in protobuf.
//
//   request      1 resource metrics …             resource metrics  1 resource (1 attribute …) │ 2 scope metrics …
//   scope        1 scope (1 name │ 2 version │ 3 attribute …) │ 2 metric … │ 3 schema URL
//   metric       1 name │ 2 description │ 3 unit │ 5 gauge │ 7 sum │ 9 histogram │ 10 exponential histogram │ 11 summary
//   data         1 point … │ 2 temporality │ 3 is monotonic
//   attribute    1 key │ 2 value (1 string │ 2 bool │ 3 int │ 4 double │ 5 array │ 6 list of pairs │ 7 bytes)
//
// The fields of points stand beside the functions that read them. Times are nanoseconds, eight bytes each.

import { Fields, unzigzag } from '../wire.js';
import {
  type AnyValue,
  type Attributes,
  type ExponentialBuckets,
  type ExponentialPoint,
  type HistogramPoint,
  type MetricData,
  NO_RECORDED_VALUE,
  type NumberPoint,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpResource,
  type OtlpScope,
  type SummaryPoint,
  TEMPORALITIES,
} from './model.js';

/** Throws a WireError. Borrows the bytes until what it gives was read. */
export function decodeOtlp(bytes: Uint8Array): OtlpResource[] {
  return messages(bytes, 1, resourceOf);
}

function resourceOf(bytes: Uint8Array): OtlpResource {
  let attributes: Attributes = [];
  const scopes: OtlpScope[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) attributes = messages(field.bytes, 1, pairOf);
    else if (field.number === 2) scopes.push(scopeOf(field.bytes));
  }
  return { attributes, scopes };
}

function scopeOf(bytes: Uint8Array): OtlpScope {
  let scope = { name: '', version: '', attributes: [] as Attributes };
  let schemaUrl = '';
  const metrics: OtlpMetric[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) scope = scopeHeadOf(field.bytes);
    else if (field.number === 2) metrics.push(metricOf(field.bytes));
    else if (field.number === 3) schemaUrl = textOf(field.bytes);
  }
  return { ...scope, schemaUrl, metrics };
}

function scopeHeadOf(bytes: Uint8Array): Pick<OtlpScope, 'name' | 'version'> & { attributes: Attributes } {
  let [name, version] = ['', ''];
  const attributes: [string, AnyValue][] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) name = textOf(field.bytes);
    else if (field.number === 2) version = textOf(field.bytes);
    else if (field.number === 3) attributes.push(pairOf(field.bytes));
  }
  return { name, version, attributes };
}

function metricOf(bytes: Uint8Array): OtlpMetric {
  let [name, description, unit] = ['', '', ''];
  let data: MetricData = { kind: 'none' };
  for (const field of new Fields(bytes)) {
    if (field.number === 1) name = textOf(field.bytes);
    else if (field.number === 2) description = textOf(field.bytes);
    else if (field.number === 3) unit = textOf(field.bytes);
    else data = dataOf(field) ?? data;
  }
  return { name, description, unit, ...data };
}

function dataOf(field: Fields): MetricData | undefined {
  switch (field.number) {
    case 5:
      return { kind: 'gauge', points: messages(field.bytes, 1, numberPointOf) };
    case 7: {
      const { temporality, isMonotonic } = sumHeadOf(field.bytes);
      return { kind: 'sum', temporality, isMonotonic, points: messages(field.bytes, 1, numberPointOf) };
    }
    case 9: {
      const { temporality } = sumHeadOf(field.bytes);
      return { kind: 'histogram', temporality, points: messages(field.bytes, 1, histogramPointOf) };
    }
    case 10: {
      const { temporality } = sumHeadOf(field.bytes);
      return { kind: 'exponential', temporality, points: messages(field.bytes, 1, exponentialPointOf) };
    }
    case 11:
      return { kind: 'summary', points: messages(field.bytes, 1, summaryPointOf) };
    default:
      return undefined;
  }
}

function sumHeadOf(bytes: Uint8Array): { temporality: (typeof TEMPORALITIES)[number]; isMonotonic: boolean } {
  let temporality = TEMPORALITIES[0]!;
  let isMonotonic = false;
  for (const field of new Fields(bytes)) {
    if (field.number === 2) temporality = TEMPORALITIES[field.varint] ?? TEMPORALITIES[0]!;
    else if (field.number === 3) isMonotonic = field.varint !== 0;
  }
  return { temporality, isMonotonic };
}

/** 3 time │ 4 double │ 5 exemplar … │ 6 int │ 7 attribute … │ 8 flags */
function numberPointOf(bytes: Uint8Array): NumberPoint {
  const attributes: [string, AnyValue][] = [];
  const exemplars: OtlpExemplar[] = [];
  let [timeMs, value, flags] = [0, 0, 0];
  for (const field of new Fields(bytes)) {
    if (field.number === 3) timeMs = timeOf(field);
    else if (field.number === 4) value = field.double;
    else if (field.number === 5) exemplars.push(exemplarOf(field.bytes));
    else if (field.number === 6) value = signedOf(field);
    else if (field.number === 7) attributes.push(pairOf(field.bytes));
    else if (field.number === 8) flags = field.varint;
  }
  return { attributes, timeMs, isStale: isStale(flags), value, exemplars };
}

/** 3 time │ 4 count │ 5 sum │ 6 counts … │ 7 bounds … │ 8 exemplar … │ 9 attribute … │ 10 flags */
function histogramPointOf(bytes: Uint8Array): HistogramPoint {
  const attributes: [string, AnyValue][] = [];
  const exemplars: OtlpExemplar[] = [];
  const [counts, bounds]: [number[], number[]] = [[], []];
  let [timeMs, count, flags] = [0, 0, 0];
  let sum: number | undefined;
  for (const field of new Fields(bytes)) {
    if (field.number === 3) timeMs = timeOf(field);
    else if (field.number === 4) count = Number(field.fixed64);
    else if (field.number === 5) sum = field.double;
    else if (field.number === 6) append(counts, field.fixed64s);
    else if (field.number === 7) append(bounds, field.doubles);
    else if (field.number === 8) exemplars.push(exemplarOf(field.bytes));
    else if (field.number === 9) attributes.push(pairOf(field.bytes));
    else if (field.number === 10) flags = field.varint;
  }
  return { attributes, timeMs, isStale: isStale(flags), count, sum, counts, bounds, exemplars };
}

/** 1 attribute … │ 3 time │ 4 count │ 5 sum │ 6 scale │ 7 zero count │ 8, 9 positive, negative buckets │ 10 flags │ 11 exemplar … */
function exponentialPointOf(bytes: Uint8Array): ExponentialPoint {
  const attributes: [string, AnyValue][] = [];
  const exemplars: OtlpExemplar[] = [];
  let [timeMs, count, scale, zeroCount, flags] = [0, 0, 0, 0, 0];
  let sum: number | undefined;
  let positive = NO_BUCKETS;
  let negative = NO_BUCKETS;
  for (const field of new Fields(bytes)) {
    if (field.number === 1) attributes.push(pairOf(field.bytes));
    else if (field.number === 3) timeMs = timeOf(field);
    else if (field.number === 4) count = Number(field.fixed64);
    else if (field.number === 5) sum = field.double;
    else if (field.number === 6) scale = unzigzag(field.varint);
    else if (field.number === 7) zeroCount = Number(field.fixed64);
    else if (field.number === 8) positive = bucketsOf(field.bytes);
    else if (field.number === 9) negative = bucketsOf(field.bytes);
    else if (field.number === 10) flags = field.varint;
    else if (field.number === 11) exemplars.push(exemplarOf(field.bytes));
  }
  const isEnd = isStale(flags);
  return { attributes, timeMs, isStale: isEnd, count, sum, scale, zeroCount, positive, negative, exemplars };
}

const NO_BUCKETS: ExponentialBuckets = { offset: 0, counts: [] };

/** 1 offset │ 2 counts … */
function bucketsOf(bytes: Uint8Array): ExponentialBuckets {
  let offset = 0;
  const counts: number[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) offset = unzigzag(field.varint);
    else if (field.number === 2) append(counts, field.varints);
  }
  return { offset, counts };
}

/** 3 time │ 4 count │ 5 sum │ 6 quantile (1 which, 2 value) … │ 7 attribute … │ 8 flags */
function summaryPointOf(bytes: Uint8Array): SummaryPoint {
  const attributes: [string, AnyValue][] = [];
  const quantiles: [number, number][] = [];
  let [timeMs, count, sum, flags] = [0, 0, 0, 0];
  for (const field of new Fields(bytes)) {
    if (field.number === 3) timeMs = timeOf(field);
    else if (field.number === 4) count = Number(field.fixed64);
    else if (field.number === 5) sum = field.double;
    else if (field.number === 6) quantiles.push(quantileOf(field.bytes));
    else if (field.number === 7) attributes.push(pairOf(field.bytes));
    else if (field.number === 8) flags = field.varint;
  }
  return { attributes, timeMs, isStale: isStale(flags), count, sum, quantiles };
}

function quantileOf(bytes: Uint8Array): [quantile: number, value: number] {
  const pair: [number, number] = [0, 0];
  for (const field of new Fields(bytes)) if (field.number <= 2) pair[field.number - 1] = field.double;
  return pair;
}

/** 2 time │ 3 double │ 4 span │ 5 trace │ 6 int │ 7 attribute … */
function exemplarOf(bytes: Uint8Array): OtlpExemplar {
  const attributes: [string, AnyValue][] = [];
  let timeMs = 0;
  let value: number | undefined;
  let [traceId, spanId] = ['', ''];
  for (const field of new Fields(bytes)) {
    if (field.number === 2) timeMs = timeOf(field);
    else if (field.number === 3) value = field.double;
    else if (field.number === 4) spanId = idOf(field.bytes);
    else if (field.number === 5) traceId = idOf(field.bytes);
    else if (field.number === 6) value = signedOf(field);
    else if (field.number === 7) attributes.push(pairOf(field.bytes));
  }
  return { timeMs, value, traceId, spanId, attributes };
}

function pairOf(bytes: Uint8Array): [key: string, value: AnyValue] {
  let key = '';
  let value: AnyValue;
  for (const field of new Fields(bytes)) {
    if (field.number === 1) key = textOf(field.bytes);
    else if (field.number === 2) value = valueOf(field.bytes);
  }
  return [key, value];
}

function valueOf(bytes: Uint8Array): AnyValue {
  let value: AnyValue;
  for (const field of new Fields(bytes)) {
    if (field.number === 1) value = textOf(field.bytes);
    else if (field.number === 2) value = field.varint !== 0;
    else if (field.number === 3) value = field.int64;
    else if (field.number === 4) value = field.double;
    else if (field.number === 5) value = messages(field.bytes, 1, valueOf);
    else if (field.number === 6) value = new Map(messages(field.bytes, 1, pairOf));
    else if (field.number === 7) value = Uint8Array.from(field.bytes);
  }
  return value;
}

function messages<T>(bytes: Uint8Array, number: number, read: (bytes: Uint8Array) => T): T[] {
  const all: T[] = [];
  for (const field of new Fields(bytes)) if (field.number === number) all.push(read(field.bytes));
  return all;
}

function isStale(flags: number): boolean {
  return flags % 2 === NO_RECORDED_VALUE;
}

function timeOf(field: Fields): number {
  return Number(BigInt.asIntN(64, field.fixed64) / 1_000_000n);
}

function signedOf(field: Fields): number {
  return Number(BigInt.asIntN(64, field.fixed64));
}

/** Of zeros alone it is none. */
function idOf(bytes: Uint8Array): string {
  return bytes.some((byte) => byte !== 0) ? Buffer.from(bytes).toString('hex') : '';
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** Not by spreading: there may be too many for the stack. */
function append(to: number[], values: readonly (number | bigint)[]): void {
  for (const value of values) to.push(Number(value));
}
