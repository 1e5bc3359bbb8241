// Random PromQL: printing and parsing agree, and nothing but a ParseError is ever thrown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { FUNCTIONS } from '../../src/promql/functions.js';
import { childrenOf, type Expr } from '../../src/promql/syntax/ast.js';
import { ParseError } from '../../src/promql/syntax/errors.js';
import { format } from '../../src/promql/syntax/format.js';
import { toJson } from '../../src/promql/syntax/json.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../src/promql/syntax/parse.js';
import { prettify } from '../../src/promql/syntax/prettify.js';
import { shapeOf } from '../support/promql.js';
import { ExpressionGenerator } from '../support/promql-generator.js';

const SEED = 42;

function generator(): ExpressionGenerator {
  return new ExpressionGenerator(new Prng(SEED), [...FUNCTIONS.values()]);
}

function parse(text: string): Expr | undefined {
  try {
    return parseExpr(text, ALL_PARSE_OPTIONS);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw new Error(`not a ParseError: ${JSON.stringify(text)}`, { cause: error });
  }
}

test('promql: what is printed reads as the same tree', () => {
  const expressions = generator();
  let parsed = 0;
  for (let i = 0; i < 2000; i++) {
    const text = expressions.expression();
    const expr = parse(text);
    if (expr === undefined) continue;
    parsed++;
    for (const print of [format, prettify, (tree: Expr) => prettify(tree, 10)]) {
      const printed: string = print(expr);
      const again = parse(printed);
      assert.ok(again, `does not parse any more: ${printed}`);
      assert.deepEqual(shapeOf(again), shapeOf(expr), `${text}\n${printed}`);
      assert.equal(format(again), format(expr));
    }
  }
  assert.ok(parsed > 1000, `only ${parsed} of them parse`);
});

test('promql: positions lie inside of each other and of the text', () => {
  const expressions = generator();
  const check = (expr: Expr, start: number, end: number, text: string): void => {
    const { pos } = expr;
    assert.ok(start <= pos.start && pos.start < pos.end && pos.end <= end, `${JSON.stringify(pos)} in ${text}`);
    for (const part of childrenOf(expr)) check(part, pos.start, pos.end, text);
  };
  for (let i = 0; i < 1000; i++) {
    const text = expressions.expression();
    const expr = parse(text);
    if (expr !== undefined) check(expr, 0, text.length, text);
  }
});

test('promql: damaged text is parsed or refused, whatever it is', () => {
  const expressions = generator();
  for (let i = 0; i < 4000; i++) {
    const expr = parse(expressions.damaged(expressions.expression()));
    if (expr !== undefined) JSON.stringify(toJson(expr));
  }
});

test('promql: every cut of a text is parsed or refused', () => {
  const text = `sum by ("a.b", le) (rate(x{a=~"b|\\\\d",c!='\\u00e9'}[5m:step()+1] @ end() offset -1h)) > bool on(a) group_left(b) -y * 0x1F`;
  assert.ok(parse(text));
  for (let end = 0; end < text.length; end++) parse(text.slice(0, end));
  for (let start = 0; start < text.length; start++) parse(text.slice(start));
});
