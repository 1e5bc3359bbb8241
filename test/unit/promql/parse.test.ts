// PromQL text to trees and to errors, in tables. The differential test in test/e2e
// holds the same parser against the real Prometheus.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expr } from '../../../src/promql/syntax/ast.js';
import { lineColumn, ParseError } from '../../../src/promql/syntax/errors.js';
import { format, formatOperator } from '../../../src/promql/syntax/format.js';
import { NESTING_MAX, TREE_HEIGHT_MAX } from '../../../src/promql/syntax/limits.js';
import {
  ALL_PARSE_OPTIONS,
  DEFAULT_PARSE_OPTIONS,
  parseExpr,
  parseSelector,
} from '../../../src/promql/syntax/parse.js';
import { prettify } from '../../../src/promql/syntax/prettify.js';

const parse = (text: string) => parseExpr(text, ALL_PARSE_OPTIONS);

/** The text with every operator in brackets of its own, so that grouping shows. */
function grouped(expr: Expr): string {
  switch (expr.kind) {
    case 'binary':
      return `⟨${grouped(expr.left)} ${formatOperator(expr)} ${grouped(expr.right)}⟩`;
    case 'unary':
      return `⟨${expr.op}${grouped(expr.expr)}⟩`;
    default:
      return format(expr);
  }
}

