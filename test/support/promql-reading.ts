// What a parser makes of a query's text: its tree and its printed text, or its words for what is wrong.

import { ParseError } from '../../src/promql/syntax/errors.js';
import { toJson } from '../../src/promql/syntax/json.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../src/promql/syntax/parse.js';
import { prettify } from '../../src/promql/syntax/prettify.js';

export type Reading = { readonly tree: unknown; readonly text: string } | { readonly error: string };

/** What ours makes of it. */
export function readingOf(text: string): Reading {
  try {
    const expr = parseExpr(text, ALL_PARSE_OPTIONS);
    return { tree: JSON.parse(JSON.stringify(toJson(expr))), text: prettify(expr) };
  } catch (error) {
    if (error instanceof ParseError) return { error: error.message };
    throw error;
  }
}

const WISH = 'expected number, duration, step(), or range()';

/** Messages of Prometheus 3.5 as 3.14 words them. */
export function inNewWords(message: string): string {
  return message
    .replace('"<Item 57400>" <op:@>', '<op:@>')
    .replace('in subquery selector, expected number or duration', `in subquery or range selector, ${WISH}`)
    .replace('in offset, expected number or duration', `in offset, ${WISH}`);
}

/** Where our tree lacks what theirs has; we may have members that 3.5 did not have yet. */
export function firstDifference(theirs: unknown, ours: unknown, path = '$'): string | undefined {
  if (typeof theirs !== 'object' || theirs === null || typeof ours !== 'object' || ours === null) {
    return theirs === ours ? undefined : `${path}: theirs ${JSON.stringify(theirs)}, ours ${JSON.stringify(ours)}`;
  }
  for (const [key, value] of Object.entries(theirs)) {
    const found = firstDifference(value, (ours as Record<string, unknown>)[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  const lengths = [theirs, ours].map((value) => (Array.isArray(value) ? value.length : 0));
  return lengths[0] === lengths[1] ? undefined : `${path}: ${lengths[0]} items, ours has ${lengths[1]}`;
}
