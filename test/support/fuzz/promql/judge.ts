// Whether two replies to one question agree, and if not, whether that is explained: by
// chance (stability.ts) or by what we mean to do otherwise (known.ts).

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { childrenOf } from '../../../../src/promql/syntax/ast.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../../src/promql/syntax/parse.js';
import { cellsOf, compareCells, compareReplies, type Rules, remarksOf } from './compare.js';
import { annotationInCommon, errorInCommon, isNewRemark, knownDifference } from './known.js';
import type { Question, Reply } from './question.js';
import { type Stability, sameOutcome, stableCells } from './stability.js';

/** Relative; where summing in another order, or another library of functions, may show. */
const CLOSE = 1e-12;

export type Verdict =
  | { readonly kind: 'same' }
  /** By the name of a known difference, or `order`. */
  | { readonly kind: 'explained'; readonly by: string }
  | { readonly kind: 'different'; readonly problem: string };

export async function judge(
  question: Question,
  theirs: Reply,
  ours: Reply,
  stability: Stability,
  exact: boolean,
): Promise<Verdict> {
  const expr = parsed(question.text);
  const rules: Rules = {
    tolerance: exact && expr !== undefined && isExact(expr) ? 0 : CLOSE,
    ordered: expr !== undefined && asksForOrder(expr),
    annotation: annotationInCommon(question),
    error: errorInCommon,
    isNewRemark,
  };
  const problem = compareReplies(theirs, ours, rules);
  if (problem === undefined) return { kind: 'same' };
  const known = knownDifference({ question, expr, theirs, ours });
  if (known !== undefined) return { kind: 'explained', by: known };
  if (await byChance(question, theirs, ours, rules, stability)) return { kind: 'explained', by: 'order' };
  return { kind: 'different', problem };
}

function parsed(text: string): Expr | undefined {
  try {
    return parseExpr(text, ALL_PARSE_OPTIONS);
  } catch {
    return undefined;
  }
}

function nodesOf(expr: Expr): Expr[] {
  return [expr, ...childrenOf(expr).flatMap(nodesOf)];
}

const SUMS = new Set(['sum', 'avg', 'stddev', 'stdvar']);
/** Functions whose last digit is the library's. */
const LIBRARY = new Set(
  'acos acosh asin asinh atan atanh cos cosh exp ln log10 log2 sin sinh tan tanh histogram_quantile histogram_stddev histogram_stdvar'.split(
    ' ',
  ),
);

/** Whether nothing in it depends on the order of series or on a library's last digit. */
function isExact(expr: Expr): boolean {
  return nodesOf(expr).every((node) => {
    if (node.kind === 'aggregate') return !SUMS.has(node.op);
    if (node.kind === 'binary') return node.op !== '^' && node.op !== 'atan2';
    return node.kind !== 'call' || !LIBRARY.has(node.fn);
  });
}

function asksForOrder(expr: Expr): boolean {
  if (expr.kind === 'paren') return asksForOrder(expr.expr);
  if (expr.kind === 'aggregate') return expr.op === 'topk' || expr.op === 'bottomk';
  return expr.kind === 'call' && expr.fn.startsWith('sort');
}

async function byChance(
  question: Question,
  theirs: Reply,
  ours: Reply,
  rules: Rules,
  stability: Stability,
): Promise<boolean> {
  const replies = [ours, ...(await stability.replies(question))];
  if (!sameOutcome(replies)) return true;
  const errors = new Set(replies.map(({ body }) => body.error));
  if (theirs.body.status === 'error' || ours.body.status === 'error') return errors.size > 1;
  if (theirs.body.data!.resultType !== ours.body.data!.resultType) return false;
  const [a, b] = [theirs, ours].map(({ body }) => stableCells(cellsOf(body.data!), replies));
  if (compareCells(a!, b!, CLOSE) !== undefined) return false;
  return (['warnings', 'infos'] as const).every((field) => {
    const texts = replies.map((reply) => new Set(remarksOf(reply, field, rules)));
    const own = remarksOf(theirs, field, rules);
    const always = [...texts[0]!].filter((text) => texts.every((set) => set.has(text)));
    return own.every((text) => texts.some((set) => set.has(text))) && always.every((text) => own.includes(text));
  });
}
