// count_values: how many elements of a group have each value.

import { type Labels, withLabel } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { ColumnsBuilder } from './columns.js';
import { type Grouping, groupLabels } from './grouping.js';
import { LabelIndex } from './label-index.js';
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
  readonly #keepsLabel: boolean;
  /** Result rows are in the order in which this numbers their labels. */
  readonly #rows = new LabelIndex();
  readonly #groups: LabelIndex;
  readonly #rowsOfGroups: ((value: number | string) => number)[] = [];

  constructor(out: ColumnsBuilder, label: string, grouping: Grouping) {
    this.#out = out;
    this.#label = label;
    const names = grouping.grouping === 'by' ? [...grouping.labels, label] : grouping.labels;
    const keep = groupLabels({ ...grouping, labels: names });
    this.#keepsLabel = keep(label);
    this.#groups = new LabelIndex((name) => name !== label && keep(name));
  }

  /** What gives the first cell of a value's row, for rows with the labels of one group. */
  group(row: Labels): (value: number | string) => number {
    const group = this.#groups.add(row);
    if (group === this.#rowsOfGroups.length) this.#rowsOfGroups.push(this.#rowsOf(this.#groups.keptOf(row)));
    return this.#rowsOfGroups[group]!;
  }

  #rowsOf(base: Labels): (value: number | string) => number {
    const known = new Map<number | string, number>();
    return (value) => {
      let offset = known.get(value);
      if (offset === undefined) known.set(value, (offset = this.#row(base, value)));
      return offset;
    };
  }

  #row(base: Labels, value: number | string): number {
    const text = typeof value === 'number' ? formatFloat(value) : value;
    const labels = this.#keepsLabel ? withLabel(base, this.#label, text) : base;
    const row = this.#rows.add(labels);
    return row < this.#out.labels.length ? row * this.#out.steps : this.#out.row(labels);
  }
}
