// The query suite: what dashboards, alerts and people ask. Ids stay, because results over time are compared by them.

const HOUR_S = 3600;

export interface SuiteQuery {
  readonly id: string;
  readonly expression: string;
  /** Of a range query that ends at the end of the data; an instant query has none. */
  readonly range: { readonly spanSeconds: number; readonly stepSeconds: number } | undefined;
}

const SIX_HOURS = { spanSeconds: 6 * HOUR_S, stepSeconds: 60 };
const SIX_HOURS_COARSE = { spanSeconds: 6 * HOUR_S, stepSeconds: 300 };
const HOUR = { spanSeconds: HOUR_S, stepSeconds: 15 };

const QUERIES: readonly (readonly [id: string, expression: string, range?: SuiteQuery['range']])[] = [
  ['count-by-name', 'count by (__name__) ({__name__!=""})'],
  ['one-metric', 'process_start_time_seconds'],
  ['one-code', 'http_requests_total{job="api",code="500"}'],
  ['sum-all', 'sum(http_requests_total)'],
  ['by-regex', 'count(http_requests_total{instance=~"10[.]20[.]0[.]1.*"})'],
  ['not-get', 'http_requests_total{pod=~".*a.*",method!="GET",code="200"}'],
  ['top', 'topk(5, sum by (instance) (rate(http_requests_total[5m])))'],
  ['increase-instant', 'increase(http_requests_total{job="web"}[1h])'],
  ['changes', 'changes(process_start_time_seconds[1h])'],
  ['threshold', 'process_resident_memory_bytes / 1024 / 1024 > 1'],
  [
    'alert-ratio',
    'sum by (job) (rate(http_requests_total{code="500"}[5m])) / sum by (job) (rate(http_requests_total[5m])) > 0.01',
  ],
  ['rate-by-job', 'sum by (job) (rate(http_requests_total[5m]))', SIX_HOURS],
  [
    'quantile-by-job',
    'histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))',
    SIX_HOURS,
  ],
  ['rate-total', 'sum(rate(http_requests_total[5m]))', SIX_HOURS],
  ['rate-errors', 'sum by (code) (rate(http_requests_total{code=~"5.."}[5m]))', SIX_HOURS],
  [
    'error-ratio',
    'sum by (job) (rate(http_requests_total{code="500"}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
    SIX_HOURS,
  ],
  [
    'mean-duration',
    'sum by (job) (rate(http_request_duration_seconds_sum[5m])) / sum by (job) (rate(http_request_duration_seconds_count[5m]))',
    SIX_HOURS,
  ],
  ['gauge-lines', 'go_goroutines', SIX_HOURS],
  ['gauge-avg', 'avg by (job) (process_resident_memory_bytes)', SIX_HOURS],
  ['gauge-max', 'max by (namespace) (go_memstats_heap_alloc_bytes)', SIX_HOURS],
  ['avg-over-time', 'avg_over_time(process_open_fds[30m])', SIX_HOURS],
  ['min-over-time', 'min_over_time(go_goroutines[1h])', SIX_HOURS_COARSE],
  ['max-over-time', 'max by (job) (max_over_time(go_goroutines[1h]))', SIX_HOURS_COARSE],
  ['increase-by-path', 'sum by (path) (increase(http_requests_total[1h]))', SIX_HOURS_COARSE],
  ['rate-lines', 'rate(process_cpu_seconds_total[5m])', HOUR],
  ['irate', 'sum by (job) (irate(http_requests_total[5m]))', HOUR],
  ['rate-offset', 'sum by (job) (rate(http_requests_total[5m] offset 1h))', HOUR],
  [
    'quantile-one-job',
    'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job="api"}[5m])))',
    HOUR,
  ],
  ['stddev-over-time', 'stddev_over_time(go_goroutines[15m])', HOUR],
];

export const SUITE: readonly SuiteQuery[] = QUERIES.map(([id, expression, range]) => ({ id, expression, range }));

/** The path and parameters of a query over data that ends at `endMs`. */
export function queryPath({ expression, range }: SuiteQuery, endMs: number): string {
  const end = endMs / 1000;
  if (!range) return `/api/v1/query?${new URLSearchParams({ query: expression, time: String(end) })}`;
  const params = new URLSearchParams({
    query: expression,
    start: String(end - range.spanSeconds),
    end: String(end),
    step: String(range.stepSeconds),
  });
  return `/api/v1/query_range?${params}`;
}
