// What two servers answered to the same call, as it is compared: without what belongs to one machine, one start or
// one version, and in an order of its own where neither promises one.

/** An answer of the HTTP API; the body as JSON, or as text where it is none. */
export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: unknown;
}

/** Fields of a tree of a query that 3.5 does not have yet, and what they say where nothing of it is used. */
const NEWER: ReadonlyMap<string, string> = new Map([
  ['anchored', 'false'],
  ['smoothed', 'false'],
  ['offsetExpr', 'null'],
  ['rangeExpr', 'null'],
  ['stepExpr', 'null'],
  ['fillValues', '{"lhs":null,"rhs":null}'],
]);

/** Fields whose values are of a moment or a machine: only their types are compared. */
const OF_A_MOMENT: ReadonlySet<string> = new Set([
  ...['startTime', 'CWD', 'serverTime', 'lastConfigTime', 'goroutineCount', 'GOMEMLIMIT', 'GOGC', 'GODEBUG'],
  ...['version', 'revision', 'branch', 'buildUser', 'buildDate', 'goVersion', 'min', 'max', 'current'],
  ...['lastScrape', 'lastScrapeDuration', 'minTime', 'maxTime', 'chunkCount'],
  ...['evaluationTime', 'lastEvaluation', 'activeAt'],
]);

/** Lists without an order of their own, by the field that they are in. */
const UNORDERED: ReadonlySet<string> = new Set(['data', 'result', 'warnings', 'infos', 'seriesCountByMetricName']);

/** `ordered`: the order of results is asked for. */
export function comparable({ status, contentType, body }: ApiAnswer, ordered: boolean): unknown {
  return { status, contentType, body: simplified(body, '', ordered) };
}

function simplified(value: unknown, field: string, ordered: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => simplified(item, '', ordered));
    if (ordered || !UNORDERED.has(field)) return items;
    return items.map((item) => JSON.stringify(item)).sort();
  }
  if (field === 'error' || field === 'lastError') return sides(String(value));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name, of]) => NEWER.get(name) !== JSON.stringify(of));
  return Object.fromEntries(
    kept
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, of]) => [name, OF_A_MOMENT.has(name) ? `some ${typeof of}` : simplified(of, name, ordered)]),
  );
}

/** Of two series that match both, either may be named first. */
function sides(error: string): string {
  return error.replace(/\[(\{[^\]]*\}), (\{[^\]]*\})\]/, (_, a: string, b: string) => `[${[a, b].sort().join(', ')}]`);
}
