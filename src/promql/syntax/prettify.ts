// A tree as text over several lines, as /api/v1/format_query gives it: whatever is
// longer than a line is split, its parts one level deeper; selectors never are.

import type { Aggregate, Binary, Expr } from './ast.js';
import { utf8Length } from './errors.js';
import { format, formatAggregateHead, formatOperator, formatSubquerySuffix } from './format.js';

/** Longest line that is not split, in bytes. */
const LINE_MAX = 100;

export function prettify(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const indent = '  '.repeat(level);
  if (expr.kind === 'unary') return indent + expr.op + pretty(expr.expr, level).trim();
  const line = format(expr);
  // Prometheus forgets to indent short subqueries, and so their text is part of its interface.
  if (fits(line)) return expr.kind === 'subquery' ? line : indent + line;
  switch (expr.kind) {
    case 'subquery':
      return pretty(expr.expr, level) + formatSubquerySuffix(expr);
    case 'call':
      return `${indent}${expr.fn}(\n${expr.args.map((arg) => pretty(arg, level + 1)).join(',\n')}\n${indent})`;
    case 'aggregate':
      return prettyAggregate(expr, level);
    case 'binary':
      return prettyBinary(expr, level);
    case 'paren':
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`;
    default:
      return indent + line;
  }
}

function prettyAggregate(node: Aggregate, level: number): string {
  const indent = '  '.repeat(level);
  const param = node.param === undefined ? '' : `${pretty(node.param, level + 1)},\n`;
  return `${indent}${formatAggregateHead(node)}(\n${param}${pretty(node.expr, level + 1)}\n${indent})`;
}

function prettyBinary(node: Binary, level: number): string {
  const operator = '  '.repeat(level) + formatOperator(node);
  return `${pretty(node.left, level + 1)}\n${operator}\n${pretty(node.right, level + 1)}`;
}

function fits(line: string): boolean {
  return line.length <= LINE_MAX && utf8Length(line) <= LINE_MAX;
}
