// What must be true of any text as a query: it is a tree that prints and reads back as
// itself, or it is refused with a position inside of it. Nothing else, and at once.

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { ParseError, utf8Length } from '../../../../src/promql/syntax/errors.js';
import { format } from '../../../../src/promql/syntax/format.js';
import { toJson } from '../../../../src/promql/syntax/json.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../../src/promql/syntax/parse.js';
import { prettify } from '../../../../src/promql/syntax/prettify.js';
import { shapeOf } from '../../promql.js';

export interface Verdict {
  readonly outcome: 'tree' | 'refused';
  /** Of reading it. */
  readonly ms: number;
  /** What is not as it must be. */
  readonly problem?: string;
}

export function judge(text: string): Verdict {
  const startMs = performance.now();
  let expr: Expr | undefined;
  let thrown: unknown;
  try {
    expr = parseExpr(text, ALL_PARSE_OPTIONS);
  } catch (error) {
    thrown = error;
  }
  const ms = performance.now() - startMs;
  const outcome = expr === undefined ? 'refused' : 'tree';
  const problem = expr === undefined ? errorProblem(text, thrown) : treeProblem(expr);
  return problem === undefined ? { outcome, ms } : { outcome, ms, problem };
}

function errorProblem(text: string, error: unknown): string | undefined {
  if (!(error instanceof ParseError)) return `threw ${error instanceof Error ? error.stack : String(error)}`;
  const { line, column, start, end, message, reason } = error;
  if (text === '') return line === 0 && column === 0 ? undefined : `an empty text has a position: ${message}`;
  if (message !== `${line}:${column}: parse error: ${reason}`) return `message without its position: ${message}`;
  if (!(start >= 0 && start <= end && end <= text.length)) return `span ${start} to ${end} outside of the text`;
  const lines = text.split('\n');
  const own = lines[line - 1];
  if (own === undefined || column < 1 || column > utf8Length(own) + 1) return `position ${line}:${column} outside`;
  return undefined;
}

/** Of a range below a millisecond nothing is left. Its text is `[0s]`, which is refused, in Prometheus 3.14 as well. */
function hasEmptyRange(expr: Expr): boolean {
  let found = false;
  JSON.stringify(expr, (key, value) => {
    found ||= key === 'range' && value === 0;
    return value;
  });
  return found;
}

function treeProblem(expr: Expr): string | undefined {
  JSON.stringify(toJson(expr));
  if (hasEmptyRange(expr)) return /\[0s[\]:]/.test(format(expr)) ? undefined : 'an empty range is not printed as 0s';
  for (const print of [format, prettify]) {
    const text = print(expr);
    let again: Expr;
    try {
      again = parseExpr(text, ALL_PARSE_OPTIONS);
    } catch (error) {
      // What is near a limit may be printed longer than it was written.
      if (error instanceof ParseError && /too (long|deeply|many|large)/.test(error.reason)) return undefined;
      return `printed as ${text}, which is refused: ${error instanceof Error ? error.message : error}`;
    }
    if (print === format && format(again) !== text) return `printed as ${text}, then as ${format(again)}`;
    const [shape, other] = [expr, again].map((tree) => JSON.stringify(shapeOf(tree)));
    if (shape !== other) return `printed as ${text}, another tree:\n  ${shape}\n  ${other}`;
  }
  return undefined;
}
