// What the façade of exposition calls: numbers in, numbers out, times as f64 ms.

import { fallbacks } from '../bytes/float-exact';
import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { printJson, printLabel, printText } from '../bytes/float-print';
import { hash64, seed } from '../bytes/hash';
import * as scratch from '../labels/scratch';
import { LabelFault, Status } from '../layout';
import * as heap from '../memory/heap';
import * as proto from '../remote/proto';
import * as batch from './batch';
import * as cache from './cache';
import * as found from './found';
import * as line from './line';
import * as list from './list';
import * as protobuf from './protobuf';
import * as starts from './starts';
import * as text from './text';
import * as walk from './walk';

// ---- hash and floats

export function hash_seed(low: u32, high: u32): void {
  seed(((<u64>high) << 32) | low);
}

/** Writes the hash of `length` bytes at `text` to `out`. */
export function hash_bytes(text: usize, length: usize, out: usize): void {
  store<u64>(out, hash64(text, length));
}

/** Writes the bits of the number at `text` to `out`; gives its length, 0 where there is none, and the high bit set where it overflows. */
export function float_parse(text: usize, out: usize): u32 {
  store<u64>(out, parseFloat(text));
  if (floatEnd == 0) return 0;
  return <u32>(floatEnd - text) | (floatOverflow ? 0x80000000 : 0);
}

/** Writes the text of the bits at `bits` to `out`; gives its length. Form: 0 text, 1 JSON, 2 label. */
export function float_print(bits: usize, out: usize, form: u32): u32 {
  const value = load<u64>(bits);
  const end = form == 0 ? printText(out, value) : form == 1 ? printJson(out, value) : printLabel(out, value);
  return <u32>(end - out);
}

export function float_fallbacks(): u32 {
  return fallbacks;
}

// ---- caches

export function cache_shards(count: u32, self: u32): void {
  batch.setOwners(count, self);
}

/** Gives the cache the labels in the scratch as its target's. */
export function cache_target(at: usize, honor: bool): Status {
  const bytes = scratch.pairsBytes();
  const block: usize = bytes == 0 ? 0 : heap.alloc(bytes);
  if (bytes != 0 && block == 0) return Status.NoMemory;
  scratch.copyPairs(block);
  cache.setTarget(at, block, bytes, honor);
  return Status.Ok;
}

export function cache_added(at: usize): u32 {
  return cache.countAdded(at);
}

export function cache_vanished(at: usize, timeMs: f64): Status {
  return cache.writeVanished(at, <i64>timeMs) ? Status.Ok : Status.NoMemory;
}

export function cache_all_stale(at: usize, timeMs: f64): Status {
  return cache.writeAllStale(at, <i64>timeMs) ? Status.Ok : Status.NoMemory;
}

export function cache_forget(at: usize, owner: u32, sids: usize, count: u32): Status {
  return cache.forget(at, owner, sids, count) ? Status.Ok : Status.NoMemory;
}

export function cache_resolve(at: usize, miss: u32, sid: u32, ref: u32, owner: u32): Status {
  return walk.resolve(at, miss, sid, ref, owner) ? Status.Ok : Status.NoMemory;
}

// ---- one body

export function exposition_parse(at: usize, body: usize, length: usize, timeMs: f64, options: u32): Status {
  return text.parse(at, body, length, <i64>timeMs, options);
}

/** The same of the protobuf format. */
export function exposition_parse_protobuf(at: usize, body: usize, length: usize, timeMs: f64, options: u32): Status {
  return protobuf.parse(at, body, length, <i64>timeMs, options);
}

/** Where series and exemplars of the last body in protobuf are spelled. */
export function exposition_spelled(): usize {
  return protobuf.spelledAt();
}

export function exposition_histogram_count(): u32 {
  return list.count(found.histograms);
}

export function exposition_histograms(): usize {
  return list.address(found.histograms);
}

/** Makes rows of the start times in the last body, once its misses are settled. */
export function exposition_settle_starts(at: usize): Status {
  return starts.settle(at) ? Status.Ok : Status.NoMemory;
}

export function exposition_miss_count(): u32 {
  return list.count(walk.misses);
}

export function exposition_misses(): usize {
  return list.address(walk.misses);
}

export function exposition_metadata_count(): u32 {
  return list.count(found.metadata);
}

export function exposition_metadata(): usize {
  return list.address(found.metadata);
}

export function exposition_exemplar_count(): u32 {
  return list.count(found.exemplars);
}

export function exposition_exemplars(): usize {
  return list.address(found.exemplars);
}

export function exposition_scraped(): u32 {
  return found.scraped;
}

export function exposition_dropped(): u32 {
  return walk.dropped;
}

// ---- the fault of the last body: what, and where in linear memory

export function exposition_fault(): u32 {
  return line.fault;
}

export function exposition_error_token(): u32 {
  return line.faultToken;
}

export function exposition_error_entry(): usize {
  return line.entryAt;
}

export function exposition_error_at(): usize {
  return line.tokenAt;
}

export function exposition_error_cursor(): usize {
  return line.cursorAt;
}

/** The same of protobuf. */
export function exposition_wire_fault(): u32 {
  return proto.fault;
}

export function exposition_wire_fault_at(): usize {
  return proto.faultAt;
}

// ---- counters since the core started

export function exposition_lines_expected(): f64 {
  return <f64>walk.linesExpected;
}

export function exposition_lines_known(): f64 {
  return <f64>walk.linesKnown;
}

export function exposition_lines_new(): f64 {
  return <f64>walk.linesNew;
}

// ---- the label scratch

export function scratch_finish(strict: bool): LabelFault {
  return scratch.finish(strict);
}

export function scratch_fault_at(): u32 {
  return scratch.faultAt;
}
