// A directory of Prometheus's blocks, merged by our server: promtool reads the same samples before and after.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { listBlocks } from '../../src/tsdb/block/open-blocks.js';
import { newUlid } from '../../src/tsdb/block/ulid.js';
import { BlockWriter } from '../../src/tsdb/block/writer.js';
import { compacting } from '../../src/tsdb/compact/compact.js';
import { removeBlock } from '../../src/tsdb/compact/superseded.js';
import { Core } from '../../src/wasm/core.js';
import { chunkAt, fill } from '../support/blocks.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { eventually, startNarthex } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const promtool = peerBinary('promtool');
const folder = emptyFolder();

function run(command: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Samples by line, in one order. */
function dump(data: string): string[] {
  return run(promtool!, 'tsdb', 'dump', data).trimEnd().split('\n').sort();
}

function blocksOf(data: string): string[] {
  return readdirSync(data).filter((name) => name.length === 26);
}

test('recorded blocks are merged, and none of their samples is lost', {
  skip: conformanceMissing() || (promtool === undefined && missing('promtool')),
}, async () => {
  const data = join(folder, 'data');
  run('cp', '-r', conformance('tsdb/blocks/data'), data);
  run('chmod', '-R', 'u+w', data);
  mkdirSync(join(data, 'wal'), { recursive: true });
  mkdirSync(join(data, '01M7Y0DXJ9842ERM7HS55F3Y8Q.tmp-for-deletion'));
  addBlock(data, 1_767_254_400_000);
  const before = dump(data);
  assert.equal(before.length, 41_683);
  const blocks = blocksOf(data);
  assert.equal(blocks.length, 5);
  const server = await startNarthex({
    data,
    config: 'storage: {tsdb: {retention: {time: 100y}}}\n',
    flags: ['--storage.tsdb.block-reload-interval=3s'],
  });
  try {
    const answer = await ask(server.url);
    assert.ok(answer.includes('"values"'));
    await eventually(async () => assert.equal(blocksOf(data).length, 3));
    assert.equal(await ask(server.url), answer, 'queries see what they saw before');
    assert.equal(await metric(server.url, 'prometheus_tsdb_compactions_total'), 1);
    assert.equal(await metric(server.url, 'prometheus_tsdb_retention_limit_seconds'), 100 * 365 * 86_400);
  } finally {
    await server.stop();
  }
  assert.deepEqual(dump(data), before);
  const [, ...lines] = run(promtool!, 'tsdb', 'list', data).trimEnd().split('\n');
  // Samples, chunks, series.
  assert.deepEqual(
    lines.map((line) => line.split(/\s+/).slice(4, 7)),
    [
      ['35671', '415', '139'],
      ['6011', '139', '139'],
      ['1', '1', '1'],
    ],
  );
  assert.ok(!readdirSync(data).some((name) => name.includes('.tmp')));
});

test('a recorded block with deletions and histograms is made anew, and promtool sees no difference', {
  skip: conformanceMissing() || (promtool === undefined && missing('promtool')),
}, () => {
  const data = join(folder, 'deleted');
  mkdirSync(join(data, 'wal'), { recursive: true });
  const recorded = conformance('tsdb/killed/data');
  for (const name of blocksOf(recorded)) run('cp', '-r', join(recorded, name), data);
  run('chmod', '-R', 'u+w', data);
  const before = dump(data);
  assert.ok(before.some((line) => line.includes('count:')));
  const blocks = listBlocks(realDisk, data).blocks.map(({ meta }) => meta);
  assert.equal(blocks[0]!.stats.tombstones, 2);
  const steps = compacting({ disk: realDisk, core: new Core(), dataFolder: data, blocks, nowMs: Date.now() });
  while (steps.next().done !== true);
  for (const { ulid } of blocks) removeBlock(realDisk, data, ulid);
  assert.deepEqual(dump(data), before);
});

function addBlock(data: string, minTimeMs: number): void {
  const ulid = newUlid(minTimeMs);
  const writer = BlockWriter.create(realDisk, data, ulid);
  fill(writer, [{ labels: { __name__: 'newer' }, chunks: [chunkAt([minTimeMs])] }]);
  const compaction = { level: 1, sources: [ulid] };
  writer.finish({ minTimeMs, maxTimeMs: minTimeMs + 7_200_000, compaction });
}

/** All samples of the recorded blocks: the answer as text. */
async function ask(url: string): Promise<string> {
  const query = '{__name__=~"fx_.+"}[7h]';
  const params = new URLSearchParams({ query, time: '1767250800' });
  const { status, data } = (await (await fetch(`${url}/api/v1/query?${params}`)).json()) as {
    status: string;
    data: { result: unknown[] };
  };
  assert.equal(status, 'success');
  return data.result
    .map((row) => JSON.stringify(row))
    .sort()
    .join('\n');
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}
