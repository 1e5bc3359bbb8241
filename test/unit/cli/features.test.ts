import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureRemarks, queryFeatures } from '../../../src/cli/features.js';
import { ParseError } from '../../../src/promql/syntax/errors.js';
import { parseExpr } from '../../../src/promql/syntax/parse.js';

const NONE = {
  parse: {
    experimentalFunctions: false,
    durationExpressions: true,
    extendedRangeSelectors: false,
    fillModifiers: false,
  },
  delayedNames: false,
  perStepStats: false,
  typeLabels: false,
  startTimestamps: false,
};

test('features: each one changes one thing', () => {
  const rows: [feature: string, change: object][] = [
    ['', {}],
    ['promql-duration-expr', {}],
    ['promql-experimental-functions', { parse: { ...NONE.parse, experimentalFunctions: true } }],
    ['promql-extended-range-selectors', { parse: { ...NONE.parse, extendedRangeSelectors: true } }],
    ['promql-binop-fill-modifiers', { parse: { ...NONE.parse, fillModifiers: true } }],
    ['promql-delayed-name-removal', { delayedNames: true }],
    ['promql-per-step-stats', { perStepStats: true }],
    ['type-and-unit-labels', { typeLabels: true }],
    ['use-start-timestamps', { startTimestamps: true }],
  ];
  for (const [feature, change] of rows) assert.deepEqual(queryFeatures([feature]), { ...NONE, ...change }, feature);
});

test('features: what the log says', () => {
  const names = ['promql-experimental-functions', 'promql-duration-expr', 'old-ui', 'promql-experimental'];
  assert.deepEqual(
    featureRemarks(names).map(({ level, message, option }) => `${level} ${option}: ${message}`),
    [
      'info promql-experimental-functions: Experimental PromQL functions enabled.',
      'warn promql-duration-expr: This option for --enable-feature is now permanently enabled and therefore a no-op.',
      'warn old-ui: This option for --enable-feature has no effect here yet',
      'warn promql-experimental: Unknown option for --enable-feature',
    ],
  );
});

test('features: without its feature a part of the language is refused, with it read', () => {
  const rows: [feature: string, query: string, error: string][] = [
    [
      'promql-experimental-functions',
      'sort_by_label(a, "b")',
      '1:1: parse error: function "sort_by_label" is not enabled',
    ],
    ['promql-experimental-functions', 'info(a)', '1:1: parse error: function "info" is not enabled'],
    [
      'promql-experimental-functions',
      'start_timestamp(a)',
      '1:1: parse error: function "start_timestamp" is not enabled',
    ],
    ['promql-experimental-functions', '1 + step()', '1:5: parse error: function "step" is not enabled'],
    [
      'promql-experimental-functions',
      'limitk(1, a)',
      '1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    [
      'promql-experimental-functions',
      'a + limit_ratio(0.5, a)',
      '1:5: parse error: limit_ratio() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    [
      'promql-extended-range-selectors',
      'rate(a[5m] anchored)',
      '1:6: parse error: anchored modifier is experimental and not enabled',
    ],
    [
      'promql-extended-range-selectors',
      'a smoothed',
      '1:1: parse error: smoothed modifier is experimental and not enabled',
    ],
    [
      'promql-binop-fill-modifiers',
      'a + fill (0) b',
      '1:1: parse error: binop fill modifiers are experimental and not enabled',
    ],
  ];
  for (const [feature, query, error] of rows) {
    const read = (names: string[]) => parseExpr(query, queryFeatures(names).parse);
    assert.throws(
      () => read([]),
      (thrown) => thrown instanceof ParseError && thrown.message === error,
      query,
    );
    assert.doesNotThrow(() => read([feature]), query);
  }
});
