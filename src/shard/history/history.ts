// The blocks that a shard answers from, beside its head.
//
//   setBlocks ──► state: blocks + where the head begins ──► taken by each query that opens, kept until it closes
//
// A query sees the blocks and the head's beginning of its own opening. Blocks are closed when no state that somebody
// holds has them any more, and the head is not truncated while a query is open that still reads there what a block has.

import type { Disk } from '../../base/disk.js';
import { DiskError, realDisk } from '../../base/disk.js';
import type { Matcher } from '../../model/matcher.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import type { IndexSummary } from '../../tsdb/block/index-summary.js';
import { AGGREGATE_FUNCTIONS } from '../../tsdb/downsample/rebuild.js';
import { ChunkCache } from '../../wasm/chunk-cache.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { Guests } from '../../wasm/guests.js';
import type { Query } from '../../wasm/query.js';
import type { Select, SeriesList } from '../../wasm/select.js';
import type { LateStore } from '../late/late-store.js';
import { LateView } from '../late/late-view.js';
import type { HistoryBlock } from './block.js';
import { openHistoryBlock } from './block-files.js';
import { Faults } from './faults.js';
import { HistoryFeed } from './feed.js';
import type { BlockHistograms } from './histograms.js';
import { BlockNumbers } from './numbers.js';
import { Rewriter } from './rewrite.js';
import { HistorySelection, type NumberedBlock, type TimeSpan } from './selection.js';
import { type Clip, SpilledChunks } from './spilled.js';

/** Guests are dropped when no query is open and there are more: some 20 MB with their labels. */
const GUESTS_MAX = 50_000;

/** A block that main tells of. */
export interface BlockPlace {
  readonly ulid: string;
  readonly path: string;
  /** Another number where something was deleted of it since: it is opened anew then. */
  readonly version: number;
  /** Of its index, made elsewhere: reading it all to make one takes a shard too long. */
  readonly summary?: IndexSummary | undefined;
}

/** A block that could not be opened. */
export interface BlockRefusal {
  readonly path: string;
  readonly reason: string;
  /** It is the block that is wrong, not the disk. */
  readonly isDamaged: boolean;
}

interface Held extends NumberedBlock {
  readonly version: number;
  /** States that have it. */
  states: number;
}

interface State {
  readonly blocks: readonly Held[];
  readonly floorMs: number;
  /** Queries and snapshots that hold it, and one for being the newest. */
  holders: number;
}

export type OpenBlock = (path: string, summary?: IndexSummary) => HistoryBlock;

export class ShardHistory {
  /** The head's chunks that are in files. */
  readonly spilled: SpilledChunks;
  /** What queries read from files, kept for the next. */
  readonly cache: ChunkCache;
  readonly #core: Core;
  readonly #guests: Guests;
  readonly #rewriter: Rewriter;
  readonly #openBlock: OpenBlock;
  readonly #late: LateStore;
  readonly #states = new Set<State>();
  readonly #snapshots = new Map<number, { readonly state: State; readonly watermark: number }>();
  /** Files of blocks that queries found damaged. */
  readonly #suspects = new Set<string>();
  #state: State = { blocks: [], floorMs: Number.NEGATIVE_INFINITY, holders: 1 };

  /** `watermark` is what is visible to all just now. */
  constructor(
    core: Core,
    place: { readonly index: number; readonly count: number },
    openBlock: OpenBlock,
    watermark: () => number,
    late: LateStore,
    files: { readonly disk: Disk; readonly dataFolder: string | undefined } = { disk: realDisk, dataFolder: undefined },
    cache = new ChunkCache(core),
  ) {
    this.#core = core;
    this.cache = cache;
    this.#guests = new Guests(core, place);
    this.#rewriter = new Rewriter(core, watermark);
    const clip: Clip = (data, times, span, faults) => this.#rewriter.clip(data, times, span, faults);
    this.spilled = new SpilledChunks(core, files.disk, files.dataFolder, clip, cache);
    this.#openBlock = openBlock;
    this.#late = late;
    this.#states.add(this.#state);
  }

