// A tree as text over several lines, as /api/v1/format_query gives it: whatever is
// longer than a line is split, its parts one level deeper; selectors never are.

import { childrenOf, type Expr } from './ast.js';
import { utf8Length } from './errors.js';
import { format, formatAggregateHead, formatOperator, formatSubquerySuffix, isDurationOp } from './format.js';

/** Longest line that is not split, in bytes: Prometheus's. */
const LINE_MAX = 100;

export function prettify(expr: Expr, lineMax = LINE_MAX): string {
  return new Prettifier(expr, lineMax).pretty(expr, 0);
}

class Prettifier {
  /** Each expression's text on one line, or undefined where that is too long. */
  readonly #lines = new Map<Expr, string | undefined>();

  /** What an operator follows that a duration could take in. */
  readonly #followed = new Set<Expr>();

  constructor(
    whole: Expr,
    readonly lineMax: number,
  ) {
    this.#mark(whole, false);
  }

  #mark(expr: Expr, followed: boolean): void {
    if (followed) this.#followed.add(expr);
    if (expr.kind === 'binary') {
      this.#mark(expr.left, isDurationOp(expr.op));
      this.#mark(expr.right, followed);
    } else {
      for (const child of childrenOf(expr)) this.#mark(child, followed && expr.kind === 'unary');
    }
  }

  #format(expr: Expr): string {
    return format(expr, this.#followed.has(expr));
  }

  pretty(expr: Expr, level: number): string {
    const indent = '  '.repeat(level);
    if (expr.kind === 'unary') return indent + expr.op + this.pretty(expr.expr, level).trim();
    const line = this.#line(expr);
    // Prometheus forgets to indent short subqueries, and so that is how they look.
    if (line !== undefined) return expr.kind === 'subquery' ? line : indent + line;
    const inner = (part: Expr) => this.pretty(part, level + 1);
    switch (expr.kind) {
      case 'subquery':
        return this.pretty(expr.expr, level) + formatSubquerySuffix(expr, this.#followed.has(expr));
      case 'call':
        return `${indent}${expr.fn}(\n${expr.args.map(inner).join(',\n')}\n${indent})`;
      case 'aggregate': {
        const param = expr.param === undefined ? '' : `${inner(expr.param)},\n`;
        return `${indent}${formatAggregateHead(expr)}(\n${param}${inner(expr.expr)}\n${indent})`;
      }
      case 'binary':
        return `${inner(expr.left)}\n${indent}${formatOperator(expr)}\n${inner(expr.right)}`;
      case 'paren':
        return `${indent}(\n${inner(expr.expr)}\n${indent})`;
      default:
        return indent + this.#format(expr);
    }
  }

  /** Asks the parts first: where one is too long so is the whole, and nothing long is built over and over. */
  #line(expr: Expr): string | undefined {
    if (this.#lines.has(expr)) return this.#lines.get(expr);
    let line: string | undefined;
    if (this.#partsFit(expr)) {
      const text = this.#format(expr);
      if (text.length <= this.lineMax && utf8Length(text) <= this.lineMax) line = text;
    }
    this.#lines.set(expr, line);
    return line;
  }

  #partsFit(expr: Expr): boolean {
    for (const child of childrenOf(expr)) if (this.#line(child) === undefined) return false;
    return true;
  }
}
