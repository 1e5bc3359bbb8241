// kill -9 under full load, again and again on one data directory: nothing that was acknowledged is
// lost, nothing is wrong, every batch is there as a whole or not at all. The real Prometheus opens
// copies of the killed directory and sees the same.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { Sender } from '../support/sender.js';
import { type Server, sleep, startNarthex, startPeer } from '../support/servers.js';

const ROUNDS = 20;
const LOAD_MS = 700;
const CONNECTIONS = 4;
const BATCH_SERIES = 500;
/** Series live for this many batches. */
const LIFE_BATCHES = 60;
/** Batches of one connection are at least this far apart in time. */
const STEP_MS = 5;
/** The real Prometheus looks at every n-th killed directory. */
const PEER_EVERY = 5;

const prometheus = peerBinary('prometheus');
const promtool = peerBinary('promtool');

function senders(): Sender[] {
  const nextMs = (beforeMs: number) => Math.max(beforeMs + STEP_MS, Date.now());
  return Array.from(
    { length: CONNECTIONS },
    (_, id) => new Sender({ id, series: BATCH_SERIES, lifeBatches: LIFE_BATCHES, nextMs }),
  );
}

function start(data: string, shards: number, ...flags: string[]): Promise<Server> {
  return startNarthex({ data, flags: ['--web.enable-remote-write-receiver', `--shards=${shards}`, ...flags] });
}

/** Loads a server for a while, then ends it; gives its exit code. */
async function loadAndEnd(
  server: Server,
  load: Sender[],
  signal: 'SIGKILL' | 'SIGTERM',
  loadMs = LOAD_MS,
): Promise<number | undefined> {
  const runs = Promise.all(load.map((sender) => sender.run(server.url)));
  await sleep(loadMs);
  const code = await server.end(signal);
  await runs;
  return code;
}

async function checkPeer(data: string, load: Sender[], rangeMs?: number): Promise<void> {
  const copy = emptyFolder();
  cpSync(data, copy, { recursive: true });
  // The lock is held by nobody any more.
  rmSync(join(copy, 'lock'), { force: true });
  const peer = await startPeer(prometheus!, { data: copy, flags: ['--storage.tsdb.retention.time=10y'] });
  try {
    for (const sender of load) await sender.check(peer.url, rangeMs);
  } finally {
    await peer.stop();
    rmSync(copy, { recursive: true, force: true });
  }
}

test(`${ROUNDS} times kill -9: no acknowledged sample lost, none wrong, every batch whole`, async (t) => {
  if (prometheus === undefined) t.diagnostic(missing('prometheus'));
  const data = emptyFolder();
  const load = senders();
  for (let round = 1; round <= ROUNDS; round++) {
    // Another number of shards each time: the directory does not know it.
    const server = await start(data, 1 + (round % 3));
    for (const sender of load) {
      await sender.check(server.url);
      await sender.settle(server.url);
    }
    await loadAndEnd(server, load, 'SIGKILL');
    if (prometheus !== undefined && round % PEER_EVERY === 0) await checkPeer(data, load);
  }
  const server = await start(data, 2);
  let survived = 0;
  for (const sender of load) survived += await sender.check(server.url);
  await server.stop();
  const batches = load.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  assert.ok(batches > ROUNDS * CONNECTIONS, `${batches} batches`);
  t.diagnostic(`${batches * BATCH_SERIES} samples acknowledged; ${survived} unanswered batches survived the last kill`);
});

test('kills while the window moves and the log is cut: the window is whole', async () => {
  const windowMs = 4000;
  const blockMs = 2000;
  // What is as old as the window may be there or not.
  const rangeMs = windowMs - 500;
  const data = emptyFolder();
  const load = senders();
  let checkpoints = 0;
  for (let round = 1; round <= 5; round++) {
    const server = await start(data, 1 + (round % 2), `--storage.tsdb.min-block-duration=${blockMs}ms`);
    for (const sender of load) {
      await sender.check(server.url, rangeMs);
      await sender.settle(server.url);
    }
    await loadAndEnd(server, load, 'SIGKILL', 2000 + 150 * round);
    checkpoints += readdirSync(join(data, 'wal')).filter((name) => name.startsWith('checkpoint.')).length;
    if (prometheus !== undefined && round === 5) await checkPeer(data, load, rangeMs);
  }
  assert.ok(checkpoints > 0, 'the log was cut');
});

for (const shards of [1, 2]) {
  test(`SIGTERM under load, ${shards} shards: exit code 0, nothing lost, promtool reads the log`, async (t) => {
    const data = emptyFolder();
    const load = senders();
    const server = await start(data, shards);
    assert.equal(await loadAndEnd(server, load, 'SIGTERM'), 0, server.log());
    if (promtool === undefined) t.diagnostic(missing('promtool'));
    else {
      const lines = execFileSync(promtool, ['tsdb', 'dump', '--match={n="7"}', data], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      const dumped = new Set(lines.split('\n'));
      for (const { id, acknowledged } of load) {
        for (const { timeMs, value } of acknowledged) {
          const life = Math.floor(value / LIFE_BATCHES);
          const line = `{__name__="batch", life="${life}", n="7", sender="${id}"} ${value} ${timeMs}`;
          assert.ok(dumped.has(line), `promtool does not show ${line}`);
        }
      }
    }
    const again = await start(data, shards);
    for (const sender of load) await sender.check(again.url);
    await again.stop();
  });
}
