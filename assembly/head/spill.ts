// Carrying sealed chunks to files: what makes a series at rest cost its labels, its postings and its open chunk.
//
//   collect   sealed chunks that no file has ──► a page of records (chunk-record.ts), which main has written and synced
//   confirm   each series' list (spilled.ts) says where they are now
//   evict     chunks that are in files leave memory, beyond so many bytes: a hand goes round the series
//
// Chunks of a series go in the order of their times. Those stay that a deletion made anew, and all behind them, and
// all of series that have histograms or late samples beside them: their log must be read whole.

import { dataOf, Sealed } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import * as buffer from '../memory/buffer';
import * as append from './append';
import * as chunkRecord from './chunk-record';
import * as journal from './journal';
import * as late from './late';
import * as series from './series';
import * as spilled from './spilled';

const page: usize = memory.data(16, 8);

/** Of each chunk that was collected: series u32, offset u32, min and max time i64. */
const notes: usize = memory.data(16, 8);
const NOTE_BYTES: u32 = 24;
const OFFSET: usize = 4;
const MIN: usize = 8;
const MAX: usize = 16;

/** Bytes of the pages since begin(). */
let collected: u32 = 0;
/** Bytes of the notes of which series have heard. */
let confirmed: u32 = 0;
let refused: bool = false;
let latest: i64 = i64.MIN_VALUE;
/** Chunks of one series that are collected at once: the rest comes with the next round. */
const CHUNKS_MAX: u32 = 64;
const chain: usize = memory.data(<i32>CHUNKS_MAX * 4, 16);

let spilledChunks: f64 = 0;
/** Where the hand is. */
let hand: u32 = 0;
/** No chunk that left memory has a later sample. */
let evictedTo: i64 = i64.MIN_VALUE;
/** Another number after chunks have left memory. */
let evictions: u32 = 0;
/** Halves of chunks that were split in memory (split.ts), and have left it: in its file the chunk is one still. */
let rejoined: f64 = 0;

export function pageAddress(): usize {
  return buffer.address(page);
}

export function pageBytes(): u32 {
  return buffer.length(page);
}

/** Whether anything ever was in files. */
export function isUsed(): bool {
  return spilledChunks > 0 || evictedTo != i64.MIN_VALUE;
}

/** Chunks written to files. */
export function spilledTotal(): f64 {
  return spilledChunks;
}

/** Chunks that are fewer because halves became one again. */
export function rejoinedTotal(): f64 {
  return rejoined;
}

export function newestEvicted(): f64 {
  return <f64>evictedTo;
}

/** Chunks up to this time are in files alone. */
export function noteEvicted(time: i64): void {
  if (time > evictedTo) evictedTo = time;
  evictions++;
}

export function evictionCount(): u32 {
  return evictions;
}

/** Whether the memory limit ended the last collect(). */
export function isRefused(): bool {
  return refused;
}

/** No sample that was collected since begin() is later. */
export function latestCollected(): f64 {
  return <f64>latest;
}

/**
 * Of `count` series from number `from` on the refs, 0 of one that is gone, each with the time up to which files have its samples,
 * so that the log need not: pairs of f64, written to `out`.
 */
export function liveRefs(from: u32, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const record = series.find(from + i);
    const at = out + ((<usize>i) << 4);
    store<f64>(at, record == 0 ? 0 : <f64>series.ref(record));
    store<f64>(at, elsewhereTo(from + i, record), 8);
  }
}

/** -Infinity where that is nothing. */
function elsewhereTo(number: u32, record: usize): f64 {
  if (record == 0 || late.has(number)) return -Infinity;
  const slot = series.spilled(record);
  if (spilled.count(slot) == 0 || spilled.heldTo(slot) != i64.MIN_VALUE) return -Infinity;
  return <f64>spilled.newest(slot);
}

/**
 * Whether chunks of histograms of a series may go to files: it has nothing else, so that all the log has of it up to their end is in them, and
 * no append after `watermark` has touched it.
 */
export function mayCarryHistograms(number: u32, watermark: u32): bool {
  const record = series.find(number);
  if (record == 0 || late.has(number)) return false;
  if (append.hasSamples(record, changetype<ChunkState>(series.chunk(record)))) return false;
  return !journal.isAfter(series.lastAppend(record), watermark);
}

/** Forgets what was collected. */
export function begin(): void {
  buffer.clear(page);
  buffer.clear(notes);
  confirmed = 0;
  collected = 0;
  latest = i64.MIN_VALUE;
}

/**
 * Writes the chunks that no file has, of at most `count` series from `from` on that no append after `watermark` has touched,
 * until the page has `bytesMax`. Gives where to go on. Where the memory limit says no, what was collected has to be
 * confirmed before more is.
 */
export function collect(from: u32, count: u32, watermark: u32, bytesMax: u32): u32 {
  buffer.truncate(page, 0);
  refused = false;
  const end = min(from + count, series.bound());
  let number = from;
  for (; number < end && buffer.length(page) < bytesMax; number++) {
    const record = series.find(number);
    if (record == 0 || series.sealed(record) == 0) continue;
    if (series.newestHistogram(record) != i64.MIN_VALUE || late.has(number)) continue;
    if (journal.isAfter(series.lastAppend(record), watermark)) continue;
    refused = !collectSeries(number, record);
    if (refused) break;
  }
  collected += buffer.length(page);
  return number;
}

