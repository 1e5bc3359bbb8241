// The protobuf format: io.prometheus.client.MetricFamily messages, each behind its length as a varint.
//
//   MetricFamily   1 name │ 2 help │ 3 type │ 4 Metric … │ 5 unit
//   Metric         1 LabelPair … │ 2 gauge │ 3 counter │ 4 summary │ 5 untyped │ 7 histogram │ 6 time, ms
//
// A series has no bytes of its own here that a cache could go by. So its key is a hash of what makes it:
//
//   │ hash of the name u64 │ hash of the labels' bytes u64 │ Part u64 │ bits of le or quantile u64 │
//
// A known series costs that, and nothing is spelled. A new one is spelled as text, into a buffer beside the body:
// `{"name","label"="value","le"="0.5"}`. From there it takes the way of a line (walk.ts, series.ts). Exemplars are
// spelled likewise, and the series of native histograms, whose messages TypeScript reads.
//
// Counters, summaries and histograms say when they began (starts.ts), where that is wanted.
//
// Encoders write a metric nearly always alike: labels in a run, then a number. Such runs, numbers and buckets are read by
// short ways (shortContent, isSingle, isPlainBucket); whatever is not exactly so, by readField().

import { printLabel, printText } from '../bytes/float-print';
import { hash64 } from '../bytes/hash';
import { isValidUtf8 } from '../bytes/utf8';
import { readVarint, varintEnd } from '../bytes/varint';
import { MetadataKind, ParseOption, Status, WireFault } from '../layout';
import * as buffer from '../memory/buffer';
import * as proto from '../remote/proto';
import * as cache from './cache';
import { COMMENT, FLAGS, HASH, NOT_STEADY, NUMBER, SEEN, UNRESOLVED } from './cache';
import * as found from './found';
import * as starts from './starts';
import * as walk from './walk';

/** MetricType of the message. */
enum Kind {
  Counter,
  Gauge,
  Summary,
  Untyped,
  Histogram,
  GaugeHistogram,
}

/** Which series of a metric: what is behind the name, and which label it has besides. */
enum Part {
  Value,
  Count,
  Sum,
  Quantile,
  Bucket,
}

const INFINITY_BITS: u64 = 0x7ff0000000000000;
const NAN_BITS: u64 = 0x7ff8000000000001;

const BYTES: u32 = 2;
const FIXED64: u32 = 1;
const VARINT: u32 = 0;

/** A gauge, counter or untyped value and nothing else: tag and length of the message, tag of the number, the number. */
const SINGLE_BYTES: usize = 11;
const SINGLE_LENGTH: u32 = 9 << 8;
/** A bound and its tag, at the end of a bucket. */
const BOUND_BYTES: usize = 9;

/** What was spelled. */
const spelled: usize = memory.data(16, 8);
/** A key is put together here. */
const key: usize = memory.data(32, 8);

// ---- the body, the family and the metric being read

let bodyAt: usize = 0;
let nameAt: usize = 0;
let nameEnd: usize = 0;
let nameHash: u64 = 0;
let kind: Kind = Kind.Untyped;
let labelsHash: u64 = 0;
let metricAt: usize = 0;
let metricEnd: usize = 0;
let time: i64 = 0;
let ownTime: bool = false;
/** When the metric began, in ms; NO_START where it does not say so, or nobody wants to know. */
let start: i64 = 0;
const NO_START: i64 = i64.MAX_VALUE;

export function spelledAt(): usize {
  return buffer.address(spelled);
}

/** As text.parse(); Invalid: see proto.fault and proto.faultAt. */
export function parse(into: usize, body: usize, length: usize, scrapeTime: i64, how: u32): Status {
  const retry = (how & ParseOption.Retry) != 0;
  const number = retry ? load<u32>(into, NUMBER) : cache.begin(into);
  proto.reset();
  buffer.truncate(spelled, 0);
  // Offsets of misses count from what is spelled.
  walk.start(into, number, 0, 0);
  found.start(how, scrapeTime);
  bodyAt = body;
  if (readFamilies(body, body + length)) {
    if (!retry) {
      cache.commit(into, walk.marked, walk.someLetGo ? NOT_STEADY : walk.carried, walk.found);
      cache.setTime(into, scrapeTime);
    }
    return Status.Ok;
  }
  found.undo();
  if (!retry) cache.abort(into, number);
  return proto.fault == WireFault.NoMemory ? Status.NoMemory : Status.Invalid;
}

