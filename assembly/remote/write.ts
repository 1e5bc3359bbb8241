// Remote write 1.0: a prometheus.WriteRequest in, rows out, with the line cache between.
//
//   WriteRequest   1 TimeSeries …   3 MetricMetadata (counted)
//   TimeSeries     1 Label … │ 2 Sample … │ 3 Exemplar … │ 4 Histogram …   (the last two counted)
//                  ▲        ▲
//                  the raw bytes of all labels are the series' key in the cache
//   Label          1 name, 2 value
//   Sample         1 value, fixed64 │ 2 timestamp, varint, ms │ 15 ours: the series began then (src/shard/write-v2.ts)
//
// A sender goes through its series in turns, a few hundred in each request. So a stream's
// cache remembers where the last request ended, and goes on there. Its entries are
// not numbered by parses but by epochs: age() starts one every few minutes and drops what two
// of them did not see.
//
// A malformed request gives nothing. A series whose labels are bad spoils only itself.

import { hash64 } from '../bytes/hash';
import { readVarint, varintEnd } from '../bytes/varint';
import * as batch from '../exposition/batch';
import * as cache from '../exposition/cache';
import { FLAGS, HASH, LEN, NEXT, NUMBER, OWNER, REF, SID, UNRESOLVED } from '../exposition/cache';
import * as walk from '../exposition/walk';
import * as scratch from '../labels/scratch';
import { LabelFault, NO_ENTRY, SID_START, Status, WireFault } from '../layout';
import * as proto from './proto';
import { TAG_1_BYTES, TAG_1_FIXED64, TAG_2_BYTES, TAG_2_VARINT, TAG_3_BYTES, TAG_4_BYTES } from './proto';

/** Field 15 of a Sample, a varint. */
const TAG_START: u32 = (15 << 3) | 0;

/** Bytes of a Sample with a value and a time of one byte, tag and length included. */
const PLAIN_MIN: usize = 13;

/** What the last request held. */
export let series: u32 = 0;
export let samples: u32 = 0;
export let exemplars: u32 = 0;
export let histograms: u32 = 0;
export let metadata: u32 = 0;

let seriesMax: u32 = 0;
let samplesMax: u32 = 0;
/** Whether the request was written anew by us: else nobody marks starts. */
let hasMarks: bool = false;

// ---- the series being read: for each sample, where its rows go

let entry: usize = 0;
/** Whether the rows wait in this shard's own batch. */
let waiting: bool = false;

/**
 * Scans a request: rows to the batches, misses for series nobody knows. Invalid: see proto.fault; nothing has changed.
 * `marks`: samples may have the mark of starts.
 */
export function scan(into: usize, body: usize, length: usize, maxSeries: u32, maxSamples: u32, marks: bool): Status {
  proto.reset();
  series = 0;
  samples = 0;
  exemplars = 0;
  histograms = 0;
  metadata = 0;
  seriesMax = maxSeries;
  samplesMax = maxSamples;
  hasMarks = marks;
  cache.beginRequest(into);
  const next = load<u32>(into, NEXT);
  walk.start(into, load<u32>(into, NUMBER), body, next < cache.count(into) ? next : 0);
  if (scanRequest(body, body + length)) {
    store<u32>(into, walk.expected, NEXT);
    return Status.Ok;
  }
  takeBack(into);
  return proto.fault == WireFault.NoMemory ? Status.NoMemory : Status.Invalid;
}

/** Takes back the last request: rows, misses, new entries. */
export function takeBack(from: usize): void {
  walk.undo();
  cache.endRequest(from);
}

function scanRequest(at: usize, end: usize): bool {
  while (at < end) {
    const start = at;
    at = proto.readField(at, end);
    if (at == 0) return false;
    if (proto.tag == TAG_1_BYTES) {
      if (++series > seriesMax) return proto.refuse(WireFault.TooManySeries, start) != 0;
      if (!scanSeries(proto.contentAt, proto.contentEnd)) return false;
    } else if (proto.tag == TAG_3_BYTES) {
      metadata++;
    } else if (isKnown(proto.tag, 1) || isKnown(proto.tag, 3)) {
      return proto.refuse(WireFault.Kind, start) != 0;
    }
  }
  return true;
}

/** Whether the tag is of this field, whatever its wire type. */
function isKnown(tag: u32, field: u32): bool {
  return tag >> 3 == field;
}

