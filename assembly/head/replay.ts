// Replaying the log: records of series, samples and deletions back into the head.
//
// Every shard reads the whole log and keeps what it owns by the hash of the labels;
// decoding is cheap, and no routing is needed. Refs are looked up in a map (ref-map.ts): series index + 1, 0 = not ours.
//
// A sample of the time of the series' newest is skipped, and a second ref for a label set that is there leads to the
// same series, as in Prometheus. One that is earlier is listed as late: appends of several shards may reach the log in
// another order than their series. A series that files have chunks of is given these when it is made (attach.ts): they
// have what is not later than they.
//
// A ref that no record has defined may be one whose record is lost: where a copy of the series is at hand (spare-series.ts)
// the series is made from there.

import { readSigned, varintEnd } from '../bytes/varint';
import { ChunkState } from '../chunk/state';
import * as scratch from '../labels/scratch';
import { LabelFault, ROW_BYTES, Status } from '../layout';
import * as buffer from '../memory/buffer';
import * as vector from '../memory/vector';
import * as head from './append';
import * as attach from './attach';
import { deleteRange } from './delete';
import * as histograms from './histograms';
import * as image from './image';
import * as map from './ref-map';
import { REF_MAX } from './ref-map';
import * as series from './series';
import * as spare from './spare-series';
import * as spilled from './spilled';

const refs: usize = memory.data(map.MAP_BYTES, 8);
/** Samples that are applied together: enough to hide that memory is far away. series u32, its record u32, time i64, value u64. */
const GROUP: usize = 64;
const GROUP_ROW: usize = 24;
const ROW_RECORD: usize = 4;
const ROW_TIME: usize = 8;
const ROW_VALUE: usize = 16;
const group: usize = memory.data(<i32>(GROUP * GROUP_ROW), 16);
let groupCount: usize = 0;
/** Whether something was deleted: then the time of a newest sample may be one that is gone. */
let hasDeleted: bool = false;
/** Kept, so that the loads of touch() are not optimised away. */
let touched: u32 = 0;
/** Samples of the last record that are late, as rows (append.ts). */
const late: usize = memory.data(16, 8);

/**
 * Second refs of label sets that are there: {ref u64, series index u32, low half of the series' own ref u32}. The log needs their
 * records as long as the series lives.
 */
const aliases: usize = memory.data(16, 8);
const ALIAS_LOG2: u32 = 4;
const ALIAS_SERIES: usize = 8;
const ALIAS_OWN: usize = 12;

let shards: u32 = 1;
let self: u32 = 0;
let highestRef: u64 = 0;
let samplesApplied: f64 = 0;
let samplesSkipped: f64 = 0;
let samplesForeign: f64 = 0;
let newestTime: i64 = i64.MIN_VALUE;
let errorAt: u32 = 0;
/** Of the entry that readSeries() read last. */
let seriesRef: u64 = 0;
/** Spare series for which there was no memory. */
let sparesRefused: u32 = 0;

/** By number the newest sample that an image had of a series, as i64. */
const imaged: usize = memory.data(16, 8);
const IMAGED_LOG2: u32 = 3;

/** Starts a replay for shard `index` of `count`. */
export function begin(index: u32, count: u32): void {
  self = index;
  shards = count;
}

/** Frees the map of refs, and the chunks of files that no series took. */
export function end(): void {
  map.clear(refs);
  spare.clear();
  attach.finish();
  vector.clear(imaged, IMAGED_LOG2);
  buffer.clear(late);
}

export function lateAddress(): usize {
  return buffer.address(late);
}

export function lateCount(): u32 {
  return buffer.length(late) / ROW_BYTES;
}

export function highest(): f64 {
  return <f64>highestRef;
}

export function applied(): f64 {
  return samplesApplied + image.restoredSamples();
}

export function skipped(): f64 {
  return samplesSkipped;
}

/** Samples whose ref is not of this shard, or of no series that is known. */
export function foreign(): f64 {
  return samplesForeign;
}

/** The newest time applied, in ms; below -2^62 where none was. */
export function newest(): f64 {
  return max(<f64>newestTime, image.restoredNewest());
}

/** Byte offset of the fault in the record that came back Invalid. */
export function errorOffset(): u32 {
  return errorAt;
}

