// A fragment's answer from newest samples that main has read: as columns, or as the text of an instant query's rows.

import { labelsJson, timestampJson, valueJson } from '../model/json.js';
import type { Labels } from '../model/labels.js';
import { runCells } from '../promql/cells.js';
import { emptyColumns } from '../promql/exec/columns.js';
import { finishPartial, foldColumns, mergePartials, type PartialAggregate } from '../promql/exec/partial.js';
import type { Columns, Fragment, FragmentAggregate, RenderedRows } from '../promql/exec/source.js';
import type { KnownRows, KnownSeries } from './known-series.js';

/** More series than this are folded into groups by the shards, where that is cheaper. */
const FOLDED_MAX = 500;

/**
 * Newest samples for a fragment, its cell program run; undefined where the shards have to say. What is asked `inOneBreath`, as rules
 * of a group do, counts as asked once.
 */
export function readKnown(
  known: KnownSeries,
  fragment: Fragment,
  watermark: number,
  inOneBreath = false,
): KnownRows | undefined {
  const { fn, steps, windowMs, aggregate, quantile, cells, matchers } = fragment;
  if (steps.count !== 1 || quantile !== undefined || (fn !== 'last' && fn !== 'timestamp')) return undefined;
  const most = aggregate === undefined ? Infinity : FOLDED_MAX;
  const breath = inOneBreath ? steps.startMs : undefined;
  const rows = known.read(matchers, { watermark, endMs: steps.startMs, windowMs, fn }, most, breath);
  if (rows !== undefined && cells !== undefined) runCells(cells, rows, 0, rows.selection.size);
  return rows;
}

/** Rows that have a value, or the groups that they make. */
export function knownColumns(rows: KnownRows, { dropName, aggregate }: Fragment): Columns {
  if (aggregate !== undefined) return foldedRows(rows, dropName, aggregate);
  return presentRows(rows, dropName, 0, rows.selection.size);
}

/** The same as JSON, at the query's own time. */
export function knownText(rows: KnownRows, { dropName, aggregate }: Fragment, timeMs: number): RenderedRows {
  if (aggregate === undefined) return textOf(rows.selection.texts(dropName), rows, timeMs);
  const groups = foldedRows(rows, dropName, aggregate);
  return textOf(groups.labels.map(labelsJson), groups, timeMs);
}

/** Those of some rows that have a value. Takes their values. */
function presentRows({ selection, values, present }: KnownRows, dropName: boolean, from: number, to: number): Columns {
  const all = selection.labels(dropName);
  const labels: Labels[] = [];
  for (let row = from; row < to; row++) {
    if (present[row] === 0) continue;
    // To its place among those that are left.
    values[from + labels.length] = values[row]!;
    labels.push(all[row]!);
  }
  const count = labels.length;
  return { labels, steps: 1, values: values.subarray(from, from + count), present: new Uint8Array(count).fill(1) };
}

/** Folded by shards and merged, as their own shares are: the result is the same to the bit. */
function foldedRows(rows: KnownRows, dropName: boolean, aggregate: FragmentAggregate): Columns {
  const partials: PartialAggregate[] = [];
  let from = 0;
  for (const { addresses } of rows.selection.shares) {
    const columns = presentRows(rows, dropName, from, from + addresses.length);
    if (columns.labels.length > 0) partials.push(foldColumns(columns, aggregate));
    from += addresses.length;
  }
  return partials.length === 0 ? emptyColumns(1) : finishPartial(mergePartials(partials));
}

function textOf(
  labels: readonly string[],
  { values, present }: Pick<Columns, 'values' | 'present'>,
  timeMs: number,
): RenderedRows {
  const time = timestampJson(timeMs);
  const rows: string[] = [];
  for (let row = 0; row < labels.length; row++) {
    if (present[row] !== 0) rows.push(`{"metric":${labels[row]},"value":[${time},${valueJson(values[row]!)}]}`);
  }
  const pieces = (limit: number) => (rows.length === 0 ? [] : [Buffer.from(first(rows, limit).join(','))]);
  return { rowCount: rows.length, pieces };
}

function first(rows: readonly string[], limit: number): readonly string[] {
  return limit === 0 ? rows : rows.slice(0, limit);
}
