// The start: the doors are open while the log is read back, and the process ends when it is told to.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { encodeSamples, encodeSeries } from '../../src/tsdb/wal/record.js';
import { LogWriter } from '../../src/tsdb/wal/writer.js';
import { Core } from '../../src/wasm/core.js';
import { eventually, instant, type Server, startNarthex } from '../support/servers.js';

const SERIES = 200_000;
const SERIES_PER_RECORD = 1000;
const SEGMENT_BYTES = 4 * 2 ** 20;
/** Long enough that requests get in before the end of the replay. */
const ROUNDS = 30;

const data = mkdtempSync(join(tmpdir(), 'narthex-start-'));
const nowMs = Date.now();

before(() => {
  const folder = join(data, 'wal');
  realDisk.makeFolder(folder);
  const writer = new LogWriter({
    disk: realDisk,
    folder,
    core: new Core(),
    segment: 0,
    segmentBytes: SEGMENT_BYTES,
    keepUnsynced: false,
  });
  for (let first = 0; first < SERIES; first += SERIES_PER_RECORD) {
    const refs = Array.from({ length: SERIES_PER_RECORD }, (_, i) => first + i + 1);
    const series = refs.map((ref) => ({ ref, labels: ['__name__', 'replayed', 'n', String(ref)] }));
    writer.append([[encodeSeries(series)]]);
    for (let round = 0; round < ROUNDS; round++) {
      const timeMs = nowMs - (ROUNDS - round) * 1000;
      const samples = refs.map((ref) => ({ ref, timeMs, bits: BigInt(ref + round) }));
      writer.append([[encodeSamples(samples)]]);
    }
  }
  writer.close();
});

after(() => rmSync(data, { recursive: true, force: true }));

const start = (): Promise<Server> => startNarthex({ data, flags: ['--shards=2'], waitFor: '/-/healthy' });

async function get(server: Server, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(server.url + path);
  return { status: response.status, text: await response.text() };
}

test('while the log is read back, the server is healthy and not ready', async () => {
  const server = await start();
  try {
    const [ready, query, replay, metrics] = await Promise.all(
      ['/-/ready', '/api/v1/query?query=1', '/api/v1/status/walreplay', '/metrics'].map((path) => get(server, path)),
    );
    assert.equal(ready!.status, 503);
    assert.equal(JSON.parse(ready!.text).state, 'starting');
    assert.equal(query!.status, 503);
    assert.match(metrics!.text, /^prometheus_ready 0$/m);
    const { min, max, current } = JSON.parse(replay!.text).data;
    assert.equal(min, 0);
    assert.ok(max > 3, `${max} segments`);
    assert.ok(current >= min && current < max, `segment ${current}`);

    await eventually(async () => assert.equal((await get(server, '/-/ready')).status, 200), 30_000);
    assert.equal((await instant(server.url, 'count(replayed)', nowMs / 1000))[0]?.value[1], String(SERIES));
    assert.equal(JSON.parse((await get(server, '/api/v1/status/walreplay')).text).data.current, max);
    const recovery = JSON.parse((await get(server, '/api/v1/status/recovery')).text).data;
    assert.equal(recovery.state, 'done');
    assert.equal(recovery.read.series, SERIES);
    assert.deepEqual(recovery.lost, []);
    // The oldest sample is looked for in the background.
    await eventually(async () => {
      const { headStats } = JSON.parse((await get(server, '/api/v1/status/tsdb')).text).data;
      const { numSeries, minTime, maxTime } = headStats;
      const whole = { numSeries: SERIES, minTime: nowMs - ROUNDS * 1000, maxTime: nowMs - 1000 };
      assert.deepEqual({ numSeries, minTime, maxTime }, whole);
    }, 30_000);
  } finally {
    await server.stop();
  }
});

test('a server that is told to end during the replay does so at once', async () => {
  const server = await start();
  assert.equal((await get(server, '/-/ready')).status, 503);
  assert.equal(await server.end('SIGTERM'), 0);
  assert.match(server.log(), /See you next time/);
  assert.doesNotMatch(server.log(), /Log replay completed/);
  await server.stop();
});