/** A series record: makes the series that this shard owns and notes their refs. */
export function seriesRecord(record: usize, bytes: u32): Status {
  const stop = record + bytes;
  let at = record + 1;
  while (at < stop) {
    at = readSeries(at, stop);
    if (at == 0) return invalid(record, errorPlace);
    const fault = scratch.finish(false);
    if (fault == LabelFault.NoMemory) return Status.NoMemory;
    if (fault != LabelFault.None) return invalid(record, at);
    if (seriesRef > highestRef) highestRef = seriesRef;
    if (shards > 1 && series.ownerOfScratch(shards) != self) {
      attach.forget(seriesRef);
      continue;
    }
    if (!define(seriesRef)) return Status.NoMemory;
    spare.noteDefined(seriesRef);
  }
  return Status.Ok;
}

/**
 * A record of the copy of the log's series: of those that this shard owns and that the log has not defined by now, any may
 * be asked for. One that files have chunks of is made at once.
 */
export function spareRecord(record: usize, bytes: u32): Status {
  const stop = record + bytes;
  let at = record + 1;
  while (at < stop) {
    const entry = at;
    at = readSeries(at, stop);
    if (at == 0) return invalid(record, errorPlace);
    const fault = scratch.finish(false);
    if (fault == LabelFault.NoMemory) return Status.NoMemory;
    if (fault != LabelFault.None) return invalid(record, at);
    const ref = seriesRef;
    // Nobody else may have it.
    if (ref > highestRef) highestRef = ref;
    if (shards > 1 && series.ownerOfScratch(shards) != self) {
      attach.forget(ref);
      continue;
    }
    if (recall(ref) != 0) continue;
    if (!spare.add(ref, entry, <u32>(at - entry))) return Status.NoMemory;
    if (attach.has(ref)) adopt(ref);
  }
  return Status.Ok;
}

/** Spare series that could not be made: their samples are not applied. */
export function refusedSpares(): u32 {
  return sparesRefused;
}

/**
 * Records of an image of the head (image.ts): gives the series that are ours what they had, but for what is before `mint`. Invalid where
 * they are not as we write them, NoMemory where the limit says no: the log has all of it.
 */
export function imageRecords(at: usize, bytes: u32, mint: i64): Status {
  const stop = at + bytes;
  while (at < stop) {
    const size = image.sizeAt(at, stop - at);
    if (size == 0) return Status.Invalid;
    const ref = image.refAt(at);
    let number = recall(ref);
    if (number == 0) number = adopt(ref);
    const target: usize = number == 0 ? 0 : series.find(number - 1);
    if (target != 0) {
      const status = image.restore(target, at, mint);
      if (status != Status.Ok) return status;
      if (!noteImaged(number - 1, histograms.newestFloat(target))) return Status.NoMemory;
    }
    at += size;
  }
  return Status.Ok;
}

/** A samples record: applies what is ours, at or after `mint`. */
export function samplesRecord(record: usize, bytes: u32, mint: i64): Status {
  const stop = record + bytes;
  buffer.truncate(late, 0);
  if (bytes == 1) return Status.Ok;
  if (bytes < 17) return invalid(record, record);
  const baseRef = bswap<u64>(load<u64>(record + 1));
  const baseTime = <i64>bswap<u64>(load<u64>(record + 9));
  let at = record + 17;
  while (at < stop) {
    at = readGroup(at, stop, baseRef, baseTime, mint);
    touch();
    const status = applyGroup();
    if (status != Status.Ok) return status;
    if (at == 0) return invalid(record, stop);
  }
  return Status.Ok;
}

/** Reads samples of series that are ours into the group, until it is full; gives where the next begins, 0 where one is malformed. */
function readGroup(at: usize, stop: usize, baseRef: u64, baseTime: i64, mint: i64): usize {
  groupCount = 0;
  while (at < stop && groupCount < GROUP) {
    const ref = baseRef + <u64>readSigned(at, stop);
    if (varintEnd == 0) return 0;
    const time = baseTime + readSigned(varintEnd, stop);
    if (varintEnd == 0 || varintEnd + 8 > stop) return 0;
    const value = load<u64>(varintEnd);
    at = varintEnd + 8;
    if (time < mint) {
      samplesSkipped += 1;
      continue;
    }
    let number = recall(ref);
    if (number == 0) number = adopt(ref);
    const target: usize = number == 0 ? 0 : series.find(number - 1);
    if (target == 0) {
      noteUnknown(ref);
      continue;
    }
    if (isFiled(target, time)) {
      samplesSkipped += 1;
      continue;
    }
    const row = group + groupCount * GROUP_ROW;
    store<u32>(row, number - 1);
    store<u32>(row, <u32>target, ROW_RECORD);
    store<i64>(row, time, ROW_TIME);
    store<u64>(row, bswap<u64>(value), ROW_VALUE);
    groupCount++;
  }
  return at;
}

