import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diffJson } from '../../../src/cli/test/json-diff.js';
import { formatHistogram, parseHistogram } from '../../../src/promql/syntax/histogram-literal.js';
import { emptyFolder } from '../../support/folders.js';
import { runLine, type ToolRun } from '../../support/tool.js';

const folder = emptyFolder();

const RULES = `groups:
- name: first
  rules:
  - {record: double, expr: load * 2}
- name: second
  interval: 30s
  rules:
  - {record: quadruple, expr: double * 2}
  - alert: High
    expr: load > 5
    for: 2m
    labels: {severity: page}
    annotations: {text: "{{ $labels.cpu }} of {{ $externalLabels.site }} has {{ $value }}, {{ $externalURL }}"}
`;

async function run(tests: string, flags: readonly string[] = [], rules = RULES): Promise<ToolRun> {
  const file = join(folder, 'tests.yml');
  writeFileSync(join(folder, 'rules.yml'), rules);
  writeFileSync(file, tests);
  return runLine(['test', 'rules', ...flags, file]);
}

const PASSING = `
rule_files: [rules.yml]
group_eval_order: [first, second]
tests:
- name: all of it
  interval: 1m
  external_labels: {site: here}
  external_url: http://x
  input_series:
  - {series: 'load{cpu="0"}', values: '1x3 9x5'}
  - {series: 'hist', values: '{{schema:1 count:3 sum:2 buckets:[1 2]}}x4'}
  promql_expr_test:
  - {expr: quadruple, eval_time: 4m, exp_samples: [{labels: 'quadruple{cpu="0"}', value: 36}]}
  - {expr: quadruple, eval_time: 3m, exp_samples: [{labels: '{__name__="quadruple", cpu="0"}', value: 4}]}
  - {expr: hist, eval_time: 1m, exp_samples: [{labels: hist, histogram: '{{schema:1 count:3 sum:2 buckets:[1 2] counter_reset_hint:not_reset}}'}]}
  alert_rule_test:
  - {eval_time: 5m, alertname: High, exp_alerts: []}
  - eval_time: 6m30s
    alertname: High
    exp_alerts:
    - {exp_labels: {severity: page, cpu: "0"}, exp_annotations: {text: "0 of here has 9, http://x"}}
`;

test('rule tests: rules, alerts, templates, histograms and the order of groups', async () => {
  assert.deepEqual(await run(PASSING), { code: 0, out: '  SUCCESS\n\n', err: '' });
});

test('rule tests: what a rule writes over its input fails it, in time', async () => {
  const tests = PASSING.replace(
    'load{cpu="0"}\', values',
    "double{cpu=\"0\"}', values: '7x9'}\n  - {series: 'load{cpu=\"0\"}', values",
  );
  const { code, err } = await run(tests);
  assert.equal(code, 1);
  assert.equal(err, '  FAILED:\n    rule: double, time: 0s, err: duplicate sample for timestamp\n');
});

const FAULTS: readonly [name: string, tests: string, err: string][] = [
  [
    'unknown keys',
    'tests: [{nmae: x}]',
    'yaml: unmarshal errors:\n  line 1: field nmae not found in type main.testGroup',
  ],
  ['a name twice in the order', 'group_eval_order: [a, a]', 'group name repeated in evaluation order: a'],
  [
    'an alert without a name',
    'tests: [{name: t, alert_rule_test: [{eval_time: 1m}]}]',
    'an item under alert_rule_test misses required attribute alertname at eval_time 1m (in TestGroup t)',
  ],
  ['a bad pattern', 'tests: [{name: t}]', 'error parsing regexp: missing closing ): `(`'],
];

for (const [name, tests, message] of FAULTS) {
  test(`rule tests: ${name}`, async () => {
    const flags = name === 'a bad pattern' ? ['--run=('] : [];
    const isUsage = flags.length > 0;
    const err = isUsage ? `narthex: error: ${message}, try --help\n` : `  FAILED:\n${message}\n`;
    assert.deepEqual(await run(tests, flags), { code: 1, out: isUsage ? '' : '\n\n', err });
  });
}

test('rule tests: rule files that are not there are told, and wrong ones with their place', async () => {
  const { err } = await run('rule_files: [none-*.yml]\ntests: []');
  assert.equal(err, `  WARNING: no file match pattern ${join(folder, 'none-*.yml')}\n`);
  const bad = await run(
    'rule_files: [rules.yml]\ntests: [{}]',
    [],
    'groups: [{name: g, rules: [{record: a, expr: 1 +}]}]',
  );
  assert.match(bad.err, /rules.yml: 1:46: group "g", rule 1, "a": could not parse expression: 1:4: parse error/);
});

test('rule tests: results as XML', async () => {
  const xml = join(folder, 'results.xml');
  const failing = "tests: [{name: 'a & b', promql_expr_test: [{expr: 1, exp_samples: []}]}, {}]";
  assert.equal((await run(failing, [`--junit=${xml}`])).code, 1);
  assert.equal(
    readFileSync(xml, 'utf8')
      .replace(/timestamp="[^"]+"/, 'timestamp=""')
      .replace(folder, ''),
    '<testsuites><testsuite name="/tests.yml" tests="2" failures="1" errors="0" skipped="0" timestamp="">' +
      '<testcase name="a &amp; b"><failure>    expr: &#34;1&#34;, time: 0s,&#xA;        exp: nil&#xA;        got: {} 1E+00</failure></testcase>' +
      '<testcase name="unnamed#1"></testcase></testsuite></testsuites>',
  );
});

test('rule tests: a file that is not there', async () => {
  const { code, err } = await runLine(['test', 'rules', '/nowhere.yml']);
  assert.deepEqual([code, err], [1, "narthex: error: path '/nowhere.yml' does not exist, try --help\n"]);
});

test('diff: places of one, of the other, and of both', () => {
  const first = [
    new Map([
      ['gone', 'a'],
      ['same', 's'],
      ['other', 'x'],
    ]),
  ];
  const second = [
    new Map([
      ['new', 'b'],
      ['same', 's'],
      ['other', 'y'],
    ]),
    new Map([['k', 'v']]),
  ];
  const text = diffJson(first, second).replaceAll('\x1b[0;31m', '<red>').replaceAll('\x1b[0;32m', '<green>');
  assert.deepEqual(text.replaceAll('\x1b[0;33m', '<yellow>').replaceAll('\x1b[0m', '</>').split('\n'), [
    '[',
    '    {',
    '        <red>"gone": "a"</>,',
    '        <green>"new": "b"</>,',
    '        "other": <yellow>"x" => "y"</>,',
    '        "same": "s"',
    '    },',
    '    <green>{</>',
    '        <green>"k": "v"</>',
    '    <green>}</>',
    ']',
  ]);
});

const LITERALS: readonly string[] = [
  '{{}}',
  '{{schema:1 count:3 sum:2.5 buckets:[1 2]}}',
  '{{count:9 sum:-1 z_bucket:2 z_bucket_w:0.001 counter_reset_hint:gauge offset:-3 buckets:[1 0 2] n_offset:1 n_buckets:[4]}}',
  '{{schema:-53 count:3 sum:1 custom_values:[1 5] buckets:[1 2]}}',
];

for (const literal of LITERALS) {
  test(`histograms as ${literal}`, () => assert.equal(formatHistogram(parseHistogram(literal).histogram), literal));
}
