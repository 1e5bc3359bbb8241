// What recording rules would have recorded, backfilled from a real Prometheus: by the real promtool, and by us.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { withCopy } from '../support/recorded-tsdb.js';
import { startPeer } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';
import { runTsdb } from '../support/tool.js';

const prometheus = peerBinary('prometheus');
const promtool = peerBinary('promtool');
const skip =
  prometheus === undefined
    ? missing('prometheus')
    : promtool === undefined
      ? missing('promtool')
      : conformanceMissing();

const folder = emptyFolder();

const RULES = `groups:
- name: one
  interval: 30s
  labels: {g: "1", x: "group"}
  rules:
  - record: job:load:avg
    expr: avg by (job) (fx_load)
    labels: {x: "rule"}
  - record: fx_rate
    expr: rate(fx_cpu_seconds_total[5m])
  - alert: A
    expr: up == 0
- name: two
  rules:
  - record: odd
    expr: fx_special
`;

test('promtool backfills the same, to the millisecond', { skip, timeout: 120_000 }, async () => {
  const rules = join(folder, 'rules.yml');
  writeFileSync(rules, RULES);
  await withCopy(conformance('tsdb/blocks'), async (data) => {
    const server = await startPeer(prometheus!, { data, flags: ['--storage.tsdb.retention.time=100y'] });
    try {
      const line = (home: string) => [
        ...['create-blocks-from', 'rules', `--url=${server.url}`, '--start=1767229000', '--end=1767245000'],
        ...[`--output-dir=${join(folder, home)}`, rules],
      ];
      execFileSync(promtool!, ['tsdb', ...line('theirs')], { stdio: 'pipe' });
      const ours = await runTsdb(line('ours'));
      assert.equal(ours.code, 0, ours.err);
      assert.equal(ours.out.trim().split('\n').length, 1 + 3, 'a block for each two hours');
    } finally {
      await server.stop();
    }
  });
  const [theirs, ours] = ['theirs', 'ours'].map((home) => {
    mkdirSync(join(folder, home, 'wal'));
    const dump = execFileSync(promtool!, ['tsdb', 'dump', join(folder, home)], { maxBuffer: 2 ** 28 });
    return dump.toString().split('\n').sort();
  });
  assert.ok(ours!.length > 10_000);
  assert.deepEqual(ours, theirs);
});

test('promtool refuses the same rules and times', { skip }, async () => {
  const rules = join(folder, 'good.yml');
  writeFileSync(rules, RULES);
  const bad = join(folder, 'bad.yml');
  writeFileSync(bad, 'groups: [{name: a, rules: [{record: x, expr: vector(}]}]');
  const cases = [
    ['--start=x', rules],
    ['--start=10', '--end=5', rules],
    ['--start=10', '--end=x', rules],
    ['--start=10', '--end=100', '--url=http://127.0.0.1:1', rules],
    ['--start=10', '--end=100', bad],
    ['--start=10', 'nothing.yml'],
    [rules],
  ];
  for (const line of cases) {
    const whole = ['create-blocks-from', 'rules', `--output-dir=${join(folder, 'none')}`, ...line];
    assert.throws(() => execFileSync(promtool!, ['tsdb', ...whole], { stdio: 'pipe' }), { status: 1 });
    const run = await runTsdb(whole);
    assert.equal(run.code, 1, line.join(' '));
    assert.notEqual(run.err, '');
  }
});
