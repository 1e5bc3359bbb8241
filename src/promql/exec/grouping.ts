// Groups of rows: `by (…)` and `without (…)`.

import { type Labels, METRIC_NAME, NO_LABELS } from '../../model/labels.js';
import { LabelIndex } from './label-index.js';
import type { Keep } from './projection.js';

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
  const index = new LabelIndex(groupLabels(grouping));
  const labels: Labels[] = [];
  for (let row = 0; row < rows.length; row++) {
    const group = index.add(rows[row]!);
    ofRow[row] = group;
    if (group === labels.length) labels.push(index.keptOf(rows[row]!));
  }
  return { ofRow, labels };
}

/** The labels a row keeps in its group. `without` drops the metric name too. */
export function groupLabels({ grouping, labels }: Grouping): Keep {
  const names = new Set(labels);
  if (grouping === 'by') return (name) => names.has(name);
  names.add(METRIC_NAME);
  return (name) => !names.has(name);
}

/** The rows of each group, one group after another, in order within each. */
export interface Members {
  /** Group g has rows[starts[g]] up to, without, rows[starts[g + 1]]. */
  readonly starts: Int32Array;
  readonly rows: Int32Array;
}

export function membersOf(ofRow: Int32Array, groups: number): Members {
  const starts = new Int32Array(groups + 1);
  for (let row = 0; row < ofRow.length; row++) starts[ofRow[row]! + 1]!++;
  for (let group = 0; group < groups; group++) starts[group + 1]! += starts[group]!;
  const next = starts.slice();
  const rows = new Int32Array(ofRow.length);
  for (let row = 0; row < ofRow.length; row++) rows[next[ofRow[row]!]!++] = row;
  return { starts, rows };
}

export function rowsOfGroup({ starts, rows }: Members, group: number): Int32Array {
  return rows.subarray(starts[group]!, starts[group + 1]!);
}
