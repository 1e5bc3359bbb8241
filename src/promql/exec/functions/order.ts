// sort, sort_desc, sort_by_label, sort_by_label_desc: the order of rows in an instant query's result.

import { compareLabels, valueOf } from '../../../model/labels.js';
import { FLOAT } from '../source.js';
import { rowsOf, type VectorValue } from '../value.js';

/** By value, NaN last either way. Rows without a float at the step are left out. Of an instant query only. */
export function sortByValue(operand: VectorValue, descending: boolean): VectorValue {
  const { values, present, labels } = operand.columns;
  const rows = [...labels.keys()].filter((row) => present[row] === FLOAT);
  return rowsOf(
    operand,
    rows.sort((a, b) => compareValues(values[a]!, values[b]!, descending)),
  );
}

export function compareValues(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  if (a === b) return 0;
  return a < b === descending ? 1 : -1;
}

/** In natural order of the given labels one after another, then by all labels. */
export function sortByLabels(operand: VectorValue, names: readonly string[], descending: boolean): VectorValue {
  const { labels } = operand.columns;
  const rows = [...labels.keys()].sort((a, b) => {
    for (const name of names) {
      const order = compareNaturally(valueOf(labels[a]!, name), valueOf(labels[b]!, name));
      if (order !== 0) return order;
    }
    return compareLabels(labels[a]!, labels[b]!);
  });
  return rowsOf(operand, descending ? rows.reverse() : rows);
}

/** `node2` before `node10`: runs of digits compare as numbers, what is between them as text. */
export function compareNaturally(a: string, b: string): number {
  if (a === b) return 0;
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareParts(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length || (a < b ? -1 : 1);
}

function compareParts(a: string, b: string): number {
  if (/^\d/.test(a) && /^\d/.test(b)) {
    const difference = BigInt(a) - BigInt(b);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