function readFamilies(at: usize, end: usize): bool {
  while (at < end) {
    const length = readVarint(at, end);
    if (varintEnd == 0) return refuse(WireFault.Varint, at);
    const family = varintEnd;
    if (length > <u64>(end - family)) return refuse(WireFault.Truncated, at);
    at = family + <usize>length;
    if (!readFamily(family, at)) return false;
  }
  return true;
}

function refuse(reason: WireFault, at: usize): bool {
  proto.refuse(reason, at);
  return false;
}

function noMemory(): bool {
  return refuse(WireFault.NoMemory, 0);
}

/** What was spelled is malformed, or there is no memory for it. */
function failed(): bool {
  return proto.fault != WireFault.None ? false : noMemory();
}

/** Reads the field at `at`, one of `wire` where its number is `known`; 0 where it is malformed. */
function readKnown(at: usize, end: usize, known: u32, wires: u32): usize {
  const next = proto.readField(at, end);
  if (next == 0) return 0;
  const field = proto.tag >> 3;
  if (field <= known && ((wires >> (field * 2)) & 3) != (proto.tag & 7)) return proto.refuse(WireFault.Kind, at);
  return next;
}

/** Wire types by field, two bits each, from field 1 on. */
const FAMILY_WIRES: u32 = (BYTES << 2) | (BYTES << 4) | (VARINT << 6) | (BYTES << 8) | (BYTES << 10);
const METRIC_WIRES: u32 =
  (BYTES << 2) | (BYTES << 4) | (BYTES << 6) | (BYTES << 8) | (BYTES << 10) | (VARINT << 12) | (BYTES << 14);

function readFamily(at: usize, end: usize): bool {
  const start = at;
  let helpAt = at;
  let helpEnd = at;
  let unitAt = at;
  let unitEnd = at;
  let type: u64 = Kind.Counter;
  let metrics = 0;
  nameAt = at;
  nameEnd = at;
  while (at < end) {
    const run = runEnd(at, end, proto.TAG_4_BYTES);
    if (run != at) {
      metrics++;
      at = run;
      continue;
    }
    at = readKnown(at, end, 5, FAMILY_WIRES);
    if (at == 0) return false;
    switch (proto.tag >> 3) {
      case 1:
        nameAt = proto.contentAt;
        nameEnd = proto.contentEnd;
        break;
      case 2:
        helpAt = proto.contentAt;
        helpEnd = proto.contentEnd;
        break;
      case 3:
        type = proto.varint;
        break;
      case 4:
        metrics++;
        break;
      case 5:
        unitAt = proto.contentAt;
        unitEnd = proto.contentEnd;
        break;
    }
  }
  if (metrics == 0) return true;
  const nameBytes = nameEnd - nameAt;
  if (nameBytes == 0 || !isValidUtf8(nameAt, nameBytes)) return refuse(WireFault.Name, nameAt);
  if (!isValidUtf8(helpAt, helpEnd - helpAt)) return refuse(WireFault.Help, helpAt);
  if (type > <u64>Kind.GaugeHistogram) return refuse(WireFault.Type, nameAt);
  kind = <Kind>(<i32>type);
  if (!isUnit(unitAt, unitEnd - unitAt)) return refuse(WireFault.Unit, unitAt);
  nameHash = hash64(nameAt, nameBytes);
  if (!takeMetadata(helpAt, helpEnd - helpAt, unitAt, unitEnd - unitAt)) return noMemory();
  for (at = start; at < end; ) {
    const content = shortContent(at, end, proto.TAG_4_BYTES);
    if (content != 0) {
      at = contentEnd;
      if (!readMetric(content, at)) return false;
      continue;
    }
    at = proto.readField(at, end);
    if (proto.tag >> 3 == 4 && !readMetric(proto.contentAt, proto.contentEnd)) return false;
  }
  return true;
}

let contentEnd: usize = 0;

/**
 * The content of a field whose tag is this byte and whose length, of one byte or two, does not reach beyond `end`; it goes to
 * contentEnd. 0 for all others, good and bad: readField() knows them.
 */
