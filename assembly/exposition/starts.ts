// Start times: when the counters, histograms and summaries of a body began. A series gets a sample of 0 at that time, in
// front of its first sample after it, so that what it counted before it was first seen is not lost to rates.
//
//   OpenMetrics   a_total{b="c"} 17            waits ────┐ for the first line of its family that ends in _created
//                 a_created{b="c"} 1767232620.5          ▼ same metric, and same labels but `le` or `quantile`
//   protobuf      is in the message of the metric ─► start (16 bytes)   │ entry │ – │ time i64, ms │
//                                                        │ once misses are settled
//                                                        ▼
//                                                    rows in front of all others, marked by SID_START (batch.ts)
//
// A body mostly says what the one before said. So a start is news only where it is later than that one, or where the entry
// was not part of it; of series with times of their own, always. Whether the series has something later is its
// owner's business (head/append.ts): a start too many is passed over.

import { ParseOption } from '../layout';
import * as batch from './batch';
import * as cache from './cache';
import { DROPPED, FLAGS, OWNER, REF, SEEN, SID, UNRESOLVED } from './cache';
import { FloatLabel } from './line';
import * as list from './list';
import { isSameMetric } from './same-metric';
import * as walk from './walk';

const starts: usize = memory.data(16, 8);
/** Lines that wait: entry, address, bytes and NEWS, the sample's time behind the scrape's in ms. */
const waiting: usize = memory.data(16, 8);
/** In a line's bytes: it was not part of the body before. */
const NEWS: u32 = 0x80000000;
const ENTRY: usize = 0;
const AT: usize = 4;
const BYTES: usize = 8;
const DELAY: usize = 12;
/** Of a start. */
const TIME: usize = 8;

/** What is mixed into the hash of a line that has a start time, so that it is never taken for a series. */
export const CREATED_SALT: u64 = 0x2545f4914f6cdd1d;
const CREATED_BYTES: usize = 8;
/** `_created` */
const CREATED_SUFFIX: u64 = 0x646574616572635f;

/** Whether start times are wanted at all. */
export let areWanted: bool = false;
/** The same, and the family that is read may have some. */
export let mayFollow: bool = false;
/** Bytes of the name in the last line about a family. */
let nameBytes: u32 = 0;
let isRetry: bool = false;
let scrapeTime: i64 = 0;
/** When the body before was. */
let lastTime: i64 = 0;
/** How many of the waiting lines are news by themselves. */
let waitingNews: u32 = 0;
/**
 * The line with a start time that lines of its metric may still follow, 0 for none, and its time: one that was of use to the
 * last line in front of it. Whether it was is looked at once somebody asks: that line is the proof, 0 where it was seen to.
 */
let createdAt: usize = 0;
let createdEnd: usize = 0;
let createdTime: i64 = 0;
let proofAt: usize = 0;
let proofEnd: usize = 0;

/** Starts a body; the walk has started. */
export function begin(how: u32, time: i64): void {
  areWanted = (how & ParseOption.Starts) != 0;
  mayFollow = false;
  isRetry = (how & ParseOption.Retry) != 0;
  scrapeTime = time;
  lastTime = cache.time(walk.current);
  list.clear(starts);
  endRun();
}

// ---- OpenMetrics

/** A line said something of a family whose name has so many bytes. */
export function family(bytes: u32): void {
  nameBytes = bytes;
  endRun();
}

/** It was about its type. */
export function type(hasStarts: bool): void {
  mayFollow = areWanted && hasStarts;
}

function endRun(): void {
  list.clear(waiting);
  waitingNews = 0;
  createdAt = 0;
}

/** Whether a series is called as if it had a start time for value. */
export function isCreated(nameEnd: usize, nameLength: usize): bool {
  return nameLength >= CREATED_BYTES && load<u64>(nameEnd - CREATED_BYTES) == CREATED_SUFFIX;
}

/** A line of the family whose sample was emitted. False where the memory limit says no. */
export function follow(entry: usize, index: u32, at: usize, length: usize, time: i64, ownTime: bool, float: u32): bool {
  if ((load<u8>(entry, FLAGS) & DROPPED) != 0) return true;
  // What a retry does not ask for is a proof still.
  const isNews = isAsked(entry) && (ownTime || isUnseen(entry));
  if (createdAt != 0 && (isNews || createdTime > lastTime)) {
    if (isFollower(at, at + length, <FloatLabel>float)) return createdTime >= time || note(index, createdTime);
    createdAt = 0;
  }
  if (isNews) waitingNews++;
  const delay = max(min(time - scrapeTime, <i64>i32.MAX_VALUE), <i64>i32.MIN_VALUE);
  return list.add(waiting, index, <u32>at, <u32>length | (isNews ? NEWS : 0), <u32>(<i32>delay));
}

