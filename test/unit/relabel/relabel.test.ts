import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Labels, labelsOf } from '../../../src/model/labels.js';
import { PatternError } from '../../../src/model/matcher.js';
import type { NameScheme } from '../../../src/model/names.js';
import { expand, Pattern } from '../../../src/relabel/pattern.js';
import { relabel, traceRelabel } from '../../../src/relabel/relabel.js';
import { faultOf, relabelRule } from '../../../src/relabel/rule.js';

type Given = Parameters<typeof relabelRule>[0];
const labels = (record: Record<string, string>): Labels => labelsOf(Object.entries(record));

const cases: [name: string, input: Record<string, string>, rules: Given[], want: Record<string, string> | 'dropped'][] =
  [
    ['no rules', { a: '1' }, [], { a: '1' }],
    ['replace copies', { a: '1' }, [{ sourceLabels: ['a'], targetLabel: 'b' }], { a: '1', b: '1' }],
    ['replace deletes', { a: '1', b: '2' }, [{ targetLabel: 'b', replacement: '' }], { a: '1' }],
    [
      'replace joins',
      { a: '1', b: '2' },
      [{ sourceLabels: ['a', 'b'], targetLabel: 'c' }],
      { a: '1', b: '2', c: '1;2' },
    ],
    [
      'replace with names and templated target',
      { a: 'k=v' },
      [{ sourceLabels: ['a'], regex: '(?P<key>\\w+)=(.*)', targetLabel: 'x_${key}', replacement: '<${2}>' }],
      { a: 'k=v', x_k: '<v>' },
    ],
    ['replace skips an empty target', { a: '' }, [{ sourceLabels: ['a'], targetLabel: '$1', replacement: 'x' }], {}],
    [
      'replace does not match a part',
      { a: 'xay' },
      [{ sourceLabels: ['a'], regex: 'a', targetLabel: 'b' }],
      { a: 'xay' },
    ],
    ['keep', { a: '1' }, [{ action: 'keep', sourceLabels: ['a'], regex: '1|2' }], { a: '1' }],
    ['keep not', { a: '3' }, [{ action: 'keep', sourceLabels: ['a'], regex: '1|2' }], 'dropped'],
    ['drop', { a: '1' }, [{ action: 'drop', sourceLabels: ['a'], regex: '\\d' }], 'dropped'],
    ['drop not', { a: '11' }, [{ action: 'drop', sourceLabels: ['a'], regex: '\\d' }], { a: '11' }],
    ['drop by a missing label', { a: '1' }, [{ action: 'drop', sourceLabels: ['b'], regex: '' }], 'dropped'],
    ['nothing after a drop', { a: '1' }, [{ action: 'drop' }, { targetLabel: 'b', replacement: 'x' }], 'dropped'],
    [
      'keepequal',
      { a: '1', b: '1' },
      [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }],
      { a: '1', b: '1' },
    ],
    ['keepequal not', { a: '1', b: '2' }, [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }], 'dropped'],
    ['dropequal', { a: '1', b: '1' }, [{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }], 'dropped'],
    [
      'dropequal of two missing',
      { c: '1' },
      [{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }],
      'dropped',
    ],
    [
      'hashmod',
      { a: 'foo\nbar' },
      [{ action: 'hashmod', sourceLabels: ['a'], targetLabel: 'h', modulus: 1000n }],
      { a: 'foo\nbar', h: '734' },
    ],
    [
      'labelmap',
      { my_a: '1', my_b: '2', c: '3' },
      [{ action: 'labelmap', regex: 'my_(.*)' }],
      { my_a: '1', my_b: '2', c: '3', a: '1', b: '2' },
    ],
    [
      'labelmap: the last wins',
      { a1: 'x', a2: 'y' },
      [{ action: 'labelmap', regex: '(a).' }],
      { a: 'y', a1: 'x', a2: 'y' },
    ],
    [
      'labelmap: a label set before comes last',
      { a1: 'x', a2: 'y' },
      [
        { targetLabel: 'a1', replacement: 'z' },
        { action: 'labelmap', regex: '(a).' },
      ],
      { a: 'z', a1: 'z', a2: 'y' },
    ],
    ['labelmap to no name', { a: '1' }, [{ action: 'labelmap', replacement: '$2' }], { a: '1' }],
    ['labeldrop', { a: '1', ab: '2', b: '3' }, [{ action: 'labeldrop', regex: 'a.*' }], { b: '3' }],
    ['labelkeep', { a: '1', ab: '2', b: '3' }, [{ action: 'labelkeep', regex: 'a.*' }], { a: '1', ab: '2' }],
    [
      'lowercase',
      { a: 'FoO ÄÖ Σ İ' },
      [{ action: 'lowercase', sourceLabels: ['a'], targetLabel: 'b' }],
      { a: 'FoO ÄÖ Σ İ', b: 'foo äö σ i' },
    ],
    [
      'uppercase',
      { a: 'foo ß ᾳ ᾇ ﬁ' },
      [{ action: 'uppercase', sourceLabels: ['a'], targetLabel: 'b' }],
      { a: 'foo ß ᾳ ᾇ ﬁ', b: 'FOO ß ᾼ ᾏ ﬁ' },
    ],
    [
      'an evil pattern stays linear',
      { a: 'a'.repeat(50_000) },
      [{ action: 'drop', sourceLabels: ['a'], regex: '(a+)+b' }],
      { a: 'a'.repeat(50_000) },
    ],
  ];
