// Snapshots beside a real Prometheus: the same answers to the same requests, and a Prometheus that is started on one of
// ours has what was there.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing, peerBinary } from '../support/peers.js';
import { RemoteWriter } from '../support/remote-write.js';
import { type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const skip = prometheus === undefined && missing('prometheus');

const FLAGS = ['--web.enable-admin-api', '--web.enable-remote-write-receiver'];
const SERIES = 30;
const STEPS = 200;
const STEP_MS = 15_000;
const START_MS = Math.floor(Date.now() / STEP_MS) * STEP_MS - STEPS * STEP_MS;

async function fill(server: Server, from: number, to: number): Promise<void> {
  const series = Array.from({ length: SERIES }, (_, n) => ({
    labels: ['__name__', 'x', 'n', String(n)],
    samples: Array.from(
      { length: to - from },
      (_, i) => [START_MS + (from + i) * STEP_MS, n * 1000 + from + i] as const,
    ),
  }));
  const { status, text } = await new RemoteWriter(server.url).write(series);
  assert.ok(status < 300, text);
}

async function ask(server: Server, path: string, method = 'POST'): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${server.url}/api/v1/admin/tsdb/${path}`, { method });
  return { status: answer.status, body: await answer.text() };
}

async function nameOf(server: Server, path: string): Promise<string> {
  const { status, body } = await ask(server, path);
  assert.equal(status, 200, body);
  const { data } = JSON.parse(body) as { data: { name: string } };
  assert.match(data.name, /^\d{8}T\d{6}Z-[0-9a-f]{16}$/);
  return data.name;
}

/** All samples, as a range vector has them. */
async function samplesOf(server: Server): Promise<string> {
  const time = (START_MS + STEPS * STEP_MS) / 1000;
  const answer = await fetch(
    `${server.url}/api/v1/query?${new URLSearchParams({ query: 'x[3h]', time: String(time) })}`,
  );
  const { data } = (await answer.json()) as { data: { result: { metric: { n: string }; values: unknown }[] } };
  return JSON.stringify(data.result.sort((a, b) => Number(a.metric.n) - Number(b.metric.n)));
}

test('snapshots: what was there then, in a directory that Prometheus opens; listed, and removed', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-snapshot-'));
  const data = join(folder, 'data');
  const ours = await startNarthex({ data, flags: FLAGS });
  let theirs: Server | undefined;
  try {
    await fill(ours, 0, STEPS - 10);
    const before = await samplesOf(ours);
    const name = await nameOf(ours, 'snapshot');
    await fill(ours, STEPS - 10, STEPS);
    assert.notEqual(await samplesOf(ours), before);
    const bare = await nameOf(ours, 'snapshot?skip_head=true');
    assert.deepEqual(readdirSync(join(data, 'snapshots', bare)), [], 'nothing was in a block');
    assert.deepEqual(JSON.parse((await ask(ours, 'snapshots', 'GET')).body).data, [name, bare].sort());

    theirs = await startPeer(prometheus!, { data: join(data, 'snapshots', name), flags: FLAGS });
    assert.equal(await samplesOf(theirs), before);
    await fill(theirs, STEPS - 10, STEPS);
    assert.equal(await samplesOf(theirs), await samplesOf(ours), 'it goes on where the snapshot ends');
    const path = 'snapshot?skip_head=maybe';
    const [mine, other] = [await ask(ours, path), await ask(theirs, path)];
    assert.deepEqual([mine.status, JSON.parse(mine.body)], [other.status, JSON.parse(other.body)]);
    await nameOf(theirs, 'snapshot?skip_head=T');

    assert.equal((await ask(ours, `snapshots/${bare}`, 'DELETE')).status, 204);
    assert.equal(existsSync(join(data, 'snapshots', bare)), false);
    for (const unknown of [bare, '..', 'x']) {
      assert.equal((await ask(ours, `snapshots/${encodeURIComponent(unknown)}`, 'DELETE')).status, 404);
    }
    assert.deepEqual(JSON.parse((await ask(ours, 'snapshots', 'GET')).body).data, [name]);
  } finally {
    await Promise.all([ours.stop(), theirs?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
});
