// The same configuration of discovery for Narthex and a real Prometheus: the same targets with the same labels,
// while files and answers change under them.

import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { endAll, sendJson, serve } from '../support/discovery.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { eventually, type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const folder = emptyFolder();
let listed: unknown = [];
const servers: Server[] = [];
let sdUrl = '';

before(async () => {
  if (prometheus === undefined) return;
  const sd = await serve((_, response) => sendJson(response, listed));
  sdUrl = sd.url;
  put('a.json', JSON.stringify([{ targets: ['127.0.0.1:1', '127.0.0.1:2'], labels: { env: 'prod', __meta_x: 'y' } }]));
  put(
    'b.yml',
    '- targets: [127.0.0.1:3]\n  labels: {__metrics_path__: /other, job: own}\n- targets: []\n- labels: {a: b}',
  );
  const config = configOf('drop');
  servers.push(
    await startNarthex({ config, flags: ['--web.enable-lifecycle'] }),
    await startPeer(prometheus, { config, flags: ['--web.enable-lifecycle'] }),
  );
});

after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await endAll();
});

function configOf(action: string): string {
  return `
global: {scrape_interval: 1h}
scrape_configs:
- job_name: files
  static_configs: [{targets: ['127.0.0.1:9'], labels: {env: static}}]
  file_sd_configs: [{files: ['${folder}/*.json', '${folder}/b.yml']}]
  relabel_configs:
  - {source_labels: [__address__], regex: '.*:2', action: ${action}}
  - {source_labels: [__meta_filepath], regex: '.*/(.*)', target_label: file}
- job_name: http
  http_sd_configs: [{url: '${sdUrl}/x', refresh_interval: 1s}]
`;
}

function put(name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

interface Target {
  readonly discoveredLabels: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly scrapePool: string;
  readonly scrapeUrl?: string;
}

interface Targets {
  readonly data: { readonly activeTargets: readonly Target[]; readonly droppedTargets: readonly Target[] };
}

async function targetsOf(server: Server): Promise<string[]> {
  const { data } = (await (await fetch(`${server.url}/api/v1/targets`)).json()) as Targets;
  const shown = ({ discoveredLabels, labels, scrapePool, scrapeUrl }: Target) =>
    JSON.stringify([scrapePool, scrapeUrl, sorted(discoveredLabels), sorted(labels ?? {})]);
  return [...data.activeTargets.map(shown), ...data.droppedTargets.map((target) => `dropped ${shown(target)}`)].sort();
}

function sorted(labels: Record<string, string>): [string, string][] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Both have the same targets, so many of them. */
async function agree(count: number): Promise<void> {
  await eventually(async () => {
    const [ours, theirs] = await Promise.all(servers.map(targetsOf));
    assert.equal(ours!.length, count, ours!.join('\n'));
    assert.deepEqual(ours, theirs);
  });
}

test('the same targets at the start', options, () => agree(4));

test('files and answers change', options, async () => {
  listed = [{ targets: ['127.0.0.1:4'], labels: { __scheme__: 'https', __param_q: '1' } }];
  put('c.json', JSON.stringify([{ targets: ['127.0.0.1:5'] }]));
  await agree(6);
  put('a.json', '[{"targets": ["127.0.0.1:6"]');
  listed = { no: 'list' };
  put('c.json', JSON.stringify([{ targets: ['127.0.0.1:7', '127.0.0.1:8', '127.0.0.1:8'] }]));
  await agree(7);
  listed = [];
  put('a.json', '[]');
  await agree(4);
});

test('a reload', options, async () => {
  put('a.json', JSON.stringify([{ targets: ['127.0.0.1:2', '127.0.0.1:10'] }]));
  await agree(6);
  for (const server of servers) assert.equal((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status, 200);
  await agree(6);
});
