// A data directory of Prometheus with a damaged block, and one with a block that is half there: the rest is served.

import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, readRecorded, withCopy } from '../support/recorded-tsdb.js';
import { eventually, startNarthex } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const skip = conformanceMissing();
const folder = conformance('tsdb/blocks');

/** Samples of every series in the whole range. */
async function countSamples(url: string): Promise<number> {
  const { fromMs, toMs } = readRecorded(folder);
  const data = (await ask(url, '/api/v1/query', [
    ['query', `{__name__=~".+"}[${toMs - fromMs + 1}ms]`],
    ['time', String(toMs / 1000)],
  ])) as { result: { values: unknown[] }[] };
  return data.result.reduce((sum, { values }) => sum + values.length, 0);
}

const samplesOf = (path: string) =>
  (JSON.parse(readFileSync(`${path}/meta.json`, 'utf8')) as { stats: { numSamples: number } }).stats.numSamples;

async function withDamage(damage: (block: string) => void, check: (data: string, log: string) => void): Promise<void> {
  await withCopy(folder, async (data) => {
    const blocks = readdirSync(data).map((name) => join(data, name));
    const wanted = blocks.slice(1).reduce((sum, path) => sum + samplesOf(path), 0);
    for (const name of readdirSync(data, { recursive: true }) as string[]) chmodSync(join(data, name), 0o755);
    damage(blocks[0]!);
    const server = await startNarthex({ data, flags: ['--shards=2', '--storage.tsdb.retention.time=100y'] });
    try {
      assert.equal(await countSamples(server.url), wanted);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      assert.match(metrics, /^prometheus_tsdb_blocks_loaded 3$/m);
      check(data, server.log());
    } finally {
      await server.stop();
    }
  });
}

test('a damaged index: the block is put aside, and said', { skip }, async () => {
  let name = '';
  await withDamage(
    (block) => {
      name = block.split('/').at(-1)!;
      const bytes = readFileSync(`${block}/index`);
      bytes[60]! ^= 1;
      writeFileSync(`${block}/index`, bytes);
    },
    (data, log) => {
      assert.ok(readdirSync(data).includes(`${name}.bad`));
      assert.ok(!readdirSync(data).includes(name));
      assert.match(log, /level=ERROR.*A damaged block was put aside.*symbols/);
    },
  );
});

test('a damaged chunk: a query says so, and the block is put aside before long', { skip }, async () => {
  await withCopy(folder, async (data) => {
    const name = readdirSync(data).sort().at(-1)!;
    for (const path of readdirSync(data, { recursive: true }) as string[]) chmodSync(join(data, path), 0o755);
    const segment = join(data, name, 'chunks', '000001');
    const bytes = readFileSync(segment);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(segment, bytes);
    const server = await startNarthex({ data, flags: ['--shards=2', '--storage.tsdb.retention.time=100y'] });
    try {
      const query = new URLSearchParams({
        query: `{__name__=~".+"}[100y]`,
        time: String(readRecorded(folder).toMs / 1000),
      });
      const said = await (await fetch(`${server.url}/api/v1/query?${query}`)).text();
      assert.match(said, new RegExp(`"warnings":.*are missing: block ${name}`));
      await eventually(async () => assert.ok(readdirSync(data).includes(`${name}.bad`)), 20_000);
      const wanted = readdirSync(data).filter((one) => /^[0-9A-Z]{26}$/.test(one));
      const left = wanted.reduce((sum, one) => sum + samplesOf(join(data, one)), 0);
      assert.equal(await countSamples(server.url), left);
    } finally {
      await server.stop();
    }
  });
});

test('an index that is not there: the block stays where it is', { skip }, async () => {
  let name = '';
  await withDamage(
    (block) => {
      name = block.split('/').at(-1)!;
      rmSync(`${block}/index`);
    },
    (data, log) => {
      assert.ok(readdirSync(data).includes(name));
      assert.match(log, /level=WARN.*A block is not served.*not there/);
    },
  );
});
