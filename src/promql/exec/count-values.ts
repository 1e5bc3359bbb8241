// count_values: how many elements of a group have each value.

import { keyOf, labelsOf, pairsOf } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { ColumnsBuilder } from './columns.js';
import { type Grouping, groupLabels } from './grouping.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM } from './source.js';
import type { VectorValue } from './value.js';

export function countValues(operand: VectorValue, label: string, grouping: Grouping): Columns {
  const { labels, steps, present, values, histograms } = operand.columns;
  const names = grouping.grouping === 'by' ? [...grouping.labels, label] : grouping.labels;
  const labelsOfGroup = groupLabels({ ...grouping, labels: names });
  const out = new ColumnsBuilder(steps);
  const rows = new Map<string, number>();
  for (let row = 0, cell = 0; row < labels.length; row++) {
    for (let step = 0; step < steps; step++, cell++) {
      if (present[cell] === ABSENT) continue;
      const text = present[cell] === HISTOGRAM ? histograms!.get(cell)!.toString() : formatFloat(values[cell]!);
      const group = labelsOfGroup(labelsOf([...pairsOf(labels[row]!), [label, text]]));
      const key = keyOf(group);
      let offset = rows.get(key);
      if (offset === undefined) rows.set(key, (offset = out.row(group)));
      out.present[offset + step] = FLOAT;
      out.values[offset + step]!++;
    }
  }
  return out.finish();
}
