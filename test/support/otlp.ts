// OTLP exports for tests: one description, as JSON and as protobuf.

import { MessageWriter } from '../../src/base/message-writer.js';
import type { Prng } from '../../src/base/prng.js';

/** As in OTLP's JSON: integers of 64 bits are text. */
export type Json = Record<string, unknown>;

/** Values of an attribute in JSON. */
export function attribute(key: string, value: Json): Json {
  return { key, value };
}

/** Fields of messages by name: number, and what is in them. */
type Kind =
  | 'text'
  | 'double'
  | 'fixed64'
  | 'varint'
  | 'zigzag'
  | 'bool'
  | 'hex'
  | 'base64'
  | 'fixed64s'
  | 'doubles'
  | 'varints'
  | Shape;
type Shape = () => Readonly<Record<string, readonly [number: number, kind: Kind]>>;

const VALUE: Shape = () => ({
  ...{ stringValue: [1, 'text'], boolValue: [2, 'bool'], intValue: [3, 'varint'], doubleValue: [4, 'double'] },
  ...{ arrayValue: [5, VALUES], kvlistValue: [6, PAIRS], bytesValue: [7, 'base64'] },
});
const VALUES: Shape = () => ({ values: [1, VALUE] });
const PAIR: Shape = () => ({ key: [1, 'text'], value: [2, VALUE] });
const PAIRS: Shape = () => ({ values: [1, PAIR] });
const EXEMPLAR: Shape = () => ({
  ...{ timeUnixNano: [2, 'fixed64'], asDouble: [3, 'double'], spanId: [4, 'hex'], traceId: [5, 'hex'] },
  ...{ asInt: [6, 'fixed64'], filteredAttributes: [7, PAIR] },
});
const NUMBER: Shape = () => ({
  ...{ startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'], asDouble: [4, 'double'] },
  ...{ exemplars: [5, EXEMPLAR], asInt: [6, 'fixed64'], attributes: [7, PAIR], flags: [8, 'varint'] },
});
const HISTOGRAM: Shape = () => ({
  ...{ startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'], count: [4, 'fixed64'], sum: [5, 'double'] },
  ...{ bucketCounts: [6, 'fixed64s'], explicitBounds: [7, 'doubles'], exemplars: [8, EXEMPLAR], attributes: [9, PAIR] },
  flags: [10, 'varint'],
});
const BUCKETS: Shape = () => ({ offset: [1, 'zigzag'], bucketCounts: [2, 'varints'] });
const EXPONENTIAL: Shape = () => ({
  ...{ attributes: [1, PAIR], startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'], count: [4, 'fixed64'] },
  ...{ sum: [5, 'double'], scale: [6, 'zigzag'], zeroCount: [7, 'fixed64'], positive: [8, BUCKETS] },
  ...{ negative: [9, BUCKETS], flags: [10, 'varint'], exemplars: [11, EXEMPLAR], zeroThreshold: [14, 'double'] },
});
const QUANTILE: Shape = () => ({ quantile: [1, 'double'], value: [2, 'double'] });
const SUMMARY: Shape = () => ({
  ...{ startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'], count: [4, 'fixed64'], sum: [5, 'double'] },
  ...{ quantileValues: [6, QUANTILE], attributes: [7, PAIR], flags: [8, 'varint'] },
});
const dataOf = (point: Shape): Shape => {
  return () => ({ dataPoints: [1, point], aggregationTemporality: [2, 'varint'], isMonotonic: [3, 'bool'] });
};
const METRIC: Shape = () => ({
  ...{ name: [1, 'text'], description: [2, 'text'], unit: [3, 'text'], gauge: [5, dataOf(NUMBER)] },
  ...{ sum: [7, dataOf(NUMBER)], histogram: [9, dataOf(HISTOGRAM)], exponentialHistogram: [10, dataOf(EXPONENTIAL)] },
  summary: [11, dataOf(SUMMARY)],
});
const SCOPE_HEAD: Shape = () => ({ name: [1, 'text'], version: [2, 'text'], attributes: [3, PAIR] });
const SCOPE: Shape = () => ({ scope: [1, SCOPE_HEAD], metrics: [2, METRIC], schemaUrl: [3, 'text'] });
const RESOURCE: Shape = () => ({ attributes: [1, PAIR] });
const RESOURCE_METRICS: Shape = () => ({ resource: [1, RESOURCE], scopeMetrics: [2, SCOPE] });
const REQUEST: Shape = () => ({ resourceMetrics: [1, RESOURCE_METRICS] });

/** The request as protobuf. */
export function otlpProtobuf(request: Json): Uint8Array {
  const to = new MessageWriter();
  writeMessage(to, request, REQUEST);
  return to.finish();
}

function writeMessage(to: MessageWriter, json: Json, shape: Shape): void {
  const fields = shape();
  for (const [name, value] of Object.entries(json)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`no field ${name}`);
    const [number, kind] = field;
    const isList = Array.isArray(value) && !(typeof kind === 'string' && kind.endsWith('s'));
    for (const one of isList ? (value as unknown[]) : [value]) writeField(to, number, kind, one);
  }
}

function writeField(to: MessageWriter, number: number, kind: Kind, value: unknown): void {
  if (typeof kind === 'function') {
    const start = to.open(number);
    writeMessage(to, value as Json, kind);
    to.close(start);
    return;
  }
  switch (kind) {
    case 'text':
      to.text(number, value as string);
      return;
    case 'hex':
    case 'base64':
      to.bytes(number, Buffer.from(value as string, kind));
      return;
    case 'double':
      to.head(number, 1);
      to.double(doubleOf(value));
      return;
    case 'fixed64':
      to.head(number, 1);
      to.fixed64(BigInt.asUintN(64, BigInt(value as string)));
      return;
    case 'varint':
    case 'bool':
      to.head(number, 0);
      to.signed(Number(value));
      return;
    case 'zigzag':
      to.head(number, 0);
      to.zigzag(value as number);
      return;
    default: {
      const start = to.open(number);
      for (const one of value as unknown[]) {
        if (kind === 'doubles') to.double(doubleOf(one));
        else if (kind === 'varints') to.varint(Number(one));
        else to.fixed64(BigInt(one as string));
      }
      to.close(start);
    }
  }
}

function doubleOf(value: unknown): number {
  return value === 'Infinity' ? Number.POSITIVE_INFINITY : Number(value);
}

const NAMES = [
  'http.server.duration',
  'requests',
  'queue_size__total',
  'a.b/c',
  '5xx',
  'temp ',
  'ratio.of.things',
  '__x',
  'büro',
  'x_seconds',
];
const UNITS = [
  '',
  's',
  'ms',
  'By',
  '1',
  '{requests}',
  '1/s',
  'By/s',
  'm/h',
  '%',
  'foo_bar',
  'By/{x}',
  'KiBy',
  '_x_/_y_',
];
const KEYS = ['http.method', 'a-b', 'a_b', '1st', '_one', '__two', 'ü', 'service.name', 'le', 'plain'];
const RESOURCE_KEYS = ['host.name', 'k8s.pod.name', 'cloud.region', 'process.pid', '_under', '2nd'];

/** A request of all kinds of metrics, with points up to a time; JSON has no form for some values, which are left out with `plain`. */
export function generateOtlp(random: Prng, nowMs: number, seriesBefore: string): Json {
  const time = () => ({
    timeUnixNano: `${nowMs - random.int(60_000)}${String(random.int(1_000_000)).padStart(6, '0')}`,
  });
  const value = (): Json => {
    switch (random.int(8)) {
      case 0:
        return { intValue: String(random.int(1e9) - 5e8) };
      case 1:
        return { doubleValue: random.pick([0.5, 1e-7, 1e21, 123456789.5, -3]) };
      case 2:
        return { boolValue: random.int(2) === 0 };
      case 3:
        return { arrayValue: { values: [{ stringValue: 'a<b' }, { intValue: '3' }, { doubleValue: 2.5 }] } };
      case 4:
        return {
          kvlistValue: { values: [attribute('z', { stringValue: 'q"' }), attribute('b', { boolValue: true })] },
        };
      case 5:
        return { bytesValue: 'AQID' };
      default:
        return { stringValue: random.pick(['x', 'GET', '', 'ž 🐎', 'a;b']) };
    }
  };
  const some = (keys: readonly string[], share: number) =>
    keys.filter(() => random.float() < share).map((key) => attribute(key, value()));
  let number = 0;
  // Each point has a series of its own: samples of one would have to come in order.
  const own = () => [...some(KEYS, 0.2), attribute('n', { stringValue: `${seriesBefore}${number++}` })];
  const flags = () => (random.int(12) === 0 ? { flags: 1 } : {});
  const exemplars = () =>
    random.int(3) > 0
      ? {}
      : {
          exemplars: [
            {
              ...{ ...time(), asDouble: random.float() * 10 },
              ...{ traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708' },
              filteredAttributes: some(KEYS.slice(0, 3), 0.3),
            },
          ],
        };
  const numberPoint = () => {
    const measured = random.int(2) === 0 ? { asInt: String(random.int(1e6)) } : { asDouble: random.float() * 100 };
    return { attributes: own(), ...time(), ...measured, ...flags(), ...exemplars() };
  };
  const histogramPoint = () => {
    const explicitBounds = [0.005, 0.1, 1, 2.5, 1e6].slice(0, random.int(6));
    const bucketCounts = Array.from({ length: explicitBounds.length + 1 }, () =>
      String(random.int(4) * random.int(50)),
    );
    const count = String(bucketCounts.reduce((sum, one) => sum + Number(one), 0));
    const sum = random.int(5) === 0 || count === '0' ? {} : { sum: random.float() * 100 };
    return { attributes: own(), ...time(), count, ...sum, bucketCounts, explicitBounds, ...flags(), ...exemplars() };
  };
  const buckets = () => ({
    offset: random.int(40) - 20,
    bucketCounts: Array.from({ length: random.int(12) }, () => String(random.int(3) * random.int(30))),
  });
  const exponentialPoint = () => {
    const [positive, negative, zeroCount] = [buckets(), buckets(), String(random.int(5))];
    const all = [...positive.bucketCounts, ...negative.bucketCounts, zeroCount];
    const count = String(all.reduce((sum, one) => sum + Number(one), 0));
    const scale = random.int(15) - 4;
    const sum = count === '0' ? {} : { sum: random.float() * 9 };
    return {
      attributes: own(),
      ...time(),
      count,
      ...sum,
      scale,
      zeroCount,
      positive,
      negative,
      ...flags(),
      ...exemplars(),
    };
  };
  const summaryPoint = () => ({
    ...{ attributes: own(), ...time(), count: String(random.int(100)), sum: random.float() * 9 },
    ...{
      quantileValues: [
        { quantile: 0.5, value: 1.5 },
        { quantile: 0.999, value: 7 },
      ],
      ...flags(),
    },
  });
  const points = (make: () => Json) => Array.from({ length: random.int(4) }, make);
  const temporality = () => ({ aggregationTemporality: random.int(5) === 0 ? random.int(3) : 2 });
  const metric = (): Json => {
    const head = { name: random.pick(NAMES), unit: random.pick(UNITS), description: 'some help' };
    switch (random.int(5)) {
      case 0:
        return { ...head, gauge: { dataPoints: points(numberPoint) } };
      case 1:
        return {
          ...head,
          sum: { dataPoints: points(numberPoint), ...temporality(), isMonotonic: random.int(2) === 0 },
        };
      case 2:
        return { ...head, histogram: { dataPoints: points(histogramPoint), ...temporality() } };
      case 3:
        return { ...head, exponentialHistogram: { dataPoints: points(exponentialPoint), ...temporality() } };
      default:
        return { ...head, summary: { dataPoints: points(summaryPoint) } };
    }
  };
  const identity = () =>
    [attribute('service.name', { stringValue: 'shop' }), attribute('service.namespace', { stringValue: 'web' })]
      .filter(() => random.int(3) > 0)
      .concat(random.int(3) > 0 ? [attribute('service.instance.id', { stringValue: seriesBefore })] : []);
  return {
    resourceMetrics: Array.from({ length: 1 + random.int(2) }, (_, i) => ({
      resource: { attributes: [...identity(), ...some(RESOURCE_KEYS, 0.4), attribute('r', { intValue: String(i) })] },
      scopeMetrics: [
        { scope: { name: 'lib', version: '1.2' }, metrics: Array.from({ length: random.int(5) }, metric) },
      ],
    })),
  };
}
