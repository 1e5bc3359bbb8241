// Recording rules backfilled in place: over samples that were imported, through the API of a whole server.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { raw, startNarthex } from '../support/servers.js';

const HOUR_S = 3600;

test('rules that are new are backfilled, and again without harm', async (t) => {
  const folder = emptyFolder();
  const file = join(folder, 'rules.yml');
  writeFileSync(
    file,
    `groups: [{name: g, interval: 1m, rules: [{record: 'job:load:sum', expr: sum by (job) (load)}, {record: 'job:load:double', expr: 'job:load:sum * 2'}]}]`,
  );
  const flags = ['--web.enable-admin-api', '--web.enable-lifecycle', '--storage.tsdb.retention.time=100y'];
  const server = await startNarthex({ config: `rule_files: ['${file}']\n`, flags });
  t.after(() => server.stop());
  const fromS = Math.floor(Date.now() / 1000 / HOUR_S - 12) * HOUR_S;
  const lines = Array.from({ length: 121 }, (_, i) => `load{job="a"} ${i} ${fromS + i * 60}\n`);
  const imported = await fetch(`${server.url}/api/v1/import`, { method: 'POST', body: `${lines.join('')}# EOF\n` });
  assert.equal(imported.status, 200);
  const times = { start: String(fromS), end: String(fromS + 2 * HOUR_S) };
  for (let again = 0; again < 2; again++) {
    const path = `${server.url}/api/v1/admin/rules/backfill?${new URLSearchParams(times)}`;
    const answer = await fetch(path, { method: 'POST' });
    const { data } = (await answer.json()) as { data: { samples: number } };
    assert.equal(data.samples, 240);
    const [doubled] = await raw(server.url, 'job:load:double[3h]', fromS + 2.5 * HOUR_S);
    assert.equal(doubled!.values.length, 120);
    for (const [timeS, value] of doubled!.values) assert.equal(Number(value), 2 * Math.floor((timeS - fromS) / 60));
  }
  // The newest two hours are the head's.
  const late = { start: String(Date.now() / 1000 - 600), end: String(Date.now() / 1000) };
  writeFileSync(file, `groups: [{name: g, interval: 1m, rules: [{record: now, expr: vector(1)}]}]`);
  assert.equal((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status, 200);
  const path = `${server.url}/api/v1/admin/rules/backfill?${new URLSearchParams(late)}`;
  assert.equal((await fetch(path, { method: 'POST' })).status, 400);
});
