// A real Prometheus opens what we write.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { writeCheckpoint } from '../../src/tsdb/wal/checkpoint.js';
import { openLog } from '../../src/tsdb/wal/open.js';
import { PAGE_BYTES } from '../../src/tsdb/wal/page.js';
import { encodeMetadata, encodeSamples, encodeSeries, type SampleEntry } from '../../src/tsdb/wal/record.js';
import { LogWriter } from '../../src/tsdb/wal/writer.js';
import { Core } from '../../src/wasm/core.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { writeAll } from '../support/remote-write.js';
import { startNarthex, startPeer } from '../support/servers.js';

const SERIES = 500;
const STEPS = 120;
const STEP_MS = 15_000;
// In the middle of a block range, so that the head does not cut one at start.
const START_MS = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 7_200_000 + 600_000;

const promtool = peerBinary('promtool');
const prometheus = peerBinary('prometheus');
const withPromtool = { skip: promtool === undefined && missing('promtool') };

const core = new Core();
/** A log of SERIES × STEPS samples, value = step × 1000 + series, in segments of 4 pages; not closed, as after a kill. */
function writeLog(data: string, segmentBytes = 4 * PAGE_BYTES): LogWriter {
  realDisk.makeFolder(`${data}/wal`);
  const writer = new LogWriter({
    disk: realDisk,
    folder: `${data}/wal`,
    core,
    segment: 0,
    segmentBytes,
    stepBytes: 2 * PAGE_BYTES,
  });
  const refs = Array.from({ length: SERIES }, (_, i) => i + 1);
  writer.append([[encodeSeries(refs.map((ref) => ({ ref, labels: ['__name__', 'x', 'n', `${ref}`, 'ž', 'ů'] })))]]);
  const bits = new DataView(new ArrayBuffer(8));
  for (let step = 0; step < STEPS; step++) {
    const samples = refs.map((ref): SampleEntry => {
      bits.setFloat64(0, step * 1000 + ref);
      return { ref, timeMs: START_MS + step * STEP_MS, bits: bits.getBigUint64(0) };
    });
    const half = samples.length / 2;
    writer.append([[encodeSamples(samples.slice(0, half))], [encodeSamples(samples.slice(half))]]);
    if (step === 5) writer.append([[encodeMetadata([{ ref: 1, type: 'counter', unit: 's', help: 'one' }])]]);
    if (step % 7 === 0) writer.sync();
    if (step % 5 === 0) writer.prepare();
  }
  writer.sync();
  writer.prepare();
  return writer;
}

/** `promtool tsdb dump`, as `<ref> <ms>` → value. */
function dump(data: string): Map<string, number> {
  const text = execFileSync(promtool!, ['tsdb', 'dump', data], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^\{__name__="x", n="(\d+)", "ž"="ů"\} (\S+) (\d+)$/.exec(line);
    if (found !== null) samples.set(`${found[1]} ${found[3]}`, Number(found[2]));
  }
  return samples;
}

function assertWhole(samples: Map<string, number>): void {
  assert.equal(samples.size, SERIES * STEPS);
  for (let step = 0; step < STEPS; step++) {
    for (let ref = 1; ref <= SERIES; ref++) {
      assert.equal(samples.get(`${ref} ${START_MS + step * STEP_MS}`), step * 1000 + ref);
    }
  }
}

test('promtool dumps every sample of a log that was not closed, with zeroes written ahead', withPromtool, () => {
  const data = emptyFolder();
  writeLog(data);
  assert.ok(readdirSync(join(data, 'wal')).length > 4);
  assertWhole(dump(data));
});

test('promtool dumps every sample behind a checkpoint of ours', withPromtool, () => {
  const data = emptyFolder();
  writeLog(data).close();
  const keep = { series: () => true, mint: 0 };
  writeCheckpoint({ disk: realDisk, folder: `${data}/wal`, core, last: 2, keep });
  for (const segment of ['00000000', '00000001', '00000002']) rmSync(join(data, 'wal', segment));
  assertWhole(dump(data));
});

