// Groups of rows: `by (…)` and `without (…)`.

import { filterLabels, keyOf, type Labels, METRIC_NAME, NO_LABELS } from '../../model/labels.js';

export interface Grouping {
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

export interface Groups {
  /** The group of each row. */
  readonly ofRow: Int32Array;
  /** The labels of each group, in the order in which groups were first met. */
  readonly labels: Labels[];
}

export function groupRows(rows: readonly Labels[], grouping: Grouping): Groups {
  const ofRow = new Int32Array(rows.length);
  if (grouping.grouping === 'by' && grouping.labels.length === 0) {
    return { ofRow, labels: rows.length === 0 ? [] : [NO_LABELS] };
  }
  const labelsOf = groupLabels(grouping);
  const indices = new Map<string, number>();
  const labels: Labels[] = [];
  rows.forEach((row, i) => {
    const group = labelsOf(row);
    const key = keyOf(group);
    let index = indices.get(key);
    if (index === undefined) {
      index = labels.push(group) - 1;
      indices.set(key, index);
    }
    ofRow[i] = index;
  });
  return { ofRow, labels };
}

/** The labels a row keeps in its group. `without` drops the metric name too. */
export function groupLabels({ grouping, labels }: Grouping): (row: Labels) => Labels {
  const names = new Set(labels);
  if (grouping === 'by') return (row) => filterLabels(row, (name) => names.has(name));
  names.add(METRIC_NAME);
  return (row) => filterLabels(row, (name) => !names.has(name));
}
