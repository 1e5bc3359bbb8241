// Families of metrics: `http_seconds` of the type histogram has the series `http_seconds_bucket`, `_sum` and `_count`.

/** What is known of a family, once for all of its series. */
export interface MetricMetadata {
  /** The family's name. */
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** What names of series may have behind that of their family, by type. */
const SUFFIXES: ReadonlyMap<string, readonly string[]> = new Map([
  ['counter', ['_total', '_created']],
  ['histogram', ['_bucket', '_sum', '_count', '_created']],
  ['gaugehistogram', ['_bucket', '_gsum', '_gcount']],
  ['summary', ['_sum', '_count', '_created']],
  ['info', ['_info']],
]);

/** In expositions as text a counter is named with its suffix. */
const ALONE = new Set(['counter', 'info']);

/** The names that series of a family may have. */
export function namesOf({ metric, type }: Pick<MetricMetadata, 'metric' | 'type'>): string[] {
  return [metric, ...(SUFFIXES.get(type) ?? []).map((suffix) => metric + suffix)];
}

/** The family of a series of this name, where the type is known. */
export function familyOf(name: string, type: string): string {
  const suffix = ALONE.has(type) ? undefined : SUFFIXES.get(type)?.find((one) => name.endsWith(one));
  return suffix === undefined || suffix.length === name.length ? name : name.slice(0, -suffix.length);
}

/** Names of families that a series of this name may be of, the likeliest first. */
export function candidatesOf(name: string): string[] {
  const at = name.lastIndexOf('_');
  return at > 0 ? [name, name.slice(0, at)] : [name];
}
