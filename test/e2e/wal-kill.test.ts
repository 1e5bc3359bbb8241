// kill −9 in the middle of commits: what was answered is in the log, for us and for a real Prometheus.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { realDisk } from '../../src/base/disk.js';
import { openLog } from '../../src/tsdb/wal/open.js';
import { decodeSamples, RecordType } from '../../src/tsdb/wal/record.js';
import { BASE_MS, SERIES } from '../support/log-process.js';
import { missing, peerBinary } from '../support/peers.js';
import { startPeer } from '../support/servers.js';
import { testCore } from '../support/wal.js';

const ROUNDS = 4;
const promtool = peerBinary('promtool');
const prometheus = peerBinary('prometheus');

/** Lets the process commit for a while and kills it; gives the numbers that it was told are on the disk. */
async function runAndKill(data: string, firstId: number, lifeMs: number): Promise<number[]> {
  const script = fileURLToPath(new URL('../support/log-process.js', import.meta.url));
  const child = spawn(process.execPath, [script, data, String(firstId), String(BASE_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8');
  const begun = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.stdout.on('data', (part: string) => {
    text += part;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await begun;
  await new Promise((resolve) => setTimeout(resolve, lifeMs));
  child.kill('SIGKILL');
  await ended;
  // The last line may have been cut.
  return text.slice(0, text.lastIndexOf('\n')).split('\n').map(Number);
}

test(`${ROUNDS} rounds of kill −9: no answered commit is lost, none is there in part`, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'narthex-kill-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const answered = new Set<number>();
  let firstId = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const ids = await runAndKill(data, firstId, 100 + round * 70);
    assert.ok(ids.length > 10, `only ${ids.length} commits`);
    for (const id of ids) answered.add(id);
    firstId = Math.max(...ids) + 1000;

    const copy = mkdtempSync(join(tmpdir(), 'narthex-kill-'));
    cpSync(data, copy, { recursive: true });
    const counts = new Map<number, number>();
    const { damages } = openLog(
      { disk: realDisk, folder: `${copy}/wal`, ownFolder: `${copy}/narthex`, core: testCore() },
      {
        record({ type, bytes }) {
          if (type !== RecordType.Samples) return;
          for (const { timeMs } of decodeSamples(bytes)) {
            counts.set(timeMs - BASE_MS, (counts.get(timeMs - BASE_MS) ?? 0) + 1);
          }
        },
      },
    );
    assert.ok(
      damages.every((damage) => damage.torn),
      JSON.stringify(damages),
    );
    for (const id of answered) assert.equal(counts.get(id), SERIES, `commit ${id} after round ${round}`);
    for (const [id, count] of counts) assert.equal(count, SERIES, `commit ${id} is there in part`);
    if (promtool !== undefined && round === ROUNDS - 1) {
      // Our repair has cut a torn end, which promtool would refuse.
      const dump = execFileSync(promtool, ['tsdb', 'dump', copy], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: 'pipe',
      });
      const lines = new Set(dump.split('\n'));
      for (const id of answered) {
        assert.ok(lines.has(`{__name__="x", n="7"} ${id} ${BASE_MS + id}`), `promtool misses commit ${id}`);
      }
    }
    rmSync(copy, { recursive: true, force: true });
  }

  if (promtool === undefined) t.diagnostic(missing('promtool'));
  if (prometheus === undefined) {
    t.diagnostic(missing('prometheus'));
    return;
  }
  const server = await startPeer(prometheus, { data, flags: ['--storage.tsdb.retention.time=100y'] });
  try {
    const query = `count_over_time(x{n="7"}[1h])`;
    const time = String((BASE_MS + firstId) / 1000);
    const response = await fetch(`${server.url}/api/v1/query?${new URLSearchParams({ query, time })}`);
    const body = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    assert.ok(
      Number(body.data.result[0]?.value[1]) >= answered.size,
      `${JSON.stringify(body)}: ${answered.size} answered`,
    );
  } finally {
    await server.stop();
  }
});
