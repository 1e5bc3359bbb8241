// The vector selectors of an expression.

import { childrenOf, type Expr, type VectorSelector } from './ast.js';

/** All of them, in no particular order. Without recursion: trees are deep on their left side. */
export function selectorsIn(expr: Expr): VectorSelector[] {
  const found: VectorSelector[] = [];
  const left: Expr[] = [expr];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next.kind === 'vectorSelector') found.push(next);
    left.push(...childrenOf(next));
  }
  return found;
}
