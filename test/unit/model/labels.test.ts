import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { compareStrings, formatLabelSet, formatLabels, type Labels, labelsOf } from '../../../src/model/labels.js';

const printed: [labels: Labels, series: string, set: string][] = [
  [[], '{}', '{}'],
  [['__name__', 'up'], 'up', '{__name__="up"}'],
  [['__name__', 'up', 'job', 'node'], 'up{job="node"}', '{__name__="up", job="node"}'],
  [['a', '1', 'b', '2'], '{a="1", b="2"}', '{a="1", b="2"}'],
  // As Go quotes: not JSON's \b and \u0001, nor DEL and é left or escaped as JSON would.
  [
    ['a', 'q"\\\n\b\u0001\u007f\u00a0é'],
    '{a="q\\"\\\\\\n\\b\\x01\\x7f\\u00a0é"}',
    '{a="q\\"\\\\\\n\\b\\x01\\x7f\\u00a0é"}',
  ],
  [['__name__', 'job:up:sum', 'a.b', 'x'], 'job:up:sum{"a.b"="x"}', '{__name__="job:up:sum", "a.b"="x"}'],
  [['__name__', 'my.up', 'job', 'x'], '{__name__="my.up", job="x"}', '{__name__="my.up", job="x"}'],
];

for (const [labels, series, set] of printed) {
  test(`labels: ${JSON.stringify(labels)} is ${series}`, () => {
    assert.equal(formatLabels(labels), series);
    assert.equal(formatLabelSet(labels), set);
  });
}

test('labels: a set is sorted by bytes, a later pair wins, empty values are dropped', () => {
  const pairs: [string, string][] = [
    ['\u{1f525}', 'fire'],
    ['\uffee', 'half'],
    ['b', '1'],
    ['a', 'x'],
    ['b', '2'],
    ['c', ''],
  ];
  assert.deepEqual(labelsOf(pairs), ['a', 'x', 'b', '2', '\uffee', 'half', '\u{1f525}', 'fire']);
  assert.ok(compareStrings('\uffee', '\u{1f525}') < 0);
});

test('labels: sets of any size are sorted', () => {
  const prng = new Prng(7);
  for (let count = 0; count < 80; count++) {
    const pairs = Array.from({ length: count }, (_, i): [string, string] => [
      `n${prng.int(60)}`,
      i % 9 === 0 ? '' : `${i}`,
    ]);
    const want = [...new Map(pairs)].filter(([, value]) => value !== '').sort(([a], [b]) => compareStrings(a, b));
    assert.deepEqual(labelsOf(pairs), want.flat());
    assert.deepEqual(labelsOf(new Map(pairs)), want.flat());
  }
});
