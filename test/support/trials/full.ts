// A disk that runs full under load, and has room again later: nobody restarts anything, queries go on, nothing that was
// acknowledged is lost.

import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RemoteWriter } from '../remote-write.js';
import { Sender } from '../sender.js';
import { eventually, instant, type Server, sleep, startNarthex } from '../servers.js';
import type { Volume } from './volume.js';

const SENDERS = 2;
const SERIES = 2000;
const FULL_MS = 3000;
/** Writes go on so soon when there is room again. */
const RESUME_MS = 5000;

export interface FullReport {
  readonly acknowledged: number;
  readonly refused: number;
  readonly resumedMs: number;
}

/** Fills the volume up, gives room, and looks. `ballastBytes` are what is freed. */
export async function runFull(volume: Volume, ballastBytes: number): Promise<FullReport> {
  const data = join(volume.path, 'data');
  mkdirSync(data);
  const ballast = join(volume.path, 'ballast');
  fill(ballast, ballastBytes);
  const nextMs = (beforeMs: number) => Math.max(beforeMs + 5, Date.now());
  const load = Array.from({ length: SENDERS }, (_, id) => new Sender({ id, series: SERIES, lifeBatches: 50, nextMs }));
  let server = await start(data, 2);
  try {
    const runs = Promise.all(load.map((sender) => sender.run(server.url)));
    await eventually(
      async () =>
        assert.ok(
          load.every(({ refused }) => refused > 0),
          'never full',
        ),
      120_000,
    );
    await assertAlive(server, load);
    await sleep(FULL_MS);
    await assertAlive(server, load);
    for (const sender of load) await sender.check(server.url);
    const said = await refusal(server);
    assert.match(said, /ENOSPC|no space|reserve/i);

    rmSync(ballast);
    const freedMs = Date.now();
    const before = load.map(({ acknowledged }) => acknowledged.length);
    await eventually(async () => {
      for (const [i, { acknowledged }] of load.entries()) assert.ok(acknowledged.length > before[i]!, 'still refused');
    }, RESUME_MS * 4);
    const resumedMs = Date.now() - freedMs;
    for (const sender of load) sender.stopped = true;
    await runs;
    // What was refused may have come true: it is there or not, from the next start on.
    await server.end('SIGKILL');
    server = await start(data, 1);
    for (const sender of load) await sender.check(server.url);
    return {
      acknowledged: load.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0) * SERIES,
      refused: load.reduce((sum, { refused }) => sum + refused, 0),
      resumedMs,
    };
  } finally {
    for (const sender of load) sender.stopped = true;
    await server.end('SIGKILL');
  }
}

function start(data: string, shards: number): Promise<Server> {
  return startNarthex({ data, flags: ['--web.enable-remote-write-receiver', `--shards=${shards}`] });
}

/** It answers queries, and knows what it had. */
async function assertAlive(server: Server, load: readonly Sender[]): Promise<void> {
  const rows = await instant(server.url, 'count by (sender) (last_over_time(batch[1h]))');
  assert.equal(rows.length, load.length);
  assert.equal((await fetch(`${server.url}/-/ready`)).status, 200);
}

/** A write is refused with 503, a time to come again, and the reason. */
async function refusal(server: Server): Promise<string> {
  const writer = new RemoteWriter(server.url);
  try {
    const { status, text, retryAfter } = await writer.write([
      { labels: ['__name__', 'one_more'], samples: [[Date.now(), 1]] },
    ]);
    assert.equal(status, 503, text);
    assert.ok(Number(retryAfter) > 0);
    return text;
  } finally {
    writer.close();
  }
}

function fill(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  try {
    ftruncateSync(file, 0);
    const zeroes = Buffer.alloc(2 ** 20, 1);
    for (let at = 0; at < bytes; at += zeroes.length)
      writeSync(file, zeroes, 0, Math.min(zeroes.length, bytes - at), at);
  } finally {
    closeSync(file);
  }
}
