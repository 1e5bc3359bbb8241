// The notifier beside the real Alertmanager: it receives, groups and resolves.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alertmanagerMissing, RealAlertmanager, until, webhook } from '../support/alertmanager.js';
import { alertingTo, alertOf, testNotifier } from '../support/notifier.js';
import { peerBinary } from '../support/peers.js';
import { startNarthex } from '../support/servers.js';

const binary = peerBinary('prometheus-alertmanager');
const skip = alertmanagerMissing(binary) ?? false;

test('the real Alertmanager receives, groups and resolves alerts', { skip }, async (t) => {
  const hook = await webhook();
  const peer = await RealAlertmanager.start(binary!, hook.url);
  const { notifier } = testNotifier(alertingTo(peer.address));
  t.after(() => Promise.all([notifier.stop(), peer.stop(), hook.close()]));
  const down = [alertOf('Down', { instance: 'a' }), alertOf('Down', { instance: 'b', 'with.dots': 'é' })];
  notifier.send([...down, alertOf('Full', { disk: 'sda' })]);
  await until('two groups are told of', () => hook.notifications.length >= 2);
  const groups = hook.notifications.map(({ groupLabels, alerts }) => `${groupLabels.alertname} ${alerts.length}`);
  assert.deepEqual(groups.sort(), ['Down 2', 'Full 1']);
  const stored = await peer.alerts();
  assert.equal(stored.length, 3);
  const full = stored.find(({ labels }) => labels.alertname === 'Full')!;
  assert.deepEqual(full.annotations, { summary: 'Full says so' });
  assert.equal(full.generatorURL, 'http://narthex.example.com/graph?g0.expr=up&g0.tab=1');
  notifier.send([{ ...down[0]!, endsAtMs: Date.now() }]);
  const isResolved = () =>
    hook.notifications.some(({ alerts }) =>
      alerts.some(({ status, labels }) => status === 'resolved' && labels.instance === 'a'),
    );
  await until('one is told of as resolved', isResolved);
});

test('ten thousand alerts at once reach two real Alertmanagers, one of which dies and returns', { skip }, async (t) => {
  const hook = await webhook();
  const [stays, dies] = [
    await RealAlertmanager.start(binary!, hook.url),
    await RealAlertmanager.start(binary!, hook.url),
  ];
  const { notifier, metrics } = testNotifier(alertingTo(stays.address, dies.address));
  t.after(() => Promise.all([notifier.stop(), stays.stop(), dies.stop(), hook.close()]));
  const alerts = Array.from({ length: 10_000 }, (_, index) => alertOf('Many', { index: String(index) }));
  notifier.send(alerts);
  await until('both have all', async () => {
    return (await stays.alerts()).length === 10_000 && (await dies.alerts()).length === 10_000;
  });
  const [staysUrl, diesUrl] = notifier.active as [string, string];
  await dies.kill();
  notifier.send([alertOf('Other')]);
  await until('it has failed', () => metrics.errors.with(diesUrl).value === 1);
  await dies.run();
  notifier.send(alerts);
  await until('it has all again', async () => (await dies.alerts()).length === 10_000);
  assert.equal((await stays.alerts()).length, 10_001);
  await until('they are counted', () => metrics.sent.with(staysUrl).value === 20_001);
  assert.equal(metrics.errors.with(staysUrl).value, 0);
});

test('rules of a server reach the real Alertmanager, and its answer says where they go', { skip }, async (t) => {
  const hook = await webhook();
  const peer = await RealAlertmanager.start(binary!, hook.url);
  const folder = mkdtempSync(join(tmpdir(), 'narthex-alerting-'));
  writeFileSync(
    join(folder, 'rules.yml'),
    `groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: 'vector(7)', labels: {severity: page}, annotations: {text: '{{ $value }} of {{ $externalLabels.region }}'}}]}]`,
  );
  const config = (rules: string) => `
global: {external_labels: {region: eu}}
rule_files: [${rules}]
alerting: {alertmanagers: [{static_configs: [{targets: ['${peer.address}']}]}]}
`;
  const server = await startNarthex({ config: config(join(folder, 'rules.yml')), flags: ['--web.enable-lifecycle'] });
  t.after(async () => {
    await Promise.all([server.stop(), peer.stop(), hook.close()]);
    rmSync(folder, { recursive: true });
  });
  await until('it has the alert', async () => (await peer.alerts()).length === 1);
  const [alert] = await peer.alerts();
  assert.deepEqual(alert!.labels, { alertname: 'Always', region: 'eu', severity: 'page' });
  assert.deepEqual(alert!.annotations, { text: '7 of eu' });
  assert.match(alert!.generatorURL, /\/graph\?g0\.expr=vector%287%29&g0\.tab=1$/);
  const known = await fetch(`${server.url}/api/v1/alertmanagers`);
  assert.deepEqual(await known.json(), {
    status: 'success',
    data: {
      activeAlertmanagers: [{ url: `http://${peer.address}/api/v2/alerts` }],
      droppedAlertmanagers: [],
    },
  });
  await until('its receiver has it', () => hook.notifications.some(({ status }) => status === 'firing'));
});
