// The head's window: many of them go by while series come and go. What lies behind the window
// leaves memory and disk, what lies in it stays whole, and series that were dropped may come back.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RemoteWriter, type RemoteWriter as Writer } from '../support/remote-write.js';
import { eventually, freePort, instant, raw, type Server, sleep, startNarthex } from '../support/servers.js';

const WINDOW_MS = 3000;
const BLOCK_MS = 2000;
const ROUND_MS = 150;
const NEW_SERIES_PER_ROUND = 800;
/** Rounds until memory and disk are as large as they ever should be, and rounds in all. */
const SETTLED = 50;
const ROUNDS = 110;

const data = mkdtempSync(join(tmpdir(), 'narthex-window-'));
let http: HttpServer;
let narthex: Server;
let writer: Writer;
/** Whether the target answers, and whether it has its second half. */
let alive = true;
let whole = true;
const written: number[] = [];

before(async () => {
  const port = await freePort();
  http = createServer((_, response) => {
    if (!alive) return void response.destroy();
    const lines = Array.from({ length: 300 }, (_, i) => `steady{n="${i}"} ${i}`);
    if (whole) for (let i = 0; i < 300; i++) lines.push(`comes_and_goes{n="${i}"} ${i}`);
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('\n')}\n`);
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  http.unref();
  narthex = await startNarthex({
    data,
    config: `
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
  - job_name: page
    static_configs: [{targets: ['127.0.0.1:${port}']}]
`,
    flags: ['--shards=2', '--web.enable-remote-write-receiver', `--storage.tsdb.min-block-duration=${BLOCK_MS}ms`],
  });
  writer = new RemoteWriter(narthex.url);
});

after(async () => {
  await narthex?.stop();
  http.close();
  rmSync(data, { recursive: true, force: true });
});

/** One second in five there is `returns`; there is always `always`, and there are series that come once. */
async function round(n: number): Promise<void> {
  const timeMs = Date.now();
  const once = Array.from({ length: NEW_SERIES_PER_ROUND }, (_, i) => ({
    labels: ['__name__', 'once', 'id', `${n}-${i}`],
    samples: [[timeMs, n]] as const,
  }));
  const always = { labels: ['__name__', 'always'], samples: [[timeMs, n]] as const };
  const returns = Array.from({ length: n % 50 < 5 ? 100 : 0 }, (_, i) => ({
    labels: ['__name__', 'returns', 'i', String(i)],
    samples: [[timeMs, n]] as const,
  }));
  const { status, text } = await writer.write([always, ...once, ...returns]);
  assert.equal(status, 204, text);
  written.push(timeMs);
  await sleep(ROUND_MS - (Date.now() - timeMs));
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${narthex.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

/** Memory of the shards, but for chunks of blocks that queries read: these have a bound of their own. */
async function headBytes(): Promise<number> {
  return (await metric('narthex_shard_memory_bytes')) - (await metric('narthex_query_chunk_cache_bytes'));
}

/** Bytes below a path, 0 where there is nothing: the server makes and removes checkpoints while this looks. */
function bytesBelow(path: string): number {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) return stat.size;
    return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

const logBytes = () => bytesBelow(join(data, 'wal'));

test('memory, disk and replay stay bounded, and the window stays whole', { timeout: 60_000 }, async () => {
  let settled = { memory: 0, disk: 0 };
  let mostDisk = 0;
  for (let n = 0; n < ROUNDS; n++) {
    whole = n % 50 < 10;
    alive = n < 20 || n > 55;
    await round(n);
    if (n < SETTLED) settled = { memory: await headBytes(), disk: logBytes() };
    else mostDisk = Math.max(mostDisk, logBytes());
    if (n === SETTLED + 1) assert.deepEqual(await instant(narthex.url, 'steady'), [], 'the target is down');
  }

  // In the window nothing is missing and everything is right.
  const [always] = await raw(narthex.url, 'always[1h]');
  const got = always!.values.map(([seconds, value]) => [Math.round(seconds * 1000), Number(value)]);
  const inWindow = written.flatMap((timeMs, n) => (timeMs > written.at(-1)! - WINDOW_MS ? [[timeMs, n]] : []));
  assert.deepEqual(got.slice(-inWindow.length), inWindow);
  assert.deepEqual(got, written.map((timeMs, n) => [timeMs, n]).slice(-got.length));
  for (const one of await raw(narthex.url, 'returns[1h]')) assert.equal(one.values.at(-1)![1], '104');
  assert.equal((await instant(narthex.url, 'count(last_over_time(returns[1h]))'))[0]!.value[1], '100');

  // What was dropped and scraped again is back.
  assert.equal((await instant(narthex.url, 'count(steady)'))[0]!.value[1], '300');
  whole = true;
  await eventually(async () => assert.equal((await instant(narthex.url, 'count(comes_and_goes)'))[0]?.value[1], '300'));

  const perWindow = (NEW_SERIES_PER_ROUND * WINDOW_MS) / ROUND_MS;
  assert.ok((await metric('prometheus_tsdb_head_series')) < 3 * perWindow);
  assert.ok((await metric('prometheus_tsdb_head_series_removed_total')) > 3 * perWindow);
  assert.ok((await metric('prometheus_tsdb_checkpoint_creations_total')) > 2);
  assert.equal(await metric('prometheus_tsdb_checkpoint_creations_failed_total'), 0);
  const memory = await headBytes();
  assert.ok(memory < settled.memory * 1.5, `memory ${memory}, was ${settled.memory}`);
  assert.ok(mostDisk < settled.disk * 3, `log of ${mostDisk} bytes, was ${settled.disk}`);
  assert.doesNotMatch(narthex.log(), /level=(warn|error)/);

  await narthex.end('SIGKILL');
  narthex = await startNarthex({ data, flags: ['--shards=1'] });
  const [, series] = /Log replay completed.* series=(\d+)/.exec(narthex.log())!;
  assert.ok(Number(series) < 6 * perWindow, `${series} series replayed`);
  const [again] = await raw(narthex.url, 'always[1h]');
  assert.deepEqual(
    again!.values.slice(-inWindow.length).map(([seconds, value]) => [Math.round(seconds * 1000), Number(value)]),
    inWindow,
  );
});
