// Loading a window of a query's series from blocks the quick way: bytes of their files go into the core's memory, and the
// core finds, checks and links the chunks (assembly/query/load.ts). Some tens of times faster than feed.ts, which looks
// after whatever is not plain: series with deletions, overlapping chunks, histograms, damage.

import { DiskError } from '../../base/disk.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import { BlockLoads } from '../../wasm/block-loads.js';
import type { ChunkCache } from '../../wasm/chunk-cache.js';
import type { Core } from '../../wasm/core.js';
import { isGuest } from '../../wasm/guests.js';
import type { LoadedChunks } from '../../wasm/history.js';
import type { BlockBytes } from './block.js';
import type { PlacedBlock, PlacedChunks, TimeSpan } from './selection.js';

/** What an index' refs count. */
const SERIES_ALIGN = 16;
/** Read for the last series, or chunk, of a run, whose length is not known. What is longer is looked after by others. */
const SERIES_GUESS_BYTES = 1024;
const CHUNK_GUESS_BYTES = 2304;
/** Bytes between two that are cheaper read than skipped: a call costs as much as copying this much. */
const GAP_BYTES_MAX = 16 * 1024;
/** One read is no longer, but for its last series or chunk. */
const RUN_BYTES_MAX = 512 * 1024;
const ROOM_BYTES = RUN_BYTES_MAX + CHUNK_GUESS_BYTES;
/** Times beyond these are no times of samples, and no integers in the core. */
const TIME_MAX = 2 ** 53;

export interface QuickLoadInput {
  readonly core: Core;
  readonly cache: ChunkCache;
  /** The query's list. */
  readonly list: Uint32Array;
  /** Oldest first. */
  readonly blocks: readonly PlacedBlock[];
  /** Series of which samples came late are left. */
  readonly late?: PlacedChunks | undefined;
  readonly span: TimeSpan;
  /** Where the head begins. */
  readonly floorMs: number;
  /** Downsampled series are to be rebuilt, which others do. */
  readonly wantsAggregates?: boolean;
}

/** Whether the head has all that is wanted of a series, by its number. */
export type IsAnswered = (series: number) => boolean;

/**
 * Loads what blocks have of the places of `loaded`, but for series that are answered without. Gives those that are left, of
 * which nothing is loaded. Throws OutOfMemory.
 */
export function quickLoad(input: QuickLoadInput, loaded: LoadedChunks, isAnswered?: IsAnswered): number[] {
  leaveLate(input, loaded);
  if (input.blocks.length === 0) return loaded.takeSkipped();
  const loads = new BlockLoads(input.core, loaded, ROOM_BYTES);
  try {
    const wanted = wantedPlaces(input.list, loaded, isAnswered);
    for (const placed of input.blocks) loadBlock(placed, wanted, input, loaded, loads);
    leaveHead(input, loaded, loads.newestTimes);
    return loaded.takeSkipped();
  } finally {
    loads.close();
  }
}

/** Places of the window of which blocks are to be read. */
function wantedPlaces(list: Uint32Array, { from, count }: LoadedChunks, isAnswered?: IsAnswered): Uint32Array {
  const wanted = new Uint32Array(count);
  let length = 0;
  for (let place = 0; place < count; place++) {
    if (isAnswered === undefined || !isAnswered(list[from + place]!)) wanted[length++] = place;
  }
  return wanted.subarray(0, length);
}

function loadBlock(
  placed: PlacedBlock,
  wanted: Uint32Array,
  input: QuickLoadInput,
  loaded: LoadedChunks,
  loads: BlockLoads,
): void {
  const found = seriesOf(placed, wanted, loaded, input.wantsAggregates === true);
  const { files } = placed.block;
  const span = {
    minTimeMs: Math.max(input.span.minTimeMs, -TIME_MAX),
    maxTimeMs: Math.min(input.span.maxTimeMs, TIME_MAX),
  };
  loads.begin(input.cache.numberOf(placed.block));
  const series = loads.wantKnown(found, span);
  for (let i = 0; i < series.length; ) i = wantRun(files, series, i, span, loaded, loads);
  const count = loads.countWanted();
  if (loads.missing > 0) for (let i = 0; i < count; ) i = loads.isThere(i) ? i + 1 : loadRun(files, i, count, loads);
  loads.link();
}