function errorOf(text: string, options = ALL_PARSE_OPTIONS): ParseError {
  try {
    parseExpr(text, options);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  return assert.fail(`parses: ${text}`);
}

test('parse: operators group as they bind', () => {
  const rows: [string, string][] = [
    ['a + b * c', '⟨a + ⟨b * c⟩⟩'],
    ['a * b + c', '⟨⟨a * b⟩ + c⟩'],
    ['a - b - c', '⟨⟨a - b⟩ - c⟩'],
    ['a ^ b ^ c', '⟨a ^ ⟨b ^ c⟩⟩'],
    ['a * b % c atan2 d / e', '⟨⟨⟨⟨a * b⟩ % c⟩ atan2 d⟩ / e⟩'],
    ['a or b and c unless d', '⟨a or ⟨⟨b and c⟩ unless d⟩⟩'],
    ['a + b == c and d', '⟨⟨⟨a + b⟩ == c⟩ and d⟩'],
    ['a </ b + c >/ d', '⟨⟨a </ ⟨b + c⟩⟩ >/ d⟩'],
    ['-1 ^ 2', '⟨-⟨1 ^ 2⟩⟩'],
    ['-a * b', '⟨⟨-a⟩ * b⟩'],
    ['-a ^ b', '⟨-⟨a ^ b⟩⟩'],
    ['a ^ -b ^ c', '⟨a ^ ⟨-⟨b ^ c⟩⟩⟩'],
    ['a ^ -b * c', '⟨⟨a ^ ⟨-b⟩⟩ * c⟩'],
    ['2 - -1', '⟨2 - -1⟩'],
    ['--1', '1'],
    ['+-+1', '-1'],
    ['a + b offset 5m', '⟨a + b offset 5m⟩'],
    ['-x @ 3', '⟨-x @ 3.000⟩'],
    ['a unless b @ start()', '⟨a unless b @ start()⟩'],
    ['a / sum_over_time(b[5m:])', '⟨a / sum_over_time(b[5m:])⟩'],
    ['a offset 5m - b', '⟨a offset 5m - b⟩'],
    ['a offset -1 ^ 2', '⟨a offset -1s ^ 2⟩'],
    ['a offset -(5m) - b', '⟨a offset -(5m) - b⟩'],
    ['a offset step() - b', '⟨a offset step() - b⟩'],
    ['a offset (5m) - 1', 'a offset (5m) - 1'],
    ['a offset --5 - 1', 'a offset (5 - 1)'],
    ['sum by (x) (a) + b', '⟨sum by (x) (a) + b⟩'],
  ];
  for (const [text, want] of rows) {
    assert.deepEqual([text, grouped(parse(text))], [text, want]);
  }
});

test('parse: what is printed of an expression', () => {
  const rows: [string, string][] = [
    // Numbers, durations, strings.
    ['0x1F', '31'],
    ['017', '15'],
    ['018', '18'],
    ['1_000.5e-1_0', '0.00000010005'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['iNf', '+Inf'],
    ['-NaN', 'NaN'],
    ['1e21', '1000000000000000000000'],
    ['90m', '1h30m'],
    ['-7d', '-1w'],
    ['1s1ms', '1s1ms'],
    ["'it\\'s'", '"it\'s"'],
    ['`a\\b"`', '"a\\\\b\\""'],
    [String.raw`"\x41\102\u00e9\U0001F600\xc3\xa9\t\a"`, '"ABé😀é\\t\\a"'],
    // Selectors.
    ['up', 'up'],
    ['a:b:c', 'a:b:c'],
    ['{job="x"}', '{job="x"}'],
    ['up{b!="1",a=~"x|y",}', 'up{a=~"x|y",b!="1"}'],
    ['{"up"}', '{__name__="up"}'],
    ['{"up.time", "a.b"!~"c", d="e"}', '{"a.b"!~"c",__name__="up.time",d="e"}'],
    ['{__name__=~"a.*", __name__!="ab"}', '{__name__!="ab",__name__=~"a.*"}'],
    ['up{}', 'up'],
    ['sum', 'sum'],
    ['by + offset offset 1m', 'by + offset offset 1m'],
    ['fill + fill_left', 'fill + fill_left'],
    ['start + end @ end()', 'start + end @ end()'],
    ['step{range="1"}[5m]', 'step{range="1"}[5m]'],
    ['a # a comment\n + b # one more', 'a + b'],
    // Modifiers.
    ['a[5m] offset 1h @ 3', 'a[5m] @ 3.000 offset 1h'],
    ['a @ -1.5 offset -1w', 'a @ -1.500 offset -1w'],
    ['a @ 5m', 'a @ 300.000'],
    ['a[90s]', 'a[1m30s]'],
    ['a[1.5]', 'a[1s500ms]'],
    ['a[5m] anchored', 'a[5m] anchored'],
    ['a smoothed offset 1m', 'a smoothed offset 1m'],
    ['rate(a[5m])[1h:] @ end() offset 1m', 'rate(a[5m])[1h:] @ end() offset 1m'],
    ['(a)[1h:5m]', '(a)[1h:5m]'],
    // Duration expressions.
    ['a[step() * 2]', 'a[step() * 2]'],
    ['a[(5m + 1) ^ 2:max_of(step(), 10s)]', 'a[(5m + 1) ^ 2:max_of(step(), 10s)]'],
    ['a offset (-1 ^ 2)', 'a offset (-1 ^ 2)'],
    ['a offset (5m * 2)[1h]', 'a[1h] offset (5m * 2)'],
    ['a offset (0s)[1h]', 'a[1h] offset (0s)'],
    ['a offset (0s) offset 5m', 'a offset 5m'],
    ['a @ start() [1h]', 'a[1h] @ start()'],
    ['a[(5m)]', 'a[(5m)]'],
    ['a[- -5m]', 'a[5m]'],
    ['a[RANGE() - 1]', 'a[range() - 1]'],
    // Calls and aggregations.
    ['time()', 'time()'],
    ['label_replace(a,"b","c","d","e")', 'label_replace(a, "b", "c", "d", "e")'],
    ['sum (a) BY (x,y,)', 'sum by (x, y) (a)'],
    ['sum without() (a)', 'sum without () (a)'],
    ['avg by () (a)', 'avg(a)'],
    ['topk by (by, "a.b") (5, a)', 'topk by (by, "a.b") (5, a)'],
    ['count_values("x", a)', 'count_values("x", a)'],
    ['max_of(1, 2) + step()', 'max_of(1, 2) + step()'],
    ['info(a, {k=~".*"})', 'info(a, {k=~".*"})'],
    // Matching.
    ['a + on() b', 'a + on () b'],
    ['a + ignoring() b', 'a + b'],
    ['a > bool on(x) group_left(y, "z z") b', 'a > bool on (x) group_left (y, "z z") b'],
    ['a / ignoring(x) group_right b', 'a / ignoring (x) group_right () b'],
    ['a and on(x) b', 'a and on (x) b'],
    ['a + fill(0) b', 'a + fill (0) b'],
    ['a + on(x) fill_right(1e6) fill_left(-5m) b', 'a + on (x) fill_left (-300) fill_right (1e+06) b'],
    ['1 < bool 2', '1 < bool 2'],
  ];
  for (const [text, want] of rows) assert.deepEqual([text, format(parse(text))], [text, want]);
});

test('parse: errors, in the words and at the place of Prometheus', () => {
  const rows: [string, string][] = [
    ['', 'unknown position: parse error: no expression found in input'],
    [' # nothing', '1:1: parse error: no expression found in input'],
    // Syntax.
    ['a and', '1:6: parse error: unexpected end of input'],
    ['a b', '1:3: parse error: unexpected identifier "b"'],
    ['a\n  + "é" ) b', "2:11: parse error: unexpected right parenthesis ')'"],
    ['"é" b', '1:6: parse error: unexpected identifier "b"'],
    ['*1', '1:1: parse error: unexpected <op:*>'],
    ['(1', '1:3: parse error: unclosed left parenthesis'],
    ['1 !~ 1', "1:3: parse error: unexpected character after '!': '~'"],
    ['1 =~ 1', "1:3: parse error: unexpected character after '=': '~'"],
    ['$', "1:1: parse error: unexpected character: '$'"],
    ['a}', "1:2: parse error: unexpected character: '}'"],
    ['MIN keep (a)', '1:5: parse error: unexpected identifier "keep"'],
    ['sum(a b)', '1:7: parse error: unexpected identifier "b" in aggregation'],
    ['sum(abs(a b))', '1:11: parse error: unexpected identifier "b" in aggregation'],
    ['abs(a b)', '1:7: parse error: unexpected identifier "b"'],
    ['sum by (x) a', '1:12: parse error: unexpected identifier "a" in aggregation'],
    ['sum by x (a)', '1:8: parse error: unexpected identifier "x" in grouping opts, expected "("'],
    ['sum by (x y) (a)', '1:11: parse error: unexpected identifier "y" in grouping opts, expected "," or ")"'],
    ['sum by (==) (a)', '1:9: parse error: unexpected <op:==> in grouping opts, expected label'],
    ['sum by (without) (a)', '1:9: parse error: unexpected <without> in grouping opts, expected label'],
    ['sum by ("") (a)', '1:9: parse error: invalid label name for grouping: ""'],
    ['sum(a,)', '1:6: parse error: trailing commas not allowed in function call args'],
    ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
    ['topk(a)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1'],
    ['a + group_left b', '1:5: parse error: unexpected <group_left>'],
    ['a{', '1:3: parse error: unexpected end of input inside braces'],
    ['a{b}', '1:4: parse error: unexpected "}" in label matching, expected label matching operator'],
    ['a{b=}', '1:5: parse error: unexpected "}" in label matching, expected string'],
    ['a{b="c" d="e"}', '1:9: parse error: unexpected identifier "d" in label matching, expected "," or "}"'],
    ['a{,}', '1:3: parse error: unexpected "," in label matching, expected identifier or "}"'],
    ['a{b=~"("}', '1:3: parse error: error parsing regexp: missing closing ): `(`'],
    ['a{1="b"}', "1:3: parse error: unexpected character inside braces: '1'"],
    ['a[', '1:3: parse error: unexpected end of input in duration expression'],
    ['a[5m', '1:5: parse error: unclosed left bracket'],
    [
      'a[]',
      '1:3: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    ['a[5m)', "1:6: parse error: unexpected right parenthesis ')'"],
    ['(a[5m)', '1:6: parse error: unexpected ")" in subquery or range, expected ":" or "]"'],
    [
      '(a[5m:)',
      '1:7: parse error: unexpected ")" in subquery selector, expected number, duration, step(), range(), or "]"',
    ],
    ['(a[5m:5m)', '1:9: parse error: unexpected ")" in subquery selector, expected "]"'],
    ['a[5m:1m:1m]', "1:8: parse error: unexpected colon ':'"],
    ['a[x]', "1:3: parse error: unexpected character in duration expression: 'x'"],
    ['a[5m x]', "1:6: parse error: unexpected character: 'x', expected ':'"],
    ['a[0]', '1:3: parse error: duration must be greater than 0'],
    ['a[-5m]', '1:3: parse error: duration must be greater than 0'],
    ['a[5m/0]', '1:5: parse error: division by zero'],
    ['a[5m%0]', '1:5: parse error: modulo by zero'],
    ['a[1e10]', '1:3: parse error: duration out of range'],
    ['a[5mm]', '1:3: parse error: bad number or duration syntax: "5mm"'],
    ['a[5m1h]', '1:3: parse error: not a valid duration string: "5m1h"'],
    ['a[5y1hs]', '1:3: parse error: unknown unit "hs" in duration "5y1hs"'],
    ['a[5m][5m]', '1:6: parse error: ranges only allowed for vector selectors'],
    ['a offset 1m[5m]', '1:12: parse error: no offset modifiers allowed before range'],
    ['a offset -(1m)[5m]', '1:15: parse error: no offset modifiers allowed before range'],
    ['a @ 1[5m]', '1:6: parse error: no @ modifiers allowed before range'],
    ['a offset', '1:9: parse error: unexpected end of input in offset, expected number, duration, step(), or range()'],
    [
      '1 offset 1m',
      '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    ['a offset 1m offset 1m', '1:1: parse error: offset may not be set multiple times'],
    ['a @', '1:4: parse error: unexpected end of input in @, expected timestamp'],
    ['a @ start', '1:10: parse error: unexpected end of input in @, expected timestamp'],
    ['a @ 1 @ end()', '1:1: parse error: @ <timestamp> may not be set multiple times'],
    ['a @ Inf', '1:1: parse error: timestamp out of bounds for @ modifier: +Inf'],
    ['a @ 1e20', '1:1: parse error: timestamp out of bounds for @ modifier: 100000000000000000000.000000'],
    ['a anchored smoothed', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
    ['a[5m:] anchored', '1:1: parse error: anchored modifier is not supported for subqueries'],
    ['nope(a)', '1:1: parse error: unknown function with name "nope"'],
    ['1 + 0deadbeef', '1:5: parse error: bad number or duration syntax: "0de"'],
    ['2.5.', '1:1: parse error: bad number or duration syntax: "2.5."'],
    ['1e400', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range'],
    ['"a', '1:1: parse error: unterminated quoted string'],
    ['`a', '1:1: parse error: unterminated raw string'],
    ['"\\c"', "1:1: parse error: unknown escape sequence U+0063 'c'"],
    ['"\\x."', "1:1: parse error: illegal character U+002E '.' in escape sequence"],
    ['"\\', '1:1: parse error: escape sequence not terminated'],
    ['"\\ud800"', '1:1: parse error: escape sequence is an invalid Unicode code point'],
    ['"\ufffd"', '1:1: parse error: invalid UTF-8 rune'],
    // Types.
    ['"a" + 1', '1:1: parse error: binary expression must contain only scalar and instant vector types'],
    ['a + b[5m]', '1:5: parse error: binary expression must contain only scalar and instant vector types'],
    ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['a + bool b', '1:3: parse error: bool modifier can only be used on comparison operators'],
    ['1 and a', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['a and on(x) group_left b', '1:1: parse error: no grouping allowed for "and" operation'],
    ['a + on(x) group_left(x) b', '1:3: parse error: label "x" must not occur in ON and GROUP clause at once'],
    ['a + on(x) 1', '1:1: parse error: vector matching only allowed between instant vectors'],
    ['a + fill(1) 1', '1:1: parse error: filling in missing series only allowed between instant vectors'],
    ['a and fill(1) b', '1:1: parse error: filling in missing series not allowed for set operators'],
    [
      '-"a"',
      '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
    ],
    ['1[5m:]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
    ['rate(a)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
    ['floor()', '1:1: parse error: expected 1 argument(s) in call to "floor", got 0'],
    ['round()', '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
    ['hour(a, a)', '1:1: parse error: expected at most 1 argument(s) in call to "hour", got 2'],
    ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
    ['topk(a, a)', '1:6: parse error: expected type scalar in aggregation parameter, got instant vector'],
    ['count_values(1, a)', '1:14: parse error: expected type string in aggregation parameter, got scalar'],
    ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['{a=~".*", b=""}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['a{__name__="b"}', '1:1: parse error: metric name must not be set twice: "a" or "b"'],
    ['info(a, b)', '1:9: parse error: expected label selectors only, got vector selector instead'],
    ['info(a, sum(b))', '1:9: parse error: expected label selectors only'],
  ];
  for (const [text, want] of rows) assert.deepEqual([text, errorOf(text).message], [text, want]);
});

test('parse: features that are off by default', () => {
  const rows: [string, string][] = [
    [
      'limitk(1, a)',
      '1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    ['step()', '1:1: parse error: function "step" is not enabled'],
    ['a smoothed', '1:1: parse error: smoothed modifier is experimental and not enabled'],
    ['a + fill(1) b', '1:1: parse error: binop fill modifiers are experimental and not enabled'],
  ];
  for (const [text, want] of rows) assert.deepEqual([text, errorOf(text, DEFAULT_PARSE_OPTIONS).message], [text, want]);
  assert.doesNotThrow(() => parseExpr('a[step() + 1]'));
  const strict = { ...ALL_PARSE_OPTIONS, durationExpressions: false };
  assert.match(errorOf('a[1 + 1]', strict).message, /1:3: .*experimental duration expression is not enabled/);
});

test('parse: positions', () => {
  const expr = parse('  sum(rate(a{b="c"}[5m] offset 1h)) by (d) / -b');
  assert.equal(expr.kind, 'binary');
  const spans: string[] = [];
  const text = '  sum(rate(a{b="c"}[5m] offset 1h)) by (d) / -b';
  const visit = (node: Expr): void => {
    spans.push(text.slice(node.pos.start, node.pos.end));
    if (node.kind === 'binary') [node.left, node.right].forEach(visit);
    else if (node.kind === 'aggregate' || node.kind === 'unary') visit(node.expr);
    else if (node.kind === 'call') node.args.forEach(visit);
    else if (node.kind === 'matrixSelector') visit(node.vector);
  };
  visit(expr);
  assert.deepEqual(spans, [
    'sum(rate(a{b="c"}[5m] offset 1h)) by (d) / -b',
    'sum(rate(a{b="c"}[5m] offset 1h)) by (d)',
    'rate(a{b="c"}[5m] offset 1h)',
    'a{b="c"}[5m] offset 1h',
    'a{b="c"}',
    '-b',
    'b',
  ]);
  assert.deepEqual(lineColumn('é\n😀b', 4), { line: 2, column: 5 });
});

test('parse: limits hold, and quickly', () => {
  const rows: [string, RegExp][] = [
    ['('.repeat(100_000), /nested too deeply/],
    [`abs(${'1,'.repeat(30_000)}`, /too many tokens/],
    [`${'('.repeat(40_000)}1`, /nested too deeply/],
    ['('.repeat(NESTING_MAX + 1), /nested too deeply/],
    ['abs('.repeat(25_000), /nested too deeply/],
    ['-'.repeat(25_000), /nested too deeply/],
    ['1^'.repeat(20_000), /nested too deeply/],
    [`a[${'('.repeat(20_000)}`, /nested too deeply/],
    [`a${'+a'.repeat(TREE_HEIGHT_MAX)}`, /too many operators/],
    [`a[1${'+1'.repeat(TREE_HEIGHT_MAX + 1)}]`, /too many operators/],
    [`a${'[1m:]'.repeat(8_000)}`, /too many operators/],
    [`{a="${'x'.repeat(1_000_000)}"}`, /query is too long/],
  ];
  for (const [text, want] of rows) assert.match(errorOf(text).message, want);
  const nested = `${'('.repeat(NESTING_MAX - 1)}a${')'.repeat(NESTING_MAX - 1)}`;
  assert.equal(format(parse(nested)), nested);
  const chain = `a${' or a'.repeat(TREE_HEIGHT_MAX - 1)}`;
  assert.equal(format(parse(chain)), chain);
  assert.equal(prettify(parse(chain)).replace(/\s+/g, ' ').trim(), chain);
});

test('parse: selectors alone', () => {
  assert.deepEqual(parseSelector('up{a!="b"}'), [
    { name: 'a', op: '!=', value: 'b' },
    { name: '__name__', op: '=', value: 'up' },
  ]);
  assert.deepEqual(parseSelector('{}'), []);
  assert.throws(() => parseSelector('up[5m]'), /1:3: parse error: unexpected "\["/);
  assert.throws(() => parseSelector('1'), /1:1: parse error: unexpected number "1"/);
  assert.throws(() => parseSelector(''), /unknown position: parse error: unexpected end of input/);
});

test('prettify: long expressions are split, parts that fit are not', () => {
  const long = 'http_requests_total{job="api-server",instance="0",group="production",region="eu-west"}';
  const rows: [string, string][] = [
    ['sum(a)', 'sum(a)'],
    [
      `sum by (job) (rate(${long}[5m])) / 2`,
      `  sum by (job) (
    rate(http_requests_total{group="production",instance="0",job="api-server",region="eu-west"}[5m])
  )
/
  2`,
    ],
    [
      `topk(5, (-${long} offset 5m) + on (a) group_left (b) c)`,
      `topk(
  5,
    (-http_requests_total{group="production",instance="0",job="api-server",region="eu-west"} offset 5m)
  + on (a) group_left (b)
    c
)`,
    ],
  ];
  for (const [text, want] of rows) assert.equal(prettify(parse(text)), want);
});

test('parse: regular expressions of a query are bounded together', () => {
  const matchers = (count: number) => Array.from({ length: count }, (_, i) => `a=~"[x]{900}[${i}-9]y*"`).join(',');
  assert.doesNotThrow(() => parse(`{${matchers(10)}}`));
  assert.match(
    errorOf(`{${matchers(10)},a=~"z{1000}"}`).message,
    /^1:212: parse error: regular expressions of the query are too large together: some 1\d{4} steps, at most 10000 are allowed$/,
  );
});
