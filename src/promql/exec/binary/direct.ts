// The usual join: each result row is of one row on either side.
//
// Where all groups are so, and all rows are floats, nothing can go wrong at single
// steps any more, and the cells of a result are one loop over two rows.

import type { VectorMatching } from '../../syntax/ast.js';
import { blankColumns, CELL_BYTES, hasHistograms } from '../columns.js';
import { LabelIndex } from '../label-index.js';
import type { OperatorContext } from '../operator.js';
import type { Columns } from '../source.js';
import { FloatLoop, type FloatRow } from './float-rows.js';
import { type Matches, resultLabels } from './matching.js';
import type { VectorOperation } from './with-vector.js';

/** Rows that are joined, in the order of the result's rows. */
interface Pairs {
  readonly many: Int32Array;
  readonly one: Int32Array;
  readonly count: number;
}

/** undefined where rows must be looked at step by step. */
export function joinDirectly(
  { op, bool, matching }: VectorOperation,
  left: Columns,
  right: Columns,
  matches: Matches,
  dropsName: boolean,
  { pace, reserve }: OperatorContext,
): Columns | undefined {
  if (matching.fillLeft !== undefined || matching.fillRight !== undefined) return undefined;
  if (hasHistograms(left) || hasHistograms(right)) return undefined;
  const swapped = matching.card === 'one-to-many';
  const pairs = pairRows(matches, matching, swapped);
  if (pairs === undefined) return undefined;

  const { steps } = left;
  reserve(pairs.count * steps * CELL_BYTES);
  const [many, one] = swapped ? [right, left] : [left, right];
  const labelled = resultLabels(matching, dropsName);
  const labels = Array.from({ length: pairs.count }, (_, i) => {
    pace.spend(1);
    return labelled(many.labels[pairs.many[i]!]!, one.labels[pairs.one[i]!]!);
  });
  const index = new LabelIndex();
  for (let i = 0; i < labels.length; i++) if (index.add(labels[i]!) !== i) return undefined;

  const result = blankColumns(labels, steps);
  const manyRow = rowIn(many);
  const oneRow = rowIn(one);
  const [leftRow, rightRow] = swapped ? [oneRow, manyRow] : [manyRow, oneRow];
  const loop = new FloatLoop(op, bool);
  for (let i = 0; i < pairs.count; i++) {
    pace.spend(steps);
    manyRow.at = manyRow.mark = pairs.many[i]! * steps;
    oneRow.at = oneRow.mark = pairs.one[i]! * steps;
    loop.run(leftRow, rightRow, steps, result, i * steps);
  }
  return result;
}

function rowIn({ values, present }: Columns): FloatRow {
  return { values, present, at: 0, mark: 0 };
}

const NO_ROW = -1;

/** By group, and within one in order; undefined where a group has several rows that could be the "one". */
function pairRows({ ofLeft, ofRight, count }: Matches, { card }: VectorMatching, swapped: boolean): Pairs | undefined {
  const [ofMany, ofOne] = swapped ? [ofRight, ofLeft] : [ofLeft, ofRight];
  const oneOf = new Int32Array(count).fill(NO_ROW);
  for (let row = 0; row < ofOne.length; row++) {
    if (oneOf[ofOne[row]!] !== NO_ROW) return undefined;
    oneOf[ofOne[row]!] = row;
  }
  // A counting sort by group of the rows that have a partner.
  const ends = new Int32Array(count + 1);
  for (let row = 0; row < ofMany.length; row++) {
    const group = ofMany[row]!;
    if (oneOf[group] === NO_ROW) continue;
    if (card === 'one-to-one' && ends[group + 1] === 1) return undefined;
    ends[group + 1]!++;
  }
  for (let group = 0; group < count; group++) ends[group + 1]! += ends[group]!;
  const total = ends[count]!;
  const pairs = { many: new Int32Array(total), one: new Int32Array(total), count: total };
  for (let row = 0; row < ofMany.length; row++) {
    const group = ofMany[row]!;
    if (oneOf[group] === NO_ROW) continue;
    const at = ends[group]!++;
    pairs.many[at] = row;
    pairs.one[at] = oneOf[group]!;
  }
  return pairs;
}