/** Refs and places, by ref, of the series that a block has of the wanted places, but for those of which something is deleted. */
function seriesOf(
  { block, refs }: PlacedBlock,
  wanted: Uint32Array,
  loaded: LoadedChunks,
  wantsAggregates: boolean,
): Uint32Array {
  const { from } = loaded;
  const series = new Uint32Array(wanted.length * 2);
  let length = 0;
  let isSorted = true;
  for (const place of wanted) {
    const ref = refs[from + place]!;
    if (ref === 0) continue;
    const isDeleted = block.hasDeleted && block.deleted(ref).length > 0;
    if (isDeleted || (wantsAggregates && block.isDownsampled(ref))) {
      loaded.skip(from + place);
      continue;
    }
    if (length > 0 && ref < series[length - 2]!) isSorted = false;
    series[length++] = ref;
    series[length++] = place;
  }
  const found = series.subarray(0, length);
  return isSorted ? found : sortedByRef(found);
}

function sortedByRef(series: Uint32Array): Uint32Array {
  const keys = new Float64Array(series.length / 2);
  for (let i = 0; i < keys.length; i++) keys[i] = series[2 * i]! * 2 ** 20 + series[2 * i + 1]!;
  keys.sort();
  keys.forEach((key, i) => {
    series[2 * i] = Math.floor(key / 2 ** 20);
    series[2 * i + 1] = key % 2 ** 20;
  });
  return series;
}

/** Reads the entries of the series from number `first` on that lie close together; gives the number behind them. */
function wantRun(
  files: BlockBytes,
  series: Uint32Array,
  first: number,
  span: TimeSpan,
  loaded: LoadedChunks,
  loads: BlockLoads,
): number {
  const from = series[first]! * SERIES_ALIGN;
  let end = from;
  let next = first;
  for (; next < series.length; next += 2) {
    const at = series[next]! * SERIES_ALIGN;
    if (at > end + GAP_BYTES_MAX || at - from > RUN_BYTES_MAX) break;
    end = at + SERIES_GUESS_BYTES;
  }
  const { bytes, into } = loads.room(from, Math.max(0, Math.min(end, files.indexBytes) - from));
  const run = series.subarray(first, next);
  if (isRead(() => files.readIndex(into, from))) loads.want(run, bytes, span);
  else for (let i = 1; i < run.length; i += 2) loaded.skip(loaded.from + run[i]!);
  return next;
}

/** The same for wanted chunks that are not there; the first is not. */
function loadRun(files: BlockBytes, first: number, count: number, loads: BlockLoads): number {
  const { segment, offset: from } = loads.place(first);
  let end = from;
  let next = first;
  for (; next < count; next++) {
    if (loads.isThere(next)) continue;
    const at = loads.place(next);
    const isClose = at.segment === segment && at.offset >= from && at.offset <= end + GAP_BYTES_MAX;
    if (!isClose || at.offset - from > RUN_BYTES_MAX) break;
    end = Math.max(end, at.offset + CHUNK_GUESS_BYTES);
  }
  const isThere = isRead(() => {
    end = Math.max(from, Math.min(end, files.segmentBytes(segment)));
    files.readSegment(segment, loads.room(from, end - from).into, from);
  });
  // Of bytes that are not there the core says that they are not what they must be.
  loads.load(loads.room(from, isThere ? end - from : 0).bytes, first, next - first);
  return next;
}

function leaveLate({ late }: QuickLoadInput, loaded: LoadedChunks): void {
  if (late === undefined) return;
  for (let place = loaded.from; place < loaded.from + loaded.count; place++) {
    if (late.refs[place] !== 0) loaded.skip(place);
  }
}

/** Samples that came late may be in a block where the head still has others. */
function leaveHead({ blocks, floorMs, list }: QuickLoadInput, loaded: LoadedChunks, newestTimes: Float64Array): void {
  if (blocks.every(({ block }) => block.maxTimeMs <= floorMs)) return;
  for (let i = 0; i < loaded.count; i++) {
    const place = loaded.from + i;
    if (newestTimes[i]! >= floorMs && !isGuest(list[place]!)) loaded.skip(place);
  }
}

/** What cannot be read is read once more by those who have words for it. */
function isRead(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof BlockFault || error instanceof DiskError)) throw error;
    return false;
  }
}
