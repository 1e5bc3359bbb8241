// Loading chunks of blocks in the core gives what the reader in TypeScript gives, whatever the files hold.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Disk, DiskError } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import type { HistoryBlock } from '../../../src/shard/history/block.js';
import { openHistoryBlock } from '../../../src/shard/history/block-files.js';
import { ShardHistory } from '../../../src/shard/history/history.js';
import { LateStore } from '../../../src/shard/late/late-store.js';
import { eachSeries } from '../../../src/shard/mixed-series.js';
import { ChunkEncoding, type StreamedChunk } from '../../../src/tsdb/block/contract.js';
import { Tombstones, writeTombstones } from '../../../src/tsdb/block/tombstones.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { decodeXor } from '../../../src/tsdb/chunk/xor.js';
import { encodeXor2 } from '../../../src/tsdb/chunk/xor2.js';
import { ChunkCache } from '../../../src/wasm/chunk-cache.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import { testCrc } from '../../support/block.js';
import { readBlockModel } from '../../support/block-model.js';
import { chunkAt, fill, type SeriesOfTest } from '../../support/blocks.js';
import { HeadRig } from '../../support/head.js';
import { SimDisk } from '../../support/sim-disk.js';

const RANGE_MS = 7_200_000;
const ULIDS = ['01HQUICK0000000000000000A0', '01HQUICK0000000000000000B0'];
const EVERYTHING = [{ name: '__name__', op: '=~', value: '.*' }] as const;

/** Files that cannot be read in one piece: everything is left to the reader in TypeScript. */
function slow(block: HistoryBlock): HistoryBlock {
  const refuse = () => {
    throw new DiskError('read', '', 'EIO', new Error('not this way'));
  };
  return { ...block, files: { ...block.files, readIndex: refuse, readSegment: refuse } };
}

interface Answer {
  readonly rows: ReadonlyMap<string, readonly (readonly [timeMs: number, bits: bigint])[]>;
  readonly deferred: number;
  readonly faults: readonly string[];
}

/** A shard's history over the blocks. */
function historyOf(disk: Disk, rig: HeadRig, change: (block: HistoryBlock) => HistoryBlock, cacheBytes?: number) {
  const open = (path: string) => change(openHistoryBlock(disk, path, new Crc32c(rig.core)));
  const none = new LateStore(
    rig.core,
    rig.head,
    () => 0,
    () => 0,
  );
  const cache = new ChunkCache(rig.core, cacheBytes);
  const history = new ShardHistory(rig.core, { index: 0, count: 1 }, open, () => 0, none, undefined, cache);
  const places = ULIDS.map((ulid) => ({ ulid, path: `data/${ulid}`, version: 0 }));
  assert.deepEqual(history.set(places, 2 * RANGE_MS), []);
  return history;
}

/** All samples of blocks in a span, as text and bits; how many series were left out; what could not be read. */
function ask(disk: Disk, span: readonly [number, number], change: (block: HistoryBlock) => HistoryBlock): Answer {
  const rig = new HeadRig();
  return askHistory(rig, historyOf(disk, rig, change), span);
}

function askHistory(rig: HeadRig, history: ShardHistory, [from, to]: readonly [number, number]): Answer {
  history.cache.prepare();
  const opened = history.open(0, 0);
  const span = { minTimeMs: from, maxTimeMs: to };
  const past = opened.select([[...EVERYTHING]], span);
  const list = opened.join(rig.select, rig.select.series([...EVERYTHING]), past);
  const query = rig.queries.openSamples(list, rig.queries.view(0), to - from + 1, to);
  const feed = opened.feed(query, list, past, span);
  const rows = new Map<string, [number, bigint][]>();
  for (let done = false; !done; ) {
    feed?.load(query);
    done = query.next();
    for (const { labels, times, values } of eachSeries(query.rawSamples())) {
      const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
      rows.set(
        labels.join(),
        [...times].map((timeMs, i) => [timeMs, bits[i]!]),
      );
    }
  }
  const deferred = feed?.takeDeferred().length ?? 0;
  const faults = opened.faults.take();
  feed?.close();
  query.close();
  rig.select.release(list);
  opened.close();
  return { rows, deferred, faults };
}

