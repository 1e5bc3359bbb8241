// The tokens of PromQL. A token's kind is a word or sign itself where there is only
// one way to write it (`'sum'`, `'('`), in lower case: keywords come in any case.

import { quote } from '../../model/quote.js';
import type { AggregateOp } from './ast.js';
import { utf8Length } from './errors.js';

const AGGREGATES = [
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
] as const satisfies readonly AggregateOp[];

const WORD_OPERATORS = ['and', 'or', 'unless', 'atan2'] as const;

const MODIFIERS = [
  'offset',
  'smoothed',
  'anchored',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'fill',
  'fill_left',
  'fill_right',
  'bool',
] as const;

/** Functions that also stand in `@` modifiers and durations. */
const TIME_WORDS = ['start', 'end', 'step', 'range', 'max_of', 'min_of'] as const;

const SIGN_OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '</',
  '>/',
  '=~',
  '!~',
  '@',
] as const;

type Aggregate = (typeof AGGREGATES)[number];
type Modifier = (typeof MODIFIERS)[number];
type Keyword = Aggregate | Modifier | (typeof WORD_OPERATORS)[number] | (typeof TIME_WORDS)[number];
type Sign = (typeof SIGN_OPERATORS)[number] | '(' | ')' | '{' | '}' | '[' | ']' | ',' | ':' | '=';

export type TokenKind =
  | Keyword
  | Sign
  /** A name without a colon. */
  | 'identifier'
  /** A name with one: a metric's only. */
  | 'metric'
  | 'string'
  | 'number'
  | 'duration'
  | 'end of input'
  /** The text is no PromQL from here on; always the last token. */
  | 'error';

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ...[...AGGREGATES, ...WORD_OPERATORS, ...MODIFIERS, ...TIME_WORDS].map((word) => [word, word] as const),
  ['inf', 'number'],
  ['nan', 'number'],
]);

export function keywordOf(word: string): TokenKind | undefined {
  return KEYWORDS.get(word.toLowerCase());
}

const AGGREGATE_KINDS: ReadonlySet<string> = new Set(AGGREGATES);
const MODIFIER_KINDS: ReadonlySet<string> = new Set(MODIFIERS);
const OPERATOR_KINDS: ReadonlySet<string> = new Set([...WORD_OPERATORS, ...SIGN_OPERATORS]);

export function isAggregate(kind: TokenKind): kind is Aggregate {
  return AGGREGATE_KINDS.has(kind);
}

/** What may name a metric: every word except those that only ever modify an operator. */
const METRIC_KINDS: ReadonlySet<string> = new Set(
  ['identifier', 'metric', ...KEYWORDS.values()].filter(
    (kind) => !['number', 'atan2', 'bool', 'on', 'ignoring', 'group_left', 'group_right'].includes(kind),
  ),
);

export function canNameMetric(kind: TokenKind): boolean {
  return METRIC_KINDS.has(kind);
}

/** What may name a label inside `by (…)` and its like: every word but `without`, strangely. */
const LABEL_KINDS: ReadonlySet<string> = new Set(
  ['identifier', 'metric', ...KEYWORDS.values()].filter((kind) => !['number', 'without'].includes(kind)),
);

export function canNameLabel(kind: TokenKind): boolean {
  return LABEL_KINDS.has(kind);
}

/** What an error message calls a token: `<op:+>`, `<by>`, `identifier "foo"`, `end of input`. */
export function describe(token: Token, source: string): string {
  const text = source.slice(token.start, token.end);
  switch (token.kind) {
    case 'end of input':
    case 'error':
      return token.kind;
    case 'identifier':
      return `identifier ${quote(text)}`;
    case 'metric':
      return `metric identifier ${quote(text)}`;
    case 'string':
    case 'number':
    case 'duration':
      return `${token.kind} ${abbreviate(text)}`;
    default:
      if (MODIFIER_KINDS.has(token.kind)) return `<${text}>`;
      if (OPERATOR_KINDS.has(token.kind)) return `<op:${text}>`;
      if (AGGREGATE_KINDS.has(token.kind)) return `<aggr:${text}>`;
      return quote(text);
  }
}

function abbreviate(text: string): string {
  return utf8Length(text) > 10 ? `${quote([...text].slice(0, 10).join(''))}...` : quote(text);
}
