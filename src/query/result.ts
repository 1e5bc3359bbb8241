// What a query answers: values in columns, as the API writes them out.

import { compareLabels } from '../model/labels.js';
import { pickRows, rowIsEmpty } from '../promql/exec/columns.js';
import type { Columns, RawSeries, Steps } from '../promql/exec/source.js';
import type { Value } from '../promql/exec/value.js';

export type QueryValue =
  | { readonly kind: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly kind: 'string'; readonly timeMs: number; readonly value: string }
  /** One step. Each row has a value; their order is that of the result. */
  | { readonly kind: 'vector'; readonly timeMs: number; readonly columns: Columns }
  /** Rows by labels, each with a value at one step at least. */
  | { readonly kind: 'matrix'; readonly steps: Steps; readonly columns: Columns }
  /** A range vector of an instant query, which the API calls a matrix too: series by labels, with their own times. */
  | { readonly kind: 'series'; readonly series: readonly RawSeries[] };

export interface QueryStats {
  readonly queueMs: number;
  readonly prepareMs: number;
  readonly evalMs: number;
  readonly totalMs: number;
  readonly totalSamples: number;
  readonly peakSamples: number;
}

export interface QueryResult {
  readonly value: QueryValue;
  /** Full texts with positions. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}

export function instantResult(value: Value, timeMs: number): QueryValue {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'scalar', timeMs, value: value.values[0]! };
    case 'string':
      return { kind: 'string', timeMs, value: value.value };
    case 'vector':
      return { kind: 'vector', timeMs, columns: withoutEmptyRows(value.columns) };
    case 'matrix':
      return { kind: 'series', series: [...value.series].sort((a, b) => compareLabels(a.labels, b.labels)) };
  }
}

/** Of a vector or a scalar, which is one row without labels. */
export function rangeResult(value: Value, steps: Steps): QueryValue {
  if (value.kind === 'scalar') {
    const { values } = value;
    const columns = { labels: [[]], steps: steps.count, values, present: new Uint8Array(values.length).fill(1) };
    return { kind: 'matrix', steps, columns };
  }
  if (value.kind !== 'vector') throw new Error(`a range query cannot give a ${value.kind}`);
  return { kind: 'matrix', steps, columns: sortRows(withoutEmptyRows(value.columns)) };
}

function withoutEmptyRows(columns: Columns): Columns {
  const rows = [...columns.labels.keys()].filter((row) => !rowIsEmpty(columns, row));
  return rows.length === columns.labels.length ? columns : pickRows(columns, rows);
}

function sortRows(columns: Columns): Columns {
  const { labels } = columns;
  const rows = [...labels.keys()].sort((a, b) => compareLabels(labels[a]!, labels[b]!));
  return rows.every((row, i) => row === i) ? columns : pickRows(columns, rows);
}