/** Both ways to load a span give the same; gives it. */
function check(disk: Disk, span: readonly [number, number], about: string): Answer {
  const quick = ask(disk, span, (block) => block);
  assert.deepEqual(quick, ask(disk, span, slow), about);
  return quick;
}

function write(disk: Disk, block: number, series: readonly SeriesOfTest[]): void {
  const writer = BlockWriter.create(disk, 'data', ULIDS[block]!);
  fill(writer, series);
  const compaction = { level: 1, sources: [ULIDS[block]!] };
  // As blocks of late samples may be: the second one overlaps the first.
  writer.finish({ minTimeMs: (block * RANGE_MS) / 2, maxTimeMs: (block + 1) * RANGE_MS, compaction });
}

/** Deletes an hour of one in twenty series. */
function deleteSome(disk: Disk, block: number): void {
  const path = `data/${ULIDS[block]}`;
  const tombstones = new Tombstones();
  for (const [i, { ref }] of readBlockModel(disk, path).series.entries()) {
    if (i % 20 === 0) tombstones.add(ref, { minTimeMs: RANGE_MS / 2, maxTimeMs: RANGE_MS });
  }
  writeTombstones(disk, `${path}/tombstones`, tombstones, testCrc());
}

function disk(): SimDisk {
  const made = new SimDisk();
  made.makeFolder('data');
  return made;
}

/** Chunks of 1 to 150 samples each, one behind the other; now and then one that says that it is of histograms. */
function randomChunks(random: Prng, fromMs: number, oddities: boolean): StreamedChunk[] {
  const chunks: StreamedChunk[] = [];
  let timeMs = fromMs + random.int(600_000);
  while (timeMs < fromMs + RANGE_MS - 3_600_000) {
    const times = Array.from({ length: 1 + random.int(150) }, () => (timeMs += random.pick([15_000, 15_000, 14_998])));
    const chunk = chunkAt(times, () => random.pick([1, 2, random.float()]));
    chunks.push(oddities && random.int(30) === 0 ? { ...chunk, encoding: ChunkEncoding.Histogram } : chunk);
    timeMs += 15_000;
  }
  return chunks;
}

function randomSeries(random: Prng, count: number, block: number, oddities: boolean): SeriesOfTest[] {
  return Array.from({ length: count }, (_, i) => ({
    labels: {
      __name__: random.pick(['a', 'b']),
      i: String(i),
      ...(random.int(8) === 0 && { long: 'x'.repeat(random.int(3_000)) }),
    },
    chunks: randomChunks(random, block * (oddities ? 0.75 : 1) * RANGE_MS, oddities),
  }));
}

const ALL = [0, 2 * RANGE_MS] as const;

test('quick load: plain blocks, windows that begin and end anywhere', () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = new Prng(seed);
    const made = disk();
    for (const block of [0, 1]) write(made, block, randomSeries(random, 150, block, false));
    assert.ok(check(made, ALL, `seed ${seed}`).rows.size > 50);
    for (let i = 0; i < 5; i++) {
      const from = random.int(2 * RANGE_MS);
      check(made, [from, from + random.int(RANGE_MS)], `seed ${seed}, ${i}`);
    }
  }
});

for (const cacheBytes of [0, 2 ** 16, 2 ** 19, 2 ** 26]) {
  test(`quick load: the same again and again, with ${cacheBytes / 1024} KiB of cache`, () => {
    const random = new Prng(cacheBytes);
    const made = disk();
    for (const block of [0, 1]) write(made, block, randomSeries(random, 150, block, true));
    const rig = new HeadRig();
    const history = historyOf(made, rig, (block) => block, cacheBytes);
    const reads = () => history.cache.counters.cachedChunkMisses!;
    const found = () => history.cache.counters.cachedChunkHits!;
    for (let i = 0; i < 30; i++) {
      const from = random.int(2 * RANGE_MS);
      const span = random.pick([ALL, [from, from + random.int(RANGE_MS)] as const]);
      assert.deepEqual(askHistory(rig, history, span), ask(made, span, slow), `${i}`);
      assert.ok(history.cache.bytes <= cacheBytes);
      if (i === 15 && random.int(2) === 0) rig.core.exports.chunks_drop();
    }
    const before = reads();
    askHistory(rig, history, ALL);
    const first = reads() - before;
    askHistory(rig, history, ALL);
    const second = reads() - before - first;
    assert.ok(second > 0 && second <= first);
    // Chunks of histograms are left to the other way each time.
    if (cacheBytes === 0) assert.equal(found(), 0);
    if (cacheBytes === 2 ** 26) assert.ok(found() > 5 * reads(), `${found()} of ${reads()}`);
  });
}

