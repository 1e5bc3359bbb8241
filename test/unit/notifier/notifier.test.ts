// The notifier beside Alertmanagers that behave as they like.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeAlertmanager, until } from '../../support/alertmanager.js';
import { alertingTo, alertOf, testNotifier } from '../../support/notifier.js';

test('an alert is posted as the API has it, with external labels behind its own', async (t) => {
  const peer = await FakeAlertmanager.start();
  t.after(() => peer.die());
  const { notifier } = testNotifier(
    `global: {external_labels: {job: server, region: eu}}\n${alertingTo(peer.address)}`,
  );
  const startsAtMs = Date.UTC(2026, 10, 21, 8);
  notifier.send([alertOf('Down', { job: 'node' }, { startsAtMs, endsAtMs: startsAtMs + 240_000 })]);
  await until('it has arrived', () => peer.alerts.length === 1);
  assert.deepEqual(peer.alerts, [
    {
      labels: { alertname: 'Down', job: 'node', region: 'eu' },
      annotations: { summary: 'Down says so' },
      startsAt: '2026-11-21T08:00:00.000Z',
      endsAt: '2026-11-21T08:04:00.000Z',
      generatorURL: 'http://narthex.example.com/graph?g0.expr=up&g0.tab=1',
    },
  ]);
  const [request] = peer.requests;
  assert.equal(`${request!.method} ${request!.path}`, 'POST /api/v2/alerts');
  assert.equal(request!.headers['content-type'], 'application/json');
  assert.equal(request!.headers['user-agent'], 'Narthex/test');
  await notifier.stop();
});

test('rules of all sections, then of one, change and drop alerts', async (t) => {
  const [all, some] = [await FakeAlertmanager.start(), await FakeAlertmanager.start()];
  t.after(() => Promise.all([all.die(), some.die()]));
  const { notifier } = testNotifier(`
alerting:
  alert_relabel_configs:
    - {source_labels: [alertname], regex: Never, action: drop}
    - {regex: replica, action: labeldrop}
  alertmanagers:
    - static_configs: [{targets: ['${all.address}']}]
    - static_configs: [{targets: ['${some.address}']}]
      alert_relabel_configs: [{source_labels: [severity], regex: page, action: keep}]
`);
  notifier.send([alertOf('Never'), alertOf('A', { replica: '1' }), alertOf('B', { severity: 'page' })]);
  await until('they have arrived', () => all.alerts.length === 2 && some.alerts.length === 1);
  assert.deepEqual(
    all.alerts.map(({ labels }) => labels),
    [{ alertname: 'A' }, { alertname: 'B', severity: 'page' }],
  );
  assert.equal(some.alerts[0]!.labels.alertname, 'B');
  await notifier.stop();
});

test('prefix, scheme and rules say where Alertmanagers are', async () => {
  const { notifier } = testNotifier(`
alerting:
  alertmanagers:
    - path_prefix: /am/
      scheme: https
      static_configs: [{targets: ['a:1', 'b:2', 'a:1', 'gone:3'], labels: {zone: x}}]
      relabel_configs:
        - {source_labels: [__address__], regex: 'gone.*', action: drop}
        - {source_labels: [__address__], regex: 'b:2', target_label: __alerts_path__, replacement: /other}
`);
  assert.deepEqual(notifier.active, ['https://a:1/am/api/v2/alerts', 'https://b:2/other']);
  assert.deepEqual(notifier.dropped, ['https://gone:3/am/api/v2/alerts']);
  await notifier.stop();
});

