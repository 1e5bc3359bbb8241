// Chunks that a real Prometheus wrote: decoded they are the series that it answered with, encoded again the same bytes.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatJsonFloat } from '../../../src/model/number.js';
import { floatOf, isStaleHistogram } from '../../../src/model/stored-histogram.js';
import { ChunkEncoding } from '../../../src/tsdb/block/contract.js';
import { decodeChunk } from '../../../src/tsdb/chunk/decode.js';
import { encodeHistogramChunk } from '../../../src/tsdb/chunk/histogram.js';
import { resetHeaderOf } from '../../../src/tsdb/chunk/histogram-layout.js';
import { encodeXor } from '../../../src/tsdb/chunk/xor.js';
import { chunkAt, chunksOf, headChunksOf } from '../../support/chunk-file.js';
import { seriesOf } from '../../support/index-file.js';
import { conformance, conformanceMissing } from '../../support/testdata.js';

const STALE = 0x7ff0000000000002n;
const skip = conformanceMissing();
const blocks = skip
  ? []
  : ['blocks', 'killed'].flatMap((folder) => {
      const data = conformance(`tsdb/${folder}/data`);
      return readdirSync(data)
        .map((name) => `${data}/${name}`)
        .filter((path) => existsSync(`${path}/index`));
    });

function encodeAgain(encoding: number, data: Uint8Array): Uint8Array {
  const decoded = decodeChunk(encoding, data);
  if (decoded.kind === 'floats') return encodeXor(decoded.floats);
  return encodeHistogramChunk(decoded.histograms, resetHeaderOf(data));
}

/** Bytes behind a chunk's last bit: chunks_head has buffers as they were. */
function sameStart(data: Uint8Array, again: Uint8Array): boolean {
  return Buffer.from(again).equals(data.subarray(0, again.length));
}

test('chunks of blocks: encoded again they are the same bytes', { skip }, () => {
  const seen = new Map<number, number>();
  for (const block of blocks) {
    for (const segment of readdirSync(`${block}/chunks`)) {
      for (const { encoding, data } of chunksOf(readFileSync(`${block}/chunks/${segment}`))) {
        assert.deepEqual(Buffer.from(encodeAgain(encoding, data)), Buffer.from(data), `${block}, encoding ${encoding}`);
        seen.set(encoding, (seen.get(encoding) ?? 0) + 1);
      }
    }
  }
  assert.ok(seen.get(ChunkEncoding.Xor)! > 500);
  assert.ok(seen.get(ChunkEncoding.FloatHistogram)! > 10);
});

test('chunks of a head: encoded again they are the same bytes, and their times are what stands in front of them', {
  skip,
}, () => {
  const folder = conformance('tsdb/killed/data/chunks_head');
  let count = 0;
  for (const name of readdirSync(folder)) {
    for (const { encoding, data, mint, maxt } of headChunksOf(readFileSync(`${folder}/${name}`))) {
      assert.ok(sameStart(data, encodeAgain(encoding, data)), `chunk ${count} of ${name}, encoding ${encoding}`);
      const decoded = decodeChunk(encoding, data);
      const times =
        decoded.kind === 'floats' ? [...decoded.floats.times] : decoded.histograms.map(({ timeMs }) => timeMs);
      assert.deepEqual([times[0], times.at(-1)], [mint, maxt]);
      count++;
    }
  }
  assert.ok(count > 50, `${count} chunks`);
});

/** The lines that conformance/README.md describes; stale markers are not answered. */
function linesOf(encoding: number, data: Uint8Array): string[] {
  const decoded = decodeChunk(encoding, data);
  if (decoded.kind === 'floats') {
    const { times, bits } = decoded.floats;
    return [...bits].flatMap((one, i) => (one === STALE ? [] : [`${times[i]} ${formatJsonFloat(floatOf(one))}`]));
  }
  return decoded.histograms.flatMap(({ timeMs, histogram }) => {
    if (isStaleHistogram(histogram)) return [];
    return [`${timeMs} ${formatJsonFloat(histogram.count)} ${formatJsonFloat(floatOf(histogram.sumBits))}`];
  });
}

test('the series of the blocks are those that Prometheus answered with', { skip }, () => {
  const found = new Map<string, string[]>();
  const key = (labels: Iterable<readonly [string, string]>) => JSON.stringify([...labels].sort());
  for (const block of blocks.filter((path) => path.includes('/blocks/')).sort()) {
    const segments = readdirSync(`${block}/chunks`).map((name) => readFileSync(`${block}/chunks/${name}`));
    for (const { labels, chunks } of seriesOf(readFileSync(`${block}/index`))) {
      const lines = found.get(key(labels)) ?? [];
      for (const { ref, mint, maxt } of chunks) {
        const { encoding, data } = chunkAt(segments[Math.floor(ref / 2 ** 32)]!, ref % 2 ** 32);
        const some = linesOf(encoding, data);
        assert.ok(some.length === 0 || Number.parseInt(some[0]!, 10) >= mint);
        assert.ok(some.length === 0 || Number.parseInt(some.at(-1)!, 10) <= maxt);
        lines.push(...some);
      }
      found.set(key(labels), lines);
    }
  }
  const expected = JSON.parse(readFileSync(conformance('tsdb/blocks/expected-series.json'), 'utf8')) as {
    metric: Record<string, string>;
    sha256: string;
  }[];
  assert.equal(found.size, expected.length);
  for (const { metric, sha256 } of expected) {
    const lines = found.get(key(Object.entries(metric)));
    assert.ok(lines, `no series ${JSON.stringify(metric)}`);
    const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
    assert.equal(digest, sha256, JSON.stringify(metric));
  }
});