/** Whether files have a sample, as the record alone tells: nothing has come behind what they have. */
function isFiled(target: usize, time: i64): bool {
  const state = changetype<ChunkState>(series.chunk(target));
  if (time > state.time || state.count != 0 || series.sealed(target) != 0) return false;
  return load<u32>(series.spilled(target)) != 0 && !hasDeleted;
}

/** Fetches where the streams of the group's open chunks go on, side by side: a series is met once in each scrape, and is out of the caches by then. */
function touch(): void {
  let sum: u32 = 0;
  for (let i: usize = 0; i < groupCount; i++) {
    const target = <usize>load<u32>(group + i * GROUP_ROW, ROW_RECORD);
    sum += <u32>load<u8>(<usize>changetype<ChunkState>(series.chunk(target)).cursor);
  }
  touched += sum;
}

function applyGroup(): Status {
  for (let i: usize = 0; i < groupCount; i++) {
    const row = group + i * GROUP_ROW;
    const target = <usize>load<u32>(row, ROW_RECORD);
    const time = load<i64>(row, ROW_TIME);
    const value = load<u64>(row, ROW_VALUE);
    const state = changetype<ChunkState>(series.chunk(target));
    const newest = max(histograms.newestFloat(target), series.newestHistogram(target));
    if (time <= newest) {
      if (time == newest || time <= elsewhereTo(load<u32>(row), target)) samplesSkipped += 1;
      else if (!listLate(load<u32>(row), time, value)) return Status.NoMemory;
      continue;
    }
    const status = head.put(target, state, time, value);
    if (status != Status.Ok) return status;
    samplesApplied += 1;
    if (time > newestTime) newestTime = time;
  }
  return Status.Ok;
}

/** What is not later than this is in files, or was in an image: it may come once more. */
function elsewhereTo(number: u32, target: usize): i64 {
  const filed = spilled.newest(series.spilled(target));
  return number < vector.count(imaged) ? max(filed, load<i64>(vector.at(imaged, number, IMAGED_LOG2))) : filed;
}

/** False where the memory limit says no. */
function noteImaged(number: u32, time: i64): bool {
  while (vector.count(imaged) <= number) {
    const place = vector.push(imaged, IMAGED_LOG2);
    if (place == 0) return false;
    store<i64>(place, i64.MIN_VALUE);
  }
  store<i64>(vector.at(imaged, number, IMAGED_LOG2), time);
  return true;
}

/** False where the memory limit says no. */
function listLate(number: u32, time: i64, value: u64): bool {
  const row = buffer.reserve(late, ROW_BYTES);
  if (row == 0) return false;
  store<u32>(row, number);
  store<u32>(row, series.refLow(series.at(number)), 4);
  store<i64>(row, time, 8);
  store<u64>(row, value, 16);
  buffer.advance(late, ROW_BYTES);
  return true;
}

/** A record of tombstones: deletes what is there by now; samples that follow in the log are new ones. */
export function tombstonesRecord(record: usize, bytes: u32): Status {
  const stop = record + bytes;
  let at = record + 1;
  hasDeleted = true;
  while (at < stop) {
    if (at + 8 > stop) return invalid(record, at);
    const ref = bswap<u64>(load<u64>(at));
    at = readUvarint(at + 8, stop);
    if (at == 0) return invalid(record, stop);
    const mint = <i64>unzigzag(varintValue);
    at = readUvarint(at, stop);
    if (at == 0) return invalid(record, stop);
    const maxt = <i64>unzigzag(varintValue);
    const number = recall(ref);
    const target: usize = number == 0 ? 0 : series.find(number - 1);
    if (target == 0) continue;
    const status = deleteRange(target, mint, maxt);
    if (status != Status.Ok) return status;
    // Also where nothing was there to be deleted, because an image has it or its series went and came again under another ref: what comes at
    // these times must not go to files, of which the next replay would delete it.
    const slot = series.spilled(target);
    if (!spilled.reserve(slot, 0, 0)) return Status.NoMemory;
    spilled.hold(slot, maxt);
  }
  return Status.Ok;
}

/** The series that a ref means; series.NONE where it is not of this shard, or of none that is known: counted then. */
export function find(ref: u64): u32 {
  let number = recall(ref);
  if (number == 0) number = adopt(ref);
  if (number != 0 && series.find(number - 1) != 0) return number - 1;
  noteUnknown(ref);
  return series.NONE;
}