function shortContent(at: usize, end: usize, tag: u32): usize {
  if (at + 2 >= end || load<u8>(at) != tag) return 0;
  let length: usize = load<u8>(at, 1);
  let content = at + 2;
  if (length >= 0x80) {
    const high: usize = load<u8>(at, 2);
    if (high >= 0x80) return 0;
    length = (length & 0x7f) | (high << 7);
    content++;
  }
  if (length > end - content) return 0;
  contentEnd = content + length;
  return content;
}

/** Where a run of such fields ends: at `at` where there is none. */
function runEnd(at: usize, end: usize, tag: u32): usize {
  while (shortContent(at, end, tag) != 0) at = contentEnd;
  return at;
}

/** Whether a unit ends the name, behind an underscore; of a counter, before `_total`. */
function isUnit(unit: usize, bytes: usize): bool {
  if (bytes == 0) return true;
  let end = nameEnd;
  const TOTAL: u64 = 0x6c61746f745f;
  if (kind == Kind.Counter && end - nameAt >= 6 && (load<u64>(end - 6) & 0xffffffffffff) == TOTAL) end -= 6;
  if (end - nameAt < bytes + 1) return false;
  return load<u8>(end - bytes - 1) == 0x5f && memory.compare(end - bytes, unit, bytes) == 0;
}

/** A family says the same as last time, or is news. */
function takeMetadata(help: usize, helpBytes: usize, unit: usize, unitBytes: usize): bool {
  store<u64>(key, nameHash);
  store<u64>(key, helpBytes == 0 ? 0 : hash64(help, helpBytes), 8);
  store<u64>(key, unitBytes == 0 ? 0 : hash64(unit, unitBytes), 16);
  store<u64>(key, 1 + <u64>kind, 24);
  const entry = entryOf(hash64(key, 32), COMMENT);
  if (entry == 0) return false;
  const last = load<u32>(entry, SEEN) & 0xffff;
  walk.touch(entry);
  if (last == walk.number || last + 1 == walk.number) return true;
  const name = <u32>(nameAt - bodyAt);
  const nameBytes = nameEnd - nameAt;
  return (
    found.addMetadata(MetadataKind.Help, name, nameBytes, <u32>(help - bodyAt), helpBytes) &&
    found.addMetadata(MetadataKind.Unit, name, nameBytes, <u32>(unit - bodyAt), unitBytes) &&
    found.addMetadata(MetadataKind.TypeNumber, name, nameBytes, <u32>kind, 0)
  );
}

let entryIndex: u32 = 0;

/** The entry of a key, and its index in entryIndex; 0 where the memory limit says no. */
function entryOf(hash: u64, flags: u32): usize {
  const next = walk.nextEntry();
  if (next != 0 && load<u64>(next, HASH) == hash) {
    entryIndex = walk.expected;
    walk.step();
    return next;
  }
  const index = walk.locate(hash, 0, flags);
  if (index < 0) return 0;
  entryIndex = <u32>index;
  return cache.entryAt(walk.current, <u32>index);
}

// ---- one metric

function readMetric(at: usize, end: usize): bool {
  metricAt = at;
  metricEnd = end;
  labelsHash = 0;
  time = 0;
  start = NO_START;
  let runAt = at;
  at = runEnd(at, end, proto.TAG_1_BYTES);
  if (end - at == SINGLE_BYTES && isSingle(at)) {
    addRun(runAt, at);
    ownTime = false;
    time = found.scrapeTime;
    exemplarAt = 0;
    return addSample(Part.Value, 0, load<u64>(at, 3));
  }
  let runStop = at;
  let valueAt = end;
  let valueEnd = end;
  const wanted = valueField();
  while (at < end) {
    const start = at;
    at = readKnown(at, end, 7, METRIC_WIRES);
    if (at == 0) return false;
    const field = proto.tag >> 3;
    if (field == 1) {
      if (runStop != start) {
        addRun(runAt, runStop);
        runAt = start;
      }
      runStop = at;
    } else if (field == wanted) {
      valueAt = proto.contentAt;
      valueEnd = proto.contentEnd;
    } else if (field == 6) {
      time = <i64>proto.varint;
    }
  }
  addRun(runAt, runStop);
  ownTime = time != 0 && (found.options & ParseOption.HonorTimestamps) != 0;
  if (!ownTime) time = found.scrapeTime;
  if (kind == Kind.Summary) return readSummary(valueAt, valueEnd);
  if (kind == Kind.Histogram || kind == Kind.GaugeHistogram) return readHistogram(valueAt, valueEnd);
  return readSingle(valueAt, valueEnd);
}

