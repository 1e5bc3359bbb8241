// Calls of the HTTP API about series that are there, for two servers that hold the same ones.

import { NO_COUNTS, NO_SPANS, type StoredHistogram } from '../../src/model/stored-histogram.js';
import { bitsOf } from './promqltest/series.js';
import type { Series } from './remote-write.js';

/** What is asked of both servers. */
export interface ApiCallCase {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1/`. */
  readonly path: string;
  /** In the address of a GET, in the form of a POST. */
  readonly query: string;
}

const MINUTE_MS = 60_000;
const SAMPLES = 30;

/** Half an hour at a minute each, up to `endMs`: counters, gauges, a classic and a native histogram, names of all kinds. */
export function apiSeries(endMs: number): Series[] {
  const times = Array.from({ length: SAMPLES }, (_, i) => endMs - (SAMPLES - 1 - i) * MINUTE_MS);
  const floats = (labels: Record<string, string>, value: (i: number) => number): Series => ({
    labels: sorted(labels),
    samples: times.map((timeMs, i) => [timeMs, value(i)] as const),
  });
  const jobs = ['api', 'db', 'web'];
  const instances = ['a:9090', 'b:9090'];
  const each = <T>(make: (job: string, instance: string, i: number) => T): T[] =>
    jobs.flatMap((job, i) => instances.map((instance, k) => make(job, instance, i * 2 + k)));
  return [
    ...each((job, instance, n) => floats({ __name__: 'requests_total', job, instance }, (i) => i * (n + 1) * 3)),
    ...each((job, instance, n) => floats({ __name__: 'temperature', job, instance }, (i) => Math.sin(i + n) * 20)),
    ...['0.1', '1', '+Inf'].map((le, n) =>
      floats({ __name__: 'latency_bucket', job: 'api', instance: 'a:9090', le }, (i) => i * (n + 1)),
    ),
    floats({ __name__: 'with space', job: 'api', 'label.utf8': 'ž', plain: '"quoted" \\ \n' }, (i) => i),
    floats({ __name__: 'special', kind: 'nan' }, () => Number.NaN),
    floats({ __name__: 'special', kind: 'inf' }, () => Number.POSITIVE_INFINITY),
    floats({ __name__: 'special', kind: 'tiny' }, () => 5e-324),
    floats({ __name__: 'special', kind: 'large' }, () => 1.7976931348623157e308),
    { labels: sorted({ __name__: 'ended', job: 'db' }), samples: times.slice(0, 10).map((timeMs) => [timeMs, 1]) },
    {
      labels: sorted({ __name__: 'native', job: 'web' }),
      samples: [],
      histograms: times.map((timeMs, i) => [timeMs, nativeOf(i)] as const),
    },
  ];
}

/** Three buckets that grow, of what is around 1. */
function nativeOf(i: number): StoredHistogram {
  const counts = Float64Array.of(i, 2 * i, 3 * i);
  return {
    isFloat: false,
    hint: 'unknown',
    schema: 0,
    zeroThreshold: 1e-6,
    zeroCount: i,
    count: 7 * i,
    sumBits: bitsOf(8.5 * i),
    positiveSpans: [{ offset: 0, length: 3 }],
    negativeSpans: NO_SPANS,
    positive: counts,
    negative: NO_COUNTS,
    bounds: [],
  };
}

function sorted(labels: Record<string, string>): string[] {
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flat();
}

const SELECTORS = [
  'requests_total',
  '{job="api"}',
  '{job=~"a.*|db"}',
  '{job!="api",instance!=""}',
  'latency_bucket{le="+Inf"}',
  '{"with space"}',
  '{"label.utf8"="ž"}',
  'nothing_of_that_name',
  '{__name__=~"requests.*",instance="a:9090"}',
  'native',
];

const QUERIES = [
  'requests_total',
  'sum by (job) (rate(requests_total[5m]))',
  'temperature > 0',
  'topk(2, temperature)',
  'sort_desc(temperature)',
  'histogram_quantile(0.9, rate(latency_bucket[5m]))',
  'histogram_quantile(1, native)',
  'native',
  'rate(native[5m])',
  'special',
  '-special',
  'ended',
  'absent(nothing)',
  '{"with space"}',
  'count_values("v", temperature)',
  'requests_total offset 5m',
  'max_over_time(temperature[10m:1m])',
  'scalar(temperature)',
  '1 + 1',
  '"text"',
  'time()',
  'label_replace(requests_total, "x", "$1", "job", "(.).*")',
  'requests_total * on (job) group_left temperature',
  'rate(temperature[5m])',
  'sum(native)',
  'native + requests_total',
];

/** About `endMs`, in whole seconds, the time of the newest samples. */
export function apiCalls(endMs: number): ApiCallCase[] {
  const end = endMs / 1000;
  const times = ['', `&start=${end - 600}`, `&end=${end - 1200}`, `&start=${end - 900}&end=${end - 300}`];
  const both = (path: string, query: string): ApiCallCase[] => [
    { method: 'GET', path, query },
    { method: 'POST', path, query },
  ];
  const get = (path: string, query = ''): ApiCallCase => ({ method: 'GET', path, query });
  const as = (name: string, text: string) => `${name}=${encodeURIComponent(text)}`;
  return [
    ...QUERIES.flatMap((text) => [
      ...both('query', `${as('query', text)}&time=${end}`),
      ...both('query_range', `${as('query', text)}&start=${end - 900}&end=${end}&step=60`),
    ]),
    get('query', `${as('query', 'requests_total[3m]')}&time=${end}`),
    get('query', `${as('query', 'native[3m]')}&time=${end}`),
    get('query', `${as('query', 'temperature[10m:3m]')}&time=${end}`),
    get('query', `${as('query', 'requests_total')}&time=${end}&limit=2`),
    get('query', `${as('query', 'requests_total[3m]')}&time=${end}&limit=2`),
    get('query_range', `${as('query', 'requests_total')}&start=${end - 60}&end=${end}&step=30&limit=1`),
    get('query', `${as('query', 'requests_total')}&time=${end + 400}`),
    get('query', `${as('query', 'requests_total')}&time=${end + 400}&lookback_delta=10m`),
    get('query', `${as('query', 'ended')}&time=${end - 1200}`),
    ...SELECTORS.flatMap((text) => [
      ...both('series', `${as('match[]', text)}`),
      ...times.slice(1).map((range) => get('series', `${as('match[]', text)}${range}`)),
      get('labels', as('match[]', text)),
      get('label/__name__/values', as('match[]', text)),
      get('label/job/values', as('match[]', text)),
    ]),
    get('series', `${as('match[]', 'requests_total')}&limit=2`),
    get('series', `${as('match[]', 'requests_total')}&${as('match[]', '{job="api"}')}`),
    ...times.map((range) => get('labels', range.slice(1))),
    ...times.map((range) => get('label/job/values', range.slice(1))),
    get('labels', 'limit=2'),
    get('label/__name__/values', 'limit=3'),
    get('label/instance/values'),
    get('label/le/values'),
    get('label/nothing/values'),
    get('label/U__label_2e_utf8/values'),
    get('label/label.utf8/values'),
    ...QUERIES.flatMap((text) => [get('format_query', as('query', text)), get('parse_query', as('query', text))]),
    get('query_exemplars', `${as('query', 'requests_total')}&start=${end - 900}&end=${end}`),
    get('metadata'),
    get('metadata', 'limit=1'),
    get('metadata', 'metric=requests_total'),
    get('targets/metadata'),
    get('targets', 'state=active'),
    get('targets', 'state=dropped'),
    get('targets', 'state=any'),
    get('targets', 'state=other'),
    get('targets', 'scrapePool=down'),
    get('targets', 'scrapePool=none'),
    get('scrape_pools'),
    get('alertmanagers'),
    get('rules'),
    ...['type=alert', 'type=record', 'type=x', 'rule_name[]=Always', 'rule_name[]=a&rule_name[]=Always'].map((filter) =>
      get('rules', filter),
    ),
    ...['rule_group[]=one', 'rule_group[]=none', 'file[]=none', 'exclude_alerts=true', 'exclude_alerts=x'].map(
      (filter) => get('rules', filter),
    ),
    ...['match[]={severity="page"}', 'match[]={severity="none"}', 'match[]={', 'group_limit=1', 'group_limit=x'].map(
      (filter) => get('rules', filter),
    ),
    get('rules', 'group_next_token=x'),
    get('alerts'),
    get('notifications'),
    get('status/runtimeinfo'),
    get('status/buildinfo'),
    get('status/walreplay'),
    get('notifications'),
    get('status/tsdb'),
    get('status/tsdb', 'limit=2'),
  ];
}
