// The aggregation quantile(φ, …): the φ-quantile of each group's floats at each step.

import { blankColumns } from './columns.js';
import { type Groups, membersOf, rowsOfGroup } from './grouping.js';
import type { Pace } from './operator.js';
import { quantileOf } from './quantile.js';
import { type Columns, FLOAT, HISTOGRAM } from './source.js';

export function quantileRows(columns: Columns, groups: Groups, phis: Float64Array, pace: Pace): Columns {
  const { steps, present, values } = columns;
  const result = blankColumns(groups.labels, steps);
  const members = membersOf(groups.ofRow, groups.labels.length);
  let ignored = false;
  for (let group = 0; group < groups.labels.length; group++) {
    const rows = rowsOfGroup(members, group);
    const scratch = new Float64Array(rows.length);
    for (let step = 0; step < steps; step++) {
      pace.spend(rows.length);
      let count = 0;
      for (const row of rows) {
        const cell = row * steps + step;
        if (present[cell] === FLOAT) scratch[count++] = values[cell]!;
        else if (present[cell] === HISTOGRAM) ignored = true;
      }
      if (count === 0) continue;
      result.present[group * steps + step] = FLOAT;
      result.values[group * steps + step] = quantileOf(phis[step]!, scratch.subarray(0, count));
    }
  }
  return ignored ? { ...result, notes: [{ kind: 'aggregation-ignored', metric: '' }] } : result;
}