  /** From now on queries see these blocks, and the head from its beginning on. Gives those that cannot be opened. */
  set(blocks: readonly BlockPlace[], headMinTimeMs: number | undefined): BlockRefusal[] {
    const refused: BlockRefusal[] = [];
    const held: Held[] = [];
    for (const place of blocks) {
      const { ulid, version } = place;
      const known = this.#state.blocks.find((one) => one.block.ulid === ulid && one.version === version);
      try {
        held.push(known ?? this.#hold(this.#openBlock(place.path, place.summary), version));
      } catch (error) {
        if (!(error instanceof BlockFault || error instanceof DiskError)) throw error;
        const isDamaged = error instanceof BlockFault && !error.isMissing;
        refused.push({ path: place.path, reason: error.message, isDamaged });
      }
    }
    held.sort((a, b) => a.block.minTimeMs - b.block.minTimeMs);
    const before = this.#state;
    this.#state = { blocks: held, floorMs: headMinTimeMs ?? Number.NEGATIVE_INFINITY, holders: 1 };
    this.#states.add(this.#state);
    for (const one of held) one.states++;
    this.#letGo(before);
    return refused;
  }

  /** What a query sees from its opening at a watermark to its end; all of a snapshot as its first. To be closed. */
  open(snapshot: number, watermark: number): OpenHistory {
    const first = this.#snapshots.get(snapshot);
    const seen = first ?? { state: this.#state, watermark };
    const { state } = seen;
    if (first === undefined && snapshot !== 0) {
      this.#snapshots.set(snapshot, seen);
      state.holders++;
    }
    state.holders++;
    const late = this.#late.isEmpty ? undefined : new LateView(this.#late, seen.watermark);
    const beside = { spilled: this.spilled, cache: this.cache, late, suspects: this.#suspects };
    return new OpenHistory(this.#core, this.#rewriter, state, beside, () => {
      late?.close();
      this.#letGo(state);
    });
  }

  closeSnapshot(snapshot: number): void {
    const seen = this.#snapshots.get(snapshot);
    this.#snapshots.delete(snapshot);
    if (seen !== undefined) this.#letGo(seen.state);
  }

  /** Whether nobody reads in the head any more what is before a time, because a block has it. */
  mayTruncate(minTimeMs: number): boolean {
    const needed = Math.min(minTimeMs, this.#state.floorMs);
    return [...this.#states].every((state) => state === this.#state || state.floorMs >= needed);
  }

  /** Whether a query is open that began with other blocks than those of now. */
  get hasOlderQueries(): boolean {
    return this.#states.size > 1;
  }

  /** Files that queries found damaged since it was last asked. */
  takeSuspects(): string[] {
    const paths = [...this.#suspects];
    this.#suspects.clear();
    return paths;
  }

  get guestCount(): number {
    return this.#guests.count;
  }

  get blockCount(): number {
    return this.#state.blocks.length;
  }

  /** Where blocks end and the head begins. */
  get floorMs(): number {
    return this.#state.floorMs;
  }

  /** Forgets guests, if they are many and no query is open. */
  trim(): void {
    if (this.#guests.count > GUESTS_MAX) this.dropGuests();
  }

  /** Forgets all guests, unless a query is open. */
  dropGuests(): void {
    const isOpen = this.#states.size > 1 || this.#state.holders > 1;
    if (isOpen || this.#guests.count === 0) return;
    this.#guests.drop();
    for (const { numbers } of this.#state.blocks) numbers.forgetGuests();
  }

  #hold(block: HistoryBlock, version: number): Held {
    return { block, version, numbers: new BlockNumbers(block, this.#guests), states: 0 };
  }

  #letGo(state: State): void {
    state.holders--;
    if (state.holders > 0) return;
    this.#states.delete(state);
    for (const one of state.blocks) if (--one.states === 0) one.block.close();
  }
}

const NO_NUMBERS = new Uint32Array(0);

/** What a query reads beside blocks, and whom it tells of damage. */
interface Beside {
  readonly spilled: SpilledChunks;
  readonly cache: ChunkCache;
  readonly late: LateView | undefined;
  readonly suspects: Set<string>;
}

/** The history of one query. */
export class OpenHistory {
  readonly faults: Faults;
  readonly #core: Core;
  readonly #rewriter: Rewriter;
  readonly #spilled: SpilledChunks;
  readonly #cache: ChunkCache;
  readonly #state: State;
  readonly #late: LateView | undefined;
  readonly #letGo: () => void;
  #isOpen = true;

  constructor(core: Core, rewriter: Rewriter, state: State, beside: Beside, letGo: () => void) {
    const { spilled, cache, late, suspects } = beside;
    this.faults = new Faults(suspects);
    this.#core = core;
    this.#spilled = spilled;
    this.#cache = cache;
    this.#rewriter = rewriter;
    this.#state = state;
    this.#late = late;
    this.#letGo = letGo;
  }

  get floorMs(): number {
    return this.#state.floorMs;
  }

  get blocks(): readonly HistoryBlock[] {
    return this.#state.blocks.map(({ block }) => block);
  }

  /** What blocks, and late samples, have of the series that match any of the selectors within the span; undefined where that is nothing. */
  select(selectors: readonly (readonly Matcher[])[], span: TimeSpan, check?: () => void): HistorySelection | undefined {
    const { blocks } = this.#state;
    const late = this.#late?.touches(span) ? this.#late : undefined;
    if (blocks.length === 0 && late === undefined) return undefined;
    const selection = HistorySelection.of(blocks, selectors, span, this.faults, check, late);
    return selection.isEmpty ? undefined : selection;
  }

  /** Has a query over a joined list read what blocks and files of the head have; the feed is asked before each morsel, and closed before the query. */
  feed(
    query: Query,
    list: SeriesList,
    selection: HistorySelection | undefined,
    span: TimeSpan,
    histograms?: BlockHistograms,
    /** Over the range; some are answered from aggregates where a series is downsampled. */
    fn = '',
  ): HistoryFeed {
    query.setFloor(this.floorMs);
    const numbers = selection === undefined ? NO_NUMBERS : this.#core.u32(list.address, list.count).slice();
    const { faults, floorMs } = this;
    return new HistoryFeed({
      ...{ core: this.#core, cache: this.#cache, list: numbers, count: list.count, span, spilled: this.#spilled },
      ...{ blocks: selection?.place(numbers) ?? [], late: selection?.placeLate(numbers) },
      ...{ floorMs, faults, rewriter: this.#rewriter, ...(histograms && { histograms }) },
      wantsAggregates: AGGREGATE_FUNCTIONS.has(fn),
    });
  }

  /** The head's series of the selectors, and guests behind them. Takes the list. */
  join(select: Select, list: SeriesList, selection: HistorySelection | undefined): SeriesList {
    return selection === undefined ? list : selection.join(select, list);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#letGo();
  }
}

/** Opens blocks of a disk; their checksums are made in the core. */
export function blockOpener(core: Core, disk: Disk): OpenBlock {
  const crc = new Crc32c(core);
  return (path, summary) => openHistoryBlock(disk, path, crc, summary);
}
