// A failing expression made small: subtrees take the place of what is around them, and
// parts are left out, as long as it goes on failing. On the text, so that positions and
// spelling stay what they were.

import { childrenOf, type Expr, type Span } from '../../../../src/promql/syntax/ast.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../../src/promql/syntax/parse.js';

/** Most texts that are tried for one failure. */
const TRIES_MAX = 400;

/** The smallest text found that still `fails`. */
export async function shrink(text: string, fails: (text: string) => Promise<boolean>): Promise<string> {
  let tries = 0;
  let smallest = text;
  for (let shrunk = true; shrunk; ) {
    shrunk = false;
    for (const candidate of candidates(smallest)) {
      if (++tries > TRIES_MAX) return smallest;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      shrunk = true;
      break;
    }
  }
  return smallest;
}

/** Shorter texts, the shortest first. */
function candidates(text: string): string[] {
  const found = new Set<string>([...subtreeTexts(text), ...withoutTokens(text)]);
  found.delete(text);
  const isRight = parses(text);
  return [...found].filter((shorter) => parses(shorter) === isRight).sort((a, b) => a.length - b.length);
}

/** What can be parsed stays so, and what cannot is kept wrong. */
function parses(text: string): boolean {
  try {
    parseExpr(text, ALL_PARSE_OPTIONS);
    return true;
  } catch {
    return false;
  }
}

/** The text with one node replaced by one that is below it. */
function subtreeTexts(text: string): string[] {
  let root: Expr;
  try {
    root = parseExpr(text, ALL_PARSE_OPTIONS);
  } catch {
    return [];
  }
  const texts: string[] = [];
  const visit = (expr: Expr): Expr[] => {
    const below = childrenOf(expr).flatMap((child) => [child, ...visit(child)]);
    for (const { pos } of below) texts.push(replaced(text, expr.pos, text.slice(pos.start, pos.end)));
    if (expr.kind === 'call' || expr.kind === 'aggregate') texts.push(replaced(text, expr.pos, 'up'));
    return below;
  };
  visit(root);
  return texts;
}

function replaced(text: string, { start, end }: Span, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

const TOKEN = /\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[\w:.]+|[=!]~|[<>=!]=|./gsu;

/** The text without a run of one to six tokens. */
function withoutTokens(text: string): string[] {
  const tokens = text.match(TOKEN) ?? [];
  const texts: string[] = [];
  for (let count = Math.min(6, tokens.length - 1); count > 0; count--) {
    for (let from = 0; from + count <= tokens.length; from++) {
      texts.push([...tokens.slice(0, from), ...tokens.slice(from + count)].join(''));
    }
  }
  return texts;
}
