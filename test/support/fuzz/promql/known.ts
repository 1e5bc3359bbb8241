// What Prometheus 3.5 does otherwise than we mean to: as a rule, because newer versions
// do. Each rule has its row in docs/differences/promql-results.md.

import { childrenOf, type Expr, isComparison } from '../../../../src/promql/syntax/ast.js';
import { type Cells, cellsOf, compareCells, sameCell } from './compare.js';
import { partsOf } from './parts.js';
import type { Question, Reply } from './question.js';
import { annotationInCommon, isNewRemark } from './words.js';

export interface Difference {
  readonly question: Question;
  readonly delayedNames: boolean;
  /** undefined where the text cannot be parsed. */
  readonly expr: Expr | undefined;
  readonly theirs: Reply;
  readonly ours: Reply;
}

/** By name: whether it explains all of a difference. */
const KNOWN: ReadonlyMap<string, (difference: Difference) => boolean> = new Map([
  ['reconciled custom buckets', reconcilesBuckets],
  // Series that are the same once their names are gone become one where they do not overlap; 3.5 refuses them.
  [
    'delayed names that join',
    ({ theirs, ours, delayedNames }) => delayedNames && isSameLabels(theirs) && ours.body.data?.resultType === 'matrix',
  ],
  ['differences are gauges', remarksOnDifferences],
  ['bounds in mixed groups', remarksOnBoundsInMixedGroups],
  // 3.5 lets them overflow, and takes NaN for one.
  [
    'durations that are none',
    ({ ours }) => /duration (is )?(out of range|NaN or infinite)/.test(ours.body.error ?? ''),
  ],
  [
    'matches before filters',
    ({ expr, ours }) =>
      /many-to-one matching must be explicit|grouping labels must ensure unique/.test(ours.body.error ?? '') &&
      expr !== undefined &&
      partsOf(expr).some(({ expr: part }) => isFilter(part)),
  ],
]);

/** A comparison of two vectors that lets elements through. */
function isFilter(expr: Expr): boolean {
  return expr.kind === 'binary' && isComparison(expr.op) && !expr.bool && expr.matching !== undefined;
}

function isSameLabels({ body }: Reply): boolean {
  return /vector cannot contain metrics with the same labelset/.test(body.error ?? '');
}

/** The name of the rule that explains a difference; undefined where none does. */
export function knownDifference(difference: Difference): string | undefined {
  for (const [name, explains] of KNOWN) if (explains(difference)) return name;
  return undefined;
}

/**
 * 3.5 refuses to combine histograms whose custom bounds differ; newer versions keep the bounds in common. Unless more
 * is made of the result, all that 3.5 does have must be the same.
 */
function reconcilesBuckets({ expr, theirs, ours }: Difference): boolean {
  // What 3.5 leaves out cannot match twice.
  if (refusesBounds(theirs) && /matching not allowed|matching must be explicit/.test(ours.body.error ?? ''))
    return true;
  if (!areReconciled(theirs, ours)) return false;
  return combinations(expr!) > 1 || isPartOf(cellsOf(theirs.body.data!), cellsOf(ours.body.data!));
}

/** Whether theirs refuses custom bounds that ours reconciles. */
export function areReconciled(theirs: Reply, { body }: Reply): boolean {
  return (
    refusesBounds(theirs) && (body.infos ?? []).some((text) => /mismatched custom buckets were reconciled/.test(text))
  );
}

function refusesBounds({ body }: Reply): boolean {
  return (body.warnings ?? []).some((text) => /incompatible custom buckets|incompatible bucket layout/.test(text));
}

/** Differences of histograms are gauges, which 3.5 does not know where it finds them in a subquery. */
function remarksOnDifferences({ expr, theirs, ours }: Difference): boolean {
  if (expr === undefined || !subtractsInSubquery(expr, false)) return false;
  const [a, b] = [theirs.body, ours.body];
  if (a.data === undefined || b.data === undefined) return false;
  const others = (texts: readonly string[] = []) =>
    texts.filter((text) => !/histogram metric is not a (gauge|counter)/.test(text)).sort();
  const isSame = compareCells(cellsOf(a.data), cellsOf(b.data), 1e-12) === undefined;
  return isSame && String(others(a.warnings)) === String(others(b.warnings));
}

const OTHER_BOUNDS = /incompatible custom buckets/;
const MIXED = /encountered a mix of histograms and floats/;

/**
 * Of a group in which there are floats, and histograms with other custom bounds, 3.5 remarks on whichever it meets first;
 * we, who reconcile bounds, on the floats.
 */
function remarksOnBoundsInMixedGroups({ question, theirs, ours }: Difference): boolean {
  const [a, b] = [theirs.body, ours.body];
  if (a.data === undefined || b.data === undefined) return false;
  if (compareCells(cellsOf(a.data), cellsOf(b.data), 1e-12) !== undefined) return false;
  const common = annotationInCommon(question);
  const remarks = (texts: readonly string[] = []) => texts.filter((text) => !isNewRemark(text)).map(common);
  const [said, own] = [remarks(a.warnings), remarks(b.warnings)];
  const placeOf = (text: string) => /at \d+$/.exec(text)?.[0];
  const isBeside = (text: string, kind: RegExp, others: readonly string[], otherKind: RegExp) =>
    kind.test(text) && others.some((other) => otherKind.test(other) && placeOf(other) === placeOf(text));
  return (
    String(remarks(a.infos).sort()) === String(remarks(b.infos).sort()) &&
    said.every((text) => own.includes(text) || isBeside(text, OTHER_BOUNDS, own, MIXED)) &&
    own.every((text) => said.includes(text) || isBeside(text, MIXED, said, OTHER_BOUNDS))
  );
}

function subtractsInSubquery(expr: Expr, inside: boolean): boolean {
  if (inside && expr.kind === 'binary' && expr.op === '-') return true;
  return childrenOf(expr).some((child) => subtractsInSubquery(child, inside || expr.kind === 'subquery'));
}

/** How many parts of an expression make one value of several. */
function combinations(expr: Expr): number {
  const combines =
    expr.kind === 'aggregate' || expr.kind === 'binary' || (expr.kind === 'call' && expr.args.some(isMatrix));
  return childrenOf(expr).reduce((sum, child) => sum + combinations(child), combines ? 1 : 0);
}

function isMatrix({ kind }: Expr): boolean {
  return kind === 'matrixSelector' || kind === 'subquery';
}

function isPartOf(some: Cells, all: Cells): boolean {
  return [...some].every(([series, points]) =>
    [...points].every(([time, cell]) => {
      const other = all.get(series)?.get(time);
      return other !== undefined && sameCell(cell, other, 1e-12);
    }),
  );
}
