import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMatcher, compilePattern, formatMatcher, PatternError } from '../../../src/model/matcher.js';
import { analysePattern, type PatternForm } from '../../../src/model/pattern.js';

const literal = (value: string): PatternForm => ({ kind: 'literal', value });
const set = (...values: string[]): PatternForm => ({ kind: 'set', values });
const prefix = (value: string, more = false): PatternForm => ({ kind: 'prefix', value, more });
const suffix = (value: string, more = false): PatternForm => ({ kind: 'suffix', value, more });
const contains = (value: string): PatternForm => ({ kind: 'contains', value });
const regex: PatternForm = { kind: 'regex' };

test('pattern: forms', () => {
  const rows: [string, PatternForm][] = [
    ['', literal('')],
    ['foo', literal('foo')],
    ['^foo$', literal('foo')],
    ['a\\.b', literal('a.b')],
    ['(foo)', literal('foo')],
    ['(?:foo)(bar)', literal('foobar')],
    ['a|b', set('a', 'b')],
    ['a|a', literal('a')],
    ['^a$|^b$', set('a', 'b')],
    ['foo|', set('foo', '')],
    ['(a|b)-(c|d)', set('a-c', 'a-d', 'b-c', 'b-d')],
    ['x(a|b(c|d))y', set('xay', 'xbcy', 'xbdy')],
    ['fo?o', set('foo', 'fo')],
    ['(foo)?', set('foo', '')],
    ['node[1-3x]', set('node1', 'node2', 'node3', 'nodex')],
    ['10[.]0[.]0[.]1:9100', literal('10.0.0.1:9100')],
    ['10[.]0[.].*', prefix('10.0.')],
    ['a[.:/]b', set('a.b', 'a:b', 'a/b')],
    ['a[.-b]', regex],
    ['[[:alpha:]]', regex],
    ['a[0-9]{2}', regex],
    ['.*', { kind: 'any' }],
    ['^.*$', { kind: 'any' }],
    ['.*.*', { kind: 'any' }],
    ['.*?', { kind: 'any' }],
    ['.+', { kind: 'nonEmpty' }],
    ['.*.+', { kind: 'nonEmpty' }],
    ['.+.+', regex],
    ['foo.*', prefix('foo')],
    ['foo.+', prefix('foo', true)],
    ['(?:foo\\/bar).*', prefix('foo/bar')],
    ['.*foo', suffix('foo')],
    ['.+foo', suffix('foo', true)],
    ['.*foo.*', contains('foo')],
    ['.+foo.*', regex],
    ['.*a.*b.*', regex],
    ['a.*|b', regex],
    ['(a|b).*', regex],
    ['foo.', regex],
    ['[^a]', regex],
    ['[a', regex],
    ['\\d', regex],
    ['(?i)foo', regex],
    ['(?P<a>b)', regex],
    ['a**', regex],
    ['a*', regex],
    ['a{2}', regex],
    ['(', regex],
    ['a)', regex],
    ['a|*', regex],
    ['a\\', regex],
    ['(^a)', regex],
    ['a$b', regex],
    ['é?', set('é', '')],
    ['😀?x', set('😀x', 'x')],
    [`${'('.repeat(40)}a${')'.repeat(40)}`, regex],
    ['[0-9][0-9][0-9][0-9]', regex],
  ];
  for (const [pattern, want] of rows) assert.deepEqual([pattern, analysePattern(pattern)], [pattern, want]);
});

test('matcher: the whole value, a newline too, nothing from outside the pattern', () => {
  const rows: ['=' | '!=' | '=~' | '!~', string, string, boolean][] = [
    ['=', 'a', 'a', true],
    ['=', '', '', true],
    ['!=', 'a', '', true],
    ['=~', 'a.c', 'a\nc', true],
    ['=~', 'b', 'abc', false],
    ['=~', '.*b.*', 'a\nb', true],
    ['=~', 'a|bc', 'abc', false],
    ['=~', '(?i)FOO', 'foo', true],
    ['=~', 'x+', 'xxx', true],
    ['=~', '(a+)+b', 'a'.repeat(200), false],
    ['=~', '[^a]', '😀', true],
    ['=~', 'foo.+', 'foo', false],
    ['=~', '(?P<x>a)(?P<x>b)', 'ab', true],
    ['=~', '(?P<x>a)(?P<x>b)', 'aa', false],
    ['=~', 'a.+a', 'aa', false],
    ['!~', 'foo.*', 'foobar', false],
    ['!~', '[0-9]+', '12x', true],
  ];
  for (const [op, value, input, want] of rows) {
    assert.equal(compileMatcher({ name: 'l', op, value })(input), want, `${input} ${op} ${value}`);
  }
});

test('matcher: patterns that would become too large programs are refused at once', () => {
  const rows: [string, boolean][] = [
    ['(a{100}){10}'.repeat(9), true],
    ['(a{100}){10}'.repeat(10), false],
    ['((a{10}){10}b){9}'.repeat(9), true],
    ['((a{10}){10}b){9}'.repeat(12), false],
    ['[a-z]{1000}'.repeat(9), true],
    ['[a-z]{1000}'.repeat(11), false],
    ['a[0-9]'.repeat(4000), true],
    ['a[0-9]'.repeat(6000), false],
    ['\\pL'.repeat(1900), true],
    ['\\pL'.repeat(2100), false],
    ['(a|b.)*'.repeat(900), true],
    ['(a|b.)*'.repeat(2000), false],
    // These need no program.
    ['a|'.repeat(30_000), true],
    ['abc'.repeat(30_000), true],
  ];
  for (const [pattern, taken] of rows) {
    const compile = () => compilePattern(pattern);
    if (taken) assert.doesNotThrow(compile, pattern.slice(0, 30));
    else
      assert.throws(
        compile,
        /^PatternError: error parsing regexp: expression too large: `.{1,103}`: it takes some \d+ steps/,
      );
  }
});

test('matcher: bad patterns are refused with the message of Go', () => {
  const rows: [string, string][] = [
    ['a(', 'missing closing ): `a(`'],
    ['a)', 'unexpected ): `a)`'],
    ['*', 'missing argument to repetition operator: `*`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['[z-a]', 'invalid character class range: `z-a`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['\\8', 'invalid escape sequence: `\\8`'],
  ];
  for (const [pattern, message] of rows) {
    assert.throws(() => compilePattern(pattern), new PatternError(`error parsing regexp: ${message}`), pattern);
  }
});

test('matcher: printed', () => {
  assert.equal(formatMatcher({ name: 'job', op: '=', value: 'a"b\n' }), 'job="a\\"b\\n"');
  assert.equal(formatMatcher({ name: 'a.b', op: '!~', value: '\\d' }), '"a.b"!~"\\\\d"');
});
