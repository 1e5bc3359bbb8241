// Rule groups over a fleet of targets: each group is about one instance, half of its rules record and half alert.

/** Of the fleet's targets, which the scrape config of the bench gives the job `bench`. */
const RECORDED: readonly (readonly [name: string, expr: string])[] = [
  ['requests', 'sum by (instance, code) (rate(http_requests_total{OF}[1m]))'],
  ['requests_of_paths', 'sum by (instance, path) (rate(http_requests_total{OF}[1m]))'],
  [
    'latency_p99',
    'histogram_quantile(0.99, sum by (instance, le) (rate(http_request_duration_seconds_bucket{OF}[1m])))',
  ],
  ['queue', 'avg by (instance, class) (queue_depth{OF})'],
  ['cache', 'sum by (instance, event) (rate(cache_events_total{OF}[1m]))'],
  ['errors', 'instance:requests{OF, code="500"} / ignoring (code) sum without (code) (instance:requests{OF})'],
  ['sent', 'sum by (instance, peer) (rate(rpc_sent_bytes_total{OF}[1m]))'],
  ['queries', 'max by (instance, operation) (rate(db_queries_total{OF}[1m]))'],
  ['busy', 'sum by (instance) (rate(worker_busy_seconds_total{OF}[1m]))'],
  ['up', 'avg_over_time(up{OF}[1m])'],
];

const ALERTS: readonly (readonly [name: string, expr: string, hold: string])[] = [
  ['Down', 'up{OF} == 0', '1m'],
  ['Absent', 'absent(up{OF})', '1m'],
  ['QueueFull', 'queue_depth{OF} > 95', '30s'],
  ['Memory', 'process_resident_memory_bytes{OF} > 1e15', '5m'],
  ['Slow', 'instance:latency_p99{OF} > 1000', '5m'],
  ['Errors', 'instance:errors{OF} > 0.9', '5m'],
  ['NoRequests', 'sum by (instance) (instance:requests{OF}) == 0', '5m'],
  ['ManyFiles', 'process_open_fds{OF} / process_max_fds{OF} > 1e6', '5m'],
  ['Pool', 'db_pool_connections{OF, state="waiting"} > 1e6', '1m'],
  ['Predicted', 'predict_linear(go_memstats_heap_alloc_bytes{OF}[1m], 3600) > 1e15', '5m'],
];

export const RULES_OF_GROUP = RECORDED.length + ALERTS.length;

/** A rule file with one group for each instance. */
export function ruleFile(instances: readonly string[], intervalSeconds: number): string {
  const groups = instances.map((instance, i) => {
    const exprOf = (expr: string) => JSON.stringify(expr.replaceAll('OF', `instance="${instance}"`));
    const recorded = RECORDED.map(([name, expr]) => `  - {record: "instance:${name}", expr: ${exprOf(expr)}}\n`);
    const alerts = ALERTS.map(([name, expr, hold]) => {
      const summary = JSON.stringify('{{ $labels.instance }} has {{ $value | humanize }}');
      const labels = 'labels: {severity: page}';
      return `  - {alert: ${name}, expr: ${exprOf(expr)}, for: ${hold}, ${labels}, annotations: {summary: ${summary}}}\n`;
    });
    return `- name: group ${i}\n  interval: ${intervalSeconds}s\n  rules:\n${recorded.join('')}${alerts.join('')}`;
  });
  return `groups:\n${groups.join('')}`;
}
