// The same rules over the same target, by Narthex and by a real Prometheus: the same alerts in the same states, the same recorded
// series, through pending, firing, resolved, a reload and a kill.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { api, eventually, instant, type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const folder = emptyFolder();
const ruleFile = join(folder, 'rules.yml');
const FLAGS = ['--web.enable-lifecycle', '--rules.alert.for-grace-period=2s', '--storage.tsdb.retention.time=100y'];

const RECORDED = `
- name: recorded
  interval: 1s
  labels: {team: infra}
  rules:
  - {record: job:load:sum, expr: "sum by (job) (load)"}
  - {record: job:load:double, expr: "job:load:sum*2", labels: {team: "", by: two}}
  - {record: load:histogram, expr: "histogram_count(rate(latency[5s])) or vector(1)"}
  - {record: text, expr: '"a string"'}
`;
const ALERTS = `
- name: alerts
  interval: 1s
  rules:
  - alert: High
    expr: load  >5
    for: 3s
    labels: {severity: page, instance: ""}
    annotations: {summary: a plain text, description: "", value: "{{ $value }} of {{ $labels.cpu }} at {{ $externalLabels.site }}"}
  - {alert: Kept, expr: load > 5, keep_firing_for: 4s, labels: {sum: '{{ query "sum(load)" | first | value | humanize }}'}}
  - {alert: Same, expr: load > 5, labels: {cpu: any}}
  - {alert: Never, expr: absent(load), annotations: {summary: none}}
- name: limited
  interval: 1s
  limit: 1
  rules:
  - {alert: Limited, expr: load > 5}
  - {record: load:limited, expr: load}
`;

let load = [1, 1];
let target: HttpServer;
let servers: { readonly name: string; server: Server; readonly start: () => Promise<Server> }[] = [];

function writeRules(groups: string): void {
  writeFileSync(ruleFile, `groups:${groups}`);
}

before(async () => {
  if (prometheus === undefined) return;
  target = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(load.map((value, cpu) => `load{cpu="${cpu}"} ${value}\n`).join(''));
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as AddressInfo;
  writeRules(RECORDED + ALERTS);
  const config = `
global: {scrape_interval: 1s, scrape_timeout: 1s, external_labels: {site: here}}
rule_files: ['${folder}/*.yml', '${folder}/none-*.yml']
scrape_configs: [{job_name: t, static_configs: [{targets: ['127.0.0.1:${port}']}]}]
`;
  const launch = (data: string) => ({ config, flags: FLAGS, data: join(folder, data) });
  for (const data of ['ours', 'theirs']) mkdirSync(join(folder, data));
  const starts = [
    { name: 'narthex', start: () => startNarthex(launch('ours')) },
    { name: 'prometheus', start: () => startPeer(prometheus, launch('theirs')) },
  ];
  servers = await Promise.all(starts.map(async (one) => ({ ...one, server: await one.start() })));
});

after(async () => {
  for (const { server } of servers) await server.stop();
  target?.close();
});

/** What nobody can foresee. */
const TIMES = new Set(['evaluationTime', 'lastEvaluation', 'activeAt', 'keepFiringSince']);

function withoutTimes(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => (TIMES.has(key) ? [key, 'a time'] : [key, own])));
}

type Listed = { groups: { rules: { name: string; alerts?: { labels: object }[]; labels?: object }[] }[] };

/** All that /api/v1/rules says, alerts in an order of our own. */
async function rulesOf(server: Server): Promise<unknown> {
  const data = (await api(server.url, 'rules')) as Listed;
  for (const { groups } of [data]) {
    for (const rule of groups.flatMap(({ rules }) => rules)) {
      // Prometheus 3.5 leaves out empty ones of recording rules; newer ones do not.
      rule.labels ??= {};
      rule.alerts?.sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
    }
  }
  return JSON.parse(JSON.stringify(data, withoutTimes));
}

async function statesOf(server: Server): Promise<string> {
  const { groups } = (await api(server.url, 'rules', { type: 'alert' })) as {
    groups: { rules: { name: string; state: string }[] }[];
  };
  return groups.flatMap(({ rules }) => rules.map(({ name, state }) => `${name} ${state}`)).join(', ');
}

/** Waits until both servers' alerting rules are in these states. */
async function bothAre(states: string): Promise<void> {
  await Promise.all(
    servers.map(({ name, server }) => eventually(async () => assert.equal(await statesOf(server), states, name))),
  );
}

async function compare(question: (server: Server) => Promise<unknown>): Promise<void> {
  await eventually(async () => {
    const [ours, theirs] = await Promise.all(servers.map(({ server }) => question(server)));
    assert.deepEqual(ours, theirs);
  });
}

/** Label sets and values that a query gives now. */
async function vectorOf(server: Server, query: string): Promise<string[]> {
  const rows = await instant(server.url, query);
  return rows.map(({ metric, value }) => `${JSON.stringify(Object.entries(metric).sort())} ${value[1]}`).sort();
}

test('rules: quiet ones are listed alike', options, async () => {
  await bothAre('High inactive, Kept inactive, Same inactive, Never inactive, Limited inactive');
  await eventually(async () => {
    for (const { server } of servers) assert.equal((await vectorOf(server, 'job:load:double')).length, 1);
  });
  await compare(rulesOf);
});

