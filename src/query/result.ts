// What a query answers: values in columns, as the API writes them out.

import { compareLabels } from '../model/labels.js';
import { pickRows, rowIsEmpty } from '../promql/exec/columns.js';
import type { Columns, RawSeries, RenderedRows, Steps } from '../promql/exec/source.js';
import type { Value } from '../promql/exec/value.js';

export type QueryData =
  | { readonly kind: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly kind: 'string'; readonly timeMs: number; readonly text: string }
  /** One step. Each row has a value; their order is that of the result. */
  | { readonly kind: 'vector'; readonly timeMs: number; readonly columns: Columns }
  /** Of a range query: rows by labels, each with a value at one step at least. */
  | { readonly kind: 'range'; readonly steps: Steps; readonly columns: Columns }
  /** A vector, or rows of a range query in their order, as text: `limit` of them, all where that is 0. */
  | {
      readonly kind: 'rendered';
      readonly form: 'vector' | 'matrix';
      readonly rows: RenderedRows;
      readonly limit: number;
    }
  /** A range vector as an instant query's result: series by labels, with their own times. */
  | { readonly kind: 'raw'; readonly series: readonly RawSeries[] };

/** The names are those of Prometheus's query statistics. */
export interface QueryStats {
  readonly evalTotalSeconds: number;
  readonly resultSortSeconds: number;
  readonly preparationSeconds: number;
  readonly innerEvalSeconds: number;
  readonly queueSeconds: number;
  readonly execTotalSeconds: number;
  readonly samplesTotal: number;
  readonly samplesPeak: number;
  /** Where samples were counted. */
  readonly counts?: StepCounts;
}

/** Samples as Prometheus counts them: see sample-counts.ts. */
export interface StepCounts {
  readonly total: number;
  readonly read: number;
  /** With the feature promql-per-step-stats. */
  readonly byStep?: { readonly steps: Steps; readonly total: Float64Array; readonly read: Float64Array };
}

export interface QueryAnswer {
  readonly data: QueryData;
  /** Full texts with positions. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
  /** Gives the memory of the data back: nobody looks at them any more. */
  readonly free?: (() => void) | undefined;
}

/** What a query's value is as its result. */
export function resultOf(value: Value, steps: Steps, ranged: boolean): QueryData {
  return ranged ? rangeResult(value, steps) : instantResult(value, steps.startMs);
}

function instantResult(value: Value, timeMs: number): QueryData {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'scalar', timeMs, value: value.values[0]! };
    case 'string':
      return { kind: 'string', timeMs, text: value.value };
    case 'vector':
      return { kind: 'vector', timeMs, columns: withoutEmptyRows(value.columns) };
    case 'matrix':
      return { kind: 'raw', series: [...value.series].sort((a, b) => compareLabels(a.labels, b.labels)) };
  }
}

/** Of a vector or a scalar, which is one row without labels. */
function rangeResult(value: Value, steps: Steps): QueryData {
  if (value.kind === 'scalar') {
    const { values } = value;
    const columns = { labels: [[]], steps: steps.count, values, present: new Uint8Array(values.length).fill(1) };
    return { kind: 'range', steps, columns };
  }
  if (value.kind !== 'vector') throw new Error(`a range query cannot give a ${value.kind}`);
  return { kind: 'range', steps, columns: sortRows(withoutEmptyRows(value.columns)) };
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
