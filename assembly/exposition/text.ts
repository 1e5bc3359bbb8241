// Text format 0.0.4: a body in, rows out.
//
// Each line takes the shortest of three ways:
//
//   expected    hash the bytes where the next entry's series would end, compare; then only
//               value, timestamp and line break are new and get checked
//   known       look at the whole line (line.ts), hash its series, ask the index
//   new         the same, and the index does not know it: a new entry, and a miss
//
//   body ──► rows, by owner (batch.ts)        misses: lines whose series nobody knows yet
//                                             metadata: HELP and TYPE lines not seen last time
//
//   miss      (16 bytes)  │ entry │ row │ offset │ bytes of the series │        offset in the body
//   metadata  (16 bytes)  │ name offset │ name bytes │ text offset │ kind << 28 | text bytes │
//
// A body with one bad line gives nothing: its rows, entries and marks are taken back.

import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { hash64 } from '../bytes/hash';
import * as scratch from '../labels/scratch';
import { BODY_SLACK, LabelFault, MetadataKind, ParseOption, SID_HOLE, SID_MISSING, Status, TextFault } from '../layout';
import * as batch from './batch';
import * as cache from './cache';
import {
  COMMENT,
  DROPPED,
  ENTRY_BYTES,
  FLAGS,
  FLOAT_LABEL,
  FLOAT_LABEL_SHIFT,
  HASH,
  LEN,
  NOT_STEADY,
  NUMBER,
  OWNER,
  REF,
  SEEN,
  SID,
  TRACKED,
  TRACKED_BEFORE,
  UNRESOLVED,
} from './cache';
import * as line from './line';
import * as list from './list';
import { addSeries } from './series';

const BREAK: u8 = 0x0a;
const BLANK: u8 = 0x20;
const TAB: u8 = 0x09;
const CLOSE: u8 = 0x7d;

export const misses: usize = memory.data(16, 8);
export const metadata: usize = memory.data(16, 8);

/** Lines by the way they took, since the core started: for metrics. */
export let linesExpected: u64 = 0;
export let linesKnown: u64 = 0;
export let linesNew: u64 = 0;

/** Samples in the last body, and those of them that metric relabelling drops. */
export let scraped: u32 = 0;
export let dropped: u32 = 0;

// ---- the state of the body being parsed; the loop keeps what it can in locals

let current: usize = 0;
let number: u32 = 0;
let options: u32 = 0;
let bodyAt: usize = 0;
let scrapeTime: i64 = 0;
let marked: u32 = 0;
let carried: u32 = 0;
let searched: bool = false;
let someLetGo: bool = false;
/** The entry that is next in line, and the one that was before a detour. */
let expected: u32 = 0;
let detour: u32 = 0;
let float: line.FloatLabel = line.FloatLabel.None;

/**
 * Parses `length` bytes at `body`, behind which BODY_SLACK bytes must be writable.
 * Adds rows to the batches, fills misses and metadata. Invalid: see line.fault and the
 * positions beside it; then nothing has changed.
 */
export function parse(into: usize, body: usize, length: usize, time: i64, how: u32): Status {
  const end = terminate(body, length);
  line.start(end);
  list.clear(misses);
  list.clear(metadata);
  batch.mark();
  const retry = (how & ParseOption.Retry) != 0;
  current = into;
  number = retry ? load<u32>(into, NUMBER) : cache.begin(into);
  options = how;
  bodyAt = body;
  scrapeTime = time;
  marked = 0;
  carried = 0;
  searched = false;
  someLetGo = false;
  expected = 0;
  detour = 0;
  float = line.FloatLabel.None;
  if (!retry) {
    scraped = 0;
    dropped = 0;
  }

  const fault = parseLines(body, end);
  if (fault == TextFault.None) {
    if (!retry) cache.commit(into, marked, someLetGo ? NOT_STEADY : carried, searched);
    return Status.Ok;
  }
  batch.rollback();
  list.clear(misses);
  list.clear(metadata);
  if (!retry) cache.abort(into, number);
  return fault == TextFault.NoMemory ? Status.NoMemory : Status.Invalid;
}

/** Takes back the last parse, whose labels turned out to be bad: rows, entries, marks. */
export function takeBack(from: usize): void {
  batch.rollback();
  list.clear(misses);
  list.clear(metadata);
  cache.abort(from, load<u32>(from, NUMBER));
}

/** Adds the line break that the last line may lack, and zeroes behind it; gives the new end. */
function terminate(body: usize, length: usize): usize {
  const end = body + length;
  memory.fill(end, 0, BODY_SLACK);
  store<u8>(end, BREAK);
  return end + 1;
}

function parseLines(at: usize, end: usize): TextFault {
  while (at < end) {
    const next = parseExpected(at, end);
    if (next != 0) {
      at = next;
      continue;
    }
    const kind = line.parseLine(at);
    if (kind == line.Line.End) break;
    if (kind == line.Line.Fault) return line.fault;
    let stored = true;
    if (kind == line.Line.Series) stored = takeSeries(at);
    else if (kind != line.Line.Blank) stored = takeComment(at, kind == line.Line.Metadata);
    if (!stored) return TextFault.NoMemory;
    at = line.nextLine;
  }
  return TextFault.None;
}