/** Whether a line is of the metric whose start time stood in front of it. */
function isFollower(at: usize, end: usize, float: FloatLabel): bool {
  if (proofAt != 0 && !isSameMetric(proofAt, proofEnd, createdAt, createdEnd, nameBytes, float)) return false;
  proofAt = 0;
  return isSameMetric(at, end, createdAt, createdEnd, nameBytes, float);
}

/** A line that says when a metric began, in seconds. False where the memory limit says no. */
export function created(at: usize, length: usize, bits: u64, float: u32): bool {
  const count = list.count(waiting);
  if (count == 0) return true;
  const ms = reinterpret<f64>(bits) * 1000;
  const isTime = abs(ms) < 9223372036854775808.0;
  const time: i64 = isTime ? <i64>ms : 0;
  const isNews = time > lastTime;
  if (isTime && (isNews || waitingNews != 0)) {
    for (let i: u32 = 0; i < count; i++) {
      const line = list.at(waiting, i);
      if (!isNews && (load<u32>(line, BYTES) & NEWS) == 0) continue;
      if (time >= scrapeTime + <i64>load<i32>(line, DELAY)) continue;
      const series = <usize>load<u32>(line, AT);
      if (!isSameMetric(series, lineEnd(line), at, at + length, nameBytes, <FloatLabel>float)) continue;
      if (!note(load<u32>(line, ENTRY), time)) return false;
    }
  }
  const last = list.at(waiting, count - 1);
  createdAt = time > 0 ? at : 0;
  createdEnd = at + length;
  createdTime = time;
  proofAt = <usize>load<u32>(last, AT);
  proofEnd = lineEnd(last);
  list.clear(waiting);
  waitingNews = 0;
  return true;
}

function lineEnd(line: usize): usize {
  return <usize>load<u32>(line, AT) + (load<u32>(line, BYTES) & ~NEWS);
}

// ---- protobuf

/** The metric of a sample that was emitted began at `start`. False where the memory limit says no. */
export function add(entry: usize, index: u32, time: i64, ownTime: bool, start: i64): bool {
  if (start >= time || !isAsked(entry)) return true;
  return (start <= lastTime && !ownTime && !isUnseen(entry)) || note(index, start);
}

// ---- both

/** Whether starts of an entry are wanted. */
function isAsked(entry: usize): bool {
  const flags: u32 = load<u8>(entry, FLAGS);
  return (flags & DROPPED) == 0 && (!isRetry || (flags & UNRESOLVED) != 0);
}

/** Whether the body before did not have the entry, or its series is made with this one. */
function isUnseen(entry: usize): bool {
  const flags: u32 = load<u8>(entry, FLAGS);
  return (flags & UNRESOLVED) != 0 || (load<u32>(entry, SEEN) >>> 16) + 1 != walk.number;
}

function note(index: u32, start: i64): bool {
  return list.add(starts, index, 0, <u32>start, <u32>(start >> 32));
}

/** Makes rows of the starts of the last body, whose misses are settled. False where the memory limit says no. */
export function settle(from: usize): bool {
  const count = list.count(starts);
  for (let owner: u32 = 0; owner < batch.owners && count > 0; owner++) {
    const rows = settleOwner(from, owner, count, false);
    if (rows == 0) continue;
    if (!batch.makeFront(owner, rows)) return false;
    settleOwner(from, owner, count, true);
  }
  list.clear(starts);
  return true;
}

/** Counts the starts of an owner's series, and sets their rows. */
function settleOwner(from: usize, owner: u32, count: u32, sets: bool): u32 {
  let rows: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const start = list.at(starts, i);
    const entry = cache.entryAt(from, load<u32>(start, ENTRY));
    if ((load<u8>(entry, FLAGS) & (UNRESOLVED | DROPPED)) != 0 || load<u8>(entry, OWNER) != owner) continue;
    if (sets) batch.setStart(owner, rows, load<u32>(entry, SID), load<u32>(entry, REF), load<i64>(start, TIME));
    rows++;
  }
  return rows;
}