/** Whether what is left of a metric is its value alone. */
function isSingle(at: usize): bool {
  if (kind >= Kind.Summary && kind != Kind.Untyped) return false;
  return load<u16>(at) == (SINGLE_LENGTH | ((valueField() << 3) | BYTES)) && load<u8>(at, 2) == proto.TAG_1_FIXED64;
}

/** Labels nearly always are one run of bytes. */
function addRun(at: usize, end: usize): void {
  if (at == end) return;
  const hash = hash64(at, end - at);
  if (labelsHash == 0) {
    labelsHash = hash;
    return;
  }
  store<u64>(key, labelsHash);
  store<u64>(key, hash, 8);
  labelsHash = hash64(key, 16);
}

function valueField(): u32 {
  switch (kind) {
    case Kind.Counter:
      return 3;
    case Kind.Gauge:
      return 2;
    case Kind.Summary:
      return 4;
    case Kind.Untyped:
      return 5;
    default:
      return 7;
  }
}

/** Counter (1 value, 2 exemplar, 3 created), Gauge and Untyped (1 value). */
function readSingle(at: usize, end: usize): bool {
  let bits: u64 = 0;
  exemplarAt = 0;
  const isCounter = kind == Kind.Counter;
  while (at < end) {
    at = readKnown(at, end, isCounter ? 3 : 1, (FIXED64 << 2) | (BYTES << 4) | (BYTES << 6));
    if (at == 0) return false;
    if (proto.tag >> 3 == 1) bits = load<u64>(proto.contentAt);
    else if (isCounter && proto.tag >> 3 == 2) noteExemplar();
    else if (isCounter && proto.tag >> 3 == 3 && !noteStart()) return false;
  }
  return addSample(Part.Value, 0, bits);
}

/** Summary: 1 count │ 2 sum │ 3 Quantile (1 quantile, 2 value) … │ 4 created */
function readSummary(at: usize, end: usize): bool {
  const wires = (VARINT << 2) | (FIXED64 << 4) | (BYTES << 6) | (BYTES << 8);
  let count: u64 = 0;
  let sum: u64 = 0;
  exemplarAt = 0;
  for (let p = at; p < end; ) {
    p = readKnown(p, end, 4, wires);
    if (p == 0) return false;
    if (proto.tag >> 3 == 1) count = reinterpret<u64>(<f64>proto.varint);
    else if (proto.tag >> 3 == 2) sum = load<u64>(proto.contentAt);
    else if (proto.tag >> 3 == 4 && !noteStart()) return false;
  }
  if (!addSample(Part.Count, 0, count) || !addSample(Part.Sum, 0, sum)) return false;
  while (at < end) {
    at = proto.readField(at, end);
    if (proto.tag >> 3 != 3) continue;
    let quantile: u64 = 0;
    let bits: u64 = 0;
    const quantileEnd = proto.contentEnd;
    for (let p = proto.contentAt; p < quantileEnd; ) {
      p = readKnown(p, quantileEnd, 2, (FIXED64 << 2) | (FIXED64 << 4));
      if (p == 0) return false;
      if (proto.tag >> 3 == 1) quantile = load<u64>(proto.contentAt);
      else if (proto.tag >> 3 == 2) bits = load<u64>(proto.contentAt);
    }
    if (!addSample(Part.Quantile, quantile, bits)) return false;
  }
  return true;
}

/**
 * Histogram: 1 count │ 2 sum │ 3 Bucket … │ 4 count as double │ 5 schema │ 6 zero threshold │ 7 zero count │
 * 9, 12 spans │ … │ 15 created
 */
