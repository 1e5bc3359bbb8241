import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from '../../support/folders.js';
import { runLine } from '../../support/tool.js';

const folder = emptyFolder();

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const BAD = `groups:
- name: g
  rules:
  - {alert: A, expr: up, labels: {x: "{{ $foo }}"}, annotations: {y: "{{ if }}"}}
  - record: "a{b}"
    expr: up +
    for: 5m
- name: g
  rules: [{record: x}]
`;

test('check rules: everything that is wrong, with its place', async () => {
  const path = write('bad.yml', BAD);
  const { code, out, err } = await runLine(['check', 'rules', path]);
  assert.deepEqual([code, out], [1, `Checking ${path}\n`]);
  assert.deepEqual(err.replaceAll(`${path}: `, '').split('\n'), [
    '  FAILED:',
    'group "g", rule 1, "A": label "x": template: __alert_A:1: undefined variable "$foo"',
    'group "g", rule 1, "A": annotation "y": template: __alert_A:1: missing value for if',
    '6:11: group "g", rule 2, "a{b}": could not parse expression: 1:5: parse error: unexpected end of input',
    '5:13: group "g", rule 2, "a{b}": invalid field \'for\' in recording rule',
    '5:13: group "g", rule 2, "a{b}": braces present in the recording rule name; should it be in expr?: a{b}',
    '0:0: groupname: "g" is repeated in the same file',
    '0:0: group "g", rule 1, "x": field \'expr\' must be set in rule',
    '',
  ]);
});

const TWICE = 'groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: up, labels: {}}]}]';

for (const [flags, code] of [
  [[], 0],
  [['--lint-fatal'], 3],
  [['--lint-fatal', '--lint=none'], 0],
] as const) {
  test(`check rules ${flags.join(' ')}: the same rule twice`, async () => {
    const run = await runLine(['check', 'rules', ...flags, write('twice.yml', TWICE)]);
    assert.equal(run.code, code);
    assert.equal(run.err.includes('1 duplicate rule(s) found'), flags.length < 2);
  });
}

test('check config: the rule files it names, and jobs that are scraped too seldom', async () => {
  write('twice.yml', TWICE);
  const path = write(
    'config.yml',
    'rule_files: [twice.yml]\nscrape_configs: [{job_name: slow, scrape_interval: 10m, file_sd_configs: [{files: [none.yml]}]}]',
  );
  const { code, out, err } = await runLine(['check', 'config', '--lint=all', '--lint-fatal', path]);
  assert.equal(code, 3);
  assert.deepEqual(out.replaceAll(`${folder}/`, '').split('\n'), [
    'Checking config.yml',
    '  WARNING: file "none.yml" for file_sd in scrape job "slow" does not exist',
    '  SUCCESS: 1 rule files found',
    ' SUCCESS: config.yml is valid prometheus config file syntax',
    '',
    'Checking twice.yml',
    '',
    '',
  ]);
  assert.match(err, /too long scrape interval found, data point will be marked as stale - job: slow, interval: 10m\n$/);
});

test('check config: with --syntax-only no other file is looked at', async () => {
  const path = write('missing.yml', 'rule_files: [nowhere.yml]');
  assert.equal((await runLine(['check', 'config', path])).code, 1);
  assert.deepEqual(await runLine(['check', 'config', '--syntax-only', path]), {
    code: 0,
    out: `Checking ${path}\n SUCCESS: ${path} is valid prometheus config file syntax\n\n`,
    err: '',
  });
});
