// What one exporter exposes: families of series with the names, labels and values of a real service. From a seed.

import { Prng } from '../../src/base/prng.js';
import { type Behaviour, Shape } from './values.js';

export interface SeriesSpec {
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly behaviour: Behaviour;
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly series: readonly SeriesSpec[];
}

/**
 * Bounds of Go's default histogram buckets, and what share of the requests is below each, in hundredths. Written as
 * Prometheus 3 stores them ("1" on a page becomes "1.0"), so that all servers hold the same labels.
 */
const BUCKETS: readonly (readonly [le: string, share: number])[] = [
  ['0.005', 3],
  ['0.01', 12],
  ['0.025', 30],
  ['0.05', 48],
  ['0.1', 63],
  ['0.25', 78],
  ['0.5', 88],
  ['1.0', 94],
  ['2.5', 97],
  ['5.0', 98],
  ['10.0', 99],
  ['+Inf', 100],
];

const RESOURCES = [
  'users',
  'orders',
  'items',
  'carts',
  'payments',
  'sessions',
  'search',
  'images',
  'reports',
  'events',
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const CODES = ['200', '201', '204', '400', '404', '500'];
const GAUGES = [
  'go_goroutines',
  'go_threads',
  'go_memstats_heap_alloc_bytes',
  'go_memstats_heap_inuse_bytes',
  'go_memstats_heap_objects',
  'go_memstats_next_gc_bytes',
  'process_resident_memory_bytes',
  'process_open_fds',
];
const CONSTANTS = ['process_start_time_seconds', 'process_max_fds', 'go_gc_gomemlimit_bytes', 'app_workers_max'];

/** The families of one exporter with `count` series altogether. The more series, the more request paths it has. */
export function exporterFamilies(count: number, seed: number): Family[] {
  const prng = new Prng(seed);
  const families = [...runtime(prng)];
  let left = count - families.reduce((sum, family) => sum + family.series.length, 0);
  const paths = Math.ceil(left / SERIES_OF_A_PATH);
  const perPath: Family[][] = [];
  for (let index = 0; index < paths; index++) perPath.push(ofPath(prng, pathName(index)));
  for (let at = 0; at < (perPath[0]?.length ?? 0); at++) {
    const series = perPath.flatMap((group) => group[at]!.series).slice(0, Math.max(left, 0));
    left -= series.length;
    if (series.length > 0) families.push({ ...perPath[0]![at]!, series });
  }
  return families;
}

function pathName(index: number): string {
  const resource = RESOURCES[index % RESOURCES.length]!;
  const version = Math.floor(index / RESOURCES.length);
  return `/api/v${version + 1}/${resource}`;
}

/** Of a runtime: gauges, constants, processor seconds. */
function runtime(prng: Prng): Family[] {
  const gauges = GAUGES.map((name) => family('gauge', name, [spec(prng, name, [], Shape.Gauge, 1e6)]));
  const constants = CONSTANTS.map((name) => family('gauge', name, [spec(prng, name, [], Shape.Constant, 1e6)]));
  const cpu = 'process_cpu_seconds_total';
  const states = ['idle', 'used', 'waiting'].map((state) =>
    spec(prng, 'db_pool_connections', [['state', state]], Shape.Gauge, 100),
  );
  return [
    ...gauges,
    ...constants,
    family('counter', cpu, [spec(prng, cpu, [], Shape.Seconds, 1e5)]),
    family('gauge', 'db_pool_connections', states),
  ];
}

/** 24 counters, a histogram of 12 buckets with its sum and count, 6 of a cache. */
const SERIES_OF_A_PATH = METHODS.length * CODES.length + BUCKETS.length + 2 + 6;

function ofPath(prng: Prng, path: string): Family[] {
  const requests = METHODS.flatMap((method) =>
    CODES.map((code) => {
      const hot = code === '200' || prng.int(4) === 0;
      const labels = [['code', code] as const, ['method', method] as const, ['path', path] as const];
      return spec(prng, 'http_requests_total', labels, hot ? Shape.Counter : Shape.Constant, 1e5);
    }),
  );
  const cache = ['hits', 'misses', 'evictions'].flatMap((event) =>
    ['local', 'shared'].map((tier) => {
      const labels = [['event', event] as const, ['path', path] as const, ['tier', tier] as const];
      return spec(prng, 'cache_events_total', labels, prng.int(2) === 0 ? Shape.Counter : Shape.Constant, 1e5);
    }),
  );
  return [
    family('counter', 'http_requests_total', requests),
    family('histogram', 'http_request_duration_seconds', histogram(prng, path)),
    family('counter', 'cache_events_total', cache),
  ];
}

function histogram(prng: Prng, path: string): SeriesSpec[] {
  const name = 'http_request_duration_seconds';
  const key = prng.u32();
  const rate = 1 + prng.int(40);
  const base = prng.int(1000);
  const hot = prng.int(2) === 0;
  const counter = (share: number): Behaviour => ({
    shape: hot ? Shape.Counter : Shape.Constant,
    base: base * share,
    rate: rate * share,
    jitter: rate,
    key,
  });
  const buckets = BUCKETS.map(([le, share]) => ({
    name: `${name}_bucket`,
    labels: [['le', le] as const, ['path', path] as const],
    behaviour: counter(share),
  }));
  const labels = [['path', path] as const];
  return [
    ...buckets,
    spec(prng, `${name}_sum`, labels, hot ? Shape.Seconds : Shape.Constant, 1e5),
    { name: `${name}_count`, labels, behaviour: counter(100) },
  ];
}

function family(type: Family['type'], name: string, series: readonly SeriesSpec[]): Family {
  return { name, type, help: `What the service measures as ${name}.`, series };
}

function spec(prng: Prng, name: string, labels: SeriesSpec['labels'], shape: Shape, scale: number): SeriesSpec {
  const rate = 1 + prng.int(200);
  const behaviour = { shape, base: Math.floor((1 + 8 * prng.float()) * scale), rate, jitter: rate, key: prng.u32() };
  return { name, labels, behaviour };
}
