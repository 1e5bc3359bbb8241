// What operators hand to each other: one value per plan node, over all steps.

import { type Labels, METADATA_LABELS, withoutMetadata } from '../../model/labels.js';
import { joinSameRows, pickRows } from './columns.js';
import { stripMetadata } from './metadata.js';
import type { Columns, RawSeries } from './source.js';

export interface ScalarValue {
  readonly kind: 'scalar';
  /** One number for each step. */
  readonly values: Float64Array;
}

export interface StringValue {
  readonly kind: 'string';
  readonly value: string;
}

export interface VectorValue {
  readonly kind: 'vector';
  /** Never changed once handed on: fragments are shared. Rows have distinct labels; their order is that of the result. */
  readonly columns: Columns;
  /** With delayed name removal: 1 for rows that lose their metric name at the very end. */
  readonly drops?: Uint8Array;
}

export interface MatrixValue {
  readonly kind: 'matrix';
  readonly series: readonly RawSeries[];
}

export type Value = ScalarValue | StringValue | VectorValue | MatrixValue;

export function vector(columns: Columns, drops?: Uint8Array): VectorValue {
  return drops === undefined ? { kind: 'vector', columns } : { kind: 'vector', columns, drops };
}

/** How operations treat metric names. */
export class Names {
  constructor(readonly delayed: boolean) {}

  /**
   * Rows whose labels are `columns.labels`, which an operation takes the names off: at once, joining
   * rows that become the same, or by marking them.
   */
  drop(columns: Columns, strict = false): VectorValue {
    if (this.delayed) return vector(columns, new Uint8Array(columns.labels.length).fill(1));
    const { labels, alike } = stripMetadata(columns.labels);
    return vector(alike ? { ...columns, labels } : joinSameRows({ ...columns, labels }, strict));
  }

  /** The labels of a marked row once it is settled. */
  strip(labels: Labels): Labels {
    return withoutMetadata(labels);
  }

  /** The last step with delayed removal: marked rows lose their names. */
  settle(value: VectorValue): VectorValue {
    const { columns, drops } = value;
    if (drops === undefined) return value;
    if (!drops.includes(0)) {
      const { labels, alike } = stripMetadata(columns.labels);
      return vector(alike ? { ...columns, labels } : joinSameRows({ ...columns, labels }));
    }
    const labels = columns.labels.map((row, i) => (drops[i] === 1 ? withoutMetadata(row) : row));
    return vector(joinSameRows({ ...columns, labels }));
  }
}

export function rowsOf(value: VectorValue, rows: readonly number[]): VectorValue {
  const columns = pickRows(value.columns, rows);
  const { drops } = value;
  return vector(columns, drops && Uint8Array.from(rows, (row) => drops[row]!));
}

export function isMetadata(name: string): boolean {
  return METADATA_LABELS.has(name);
}
