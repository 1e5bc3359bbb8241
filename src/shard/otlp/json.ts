// The same request as JSON: names in camel case or with underscores, integers of 64 bits as text, identifiers in
// hexadecimal. What is not known is passed over; what is of another type than it should be is a fault.

import { WireError } from '../wire.js';
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
  type Point,
  type SummaryPoint,
  TEMPORALITIES,
  type Temporality,
} from './model.js';

/** Throws a WireError. */
export function decodeOtlpJson(text: string): OtlpResource[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new WireError((error as Error).message);
  }
  return new Node(json, 'request').list('resourceMetrics', resourceOf);
}

/** An object of the text; keys are looked up, so nobody's names become ours. */
class Node {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new WireError(`${path} is no object`);
    this.#value = value as Record<string, unknown>;
    this.#path = path;
  }

  /** undefined where it is absent or null. */
  get(key: string): unknown {
    const name = [key, key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)].find((one) =>
      Object.hasOwn(this.#value, one),
    );
    return name === undefined ? undefined : (this.#value[name] ?? undefined);
  }

  node(key: string): Node | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : new Node(value, `${this.#path}.${key}`);
  }

  list<T>(key: string, read: (node: Node) => T): T[] {
    return this.#each(key).map((one, i) => read(new Node(one, `${this.#path}.${key}[${i}]`)));
  }

  numbers(key: string): number[] {
    return this.#each(key).map((one) => this.#numberOf(key, one));
  }

  text(key: string): string {
    const value = this.get(key) ?? '';
    if (typeof value !== 'string') throw this.fault(key, 'text');
    return value;
  }

  number(key: string): number {
    return this.optional(key) ?? 0;
  }

  optional(key: string): number | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : this.#numberOf(key, value);
  }

  flag(key: string): boolean {
    const value = this.get(key) ?? false;
    if (typeof value !== 'boolean') throw this.fault(key, 'true or false');
    return value;
  }

  /** A whole number of 64 bits. */
  integer(key: string): bigint | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt.asIntN(64, BigInt(value));
    if (typeof value === 'number' && Number.isInteger(value)) return BigInt.asIntN(64, BigInt(value));
    throw this.fault(key, 'a whole number');
  }

  timeMs(key: string): number {
    const nanoseconds = this.integer(key) ?? 0n;
    // A number has lost its last digits: it is taken for the millisecond that it is nearest to being whole.
    const isRounded = typeof this.get(key) === 'number' && nanoseconds > Number.MAX_SAFE_INTEGER;
    return Number((isRounded ? nanoseconds + ROUNDED_NS : nanoseconds) / 1_000_000n);
  }

  fault(key: string, what: string): WireError {
    return new WireError(`${this.#path}.${key} is not ${what}`);
  }

  #each(key: string): readonly unknown[] {
    const value = this.get(key) ?? [];
    if (!Array.isArray(value)) throw this.fault(key, 'a list');
    return value;
  }

  #numberOf(key: string, value: unknown): number {
    if (typeof value === 'number') return value;
    const special = typeof value === 'string' ? SPECIAL.get(value) : undefined;
    if (special !== undefined) return special;
    if (typeof value === 'string' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)) return Number(value);
    throw this.fault(key, 'a number');
  }
}

/** Half of the distance between neighbours of 64 bits at the times of today. */
const ROUNDED_NS = 128n;

const SPECIAL = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['+Inf', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
]);

function resourceOf(node: Node): OtlpResource {
  const resource = node.node('resource');
  return {
    attributes: resource === undefined ? [] : attributesOf(resource),
    scopes: node.list('scopeMetrics', scopeOf),
  };
}

function scopeOf(node: Node): OtlpScope {
  const scope = node.node('scope');
  return {
    ...{ name: scope?.text('name') ?? '', version: scope?.text('version') ?? '' },
    ...{ attributes: scope === undefined ? [] : attributesOf(scope), schemaUrl: node.text('schemaUrl') },
    metrics: node.list('metrics', metricOf),
  };
}

function metricOf(node: Node): OtlpMetric {
  const head = { name: node.text('name'), description: node.text('description'), unit: node.text('unit') };
  return { ...head, ...dataOf(node) };
}