test('quick load: overlapping chunks, histograms and deletions are left to the other way', () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = new Prng(seed);
    const made = disk();
    const counts = [0, 1].map((block) => {
      const series = randomSeries(random, 100, block, true);
      write(made, block, series);
      deleteSome(made, block);
      return series.length;
    });
    const answer = check(made, ALL, `seed ${seed}`);
    assert.ok(answer.deferred > 0 && answer.rows.size > counts[0]! / 2);
  }
});

test('quick load: a bit that is wrong somewhere in index or chunks is found either way', () => {
  const random = new Prng(7);
  const made = disk();
  for (const block of [0, 1]) write(made, block, randomSeries(random, 8, block, false));
  const whole = check(made, ALL, 'whole');
  let faults = 0;
  for (const name of ['index', 'chunks/000001']) {
    const path = `data/${ULIDS[0]}/${name}`;
    const bytes = made.readFile(path);
    const [begin, end] = name === 'index' ? seriesSection(made) : [8, bytes.length];
    for (let at = begin; at < end; at += 1 + random.int(40)) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << random.int(8);
      made.writeFileAtomic(path, damaged);
      const answer = check(made, ALL, `${name}, byte ${at}`);
      if (answer.faults.length > 0) faults++;
      else assert.deepEqual(answer, whole, `${name}, byte ${at}`);
    }
    made.writeFileAtomic(path, bytes);
  }
  assert.ok(faults > 20);
});

/** Where the series of the first block's index begin and end. */
function seriesSection(made: Disk): readonly [number, number] {
  const { toc } = readBlockModel(made, `data/${ULIDS[0]}`);
  return [toc[1]!, toc[2]!];
}

test('XOR2 chunks are read as the floats that they hold', () => {
  const random = new Prng(7);
  const series = randomSeries(random, 60, 0, false);
  const later = randomSeries(random, 5, 1, false);
  const made = disk();
  write(made, 0, series);
  write(made, 1, later);
  const want = check(made, ALL, 'XOR').rows;
  const other = disk();
  const recoded = series.map(({ labels, chunks }) => ({
    labels,
    chunks: chunks.map((chunk, i): StreamedChunk => {
      const { times, bits } = decodeXor(chunk.data);
      return i % 3 === 0 ? chunk : { ...chunk, encoding: ChunkEncoding.Xor2, data: encodeXor2({ times, bits }) };
    }),
  }));
  write(other, 0, recoded);
  write(other, 1, later);
  deleteSome(other, 0);
  deleteSome(made, 0);
  const got = check(other, ALL, 'XOR2');
  assert.deepEqual(got.faults, []);
  assert.deepEqual(got.rows, check(made, ALL, 'XOR, some deleted').rows);
  assert.ok(got.rows.size > 50 && want.size > 50);
});

test('a damaged XOR2 chunk is a fault, and the others are read', () => {
  const good = chunkAt([1000, 2000]);
  const bad: StreamedChunk = { ...chunkAt([5000, 6000]), encoding: ChunkEncoding.Xor2, data: Uint8Array.of(0, 9, 0) };
  const made = disk();
  write(made, 0, [
    { labels: { __name__: 'a' }, chunks: [good, bad] },
    { labels: { __name__: 'b' }, chunks: [good] },
  ]);
  write(made, 1, [{ labels: { __name__: 'c' }, chunks: [chunkAt([2 * RANGE_MS - 5])] }]);
  const { rows, faults } = check(made, ALL, 'damaged');
  assert.deepEqual(
    [...rows.values()].map((samples) => samples.length),
    [2, 2, 1],
  );
  assert.equal(faults.length, 1);
  assert.match(faults[0]!, /a chunk of encoding 4/);
});