function readHistogram(at: usize, end: usize): bool {
  const wires =
    (VARINT << 2) | (FIXED64 << 4) | (BYTES << 6) | (FIXED64 << 8) | (VARINT << 10) | (FIXED64 << 12) | (VARINT << 14);
  let count: u64 = 0;
  let sum: u64 = 0;
  let countFloat: f64 = 0;
  let isNative = false;
  let hasBuckets = false;
  for (let p = at; p < end; ) {
    const run = runEnd(p, end, proto.TAG_3_BYTES);
    if (run != p) {
      hasBuckets = true;
      p = run;
      continue;
    }
    p = readKnown(p, end, 7, wires);
    if (p == 0) return false;
    switch (proto.tag >> 3) {
      case 1:
        count = reinterpret<u64>(<f64>proto.varint);
        break;
      case 2:
        sum = load<u64>(proto.contentAt);
        break;
      case 3:
        hasBuckets = true;
        break;
      case 4:
        countFloat = load<f64>(proto.contentAt);
        break;
      case 6:
        if (load<f64>(proto.contentAt) > 0) isNative = true;
        break;
      case 7:
        if (proto.varint != 0) isNative = true;
        break;
      case 9:
      case 12:
        isNative = true;
        break;
      case 15:
        if ((proto.tag & 7) != BYTES) return refuse(WireFault.Kind, proto.contentAt);
        if (!noteStart()) return false;
        break;
    }
  }
  const asNative = isNative && (found.options & ParseOption.NativeHistograms) != 0;
  if (asNative || (found.options & ParseOption.CustomBuckets) != 0) {
    if (!addNative(!asNative)) return failed();
    if ((asNative && !hasBuckets) || (found.options & ParseOption.ClassicToo) == 0) return true;
  }
  if (countFloat > 0) count = reinterpret<u64>(countFloat);
  exemplarAt = 0;
  return addSample(Part.Count, 0, count) && addSample(Part.Sum, 0, sum) && readBuckets(at, end, count);
}

/** Bucket: 1 count │ 2 bound │ 3 exemplar │ 4 count as double. The one without a bound may be left out. */
function readBuckets(at: usize, end: usize, total: u64): bool {
  while (at < end) {
    let count: u64 = 0;
    let countFloat: f64 = 0;
    let bound: u64 = 0;
    exemplarAt = 0;
    const content = shortContent(at, end, proto.TAG_3_BYTES);
    if (content != 0 && isPlainBucket(content, contentEnd)) {
      at = contentEnd;
      bound = load<u64>(at - 8);
      if (!addSample(Part.Bucket, bound, reinterpret<u64>(<f64>plainCount))) return false;
      if (bound == INFINITY_BITS) return true;
      continue;
    }
    at = proto.readField(at, end);
    if (proto.tag >> 3 != 3) continue;
    const bucketEnd = proto.contentEnd;
    for (let p = proto.contentAt; p < bucketEnd; ) {
      p = readKnown(p, bucketEnd, 4, (VARINT << 2) | (FIXED64 << 4) | (BYTES << 6) | (FIXED64 << 8));
      if (p == 0) return false;
      switch (proto.tag >> 3) {
        case 1:
          count = reinterpret<u64>(<f64>proto.varint);
          break;
        case 2:
          bound = load<u64>(proto.contentAt);
          break;
        case 3:
          noteExemplar();
          break;
        case 4:
          countFloat = load<f64>(proto.contentAt);
          break;
      }
    }
    if (countFloat > 0) count = reinterpret<u64>(countFloat);
    if (!addSample(Part.Bucket, bound, count)) return false;
    if (bound == INFINITY_BITS) return true;
  }
  exemplarAt = 0;
  return addSample(Part.Bucket, INFINITY_BITS, total);
}

let plainCount: u64 = 0;

/** Whether a bucket is a count, which goes to plainCount, and behind it a bound, and nothing else. */
function isPlainBucket(at: usize, end: usize): bool {
  if (end - at < BOUND_BYTES + 2 || load<u8>(at) != proto.TAG_1_VARINT) return false;
  const boundAt = end - BOUND_BYTES;
  if (load<u8>(boundAt) != proto.TAG_2_FIXED64) return false;
  plainCount = readVarint(at + 1, boundAt);
  return varintEnd == boundAt;
}