/** Whether a histogram of a series that find() gave is later than what the series has: it is the newest then. */
export function histogram(number: u32, time: i64): bool {
  if (!histograms.place(series.at(number), time)) return false;
  samplesApplied += 1;
  if (time > newestTime) newestTime = time;
  return true;
}

/** Second refs that were met, in this replay or one before. */
export function aliasCount(): u32 {
  return vector.count(aliases);
}

/** One of them; 0 where its series is gone. */
export function alias(index: u32): f64 {
  const entry = vector.at(aliases, index, ALIAS_LOG2);
  const record = series.find(load<u32>(entry, ALIAS_SERIES));
  if (record == 0 || series.refLow(record) != load<u32>(entry, ALIAS_OWN)) return 0;
  return <f64>load<u64>(entry);
}

/** Where its series record is lost, a new series must not get what was its own. */
function noteUnknown(ref: u64): void {
  samplesForeign += 1;
  if (ref <= REF_MAX && ref > highestRef) highestRef = ref;
}

/** Finds or makes the series of the labels in the scratch, for a ref. False where the memory limit says no. */
function define(ref: u64): bool {
  let number = series.resolve();
  const isKnown = number != series.NONE;
  if (!isKnown) number = series.create(ref);
  if (number == series.NONE || !attach.attach(number, ref)) return false;
  if (isKnown && !noteAlias(ref, number)) return false;
  return remember(ref, number);
}

/** Makes the spare series of a ref: its index + 1; 0 where there is none. */
function adopt(ref: u64): u32 {
  const entry = spare.find(ref);
  if (entry == 0) return 0;
  readSeries(entry, entry + spare.bytesOf(entry));
  if (scratch.finish(false) != LabelFault.None || !define(ref)) {
    sparesRefused++;
    return 0;
  }
  spare.noteMade(entry);
  return recall(ref);
}

let errorPlace: usize = 0;

/** Reads an entry of a series record: its labels into the scratch, its ref into seriesRef. The address behind it, or 0, and errorPlace. */
function readSeries(at: usize, stop: usize): usize {
  errorPlace = at;
  if (at + 8 > stop) return 0;
  seriesRef = bswap<u64>(load<u64>(at));
  if (seriesRef > REF_MAX) return 0;
  at = readUvarint(at + 8, stop);
  errorPlace = stop;
  if (at == 0) return 0;
  const count = varintValue;
  scratch.begin();
  for (let i: u64 = 0; i < count; i++) {
    errorPlace = at;
    const name = readUvarint(at, stop);
    const nameBytes = varintValue;
    if (name == 0 || nameBytes > <u64>(stop - name)) return 0;
    const value = readUvarint(name + <usize>nameBytes, stop);
    const valueBytes = varintValue;
    if (value == 0 || valueBytes > <u64>(stop - value)) return 0;
    scratch.add(name, <u32>nameBytes, value, <u32>valueBytes);
    at = value + <usize>valueBytes;
  }
  return at;
}

function noteAlias(ref: u64, number: u32): bool {
  const record = series.at(number);
  if (series.ref(record) == ref || recall(ref) == number + 1) return true;
  const entry = vector.push(aliases, ALIAS_LOG2);
  if (entry == 0) return false;
  store<u64>(entry, ref);
  store<u32>(entry, number, ALIAS_SERIES);
  store<u32>(entry, series.refLow(record), ALIAS_OWN);
  return true;
}

function remember(ref: u64, number: u32): bool {
  const slot = map.slot(refs, ref);
  if (slot != 0) store<u32>(slot, number + 1);
  return slot != 0;
}

/** Series index + 1, or 0. */
function recall(ref: u64): u32 {
  const slot = map.find(refs, ref);
  return slot == 0 ? 0 : load<u32>(slot);
}

let varintValue: u64 = 0;

/** Reads an unsigned varint that ends before `stop`; the address behind it, or 0. */
function readUvarint(at: usize, stop: usize): usize {
  let value: u64 = 0;
  let shift: u64 = 0;
  while (at < stop && shift < 70) {
    const byte = load<u8>(at);
    at++;
    value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) {
      varintValue = value;
      return at;
    }
    shift += 7;
  }
  return 0;
}

function unzigzag(value: u64): u64 {
  return (value >> 1) ^ (0 - (value & 1));
}

function invalid(record: usize, at: usize): Status {
  errorAt = <u32>(at - record);
  return Status.Invalid;
}
