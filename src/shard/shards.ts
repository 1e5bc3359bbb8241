// All shards of this server as main sees them: their clients, the slots they lend, the
// numbering of appends, and the log behind them.

import { type Clock, realClock } from '../base/clock.js';
import type { MorselSize } from '../wasm/query.js';
import { Appends } from './appends.js';
import { ShardClient } from './client.js';
import { ExemplarBook } from './exemplar-book.js';
import { startShardHere } from './here.js';
import type { BlockRefusal } from './history/history.js';
import { type KnownBlock, KnownBlocks } from './known-blocks.js';
import { KnownSeries } from './known-series.js';
import type { LogPort } from './log-port.js';
import { startShard } from './pool.js';
import type { ShardSetup } from './protocol.js';
import { type BootedShard, withReaders } from './readers.js';
import type { ScratchLimits } from './scratch.js';
import { Slots } from './slots.js';

export interface ShardsOptions {
  readonly count: number;
  /** The data directory; undefined where all chunks stay in memory. */
  readonly dataFolder?: string | undefined;
  readonly seed: bigint;
  /** For all shards together. */
  readonly memoryBytes: number;
  /** Room for bodies under way, for all shards together. */
  readonly inputBytes: number;
  /** Worker threads, or this very thread (tests). */
  readonly threads: boolean;
  /** Starts a shard in a way of its own: for simulations. */
  readonly boot?: (setup: ShardSetup) => Promise<BootedShard>;
  /** The real one where absent. */
  readonly clock?: Clock;
  readonly core?: 'debug' | 'release';
  /** Threads that help each shard with queries; none where absent. */
  readonly readers?: number;
  /** How much of a query a shard evaluates in one go: for tests. */
  readonly morsel?: MorselSize;
  /** What all shards keep of the chunks that queries read from files; there is a good default. */
  readonly chunkCacheBytes?: number;
  /** What queries may hold in each shard; no limit but the memory's where absent. */
  readonly scratch?: ScratchLimits;
  /** Tests may end shards on purpose. */
  readonly faults?: boolean;
  /** Tests may append native histograms and start timestamps, which a restart would lose. */
  readonly sideSamples?: boolean;
  /** Metadata of series is kept in the log. */
  readonly metadataRecords?: boolean;
  /** A shard that is busy with one task for longer is given up; there is a good default. */
  readonly stallMs?: number;
}

/** What a shard numbers in its life is less than this. */
const NUMBERS = 2 ** 36;

export interface ShardHandle {
  readonly client: ShardClient;
  readonly slots: Slots;
}

export class Shards {
  readonly handles: readonly ShardHandle[];
  readonly appends: Appends;
  readonly log: LogPort;
  /** Series that main knows the places of. */
  readonly known: KnownSeries;
  /** What the disk has beside the heads. */
  readonly blocks = new KnownBlocks();
  /** How many exemplars each shard may keep; none before setMax(). */
  readonly exemplars: ExemplarBook;
  /** The highest ref given out, one BigInt64 that all shards share. */
  readonly refCounter: BigInt64Array;
  readonly #boot: (index: number) => Promise<BootedShard>;
  readonly #clock: Clock;
  #seriesVersion = 0;

  private constructor(
    handles: ShardHandle[],
    log: LogPort,
    refCounter: SharedArrayBuffer,
    boot: (index: number) => Promise<BootedShard>,
    memories: readonly WebAssembly.Memory[],
    clock: Clock,
  ) {
    this.handles = handles;
    this.#clock = clock;
    this.#boot = boot;
    this.log = log;
    this.known = new KnownSeries(
      handles.map(({ client }) => client),
      memories,
      this.blocks,
    );
    this.exemplars = new ExemplarBook(handles.length, 0);
    handles.forEach(({ client }, shard) => {
      client.exemplars = () => this.exemplars.limitsOf(shard);
    });
    this.refCounter = new BigInt64Array(refCounter);
    this.appends = new Appends((watermark, held) => {
      for (const { client } of handles) client.setWatermark(watermark, held);
    });
  }