test('promtool reads on behind damage that we repaired', withPromtool, () => {
  const data = emptyFolder();
  writeLog(data).close();
  const path = join(data, 'wal', '00000002');
  const bytes = readFileSync(path);
  bytes.fill(0x55, 40_000, 40_100);
  writeFileSync(path, bytes);
  const damaged = emptyFolder();
  cpSync(data, damaged, { recursive: true });
  const { damages, unrepaired } = openLog(
    { disk: realDisk, folder: `${data}/wal`, ownFolder: `${data}/narthex`, core },
    { record: () => {} },
  );
  assert.equal(damages.length, 1);
  assert.deepEqual(unrepaired, []);
  const samples = dump(data);
  // A step is two records of 3 KB: a page costs about ten of them.
  assert.ok(samples.size < SERIES * STEPS && samples.size > SERIES * (STEPS - 8), `${samples.size} samples`);
  assert.equal(samples.get(`1 ${START_MS + (STEPS - 1) * STEP_MS}`), (STEPS - 1) * 1000 + 1);
});

test('a real Prometheus starts on a log that was not closed, finds no fault and every sample', {
  skip: prometheus === undefined && missing('prometheus'),
}, async () => {
  const data = emptyFolder();
  writeLog(data);
  const server = await startPeer(prometheus!, { data, flags: ['--storage.tsdb.retention.time=100y'] });
  try {
    const end = (START_MS + STEPS * STEP_MS) / 1000;
    const range = `${(STEPS * STEP_MS) / 1000 + 10}s`;
    assert.equal(await ask(server.url, `sum(count_over_time(x[${range}]))`, end), SERIES * STEPS);
    const sumOfRefs = (SERIES * (SERIES + 1)) / 2;
    const sumOfSteps = (STEPS * (STEPS - 1)) / 2;
    const sum = sumOfSteps * 1000 * SERIES + sumOfRefs * STEPS;
    assert.equal(await ask(server.url, `sum(sum_over_time(x[${range}]))`, end), sum);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /^prometheus_tsdb_wal_corruptions_total 0$/m);
  } finally {
    await server.stop();
  }
  // And we read on behind it.
  const { damages } = openLog(
    { disk: realDisk, folder: `${data}/wal`, ownFolder: `${data}/narthex`, core },
    { record: () => {} },
  );
  assert.deepEqual(damages, []);
});

test('we start on a log that a real Prometheus compressed with zstd, and find every sample', {
  skip: prometheus === undefined && missing('prometheus'),
}, async () => {
  const data = emptyFolder();
  const written = await startPeer(prometheus!, {
    data,
    flags: ['--web.enable-remote-write-receiver', '--storage.tsdb.wal-compression-type=zstd'],
  });
  const timeMs = Date.now();
  const steps = Array.from({ length: 40 }, (_, step): [number, number] => [timeMs + step, step]);
  await writeAll(
    written.url,
    Array.from({ length: 50 }, (_, i) => ({ labels: ['__name__', 'z', 'i', `${i}`], samples: steps })),
  );
  await written.end('SIGKILL');
  await written.stop();
  const segment = readFileSync(`${data}/wal/00000000`);
  assert.ok(segment.includes(Buffer.from('28b52ffd', 'hex')), 'frames of zstd');
  const server = await startNarthex({ data });
  try {
    const end = (timeMs + 1000) / 1000;
    assert.equal(await ask(server.url, 'sum(count_over_time(z[1m]))', end), 50 * steps.length);
    assert.equal(await ask(server.url, 'sum(z)', end), 50 * (steps.length - 1));
  } finally {
    await server.stop();
  }
});

async function ask(url: string, query: string, time: number): Promise<number> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query, time: String(time) })}`);
  const body = (await response.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(body.data.result[0]?.value[1]);
}
