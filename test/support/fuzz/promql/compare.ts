// Whether two replies are the same: statuses, result types, label sets, times, values,
// errors, annotations with their positions. The order of series counts only where the
// query asks for one.

import type { DataJson, HistogramJson, Point, Reply, SeriesJson } from './question.js';

export interface Rules {
  /** How far values may be apart, relative to the larger one; 0 asks for the same bits. */
  readonly tolerance: number;
  /** The query asks for the order of its elements. */
  readonly ordered: boolean;
  /** Texts of annotations as they are compared; on both sides. */
  readonly annotation: (text: string) => string;
  readonly error: (text: string) => string;
  /** Whether it is a remark of ours of a kind of which Prometheus makes only one of several. */
  readonly isOneOfMany: (text: string, theirs: Reply) => boolean;
  /** Annotations that only newer versions make. */
  readonly isNewRemark: (text: string) => boolean;
}

export type Cell = string | HistogramJson;
/** Cells by time, of series by labels. */
export type Cells = Map<string, Map<string, Cell>>;

/** What differs, in words; undefined where nothing does. */
export function compareReplies(theirs: Reply, ours: Reply, rules: Rules): string | undefined {
  if (theirs.body.status === 'error' || ours.body.status === 'error') return compareErrors(theirs, ours, rules);
  return (
    compareData(theirs.body.data!, ours.body.data!, rules) ??
    compareAnnotations('warnings', theirs, ours, rules) ??
    compareAnnotations('infos', theirs, ours, rules)
  );
}

function compareErrors(theirs: Reply, ours: Reply, rules: Rules): string | undefined {
  const [a, b] = [theirs, ours].map(({ status, body }) =>
    body.status === 'success' ? 'an answer' : `${status} ${body.errorType}: ${rules.error(body.error!)}`,
  );
  return a === b ? undefined : `error: theirs ${a}\n       ours   ${b}`;
}

function compareData(theirs: DataJson, ours: DataJson, rules: Rules): string | undefined {
  if (theirs.resultType !== ours.resultType) return `type: theirs ${theirs.resultType}, ours ${ours.resultType}`;
  const [a, b] = [cellsOf(theirs), cellsOf(ours)];
  const found = compareCells(a, b, rules.tolerance);
  return found ?? (rules.ordered ? compareOrder(theirs, ours, rules.tolerance) : undefined);
}

export function compareCells(theirs: Cells, ours: Cells, tolerance: number): string | undefined {
  for (const [key, points] of theirs) {
    const own = ours.get(key);
    if (own === undefined) return `series: only theirs has ${key}`;
    for (const [time, cell] of points) {
      const found = own.get(time);
      if (found === undefined || !sameCell(cell, found, tolerance)) {
        return `value: of ${key} at ${time}: theirs ${cellText(cell)}, ours ${found === undefined ? 'none' : cellText(found)}`;
      }
    }
    const more = [...own.keys()].find((time) => !points.has(time));
    if (more !== undefined) return `value: of ${key} at ${more}: theirs none, ours ${cellText(own.get(more)!)}`;
  }
  const more = [...ours.keys()].find((key) => !theirs.has(key));
  return more === undefined ? undefined : `series: only ours has ${more}`;
}

/** Whether at each time there are the same values, whatever their series: so far topk is determined where values tie. */
export function sameValues(theirs: DataJson, ours: DataJson, tolerance: number): boolean {
  const [a, b] = [theirs, ours].map((data) => {
    const byTime = new Map<string, string[]>();
    for (const points of cellsOf(data).values()) {
      for (const [time, cell] of points) byTime.set(time, [...(byTime.get(time) ?? []), cellText(cell)]);
    }
    for (const texts of byTime.values()) texts.sort((x, y) => numberOf(x) - numberOf(y) || (x < y ? -1 : 1));
    return byTime;
  });
  if (a!.size !== b!.size) return false;
  return [...a!].every(([time, texts]) => {
    const others = b!.get(time) ?? [];
    return texts.length === others.length && texts.every((text, i) => sameNumber(text, others[i]!, tolerance));
  });
}

export function cellsOf(data: DataJson): Cells {
  if (data.resultType === 'scalar' || data.resultType === 'string') return new Map([['', cellsAt([data.result])]]);
  const all = data.result as readonly SeriesJson[];
  return new Map(all.map((series) => [keyOf(series), cellsAt(pointsOf(series))]));
}