for (const [name, input, rules, want] of cases) {
  test(`relabel: ${name}`, () => {
    const before = labels(input);
    const got = relabel(before, rules.map(relabelRule));
    assert.deepEqual(got, want === 'dropped' ? undefined : labels(want));
    assert.deepEqual(before, labels(input));
  });
}

test('relabel: a target name must be valid in the scheme asked for', () => {
  const rules = [relabelRule({ sourceLabels: ['a'], targetLabel: '$1', replacement: 'x' })];
  const input = labels({ a: 'größe' });
  assert.deepEqual(relabel(input, rules, { scheme: 'utf8' }), labels({ a: 'größe', größe: 'x' }));
  assert.deepEqual(relabel(input, rules, { scheme: 'legacy' }), input);
});

test('trace: each step, and nothing behind the drop', () => {
  const rules = [
    { targetLabel: 'b', replacement: '2' },
    { action: 'drop' },
    { targetLabel: 'c', replacement: '3' },
  ] as const;
  const steps = traceRelabel(labels({ a: '1' }), rules.map(relabelRule));
  assert.deepEqual(
    steps.map(({ rule, output }) => [rule.action, output]),
    [
      ['replace', labels({ a: '1', b: '2' })],
      ['drop', undefined],
    ],
  );
});

const templates: [template: string, want: string][] = [
  ['plain', 'plain'],
  ['$1', 'one'],
  ['${1}', 'one'],
  ['$1x', ''],
  ['${1}x', 'onex'],
  ['$word/${word}', 'two/two'],
  ['$nope', ''],
  ['$3', ''],
  ['$9', ''],
  ['$0', 'one-two'],
  ['$$1', '$1'],
  ['$$$1', '$one'],
  ['$', '$'],
  ['$-', '$-'],
  ['${1', '${1'],
  ['${}', '${}'],
  ['${1-}', '${1-}'],
  ['a$', 'a$'],
];
for (const [template, want] of templates) {
  test(`expand: ${template} → ${want}`, () => {
    const match = new Pattern('(\\w+)-(?P<word>\\w+)(x)?').match('one-two')!;
    assert.equal(expand(template, match), want);
  });
}

test('pattern: of groups of one name the first that took part is meant', () => {
  const pattern = new Pattern('(?P<x>a)|(?<x>b)(?P<y>c)');
  assert.equal(expand('$x-$y', pattern.match('a')!), 'a-');
  assert.equal(expand('$x-$y', pattern.match('bc')!), 'b-c');
});