test('rules: recorded series are the same', options, async () => {
  await compare((server) => vectorOf(server, '{__name__=~".+:.+", __name__!~"ALERTS.*"}'));
});

test('rules: alerts become pending, then firing, with the same samples of their own', options, async () => {
  load = [9, 7];
  await bothAre('High firing, Kept firing, Same inactive, Never inactive, Limited inactive');
  await compare(rulesOf);
  await compare((server) => vectorOf(server, 'ALERTS'));
  await compare((server) => vectorOf(server, 'ALERTS_FOR_STATE * 0'));
  await compare((server) => vectorOf(server, 'max_over_time(ALERTS{alertname="High"}[1m])'));
});

test('rules: alerts are listed alike', options, async () => {
  await compare(async (server) => {
    const { alerts } = JSON.parse(JSON.stringify(await api(server.url, 'alerts'), withoutTimes)) as {
      alerts: object[];
    };
    return alerts.map((alert) => JSON.stringify(alert)).sort();
  });
});

test('rules: resolved ones leave at once, kept ones later', options, async () => {
  load = [1, 1];
  await bothAre('High inactive, Kept firing, Same inactive, Never inactive, Limited inactive');
  await compare((server) => vectorOf(server, 'ALERTS'));
  await bothAre('High inactive, Kept inactive, Same inactive, Never inactive, Limited inactive');
  await compare((server) => vectorOf(server, 'ALERTS'));
});

test('rules: after a reload series of a group that went end, and other groups go on', options, async () => {
  load = [9, 1];
  await bothAre('High firing, Kept firing, Same firing, Never inactive, Limited firing');
  writeRules(ALERTS.replace('a plain text', 'another text'));
  for (const { server } of servers)
    assert.equal((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status, 200);
  await Promise.all(
    servers.map(({ server }) =>
      eventually(async () => assert.deepEqual(await vectorOf(server, '{__name__=~"job:.+"}'), [])),
    ),
  );
  await bothAre('High firing, Kept firing, Same firing, Never inactive, Limited firing');
  await compare(rulesOf);
});

test('rules: a file that is wrong changes nothing', options, async () => {
  const good = ALERTS.replace('a plain text', 'another text');
  writeRules(`${good}\n- name: bad\n  rules: [{record: x, expr: "1 +"}]\n`);
  for (const { server } of servers)
    assert.equal((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status, 500);
  await compare(rulesOf);
  writeRules(good);
});

async function startOf(server: Server, alert: string): Promise<number> {
  const { alerts } = (await api(server.url, 'alerts')) as {
    alerts: { labels: { alertname: string }; activeAt: string }[];
  };
  const own = alerts.find(({ labels }) => labels.alertname === alert);
  assert.notEqual(own, undefined);
  return Date.parse(own!.activeAt);
}

test('rules: for goes on after a kill', options, async () => {
  const began = await Promise.all(servers.map(({ server }) => startOf(server, 'High')));
  for (const one of servers) {
    await one.server.end('SIGKILL');
    one.server = await one.start();
  }
  await bothAre('High firing, Kept firing, Same firing, Never inactive, Limited firing');
  const starts = await Promise.all(servers.map(({ server }) => startOf(server, 'High')));
  // Written in whole seconds.
  assert.deepEqual(
    starts,
    began.map((timeMs) => Math.floor(timeMs / 1000) * 1000),
  );
});

test('rules: alerts of the past are listed', { skip: options.skip }, async () => {
  const { server } = servers[0]!;
  const { alerts } = (await api(server.url, 'alerts/history', { 'match[]': '{alertname="High"}' })) as {
    alerts: { labels: { cpu: string }; state: string; activeAt: string; firingAt?: string; lastSeenAt: string }[];
  };
  // Both processors were high, then one again.
  assert.deepEqual(alerts.map(({ labels, state }) => `${labels.cpu} ${state}`).sort(), [
    '0 firing',
    '0 inactive',
    '1 inactive',
  ]);
  for (const { activeAt, firingAt, lastSeenAt } of alerts) {
    assert.ok(Date.parse(firingAt!) - Date.parse(activeAt) >= 3000);
    assert.ok(Date.parse(lastSeenAt) >= Date.parse(firingAt!));
  }
});

test('rules: a dry run over the same time finds the same alerts', { skip: options.skip }, async () => {
  const { server } = servers[0]!;
  const body = `groups:${ALERTS.replaceAll('High', 'Higher')}`;
  const answer = await fetch(`${server.url}/api/v1/rules/dry_run`, { method: 'POST', body });
  const { data } = (await answer.json()) as {
    data: {
      groups: { name: string; rules: { name: string; alerts: { labels: { cpu?: string }; state: string }[] }[] }[];
    };
  };
  const higher = data.groups[0]!.rules[0]!;
  assert.equal(higher.name, 'Higher');
  assert.deepEqual(higher.alerts.map(({ labels, state }) => `${labels.cpu} ${state}`).sort(), [
    '0 firing',
    '0 inactive',
    '1 inactive',
  ]);
  const wrong = await fetch(`${server.url}/api/v1/rules/dry_run`, {
    method: 'POST',
    body: 'groups: [{name: a, rules: [{record: x, expr: 1 +}]}]',
  });
  assert.equal(wrong.status, 400);
});
