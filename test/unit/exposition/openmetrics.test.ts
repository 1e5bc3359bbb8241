// OpenMetrics text: what a real Prometheus took of each conformance case, and where it refused; then errors with their words.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { Lines } from '../../../src/exposition/lines.js';
import { OpenMetricsError, OpenMetricsParser } from '../../../src/exposition/openmetrics.js';
import { keyOf, labelsOf, pairsOf } from '../../../src/model/labels.js';
import { formatFloat } from '../../../src/model/number.js';
import { conformance, hasConformance, readConformance } from '../../support/testdata.js';

interface Recorded {
  readonly contentType: string;
  readonly up: number;
  readonly error?: string;
  readonly samples?: readonly { labels: Record<string, string>; value: string; ts: string | number }[];
}

/** All samples of a text as `labels value time`, in their order. Throws OpenMetricsError. */
function samplesOf(text: Uint8Array, pieceBytes = text.length): string[] {
  const parser = new OpenMetricsParser();
  const samples: string[] = [];
  const lines = new Lines((line, isWhole) => {
    if (parser.parse(line, isWhole) !== 'sample') return;
    samples.push(`${keyOf(parser.labels())} ${formatFloat(parser.value)} ${parser.timeMs ?? 'scrape'}`);
  });
  for (let at = 0; at < text.length; at += pieceBytes) lines.push(text.subarray(at, at + pieceBytes));
  lines.end();
  parser.end();
  return samples;
}

const recorded = (hasConformance() ? JSON.parse(readConformance('exposition/SCRAPE-RESULTS.json')) : {}) as Record<
  string,
  Recorded
>;
const cases = Object.entries(recorded).filter(([, { contentType }]) => contentType.includes('openmetrics-text'));

for (const [name, want] of cases) {
  test(`OpenMetrics: ${name}`, () => {
    const path = conformance(`exposition/${name}`);
    const text = readFileSync(name.startsWith('openmetrics/') ? join(path, 'metrics') : path);
    if (want.up === 0) {
      assert.throws(() => samplesOf(text), OpenMetricsError);
      return;
    }
    const found = samplesOf(text);
    assert.deepEqual(samplesOf(text, 7), found);
    if (want.samples === undefined) return;
    const wanted = want.samples.map(
      ({ labels, value, ts }) => `${keyOf(labelsOf(Object.entries(labels)))} ${value} ${ts}`,
    );
    for (const sample of wanted) assert.ok(found.includes(sample), sample);
  });
}

const faults: [text: string, error: string][] = [
  ['', 'data does not end with # EOF'],
  ['a 1\n', 'data does not end with # EOF'],
  ['a 1', 'data does not end with # EOF'],
  ['# EOF\na 1\n', 'unexpected data after # EOF'],
  ['# EOF \n', 'unexpected data after # EOF'],
  ['\n# EOF\n', 'expected a valid start token, got the end of the line while parsing: ""'],
  ['#\n# EOF\n', 'expected a valid start token, got "#" while parsing: "#"'],
  ['# HELP a\n# EOF\n', 'expected text in HELP, got the end of the line while parsing: "# HELP a"'],
  ['# TYPE 1a counter\n# EOF\n', 'expected metric name after TYPE, got "#" while parsing: "#"'],
  ['# TYPE a untyped\n# EOF\n', 'invalid metric type "untyped"'],
  ['# UNIT a_bytes seconds\n# EOF\n', 'unit "seconds" not a suffix of metric "a_bytes"'],
  ['a\n# EOF\n', 'expected value after metric, got the end of the line while parsing: "a"'],
  ['a  1\n# EOF\n', 'expected value after metric, got " " while parsing: "a  "'],
  ['a x\n# EOF\n', 'strconv.ParseFloat: parsing "x": invalid syntax while parsing: "a x"'],
  ['a 1_0\n# EOF\n', 'unsupported character in float while parsing: "a 1_0"'],
  ['a 0x1p3\n# EOF\n', 'unsupported character in float while parsing: "a 0x1p3"'],
  ['a 1e999\n# EOF\n', 'strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999"'],
  ['a 1 NaN\n# EOF\n', 'invalid timestamp NaN'],
  ['a 1 2 3\n# EOF\n', 'expected next entry after timestamp, got " " while parsing: "a 1 2 "'],
  ['a{b="c"\n# EOF\n', 'expected comma or brace close, got the end of the line while parsing: "a{b=\\"c\\""'],
  ['a{b=c}\n# EOF\n', 'expected label value, got "c" while parsing: "a{b=c"'],
  ['a{b}\n# EOF\n', 'expected equal, got "}" while parsing: "a{b}"'],
  ['a{ b="c"} 1\n# EOF\n', 'expected label name, got " " while parsing: "a{ "'],
  ['a{,} 1\n# EOF\n', 'expected label name, got "," while parsing: "a{,"'],
  ['{b="c"} 1\n# EOF\n', 'metric name not set while parsing: "{b=\\"c\\"} 1"'],
  ['a{"b"} 1\n# EOF\n', 'metric name already set while parsing: "a{\\"b\\"} 1"'],
  ['a{b="c",b="d"} 1\n# EOF\n', 'label name "b" is not unique'],
  ['a{b="\xff"} 1\n# EOF\n', 'invalid UTF-8 label value: "ÿ"'],
];

for (const [text, error] of faults) {
  test(`OpenMetrics: ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => samplesOf(Buffer.from(text, 'latin1')), { name: 'OpenMetricsError', message: error });
  });
}

test('OpenMetrics: exemplars, names in quotes, escapes, a trailing comma', () => {
  const parser = new OpenMetricsParser();
  assert.equal(parser.parse('a_bucket{le="1",x="\\\\\\"\\n\\t",} 17 1.5 # {trace="}"} 0.5 1.25'), 'sample');
  assert.deepEqual(
    [...pairsOf(parser.labels())],
    [
      ['__name__', 'a_bucket'],
      ['le', '1'],
      ['x', '\\"\n\\t'],
    ],
  );
  assert.equal(parser.timeMs, 1500);
  assert.deepEqual(parser.exemplar, { labels: '{trace="}"}', value: 0.5, timeMs: 1250 });
  assert.equal(parser.parse('{"a b","l.m"="v"} 1 # {} 2'), 'sample');
  assert.deepEqual(
    [...pairsOf(parser.labels())],
    [
      ['__name__', 'a b'],
      ['l.m', 'v'],
    ],
  );
  assert.equal(parser.timeMs, undefined);
  assert.equal(parser.parse('# TYPE a histogram'), 'type');
  parser.parse('a_bucket{le="1"} 1');
  assert.deepEqual([...pairsOf(parser.labels())][1], ['le', '1.0']);
});

test('OpenMetrics: damage gives an error of ours or other samples, never anything else', () => {
  const prng = new Prng(11);
  const good = Buffer.from(
    '# TYPE a counter\n# HELP a b\na_total{b="c\\"d",e="f"} 1.5 12.25 # {g="h"} 1 2\n{"x y",z="w"} NaN\n# EOF\n',
  );
  for (let round = 0; round < 3000; round++) {
    const text = Buffer.from(good);
    for (let changes = 1 + prng.int(3); changes > 0; changes--)
      text[prng.int(text.length)] = prng.pick([10, 32, 34, 35, 44, 61, 92, 123, 125, prng.int(256)]);
    try {
      samplesOf(text);
    } catch (error) {
      assert.ok(error instanceof OpenMetricsError, `${JSON.stringify(text.toString('latin1'))}: ${error}`);
    }
  }
});
