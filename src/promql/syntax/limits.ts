// How large a query may be. Prometheus has no such limits: 100,000 parentheses keep
// its parser busy for more than 20 s. Ours answers with an error within 20 ms.

/** Longest query text in UTF-16 units. The largest dashboards' queries are some 10 KB. */
export const TEXT_MAX = 128 * 1024;

export const TOKENS_MAX = 50_000;

/** Deepest nesting of parentheses, calls, aggregations, unary operators and duration arithmetic. */
export const NESTING_MAX = 256;

/**
 * Highest tree, counting the left side of operator chains: 500 operands of `or`. Every pass over a tree
 * may recurse, at some three frames a level: Node's default stack overflows at 2,000 levels, measured with
 * the pretty-printer, so this leaves room for passes with larger frames.
 */
export const TREE_HEIGHT_MAX = 500;
