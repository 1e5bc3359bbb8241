// What the façade of the head calls besides the kernels: WAL parts, and making series.
//
// A part is a buffer that one append fills: a series record or the shard's share of the
// samples record. The log thread reads it from shared memory, so it stays where it is
// until the log has taken it.

import { ChunkState } from '../chunk/state';
import { Status } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as pages from '../memory/pages';
import { acceptLate, hasSamples, refuse, rows } from './append';
import { deletedCount, deletedFrom, deletedTo, deleteRange } from './delete';
import * as histograms from './histograms';
import * as journal from './journal';
import { find, histogram, imageRecords, samplesRecord } from './replay';
import * as series from './series';
import { scan } from './truncate';
import * as wal from './wal';

/** New series are refused when fewer pages than this are free: what is there must be able to grow (4 MiB). */
const RESERVE_PAGES: u32 = 64;

/** What deleteSamples() writes for each series: three numbers. */
const DELETED_BYTES: usize = 24;

/** An empty part; 0 where the memory limit says no. */
export function openPart(): usize {
  const part = heap.alloc(buffer.BUFFER_BYTES);
  if (part != 0) memory.fill(part, 0, buffer.BUFFER_BYTES);
  return part;
}

export function partAddress(part: usize): usize {
  return buffer.address(part);
}

export function partBytes(part: usize): u32 {
  return buffer.length(part);
}

/** Makes room for bytes at a part's end; their address, or 0. They count once part_advance() says so. */
export function partRoom(part: usize, bytes: u32): usize {
  return buffer.reserve(part, bytes);
}

export function partAdvance(part: usize, bytes: u32): void {
  buffer.advance(part, bytes);
}

/** Frees a part. */
export function closePart(part: usize): void {
  buffer.clear(part);
  heap.free(part, buffer.BUFFER_BYTES);
}

/**
 * Makes a series of the labels in the scratch, which series_resolve() just did not find, and writes its record
 * to the part. series.NONE where the memory limit refuses new series.
 */
export function createSeries(part: usize, ref: f64): u32 {
  if (pages.freePages() < RESERVE_PAGES) return series.NONE;
  const before = buffer.length(part);
  if (!wal.writeSeries(part, <u64>ref)) return series.NONE;
  const number = series.create(<u64>ref);
  if (number == series.NONE) buffer.truncate(part, before);
  else series.setLastAppend(series.at(number), journal.longAgo());
  return number;
}

/** Low 32 bits of a series' ref. */
export function refOf(number: u32): u32 {
  return series.refLow(series.at(number));
}

/** The whole ref; 0 for a series that is gone. */
export function wholeRefOf(number: u32): f64 {
  const record = series.find(number);
  return record == 0 ? 0 : <f64>series.ref(record);
}

/** append.rows(), truncate.scan(), replay.imageRecords() and samplesRecord() with times as f64: i64 would be BigInt in JS. */
export function appendRows(
  from: usize,
  count: u32,
  append: u32,
  baseRef: f64,
  baseTime: f64,
  minTime: f64,
  maxTime: f64,
  lateTime: f64,
  part: usize,
): Status {
  return rows(from, count, append, <u64>baseRef, <i64>baseTime, <i64>minTime, <i64>maxTime, <i64>lateTime, part);
}

/** histograms.add() with times as f64. */
export function appendHistogram(
  number: u32,
  append: u32,
  time: f64,
  minTime: f64,
  maxTime: f64,
  lateTime: f64,
  isSame: bool,
): Status {
  return histograms.add(number, append, <i64>time, <i64>minTime, <i64>maxTime, <i64>lateTime, isSame);
}

/** Counts a late sample of a series that is kept beside the head, or why it is not. */
export function settleLate(number: u32, status: Status): void {
  const record = series.at(number);
  if (status == Status.Ok) acceptLate();
  else refuse(status, 0, record);
}

/** Of a series of which all floats were deleted the time of the newest of them; about -2^63 of any other. */
export function emptiedAt(number: u32): f64 {
  const record = series.at(number);
  const state = changetype<ChunkState>(series.chunk(record));
  return hasSamples(record, state) || state.time == 0 ? <f64>i64.MIN_VALUE : <f64>state.time;
}

/** The time of a series' newest sample in the head; about -2^63 where there is none. */
export function newestOf(number: u32): f64 {
  const record = series.at(number);
  return <f64>max(histograms.newestFloat(record), series.newestHistogram(record));
}

/** The time of a series' newest float; about -2^63 where there was none. */
export function newestFloatOf(number: u32): f64 {
  return <f64>histograms.newestFloat(series.at(number));
}

export function replayFind(ref: f64): u32 {
  return find(<u64>ref);
}

export function replayHistogram(number: u32, time: f64): bool {
  return histogram(number, <i64>time);
}

export function truncateScan(minTime: f64, from: u32, count: u32): void {
  scan(<i64>minTime, from, count);
}

export function replayImage(at: usize, bytes: u32, minTime: f64): Status {
  return imageRecords(at, bytes, <i64>minTime);
}

export function replaySamples(record: usize, bytes: u32, minTime: f64): Status {
  return samplesRecord(record, bytes, <i64>minTime);
}

/** Series that deleteSamples() has seen to. */
let handled: u32 = 0;
let samplesDeleted: f64 = 0;

/**
 * Deletes the samples from `minTime` to `maxTime` of the series of a list, until memory is refused. Writes for each
 * that lost any its ref and the times of the first and the last (f64 each) to `out`, and gives how many these are.
 */
export function deleteSamples(list: usize, count: u32, minTime: f64, maxTime: f64, out: usize): u32 {
  let losers: u32 = 0;
  for (handled = 0; handled < count; handled++) {
    const record = series.find(load<u32>(list + ((<usize>handled) << 2)));
    if (record == 0) continue;
    if (deleteRange(record, <i64>minTime, <i64>maxTime) != Status.Ok) break;
    if (deletedCount() == 0) continue;
    const entry = out + <usize>losers * DELETED_BYTES;
    losers++;
    store<f64>(entry, <f64>series.ref(record));
    store<f64>(entry, <f64>deletedFrom(), 8);
    store<f64>(entry, <f64>deletedTo(), 16);
    samplesDeleted += <f64>deletedCount();
  }
  return losers;
}

export function deleteHandled(): u32 {
  return handled;
}

export function deletedTotal(): f64 {
  return samplesDeleted;
}
