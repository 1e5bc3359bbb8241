// Targets in files: what they may say, and what happens when they change, break and go.

import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkConfig } from '../../../src/cli/check-config.js';
import { parseJsonList, parseYamlList } from '../../../src/discovery/target-list.js';
import { type Discovering, discover, endAll } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { eventually } from '../../support/servers.js';
import { conformance, hasConformance, readConformance } from '../../support/testdata.js';

after(endAll);

// ---- What is in a file

const parse = (name: string, text: string) => (name.endsWith('.json') ? parseJsonList(text) : parseYamlList(text));

const good: [name: string, text: string, want: string][] = [
  ['a.json', '[]', '[]'],
  ['a.json', 'null', '[]'],
  ['a.yml', '', '[]'],
  ['a.yml', '[]', '[]'],
  ['a.json', '[{}]', '[{"targets":[],"labels":[]}]'],
  ['a.yml', '- {}', '[{"targets":[],"labels":[]}]'],
  ['a.json', '[{"targets": null, "labels": null}]', '[{"targets":[],"labels":[]}]'],
  ['a.yml', '- targets: [a:1]\n  labels: {b: c, "": d}', 'throws "" is not a valid label name'],
  [
    'a.json',
    '[{"targets":["a:1"],"labels":{"__b":"c"}}]',
    '[{"targets":[["__address__","a:1"]],"labels":["__b","c"]}]',
  ],
  [
    'a.json',
    '[{"targets":["a:1"]},{"Targets":["b:1"]}]',
    '[{"targets":[["__address__","a:1"]],"labels":[]},{"targets":[["__address__","b:1"]],"labels":[]}]',
  ],
  ['a.json', '[{"targets":["a:1"]},null]', 'throws nil target group item found (index 1)'],
  ['a.yml', '- targets: [a:1]\n- ~', 'throws nil target group item found (index 1)'],
  ['a.json', '[{"targats":["a:1"]}]', 'throws json: unknown field "targats"'],
  ['a.json', '[{"targets":[1]}]', 'throws json: cannot unmarshal number into Go value of type string'],
  ['a.json', '[{"targets":"a"}]', 'throws json: cannot unmarshal string into Go value of type []string'],
  ['a.json', '[{"labels":{"a":true}}]', 'throws json: cannot unmarshal bool into Go value of type string'],
  ['a.json', '{"targets":[]}', 'throws json: cannot unmarshal object into Go value of type []*targetgroup.Group'],
  ['a.json', '["a"]', 'throws json: cannot unmarshal string into Go value of type targetgroup.Group'],
  [
    'a.yml',
    'targets: []',
    'throws yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into []*targetgroup.Group',
  ],
];

for (const [name, text, want] of good) {
  test(`${name}: ${text.replaceAll('\n', ' ')}`, () => {
    let got: string;
    try {
      got = JSON.stringify(parse(name, text));
    } catch (error) {
      got = `throws ${(error as Error).message}`;
    }
    assert.equal(got, want);
  });
}

interface Verdicts {
  readonly [name: string]: { readonly in_file_sd_config: { readonly ok: boolean; readonly output: string } };
}

if (hasConformance()) {
  for (const [name, { in_file_sd_config: verdict }] of Object.entries(
    JSON.parse(readConformance('file_sd/VERDICTS.json')) as Verdicts,
  )) {
    test(`recorded verdict: ${name}`, () => {
      const { ok, output } = verdict;
      const text = readConformance(`file_sd/${name}`);
      const config = join(emptyFolder(), 'c.yml');
      const file = conformance(`file_sd/${name}`);
      writeFileSync(config, `scrape_configs: [{job_name: x, file_sd_configs: [{files: ['${file}']}]}]`);
      if (ok) checkConfig(config);
      else assert.throws(() => checkConfig(config), /^ConfigError: checking SD file "/);
      if (ok) assert.doesNotThrow(() => parse(name, text), conformance('file_sd'));
      else {
        const message = output.split(`checking SD file ${JSON.stringify(name)}: `)[1]!;
        assert.throws(() => parse(name, text), { message });
      }
    });
  }
}

// ---- Files that change

const LIST = (...addresses: string[]) => JSON.stringify([{ targets: addresses, labels: { from: 'file' } }]);

function put(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

async function has(discovering: Discovering, ...addresses: string[]): Promise<void> {
  await eventually(async () => assert.deepEqual(discovering.addresses(), addresses), 10_000);
}

test('a file is read, and read again when another takes its place', async () => {
  const file = join(emptyFolder(), 'a.json');
  put(file, LIST('a:1', 'b:1'));
  const found = discover(`file_sd_configs: [{files: [${file}]}]`);
  await has(found, 'a:1', 'b:1');
  assert.deepEqual(found.targets()[0], { __address__: 'a:1', __meta_filepath: file, from: 'file' });
  assert.deepEqual(found.session.groups[0]!.source, `${file}:0`);
  put(file, LIST('c:1'));
  await has(found, 'c:1');
});

test('a file written in place is read', async () => {
  const file = join(emptyFolder(), 'a.yml');
  writeFileSync(file, '- targets: [a:1]');
  const found = discover(`file_sd_configs: [{files: [${file}]}]`);
  await has(found, 'a:1');
  writeFileSync(file, '- targets: [b:1]');
  await has(found, 'b:1');
});

test('a broken file keeps the targets it had, and only its own', async () => {
  const folder = emptyFolder();
  put(join(folder, 'a.json'), LIST('a:1'));
  put(join(folder, 'b.json'), LIST('b:1'));
  const found = discover(`file_sd_configs: [{files: ['${folder}/*.json']}]`);
  await has(found, 'a:1', 'b:1');
  put(join(folder, 'a.json'), '[{"targets": ["c:1"');
  put(join(folder, 'b.json'), LIST('d:1'));
  await has(found, 'a:1', 'd:1');
  assert.ok(found.metrics.fileReadErrors.value >= 1);
  put(join(folder, 'a.json'), LIST('c:1'));
  await has(found, 'c:1', 'd:1');
});

test('files of a pattern come and go', async () => {
  const folder = emptyFolder();
  const found = discover(`file_sd_configs: [{files: ['${folder}/t*.yml']}]`);
  await found.next();
  assert.deepEqual(found.addresses(), []);
  put(join(folder, 'ta.yml'), '- targets: [a:1]');
  put(join(folder, 'x.yml'), '- targets: [x:1]');
  await has(found, 'a:1');
  put(join(folder, 'tb.yml'), '- targets: [b:1]');
  await has(found, 'a:1', 'b:1');
  rmSync(join(folder, 'ta.yml'));
  await has(found, 'b:1');
});

test('a folder that comes late is looked at every interval', async () => {
  const folder = join(emptyFolder(), 'late');
  const found = discover(`file_sd_configs: [{files: ['${folder}/a.yml'], refresh_interval: 50ms}]`);
  await found.next();
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yml'), '- targets: [a:1]');
  await has(found, 'a:1');
});

test('when files were changed is a metric, as long as they are there', async () => {
  const file = join(emptyFolder(), 'a.yml');
  writeFileSync(file, '- targets: [a:1]');
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const found = discover(`file_sd_configs: [{files: [${file}]}]`);
  await has(found, 'a:1');
  const points = () => [...found.metrics.fileModifiedSeconds.points()].map(({ labels, value }) => [...labels, value]);
  assert.deepEqual(points(), [['filename', file, 1_700_000_000]]);
  await found.end();
  assert.deepEqual(points(), []);
});
