import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { realDisk } from '../../../src/base/disk.js';
import { expandGlob, globMatcher, loadConfig, pendingSections } from '../../../src/config/load.js';
import { emptyFolder } from '../../support/folders.js';

const folder = emptyFolder();

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

test('relative paths start at the folder of the file they stand in', () => {
  write({
    'main.yml': `
global: {query_log_file: q.log}
rule_files: [r/*.yml, /abs.yml]
scrape_config_files: [jobs/*.yml]
scrape_configs: [{job_name: a, tls_config: {ca_file: ca.pem}, file_sd_configs: [{files: [t/*.json]}]}]`,
    'jobs/b.yml': 'scrape_configs: [{job_name: b, basic_auth: {password_file: p}}]',
    'jobs/c.yml': 'scrape_configs: [{job_name: c, http_headers: {X: {files: [../h]}}}]',
    'jobs/ignored.txt': 'not: [yaml',
  });
  const { config, jobs, files } = loadConfig(join(folder, 'main.yml'));
  assert.equal(config.global.queryLogFile, join(folder, 'q.log'));
  assert.deepEqual(config.ruleFiles, [join(folder, 'r/*.yml'), '/abs.yml']);
  assert.deepEqual(
    jobs.map(({ jobName }) => jobName),
    ['a', 'b', 'c'],
  );
  assert.equal(config.scrapeConfigs.length, 1);
  assert.equal(jobs[0]!.tlsConfig?.caFile, join(folder, 'ca.pem'));
  assert.deepEqual(jobs[0]!.fileSdConfigs[0]!.settings.get('files'), [join(folder, 't/*.json')]);
  assert.equal(jobs[1]!.basicAuth?.passwordFile, join(folder, 'jobs/p'));
  assert.deepEqual(jobs[2]!.httpHeaders.get('X')?.files, [join(folder, 'h')]);
  assert.deepEqual(
    files,
    ['main.yml', 'jobs/b.yml', 'jobs/c.yml'].map((name) => join(folder, name)),
  );
});

test('sections that nothing acts on yet are named', () => {
  write({
    'pending.yml': `
rule_files: [a]
remote_write: [{url: http://a}]
scrape_configs: [{job_name: a, dns_sd_configs: [{names: [x]}, {names: [y]}]}, {job_name: b, static_configs: [{targets: [c]}]}]`,
  });
  assert.deepEqual(pendingSections(loadConfig(join(folder, 'pending.yml'))), ['remote_write']);
});

test('the bundled configuration is good, and scrapes this server', () => {
  const bundled = fileURLToPath(new URL('../../../../narthex.yml', import.meta.url));
  const { jobs } = loadConfig(bundled);
  assert.deepEqual(
    jobs.map(({ staticConfigs }) => staticConfigs.map(({ targets }) => targets)),
    [[['localhost:9090']]],
  );
});

const failures: [name: string, files: Record<string, string>, message: string][] = [
  ['no such file', {}, 'open F/none.yml: no such file or directory'],
  ['a folder', { 'none.yml/x': '' }, 'open F/none.yml: is a directory'],
  ['bad YAML', { 'bad.yml': 'a: [' }, 'parsing YAML file F/bad.yml: yaml: line 1: '],
  [
    'bad key',
    { 'key.yml': 'x: 1' },
    'parsing YAML file F/key.yml: yaml: unmarshal errors:\n  line 1: field x not found in type config.plain',
  ],
  [
    'a job of another file twice',
    {
      'twice.yml': 'scrape_config_files: [two.yml]\nscrape_configs: [{job_name: a}]',
      'two.yml': 'scrape_configs: [{job_name: a}]',
    },
    '"F/two.yml": found multiple scrape configs with job name "a", first found in main config file',
  ],
  [
    'more than jobs in a file of jobs',
    { 'more.yml': 'scrape_config_files: [g.yml]', 'g.yml': 'global: {}' },
    '"F/g.yml": yaml: unmarshal errors:\n  line 1: field global not found in type config.ScrapeConfigs',
  ],
];
for (const [name, files, message] of failures) {
  test(`load: ${name}`, () => {
    write(files);
    const path = join(folder, Object.keys(files)[0]?.split('/')[0] ?? 'none.yml');
    assert.throws(
      () => loadConfig(path),
      (error: Error) => {
        const got = error.message.replaceAll(folder, 'F').slice(0, message.length);
        assert.equal(got, message);
        return error.name === 'ConfigError';
      },
    );
    if (name === 'a folder') rmSync(path, { recursive: true });
  });
}

const globs: [glob: string, yes: string[], no: string[]][] = [
  ['*', ['', 'a', 'a.yml'], []],
  ['*.yml', ['a.yml', '.yml', 'a.yml.yml'], ['a.yaml', 'yml', 'a.ymlx']],
  ['a*b*c', ['abc', 'axbxc', 'abbcc'], ['ab', 'acb', 'abcd']],
  ['a?c', ['abc'], ['ac', 'abbc']],
  ['[a-c]x', ['ax', 'cx'], ['dx', 'x', '[x']],
  ['[^a]x', ['bx'], ['ax']],
  ['a.b', ['a.b'], ['axb']],
  ['\\*', ['*'], ['a']],
  ['*a*a*a*a*a*a*b', [], ['a'.repeat(200)]],
];
for (const [glob, yes, no] of globs) {
  test(`glob: ${glob}`, () => {
    const matches = globMatcher(glob);
    for (const name of yes) assert.ok(matches(name), name);
    for (const name of no) assert.ok(!matches(name), name);
  });
}

test('glob: files of a folder by name, nothing where there is no folder', () => {
  write({ 'g/b.yml': '', 'g/a.yml': '', 'g/c.json': '' });
  assert.deepEqual(expandGlob(realDisk, join(folder, 'g/*.yml')), [join(folder, 'g/a.yml'), join(folder, 'g/b.yml')]);
  assert.deepEqual(expandGlob(realDisk, join(folder, 'none/*.yml')), []);
  assert.deepEqual(expandGlob(realDisk, join(folder, 'g/c.json')), [join(folder, 'g/c.json')]);
  assert.deepEqual(expandGlob(realDisk, join(folder, 'g/none.json')), []);
});