test('pattern: shortcuts answer as the engine does', () => {
  const engine = (source: string) => new Pattern(`(?:${source})`);
  for (const source of ['', 'a', 'a|b', 'a|', '|', 'host:9100|x-y/z', '(.*)', '.*']) {
    for (const text of ['', 'a', 'b', 'ab', 'a|b', 'host:9100', 'x-y/z', 'x\ny']) {
      assert.equal(new Pattern(source).test(text), engine(source).test(text), `${source} on ${JSON.stringify(text)}`);
      assert.equal(new Pattern(source).match(text)?.groups[0], engine(source).match(text)?.groups[0]);
    }
  }
});

test('pattern: what RE2 refuses is refused, with its words', () => {
  for (const source of ['(', 'a**', '\\1', '(?=a)', 'x{1001}']) {
    assert.throws(
      () => new Pattern(source),
      (error: Error) => {
        return error instanceof PatternError && error.message.startsWith('error parsing regexp: ');
      },
    );
  }
});

const faults: [rule: Given, scheme: NameScheme, want: string | undefined][] = [
  [{ targetLabel: 'a' }, 'utf8', undefined],
  [{}, 'utf8', "relabel configuration for replace action requires 'target_label' value"],
  [{ targetLabel: 'a-b' }, 'utf8', undefined],
  [{ targetLabel: 'a-b' }, 'legacy', `"a-b" is invalid 'target_label' for replace action`],
  [{ targetLabel: '${1}_x$2' }, 'legacy', undefined],
  [{ targetLabel: '${1}-x' }, 'legacy', `"\${1}-x" is invalid 'target_label' for replace action`],
  [
    { targetLabel: `${'$a'.repeat(200)}!` },
    'legacy',
    `"${'$a'.repeat(200)}!" is invalid 'target_label' for replace action`,
  ],
  [{ action: 'hashmod', targetLabel: 'a' }, 'utf8', 'relabel configuration for hashmod requires non-zero modulus'],
  [
    { action: 'hashmod', modulus: 8n },
    'utf8',
    "relabel configuration for hashmod action requires 'target_label' value",
  ],
  [
    { action: 'hashmod', modulus: 8n, targetLabel: '$1' },
    'legacy',
    `"$1" is invalid 'target_label' for hashmod action`,
  ],
  [
    { action: 'lowercase', targetLabel: 'a', replacement: 'x' },
    'utf8',
    "'replacement' can not be set for lowercase action",
  ],
  [{ action: 'uppercase' }, 'utf8', "relabel configuration for uppercase action requires 'target_label' value"],
  [
    { action: 'keepequal', targetLabel: 'a', regex: 'x' },
    'utf8',
    "keepequal action requires only 'source_labels' and `target_label`, and no other fields",
  ],
  [{ action: 'dropequal', targetLabel: 'a', sourceLabels: ['b'] }, 'utf8', undefined],
  [{ action: 'labelmap', replacement: '' }, 'utf8', `"" is invalid 'replacement' for labelmap action`],
  [{ action: 'labelmap', replacement: '$1-x' }, 'legacy', `"$1-x" is invalid 'replacement' for labelmap action`],
  [{ action: 'labeldrop', regex: 'x' }, 'utf8', undefined],
  [{ action: 'labeldrop', sourceLabels: ['a'] }, 'utf8', "labeldrop action requires only 'regex', and no other fields"],
  [{ action: 'labelkeep', separator: ',' }, 'utf8', "labelkeep action requires only 'regex', and no other fields"],
  [{ action: 'keep' }, 'utf8', undefined],
];
for (const [rule, scheme, want] of faults) {
  test(`rule: ${JSON.stringify(rule, (_, value) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 80)} in ${scheme}`, () => {
    assert.equal(faultOf(relabelRule(rule), scheme), want);
  });
}
