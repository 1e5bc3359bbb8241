// Unit tests of rules by the real promtool, and by us: the same words on the same streams, in all forms.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { runLine } from '../support/tool.js';

const promtool = peerBinary('promtool');
const skip = promtool === undefined && missing('promtool');
const folder = emptyFolder();

const RULES = `groups:
- name: g
  labels: {team: infra}
  rules:
  - {record: 'job:up:sum', expr: 'sum by (job) (up)'}
  - alert: Down
    expr: up == 0
    for: 5m
    keep_firing_for: 2m
    labels: {severity: page}
    annotations: {summary: "{{ $labels.instance }} is down", since: "{{ $value | humanize }}"}
  - {alert: Always, expr: vector(1)}
- name: limited
  limit: 1
  rules:
  - {record: many, expr: up}
`;

const PASSING = `
rule_files: [rules.yml]
tests:
- input_series: [{series: 'up{job="a", instance="x"}', values: '1 0x8 1x5'}]
  alert_rule_test:
  - {eval_time: 10m, alertname: Down, exp_alerts: [{exp_labels: {job: a, instance: x, severity: page, team: infra}, exp_annotations: {summary: x is down, since: "0"}}]}
  - {eval_time: 12m, alertname: Down, exp_alerts: []}
  promql_expr_test: [{expr: 'job:up:sum', eval_time: 2m, exp_samples: [{labels: 'job:up:sum{job="a", team="infra"}', value: 0}]}]
`;

const FAILING = `
rule_files: [rules.yml, none-*.yml]
evaluation_interval: 30s
tests:
- name: "a & b"
  promql_expr_test:
  - {expr: time(), eval_time: 1m, exp_samples: [{value: 3}]}
  - {expr: "up +", eval_time: 1m}
  - {expr: up, eval_time: 1m, exp_samples: [{labels: 'up{', value: 1}]}
  - {expr: vector(1), eval_time: 90s, exp_samples: [{labels: up, histogram: "{{count:1 buckets:[1 0 2]}}"}]}
  - {expr: vector(1), eval_time: 1h30m, exp_samples: [{labels: up, histogram: "1"}]}
  - {expr: "'text'", eval_time: 0}
- name: alerts
  input_series: [{series: 'up{job="a", instance="x"}', values: '0x20'}]
  alert_rule_test:
  - {eval_time: 1m, alertname: Always, exp_alerts: [{exp_labels: {a: b, c: d}, exp_annotations: {x: y}}, {exp_labels: {}}]}
  - {eval_time: 8m, alertname: Down, exp_alerts: [{exp_labels: {a: b, severity: none}, exp_annotations: {summary: other}}]}
  - {eval_time: 2m, alertname: Down, exp_alerts: [{exp_labels: {a: b}}]}
- name: limit
  input_series: [{series: 'up{job="a"}', values: '1 1 1'}, {series: 'up{job="b"}', values: '_ 1 1'}]
  promql_expr_test: [{expr: many, eval_time: 2m}]
- name: input
  input_series: [{series: 'up{job="a"', values: '1'}]
`;

const FILES: ReadonlyMap<string, string> = new Map([
  ['rules.yml', RULES],
  ['passing.yml', PASSING],
  ['failing.yml', FAILING],
]);
for (const [name, text] of FILES) writeFileSync(join(folder, name), text);

const FORMS: readonly (readonly string[])[] = [[], ['--diff'], ['--run=alerts'], ['--run=a &', '--run=^lim']];

for (const file of ['passing.yml', 'failing.yml']) {
  for (const flags of FORMS) {
    test(`promtool says the same of ${file} ${flags.join(' ')}`, { skip }, async () => {
      const line = ['rules', ...flags, join(folder, file)];
      const theirs = spawnSync(promtool!, ['test', ...line], { encoding: 'utf8' });
      const ours = await runLine(['test', ...line]);
      assert.deepEqual(ours, { code: theirs.status, out: theirs.stdout, err: theirs.stderr });
    });
  }
}

test('promtool writes the same XML', { skip }, async () => {
  const file = join(folder, 'failing.yml');
  const xml = (name: string) => join(folder, `${name}.xml`);
  spawnSync(promtool!, ['test', 'rules', `--junit=${xml('theirs')}`, file]);
  await runLine(['test', 'rules', `--junit=${xml('ours')}`, file]);
  const read = (name: string) => readFileSync(xml(name), 'utf8').replace(/timestamp="[^"]+"/g, '');
  assert.equal(read('ours'), read('theirs'));
});
