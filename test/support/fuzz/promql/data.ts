// The series that generated queries are asked about, from a seed.
//
// An hour of samples: counters with resets, gauges with gaps, odd values, series that
// appear and vanish, classic histograms good and broken, native ones of all kinds, and
// label sets that become the same once a label is dropped.

import type { Prng } from '../../../../src/base/prng.js';
import type { FloatHistogram } from '../../../../src/model/histogram.js';
import { type Labels, labelsOf, METRIC_NAME } from '../../../../src/model/labels.js';
import { bitsOf, STALE } from '../../promqltest/series.js';
import { growingHistogram, type HistogramKind } from './histograms.js';

/** On a multiple of two hours: Prometheus begins new chunks there. */
export const DATA_START_MS = 1_699_999_200_000;
export const DATA_MS = 3_600_000;

export interface FuzzSample {
  readonly timeMs: number;
  /** Bits of a float, or a native histogram. */
  readonly value: bigint | FloatHistogram;
}

export interface FuzzSeries {
  readonly labels: Labels;
  readonly samples: readonly FuzzSample[];
  /** Histograms are written with whole counts. */
  readonly whole: boolean;
}

export type FamilyKind = 'counter' | 'gauge' | 'odd' | 'bucket' | 'native' | 'mixed' | 'info';

/** A metric, as whoever writes queries knows it. */
export interface Family {
  readonly name: string;
  readonly kind: FamilyKind;
  /** The values that each label has. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

export interface FuzzData {
  readonly families: readonly Family[];
  readonly series: readonly FuzzSeries[];
}

type Value = number | bigint | FloatHistogram | undefined;
type Next = (index: number) => Value;
type LabelValues = Record<string, readonly string[]>;

export function generateData(random: Prng): FuzzData {
  const data = new DataBuilder(random);
  addCounters(data);
  addGauges(data);
  addOddValues(data);
  addBuckets(data);
  addNatives(data);
  addNames(data);
  return data;
}

class DataBuilder implements FuzzData {
  readonly families: Family[] = [];
  readonly series: FuzzSeries[] = [];

  constructor(readonly random: Prng) {}

  /** One series for nearly every combination of label values; an empty value is a label left out. */
  add(
    kind: FamilyKind,
    name: string,
    values: LabelValues,
    next: (labels: Record<string, string>) => Next,
    whole = true,
  ) {
    const { random } = this;
    const labels = new Map(Object.entries(values));
    if (!this.families.some((family) => family.name === name)) this.families.push({ name, kind, labels });
    const intervalMs = random.pick([15_000, 15_000, 30_000]);
    const jitterMs = random.pick([1, 1, 4000]);
    for (const combination of combinations([...labels])) {
      const [value, lag] = [next(combination), random.int(intervalMs)];
      const samples: FuzzSample[] = [];
      for (let i = 0; i * intervalMs + lag < DATA_MS; i++) {
        const timeMs = DATA_START_MS + i * intervalMs + lag + random.int(jitterMs);
        const sample = value(i);
        if (sample !== undefined) samples.push({ timeMs, value: typeof sample === 'number' ? bitsOf(sample) : sample });
      }
      this.series.push({ labels: labelsOf([[METRIC_NAME, name], ...Object.entries(combination)]), samples, whole });
    }
  }
}

function combinations([first, ...rest]: [string, readonly string[]][]): Record<string, string>[] {
  if (first === undefined) return [{}];
  const [name, values] = first;
  return values.flatMap((value) => combinations(rest).map((others) => ({ [name]: value, ...others })));
}

const JOBS = ['api', 'web'];
const INSTANCES = ['a:9090', 'b:9090', 'c:9090'];

function counterFrom(random: Prng, step: () => number): Next {
  let total = random.int(3) === 0 ? 0 : step() * 100;
  return () => {
    total = random.int(80) === 0 ? (random.int(2) === 0 ? 0 : step()) : total + (random.int(4) === 0 ? 0 : step());
    return total;
  };
}

function addCounters(data: DataBuilder): void {
  const { random } = data;
  const codes = ['200', '404', '500'];
  data.add('counter', 'http_requests_total', { job: JOBS, instance: INSTANCES.slice(0, 2), code: codes }, () =>
    counterFrom(random, () => random.int(20)),
  );
  data.add('counter', 'cpu_seconds_total', { job: ['node'], instance: INSTANCES, mode: ['idle', 'user'] }, () =>
    counterFrom(random, () => random.float() * 10),
  );
}

/** Runs with samples and runs without, which some series end with a stale marker. */
function withGaps(random: Prng, next: Next): Next {
  let here = random.int(2) === 0;
  const marks = random.int(2) === 0;
  return (i) => {
    const value = next(i);
    if (random.int(25) !== 0) return here ? value : undefined;
    here = !here;
    return here ? value : marks ? STALE : undefined;
  };
}

function addGauges(data: DataBuilder): void {
  const { random } = data;
  data.add(
    'gauge',
    'memory_bytes',
    { job: JOBS, instance: INSTANCES },
    () => () => Math.floor(random.float() * 2 ** 34),
  );
  data.add('gauge', 'temperature', { instance: INSTANCES, room: ['', 'cellar'] }, () => {
    let value = random.float() * 20;
    return withGaps(random, () => (value += random.float() - 0.5));
  });
  data.add('gauge', 'up', { job: [...JOBS, 'node'], instance: INSTANCES }, () => () => Number(random.int(8) > 0));
  data.add('gauge', 'flapping', { instance: INSTANCES, slot: ['1', '2', '10'] }, () =>
    withGaps(random, () => random.int(5)),
  );
  for (const version of ['1.0', '1.1', '2.0-rc']) {
    const from = random.int(200);
    data.add(
      'info',
      'target_info',
      { job: JOBS, instance: INSTANCES, version: [version], env: ['prod'] },
      () => (i) => (version === '1.0' || i >= from ? 1 : undefined),
    );
  }
  data.add('info', 'build_info', { job: JOBS, instance: INSTANCES.slice(1), branch: ['main'] }, () => () => 1);
}