/** One TimeSeries: its labels first, as every encoder writes them; if not, the slow way round. */
function scanSeries(at: usize, end: usize): bool {
  const labelsEnd = expectedLabels(at, end) || scanLabels(at, end);
  if (labelsEnd == 0) return false;
  if (labelsEnd < end && load<u8>(labelsEnd) == <u8>TAG_2_BYTES) {
    if (entry == 0 && !locate(at, labelsEnd)) return false;
    const owner: u32 = waiting ? batch.self : <u32>load<u8>(entry, OWNER);
    const rowsBefore = batch.rowCount(owner);
    const samplesBefore = samples;
    const exemplarsBefore = exemplars;
    const histogramsBefore = histograms;
    if (scanSamples(labelsEnd, end)) return true;
    if (proto.fault != WireFault.None) return false;
    // Labels behind samples: the rows went to a series with half of its labels.
    batch.truncate(owner, rowsBefore);
    if (waiting) walk.removeMiss();
    samples = samplesBefore;
    exemplars = exemplarsBefore;
    histograms = histogramsBefore;
  }
  return scanScattered(at, end);
}

/** The end of the labels where they are those of the next entry in line, or 0. */
function expectedLabels(at: usize, end: usize): usize {
  entry = 0;
  const next = walk.nextEntry();
  if (next == 0) return 0;
  const length = <usize>load<u16>(next, LEN);
  if (length == 0 || length > end - at || hash64(at, length) != load<u64>(next, HASH)) return 0;
  const labelsEnd = at + length;
  if (labelsEnd >= end || load<u8>(labelsEnd) != <u8>TAG_2_BYTES) return 0;
  const index = walk.expected;
  walk.step();
  return take(next, index, at, length) ? labelsEnd : 0;
}

/** The end of the labels a series begins with, each of them checked; 0 where one is malformed. */
function scanLabels(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) == <u8>TAG_1_BYTES) {
    const next = proto.readField(at, end);
    if (next == 0 || !checkLabel(proto.contentAt, proto.contentEnd)) return 0;
    at = next;
  }
  return at;
}

function checkLabel(at: usize, end: usize): bool {
  while (at < end) {
    const start = at;
    at = proto.readField(at, end);
    if (at == 0) return false;
    const known = isKnown(proto.tag, 1) || isKnown(proto.tag, 2);
    if (known && (proto.tag & 7) != (TAG_1_BYTES & 7)) return proto.refuse(WireFault.Kind, start) != 0;
  }
  return true;
}

/** Finds or makes the entry of the labels from `at` to `labelsEnd`. */
function locate(at: usize, labelsEnd: usize): bool {
  const length = labelsEnd - at;
  const index = walk.locate(hash64(at, length), length, UNRESOLVED);
  if (index < 0) return proto.refuse(WireFault.NoMemory, at) != 0;
  return take(cache.entryAt(walk.current, <u32>index), <u32>index, at, length);
}

/** The samples that follow belong to this entry. */
function take(found: usize, index: u32, at: usize, length: usize): bool {
  walk.touch(found);
  entry = found;
  waiting = (load<u8>(found, FLAGS) & UNRESOLVED) != 0;
  if (!waiting || walk.addMiss(index, at, length, 0)) return true;
  return proto.refuse(WireFault.NoMemory, at) != 0;
}

/** The fields behind the labels. False: there is a fault, or another label turned up. */
function scanSamples(at: usize, end: usize): bool {
  while (at < end) {
    const next = plainSample(at, end);
    if (next != 0) {
      if (++samples > samplesMax) return proto.refuse(WireFault.TooManySamples, at) != 0;
      if (!storeRow(plainTime, plainBits)) return proto.refuse(WireFault.NoMemory, at) != 0;
      at = next;
      continue;
    }
    const start = at;
    at = proto.readField(at, end);
    if (at == 0 || proto.tag == TAG_1_BYTES) return false;
    if (proto.tag == TAG_2_BYTES) {
      if (!addSample(proto.contentAt, proto.contentEnd)) return false;
    } else if (!countOther(start)) {
      return false;
    }
  }
  return true;
}

let plainBits: u64 = 0;
let plainTime: i64 = 0;

/** A Sample as encoders write it, value then time; gives its end, or 0 where it is written some other way. */
function plainSample(at: usize, end: usize): usize {
  if (end - at < PLAIN_MIN || load<u8>(at) != <u8>TAG_2_BYTES) return 0;
  const sampleEnd = at + 2 + <usize>load<u8>(at, 1);
  if (load<u8>(at, 1) >= 0x80 || sampleEnd > end) return 0;
  if (load<u8>(at, 2) != <u8>TAG_1_FIXED64 || load<u8>(at, 11) != <u8>TAG_2_VARINT) return 0;
  plainBits = load<u64>(at, 3);
  plainTime = <i64>readVarint(at + 12, sampleEnd);
  return varintEnd == sampleEnd ? sampleEnd : 0;
}

