// Texts that try each corner of PromQL's grammar, valid and not: by hand where a
// corner has a shape of its own, by product where two things meet, and random ones
// from a seed. What Prometheus 3.5.3 says to each is in test/testdata/promql/verdicts.jsonl.
//
// The parts by hand are in test/testdata/promql/corpus.txt: `## name`, then one text a
// line, in which ␊ ␍ ␉ ␠ ␀ ⍽ ☡ stand for what a line would not show.

import { Prng } from '../../src/base/prng.js';
import { FUNCTIONS } from '../../src/promql/functions.js';
import { ExpressionGenerator } from './promql-generator.js';
import { readTestdata } from './testdata.js';

const SEED = 20261121;
const RANDOM = 500;

const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
const OPERATORS = [...ARITHMETIC, ...COMPARISONS, 'and', 'or', 'unless'];
const AGGREGATES = ['sum', 'avg', 'count'];
const WITH_PARAMETER = ['topk', 'bottomk', 'count_values', 'quantile', 'limitk', 'limit_ratio'];

const INVISIBLE: ReadonlyMap<string, string> = new Map([
  ['␊', '\n'],
  ['␍', '\r'],
  ['␉', '\t'],
  ['␠', ' '],
  ['␀', '\0'],
  ['⍽', '\u00a0'],
  ['☡', '\ufeff'],
]);

type Parts = ReadonlyMap<string, readonly string[]>;

/** All texts once, in a fixed order. */
export function corpusTexts(): readonly string[] {
  return [...new Set(texts(readParts()))];
}

function readParts(): Parts {
  const sections = readTestdata('promql/corpus.txt').split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name, ...lines] = section.trimEnd().split('\n');
      return [name!, lines.map((line) => line.replace(/[␊␍␉␠␀⍽☡]/g, (sign) => INVISIBLE.get(sign)!))];
    }),
  );
}

function* texts(parts: Parts): Generator<string> {
  const part = (name: string) => parts.get(name)!;
  yield '';
  yield* part('single');
  yield* operators(part('operands'));
  yield* literals(part('numbers'), part('strings'));
  for (const matchers of part('matchers')) yield* [`a{${matchers}}`, `{${matchers}}`];
  for (const grouping of part('groupings')) {
    yield* [`sum by ${grouping} (a)`, `sum(a) without ${grouping}`, `a / on ${grouping} b`];
  }
  for (const brackets of part('brackets')) yield* [`a${brackets}`, `rate(a${brackets})`];
  for (const modifier of part('offsets')) yield* [`a ${modifier}`, `a[5m] ${modifier}`, `sum(a[5m:] ${modifier})`];
  for (const matching of part('matchings')) {
    for (const operator of ['+', '==', 'and']) yield `a ${operator} ${matching} b`;
    yield `1 > ${matching} b`;
  }
  for (const rest of part('aggregations')) {
    for (const op of AGGREGATES) yield `${op} ${rest}`;
    for (const op of WITH_PARAMETER) yield `${op}${rest}`;
  }
  yield* words(part('keywords'));
  yield* calls();
  const random = new ExpressionGenerator(new Prng(SEED), [...FUNCTIONS.values()]);
  for (let i = 0; i < RANDOM; i++) {
    const text = random.expression();
    yield i % 2 === 0 ? text : random.damaged(text);
  }
}

function* operators(operands: readonly string[]): Generator<string> {
  for (const first of OPERATORS) {
    for (const second of OPERATORS) yield `a ${first} b ${second} c`;
    yield* [`-a ${first} -b`, `a ${first}`, `${first} a`, `a ${first} bool b`, `1 ${first} bool 2`];
    yield `a ${first.toUpperCase()} b`;
  }
  for (const operator of ['+', '<', 'and']) {
    for (const left of operands) for (const right of operands) yield `${left} ${operator} ${right}`;
  }
  for (const operand of operands) {
    yield* [`-${operand}`, `+${operand}`, `sum(${operand})`, `abs(${operand})`, `rate(${operand})`];
  }
}

function* literals(numbers: readonly string[], strings: readonly string[]): Generator<string> {
  for (const number of numbers) {
    yield* [number, `a + ${number}`, `a @ ${number}`, `a[${number}]`, `a offset ${number}`];
  }
  for (const text of strings) yield* [text, `a{b=${text}}`, `count_values(${text}, a)`];
}

function* words(keywords: readonly string[]): Generator<string> {
  for (const word of keywords) {
    yield* [word, `${word}{a="b"}`, `${word} + 1`, `a + ${word}`, `${word}[5m]`, `sum(${word})`];
    yield* [`sum by (${word}) (a)`, `${word}(a)`];
  }
}

/** Each function with each of some lists of arguments. */
function* calls(): Generator<string> {
  const lists = ['', 'a', 'a[5m]', '1', '"s"', 'a, 1', '1, a[5m]', 'a, "s", "t"', 'a, a', 'a,'];
  for (const { name } of FUNCTIONS.values()) {
    // The parser of 3.5 panics where info() gets something else than selectors.
    for (const args of name === 'info' ? ['', 'a'] : lists) yield `${name}(${args})`;
  }
}

export interface NewerText {
  readonly text: string;
  readonly printed?: string;
  /** Position and message. */
  readonly refused?: string;
}

/** The table of test/testdata/promql/newer.txt: texts of which Prometheus 3.5 knows nothing. */
export function newerTexts(): readonly NewerText[] {
  return readTestdata('promql/newer.txt')
    .split('\n')
    .flatMap((line) => {
      const [, text, sign, said] = /^(.*?) {2}(→|✗) {2}(.*)$/.exec(line) ?? [];
      if (text === undefined) return [];
      return [sign === '→' ? { text, printed: said } : { text, refused: said }];
    });
}