function addSample(part: Part, border: u64, bits: u64): bool {
  if ((bits & 0x7fffffffffffffff) > INFINITY_BITS) bits = NAN_BITS;
  store<u64>(key, nameHash);
  store<u64>(key, labelsHash, 8);
  store<u64>(key, <u64>part, 16);
  store<u64>(key, border, 24);
  const entry = entryOf(hash64(key, 32), UNRESOLVED);
  if (entry == 0) return noMemory();
  const index = entryIndex;
  const flags: u32 = load<u8>(entry, FLAGS);
  const hasExemplar = exemplarAt != 0 && found.wantsExemplar(flags);
  const at = buffer.length(spelled);
  if (((flags & UNRESOLVED) != 0 || hasExemplar) && !spellSeries(part, border)) return failed();
  const length = buffer.length(spelled) - at;
  if (!found.emit(entry, index, flags, time, ownTime, bits, at, length, 0)) return noMemory();
  if (start != NO_START && !starts.add(entry, index, time, ownTime, start)) return noMemory();
  return !hasExemplar || addExemplar(at, length);
}

function addNative(isClassic: bool): bool {
  if ((found.options & ParseOption.Retry) != 0) return true;
  const at = buffer.length(spelled);
  if (!spellSeries(Part.Value, 0)) return false;
  const what: u32 = (kind == Kind.GaugeHistogram ? 1 : 0) | (isClassic ? 2 : 0);
  const metric = <u32>(metricAt - bodyAt);
  return found.addHistogram(at, buffer.length(spelled) - at, metric, metricEnd - metricAt, what);
}

let timestamp: i64 = 0;

/** Timestamp: 1 seconds │ 2 nanoseconds. To `timestamp`, in ms. */
function readTimestamp(at: usize, end: usize): bool {
  let seconds: i64 = 0;
  let nanos: i64 = 0;
  while (at < end) {
    at = readKnown(at, end, 2, (VARINT << 2) | (VARINT << 4));
    if (at == 0) return false;
    if (proto.tag >> 3 == 1) seconds = <i64>proto.varint;
    // An int32.
    else if (proto.tag >> 3 == 2) nanos = <i64>(<i32>proto.varint);
  }
  timestamp = seconds * 1000 + nanos / 1000000;
  return true;
}

/** The field that was read last says when the metric began. The first moment of all is none. */
function noteStart(): bool {
  if (!starts.areWanted) return true;
  if (!readTimestamp(proto.contentAt, proto.contentEnd)) return false;
  start = timestamp == 0 ? NO_START : timestamp;
  return true;
}

// ---- exemplars

/** The message of the sample's exemplar; 0 where it has none. */
let exemplarAt: usize = 0;
let exemplarEnd: usize = 0;

function noteExemplar(): void {
  exemplarAt = proto.contentAt;
  exemplarEnd = proto.contentEnd;
}

/**
 * Exemplar: 1 LabelPair … │ 2 value │ 3 Timestamp (1 seconds, 2 nanoseconds)
 *
 * Spelled as OpenMetrics has it, with times half a millisecond behind, so that they are cut to the right one.
 */
function addExemplar(series: u32, seriesBytes: usize): bool {
  const wires = (BYTES << 2) | (FIXED64 << 4) | (BYTES << 6);
  let bits: u64 = 0;
  let timeAt: usize = 0;
  let timeEnd: usize = 0;
  if (!spellWord(0x203020 /* ` 0 ` */, 3) || (ownTime && !(spellTime(time) && spellByte(0x20)))) return noMemory();
  if (!spellWord(0x2023 /* `# ` */, 2)) return noMemory();
  const start = buffer.length(spelled);
  if (!spellByte(0x7b)) return noMemory();
  for (let at = exemplarAt; at < exemplarEnd; ) {
    at = readKnown(at, exemplarEnd, 3, wires);
    if (at == 0) return false;
    const field = proto.tag >> 3;
    if (field == 1) {
      if (!spellPair(proto.contentAt, proto.contentEnd, buffer.length(spelled) > start + 1)) return failed();
    } else if (field == 2) {
      bits = load<u64>(proto.contentAt);
    } else if (field == 3) {
      timeAt = proto.contentAt;
      timeEnd = proto.contentEnd;
    }
  }
  if (!spellWord(0x207d /* `} ` */, 2)) return noMemory();
  const number = buffer.reserve(spelled, 40);
  if (number == 0) return noMemory();
  buffer.advance(spelled, <u32>(printText(number, bits) - number));
  if (timeAt != 0) {
    if (!readTimestamp(timeAt, timeEnd)) return false;
    if (!spellByte(0x20) || !spellTime(timestamp)) return noMemory();
  }
  return found.addExemplar(series, seriesBytes, start, buffer.length(spelled) - start, 0) || noMemory();
}

