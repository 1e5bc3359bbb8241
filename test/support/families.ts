// Expositions in protobuf: what a client reads of delimited io.prometheus.client.MetricFamily messages, and
// how encoders write a metric.

import { Fields, unzigzag } from '../../src/shard/wire.js';
import { field, text } from './histogram-message.js';

export interface ReadFamily {
  readonly name: string;
  /** The number of io.prometheus.client.MetricType. */
  readonly type: number;
  readonly metrics: ReadMetric[];
}

export interface ReadMetric {
  readonly labels: [name: string, value: string][];
  readonly timeMs: number;
  /** Of untyped metrics. */
  readonly value: number | undefined;
  readonly histogram: Record<string, unknown> | undefined;
  /** The whole message, as hex. */
  readonly hex: string;
}

export const UNTYPED = 3;
export const HISTOGRAM = 4;
export const GAUGE_HISTOGRAM = 5;

/** Throws where the bytes are not whole messages. */
export function readFamilies(bytes: Uint8Array): ReadFamily[] {
  const families: ReadFamily[] = [];
  for (let at = 0; at < bytes.length; ) {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    if (at + length > bytes.length) throw new Error(`a message of ${length} bytes at ${at} of ${bytes.length}`);
    families.push(familyOf(bytes.subarray(at, at + length)));
    at += length;
  }
  return families;
}

function familyOf(bytes: Uint8Array): ReadFamily {
  let [name, type] = ['', 0];
  const metrics: ReadMetric[] = [];
  for (const part of new Fields(bytes)) {
    if (part.number === 1) name = textOf(part.bytes);
    else if (part.number === 3) type = part.varint;
    else if (part.number === 4) metrics.push(metricOf(part.bytes));
    else throw new Error(`field ${part.number} of a family`);
  }
  return { name, type, metrics };
}

function metricOf(bytes: Uint8Array): ReadMetric {
  const labels: [string, string][] = [];
  let timeMs = 0;
  let value: number | undefined;
  let histogram: Record<string, unknown> | undefined;
  for (const part of new Fields(bytes)) {
    if (part.number === 1) labels.push(labelOf(part.bytes));
    else if (part.number === 5) for (const inner of new Fields(part.bytes)) value = inner.double;
    else if (part.number === 6) timeMs = part.signed;
    else if (part.number === 7) histogram = histogramOf(part.bytes);
    else throw new Error(`field ${part.number} of a metric`);
  }
  return { labels, timeMs, value, histogram, hex: Buffer.from(bytes).toString('hex') };
}

function labelOf(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', ''];
  for (const part of new Fields(bytes)) pair[part.number - 1] = textOf(part.bytes);
  return pair;
}

function histogramOf(bytes: Uint8Array): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  const add = (key: string, value: unknown) => void (read[key] = [...((read[key] as unknown[]) ?? []), value]);
  for (const part of new Fields(bytes)) {
    if (part.number === 2) read.sum = part.double;
    else if (part.number === 3) add('buckets', bucketOf(part.bytes));
    else if (part.number === 4) read.count = part.double;
    else if (part.number === 5) read.schema = unzigzag(part.varint);
    else if (part.number === 6) read.zeroThreshold = part.double;
    else if (part.number === 8) read.zeroCount = part.double;
    else if (part.number === 9) add('negativeSpans', spanOf(part.bytes));
    else if (part.number === 11) add('negative', part.double);
    else if (part.number === 12) add('positiveSpans', spanOf(part.bytes));
    else if (part.number === 14) add('positive', part.double);
    else throw new Error(`field ${part.number} of a histogram`);
  }
  return read;
}

function bucketOf(bytes: Uint8Array): [bound: number, count: number] {
  const bucket: [number, number] = [0, 0];
  for (const part of new Fields(bytes)) bucket[part.number === 2 ? 0 : 1] = part.double;
  return bucket;
}

function spanOf(bytes: Uint8Array): [offset: number, length: number] {
  const span: [number, number] = [0, 0];
  for (const part of new Fields(bytes)) span[part.number - 1] = part.number === 1 ? unzigzag(part.varint) : part.varint;
  return span;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** An untyped metric as a field of its family. */
export function encodeMetric(labels: readonly (readonly [string, string])[], value: number, timeMs: number): Buffer {
  const untyped = Buffer.alloc(9);
  untyped[0] = 0x09;
  untyped.writeDoubleLE(value, 1);
  return field(
    4,
    Buffer.concat([
      ...labels.map(([name, of]) => field(1, Buffer.concat([field(1, text(name)), field(2, text(of))]))),
      field(5, untyped),
      Buffer.from([6 << 3]),
      varint(timeMs),
    ]),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}