function collectSeries(number: u32, record: usize): bool {
  const slot = series.spilled(record);
  const known = spilled.newest(slot);
  let chunks: u32 = 0;
  let oldest = i64.MAX_VALUE;
  for (let block = series.sealed(record); block != 0; block = <usize>changetype<Sealed>(block).next) {
    const chunk = changetype<Sealed>(block);
    if (chunk.maxT <= known) break;
    oldest = chunk.minT;
    // Of more than fit the oldest come first: the ring has those that were seen last.
    store<u32>(chain + ((<usize>(chunks % CHUNKS_MAX)) << 2), <u32>block);
    chunks++;
  }
  if (chunks == 0 || oldest <= spilled.heldTo(slot)) return true;
  const taken = min(chunks, CHUNKS_MAX);
  if (!spilled.reserve(slot, taken, oldest)) return false;
  for (let i: u32 = 0; i < taken; i++) {
    const place = (chunks - 1 - i) % CHUNKS_MAX;
    const chunk = changetype<Sealed>(<usize>load<u32>(chain + ((<usize>place) << 2)));
    if (!spilled.canSay(slot, chunk.minT, chunk.maxT)) return true;
    if (!writeChunk(number, series.ref(record), chunk)) return false;
  }
  return true;
}

function writeChunk(number: u32, ref: u64, chunk: Sealed): bool {
  const bytes = <u32>chunkRecord.sizeFor(chunk.bytes);
  const at = buffer.reserve(page, bytes);
  const note = buffer.reserve(notes, NOTE_BYTES);
  if (at == 0 || note == 0) return false;
  chunkRecord.write(at, ref, chunk.minT, chunk.maxT, dataOf(chunk), chunk.bytes);
  store<u32>(note, number);
  store<u32>(note, collected + buffer.length(page), OFFSET);
  store<i64>(note, chunk.minT, MIN);
  store<i64>(note, chunk.maxT, MAX);
  if (chunk.maxT > latest) latest = chunk.maxT;
  buffer.advance(page, bytes);
  buffer.advance(notes, NOTE_BYTES);
  return true;
}

/** What was collected since begin() is on the disk: it begins at `offset` of a file. Notes `count` chunks of it; whether these were the last. */
export function confirm(file: u32, offset: u32, count: u32): bool {
  const end = min(confirmed + count * NOTE_BYTES, buffer.length(notes));
  for (; confirmed < end; confirmed += NOTE_BYTES) {
    const note = buffer.address(notes) + confirmed;
    const record = series.find(load<u32>(note));
    const at = offset + load<u32>(note, OFFSET);
    if (record == 0 || !spilled.isPlace(file, at)) continue;
    spilled.push(series.spilled(record), file, at, load<i64>(note, MIN), load<i64>(note, MAX));
    spilledChunks += 1;
  }
  if (confirmed < buffer.length(notes)) return false;
  begin();
  return true;
}

/**
 * The hand goes over `count` series, or those with `chunksMax` chunks that are in files: these leave until at most `keepBytes` of sealed ones are
 * left. Says whether that is so, or the hand has come round.
 */
export function evict(count: u32, keepBytes: u32, chunksMax: u32): bool {
  const bound = series.bound();
  if (hand >= bound) hand = 0;
  const end = min(hand + count, bound);
  const before = sealedChunks.heldBytes();
  let chunks: u32 = 0;
  while (hand < end && chunks < chunksMax && sealedChunks.heldBytes() > keepBytes) {
    const record = series.find(hand++);
    if (record != 0 && series.sealed(record) != 0) chunks += evictSeries(record);
  }
  if (sealedChunks.heldBytes() != before) evictions++;
  return sealedChunks.heldBytes() <= keepBytes || hand >= bound;
}

/**
 * The newest sealed chunk stays while the open one is empty: a record shows by one of them that it has samples. With the later
 * half of a chunk that was split the earlier one stays. Gives how many have left.
 */
function evictSeries(record: usize): u32 {
  const slot = series.spilled(record);
  const known = spilled.newest(slot);
  let newer: usize = 0;
  let block = series.sealed(record);
  if (changetype<ChunkState>(series.chunk(record)).count == 0) {
    newer = block;
    block = <usize>changetype<Sealed>(block).next;
  }
  while (block != 0 && changetype<Sealed>(block).maxT > known) {
    newer = block;
    block = <usize>changetype<Sealed>(block).next;
  }
  if (newer != 0 && changetype<Sealed>(newer).maxT <= known) {
    while (block != 0 && !spilled.hasEnd(slot, changetype<Sealed>(block).maxT)) {
      newer = block;
      block = <usize>changetype<Sealed>(block).next;
    }
  }
  if (block == 0) return 0;
  if (newer == 0) series.setSealed(record, 0);
  else changetype<Sealed>(newer).next = 0;
  if (changetype<Sealed>(block).maxT > evictedTo) evictedTo = changetype<Sealed>(block).maxT;
  let chunks: u32 = 0;
  for (; block != 0; chunks++) {
    const next = <usize>changetype<Sealed>(block).next;
    if (!spilled.hasEnd(slot, changetype<Sealed>(block).maxT)) rejoined += 1;
    sealedChunks.free(changetype<Sealed>(block));
    block = next;
  }
  return chunks;
}
