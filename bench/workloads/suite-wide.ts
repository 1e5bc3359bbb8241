// The suite over 200,000 series of two hours: what costs by the number of series.

import { expressions, HOUR, listings, type Suite, TWO_HOURS } from './suite-query.js';

/** As a dashboard's variable with many values chosen writes them. */
const FIFTY_INSTANCES = Array.from({ length: 50 }, (_, i) =>
  ['10', '20', i % 4, `${(i * 37) % 230}:8080`].join(String.raw`\\.`),
).join('|');

const INSTANT = expressions([
  ['wide-count', 'count({__name__!=""})'],
  ['wide-count-by-name', 'count by (__name__) ({__name__!=""})'],
  ['wide-largest', 'topk(10, count by (__name__, job) ({__name__=~".+"}))'],
  ['wide-distinct', 'count(count by (pod) (http_requests_total))'],
  ['wide-sum', 'sum by (job) (http_requests_total)'],
  ['wide-rate', 'sum(rate(http_requests_total[5m]))'],
  ['wide-top-pods', 'topk(10, sum by (pod) (rate(http_requests_total[5m])))'],
  ['wide-top-series', 'topk(10, rate(http_requests_total[5m]))'],
  ['wide-one-instance', '{instance="10.20.1.44:8080"}'],
  ['wide-names-by-regex', 'count by (job) ({__name__=~"http_.*|go_.*"})'],
  ['wide-not', 'count({__name__=~".+",__name__!~"http_.*",job!="api"})'],
  ['wide-pods-by-regex', 'sum(rate(http_requests_total{pod=~"(api|web)-.*",code=~"5.."}[5m]))'],
  ['wide-instances', `sum by (instance) (rate(http_requests_total{instance=~"${FIFTY_INSTANCES}"}[5m]))`],
  ['wide-join', 'sum by (version) (rate(http_requests_total[5m]) * on (instance) group_left (version) app_build_info)'],
]);

const RANGES = expressions([
  ['wide-rate-by-job', 'sum by (job) (rate(http_requests_total[5m]))', TWO_HOURS],
  ['wide-rate-by-pod', 'sum by (namespace, pod) (rate(http_requests_total{code="200"}[5m]))', TWO_HOURS],
  ['wide-gauges', 'avg by (job) (go_memstats_heap_alloc_bytes)', TWO_HOURS],
  ['wide-top-lines', 'topk(5, rate(process_cpu_seconds_total[5m]))', HOUR],
  [
    'wide-quantile',
    'histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))',
    TWO_HOURS,
  ],
]);

const LISTINGS = listings(2 * 3600, [
  ['wide-labels', '/api/v1/labels'],
  ['wide-values-pod', '/api/v1/label/pod/values'],
  ['wide-values-of', '/api/v1/label/instance/values', 'http_requests_total{namespace="prod"}'],
  ['wide-series-of', '/api/v1/series', 'http_requests_total{job="api",code="200"}'],
]);

export const SUITE_WIDE: Suite = { path: 'queries-wide', queries: [...INSTANT, ...RANGES, ...LISTINGS] };
