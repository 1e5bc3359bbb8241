// The same series in Narthex and in a real Prometheus, and a few hundred calls of the API to both: statuses, types and
// contents are the same, but for what docs/differences/http.md lists.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ApiCallCase, apiCalls, apiSeries } from '../support/api-calls.js';
import { type ApiAnswer, comparable } from '../support/api-compare.js';
import { missing, peerBinary } from '../support/peers.js';
import { writeAll } from '../support/remote-write.js';
import { api, eventually, type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const END_MS = Math.floor(Date.now() / 60_000) * 60_000;
const FLAGS = ['--web.enable-remote-write-receiver', '--enable-feature=native-histograms'];
/** One target that nobody serves, one that is dropped. */
const CONFIG = `
global: {scrape_interval: 2s, external_labels: {region: eu}}
scrape_configs:
- job_name: down
  scrape_interval: 1h
  static_configs: [{targets: ["127.0.0.1:1"], labels: {a: b}}]
  metric_relabel_configs: [{action: drop, regex: .*}]
- job_name: dropped
  static_configs: [{targets: ["x:1"]}]
  relabel_configs: [{action: drop, source_labels: [__address__], regex: "x.*"}]
`;

const RULES = `
groups:
- name: one
  interval: 1s
  labels: {of: group}
  rules:
  - {alert: Always, expr: vector(1), labels: {severity: page}, annotations: {summary: "is {{ $value }}"}}
  - {alert: Later, expr: vector(2), for: 1h, keep_firing_for: 5m}
  - {alert: Never, expr: vector(1) < 0}
- name: two
  interval: 1s
  query_offset: 1s
  limit: 10
  rules:
  - {record: own:sum, expr: sum(vector(3)), labels: {a: b}}
  - {record: own:broken, expr: temperature * on (none) requests_total}
`;

/** What is known to differ: docs/differences/http.md and promql-results.md. */
const KNOWN: readonly [call: RegExp, why: string][] = [
  [/sort_desc.*step=/, 'newer versions remark on sorting in range queries'],
  [/limit=[123]$/, 'the order of series, of which some are cut off, is that of storage'],
  [/^GET status\/tsdb/, 'bytes by label count each string once'],
];

let peer: Server;
let ours: Server;
const folder = mkdtempSync(join(tmpdir(), 'narthex-api-'));

before(async () => {
  if (prometheus === undefined) return;
  const rules = join(folder, 'rules.yml');
  writeFileSync(rules, RULES);
  const config = `${CONFIG}rule_files: [${rules}]\n`;
  [peer, ours] = await Promise.all([
    startPeer(prometheus, { config, flags: FLAGS }),
    startNarthex({ config, flags: FLAGS }),
  ]);
  for (const { url } of [peer, ours]) await writeAll(url, apiSeries(END_MS));
  for (const { url } of [peer, ours]) {
    await eventually(async () => {
      const { scrapePools } = await api<{ scrapePools: string[] }>(url, 'scrape_pools');
      assert.equal(scrapePools.length, 2);
      const { groups } = await api<{ groups: { rules: { health: string }[] }[] }>(url, 'rules');
      assert.ok(groups.every(({ rules }) => rules.every(({ health }) => health !== 'unknown')));
    });
  }
});

after(async () => {
  await Promise.all([peer?.stop(), ours?.stop()]);
  rmSync(folder, { recursive: true });
});

test('the API answers as the real Prometheus does', options, async (t) => {
  const calls = apiCalls(END_MS);
  const different: string[] = [];
  const met = new Set<string>();
  for (const call of calls) {
    const [theirs, own] = await Promise.all([peer, ours].map((server) => ask(server, call)));
    const ordered = /sort|topk/.test(call.query);
    const [a, b] = [theirs!, own!].map((answer) => JSON.stringify(comparable(answer, ordered)));
    if (a === b) continue;
    const name = `${call.method} ${call.path} ${decodeURIComponent(call.query)}`;
    const known = KNOWN.find(([pattern]) => pattern.test(name));
    if (known === undefined) different.push(`${name}\n  theirs ${a}\n  ours   ${b}`);
    else met.add(known[1]);
  }
  t.diagnostic(`${calls.length} calls; known to differ: ${[...met].join('; ')}`);
  assert.deepEqual(different, []);
  // A difference that is gone leaves the list.
  assert.deepEqual([...met].sort(), KNOWN.map(([, why]) => why).sort());
});

test('every flag of the real Prometheus is one of ours, with its default', options, async () => {
  const [theirs, own] = await Promise.all(
    [peer, ours].map(({ url }) => api<Record<string, string>>(url, 'status/flags')),
  );
  const different = Object.entries(theirs!).filter(([name, value]) => own![name] !== value && !OF_A_START.test(name));
  assert.deepEqual(different, []);
});

/** Flags that the two were started with differently, whose default is a package's own or is made of others, or of modes that we lack. */
const OF_A_START = new RegExp(
  `^(${[
    'config\\.file|storage\\.tsdb\\.path|web\\.(listen-address|external-url|cors\\.origin|route-prefix)',
    'web\\.(console\\.(libraries|templates)|local-assets|page-title)',
    'storage\\.tsdb\\.(max-block-duration|retention\\.time|wal-segment-size)',
    'storage\\.agent\\..*',
  ].join('|')})$`,
);

async function ask({ url }: Server, { method, path, query }: ApiCallCase): Promise<ApiAnswer> {
  const isForm = method === 'POST';
  const address = `${url}/api/v1/${path}${isForm || query === '' ? '' : `?${query}`}`;
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await fetch(address, isForm ? { method, body: query, headers } : {});
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  return { status: response.status, contentType, body: contentType.includes('json') ? JSON.parse(text) : text };
}