test('credentials go with every request', async (t) => {
  const peer = await FakeAlertmanager.start();
  t.after(() => peer.die());
  const { notifier } = testNotifier(`
alerting: {alertmanagers: [{basic_auth: {username: u, password: p}, static_configs: [{targets: ['${peer.address}']}]}]}
`);
  notifier.send([alertOf('A')]);
  await until('it has arrived', () => peer.alerts.length === 1);
  assert.equal(peer.requests[0]!.headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
  await notifier.stop();
});

test('ten thousand alerts leave in batches, in their order', async (t) => {
  const peer = await FakeAlertmanager.start();
  t.after(() => peer.die());
  const { notifier, metrics } = testNotifier(alertingTo(peer.address));
  const names = Array.from({ length: 10_000 }, (_, index) => `A${index}`);
  notifier.send(names.map((name) => alertOf(name)));
  await until('all have arrived', () => peer.alerts.length === 10_000);
  assert.deepEqual(
    peer.alerts.map(({ labels }) => labels.alertname),
    names,
  );
  assert.deepEqual(
    peer.batches.map((batch) => batch.length),
    [...new Array(39).fill(256), 16],
  );
  await until('they are counted', () => metrics.sent.with(notifier.active[0]!).value === 10_000);
  await notifier.stop();
});

test('an Alertmanager that refuses, cuts or hangs costs its batch, and no other Alertmanager', async (t) => {
  const [good, bad] = [await FakeAlertmanager.start(), await FakeAlertmanager.start()];
  t.after(() => Promise.all([good.die(), bad.die()]));
  const { notifier, metrics } = testNotifier(`
alerting: {alertmanagers: [{timeout: 200ms, static_configs: [{targets: ['${good.address}', '${bad.address}']}]}]}
`);
  const url = notifier.active[1]!;
  for (const [index, behaviour] of ([500, 400, 'cut', 'hang'] as const).entries()) {
    bad.behaviour = behaviour;
    notifier.send([alertOf(`A${index}`), alertOf(`B${index}`)]);
    await until(`${behaviour} is counted`, () => metrics.errors.with(url).value === 2 * (index + 1));
    assert.equal(metrics.dropped.with(url).value, 2 * (index + 1));
  }
  bad.behaviour = 200;
  notifier.send([alertOf('last')]);
  await until('both have it', () => good.alerts.length === 9 && bad.alerts.length === 1);
  await notifier.stop();
});

test('one that dies and comes back gets what is told from then on; the other all the time', async (t) => {
  const [stays, dies] = [await FakeAlertmanager.start(), await FakeAlertmanager.start()];
  t.after(() => Promise.all([stays.die(), dies.die()]));
  const { notifier, metrics } = testNotifier(alertingTo(stays.address, dies.address));
  notifier.send([alertOf('A')]);
  await until('both have the first', () => stays.alerts.length === 1 && dies.alerts.length === 1);
  await dies.die();
  notifier.send([alertOf('B')]);
  await until('the second is lost', () => metrics.dropped.with(notifier.active[1]!).value === 1);
  await dies.listen();
  notifier.send([alertOf('B')]);
  await until('both have it', () => stays.alerts.length === 3 && dies.alerts.length === 2);
  await notifier.stop();
});

test('a full queue loses its oldest alerts, and counts them', async (t) => {
  const peer = await FakeAlertmanager.start();
  t.after(() => peer.die());
  peer.behaviour = 'hang';
  const { notifier, metrics } = testNotifier(
    `alerting: {alertmanagers: [{timeout: 1s, static_configs: [{targets: ['${peer.address}']}]}]}`,
    { capacity: 10, batchSize: 2 },
  );
  const [url] = notifier.active as [string];
  notifier.send([alertOf('under'), alertOf('way')]);
  await until('a request hangs', () => peer.requests.length === 1);
  notifier.send(Array.from({ length: 14 }, (_, index) => alertOf(`A${index}`)));
  assert.equal(metrics.queueLength.with(url).value, 10);
  assert.equal(metrics.dropped.with(url).value, 4);
  assert.equal(metrics.queueCapacity.value, 10);
  peer.behaviour = 200;
  await until('the rest has arrived', () => peer.alerts.length === 10);
  assert.equal(peer.alerts[0]!.labels.alertname, 'A4');
  await notifier.stop();
});

test('stopping sends what waits', async (t) => {
  const peer = await FakeAlertmanager.start();
  t.after(() => peer.die());
  const { notifier } = testNotifier(alertingTo(peer.address), { batchSize: 10 });
  notifier.send(Array.from({ length: 95 }, (_, index) => alertOf(`A${index}`)));
  await notifier.stop();
  assert.equal(peer.alerts.length, 95);
  notifier.send([alertOf('late')]);
  assert.equal(peer.alerts.length, 95);
});

test('stopping does not wait for one that does not answer, nor sends where it is not to', async (t) => {
  const peer = await FakeAlertmanager.start();
  t.after(() => peer.die());
  peer.behaviour = 'cut';
  const draining = testNotifier(alertingTo(peer.address), { batchSize: 1 }).notifier;
  draining.send([alertOf('A'), alertOf('B'), alertOf('C')]);
  await draining.stop();
  assert.ok(peer.requests.length <= 2, `${peer.requests.length} requests`);
  peer.behaviour = 'hang';
  const hasty = testNotifier(alertingTo(peer.address), { drains: false }).notifier;
  hasty.send([alertOf('A')]);
  await hasty.stop();
  assert.equal(peer.alerts.length, 0);
});

test('a reload that changes nothing of a section leaves what waits alone; others are sent to the end', async (t) => {
  const [kept, changed] = [await FakeAlertmanager.start(), await FakeAlertmanager.start()];
  t.after(() => Promise.all([kept.die(), changed.die()]));
  const config = (timeout: string) => `
alerting:
  alertmanagers:
    - {timeout: ${timeout}, static_configs: [{targets: ['${changed.address}']}]}
    - {timeout: 400ms, static_configs: [{targets: ['${kept.address}']}]}
`;
  kept.behaviour = changed.behaviour = 'hang';
  const { notifier, metrics, configure } = testNotifier(config('400ms'), { batchSize: 1 });
  const [changedUrl, keptUrl] = notifier.active as [string, string];
  notifier.send([alertOf('A'), alertOf('B'), alertOf('C')]);
  await until('both hang', () => kept.requests.length === 1 && changed.requests.length === 1);
  configure(config('300ms'));
  assert.deepEqual(notifier.active, [changedUrl, keptUrl]);
  assert.equal(metrics.queueLength.with(keptUrl).value, 2);
  kept.behaviour = changed.behaviour = 200;
  notifier.send([alertOf('D')]);
  await until('the new set sends', () => changed.alerts.some(({ labels }) => labels.alertname === 'D'));
  await notifier.stop();
});

test('discovery that changes leaves those that stay alone', async (t) => {
  const [stays, comes] = [await FakeAlertmanager.start(), await FakeAlertmanager.start()];
  t.after(() => Promise.all([stays.die(), comes.die()]));
  const { notifier, metrics } = testNotifier(alertingTo(stays.address));
  const [url] = notifier.active as [string];
  notifier.send([alertOf('A')]);
  await until('it is counted', () => metrics.sent.with(url).value === 1);
  const group = (...addresses: string[]) => [
    { targets: addresses.map((address) => ['__address__', address]), labels: [] },
  ];
  notifier.setTargets('config-0', group(stays.address, comes.address));
  notifier.send([alertOf('B')]);
  await until('both have it', () => stays.alerts.length === 2 && comes.alerts.length === 1);
  assert.equal(metrics.sent.with(url).value, 2);
  notifier.setTargets('config-0', group(comes.address));
  notifier.send([alertOf('C')]);
  await until('the new one has it', () => comes.alerts.length === 2);
  assert.equal(stays.alerts.length, 2);
  await notifier.stop();
});
