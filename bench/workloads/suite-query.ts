// One question of a suite: a path of Prometheus's HTTP API over data that ends at a given time.

const HOUR_S = 3600;

export interface SuiteQuery {
  /** Stays, because results over time are compared by it. */
  readonly id: string;
  /** For people: the expression and over what, or the path. */
  readonly text: string;
  /** Whether it asks for names and labels, not for values. */
  readonly metadata: boolean;
  path(endMs: number): string;
}

/** A suite and the load it is asked over. */
export interface Suite {
  /** Also the name of the benchmark. */
  readonly path: string;
  readonly queries: readonly SuiteQuery[];
  /** The load ends so long before the newest sample that no server has any of it in its head. */
  readonly inBlocks?: boolean;
}

/** Of a range query that ends with the data. */
export interface Range {
  readonly spanSeconds: number;
  readonly stepSeconds: number;
}

export const SIX_HOURS: Range = { spanSeconds: 6 * HOUR_S, stepSeconds: 60 };
export const SIX_HOURS_COARSE: Range = { spanSeconds: 6 * HOUR_S, stepSeconds: 300 };
export const TWO_HOURS: Range = { spanSeconds: 2 * HOUR_S, stepSeconds: 60 };
export const HOUR: Range = { spanSeconds: HOUR_S, stepSeconds: 15 };

/** `range` is none for an instant query. */
export type Asked = readonly [id: string, expression: string, range?: Range];
/** `match` are selectors of series; times are those of the whole load. */
export type Listed = readonly [id: string, path: string, ...match: readonly string[]];

export function expressions(asked: readonly Asked[]): SuiteQuery[] {
  return asked.map(([id, expression, range]) => ({
    id,
    text: range ? `${expression}, ${range.spanSeconds / HOUR_S} h at ${range.stepSeconds} s` : expression,
    metadata: false,
    path: (endMs) => (range ? rangePath(expression, range, endMs / 1000) : instantPath(expression, endMs / 1000)),
  }));
}

export function listings(spanSeconds: number, listed: readonly Listed[]): SuiteQuery[] {
  return listed.map(([id, path, ...match]) => ({
    id,
    text: [path, ...match].join(' of '),
    metadata: true,
    path: (endMs) => {
      const params = new URLSearchParams({ start: String(endMs / 1000 - spanSeconds), end: String(endMs / 1000) });
      for (const selector of match) params.append('match[]', selector);
      return `${path}?${params}`;
    },
  }));
}

function instantPath(query: string, end: number): string {
  return `/api/v1/query?${new URLSearchParams({ query, time: String(end) })}`;
}

function rangePath(query: string, { spanSeconds, stepSeconds }: Range, end: number): string {
  const [start, step] = [String(end - spanSeconds), String(stepSeconds)];
  return `/api/v1/query_range?${new URLSearchParams({ query, start, end: String(end), step })}`;
}
