// The same series as a server keeps them: part in blocks, part in chunks_head, the rest in the open head.
//
//   writes ──► head ──► chunks_head ──► blocks      on a simulated disk, by a clock that goes from write to write
//                └─ killed and started again, on the way and at the end: what is in the head came out of the log
//
// In some storages every second write of some series is late: it comes behind the next.
//
// From the first kill on blocks are longer, mostly so long that none is cut any more: then the first quarter of the hour is in blocks,
// what follows of its first half in chunks_head, and the rest in the head.
//
// The storage is a real one, in this thread. Chunks that files have do not stay in memory, so that queries read the files.

import { compress } from 'snappyjs';
import type { Prng } from '../../../../src/base/prng.js';
import type { StorageOptions } from '../../../../src/server/storage/options.js';
import { ShardSource } from '../../../../src/shard/source.js';
import { META_NAME } from '../../../../src/tsdb/block/layout.js';
import { readMeta } from '../../../../src/tsdb/block/meta.js';
import { isUlid } from '../../../../src/tsdb/block/ulid.js';
import { headChunksFolder } from '../../../../src/tsdb/head-chunks/layout.js';
import { Core } from '../../../../src/wasm/core.js';
import { allHeadChunks } from '../../head-chunks.js';
import { writeBody } from '../../shards.js';
import { SimDisk } from '../../sim-disk.js';
import { Life } from '../../simulation/life.js';
import { DATA_MS, DATA_START_MS, type FuzzSeries } from './data.js';
import { type Batch, encodeBatch } from './load.js';
import { OurAnswerer } from './servers.js';

const FOLDER = 'data';
const MINUTE_MS = 60_000;
const MEMORY_BYTES = 128 * 2 ** 20;
/** Spans of the blocks that the first minutes go to, and of those that what follows goes to, if it ever does. */
const FIRST_BLOCK_MINUTES = [4, 10] as const;
const BLOCK_MINUTES = [24, 120] as const;
/** Until chunks are spilled, blocks are cut and the head is truncated. */
const SETTLED_MS = 2 * MINUTE_MS;

export class StoredSeries {
  readonly #disk = new SimDisk();
  readonly #random: Prng;
  #options: StorageOptions;
  #life!: Life;

  private constructor(random: Prng) {
    this.#random = random;
    this.#options = {
      path: FOLDER,
      shards: random.pick([1, 2, 3]),
      memoryBytes: MEMORY_BYTES,
      sync: { mode: 'group' },
      blockMs: random.pick(FIRST_BLOCK_MINUTES) * MINUTE_MS,
      lateWindowMs: random.pick([0, DATA_MS]),
      // What is in files leaves the log.
      shortenLogBytes: 1,
      imageLogBytes: 1,
      onHopeless: (reason) => {
        throw reason;
      },
    };
  }

  static async load(random: Prng, batches: readonly Batch[]): Promise<StoredSeries> {
    const stored = new StoredSeries(random);
    stored.#disk.makeFolder(`${FOLDER}/narthex`);
    // Which shard owns what, too.
    const seed = Uint8Array.from({ length: 8 }, () => random.int(256));
    stored.#disk.writeFileAtomic(`${FOLDER}/narthex/seed`, seed);
    await stored.#start(DATA_START_MS);
    const late = stored.#options.lateWindowMs === 0 ? new Set<FuzzSeries>() : someOf(random, batches);
    const requests = withLate(batches, late);
    const killedMs = DATA_START_MS + (16 + random.int(12)) * MINUTE_MS;
    const killedAt = requests.findIndex((batch) => newestOf(batch) >= killedMs);
    for (const batch of requests.slice(0, killedAt)) await stored.#write(batch);
    stored.#options = { ...stored.#options, blockMs: random.pick(BLOCK_MINUTES) * MINUTE_MS };
    await stored.#restart();
    for (const batch of requests.slice(killedAt)) await stored.#write(batch);
    await stored.#life.pass(SETTLED_MS);
    await stored.#restart();
    await stored.#evict();
    return stored;
  }

  answerer(delayedNames: boolean): OurAnswerer {
    const { shards } = this.#life.storage;
    return new OurAnswerer(() => new ShardSource(shards, 'adhoc'), { delayedNames, wholeGroups: shards.count === 1 });
  }

  /** What is in files, and how much of it. */
  get held(): { readonly blockSamples: number; readonly headChunks: number } {
    const metas = this.#disk.list(FOLDER).filter(isUlid);
    const samples = metas.map((ulid) => readMeta(this.#disk, `${FOLDER}/${ulid}/${META_NAME}`).stats.samples);
    return {
      blockSamples: samples.reduce((sum, count) => sum + count, 0),
      headChunks: allHeadChunks(this.#disk, headChunksFolder(FOLDER), new Core()).length,
    };
  }

  async close(): Promise<void> {
    await this.#life.settle(this.#life.storage.close());
    this.#life.end();
  }

  async #start(nowMs: number): Promise<void> {
    this.#life = await Life.begin({ disk: this.#disk, nowMs, storage: this.#options });
  }

  async #restart(): Promise<void> {
    this.#checkLog();
    const nowMs = this.#life.clock.nowMs();
    this.#life.end();
    this.#disk.kill();
    await this.#start(nowMs);
    await this.#life.pass(SETTLED_MS);
  }

  #checkLog(): void {
    const complaint = this.#life.log.lines.find(([level]) => level === 'error');
    if (complaint !== undefined) throw new Error(complaint[1]);
  }

  async #write(batch: Batch): Promise<void> {
    const samples = [...batch.values()].flat();
    const { clock, storage } = this.#life;
    await this.#life.pass(Math.max(0, newestOf(batch) - clock.nowMs()));
    const shard = this.#random.int(storage.shards.count);
    const writing = writeBody(storage, shard, compress(encodeBatch(batch)), clock.nowMs());
    const { outcome, error } = await this.#life.settle(writing);
    if (error !== undefined || outcome.accepted !== samples.length) {
      throw new Error(`of ${samples.length} samples ${outcome.accepted} were taken: ${error ?? ''}`);
    }
  }

  /** Nothing stays in memory that files have. */
  async #evict(): Promise<void> {
    for (const { client } of this.#life.storage.shards.handles) {
      const evicting = async () => {
        while (!(await client.call('evictSpilled', { keepBytes: 0 }, 'rules')).done);
      };
      await this.#life.settle(evicting());
    }
  }
}

const LATE_SHARE = 1 / 4;

function someOf(random: Prng, batches: readonly Batch[]): Set<FuzzSeries> {
  const all = new Set(batches.flatMap((batch) => [...batch.keys()]));
  return new Set([...all].filter(() => random.float() < LATE_SHARE));
}

/** Every second batch of some series comes behind the one that follows it. */
function withLate(batches: readonly Batch[], late: ReadonlySet<FuzzSeries>): Batch[] {
  if (late.size === 0) return [...batches];
  const requests: Batch[] = [];
  let held: Batch = new Map();
  for (const [i, batch] of batches.entries()) {
    const isHeld = (series: FuzzSeries) => i % 2 === 0 && late.has(series);
    const [now, later] = [false, true].map(
      (wanted) => new Map([...batch].filter(([series]) => isHeld(series) === wanted)),
    );
    requests.push(now!, held);
    held = later!;
  }
  return [...requests, held].filter(({ size }) => size > 0);
}

function newestOf(batch: Batch): number {
  return Math.max(...[...batch.values()].flat().map(({ timeMs }) => timeMs));
}
