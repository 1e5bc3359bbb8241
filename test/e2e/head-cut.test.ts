// Samples of six hours ago up to now, written as a sender does that was cut off: the head becomes blocks as they come, while the
// server is killed again and again. Nothing that was acknowledged is lost, none is there twice, and the real Prometheus
// opens what is left.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { BatchBody, RemoteWriter } from '../support/remote-write.js';
import { eventually, raw, type Server, sleep, startNarthex, startPeer } from '../support/servers.js';

const HOUR = 3_600_000;
const STEP_MS = 15_000;
const SERIES = 400;
const SPAN = 6 * HOUR;
const KILLS = 8;

const prometheus = peerBinary('prometheus');
const promtool = peerBinary('promtool');
function start(data: string, shards: number): Promise<Server> {
  return startNarthex({ data, flags: ['--web.enable-remote-write-receiver', `--shards=${shards}`] });
}

const blocksIn = (data: string): string[] => readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name));

/** A sample of every series at each time of the span, in order, each with the number of its step. */
class Backfill {
  readonly startMs = Math.floor((Date.now() - SPAN) / STEP_MS) * STEP_MS;
  readonly steps = SPAN / STEP_MS;
  /** Steps that were acknowledged. */
  done = 0;
  readonly #body = new BatchBody(
    Array.from({ length: SERIES }, (_, n) => ['__name__', 'batch', 'n', `${n}`.padStart(4, '0')]),
  );

  /** Goes on until all is written, or the server is gone. What was not acknowledged is sent again. */
  async run(url: string): Promise<void> {
    const writer = new RemoteWriter(url);
    try {
      while (this.done < this.steps) {
        const { status, text } = await writer.send(this.#body.with(this.startMs + this.done * STEP_MS, this.done));
        assert.equal(status, 204, text);
        this.done++;
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    } finally {
      writer.close();
    }
  }
}

/** What a server shows of some series, hour by hour, must be every step. */
async function check(url: string, { startMs, steps }: Backfill): Promise<void> {
  for (const n of ['0000', '0123', '0399']) {
    const values: [number, string][] = [];
    for (let endMs = startMs - 1 + HOUR; endMs < startMs + SPAN + HOUR; endMs += HOUR) {
      const [found] = await raw(url, `batch{n="${n}"}[1h]`, endMs / 1000);
      values.push(...(found?.values ?? []));
    }
    assert.deepEqual(
      values.map(([seconds, value]) => [Math.round(seconds * 1000), Number(value)]),
      Array.from({ length: steps }, (_, step) => [startMs + step * STEP_MS, step]),
    );
  }
}

test('six hours of old samples, kills at any moment: all of it is in blocks and log', {
  timeout: 180_000,
}, async (t) => {
  const data = emptyFolder();
  const random = new Prng(Date.now());
  const load = new Backfill();
  for (let kill = 0; kill < KILLS; kill++) {
    const server = await start(data, 1 + (kill % 3));
    const run = load.run(server.url);
    const most = (load.steps * (kill + 1)) / KILLS;
    const atMs = Date.now() + 6000;
    while (load.done < most && Date.now() < atMs) await sleep(5 + random.int(60));
    await server.end('SIGKILL');
    await run;
    assert.doesNotMatch(server.log(), /level=error/);
  }
  const server = await start(data, 2);
  await load.run(server.url);
  assert.equal(load.done, load.steps);
  // The last of it is younger than three hours; what is older has left.
  const aligned = Math.floor(load.startMs / (2 * HOUR)) * 2 * HOUR;
  const whole = Math.floor((load.startMs + SPAN - HOUR - aligned) / (2 * HOUR));
  await eventually(async () => assert.ok(blocksIn(data).length >= whole - 1, `${blocksIn(data)}`), 40_000);
  await check(server.url, load);
  await server.end('SIGKILL');
  assert.doesNotMatch(server.log(), /level=error/);

  if (promtool === undefined || prometheus === undefined) return t.diagnostic(missing('prometheus'));
  const copy = emptyFolder();
  cpSync(data, copy, { recursive: true });
  rmSync(join(copy, 'lock'), { force: true });
  const listed = execFileSync(promtool, ['tsdb', 'list', copy], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const ulid of blocksIn(data)) assert.match(listed, new RegExp(ulid));
  const peer = await startPeer(prometheus, { data: copy, flags: ['--storage.tsdb.retention.time=10y'] });
  try {
    await check(peer.url, load);
  } finally {
    await peer.stop();
  }
  t.diagnostic(`${blocksIn(data).length} blocks of ${load.steps * SERIES} samples`);
});
