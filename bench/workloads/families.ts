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
 * Bounds of a histogram of seconds, and what share of the requests is below each, in hundredths. Written as
 * Prometheus 3 stores them ("1" on a page becomes "1.0"), so that all servers hold the same labels.
 */
const BUCKETS: readonly (readonly [le: string, share: number])[] = [
  ['0.001', 1],
  ['0.0025', 3],
  ['0.005', 8],
  ['0.01', 17],
  ['0.025', 31],
  ['0.05', 46],
  ['0.075', 56],
  ['0.1', 64],
  ['0.15', 72],
  ['0.25', 80],
  ['0.35', 85],
  ['0.5', 89],
  ['0.75', 93],
  ['1.0', 95],
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
const METHODS = ['GET', 'POST', 'DELETE'];
const CODES = ['200', '400', '500'];
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
  const families = runtime(prng);
  const forPaths = count - seriesIn(families);
  const paths = Array.from({ length: Math.max(0, Math.floor(forPaths / SERIES_OF_A_PATH)) }, (_, index) =>
    ofPath(prng, pathName(index)),
  );
  for (const [at, first] of (paths[0] ?? []).entries()) {
    families.push({ ...first, series: paths.flatMap((ofOne) => ofOne[at]!.series) });
  }
  families.push(buildInfo(seed), settings(prng, count - seriesIn(families) - 1));
  return families;
}

function seriesIn(families: readonly Family[]): number {
  return families.reduce((sum, { series }) => sum + series.length, 0);
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

/** What runs, as labels of a 1: joined to other series by their target. */
function buildInfo(seed: number): Family {
  const name = 'app_build_info';
  const labels = [['version', `2.${seed % 3}.${seed % 5}`] as const];
  const behaviour = { shape: Shape.Constant, base: 1, rate: 1, jitter: 1, key: 0 };
  return family('gauge', name, [{ name, labels, behaviour }]);
}

/** What is left: numbers from a configuration. */
function settings(prng: Prng, count: number): Family {
  const series = Array.from({ length: Math.max(0, count) }, (_, index) =>
    spec(prng, 'app_setting', [['key', `limit_${index}`]], Shape.Constant, 1e3),
  );
  return family('gauge', 'app_setting', series);
}

/** 9 of requests, a histogram of 18 buckets with its sum and count, 31 of what is behind a request. */
const SERIES_OF_A_PATH = METHODS.length * CODES.length + BUCKETS.length + 2 + 31;

function ofPath(prng: Prng, path: string): Family[] {
  const requests = METHODS.flatMap((method) =>
    CODES.map((code) => {
      const hot = code === '200' || prng.int(4) === 0;
      const labels = [['code', code] as const, ['method', method] as const, ['path', path] as const];
      return spec(prng, 'http_requests_total', labels, hot ? Shape.Counter : Shape.Constant, 1e5);
    }),
  );
  /** `first` × `second`, half of them at rest. */
  const pairs = (name: string, shape: Shape, scale: number, first: Values, second: Values) =>
    first.of.flatMap((one) =>
      second.of.map((other) => {
        const labels = [[first.label, one] as const, ['path', path] as const, [second.label, other] as const];
        return spec(prng, name, labels, prng.int(2) === 0 ? shape : Shape.Constant, scale);
      }),
    );
  const cache = pairs('cache_events_total', Shape.Counter, 1e5, EVENTS, TIERS);
  const database = pairs('db_queries_total', Shape.Counter, 1e5, OPERATIONS, TABLES);
  const queues = pairs(
    'queue_depth',
    Shape.Gauge,
    100,
    { label: 'class', of: ['a', 'b', 'c'] },
    { label: 'queue', of: ['in'] },
  );
  const calls = pairs('rpc_sent_bytes_total', Shape.Counter, 1e7, { label: 'kind', of: ['one', 'stream'] }, PEERS);
  const workers = pairs('worker_busy_seconds_total', Shape.Seconds, 1e5, WORKERS, { label: 'pool', of: ['io', 'cpu'] });
  return [
    family('counter', 'http_requests_total', requests),
    family('histogram', 'http_request_duration_seconds', histogram(prng, path)),
    family('counter', 'cache_events_total', cache),
    family('counter', 'db_queries_total', database),
    family('gauge', 'queue_depth', queues),
    family('counter', 'rpc_sent_bytes_total', calls),
    family('counter', 'worker_busy_seconds_total', workers),
  ];
}

interface Values {
  readonly label: string;
  readonly of: readonly string[];
}

const EVENTS: Values = { label: 'event', of: ['hit', 'miss', 'evict'] };
const TIERS: Values = { label: 'tier', of: ['local', 'shared'] };
const OPERATIONS: Values = { label: 'operation', of: ['select', 'insert', 'update', 'delete'] };
const TABLES: Values = { label: 'table', of: ['main', 'audit', 'outbox'] };
const PEERS: Values = { label: 'peer', of: ['auth', 'billing', 'mail'] };
const WORKERS: Values = { label: 'id', of: ['0', '1'] };

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
