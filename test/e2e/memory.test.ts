// The memory limit: ten times the series that fit are pushed by scrape and by remote write. New ones are
// refused, those that are there go on, and nobody dies.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { after, before, test } from 'node:test';
import { RemoteWriter } from '../support/remote-write.js';
import { eventually, freePort, instant, type Server, startNarthex } from '../support/servers.js';

const LIMIT_BYTES = 64 * 2 ** 20;
/** Of the process besides the cores: its own code, the heaps of all threads, which a busy machine lets grow before they are collected, buffers of the network. */
const BESIDE_BYTES = 440 * 2 ** 20;
const BATCH = 5000;
const BATCHES = 40;

let http: HttpServer;
let narthex: Server;
/** How many series the growing page has. */
let greed = 1000;

before(async () => {
  const port = await freePort();
  http = createServer((request, response) => {
    const count = request.url === '/greedy' ? greed : 200;
    const name = request.url!.slice(1);
    const lines = Array.from({ length: count }, (_, i) => `${name}{number="${i}",what="a label of some length"} ${i}`);
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('\n')}\n`);
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  http.unref();
  const jobs = ['greedy', 'modest'].map(
    (name) => `
  - job_name: ${name}
    metrics_path: /${name}
    static_configs: [{targets: ['127.0.0.1:${port}']}]`,
  );
  narthex = await startNarthex({
    config: `
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:${jobs.join('')}
`,
    flags: ['--shards=2', '--web.enable-remote-write-receiver', `--storage.memory-limit=${LIMIT_BYTES}B`],
  });
});

after(async () => {
  await narthex?.stop();
  http.close();
});

function peakBytes(): number {
  const status = readFileSync(`/proc/${narthex.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${narthex.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? 'NaN',
  );
}

const value = async (query: string) => Number((await instant(narthex.url, query))[0]?.value[1] ?? 'NaN');

test('beyond the memory limit new series are refused and the others go on', { timeout: 60_000 }, async () => {
  const writer = new RemoteWriter(narthex.url);
  const steady = (n: number) => [{ labels: ['__name__', 'steady'], samples: [[Date.now(), n]] as [number, number][] }];
  assert.equal((await writer.write(steady(0))).status, 204);
  await eventually(async () => assert.equal(await value('count({__name__=~"greedy|modest"})'), 1200));

  const statuses = new Map<number, number>();
  let retryAfter: string | undefined;
  for (let batch = 0; batch < BATCHES; batch++) {
    if (batch === BATCHES - 10) greed = 20_000;
    const timeMs = Date.now();
    const answer = await writer.write(
      Array.from({ length: BATCH }, (_, i) => ({
        labels: ['__name__', 'pushed', 'id', `${batch}-${i}`, 'what', 'a label of some length'],
        samples: [[timeMs, batch]] as const,
      })),
    );
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status === 503) retryAfter ??= answer.retryAfter;
    const { status, text } = await writer.write(steady(batch + 1));
    assert.equal(status, 204, text);
  }
  assert.deepEqual([...statuses.keys()].sort(), [204, 503]);
  assert.ok(Number(retryAfter) > 0, `Retry-After: ${retryAfter}`);
  assert.equal(await value('steady'), BATCHES);

  // The modest job goes on, though the greedy one has met the limit.
  assert.equal(await value('up{job="modest"}'), 1);
  assert.equal(await value('count(modest)'), 200);
  assert.ok((await value('count(greedy)')) >= 1000);
  const scrapes = () => value('count_over_time(modest{number="7"}[1h])');
  const before = await scrapes();
  await eventually(async () => assert.ok((await scrapes()) > before, 'existing series are scraped on'));

  assert.ok((await metric('narthex_refused_series_total{job="greedy"}')) > 0);
  assert.ok((await metric('narthex_refused_series_total{job="{remote write}"}')) > 0);
  assert.match(narthex.log(), /New series refused.*job=greedy/);
  assert.match(narthex.log(), /New series refused.*job="?\{remote write\}/);
  const held = await metric('narthex_shard_memory_bytes');
  assert.ok(held <= LIMIT_BYTES, `${held} bytes of memory`);
  assert.ok(peakBytes() < LIMIT_BYTES + BESIDE_BYTES, `peak ${peakBytes() / 2 ** 20} MiB`);
});