/** Counts exemplars and histograms; false for a known field of the wrong kind. */
function countOther(start: usize): bool {
  if (proto.tag == TAG_3_BYTES) exemplars++;
  else if (proto.tag == TAG_4_BYTES) histograms++;
  else if (proto.tag >> 3 <= 4) return proto.refuse(WireFault.Kind, start) != 0;
  return true;
}

/** One Sample: nearly always a value and a time, in this order; fields that are 0 are left out. */
function addSample(at: usize, end: usize): bool {
  if (++samples > samplesMax) return proto.refuse(WireFault.TooManySamples, at) != 0;
  let bits: u64 = 0;
  let time: i64 = 0;
  let isStart = false;
  while (at < end) {
    const start = at;
    at = proto.readField(at, end);
    if (at == 0) return false;
    if (proto.tag == TAG_START) isStart = hasMarks;
    if (proto.tag == TAG_1_FIXED64) bits = load<u64>(proto.contentAt);
    else if (proto.tag == TAG_2_VARINT) time = <i64>proto.varint;
    else if (proto.tag >> 3 <= 2) return proto.refuse(WireFault.Kind, start) != 0;
  }
  const isStored = isStart ? storeStart(time) : storeRow(time, bits);
  return isStored || proto.refuse(WireFault.NoMemory, at) != 0;
}

function storeStart(time: i64): bool {
  if (!waiting) {
    const sid = load<u32>(entry, SID) | <u32>SID_START;
    return batch.addRow(load<u8>(entry, OWNER), sid, load<u32>(entry, REF), time, 0);
  }
  if (!walk.addWaiting(time, 0)) return false;
  batch.markStart(batch.self);
  return true;
}

function storeRow(time: i64, bits: u64): bool {
  if (waiting) return walk.addWaiting(time, bits);
  return batch.addRow(load<u8>(entry, OWNER), load<u32>(entry, SID), load<u32>(entry, REF), time, bits);
}

/**
 * A series that does not begin with its labels and go on with samples: checked whole
 * first, then its samples wait as a miss without an entry. A series without samples leaves nothing.
 */
function scanScattered(start: usize, end: usize): bool {
  entry = 0;
  waiting = true;
  let count: u32 = 0;
  for (let at = start; at < end; ) {
    const field = at;
    at = proto.readField(at, end);
    if (at == 0) return false;
    if (proto.tag == TAG_1_BYTES) {
      if (!checkLabel(proto.contentAt, proto.contentEnd)) return false;
    } else if (proto.tag == TAG_2_BYTES) {
      count++;
    } else if (!countOther(field)) {
      return false;
    }
  }
  if (count == 0) return true;
  if (!walk.addMiss(<u32>NO_ENTRY, start, end - start, 0)) return proto.refuse(WireFault.NoMemory, start) != 0;
  for (let at = start; at < end; ) {
    at = proto.readField(at, end);
    if (proto.tag == TAG_2_BYTES && !addSample(proto.contentAt, proto.contentEnd)) return false;
  }
  return true;
}

/** Puts the labels of a miss into the scratch, finished and checked. The limits are off where 0. */
export function readLabels(miss: u32, body: usize, labelsMax: u32, nameBytesMax: u32, valueBytesMax: u32): LabelFault {
  scratch.begin();
  const end = body + walk.missOffset(miss) + walk.missBytes(miss);
  for (let at = body + walk.missOffset(miss); at < end; ) {
    at = proto.readField(at, end);
    assert(at != 0, 'the series was checked before');
    if (proto.tag == TAG_1_BYTES) addLabel(proto.contentAt, proto.contentEnd);
  }
  // Before sorting: a series of a million labels is refused by their number.
  if (labelsMax != 0 && scratch.count() > labelsMax) return LabelFault.TooMany;
  let fault = scratch.finish(true);
  if (fault == LabelFault.None && !scratch.hasMetricName()) fault = LabelFault.NoName;
  return fault == LabelFault.None ? scratch.checkLimits(labelsMax, nameBytesMax, valueBytesMax) : fault;
}

function addLabel(at: usize, end: usize): void {
  let name = at;
  let nameBytes: usize = 0;
  let value = at;
  let valueBytes: usize = 0;
  while (at < end) {
    at = proto.readField(at, end);
    if (proto.tag == TAG_1_BYTES) {
      name = proto.contentAt;
      nameBytes = proto.contentEnd - name;
    } else if (proto.tag == TAG_2_BYTES) {
      value = proto.contentAt;
      valueBytes = proto.contentEnd - value;
    }
  }
  scratch.add(name, nameBytes, value, valueBytes);
}