function cellsAt(points: readonly Point<Cell>[]): Map<string, Cell> {
  return new Map(points.map(([seconds, cell]) => [String(seconds), cell]));
}

function pointsOf(series: SeriesJson): Point<Cell>[] {
  const { value, values, histogram, histograms } = series;
  return [value ?? [], histogram ?? [], values ?? [], histograms ?? []].flatMap((part, i) =>
    part.length === 0 ? [] : i < 2 ? [part as unknown as Point<Cell>] : (part as Point<Cell>[]),
  );
}

function keyOf({ metric }: SeriesJson): string {
  const key = JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
  // What count_values writes of such buckets: see countedBuckets.
  return key.replaceAll(/, [[(][^\s,]+,[^\s,]+[\])]:NaN/g, '');
}

export function sameCell(a: Cell, b: Cell, tolerance: number): boolean {
  if (typeof a === 'string' || typeof b === 'string') {
    return typeof a === 'string' && typeof b === 'string' && sameNumber(a, b, tolerance);
  }
  const [x, y] = [countedBuckets(a), countedBuckets(b)];
  return (
    sameNumber(a.count, b.count, tolerance) &&
    sameNumber(a.sum, b.sum, tolerance) &&
    x.length === y.length &&
    x.every((bucket, i) =>
      bucket.every((part, j) => (j === 0 ? part === y[i]![0] : sameNumber(String(part), String(y[i]![j]), tolerance))),
    )
  );
}

/** Without buckets that are empty but times NaN: storage keeps some of them, by the layout of its chunks. */
function countedBuckets({ buckets = [] }: HistogramJson): NonNullable<HistogramJson['buckets']> {
  return buckets.filter(([, , , count]) => count !== 'NaN');
}

function sameNumber(a: string, b: string, tolerance: number): boolean {
  if (a === b) return true;
  if (tolerance === 0) return false;
  const [x, y] = [numberOf(a), numberOf(b)];
  // What is infinite is close to nothing.
  return x === y || Math.abs(x - y) <= tolerance * Math.min(Math.max(Math.abs(x), Math.abs(y)), Number.MAX_VALUE);
}

export function numberOf(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

/** Elements in the same places, or at least equal values there. */
function compareOrder(theirs: DataJson, ours: DataJson, tolerance: number): string | undefined {
  if (theirs.resultType !== 'vector' || ours.resultType !== 'vector') return undefined;
  const own = ours.result as readonly SeriesJson[];
  for (const [i, series] of (theirs.result as readonly SeriesJson[]).entries()) {
    const [a, b] = [pointsOf(series)[0]![1], pointsOf(own[i]!)[0]![1]];
    if (keyOf(series) !== keyOf(own[i]!) && !sameCell(a, b, tolerance)) {
      return `order: at place ${i} theirs ${keyOf(series)} ${cellText(a)}, ours ${keyOf(own[i]!)} ${cellText(b)}`;
    }
  }
  return undefined;
}

export function remarksOf({ body }: Reply, field: 'warnings' | 'infos', rules: Rules): string[] {
  return (body[field] ?? []).filter((text) => !rules.isNewRemark(text)).map(rules.annotation);
}

const OMITTED = / more (warning|info) annotations omitted$/;

function compareAnnotations(field: 'warnings' | 'infos', theirs: Reply, ours: Reply, rules: Rules): string | undefined {
  const [a, b] = [theirs, ours].map((reply) => new Set(remarksOf(reply, field, rules)));
  // Long lists are cut, and which ones stay is by chance.
  if ([...a!].some((text) => OMITTED.test(text))) return undefined;
  // Ours may be longer by a remark that is new.
  const isCut = [...b!].some((text) => OMITTED.test(text));
  const missing = isCut ? [] : [...a!].filter((text) => !b!.has(text));
  const more = [...b!].filter((text) => !a!.has(text) && !OMITTED.test(text) && !rules.isOneOfMany(text, theirs));
  if (missing.length + more.length === 0) return undefined;
  return `${field}: only theirs ${JSON.stringify(missing)}\n  only ours ${JSON.stringify(more)}`;
}
