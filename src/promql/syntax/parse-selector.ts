// Lists in braces and parentheses: label matchers, and the labels of groupings.

import { METRIC_NAME } from '../../model/labels.js';
import { compileMatcher, engineSteps, type Matcher, type MatchOp, PatternError } from '../../model/matcher.js';
import { quote } from '../../model/quote.js';
import type { Span, VectorSelector } from './ast.js';
import type { TokenCursor } from './cursor.js';
import { stringValue } from './literals.js';
import { canNameLabel, canNameMetric, type Token, type TokenKind } from './token.js';

const MATCH_OPS: ReadonlySet<TokenKind> = new Set<TokenKind>(['=', '!=', '=~', '!~']);

/** `name`, `name{…}` or `{…}`; the caller has seen that it begins like one. */
export function parseVectorSelector(cursor: TokenCursor): VectorSelector {
  const { start } = cursor.token;
  const name = canNameMetric(cursor.kind) ? cursor.textOf(cursor.next()) : '';
  const matchers = cursor.kind === '{' ? parseMatchers(cursor) : [];
  if (name !== '') matchers.push({ name: METRIC_NAME, op: '=', value: name });
  const pos: Span = { start, end: cursor.end };
  return { kind: 'vectorSelector', name, matchers, offset: 0, anchored: false, smoothed: false, pos };
}

/** `{a="b", "c.d"=~"e.*", "quoted name",}` */
function parseMatchers(cursor: TokenCursor): Matcher[] {
  const matchers: Matcher[] = [];
  cursor.next();
  while (!cursor.take('}')) {
    matchers.push(parseMatcher(cursor));
    if (cursor.take(',') || cursor.kind === '}') continue;
    cursor.unexpected('label matching', '"," or "}"');
  }
  return matchers;
}

function parseMatcher(cursor: TokenCursor): Matcher {
  const label = cursor.take('identifier') ?? cursor.take('string');
  if (label === undefined) cursor.unexpected('label matching', 'identifier or "}"');
  const quoted = label.kind === 'string';
  const name = quoted ? stringValue(cursor.textOf(label)) : cursor.textOf(label);
  if (!MATCH_OPS.has(cursor.kind)) {
    if (quoted) return { name: METRIC_NAME, op: '=', value: name };
    cursor.unexpected('label matching', 'label matching operator');
  }
  const op = cursor.next().kind as MatchOp;
  const value = cursor.take('string');
  if (value === undefined) cursor.unexpected('label matching', 'string');
  return checked(cursor, { name, op, value: stringValue(cursor.textOf(value)) }, label, value);
}

/** A pattern is compiled once here, so that a bad one is an error of the query. */
function checked(cursor: TokenCursor, matcher: Matcher, label: Token, value: Token): Matcher {
  const span: Span = { start: label.start, end: value.end };
  try {
    compileMatcher(matcher);
    cursor.limitPatterns(engineSteps(matcher), span);
    return matcher;
  } catch (error) {
    if (error instanceof PatternError) cursor.fail(error.message, span);
    throw error;
  }
}

/** `(a, "b.c", by,)` behind `by`, `on` and their like. */
export function parseGrouping(cursor: TokenCursor): string[] {
  const labels: string[] = [];
  if (!cursor.take('(')) cursor.unexpected('grouping opts', '"("');
  while (!cursor.take(')')) {
    labels.push(parseGroupingLabel(cursor));
    if (cursor.take(',') || cursor.kind === ')') continue;
    cursor.unexpected('grouping opts', '"," or ")"');
  }
  return labels;
}

function parseGroupingLabel(cursor: TokenCursor): string {
  const { token } = cursor;
  const quoted = token.kind === 'string';
  if (!quoted && !canNameLabel(token.kind)) cursor.unexpected('grouping opts', 'label');
  cursor.next();
  const label = quoted ? stringValue(cursor.textOf(token)) : cursor.textOf(token);
  // Any text is a label name nowadays, except none.
  if (label === '') cursor.fail(`invalid label name for grouping: ${quote(label)}`, token);
  return label;
}
