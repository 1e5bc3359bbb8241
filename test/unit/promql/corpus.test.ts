// Every query of Prometheus's own test scripts parses, and what is printed of it parses to the same tree.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { format } from '../../../src/promql/syntax/format.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../src/promql/syntax/parse.js';
import { prettify } from '../../../src/promql/syntax/prettify.js';
import { shapeOf } from '../../support/promql.js';
import { conformance, conformanceMissing, hasConformance, readConformance } from '../../support/testdata.js';

interface Query {
  readonly where: string;
  readonly text: string;
  /** Whether it must fail, be it when parsed or evaluated. */
  readonly fails: boolean;
}

const EVAL = /^eval(?:_(\w+))?\s+(?:instant(?:\s+at\s+\S+)?|range\s+from\s+\S+\s+to\s+\S+\s+step\s+\S+)\s+(.+)$/;

function queriesOf(file: string): Query[] {
  const lines = readConformance(`promqltest/testdata/${file}`)
    .split('\n')
    .map((line) => line.trim());
  return lines.flatMap((line, index) => {
    const match = EVAL.exec(line);
    if (match === null) return [];
    const block = lines.slice(
      index + 1,
      lines.findIndex((next, at) => at > index && (next === '' || next.startsWith('#'))),
    );
    const fails = match[1] === 'fail' || block.some((next) => next.startsWith('expect fail'));
    return [{ where: `${file}:${index + 1}`, text: match[2]!, fails }];
  });
}

const queries = hasConformance() ? readdirSync(conformance('promqltest/testdata')).flatMap(queriesOf) : [];

test(`corpus: ${queries.length} queries parse`, { skip: conformanceMissing() }, () => {
  assert.ok(queries.length > 1500);
  for (const { where, text, fails } of queries) {
    if (!fails) assert.doesNotThrow(() => parseExpr(text, ALL_PARSE_OPTIONS), `${where}: ${text}`);
  }
});

test('corpus: printed on one line or many, it is the same tree', { skip: conformanceMissing() }, () => {
  for (const { where, text, fails } of queries) {
    if (fails) continue;
    const expr = parseExpr(text, ALL_PARSE_OPTIONS);
    for (const print of [format, prettify]) {
      const printed = print(expr);
      const again = parseExpr(printed, ALL_PARSE_OPTIONS);
      assert.deepEqual(shapeOf(again), shapeOf(expr), `${where}: ${text}\n${printed}`);
      assert.equal(print(again), printed);
    }
  }
});
