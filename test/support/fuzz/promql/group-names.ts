// Groups by metric name, and delayed name removal: the name of a group goes where that of any
// of its series does. 3.5 looks at other series, those in the places that groups have in the
// answer, and where the series come out of an `or`, these places are by chance.

import { METRIC_NAME } from '../../../../src/model/labels.js';
import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { type Cells, cellsOf, compareCells } from './compare.js';
import { alone, partsOf, textOf } from './parts.js';
import { type Answerer, askQuestion, type Question, type Reply } from './question.js';

/**
 * Whether there are groups by name of series some of which lose theirs, and the replies are otherwise the same; or one
 * of them is that groups are the same with their names gone.
 */
export async function groupsLoseNames(
  question: Question,
  root: Expr,
  [theirs, ours]: readonly [Reply, Reply],
  answerer: Answerer,
): Promise<boolean> {
  if (!isRefusedOnce(theirs, ours) && !isSameWithoutNames(theirs, ours)) return false;
  for (const { expr, around } of partsOf(root)) {
    if (expr.kind !== 'aggregate' || expr.without || !expr.grouping.includes(METRIC_NAME)) continue;
    for (const asked of alone(question, textOf(question, expr.expr), around)) {
      const { data, error } = (await askQuestion(answerer, asked)).body;
      if (isSameLabels(error)) return true;
      const keys = data === undefined ? [] : [...cellsOf(data).keys()];
      if (keys.some(isNamed) && !keys.every(isNamed)) return true;
    }
  }
  return false;
}

/** Whether one of them has an answer, and the other groups that are the same with their names gone. */
function isRefusedOnce(theirs: Reply, ours: Reply): boolean {
  const [a, b] = [theirs.body.error, ours.body.error];
  return (a === undefined && isSameLabels(b)) || (b === undefined && isSameLabels(a));
}

function isSameLabels(error: string | undefined): boolean {
  return error !== undefined && /vector cannot contain metrics with the same labelset/.test(error);
}

function isNamed(key: string): boolean {
  return key.includes(`["${METRIC_NAME}",`);
}

function isSameWithoutNames(theirs: Reply, ours: Reply): boolean {
  if (theirs.body.data === undefined || ours.body.data === undefined) return false;
  const [a, b] = [cellsOf(theirs.body.data), cellsOf(ours.body.data)];
  const [x, y] = [withoutNames(a), withoutNames(b)];
  return x.size === a.size && y.size === b.size && compareCells(x, y, 1e-12) === undefined;
}

function withoutNames(cells: Cells): Cells {
  return new Map([...cells].map(([key, points]) => [key.replace(/\["__name__","(?:[^"\\]|\\.)*"\],?/, ''), points]));
}
