// Blocks that we write, in the hands of the real promtool. Skips without it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { newUlid } from '../../src/tsdb/block/ulid.js';
import { BlockWriter } from '../../src/tsdb/block/writer.js';
import { readBlockModel } from '../support/block-model.js';
import { chunkAt, fill, type SeriesOfTest, symbolsOf } from '../support/blocks.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const promtool = peerBinary('promtool');
const folder = emptyFolder();

function run(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(promtool!, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(status, 0, stderr);
  return stdout;
}

const options = { skip: promtool === undefined && missing('promtool') };

test('promtool lists, analyzes and dumps a block of ours', options, () => {
  const data = join(folder, 'own');
  // promtool wants a log, be it an empty one.
  realDisk.makeFolder(join(data, 'wal'));
  const series: SeriesOfTest[] = Array.from({ length: 3000 }, (_, i) => ({
    labels: { __name__: `m${i % 7}`, i: String(i), 'utf8.ž': i % 2 ? 'ž' : '😀', job: 'j' },
    chunks: [0, 1, 2].map((part) => chunkAt([0, 1, 2, 3].map((step) => 1_000_000 + part * 100_000 + step * 15_000))),
  }));
  const ulid = newUlid(1_800_000_000_000);
  const writer = BlockWriter.create(realDisk, data, ulid, { segmentBytes: 100_000 });
  fill(writer, series);
  const compaction = { level: 1, sources: [ulid] };
  const meta = writer.finish({ minTimeMs: 0, maxTimeMs: 7_200_000, compaction });
  assert.deepEqual(meta?.stats, {
    samples: 36_000,
    floatSamples: 36_000,
    histogramSamples: 0,
    series: 3000,
    chunks: 9000,
    tombstones: 0,
  });

  assert.match(run('tsdb', 'list', data), new RegExp(`${ulid}\\s+0\\s+7200000\\s+2h0m0s\\s+36000\\s+9000\\s+3000`));
  const analysis = run('tsdb', 'analyze', data, ulid);
  assert.match(analysis, /Total Series: 3000\nLabel names: 4\n/);
  assert.match(analysis, /Postings entries \(total label pairs\): 12000\n/);
  const dump = run('tsdb', 'dump', data).trimEnd().split('\n');
  assert.equal(dump.length, 36_000);
  assert.ok(dump.includes('{__name__="m1", i="1", job="j", "utf8.ž"="ž"} 1.015e+06 1015000'), dump[0]);
});

test('promtool dumps the recorded blocks as we write them', options, (t) => {
  if (conformanceMissing()) return t.skip(String(conformanceMissing()));
  const recorded = conformance('tsdb/blocks/data');
  const data = join(folder, 'again');
  realDisk.makeFolder(join(data, 'wal'));
  for (const name of realDisk.list(recorded)) {
    const model = readBlockModel(realDisk, `${recorded}/${name}`);
    const writer = BlockWriter.create(realDisk, data, name);
    writer.setSymbols(symbolsOf(model.symbols).table);
    for (const { labels, chunks } of model.series) writer.addSeries(Uint32Array.from(labels), chunks);
    const { minTime, maxTime, compaction } = JSON.parse(model.meta);
    writer.finish({ minTimeMs: minTime, maxTimeMs: maxTime, compaction });
  }
  const copy = join(folder, 'recorded');
  assert.equal(spawnSync('cp', ['-r', recorded, copy]).status, 0);
  assert.equal(spawnSync('chmod', ['-R', 'u+w', copy]).status, 0);
  realDisk.makeFolder(join(copy, 'wal'));
  assert.equal(run('tsdb', 'dump', data), run('tsdb', 'dump', copy));
  // Equals are in no order.
  const analysis = (path: string) => run('tsdb', 'analyze', '--limit=1000', path).split('\n').sort();
  assert.deepEqual(analysis(data), analysis(copy));
});
