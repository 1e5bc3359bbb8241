// Queries of death: the heaviest that a browser may ask of a server that scrapes ScrapeSpec targets.
// None is refused for its text; each asks for all series, for all steps, or for both.

export interface HeavyQuery {
  readonly id: string;
  readonly expression: string;
  /** Of a range query: how far back it goes, and its steps; an instant query has none. */
  readonly range?: { readonly seconds: number; readonly steps: number };
}

const ALL = '{job="bench"}';
const REQUESTS = 'http_request_duration_seconds_bucket{job="bench"}';

/** Steps that the API allows. */
const STEPS_MAX = 11_000;

export const HEAVY_QUERIES: readonly HeavyQuery[] = [
  { id: 'join', expression: `${REQUESTS} / on (instance, le, path) ${REQUESTS}` },
  { id: 'join-range', expression: `${REQUESTS} * ${REQUESTS} + ${REQUESTS}`, range: { seconds: 60, steps: 60 } },
  { id: 'sets', expression: `${ALL} and ${ALL} unless (${ALL} > 1e300)` },
  {
    id: 'subqueries',
    expression: `max_over_time(avg_over_time(rate(${REQUESTS}[10s])[1m:1s])[1m:1s])`,
  },
  { id: 'year', expression: 'sum_over_time(vector(1)[1y:1s])' },
  { id: 'regex', expression: `{job=~"b.*n.*h",__name__=~"(.*)*(total|bucket|bytes)(.*)*",instance=~".*.*.*"}` },
  { id: 'count-values', expression: `count_values("v", ${ALL})`, range: { seconds: 60, steps: 30 } },
  { id: 'label-replace', expression: `label_replace(${ALL}, "copy", "$1-$1-$1-$1", "instance", "(.*)")` },
  { id: 'topk', expression: `topk(10000, ${ALL})`, range: { seconds: 60, steps: 20 } },
  { id: 'quantile', expression: `quantile by (__name__) (0.9, ${ALL})`, range: { seconds: 60, steps: 60 } },
  { id: 'sort', expression: `sort_desc(${ALL})` },
  { id: 'steps', expression: `sum by (instance) (rate(${REQUESTS}[10s]))`, range: { seconds: 60, steps: STEPS_MAX } },
  { id: 'all-steps', expression: ALL, range: { seconds: 60, steps: STEPS_MAX } },
];

/** Small ones, as a dashboard or an alert asks them. */
export const PROBES: readonly string[] = [
  'up{job="bench"}',
  'sum(up)',
  'sum by (code) (rate(http_requests_total{instance="INSTANCE"}[10s]))',
  'go_goroutines{instance="INSTANCE"} / go_threads{instance="INSTANCE"}',
  'vector(1)',
];
