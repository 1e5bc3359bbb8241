// Real exporters, scraped by Narthex and by a real Prometheus: node_exporter asked for every format, with what each says
// of its metrics; a Pushgateway, whose groups come, change and go.
//
// node_exporter 1.11 answers those who want OpenMetrics with text, and so does every other exporter of Debian: OpenMetrics
// is compared with pages of ours, in formats.test.ts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Running, startProgram } from '../support/debian.js';
import { missing, peerBinary } from '../support/peers.js';
import {
  api,
  eventually,
  freePort,
  instant,
  type Metric,
  metricText,
  type Server,
  startNarthex,
  startPeer,
} from '../support/servers.js';

const [prometheus, exporter, gateway] = ['prometheus', 'prometheus-node-exporter', 'prometheus-pushgateway'].map(
  peerBinary,
);
const absent = [prometheus, exporter, gateway].findIndex((binary) => binary === undefined);
const options = { skip: absent >= 0 && missing(['prometheus', 'node_exporter', 'pushgateway'][absent]!) };

const FORMATS = [
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusProto',
];
/** Its collectors whose series do not come and go by themselves. */
const COLLECTORS = ['cpu', 'loadavg', 'meminfo', 'stat', 'time', 'uname', 'vmstat'];

const running: Running[] = [];
const servers: Server[] = [];
let gatewayUrl = '';

before(async () => {
  if (options.skip) return;
  const [exporterPort, gatewayPort] = await Promise.all([freePort(), freePort()]);
  gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  running.push(
    startProgram(exporter!, [
      `--web.listen-address=127.0.0.1:${exporterPort}`,
      '--collector.disable-defaults',
      ...COLLECTORS.map((name) => `--collector.${name}`),
    ]),
    startProgram(gateway!, [`--web.listen-address=127.0.0.1:${gatewayPort}`, '--persistence.file=']),
  );
  const config = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
${FORMATS.map((format) => `- {job_name: '${format}', scrape_protocols: [${format}], static_configs: [{targets: ['127.0.0.1:${exporterPort}']}]}`).join('\n')}
- {job_name: pushgateway, honor_labels: true, static_configs: [{targets: ['127.0.0.1:${gatewayPort}']}]}
`;
  servers.push(await startNarthex({ config }), await startPeer(prometheus!, { config }));
});

after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await Promise.all(running.map((program) => program.kill()));
});

const both = <T>(ask: (url: string) => Promise<T>): Promise<T[]> => Promise.all(servers.map(({ url }) => ask(url)));

/** Series without their values: those differ from moment to moment. */
const seriesOf = (selector: string) => async (url: string) =>
  (await instant(url, selector)).map(({ metric }) => metricText(metric)).sort();

interface Metadata {
  readonly target: Metric;
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

for (const format of FORMATS) {
  test(`node_exporter, asked for ${format}: the same series, and the same is said of them`, options, async () => {
    await eventually(async () => {
      const [ours, theirs] = await both(seriesOf(`{job="${format}"}`));
      assert.ok(ours!.length > 100, `${ours!.length} series`);
      assert.deepEqual(ours, theirs);
    });
    const [ours, theirs] = await both(async (url) =>
      (await api<Metadata[]>(url, 'targets/metadata', { match_target: `{job="${format}"}` }))
        .map(({ target, metric, type, help, unit }) => `${metricText(target)} ${metric} ${type} ${unit} ${help}`)
        .sort(),
    );
    assert.ok(ours!.length > 100);
    assert.deepEqual(ours, theirs);
  });
}

async function push(method: 'PUT' | 'POST' | 'DELETE', group: string, body?: string): Promise<void> {
  const answer = await fetch(`${gatewayUrl}/metrics/${group}`, { method, ...(body === undefined ? {} : { body }) });
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}

/** What was pushed, with its values. */
async function pushed(...want: string[]): Promise<void> {
  await eventually(async () => {
    const [ours, theirs] = await both(async (url) =>
      (await instant(url, '{job=~"backup|nightly run"}'))
        .map(({ metric, value }) => `${metricText(metric)} ${value[1]}`)
        .sort(),
    );
    assert.deepEqual(ours, theirs);
    const without = ours!.filter((line) => !line.includes('push_'));
    assert.deepEqual(without, want);
  });
}

test('a Pushgateway: groups with labels of their own come, change and go', options, async () => {
  await push('PUT', 'job/backup/instance/a', '# TYPE done gauge\ndone{part="x"} 1\nbytes_total 5e9\n');
  await push('POST', 'job@base64/bmlnaHRseSBydW4/path@base64/L3Zhci90bXA', 'took_seconds NaN\n');
  const nightly = '__name__="took_seconds",job="nightly run",path="/var/tmp" NaN';
  const first = (name: string, value: string, more = '') =>
    `__name__="${name}",instance="a",job="backup"${more} ${value}`;
  await pushed(first('bytes_total', '5000000000'), first('done', '1', ',part="x"'), nightly);
  await push('POST', 'job/backup/instance/a', 'done{part="x"} 2\ndone{part="y"} 3\n');
  await pushed(
    first('bytes_total', '5000000000'),
    first('done', '2', ',part="x"'),
    first('done', '3', ',part="y"'),
    nightly,
  );
  await push('DELETE', 'job/backup/instance/a');
  await pushed(nightly);
  await push('DELETE', 'job@base64/bmlnaHRseSBydW4/path@base64/L3Zhci90bXA');
  await pushed();
});
