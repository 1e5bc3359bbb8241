// The package as others get it: packed, installed somewhere else, and used in a pipeline as the README says. And the unit for
// systemd, as far as it can be judged without running it.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emptyFolder } from '../support/folders.js';
import { eventually, freePort } from '../support/servers.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = emptyFolder();

/** Without a network: what it depends on is what the clone has. */
function installed(): string {
  const line = ['pack', '--silent', '--ignore-scripts', '--json', `--pack-destination=${folder}`];
  const [packed] = JSON.parse(execFileSync('npm', line, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  const app = join(folder, 'app');
  mkdirSync(app);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };
  const overrides = Object.keys(manifest.dependencies).map((name) => [
    name,
    `file:${join(root, 'node_modules', name)}`,
  ]);
  const own = { name: 'app', private: true, dependencies: { narthex: `file:../${packed.filename}` } };
  writeFileSync(join(app, 'package.json'), JSON.stringify({ ...own, overrides: Object.fromEntries(overrides) }));
  const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags], { cwd: app, stdio: 'pipe' });
  return app;
}

const CONFIG = 'rule_files: [rules.yml]\nscrape_configs: [{job_name: x, static_configs: [{targets: ["a:1"]}]}]\n';
const RULES = 'groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 5m}]}]\n';
const TESTS = `rule_files: [../rules.yml]
tests:
- input_series: [{series: 'up{job="x"}', values: '0x10'}]
  alert_rule_test: [{eval_time: 6m, alertname: Down, exp_alerts: [{exp_labels: {job: x}}]}]
`;

test('packed and installed elsewhere, it checks, tests, and serves', { timeout: 120_000 }, async () => {
  const app = installed();
  const bin = join(app, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  mkdirSync(join(app, 'tests'));
  for (const [name, text] of [
    ['prometheus.yml', CONFIG],
    ['rules.yml', RULES],
    ['tests/one.yml', TESTS],
  ] as const) {
    writeFileSync(join(app, name), text);
  }

  const line = /^narthex check config .*$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))![0];
  assert.ok(line.includes('&& narthex test rules'));
  const run = () => spawnSync('sh', ['-c', line], { cwd: app, env });
  const good = run();
  assert.deepEqual([good.status, good.stderr.toString()], [0, '']);
  assert.match(readFileSync(join(app, 'results.xml'), 'utf8'), /tests="1" failures="0"/);
  writeFileSync(join(app, 'tests/one.yml'), TESTS.replace('job: x}', 'job: y}'));
  assert.equal(run().status, 1);
  writeFileSync(join(app, 'rules.yml'), RULES.replace('== 0', '=='));
  const bad = run();
  assert.equal(bad.status, 1);
  assert.match(bad.stderr.toString(), /could not parse expression: 1:6: parse error/);

  const port = await freePort();
  const flags = [`--config.file=${join(app, 'node_modules/narthex/narthex.yml')}`, `--storage.tsdb.path=${app}/data`];
  const server = spawn(join(bin, 'narthex'), [...flags, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: 'ignore',
    env,
  });
  const ended = new Promise<number | null>((resolve) => void server.once('exit', resolve));
  try {
    const url = `--url=http://127.0.0.1:${port}`;
    await eventually(async () => {
      assert.equal(spawnSync('narthex', ['check', 'ready', url], { env }).status, 0);
    });
    const asked = spawnSync('narthex', ['query', 'instant', url.slice('--url='.length), '1+1'], { env });
    assert.match(asked.stdout.toString(), /^scalar: 2 @/);
  } finally {
    server.kill('SIGTERM');
    assert.equal(await ended, 0);
  }
});

const analyze = '/usr/bin/systemd-analyze';
const skip = !existsSync(analyze) && 'SKIPPED: no systemd-analyze on this machine';

test('systemd takes the unit, and finds it well shut in', { skip }, () => {
  const text = readFileSync(join(root, 'packaging/narthex.service'), 'utf8');
  const unit = join(folder, 'narthex.service');
  // What it starts need not be installed here.
  writeFileSync(unit, text.replaceAll('/usr/local/bin/narthex', process.execPath));
  const verified = spawnSync(analyze, ['verify', unit]);
  assert.deepEqual([verified.status, verified.stderr.toString()], [0, '']);
  const secure = spawnSync(analyze, ['security', '--offline=yes', '--threshold=20', '--no-pager', unit]);
  assert.equal(secure.status, 0, `an exposure above 2.0: ${secure.stdout}${secure.stderr}`);
});

test('the flags of unit and container file are flags', () => {
  for (const name of ['narthex.service', 'Containerfile']) {
    const text = readFileSync(join(root, 'packaging', name), 'utf8');
    const flags = [...text.matchAll(/--(?:config|storage|web)[\w.-]*(?==)/g)].map(([flag]) => flag);
    assert.ok(flags.length > 1);
    const help = execFileSync(process.execPath, [join(root, 'dist/src/main.js'), '--help']).toString();
    assert.deepEqual(
      flags.filter((flag) => !help.includes(flag)),
      [],
    );
  }
});
