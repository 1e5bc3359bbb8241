// The parts of the language that are younger than the Prometheus at hand: see the table's head.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParseError } from '../../../src/promql/syntax/errors.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../src/promql/syntax/parse.js';
import { prettify } from '../../../src/promql/syntax/prettify.js';
import { newerTexts } from '../../support/promql-corpus.js';

test('promql: what is newer than 3.5', () => {
  const rows = newerTexts();
  assert.ok(rows.length > 150);
  for (const { text, printed, refused } of rows) {
    const want = refused === undefined ? printed : `refused: ${refused}`;
    assert.deepEqual([text, said(text)], [text, want]);
  }
});

function said(text: string): string {
  try {
    return prettify(parseExpr(text, ALL_PARSE_OPTIONS));
  } catch (error) {
    if (error instanceof ParseError) return `refused: ${error.message.replace('parse error: ', '')}`;
    throw error;
  }
}