const ODD: Record<string, (random: Prng) => Next> = {
  nan: (random) => () => (random.int(3) === 0 ? Number.NaN : random.float()),
  'all-nan': () => () => Number.NaN,
  inf: (random) => () => [Infinity, -Infinity, 1, 0][random.int(4)],
  huge: (random) => () => (random.float() - 0.5) * 1e308,
  // None is subnormal: of these, Go's logarithms are far off.
  tiny: (random) => () => random.pick([2.3e-308, -2.3e-308, 1e-300, -0, 0]),
  flat: () => () => 42,
  zero: (random) => () => random.pick([0, -0]),
  stale: (random) => (i) => (i % 7 === 3 ? STALE : random.int(10)),
  once: (random) => {
    const at = random.int(200);
    return (i) => (i === at ? 7 : undefined);
  },
  late: (random) => (i) => (i > 120 ? random.float() : undefined),
  date: (random) => () => Math.floor(random.float() * 2e9),
};

function addOddValues(data: DataBuilder): void {
  data.add('odd', 'odd', { kind: Object.keys(ODD) }, ({ kind }) => ODD[kind!]!(data.random));
}

/** Counters of the observations up to each bound, made together. */
function buckets(random: Prng, bounds: number): (bound: number) => Next {
  const totals: number[][] = [];
  let current = new Array<number>(bounds).fill(0);
  return (bound) => (i) => {
    for (; totals.length <= i; totals.push(current)) {
      if (random.int(90) === 0) current = current.map(() => 0);
      const added = Array.from({ length: bounds }, () => random.int(4));
      current = current.map((total, b) => total + added.slice(0, b + 1).reduce((sum, one) => sum + one, 0));
    }
    return totals[i]![bound];
  };
}

function addBuckets(data: DataBuilder): void {
  const { random } = data;
  const bounds = ['0.1', '0.5', '1', '2.5', '+Inf'];
  for (const job of JOBS) {
    const of = buckets(random, bounds.length);
    data.add('bucket', 'latency_seconds_bucket', { job: [job], le: bounds }, ({ le }) => of(bounds.indexOf(le!)));
    data.add('counter', 'latency_seconds_count', { job: [job] }, () => of(bounds.length - 1));
    data.add('counter', 'latency_seconds_sum', { job: [job] }, () => counterFrom(random, () => random.float()));
  }
  const broken: Record<string, readonly string[]> = {
    'no-inf': ['0.1', '1', '10'],
    'not-monotone': ['1', '2', '3', '+Inf'],
    'bad-le': ['1', 'abc', '', '+Inf'],
    twice: ['1', '1.0', '1e0', '+Inf'],
    'only-inf': ['+Inf'],
    negative: ['-5', '-1', '0', '+Inf'],
    nan: ['1', '2', '+Inf'],
    empty: ['1', '2', '+Inf'],
  };
  for (const [kind, les] of Object.entries(broken)) {
    const of = buckets(random, les.length);
    data.add('bucket', 'broken_bucket', { kind: [kind], le: les }, ({ le }) => {
      const next = of(les.indexOf(le!));
      if (kind === 'not-monotone') return (i) => (next(i) as number) + random.int(3);
      if (kind === 'nan') return (i) => (random.int(3) === 0 ? Number.NaN : next(i));
      return kind === 'empty' ? () => 0 : next;
    });
  }
}

function addNatives(data: DataBuilder): void {
  const { random } = data;
  const native = (name: string, kind: HistogramKind, labels: LabelValues) =>
    data.add('native', name, labels, () => growingHistogram(random, kind), kind !== 'float' && kind !== 'gauge');
  native('latency_seconds', 'integer', { job: JOBS });
  native('size_bytes', 'integer', { job: JOBS, instance: INSTANCES });
  native('load_total', 'float', { instance: INSTANCES });
  native('queue', 'gauge', { instance: INSTANCES.slice(0, 2) });
  native('fixed', 'custom', { job: JOBS, instance: INSTANCES });
  native('rebound', 'rebound', { instance: INSTANCES.slice(0, 2) });
  for (const kind of ['float', 'custom', 'gauge'] as const) {
    data.add(
      'mixed',
      'mixed',
      { kind: [kind], instance: INSTANCES.slice(0, 2) },
      () => {
        const [next, floats] = [growingHistogram(random, kind), counterFrom(random, () => random.float())];
        let isFloat = false;
        return withGaps(random, (i) => {
          if (random.int(12) === 0) isFloat = !isFloat;
          return isFloat ? floats(i) : next();
        });
      },
      false,
    );
  }
}

/** Names that need quotes, names that are keywords, and series that only their names tell apart. */
function addNames(data: DataBuilder): void {
  const { random } = data;
  const value = () => counterFrom(random, () => random.int(10));
  data.add('gauge', 'http.duration ms', { 'service.name': ['café', 'a\\b"c'], job: JOBS }, value);
  data.add('gauge', 'sum', { by: ['x', 'y'], offset: ['1', '2'] }, value);
  data.add('gauge', 'bool', { on: ['x', 'y'] }, value);
  data.add('gauge', 'twin:a', { x: ['1', '2'] }, value);
  data.add('gauge', 'twin:b', { x: ['1', '2'] }, value);
  data.add('gauge', 'bare', {}, value);
}
