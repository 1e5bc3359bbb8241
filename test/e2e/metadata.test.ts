// Metadata of metrics: by remote write, kept in the log by feature, and the logs of Narthex and Prometheus in each other's hands.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { openLog } from '../../src/tsdb/wal/open.js';
import { decodeMetadata, decodeSeries, type MetadataEntry, RecordType } from '../../src/tsdb/wal/record.js';
import { Core } from '../../src/wasm/core.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { encodeMetadata, encodeWrite, RemoteWriter, snappyLiterals } from '../support/remote-write.js';
import { encodeWriteV2, V2 } from '../support/remote-write-v2.js';
import { api, eventually, type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const FEATURE = '--enable-feature=metadata-wal-records';
const RECEIVER = '--web.enable-remote-write-receiver';

const endings: (() => unknown)[] = [];
after(async () => {
  for (const end of endings.reverse()) await end();
});

async function noted(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  endings.push(() => server.stop());
  return server;
}

type Listed = Record<string, { type: string; help: string; unit: string }[]>;

const listed = ({ url }: Server, params: Record<string, string> = {}) => api<Listed>(url, 'metadata', params);

async function send(server: Server, body: Uint8Array, message?: string): Promise<void> {
  const writer = new RemoteWriter(server.url);
  const { status, text } = await writer.send(snappyLiterals(body), message);
  writer.close();
  assert.equal(status, 204, text);
}

const counter = { metric: 'a_total', type: 'counter', help: 'How many.', unit: '' };
const histogram = { metric: 'b_seconds', type: 'histogram', help: 'How "long"\n', unit: 'seconds' };
const seriesOf = (timeMs: number) =>
  encodeWrite(
    ['a_total', 'b_seconds_bucket', 'b_seconds_count', 'other'].map((name) => ({
      labels: ['__name__', name],
      samples: [[timeMs, 1]],
    })),
  );

/** Metadata in a log by the name of the series: the latest of each. */
function inLog(data: string): Record<string, Omit<MetadataEntry, 'ref'>> {
  const names = new Map<number, string>();
  const found: Record<string, Omit<MetadataEntry, 'ref'>> = {};
  const disk = realDisk;
  openLog(
    { disk, folder: `${data}/wal`, ownFolder: `${data}/narthex`, core: new Core(), repair: false },
    {
      record: ({ type, bytes }) => {
        if (type === RecordType.Series) {
          for (const { ref, labels } of decodeSeries(bytes)) names.set(ref, labels[labels.indexOf('__name__') + 1]!);
        } else if (type === RecordType.Metadata) {
          for (const { ref, ...rest } of decodeMetadata(bytes)) found[names.get(ref)!] = rest;
        }
      },
    },
  );
  return found;
}

const told = ({ type, help, unit }: typeof counter) => ({ type, help, unit });

for (const shards of [1, 3]) {
  test(`metadata of remote writes, ${shards} shards: served, noted for each series, there again after a kill`, async () => {
    const data = emptyFolder();
    const flags = [FEATURE, RECEIVER, `--shards=${shards}`];
    let server = await noted(startNarthex({ data, flags }));
    await send(server, seriesOf(Date.now()));
    await send(server, encodeMetadata([counter, { ...histogram, help: 'before' }]));
    await send(server, Buffer.concat([encodeMetadata([counter]), encodeMetadata([histogram])]));
    const late = [{ labels: ['__name__', 'b_seconds_sum'], samples: [[Date.now(), 1]] as const }];
    await send(server, encodeWrite(late));
    const want = { a_total: [told(counter)], b_seconds: [told(histogram)] };
    assert.deepEqual(await listed(server), want);
    assert.deepEqual(await listed(server, { metric: 'b_seconds' }), { b_seconds: want.b_seconds });
    await server.end('SIGKILL');
    const { a_total, b_seconds_bucket, b_seconds_count, b_seconds_sum, ...rest } = inLog(data);
    assert.deepEqual(a_total, told(counter));
    for (const one of [b_seconds_bucket, b_seconds_count, b_seconds_sum]) assert.deepEqual(one, told(histogram));
    assert.deepEqual(rest, {});
    server = await noted(startNarthex({ data, flags }));
    assert.deepEqual(await listed(server), want);
    await server.end('SIGTERM');
    if (prometheus === undefined) return;
    const peer = await noted(startPeer(prometheus, { data, flags: [FEATURE] }));
    const metrics = await (await fetch(`${peer.url}/metrics`)).text();
    assert.match(metrics, /^prometheus_tsdb_wal_corruptions_total 0$/m);
    assert.match(metrics, /^prometheus_tsdb_head_series 5$/m);
  });
}

test('without the feature metadata is served and the log has none; version 2.0 has it by series', async () => {
  const data = emptyFolder();
  const server = await noted(startNarthex({ data, flags: [RECEIVER, '--shards=2'] }));
  await send(server, Buffer.concat([seriesOf(Date.now()), encodeMetadata([counter])]));
  const metadata = { type: 3, help: histogram.help, unit: histogram.unit };
  const samples = [[Date.now() + 1, 1]] as const;
  await send(server, encodeWriteV2([{ labels: ['__name__', 'b_seconds_bucket'], samples, metadata }]), V2);
  assert.deepEqual(await listed(server), { a_total: [told(counter)], b_seconds: [told(histogram)] });
  await server.end('SIGKILL');
  assert.deepEqual(inLog(data), {});
});

test('what a Prometheus noted of its targets is read, and Narthex notes the same', {
  skip: prometheus === undefined && missing('prometheus'),
}, async () => {
  const body =
    '# HELP a_total How many.\n# TYPE a_total counter\na_total 1\n' +
    '# HELP s Sizes.\n# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 1\ns_count 1\nbare 1\n';
  const target = createServer((_, response) =>
    response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(body),
  );
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  endings.push(() => target.close());
  const { port } = target.address() as AddressInfo;
  const config = `scrape_configs:\n  - job_name: j\n    scrape_interval: 500ms\n    static_configs: [{ targets: ['127.0.0.1:${port}'] }]\n`;
  const [others, own] = [emptyFolder(), emptyFolder()];
  const peer = await noted(startPeer(prometheus!, { data: others, config, flags: [FEATURE] }));
  const ours = await noted(startNarthex({ data: own, config, flags: [FEATURE] }));
  for (const server of [peer, ours]) {
    await eventually(async () =>
      assert.equal((await api<{ result: [] }>(server.url, 'query', { query: 's_count' })).result.length, 1),
    );
    await server.end('SIGKILL');
  }
  // Prometheus describes the series of its own that each scrape adds as well.
  const { a_total, s, s_sum, s_count } = inLog(others);
  assert.deepEqual(inLog(own), { a_total, s, s_sum, s_count });
  const heir = await noted(startNarthex({ data: others }));
  const known = await listed(heir);
  assert.deepEqual(known.a_total, [{ type: 'counter', help: 'How many.', unit: '' }]);
  assert.deepEqual(known.s, [{ type: 'summary', help: 'Sizes.', unit: '' }]);
});
