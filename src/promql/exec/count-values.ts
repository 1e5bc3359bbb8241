// count_values: how many elements of a group have each value.

import { filterLabels, keyOf, type Labels, labelsOf, pairsOf } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { ColumnsBuilder } from './columns.js';
import { type Grouping, groupLabels } from './grouping.js';
import type { Pace } from './operator.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM } from './source.js';
import type { VectorValue } from './value.js';

/** There may be a row for each cell: `reserve` is asked before memory grows. */
export function countValues(
  operand: VectorValue,
  label: string,
  grouping: Grouping,
  reserve: (bytes: number) => void,
  pace: Pace,
): Columns {
  const { labels, steps, present, values, histograms } = operand.columns;
  const out = new ColumnsBuilder(steps, 8, reserve);
  const rowOf = new ValueRows(out, label, grouping);
  for (let row = 0, cell = 0; row < labels.length; row++) {
    pace.spend(steps);
    const rows = rowOf.group(labels[row]!);
    for (let step = 0; step < steps; step++, cell++) {
      if (present[cell] === ABSENT) continue;
      const value = present[cell] === HISTOGRAM ? histograms!.get(cell)!.toString() : keyOfFloat(values[cell]!);
      const offset = rows(value);
      out.present[offset + step] = FLOAT;
      out.values[offset + step]!++;
    }
  }
  return out.finish();
}

/** Maps take 0 and -0 for the same, which have different texts. */
function keyOfFloat(value: number): number | string {
  return Object.is(value, -0) ? '-0' : value;
}

/** Result rows by group and value. Values repeat, so their texts and labels are made once. */
class ValueRows {
  readonly #out: ColumnsBuilder;
  readonly #label: string;
  readonly #labelsOf: (labels: Labels) => Labels;
  readonly #rows = new Map<string, number>();
  readonly #groups = new Map<string, (value: number | string) => number>();

  constructor(out: ColumnsBuilder, label: string, grouping: Grouping) {
    this.#out = out;
    this.#label = label;
    const names = grouping.grouping === 'by' ? [...grouping.labels, label] : grouping.labels;
    this.#labelsOf = groupLabels({ ...grouping, labels: names });
  }

  /** What gives the first cell of a value's row, for rows with the labels of one group. */
  group(row: Labels): (value: number | string) => number {
    const base = this.#labelsOf(filterLabels(row, (name) => name !== this.#label));
    const key = keyOf(base);
    let rows = this.#groups.get(key);
    if (rows === undefined) {
      const known = new Map<number | string, number>();
      rows = (value) => {
        let offset = known.get(value);
        if (offset === undefined) known.set(value, (offset = this.#row(base, value)));
        return offset;
      };
      this.#groups.set(key, rows);
    }
    return rows;
  }

  #row(base: Labels, value: number | string): number {
    const text = typeof value === 'number' ? formatFloat(value) : value;
    const labels = this.#labelsOf(labelsOf([...pairsOf(base), [this.#label, text]]));
    const key = keyOf(labels);
    let offset = this.#rows.get(key);
    if (offset === undefined) this.#rows.set(key, (offset = this.#out.row(labels)));
    return offset;
  }
}
