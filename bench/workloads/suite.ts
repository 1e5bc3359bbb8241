// The suite over 20,000 series of six hours: what dashboards, alerts and people ask, in the forms of the dashboards and
// rules that are shared for Prometheus, exporters and Kubernetes.

import {
  expressions,
  HOUR,
  listings,
  SIX_HOURS,
  SIX_HOURS_COARSE,
  type Suite,
  type SuiteQuery,
} from './suite-query.js';

const INSTANT = expressions([
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
  [
    'alert-burn',
    '(1 - sum(rate(http_request_duration_seconds_bucket{le="0.5"}[5m])) / sum(rate(http_request_duration_seconds_count[5m])) > 0.01)' +
      ' and (1 - sum(rate(http_request_duration_seconds_bucket{le="0.5"}[1h])) / sum(rate(http_request_duration_seconds_count[1h])) > 0.01)',
  ],
  [
    'alert-predict',
    'process_open_fds / process_max_fds > 0.1 and on (instance) predict_linear(process_open_fds[1h], 4 * 3600) > 0',
  ],
  ['alert-absent', 'absent(process_start_time_seconds{job="gone"})'],
  [
    'unless',
    'sum by (instance) (rate(http_requests_total[5m])) unless on (instance) process_resident_memory_bytes > 5e6',
  ],
  ['bottom', 'bottomk(3, go_memstats_heap_alloc_bytes)'],
  ['count-values', 'count_values by (job) ("limit", app_workers_max)'],
  ['names-by-regex', 'count by (__name__) ({__name__=~"go_.*|process_.*"})'],
  ['names-by-suffix', 'count({__name__=~".*_(bytes|seconds)",instance!~".*7:8080"})'],
  ['uptime', 'time() - process_start_time_seconds'],
  ['resets', 'sum by (job) (resets(http_requests_total[1h]))'],
  ['quantile-over-time', 'quantile_over_time(0.95, go_goroutines[1h])'],
  ['subquery-max', 'max_over_time(sum by (job) (rate(http_requests_total[5m]))[1h:1m])'],
  [
    'quantile-by-path',
    'histogram_quantile(0.9, sum by (path, le) (rate(http_request_duration_seconds_bucket{job=~"api|web"}[5m])))',
  ],
]);

const RANGES = expressions([
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
  [
    'share-by-code',
    'sum by (job, code) (rate(http_requests_total[5m])) / ignoring (code) group_left sum by (job) (rate(http_requests_total[5m]))',
    SIX_HOURS,
  ],
  [
    'apdex',
    '(sum by (job) (rate(http_request_duration_seconds_bucket{le="0.25"}[5m])) + sum by (job) (rate(http_request_duration_seconds_bucket{le="1.0"}[5m])))' +
      ' / 2 / sum by (job) (rate(http_request_duration_seconds_count[5m]))',
    SIX_HOURS,
  ],
  ['gauge-lines', 'go_goroutines', SIX_HOURS],
  ['gauge-avg', 'avg by (job) (process_resident_memory_bytes)', SIX_HOURS],
  ['gauge-max', 'max by (namespace) (go_memstats_heap_alloc_bytes)', SIX_HOURS],
  ['gauge-ratio', '100 * process_open_fds / process_max_fds', SIX_HOURS],
  ['gauge-stddev', 'stddev by (job) (go_goroutines)', SIX_HOURS],
  ['gauge-quantile', 'quantile by (job) (0.9, rate(process_cpu_seconds_total[5m]))', SIX_HOURS],
  ['avg-over-time', 'avg_over_time(process_open_fds[30m])', SIX_HOURS],
  ['min-over-time', 'min_over_time(go_goroutines[1h])', SIX_HOURS_COARSE],
  ['max-over-time', 'max by (job) (max_over_time(go_goroutines[1h]))', SIX_HOURS_COARSE],
  ['increase-by-path', 'sum by (path) (increase(http_requests_total[1h]))', SIX_HOURS_COARSE],
  ['subquery-lines', 'max_over_time(rate(process_cpu_seconds_total[5m])[1h:1m])', SIX_HOURS_COARSE],
  [
    'label-replace',
    'sum by (host) (label_replace(rate(http_requests_total{code="200"}[5m]), "host", "$1", "instance", "(.*):.*"))',
    SIX_HOURS_COARSE,
  ],
  ['rate-lines', 'rate(process_cpu_seconds_total[5m])', HOUR],
  ['irate', 'sum by (job) (irate(http_requests_total[5m]))', HOUR],
  ['rate-offset', 'sum by (job) (rate(http_requests_total[5m] offset 1h))', HOUR],
  [
    'then-and-now',
    'sum by (job) (rate(http_requests_total[5m])) / sum by (job) (rate(http_requests_total[5m] offset 4h))',
    HOUR,
  ],
  [
    'quantile-one-job',
    'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job="api"}[5m])))',
    HOUR,
  ],
  ['quantile-lines', 'histogram_quantile(0.95, rate(http_request_duration_seconds_bucket{job="mail"}[5m]))', HOUR],
  [
    'join-info',
    'sum by (version) (rate(http_requests_total[5m]) * on (instance) group_left (version) app_build_info)',
    HOUR,
  ],
  ['top-lines', 'topk(5, sum by (instance) (rate(http_requests_total[5m])))', HOUR],
  [
    'or-zero',
    'sum by (job) (rate(http_requests_total{code="500",method="DELETE"}[5m])) or sum by (job) (rate(http_requests_total[5m])) * 0',
    HOUR,
  ],
  [
    'alternation',
    'sum by (code) (rate(http_requests_total{job=~"api|web|mail",path=~"/api/v1/(users|orders)",pod!~".*-0.*"}[5m]))',
    HOUR,
  ],
  ['deriv', 'deriv(go_memstats_heap_alloc_bytes[30m])', HOUR],
  ['stddev-over-time', 'stddev_over_time(go_goroutines[15m])', HOUR],
]);

const LISTINGS: readonly SuiteQuery[] = listings(6 * 3600, [
  ['labels', '/api/v1/labels'],
  ['labels-of', '/api/v1/labels', 'http_requests_total{job="api"}'],
  ['values-name', '/api/v1/label/__name__/values'],
  ['values-of', '/api/v1/label/pod/values', 'go_goroutines{namespace="prod"}'],
  ['series-of', '/api/v1/series', 'http_requests_total{job="api"}'],
]);

export const SUITE: Suite = { path: 'queries', queries: [...INSTANT, ...RANGES, ...LISTINGS] };

/** The same questions about the past. */
export const SUITE_BLOCKS: Suite = { ...SUITE, path: 'queries-blocks', inBlocks: true };
