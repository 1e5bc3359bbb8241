// Text format 0.0.4: a body in, rows out.
//
// Each line takes the shortest of three ways:
//
//   expected    hash the bytes where the next entry's series would end, compare; then only
//               value, timestamp and line break are new and get checked
//   known       look at the whole line (line.ts), hash its series, ask the index
//   new         the same, and the index does not know it: a new entry, and a miss
//
//   body ──► rows, by owner (batch.ts)        misses: lines whose series nobody knows yet (walk.ts)
//                                             metadata: HELP and TYPE lines not seen last time
//
//   metadata  (16 bytes)  │ name offset │ name bytes │ text offset │ kind << 28 | text bytes │
//
// A body with one bad line gives nothing: its rows, entries and marks are taken back.

import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { hash64 } from '../bytes/hash';
import * as scratch from '../labels/scratch';
import { BODY_SLACK, LabelFault, MetadataKind, ParseOption, Status, TextFault } from '../layout';
import * as batch from './batch';
import * as cache from './cache';
import {
  COMMENT,
  DROPPED,
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
import * as walk from './walk';

const BREAK: u8 = 0x0a;
const BLANK: u8 = 0x20;
const TAB: u8 = 0x09;
const CLOSE: u8 = 0x7d;

export const metadata: usize = memory.data(16, 8);

/** Samples in the last body. */
export let scraped: u32 = 0;

// ---- what the body being parsed is parsed with

let options: u32 = 0;
let bodyAt: usize = 0;
let scrapeTime: i64 = 0;
/** Which label the last TYPE makes a number. */
let float: line.FloatLabel = line.FloatLabel.None;

/**
 * Parses `length` bytes at `body`, behind which BODY_SLACK bytes must be writable.
 * Adds rows to the batches, fills misses and metadata. Invalid: see line.fault and the
 * positions beside it; then nothing has changed.
 */
export function parse(into: usize, body: usize, length: usize, time: i64, how: u32): Status {
  const retry = (how & ParseOption.Retry) != 0;
  const number = retry ? load<u32>(into, NUMBER) : cache.begin(into);
  const end = terminate(body, length);
  line.start(end);
  walk.start(into, number, body, 0);
  list.clear(metadata);
  options = how;
  bodyAt = body;
  scrapeTime = time;
  float = line.FloatLabel.None;
  if (!retry) {
    scraped = 0;
    walk.forgetDropped();
  }

  const fault = parseLines(body, end);
  if (fault == TextFault.None) {
    if (!retry) cache.commit(into, walk.marked, walk.someLetGo ? NOT_STEADY : walk.carried, walk.found);
    return Status.Ok;
  }
  walk.undo();
  list.clear(metadata);
  if (!retry) cache.abort(into, number);
  return fault == TextFault.NoMemory ? Status.NoMemory : Status.Invalid;
}

/** Takes back the last parse, whose labels turned out to be bad: rows, entries, marks. */
export function takeBack(from: usize): void {
  walk.undo();
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
  const entry = walk.nextEntry();
  if (entry == 0) return 0;
  const length = <usize>load<u16>(entry, LEN);
  const seriesEnd = at + length;
  if (length == 0 || seriesEnd >= end || hash64(at, length) != load<u64>(entry, HASH)) return 0;
  const flags: u32 = load<u8>(entry, FLAGS);
  const byte = load<u8>(seriesEnd);
  if ((flags & COMMENT) != 0) return byte == BREAK && expectedComment(entry) ? seriesEnd + 1 : 0;
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
  if (!emit(entry, walk.expected, flags, time, ownTime, bits, at, length)) return 0;
  walk.step();
  return valueEnd + 1;
}

/** An expected comment; false where it was away for a while: then it is news again. */
function expectedComment(entry: usize): bool {
  if ((load<u32>(entry, SEEN) & 0xffff) + 1 < walk.number) return false;
  walk.touch(entry);
  if (load<u32>(entry, REF) == <u32>MetadataKind.Type) float = <line.FloatLabel>load<i32>(entry, SID);
  walk.step();
  return true;
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
  const firstTime = walk.touch(entry);
  const retry = (options & ParseOption.Retry) != 0;
  if (!retry) scraped++;
  const tracked = !ownTime || (options & ParseOption.TrackTimestampsStaleness) != 0;
  if ((flags & (TRACKED | TRACKED_BEFORE)) != (tracked ? TRACKED | TRACKED_BEFORE : 0)) {
    flags = walk.track(entry, flags, tracked ? TRACKED : 0, firstTime);
  }
  if ((flags & (DROPPED | UNRESOLVED)) == 0) {
    return retry || batch.addRow(load<u8>(entry, OWNER), load<u32>(entry, SID), load<u32>(entry, REF), time, bits);
  }
  if ((flags & DROPPED) == 0) return walk.addMiss(index, at, length, float) && walk.addWaiting(time, bits);
  if (!retry) walk.countDropped();
  return true;
}

/** A series line that was not the expected one. */
function takeSeries(at: usize): bool {
  const length = line.seriesEnd - at;
  const ownTime = line.hasTime && (options & ParseOption.HonorTimestamps) != 0;
  const time = ownTime ? line.time : scrapeTime;
  const bits = line.value;
  const index = walk.locate(hash64(at, length), length, UNRESOLVED);
  if (index < 0) return false;
  const entry = cache.entryAt(walk.current, <u32>index);
  return emit(entry, <u32>index, load<u8>(entry, FLAGS), time, ownTime, bits, at, length);
}

/** A comment that was not the expected one: HELP and TYPE are news unless the parse before saw them too. */
function takeComment(at: usize, isMetadata: bool): bool {
  const length = line.nextLine - 1 - at;
  const index = walk.locate(hash64(at, length), length, COMMENT);
  if (index < 0) return false;
  const entry = cache.entryAt(walk.current, <u32>index);
  const last = load<u32>(entry, SEEN) & 0xffff;
  const news = isMetadata && last != walk.number && last + 1 != walk.number;
  walk.touch(entry);
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

/** Puts the labels of a miss into the scratch, the target's added, finished and checked. */
export function readLabels(from: usize, miss: u32, body: usize): LabelFault {
  const entry = walk.missEntry(from, miss);
  const at = body + walk.missOffset(miss);
  const float = <line.FloatLabel>((load<u8>(entry, FLAGS) & FLOAT_LABEL) >> FLOAT_LABEL_SHIFT);
  scratch.begin();
  addSeries(at, at + walk.missBytes(miss), float);
  scratch.addTarget(cache.target(from), cache.targetEnd(from), cache.honorsLabels(from));
  const fault = scratch.finish(false);
  if (fault != LabelFault.None) return fault;
  return scratch.hasMetricName() ? LabelFault.None : LabelFault.NoName;
}
