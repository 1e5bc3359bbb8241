// Pages as delimited io.prometheus.client.MetricFamily messages, as encoders write them: fields in ascending order.

import type { FamilyType, PageExemplar, PageFamily, PageMetric, PageNative } from './exposition-page.js';

const TYPES: Readonly<Partial<Record<FamilyType, number>>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  untyped: 3,
  histogram: 4,
  gaugehistogram: 5,
};

/** Families of types that protobuf lacks are left out. */
export function protobufPage(families: readonly PageFamily[]): Buffer {
  const messages = families.flatMap((family) => {
    const type = TYPES[family.type];
    if (type === undefined) return [];
    const message = Buffer.concat([
      text(1, family.type === 'counter' ? `${family.name}_total` : family.name),
      text(2, family.help ?? ''),
      uint(3, type),
      ...family.metrics.map((metric) => bytes(4, metricMessage(family.type, metric))),
      family.unit === undefined ? NOTHING : text(5, family.unit),
    ]);
    return [varint(message.length), message];
  });
  return Buffer.concat(messages);
}

const NOTHING = Buffer.alloc(0);

function metricMessage(type: FamilyType, metric: PageMetric): Buffer {
  const { labels = {}, value = 0, timeMs, exemplar, createdMs } = metric;
  const note = exemplar === undefined ? NOTHING : bytes(2, exemplarMessage(exemplar));
  const created = (field: number) => (createdMs === undefined ? NOTHING : bytes(field, timestamp(createdMs)));
  return Buffer.concat([
    ...Object.entries(labels).map(([name, of]) => bytes(1, Buffer.concat([text(1, name), text(2, of)]))),
    type === 'gauge' ? bytes(2, double(1, value)) : NOTHING,
    type === 'counter' ? bytes(3, Buffer.concat([double(1, value), note, created(3)])) : NOTHING,
    type === 'summary' ? bytes(4, Buffer.concat([summaryMessage(metric), created(4)])) : NOTHING,
    type === 'untyped' ? bytes(5, double(1, value)) : NOTHING,
    timeMs === undefined ? NOTHING : uint(6, timeMs),
    type.endsWith('histogram') ? bytes(7, Buffer.concat([histogramMessage(metric), created(15)])) : NOTHING,
  ]);
}

function summaryMessage({ count = 0, sum = 0, quantiles = [] }: PageMetric): Buffer {
  const all = quantiles.map(([quantile, of]) => bytes(3, Buffer.concat([double(1, quantile), double(2, of)])));
  return Buffer.concat([uint(1, count), double(2, sum), ...all]);
}

function histogramMessage({ count = 0, sum = 0, buckets = [], native }: PageMetric): Buffer {
  return Buffer.concat([
    native?.isFloat ? NOTHING : uint(1, count),
    double(2, sum),
    ...buckets.map(([bound, of, note]) =>
      bytes(
        3,
        Buffer.concat([uint(1, of), double(2, bound), note === undefined ? NOTHING : bytes(3, exemplarMessage(note))]),
      ),
    ),
    native?.isFloat ? double(4, count) : NOTHING,
    native === undefined ? NOTHING : nativeFields(native),
  ]);
}

function nativeFields(native: PageNative): Buffer {
  const { schema, zeroThreshold = 0, zeroCount = 0, negativeSpans = [], negative = [], isFloat = false } = native;
  const side = (spans: PageNative['positiveSpans'], counts: readonly number[], field: number) => [
    ...spans.map(([offset, length]) => bytes(field, Buffer.concat([uint(1, zigzag(offset)), uint(2, length)]))),
    ...counts.map((count, i) =>
      isFloat ? double(field + 2, count) : uint(field + 1, zigzag(count - (counts[i - 1] ?? 0))),
    ),
  ];
  return Buffer.concat([
    uint(5, zigzag(schema)),
    double(6, zeroThreshold),
    isFloat ? double(8, zeroCount) : uint(7, zeroCount),
    ...side(negativeSpans, negative, 9),
    ...side(native.positiveSpans, native.positive, 12),
    ...(native.exemplars ?? []).map((exemplar) => bytes(16, exemplarMessage(exemplar))),
  ]);
}

function exemplarMessage({ labels, value, timeMs }: PageExemplar): Buffer {
  return Buffer.concat([
    ...Object.entries(labels).map(([name, of]) => bytes(1, Buffer.concat([text(1, name), text(2, of)]))),
    double(2, value),
    timeMs === undefined ? NOTHING : bytes(3, timestamp(timeMs)),
  ]);
}

function timestamp(timeMs: number): Buffer {
  return Buffer.concat([uint(1, Math.floor(timeMs / 1000)), uint(2, (timeMs % 1000) * 1_000_000)]);
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function double(field: number, value: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), content]);
}

function uint(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  out.push(value);
  return Buffer.from(out);
}