function dataOf(metric: Node): MetricData {
  const gauge = metric.node('gauge');
  if (gauge !== undefined) return { kind: 'gauge', points: gauge.list('dataPoints', numberPointOf) };
  const sum = metric.node('sum');
  if (sum !== undefined) {
    const head = { temporality: temporalityOf(sum), isMonotonic: sum.flag('isMonotonic') };
    return { kind: 'sum', ...head, points: sum.list('dataPoints', numberPointOf) };
  }
  const histogram = metric.node('histogram');
  if (histogram !== undefined) {
    const points = histogram.list('dataPoints', histogramPointOf);
    return { kind: 'histogram', temporality: temporalityOf(histogram), points };
  }
  const exponential = metric.node('exponentialHistogram');
  if (exponential !== undefined) {
    const points = exponential.list('dataPoints', exponentialPointOf);
    return { kind: 'exponential', temporality: temporalityOf(exponential), points };
  }
  const summary = metric.node('summary');
  return summary === undefined
    ? { kind: 'none' }
    : { kind: 'summary', points: summary.list('dataPoints', summaryPointOf) };
}

function temporalityOf(node: Node): Temporality {
  const given = node.get('aggregationTemporality');
  const number =
    typeof given === 'string'
      ? TEMPORALITIES.indexOf(given.replace('AGGREGATION_TEMPORALITY_', '').toLowerCase() as Temporality)
      : node.number('aggregationTemporality');
  return TEMPORALITIES[number] ?? 'unspecified';
}

function pointOf(node: Node): Point {
  const isStale = node.number('flags') % 2 === NO_RECORDED_VALUE;
  return { attributes: attributesOf(node), timeMs: node.timeMs('timeUnixNano'), isStale };
}

function numberPointOf(node: Node): NumberPoint {
  const value = numberOf(node) ?? 0;
  return { ...pointOf(node), value, exemplars: node.list('exemplars', exemplarOf) };
}

function numberOf(node: Node): number | undefined {
  const whole = node.integer('asInt');
  return whole === undefined ? node.optional('asDouble') : Number(whole);
}

function histogramPointOf(node: Node): HistogramPoint {
  return {
    ...{ ...pointOf(node), count: node.number('count'), sum: node.optional('sum') },
    ...{ counts: node.numbers('bucketCounts'), bounds: node.numbers('explicitBounds') },
    exemplars: node.list('exemplars', exemplarOf),
  };
}

function exponentialPointOf(node: Node): ExponentialPoint {
  return {
    ...{ ...pointOf(node), count: node.number('count'), sum: node.optional('sum') },
    ...{ scale: node.number('scale'), zeroCount: node.number('zeroCount') },
    ...{ positive: bucketsOf(node.node('positive')), negative: bucketsOf(node.node('negative')) },
    exemplars: node.list('exemplars', exemplarOf),
  };
}

function bucketsOf(node: Node | undefined): ExponentialBuckets {
  return { offset: node?.number('offset') ?? 0, counts: node?.numbers('bucketCounts') ?? [] };
}

function summaryPointOf(node: Node): SummaryPoint {
  const quantiles = node.list('quantileValues', (one) => [one.number('quantile'), one.number('value')] as const);
  return { ...pointOf(node), count: node.number('count'), sum: node.number('sum'), quantiles };
}

function exemplarOf(node: Node): OtlpExemplar {
  return {
    ...{ timeMs: node.timeMs('timeUnixNano'), value: numberOf(node) },
    ...{ traceId: idOf(node, 'traceId', 16), spanId: idOf(node, 'spanId', 8) },
    attributes: attributesOf(node, 'filteredAttributes'),
  };
}

/** Of zeros alone it is none. */
function idOf(node: Node, key: string, bytes: number): string {
  const text = node.text(key).toLowerCase();
  if (text !== '' && !(text.length === bytes * 2 && /^[0-9a-f]+$/.test(text))) throw node.fault(key, `${bytes} bytes`);
  return /^0*$/.test(text) ? '' : text;
}

function attributesOf(node: Node, key = 'attributes'): Attributes {
  return node.list(key, pairOf);
}

function pairOf(node: Node): [key: string, value: AnyValue] {
  const value = node.node('value');
  return [node.text('key'), value === undefined ? undefined : valueOf(value)];
}

function valueOf(node: Node): AnyValue {
  if (node.get('stringValue') !== undefined) return node.text('stringValue');
  if (node.get('boolValue') !== undefined) return node.flag('boolValue');
  const whole = node.integer('intValue');
  if (whole !== undefined) return whole;
  const float = node.optional('doubleValue');
  if (float !== undefined) return float;
  const list = node.node('arrayValue');
  if (list !== undefined) return list.list('values', valueOf);
  const pairs = node.node('kvlistValue');
  if (pairs !== undefined) return new Map(pairs.list('values', pairOf));
  return node.get('bytesValue') === undefined
    ? undefined
    : Uint8Array.from(Buffer.from(node.text('bytesValue'), 'base64'));
}
