// A tree with other selectors in place of its own.

import type { Expr, VectorSelector } from './ast.js';

export function mapSelectors(expr: Expr, change: (selector: VectorSelector) => VectorSelector): Expr {
  const inner = (part: Expr): Expr => mapSelectors(part, change);
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'vectorSelector':
      return change(expr);
    case 'matrixSelector':
      return { ...expr, vector: change(expr.vector) };
    case 'subquery':
    case 'unary':
    case 'paren':
      return { ...expr, expr: inner(expr.expr) };
    case 'call':
      return { ...expr, args: expr.args.map(inner) };
    case 'aggregate':
      return { ...expr, param: expr.param && inner(expr.param), expr: inner(expr.expr) };
    case 'binary':
      return { ...expr, left: inner(expr.left), right: inner(expr.right) };
  }
}
