// What Narthex has to reach, by path and measure; docs/performance.md says where the figures are from. Ratios against
// the peers of the same run are printed beside them: those hold on any machine, these do on the one they were set on.

export interface Budget {
  readonly path: string;
  readonly measure: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The limit is for the ratio to this server, not for the number. */
  readonly against?: string;
}

export const BUDGETS: readonly Budget[] = [
  { path: 'scrape', measure: 'cpu', atMost: 0.4 },
  { path: 'scrape-gzip', measure: 'cpu', atMost: 0.6 },
  { path: 'scrape-openmetrics', measure: 'cpu', atMost: 0.4 },
  { path: 'scrape-openmetrics-gzip', measure: 'cpu', atMost: 0.6 },
  { path: 'scrape-protobuf', measure: 'cpu', atMost: 0.4 },
  { path: 'scrape-protobuf-gzip', measure: 'cpu', atMost: 0.6 },
  { path: 'write', measure: 'rate', atLeast: 1.2e6 },
  { path: 'write', measure: 'cpu', atMost: 0.6 },
  { path: 'memory', measure: 'rss', atMost: 600 },
  { path: 'memory-churn', measure: 'rss', atMost: 800 },
  { path: 'restart', measure: 'ready', atMost: 5 },
  { path: 'restart', measure: 'first', atMost: 1 },
  { path: 'restart', measure: 'rate', atMost: 1 },
  { path: 'restart', measure: 'growth', atMost: 0 },
  { path: 'federate', measure: 'total', atMost: 1 },
  { path: 'federate', measure: 'first', atMost: 0.3 },
  { path: 'queries', measure: 'mean', atMost: 0.2, against: 'prometheus' },
  { path: 'queries', measure: 'slower', atMost: 0 },
  { path: 'queries-wide', measure: 'mean', atMost: 0.2, against: 'prometheus' },
  { path: 'queries-wide', measure: 'slower', atMost: 0 },
  { path: 'queries', measure: 'rate-by-job', atMost: 25 },
  { path: 'queries', measure: 'quantile-by-job', atMost: 50 },
  { path: 'queries', measure: 'count-by-name', atMost: 15 },
  { path: 'queries', measure: 'disk', atMost: 2.82 },
  { path: 'query-of-death', measure: 'missed', atMost: 0 },
  { path: 'query-of-death', measure: 'probe', atMost: 500 },
  { path: 'query-of-death', measure: 'peak', atMost: 1.5 * 2 ** 30 },
  { path: 'head-cut', measure: 'missed', atMost: 0 },
  { path: 'head-cut', measure: 'slowdown', atMost: 2 },
  { path: 'head-cut', measure: 'growth', atMost: 1.3 },
  { path: 'idle', measure: 'rss', atMost: 120e6 },
];

export function budgetOf(path: string, measure: string): Budget | undefined {
  return BUDGETS.find((budget) => budget.path === path && budget.measure === measure);
}

export function isMet({ atMost, atLeast }: Budget, value: number): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}
