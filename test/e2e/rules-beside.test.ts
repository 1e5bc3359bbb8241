// The same rules over the same targets by Narthex and by a real Prometheus, for a while, with a `kill -9` of both in the middle: what
// Alertmanagers are told, and what is stored of alerts, is the same but for two intervals.
//
//   RULES_SECONDS=900 node --test dist/test/e2e/rules-beside.test.js        as long as it takes to believe it

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FakeAlertmanager, type PostedAlert } from '../support/alertmanager.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { metricText, raw, type Server, sleep, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const SECONDS = Number(process.env.RULES_SECONDS ?? 72);
const INTERVAL_S = 2;
/**
 * After a start the two are not at one: each begins when it is ready, a Prometheus scrapes some seconds later, and `for` is restored
 * with the second evaluation.
 */
const SETTLE_S = 18;

/**
 * What times may differ by: each sees the target at moments of its own, and on a busy machine one evaluation may come before what was scraped
 * just then.
 */
const APART_S = 2 * INTERVAL_S;

/** Each is high for half of its period: alerts and the gaps between them are longer than what the two may differ by. */
const PERIODS_S = [20, 22, 26, 30, 34, 44];

const RULES = `
groups:
- name: recorded
  interval: ${INTERVAL_S}s
  rules:
  - {record: job:load:sum, expr: 'sum by (job) (load{cpu="5"})'}
  - {alert: Sum, expr: 'job:load:sum > 5', labels: {severity: ticket}}
- name: alerts
  interval: ${INTERVAL_S}s
  rules:
  - alert: High
    expr: load > 5
    for: 5s
    labels: {severity: page, cpu_name: 'processor {{ $labels.cpu }}'}
    annotations: {summary: '{{ $labels.cpu }} has {{ $value | humanize }} at {{ $externalLabels.site }}'}
  - {alert: Kept, expr: load > 5, keep_firing_for: 3s}
  - {alert: Never, expr: load > 5, for: 10m}
  - {alert: Pair, expr: 'load{cpu="0"} > 5 and on () load{cpu="1"} > 5', annotations: {text: both}}
  - {alert: Always, expr: 'absent(load{cpu="none"})', for: 2s}
  - {alert: Follows, expr: 'ALERTS{alertstate="firing", alertname="Kept", cpu="4"}', for: 2s}
`;

const folder = emptyFolder();

interface Side {
  readonly name: string;
  readonly manager: FakeAlertmanager;
  readonly start: () => Promise<Server>;
  server: Server;
}

let sides: Side[] = [];
let target: HttpServer | undefined;

after(async () => {
  for (const { server, manager } of sides) await Promise.all([server.stop(), manager.die()]);
  target?.close();
});

function loadPage(): string {
  const seconds = Date.now() / 1000;
  return PERIODS_S.map((period, cpu) => `load{cpu="${cpu}"} ${seconds % period < period / 2 ? 9 : 1}\n`).join('');
}

async function openTarget(): Promise<number> {
  target = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(loadPage());
  });
  await new Promise<void>((resolve) => target!.listen(0, '127.0.0.1', resolve));
  return (target.address() as AddressInfo).port;
}

async function openSides(port: number): Promise<Side[]> {
  const open = async (name: string, launch: typeof startNarthex): Promise<Side> => {
    const manager = await FakeAlertmanager.start();
    const data = join(folder, name);
    mkdirSync(data);
    const config = `
global: {scrape_interval: ${INTERVAL_S}s, scrape_timeout: ${INTERVAL_S}s, external_labels: {site: here}}
rule_files: ['${folder}/*.yml']
alerting: {alertmanagers: [{static_configs: [{targets: ['${manager.address}']}]}]}
scrape_configs: [{job_name: t, static_configs: [{targets: ['127.0.0.1:${port}']}]}]
`;
    const flags = ['--rules.alert.for-grace-period=2s', '--rules.alert.resend-delay=4s'];
    const start = () => launch({ config, flags, data });
    return { name, manager, start, server: await start() };
  };
  return Promise.all([open('narthex', startNarthex), open('prometheus', (rest) => startPeer(prometheus!, rest))]);
}

/** Times at which the two may differ, in seconds. */
type Pause = readonly [fromS: number, toS: number];

