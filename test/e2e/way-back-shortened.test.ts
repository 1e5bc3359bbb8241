// The way back of a head that is on the disk in two places: chunks_head has its sealed chunks, the log what came behind them,
// since checkpoints took the rest from it. A real Prometheus goes on with that, and we with what it leaves.

import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { ChunkEncoding } from '../../src/tsdb/block/contract.js';
import { headChunksFolder } from '../../src/tsdb/head-chunks/layout.js';
import { decodeHistogramRecord } from '../../src/tsdb/wal/histogram-record.js';
import { openLog } from '../../src/tsdb/wal/open.js';
import { decodeSamples, RecordType } from '../../src/tsdb/wal/record.js';
import { Core } from '../../src/wasm/core.js';
import { allHeadChunks } from '../support/head-chunks.js';
import { writeAll } from '../support/remote-write.js';
import { eventually, type Server } from '../support/servers.js';
import { PREFIX, STEP_MS, Story } from '../support/story.js';
import {
  answersOf,
  assertSound,
  blocksIn,
  HOUR_MS,
  narthex,
  PEER_REQUEST_STEPS,
  peer,
  readByPromtool,
  skip,
  withFolder,
  withServer,
} from '../support/way-back.js';

/** The smallest: the log is shortened when it has grown by two of them. */
const SEGMENTS = '--storage.tsdb.wal-segment-size=10MB';
const SEGMENT_BYTES = 10 * 2 ** 20;
const BALLAST_LABEL = 'x'.repeat(10_000);

/** Makes the log grow, by series with long labels, one sample each. */
async function ballast(server: Server, bytes: number): Promise<void> {
  const count = Math.ceil(bytes / BALLAST_LABEL.length);
  const series = Array.from({ length: count }, (_, i) => ({
    labels: ['__name__', 'ballast', 'i', `${i}`, 'text', BALLAST_LABEL],
    samples: [[Date.now(), i] as const],
  }));
  for (let at = 0; at < count; at += 500) await writeAll(server.url, series.slice(at, at + 500));
}

/** How many samples of a story the log has; of a copy, since reading mends. */
function samplesInLog(data: string, copy: string, startMs: number): number {
  cpSync(data, copy, { recursive: true });
  let count = 0;
  const { damages } = openLog(
    { disk: realDisk, folder: join(copy, 'wal'), ownFolder: join(copy, 'narthex'), core: new Core() },
    {
      record({ type, bytes }) {
        const isHistogram =
          type >= RecordType.HistogramSamples && type <= RecordType.CustomBucketsFloatHistogramSamples;
        if (type !== RecordType.Samples && !isHistogram) return;
        const samples = isHistogram ? decodeHistogramRecord(bytes) : decodeSamples(bytes);
        count += samples.filter(({ timeMs }) => (timeMs - startMs) % STEP_MS === 0).length;
      },
    },
  );
  assert.deepEqual(damages, []);
  return count;
}

test(
  'a log that frequent checkpoints have shortened, killed: Prometheus has all, and so have we behind it',
  {
    skip,
    timeout: 240_000,
  },
  () =>
    withFolder(async (folder) => {
      const data = join(folder, 'data');
      // Less than what makes the head be cut, with a border of chunks in it.
      const startMs = Math.floor((Date.now() - 2.75 * HOUR_MS) / STEP_MS) * STEP_MS;
      const story = new Story(startMs);
      const quarter = HOUR_MS / STEP_MS / 4;
      await withServer(narthex(data, 2, SEGMENTS), async (server) => {
        await story.write(server, story.steps - 2 * quarter);
        await story.delete(server, 'counter', 'n', '3', 20, 40);
        await ballast(server, 2.2 * SEGMENT_BYTES);
      });
      await withServer(narthex(data, 1, SEGMENTS), async (server) => {
        await eventually(async () =>
          assert.ok(readdirSync(join(data, 'wal')).some((name) => /^checkpoint\.\d+$/.test(name))),
        );
        await story.check(server, 'Narthex, shortened');
        await story.write(server, quarter);
        // Both in files and in the log.
        await story.delete(server, 'counter', 'n', '5', 50, story.steps);
        await story.delete(server, 'special', 'turn', '5', 0, story.steps);
        await story.delete(server, 'churn', 'life', '0', 30, 60);
      });
      assert.deepEqual(blocksIn(data), []);
      const after = samplesInLog(data, join(folder, 'after'), startMs);
      const chunks = allHeadChunks(realDisk, headChunksFolder(data), new Core());
      const written = story.ledger.size;
      assert.ok(after < written, `${after} samples in the log, of ${written} that were written`);
      const encodings = new Set(chunks.map(({ encoding }) => encoding));
      assert.deepEqual(encodings, new Set([ChunkEncoding.Xor, ChunkEncoding.Histogram, ChunkEncoding.FloatHistogram]));

      const copy = join(folder, 'copy');
      cpSync(data, copy, { recursive: true });
      story.ledger.checkDump(readByPromtool(copy), PREFIX, 'promtool');
      await withServer(narthex(data, 3, SEGMENTS), async (ours) => {
        await withServer(peer(copy), async (theirs) => {
          await story.check(ours, 'Narthex');
          await story.check(theirs, 'Prometheus on a copy');
          await assertSound(theirs);
          assert.deepEqual(await answersOf(ours, story), await answersOf(theirs, story));
        });
      });

      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus');
        await story.write(server, quarter / 3, PEER_REQUEST_STEPS);
        await story.delete(server, 'counter', 'n', '7', 30, story.steps - quarter);
        await story.check(server, 'Prometheus, deleted');
        await assertSound(server);
      });
      await withServer(narthex(data, 2, SEGMENTS), async (server) => {
        await story.check(server, 'Narthex after Prometheus');
        assert.doesNotMatch(server.log(), /level=(WARN|ERROR)/, server.log());
        await story.write(server, story.steps);
        await story.delete(server, 'counter', 'n', '9', 0, 30);
        await ballast(server, 2.2 * SEGMENT_BYTES);
      });
      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus after all');
        await assertSound(server);
      });
      story.ledger.checkDump(readByPromtool(data), PREFIX, 'promtool at the end');
    }),
);