  static async start(options: ShardsOptions, log: LogPort): Promise<Shards> {
    const refCounter = new SharedArrayBuffer(8);
    let boots = 0;
    const boot = (index: number) => {
      const setup: ShardSetup = {
        index,
        count: options.count,
        dataFolder: options.dataFolder,
        seed: options.seed,
        memoryBytes: Math.floor(options.memoryBytes / options.count),
        inputBytes: Math.floor(options.inputBytes / options.count),
        core: options.core,
        refCounter,
        morsel: options.morsel,
        chunkCacheBytes: options.chunkCacheBytes && Math.floor(options.chunkCacheBytes / options.count),
        scratch: options.scratch,
        faults: options.faults ?? false,
        sideSamples: options.sideSamples ?? false,
        metadataRecords: options.metadataRecords ?? false,
        readers: options.readers ?? 0,
        firstNumber: boots++ * NUMBERS,
      };
      const start = options.boot ?? (options.threads ? startShard : startShardHere);
      return withReaders(setup, start(setup));
    };
    const clock = options.clock ?? realClock;
    const booted = await Promise.all(Array.from({ length: options.count }, (_, index) => boot(index)));
    const handles = booted.map(({ port, started }) => ({
      client: new ShardClient(port, clock, options.stallMs),
      slots: new Slots(started.memory, started.input),
    }));
    log.attach(booted.map(({ started }) => started.memory));
    const memories = booted.map(({ started }) => started.memory);
    return new Shards(handles, log, refCounter, boot, memories, clock);
  }

  /**
   * Makes a dead shard again, empty: `fill` gets a client that nobody else has, and when it is done, all others
   * get through. Every append that may have touched the old one must be over. Gives the blocks that it cannot open.
   */
  async restart(index: number, fill: (client: ShardClient) => Promise<void>): Promise<readonly BlockRefusal[]> {
    const { client, slots } = this.shard(index);
    await client.bury();
    const { port, started } = await this.#boot(index);
    slots.restart(started.memory, started.input);
    this.known.restart(index, started.memory);
    await this.log.replace(index, started.memory);
    const filling = new ShardClient(port, this.#clock);
    filling.exemplars = () => ({ max: this.exemplars.max, gone: 0 });
    try {
      await fill(filling);
    } catch (error) {
      await port.close();
      throw error;
    }
    const refused = await this.blocks.tell(filling);
    client.revive(port);
    this.noteSeriesChange();
    return refused;
  }

  /**
   * Queries that open from now on read these blocks, and the heads from a time on. Gives the blocks that a shard cannot open.
   * What blocks have may leave the heads when this has resolved.
   */
  async setBlocks(blocks: readonly KnownBlock[], headMinTimeMs: number | undefined): Promise<readonly BlockRefusal[]> {
    this.blocks.set(blocks, headMinTimeMs);
    // A shard that is dead is told when it is made again.
    const told = await Promise.allSettled(this.handles.map(({ client }) => this.blocks.tell(client)));
    this.noteSeriesChange();
    return told.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  }

  /** Whether no query reads other blocks any more than those that were told last. */
  async haveReleasedBlocks(): Promise<boolean> {
    const asked = this.handles.map(({ client }) => client.call('blocksReleased', {}, 'ingest'));
    const replies = await Promise.allSettled(asked);
    return replies.every((reply) => reply.status === 'rejected' || reply.value.released);
  }

  /** Another number after each change of which series there are, as far as main has heard: before anyone is told of it. */
  get seriesVersion(): number {
    return this.#seriesVersion;
  }

  /** Series came or went. */
  noteSeriesChange(): void {
    this.#seriesVersion++;
  }

  get count(): number {
    return this.handles.length;
  }

  shard(index: number): ShardHandle {
    return this.handles[index]!;
  }

  async close(): Promise<void> {
    await Promise.all(this.handles.map(({ client }) => client.close()));
  }
}
