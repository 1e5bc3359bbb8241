// Templates beyond what the recorded server knows: newer functions, what they ask, and limits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRuleFile } from '../../../src/config/rule-file.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import { checkTemplate, expandTemplate, type TemplateContext } from '../../../src/template/expand.js';
import { TemplateMetrics } from '../../../src/template/metrics.js';

const CONTEXT: TemplateContext = {
  name: 'A',
  labels: ['instance', 'a:1', 'job', 'node'],
  externalLabels: [],
  externalUrl: 'http://testhost:9090/path/prefix',
  value: 2.5,
  timeMs: 1353755652000,
  query: async (expr) => [{ labels: ['expr', expr], value: 1 }],
};

const texts: readonly (readonly [template: string, want: string])[] = [
  ['{{ now }}', '1.353755652e+09'],
  ['{{ (now | toTime).Format "Mon Jan 2 15:04:05 2006" }}', 'Sat Nov 24 11:14:12 2012'],
  ['{{ ("-30m" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }}', '1353753852000'],
  ['{{ (1800 | toDuration).String }} {{ "90" | toDuration }}', '30m0s 1m30s'],
  ['{{ printf "%0.2f" (parseDuration "-1h2m10ms") }}', '-3720.01'],
  ['{{ externalURL }} {{ pathPrefix }}', 'http://testhost:9090/path/prefix /path/prefix'],
  ['{{ urlQueryEscape "a b/c&d\'(é)" }}', 'a+b%2Fc%26d%27%28%C3%A9%29'],
  ['{{ range $i, $s := query "x" }}{{ $i }}{{ $s.Labels.expr }}{{ end }}', '0x'],
  [
    '{{ define "x" }}{{ query . | first | label "expr" }}{{ end }}{{ range 3 }}{{ template "x" (print "q" .) }}{{ end }}',
    'q0q1q2',
  ],
];

for (const [template, want] of texts) {
  test(`expands ${template}`, async () => {
    assert.equal(await expandTemplate(template, CONTEXT), want);
  });
}

test('a query that fails says so in the text', async () => {
  const query = async () => {
    throw new Error('no storage');
  };
  const text = await expandTemplate('{{ query "x" }}', { ...CONTEXT, query });
  assert.match(text, /^<error expanding template: .*at <query "x">: error calling query: no storage>$/);
});

const hostile: readonly (readonly [name: string, template: string, why: RegExp])[] = [
  ['an endless loop', '{{ range 9223372036854775807 }}{{ end }}', /takes too long/],
  [
    'loops in loops',
    '{{ range 100000 }}{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}{{ end }}',
    /takes too long/,
  ],
  [
    'a text that doubles',
    '{{ $x := "ab" }}{{ range 64 }}{{ $x = print $x $x }}{{ end }}',
    /text of the template is too long/,
  ],
  ['wide numbers', '{{ range 1000 }}{{ printf "%999999d" 1 }}{{ end }}', /too long/],
  ['a wide format', `{{ printf "${'%999999[1]d'.repeat(500)}" 1 }}`, /too long/],
  ['endless recursion', '{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}', /maximum template depth/],
  ['deep parentheses', `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`, /nested too deeply/],
  ['deep actions', '{{ if true }}'.repeat(50_000), /nested too deeply/],
  ['a large pattern', '{{ match "((a{100}){100}){100}" "a" }}', /too large|invalid repeat/],
  [
    'slow patterns',
    `{{ $x := printf "%99999d" 1 }}{{ range 10000 }}{{ match "(x+x+)+y" $x }}{{ end }}`,
    /takes too long/,
  ],
  ['many queries', '{{ range 100000 }}{{ query "x" }}{{ end }}', /takes too long/],
  ['a text beyond all measure', `{{ 1 }}${'x'.repeat(2 << 20)}`, /template is too long/],
];

for (const [name, template, why] of hostile) {
  test(`${name} ends`, async () => {
    const text = await expandTemplate(template, CONTEXT);
    assert.match(text, /^<error expanding template: /);
    assert.match(text, why);
  });
}

test('much white space before a trim mark takes no time', () => {
  assert.equal(checkTemplate(`${' '.repeat(500_000)}x${' '.repeat(500_000)}{{- 1 }}`, 'A'), undefined);
});

test('expansions and failures are counted, and the reason is told', async () => {
  const metrics = new TemplateMetrics(new Registry());
  const reasons: string[] = [];
  const context = { ...CONTEXT, metrics, failed: (reason: string) => reasons.push(reason) };
  for (const template of ['plain', '{{ $value }}', '{{ .Foo }}', '{{ }}']) await expandTemplate(template, context);
  assert.equal(metrics.expansions.value, 4);
  assert.equal(metrics.failures.value, 2);
  assert.match(
    reasons.join('\n'),
    /^error executing template __alert_A: .*\nerror parsing template __alert_A: template: /,
  );
});

test('rule files with broken templates are refused', () => {
  const file = (rule: string) => `groups: [{name: g, rules: [${rule}]}]`;
  const fault = 'group "g", rule 1, "A": annotation "b": template: __alert_A:1: function "foo" not defined';
  assert.throws(() => parseRuleFile(file('{alert: A, expr: up, annotations: {b: "{{ foo }}"}}')), { message: fault });
  assert.throws(() => parseRuleFile(file('{alert: A, expr: up, labels: {b: "{{ foo }}"}}')), /label "b": template: /);
  // Labels of recording rules are no templates.
  assert.equal(parseRuleFile(file('{record: a, expr: up, labels: {b: "{{ foo }}"}}')).length, 1);
});