// ---- spelling

const COUNT_SUFFIX: u64 = 0x746e756f635f;
const SUM_SUFFIX: u64 = 0x6d75735f;
const BUCKET_SUFFIX: u64 = 0x74656b6375625f;

/** `{"name","label"="value","le"="0.5"}`; false where the memory limit says no or a label is malformed. */
function spellSeries(part: Part, border: u64): bool {
  if (!spellWord(0x227b, 2) || !spellEscaped(nameAt, nameEnd)) return false;
  let suffixed = true;
  if (part == Part.Count) suffixed = spellWord(COUNT_SUFFIX, 6);
  else if (part == Part.Sum) suffixed = spellWord(SUM_SUFFIX, 4);
  else if (part == Part.Bucket) suffixed = spellWord(BUCKET_SUFFIX, 7);
  if (!suffixed || !spellByte(0x22)) return false;
  for (let at = metricAt; at < metricEnd; ) {
    at = proto.readField(at, metricEnd);
    if (proto.tag >> 3 == 1 && !spellPair(proto.contentAt, proto.contentEnd, true)) return false;
  }
  if (part == Part.Quantile || part == Part.Bucket) {
    const named = part == Part.Bucket ? spellWord(0x223d22656c222c /* ,"le"=" */, 7) : spellQuantile();
    if (!named) return false;
    const number = buffer.reserve(spelled, 40);
    if (number == 0) return false;
    buffer.advance(spelled, <u32>(printLabel(number, border) - number));
    if (!spellByte(0x22)) return false;
  }
  return spellByte(0x7d);
}

function spellQuantile(): bool {
  return spellWord(0x6e617571222c /* ,"quan */, 6) && spellWord(0x223d22656c6974 /* tile"=" */, 7);
}

/** `,"name"="value"` */
function spellPair(at: usize, end: usize, comma: bool): bool {
  let name = at;
  let nameStop = at;
  let value = at;
  let valueStop = at;
  while (at < end) {
    at = readKnown(at, end, 2, (BYTES << 2) | (BYTES << 4));
    if (at == 0) return false;
    if (proto.tag >> 3 == 1) {
      name = proto.contentAt;
      nameStop = proto.contentEnd;
    } else if (proto.tag >> 3 == 2) {
      value = proto.contentAt;
      valueStop = proto.contentEnd;
    }
  }
  if (comma && !spellByte(0x2c)) return false;
  return (
    spellByte(0x22) &&
    spellEscaped(name, nameStop) &&
    spellWord(0x223d22, 3) &&
    spellEscaped(value, valueStop) &&
    spellByte(0x22)
  );
}

function spellByte(byte: u8): bool {
  return spellWord(byte, 1);
}

/** Up to eight bytes, given as a little-endian word. */
function spellWord(word: u64, bytes: u32): bool {
  const at = buffer.reserve(spelled, 8);
  if (at == 0) return false;
  store<u64>(at, word);
  buffer.advance(spelled, bytes);
  return true;
}

function spellEscaped(at: usize, end: usize): bool {
  const start = buffer.reserve(spelled, <u32>(end - at) * 2);
  if (start == 0 && at != end) return false;
  let to = start;
  for (; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == 0x22 || byte == 0x5c || byte == 0x0a) store<u8>(to++, 0x5c);
    store<u8>(to++, byte == 0x0a ? 0x6e : byte);
  }
  buffer.advance(spelled, <u32>(to - start));
  return true;
}

/** Milliseconds as seconds: `1767232620.5005` of 1767232620500. */
function spellTime(ms: i64): bool {
  if (ms < 0 && !spellByte(0x2d)) return false;
  const size = ms < 0 ? <u64>-ms : <u64>ms;
  return spellDigits(size / 1000, 1) && spellByte(0x2e) && spellDigits(size % 1000, 3) && spellByte(0x35);
}

function spellDigits(value: u64, least: i32): bool {
  let digits = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  digits = max(digits, least);
  const at = buffer.reserve(spelled, 24);
  if (at == 0) return false;
  for (let i = digits - 1; i >= 0; i--) {
    store<u8>(at + <usize>i, <u8>(0x30 + (value % 10)));
    value /= 10;
  }
  buffer.advance(spelled, <u32>digits);
  return true;
}