/** The way of a line that is where it was last time: gives the next line, or 0 where it is not that line. */
function parseExpected(at: usize, end: usize): usize {
  if (expected >= cache.count(current)) return 0;
  const entry = cache.entries(current) + <usize>expected * ENTRY_BYTES;
  const length = <usize>load<u16>(entry, LEN);
  const seriesEnd = at + length;
  if (length == 0 || seriesEnd >= end || hash64(at, length) != load<u64>(entry, HASH)) return 0;
  const flags: u32 = load<u8>(entry, FLAGS);
  const byte = load<u8>(seriesEnd);
  if ((flags & COMMENT) != 0) {
    if (byte != BREAK) return 0;
    // A comment that was away for a while is news again.
    if ((load<u32>(entry, SEEN) & 0xffff) + 1 < number) return 0;
    touch(entry);
    if (load<u32>(entry, REF) == <u32>MetadataKind.Type) float = <line.FloatLabel>load<i32>(entry, SID);
    expected++;
    linesExpected++;
    return seriesEnd + 1;
  }
  // A longer name may begin like this one.
  if (byte != BLANK && byte != TAB && load<u8>(seriesEnd - 1) != CLOSE) return 0;
  let valueAt = seriesEnd;
  while (load<u8>(valueAt) == BLANK || load<u8>(valueAt) == TAB) valueAt++;
  const bits = parseFloat(valueAt);
  let valueEnd = floatEnd;
  if (valueEnd == 0 || floatOverflow) return 0;
  let time = scrapeTime;
  let ownTime = false;
  if (load<u8>(valueEnd) != BREAK) {
    valueEnd = load<u8>(valueEnd) == BLANK || load<u8>(valueEnd) == TAB ? line.parseTail(valueEnd) : 0;
    if (valueEnd == 0) return 0;
    ownTime = line.hasTime && (options & ParseOption.HonorTimestamps) != 0;
    if (ownTime) time = line.time;
  }
  const index = expected;
  if (!emit(entry, index, flags, time, ownTime, bits, at, length)) return 0;
  expected = index + 1;
  linesExpected++;
  return valueEnd + 1;
}

/** Marks an entry as seen in this parse; false where it was already. */
function touch(entry: usize): bool {
  const seen = load<u32>(entry, SEEN);
  const last = seen & 0xffff;
  if (last == number) return false;
  store<u32>(entry, (seen << 16) | number, SEEN);
  marked++;
  if (last + 1 == number) carried++;
  return true;
}

/** A series starts or stops to be watched, or did so in the parse before. */
function track(entry: usize, flags: u32, tracked: u32, firstTime: bool): u32 {
  let before = flags & TRACKED_BEFORE;
  if (firstTime) {
    const watched = (flags & TRACKED) != 0 && load<u32>(entry, SEEN) >> 16 == number - 1;
    before = watched ? TRACKED_BEFORE : 0;
  }
  if (tracked == 0 && before != 0) someLetGo = true;
  flags = (flags & ~(TRACKED | TRACKED_BEFORE)) | tracked | before;
  store<u8>(entry, <u8>flags, FLAGS);
  return flags;
}

/** Gives the row of one sample, by what its entry says; false where the memory limit says no. */
function emit(
  entry: usize,
  index: u32,
  flags: u32,
  time: i64,
  ownTime: bool,
  bits: u64,
  at: usize,
  length: usize,
): bool {
  const firstTime = touch(entry);
  const retry = (options & ParseOption.Retry) != 0;
  if (!retry) scraped++;
  const tracked = !ownTime || (options & ParseOption.TrackTimestampsStaleness) != 0;
  if ((flags & (TRACKED | TRACKED_BEFORE)) != (tracked ? TRACKED | TRACKED_BEFORE : 0)) {
    flags = track(entry, flags, tracked ? TRACKED : 0, firstTime);
  }
  if ((flags & (DROPPED | UNRESOLVED)) == 0) {
    return retry || batch.addRow(load<u8>(entry, OWNER), load<u32>(entry, SID), load<u32>(entry, REF), time, bits);
  }
  if ((flags & DROPPED) != 0) {
    if (!retry) dropped++;
    return true;
  }
  return addMiss(entry, index, flags, time, bits, at, length);
}

/** Puts the labels of a miss into the scratch, the target's added, finished and checked. */
export function readLabels(from: usize, miss: u32, body: usize): LabelFault {
  const record = list.at(misses, miss);
  const entry = cache.entryAt(from, load<u32>(record));
  const at = body + load<u32>(record, 8);
  const float = <line.FloatLabel>((load<u8>(entry, FLAGS) & FLOAT_LABEL) >> FLOAT_LABEL_SHIFT);
  scratch.begin();
  addSeries(at, at + load<u32>(record, 12), float);
  scratch.addTarget(cache.target(from), cache.targetEnd(from), cache.honorsLabels(from));
  const fault = scratch.finish(false);
  if (fault != LabelFault.None) return fault;
  return scratch.hasMetricName() ? LabelFault.None : LabelFault.NoName;
}

