// What the name of a metric says of its kind.

/** Endings of counters' names. */
const COUNTER_ENDINGS = ['_total', '_sum', '_count', '_bucket'];

/** Whether a metric is not named like a counter; a series without a name may be anything. */
export function lacksCounterName(metric: string): boolean {
  return metric !== '' && !COUNTER_ENDINGS.some((ending) => metric.endsWith(ending));
}