interface Stretch {
  readonly of: string;
  readonly fromS: number;
  readonly toS: number;
}

/** Stretches of time in which series of ALERTS have samples. */
async function statesOf({ server }: Side, atS: number): Promise<Stretch[]> {
  const series = await raw(server.url, `ALERTS[${SECONDS + 60}s]`, atS);
  return series.flatMap(({ metric, values }) => {
    const of = metricText(metric);
    const found: Stretch[] = [];
    let fromS = values[0]![0];
    values.forEach(([timeS], i) => {
      const nextS = values[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
      if (nextS - timeS <= 1.5 * INTERVAL_S) return;
      found.push({ of, fromS, toS: timeS });
      fromS = nextS;
    });
    return found;
  });
}

/** What an Alertmanager was told, from the start of each alert to its end. */
function toldTo({ manager }: Side): Stretch[] {
  const last = new Map<string, PostedAlert>();
  for (const alert of manager.alerts) {
    last.set(`${metricText(alert.labels)} ${metricText(alert.annotations ?? {})} ${alert.startsAt}`, alert);
  }
  return [...last.values()].map(({ labels, annotations, startsAt, endsAt }) => {
    const of = `${metricText(labels)} ${metricText(annotations ?? {})}`;
    return { of, fromS: Date.parse(startsAt) / 1000, toS: Date.parse(endsAt) / 1000 };
  });
}

/**
 * That each stretch of `some` that touches no pause is one of `others`, but for two intervals at its ends: they are scraped at other
 * moments. So one as short as that may be missing.
 */
function compare(name: string, some: readonly Stretch[], others: readonly Stretch[], pauses: readonly Pause[]): number {
  const clear = some.filter(({ fromS, toS }) => {
    return toS - fromS > APART_S + 0.001 && pauses.every(([from, to]) => toS < from || fromS > to);
  });
  const isNear = (a: number, b: number) => Math.abs(a - b) <= APART_S + 0.001;
  const lone = clear.filter(({ of, fromS, toS }) => {
    return !others.some((other) => other.of === of && isNear(other.fromS, fromS) && isNear(other.toS, toS));
  });
  const ofSame = others.filter(({ of }) => lone.some((one) => one.of === of));
  assert.deepEqual(lone, [], `${name} has alerts of its own; of the same the other one has ${JSON.stringify(ofSame)}`);
  return clear.length;
}

test('rules beside Prometheus: the same alerts and the same states, through a kill', options, async (t) => {
  writeFileSync(join(folder, 'rules.yml'), RULES);
  sides = await openSides(await openTarget());
  const beganS = Date.now() / 1000;
  await sleep((SECONDS / 2) * 1000);
  const killedS = Date.now() / 1000;
  await Promise.all(
    sides.map(async (side) => {
      await side.server.end('SIGKILL');
      side.server = await side.start();
    }),
  );
  const backS = Date.now() / 1000;
  await sleep((SECONDS / 2) * 1000);
  const endS = Date.now() / 1000;
  const pauses: Pause[] = [
    [0, beganS + SETTLE_S / 2],
    [killedS - INTERVAL_S, backS + SETTLE_S],
    [endS - 2 * INTERVAL_S, Number.POSITIVE_INFINITY],
  ];
  const [ours, theirs] = await Promise.all(sides.map((side) => statesOf(side, endS)));
  const states = compare('narthex', ours!, theirs!, pauses) + compare('prometheus', theirs!, ours!, pauses);
  const [told, toldThem] = sides.map(toldTo);
  // What still fires has an end that is to come.
  const alerts = compare('narthex', told!, toldThem!, pauses) + compare('prometheus', toldThem!, told!, pauses);
  t.diagnostic(`${states} stretches of states and ${alerts} of alerts were compared`);
  assert.ok(states > 3, `${states} states, ${alerts} alerts`);
  // Whatever fires now is what fires there, with its texts.
  const firing = ({ of, toS }: Stretch) => (toS > endS + 2 * INTERVAL_S ? [of] : []);
  const always = (all: readonly Stretch[]) => all.flatMap(firing).filter((of) => of.includes('"Always"'));
  assert.equal(always(told!).length, 1);
  assert.deepEqual(always(told!), always(toldThem!));
});