/** Tells a miss its series: its entry remembers it, its row gets it or moves to the owner's batch. False: memory limit. */
export function resolve(from: usize, miss: u32, sid: u32, ref: u32, owner: u32): bool {
  assert(owner < batch.owners, 'no such shard');
  const record = list.at(misses, miss);
  const entry = cache.entryAt(from, load<u32>(record));
  store<u32>(entry, sid, SID);
  store<u32>(entry, ref, REF);
  store<u8>(entry, <u8>owner, OWNER);
  store<u8>(entry, load<u8>(entry, FLAGS) & ~(<u8>UNRESOLVED), FLAGS);
  const row = batch.rowAt(batch.self, load<u32>(record, 4));
  if (owner == batch.self) {
    batch.patchRow(row, sid, ref);
    return true;
  }
  const time = batch.rowTime(row);
  const bits = batch.rowValue(row);
  batch.patchRow(row, <u32>SID_HOLE, 0);
  return batch.addRow(owner, sid, ref, time, bits);
}

/** Makes the row of a miss a hole. `forGood`: metric relabelling drops the series, so its lines are skipped from now on. */
export function drop(from: usize, miss: u32, forGood: bool): void {
  const record = list.at(misses, miss);
  batch.patchRow(batch.rowAt(batch.self, load<u32>(record, 4)), <u32>SID_HOLE, 0);
  if (!forGood) return;
  const entry = cache.entryAt(from, load<u32>(record));
  store<u8>(entry, (load<u8>(entry, FLAGS) & ~(<u8>UNRESOLVED)) | <u8>DROPPED, FLAGS);
  dropped++;
}

/** A row without a series, and the miss that will bring it one. */
function addMiss(entry: usize, index: u32, flags: u32, time: i64, bits: u64, at: usize, length: usize): bool {
  store<u8>(entry, <u8>((flags & ~FLOAT_LABEL) | ((<u32>float) << FLOAT_LABEL_SHIFT)), FLAGS);
  const row = batch.rowCount(batch.self);
  return (
    batch.addRow(batch.self, <u32>SID_MISSING, 0, time, bits) &&
    list.add(misses, index, row, <u32>(at - bodyAt), <u32>length)
  );
}

/** A series line that was not the expected one. */
function takeSeries(at: usize): bool {
  const length = line.seriesEnd - at;
  const ownTime = line.hasTime && (options & ParseOption.HonorTimestamps) != 0;
  const time = ownTime ? line.time : scrapeTime;
  const bits = line.value;
  const index = locate(hash64(at, length), length, UNRESOLVED);
  if (index < 0) return false;
  const entry = cache.entryAt(current, <u32>index);
  return emit(entry, <u32>index, load<u8>(entry, FLAGS), time, ownTime, bits, at, length);
}

/** A comment that was not the expected one: HELP and TYPE are news unless the parse before saw them too. */
function takeComment(at: usize, isMetadata: bool): bool {
  const length = line.nextLine - 1 - at;
  const index = locate(hash64(at, length), length, COMMENT);
  if (index < 0) return false;
  const entry = cache.entryAt(current, <u32>index);
  const last = load<u32>(entry, SEEN) & 0xffff;
  const news = isMetadata && last != number && last + 1 != number;
  touch(entry);
  if (!isMetadata) return true;
  store<u32>(entry, <u32>line.metadataKind, REF);
  if (line.metadataKind == MetadataKind.Type) {
    float = line.metadataFloat;
    store<u32>(entry, <u32>float, SID);
  }
  if (!news) return true;
  return list.add(
    metadata,
    <u32>(line.metadataName - bodyAt),
    <u32>(line.metadataNameEnd - line.metadataName),
    <u32>(line.metadataText - bodyAt),
    ((<u32>line.metadataKind) << 28) | <u32>(line.metadataEnd - line.metadataText),
  );
}

/** The entry of a line, by the detour's memory, the index, or anew; -1 where the memory limit says no. */
function locate(hash: u64, length: usize, flags: u32): i32 {
  // Behind lines that came or moved, what was expected before may still come.
  if (detour < cache.count(current) && load<u64>(cache.entryAt(current, detour), HASH) == hash) {
    expected = detour + 1;
    linesKnown++;
    return <i32>detour;
  }
  searched = true;
  const known = cache.find(current, hash);
  if (known >= 0) {
    if (<u32>known != expected) detour = expected;
    expected = <u32>known + 1;
    linesKnown++;
    return known;
  }
  linesNew++;
  // Seen by no parse yet: touch() does that.
  const index = cache.append(current, hash, length, flags, 0);
  // A first scrape has nothing to expect; later, a new line leaves the expectation as it was.
  if (<u32>index == expected) expected++;
  return index;
}
