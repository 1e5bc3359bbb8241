// Text format 0.0.4 and 1.0.0, and OpenMetrics: a body in, rows out.
//
// Each line takes the shortest of three ways:
//
//   expected    hash the bytes where the next entry's series would end, compare; then only
//               value, timestamp, exemplar and line break are new and get checked
//   known       look at the whole line (line.ts, openmetrics.ts), hash its series, ask the index
//   new         the same, and the index does not know it: a new entry, and a miss
//
//   body ──► rows, by owner (batch.ts)        misses: lines whose series nobody knows yet (walk.ts)
//                                             metadata: HELP, TYPE and UNIT lines not seen last time
//                                             exemplars and start times (starts.ts), where they are wanted
//
// A body with one bad line gives nothing but the metadata before it: its rows, entries and marks are taken back.

import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { hash64 } from '../bytes/hash';
import * as scratch from '../labels/scratch';
import { BODY_SLACK, LabelFault, MetadataKind, ParseOption, Status, TextFault } from '../layout';
import * as cache from './cache';
import {
  COMMENT,
  CREATED,
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
import * as found from './found';
import * as line from './line';
import * as openmetrics from './openmetrics';
import { findName, nameAt, nameEnd } from './same-metric';
import { addSeries } from './series';
import * as starts from './starts';
import * as walk from './walk';

const BREAK: u8 = 0x0a;
const BLANK: u8 = 0x20;
const TAB: u8 = 0x09;
const CLOSE: u8 = 0x7d;
const LETTER_C: u8 = 0x63;

/** What the entry of a line about a family keeps: which label is a number, whether there are start times, bytes of the name. */
const FLOAT: u32 = 3;
const STARTS: u32 = 4;
const NAME_SHIFT: u32 = 3;

// ---- what the body being parsed is parsed with

/** Mixed into hashes, so that a line of one format is never taken for one of the other. */
const OPEN_SALT: u64 = 0x9e3779b97f4a7c15;
let salt: u64 = 0;

let bodyAt: usize = 0;
/** Which label the last TYPE makes a number. */
let float: line.FloatLabel = line.FloatLabel.None;

/**
 * Parses `length` bytes at `body`, behind which BODY_SLACK bytes must be writable.
 * Adds rows to the batches, fills misses and metadata. Invalid: see line.fault and the
 * positions beside it; then nothing has changed, and only metadata is there.
 */
export function parse(into: usize, body: usize, length: usize, time: i64, how: u32): Status {
  const retry = (how & ParseOption.Retry) != 0;
  const number = retry ? load<u32>(into, NUMBER) : cache.begin(into);
  const isOpen = (how & ParseOption.OpenMetrics) != 0;
  const end = terminate(body, length, isOpen);
  if (isOpen) openmetrics.start(end);
  else line.start(end);
  walk.start(into, number, body, 0);
  found.start(isOpen ? how : how & ~ParseOption.Starts, time);
  salt = isOpen ? OPEN_SALT : 0;
  bodyAt = body;
  float = line.FloatLabel.None;
  const fault = parseLines(body, end);
  if (fault == TextFault.None) {
    if (!retry) {
      cache.commit(into, walk.marked, walk.someLetGo ? NOT_STEADY : walk.carried, walk.found);
      cache.setTime(into, time);
    }
    return Status.Ok;
  }
  found.undo();
  if (!retry) cache.abort(into, number);
  return fault == TextFault.NoMemory ? Status.NoMemory : Status.Invalid;
}

/** Takes back the last parse, whose labels turned out to be bad: rows, entries, marks. */
export function takeBack(from: usize): void {
  found.undo();
  cache.abort(from, load<u32>(from, NUMBER));
}

/** Adds the line break that the last line may lack, but in OpenMetrics, and zeroes behind it; gives the new end. */
function terminate(body: usize, length: usize, isOpen: bool): usize {
  const end = body + length;
  memory.fill(end, 0, BODY_SLACK);
  if (isOpen) return end;
  store<u8>(end, BREAK);
  return end + 1;
}

function parseLines(at: usize, end: usize): TextFault {
  const isOpen = (found.options & ParseOption.OpenMetrics) != 0;
  // OpenMetrics says where it ends; but nothing at all is fine.
  while (at < end || (isOpen && end > bodyAt)) {
    const next = parseExpected(at, end, isOpen);
    if (next != 0) {
      at = next;
      continue;
    }
    const kind = isOpen ? openmetrics.parseLine(at) : line.parseLine(at);
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
function parseExpected(at: usize, end: usize, isOpen: bool): usize {
  const entry = walk.nextEntry();
  if (entry == 0) return 0;
  const length = <usize>load<u16>(entry, LEN);
  const seriesEnd = at + length;
  if (length == 0 || seriesEnd >= end) return 0;
  const hash = hash64(at, length) ^ salt;
  if (hash != load<u64>(entry, HASH)) {
    const isCreated = starts.mayFollow && (hash ^ starts.CREATED_SALT) == load<u64>(entry, HASH);
    return isCreated ? parseExpectedCreated(entry, at, length) : 0;
  }
  const flags: u32 = load<u8>(entry, FLAGS);
  const byte = load<u8>(seriesEnd);
  if ((flags & COMMENT) != 0) return byte == BREAK && expectedComment(entry) ? seriesEnd + 1 : 0;
  if (isOpen) return parseExpectedOpen(entry, flags, at, length);
  // A longer name may begin like this one.
  if (byte != BLANK && byte != TAB && load<u8>(seriesEnd - 1) != CLOSE) return 0;
  let valueAt = seriesEnd;
  while (load<u8>(valueAt) == BLANK || load<u8>(valueAt) == TAB) valueAt++;
  const bits = parseFloat(valueAt);
  let valueEnd = floatEnd;
  if (valueEnd == 0 || floatOverflow) return 0;
  let time = found.scrapeTime;
  let ownTime = false;
  if (load<u8>(valueEnd) != BREAK) {
    valueEnd = load<u8>(valueEnd) == BLANK || load<u8>(valueEnd) == TAB ? line.parseTail(valueEnd) : 0;
    if (valueEnd == 0) return 0;
    ownTime = line.hasTime && (found.options & ParseOption.HonorTimestamps) != 0;
    if (ownTime) time = line.time;
  }
  if (!found.emit(entry, walk.expected, flags, time, ownTime, bits, at, length, float)) return 0;
  walk.step();
  return valueEnd + 1;
}

/** The same of a line of OpenMetrics. */
function parseExpectedOpen(entry: usize, flags: u32, at: usize, length: usize): usize {
  const seriesEnd = at + length;
  // Its family had another type once.
  if (load<u8>(seriesEnd) != BLANK || (starts.mayFollow && (flags & CREATED) != 0)) return 0;
  const bits = parseFloat(seriesEnd + 1);
  const valueEnd = floatEnd;
  if (valueEnd == 0 || floatOverflow) return 0;
  let time = found.scrapeTime;
  let ownTime = false;
  let lineEnd = valueEnd;
  let hasExemplar = false;
  if (load<u8>(valueEnd) != BREAK) {
    if (load<u8>(valueEnd) != BLANK) return 0;
    lineEnd = openmetrics.parseTail(valueEnd);
    if (lineEnd == 0) return 0;
    ownTime = line.hasTime && (found.options & ParseOption.HonorTimestamps) != 0;
    if (ownTime) time = line.time;
    hasExemplar = openmetrics.exemplarAt != 0;
  }
  const index = walk.expected;
  if (!found.emit(entry, index, flags, time, ownTime, bits, at, length, float)) return 0;
  if (hasExemplar && !addExemplar(flags, at, length)) return 0;
  if (starts.mayFollow && !starts.follow(entry, index, at, length, time, ownTime, float)) return 0;
  walk.step();
  return lineEnd + 1;
}

/** The same of one with a start time. */
function parseExpectedCreated(entry: usize, at: usize, length: usize): usize {
  const seriesEnd = at + length;
  if (load<u8>(seriesEnd) != BLANK) return 0;
  const bits = parseFloat(seriesEnd + 1);
  let lineEnd = floatEnd;
  if (lineEnd == 0 || floatOverflow) return 0;
  if (load<u8>(lineEnd) != BREAK) {
    if (load<u8>(lineEnd) != BLANK) return 0;
    lineEnd = openmetrics.parseTail(lineEnd);
    if (lineEnd == 0) return 0;
  }
  if (!starts.created(at, length, bits, float)) return 0;
  walk.touch(entry);
  walk.step();
  return lineEnd + 1;
}

/** Lists the exemplar of the line that was looked at last, if that is wanted; false where the memory limit says no. */
function addExemplar(flags: u32, at: usize, length: usize): bool {
  if (!found.wantsExemplar(flags)) return true;
  const series = <u32>(at - bodyAt);
  const exemplar = <u32>(openmetrics.exemplarAt - bodyAt);
  return found.addExemplar(series, length, exemplar, openmetrics.exemplarEnd - openmetrics.exemplarAt, float);
}

/** An expected comment; false where it was away for a while: then it is news again. */
function expectedComment(entry: usize): bool {
  if ((load<u32>(entry, SEEN) & 0xffff) + 1 < walk.number) return false;
  walk.touch(entry);
  noteFamily(load<u32>(entry, REF), load<u32>(entry, SID));
  walk.step();
  return true;
}

/** A HELP, TYPE or UNIT line of a family, or another comment: kind 0. */
function noteFamily(kind: u32, said: u32): void {
  if (kind == 0) return;
  starts.family(said >>> NAME_SHIFT);
  if (kind != <u32>MetadataKind.Type) return;
  float = <line.FloatLabel>(<i32>(said & FLOAT));
  starts.type((said & STARTS) != 0);
}

/** A series line that was not the expected one. */
function takeSeries(at: usize): bool {
  const length = line.seriesEnd - at;
  const isCreated = starts.areWanted && hasCreatedName(at);
  if (isCreated && starts.mayFollow) return takeCreated(at, length);
  const ownTime = line.hasTime && (found.options & ParseOption.HonorTimestamps) != 0;
  const time = ownTime ? line.time : found.scrapeTime;
  const bits = line.value;
  const index = walk.locate(hash64(at, length) ^ salt, length, UNRESOLVED);
  if (index < 0) return false;
  const entry = cache.entryAt(walk.current, <u32>index);
  const flags: u32 = <u32>load<u8>(entry, FLAGS) | (isCreated ? CREATED : 0);
  store<u8>(entry, <u8>flags, FLAGS);
  if (!found.emit(entry, <u32>index, flags, time, ownTime, bits, at, length, float)) return false;
  const isOpen = (found.options & ParseOption.OpenMetrics) != 0;
  if (isOpen && openmetrics.exemplarAt != 0 && !addExemplar(flags, at, length)) return false;
  return !starts.mayFollow || starts.follow(entry, <u32>index, at, length, time, ownTime, float);
}

function hasCreatedName(at: usize): bool {
  findName(at, line.seriesEnd);
  return starts.isCreated(nameEnd, nameEnd - nameAt);
}

/** The same of one with a start time. */
function takeCreated(at: usize, length: usize): bool {
  const bits = line.value;
  const index = walk.locate(hash64(at, length) ^ salt ^ starts.CREATED_SALT, length, COMMENT);
  if (index < 0) return false;
  walk.touch(cache.entryAt(walk.current, <u32>index));
  return starts.created(at, length, bits, float);
}

/** A comment that was not the expected one: HELP, TYPE and UNIT are news unless the parse before saw them too. */
function takeComment(at: usize, isMetadata: bool): bool {
  const length = line.nextLine - 1 - at;
  const index = walk.locate(hash64(at, length) ^ salt, length, COMMENT);
  if (index < 0) return false;
  const entry = cache.entryAt(walk.current, <u32>index);
  const last = load<u32>(entry, SEEN) & 0xffff;
  const news = isMetadata && last != walk.number && last + 1 != walk.number;
  walk.touch(entry);
  if (!isMetadata) return true;
  const kind = <u32>line.metadataKind;
  const said = saidOfFamily();
  store<u32>(entry, kind, REF);
  store<u32>(entry, said, SID);
  noteFamily(kind, said);
  if (!news) return true;
  return found.addMetadata(
    line.metadataKind,
    <u32>(line.metadataName - bodyAt),
    line.metadataNameEnd - line.metadataName,
    <u32>(line.metadataText - bodyAt),
    line.metadataEnd - line.metadataText,
  );
}

/** What the line says that is needed again when it is expected: bytes of the name, and of a TYPE what follows from it. */
function saidOfFamily(): u32 {
  const name = (<u32>(line.metadataNameEnd - line.metadataName)) << NAME_SHIFT;
  if (line.metadataKind != MetadataKind.Type) return name;
  // Of the types, counters alone begin with this letter.
  const hasStarts = line.metadataFloat != line.FloatLabel.None || load<u8>(line.metadataText) == LETTER_C;
  return name | (hasStarts ? STARTS : 0) | <u32>line.metadataFloat;
}

/** Puts the labels of a miss into the scratch, the target's added, finished and checked. */
export function readLabels(from: usize, miss: u32, body: usize): LabelFault {
  const entry = walk.missEntry(from, miss);
  const float = (load<u8>(entry, FLAGS) & FLOAT_LABEL) >> FLOAT_LABEL_SHIFT;
  return readLabelsAt(from, body + walk.missOffset(miss), walk.missBytes(miss), float);
}

/** The same of a series text; `float` says which of its labels holds a number. */
export function readLabelsAt(from: usize, at: usize, bytes: usize, float: u32): LabelFault {
  scratch.begin();
  addSeries(at, at + bytes, <line.FloatLabel>float);
  scratch.addTarget(cache.target(from), cache.targetEnd(from), cache.honorsLabels(from));
  const fault = scratch.finish(false);
  if (fault != LabelFault.None) return fault;
  return scratch.hasMetricName() ? LabelFault.None : LabelFault.NoName;
}
