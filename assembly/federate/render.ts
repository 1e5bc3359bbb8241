// /federate in one shard: the newest sample of each selected series, family by family, as text or as protobuf (protobuf.ts).
//
//   # TYPE name untyped
//   name{label="value",…,external="value"} 1.5 1700000000000
//
// First the series are brought into the order of their metric names: order() finds the
// distinct names, the caller sorts them as strings, arrange() moves the series by a counting
// sort. Then render() writes families until it has enough bytes. The newest sample is in the
// series record, so no chunk is decoded, unless that sample is too new for the caller.
//
// A federation's fields are the constants below; names, ranks, offsets and externals are buffers.

import { printText } from '../bytes/float-print';
import * as series from '../head/series';
import * as schemas from '../labels/schemas';
import * as symbols from '../labels/symbols';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as table from '../memory/table';
import * as past from '../query/history';
import * as query from '../query/query';
import { escapedMax, isLegacyName, writeUnderscored, writeValue } from './escape';
import * as protobuf from './protobuf';

const BYTES: usize = 128;
const QUERY: usize = 0;
const LIST: usize = 4;
const COUNT: usize = 8;
const NAME: usize = 12;
/** Buffer: distinct name symbols. */
const NAMES: usize = 16;
/** Buffer: for each series of the list the number of its name in `names`. */
const RANKS: usize = 32;
/** Buffer: where each family starts in the list, in sorted order; one more at the end. */
const OFFSETS: usize = 48;
const FAMILY: usize = 64;
const UTF8: usize = 68;
/** Buffer: external labels, each as symbol u32, offset u32, length u32 of what is written of it. */
const EXTERNAL: usize = 72;
/** Buffer: their texts `name="value"`, or their fields of a protobuf metric. */
const EXTERNAL_TEXT: usize = 88;
/** How many series of the family are written, and whether its TYPE line is. */
const POSITION: usize = 104;
const HEADED: usize = 108;
const PROTOBUF: usize = 112;

/** The text of the last render(), and its blocks: family number, offset, length. */
const text: usize = memory.data(16, 8);
const blocks: usize = memory.data(16, 8);
const index: usize = memory.data(16, 8);

const TYPE_BYTES: u32 = 17;

/**
 * Opens a federation over `count` series at `list`; both list and query (an instant query at the newest allowed
 * time, for series whose newest sample does not count) stay the caller's. 0 where the memory limit says no.
 */
export function open(queryAddress: usize, list: usize, count: u32, name: u32, utf8: bool, isProtobuf: bool): usize {
  const federation = heap.alloc(BYTES);
  if (federation == 0) return 0;
  memory.fill(federation, 0, BYTES);
  store<u32>(federation, <u32>queryAddress, QUERY);
  store<u32>(federation, <u32>list, LIST);
  store<u32>(federation, count, COUNT);
  store<u32>(federation, name, NAME);
  store<u32>(federation, u32(utf8), UTF8);
  store<u32>(federation, u32(isProtobuf), PROTOBUF);
  return federation;
}

export function close(federation: usize): void {
  buffer.clear(federation + NAMES);
  buffer.clear(federation + RANKS);
  buffer.clear(federation + OFFSETS);
  buffer.clear(federation + EXTERNAL);
  buffer.clear(federation + EXTERNAL_TEXT);
  heap.free(federation, BYTES);
}

/** Adds an external label: series that have a label of this name do not get it. The label is what is written of it, escaped. */
export function addExternal(federation: usize, name: usize, nameBytes: u32, label: usize, labelBytes: u32): bool {
  const entry = buffer.reserve(federation + EXTERNAL, 12);
  const at = buffer.reserve(federation + EXTERNAL_TEXT, labelBytes);
  if (entry == 0 || at == 0) return false;
  store<u32>(entry, symbols.find(name, nameBytes));
  store<u32>(entry, buffer.length(federation + EXTERNAL_TEXT), 4);
  store<u32>(entry, labelBytes, 8);
  memory.copy(at, label, labelBytes);
  buffer.advance(federation + EXTERNAL, 12);
  buffer.advance(federation + EXTERNAL_TEXT, labelBytes);
  return true;
}

/** Finds the distinct metric names; gives their number, or -1 where the memory limit says no. Series without one are dropped. */
export function order(federation: usize): i32 {
  const list = <usize>load<u32>(federation, LIST);
  const count = load<u32>(federation, COUNT);
  const nameSymbol = load<u32>(federation, NAME);
  if (buffer.reserve(federation + RANKS, max(count, 1) << 2) == 0) return -1;
  let kept: u32 = 0;
  table.clear(index);
  let lastName: u32 = symbols.NONE;
  let lastRank: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(list + ((<usize>i) << 2));
    const record = series.findAny(number);
    if (record == 0) continue;
    const name = series.valueOf(series.labels(record), nameSymbol);
    if (name == symbols.NONE) continue;
    if (name != lastName) {
      lastRank = rankOf(federation, name);
      if (lastRank == table.NONE) return -1;
      lastName = name;
    }
    store<u32>(list + ((<usize>kept) << 2), number);
    store<u32>(buffer.address(federation + RANKS) + ((<usize>kept) << 2), lastRank);
    kept++;
  }
  table.clear(index);
  store<u32>(federation, kept, COUNT);
  buffer.advance(federation + RANKS, kept << 2);
  return <i32>(buffer.length(federation + NAMES) >>> 2);
}

/** Series that are rendered: of the list those with a metric name. */
export function countOf(federation: usize): u32 {
  return load<u32>(federation, COUNT);
}

function rankOf(federation: usize, name: u32): u32 {
  const hash = name * 0x9e3779b1;
  let rank = table.first(index, hash);
  while (rank != table.NONE) {
    if (load<u32>(buffer.address(federation + NAMES) + ((<usize>rank) << 2)) == name) return rank;
    rank = table.next(index, hash);
  }
  const entry = buffer.reserve(federation + NAMES, 4);
  const number = buffer.length(federation + NAMES) >>> 2;
  if (entry == 0 || !table.insert(index, hash, number)) return table.NONE;
  store<u32>(entry, name);
  buffer.advance(federation + NAMES, 4);
  return number;
}

/** The symbol of the `number`-th distinct name. */
export function nameAt(federation: usize, number: u32): u32 {
  return load<u32>(buffer.address(federation + NAMES) + ((<usize>number) << 2));
}

/**
 * Sorts the series by family: `places` has, for each distinct name, its place in the sorted order (u32).
 * `into` has room for the list and replaces it. False where the memory limit says no.
 */
export function arrange(federation: usize, places: usize, into: usize): bool {
  const families = buffer.length(federation + NAMES) >>> 2;
  const count = load<u32>(federation, COUNT);
  const list = <usize>load<u32>(federation, LIST);
  if (buffer.reserve(federation + OFFSETS, (families + 2) << 2) == 0) return false;
  const offsets = buffer.address(federation + OFFSETS);
  const ranks = buffer.address(federation + RANKS);
  memory.fill(offsets, 0, (<usize>(families + 2)) << 2);
  for (let i: u32 = 0; i < count; i++) {
    const place = load<u32>(places + ((<usize>load<u32>(ranks + ((<usize>i) << 2))) << 2));
    const slot = offsets + ((<usize>(place + 2)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  for (let f: u32 = 2; f < families + 2; f++) {
    const slot = offsets + ((<usize>f) << 2);
    store<u32>(slot, load<u32>(slot) + load<u32>(slot - 4));
  }
  for (let i: u32 = 0; i < count; i++) {
    const place = load<u32>(places + ((<usize>load<u32>(ranks + ((<usize>i) << 2))) << 2));
    const slot = offsets + ((<usize>(place + 1)) << 2);
    const at = load<u32>(slot);
    store<u32>(slot, at + 1);
    store<u32>(into + ((<usize>at) << 2), load<u32>(list + ((<usize>i) << 2)));
  }
  // Each start has moved to the next one's, so the family's own start is one slot lower.
  buffer.advance(federation + OFFSETS, (families + 1) << 2);
  store<u32>(federation, <u32>into, LIST);
  buffer.clear(federation + RANKS);
  return true;
}

export function textAddress(): usize {
  return buffer.address(text);
}

export function textBytes(): u32 {
  return buffer.length(text);
}

export function blocksAddress(): usize {
  return buffer.address(blocks);
}

export function blockCount(): u32 {
  return buffer.length(blocks) / 12;
}

/** Gives the output memory back. */
export function release(): void {
  buffer.clear(text);
  buffer.clear(blocks);
}

/**
 * Writes families until there are about `bytes` of text, or what is loaded of blocks ends. 1 when all are written, 0
 * when there are more, -1 where the memory limit says no. A large family goes on in the next text, as another block of its own.
 */
export function render(federation: usize, bytes: u32): i32 {
  const families = buffer.length(federation + NAMES) >>> 2;
  let family = load<u32>(federation, FAMILY);
  buffer.truncate(text, 0);
  buffer.truncate(blocks, 0);
  while (family < families && buffer.length(text) < bytes) {
    const status = renderFamily(federation, family, bytes);
    if (status < 0) return -1;
    if (status == 0) break;
    family++;
    store<u32>(federation, 0, POSITION);
    store<u32>(federation, 0, HEADED);
  }
  store<u32>(federation, family, FAMILY);
  if (query.isBroken(<usize>load<u32>(federation, QUERY))) return -1;
  return i32(family == families);
}

/** The place in the arranged list of the series that comes next. */
export function place(federation: usize): u32 {
  const start = buffer.address(federation + OFFSETS) + ((<usize>load<u32>(federation, FAMILY)) << 2);
  return load<u32>(start) + load<u32>(federation, POSITION);
}

/** Goes on with a family: 1 when it is written, 0 when the text is long enough or the history at its end, -1 where the memory limit says no. */
function renderFamily(federation: usize, family: u32, bytes: u32): i32 {
  const offsets = buffer.address(federation + OFFSETS);
  const list = <usize>load<u32>(federation, LIST);
  const from = load<u32>(offsets + ((<usize>family) << 2));
  const to = load<u32>(offsets + ((<usize>(family + 1)) << 2));
  const start = buffer.length(text);
  let i = from + load<u32>(federation, POSITION);
  // What blocks have of the next ones is to be loaded first.
  const until = min(to, past.end(query.history(<usize>load<u32>(federation, QUERY))));
  while (i < until && buffer.length(text) < bytes) {
    const number = load<u32>(list + ((<usize>i) << 2));
    const place = i++;
    const record = series.findAny(number);
    if (record == 0) continue;
    if (!query.newestSample(<usize>load<u32>(federation, QUERY), number, record, place)) continue;
    // Native histograms are not rendered here.
    if (series.newestHistogram(record) > query.newestTime) continue;
    const set = series.labels(record);
    const isRendered =
      load<u32>(federation, PROTOBUF) == 0
        ? renderSeries(federation, set, load<u32>(federation, HEADED) == 0)
        : renderMetric(federation, set);
    if (!isRendered) return -1;
    store<u32>(federation, 1, HEADED);
  }
  store<u32>(federation, i - from, POSITION);
  return note(family, start) ? i32(i == to) : -1;
}

/** Notes what was written of a family since `start` as a block. */
function note(family: u32, start: u32): bool {
  const length = buffer.length(text) - start;
  if (length == 0) return true;
  const block = buffer.reserve(blocks, 12);
  if (block == 0) return false;
  store<u32>(block, family);
  store<u32>(block, start, 4);
  store<u32>(block, length, 8);
  buffer.advance(blocks, 12);
  return true;
}

/** The series as a field of its family's message. */
function renderMetric(federation: usize, set: usize): bool {
  const schema = series.schemaOf(set);
  const metricName = load<u32>(federation, NAME);
  const utf8 = load<u32>(federation, UTF8) != 0;
  const externals = buffer.length(federation + EXTERNAL) / 12;
  const first = buffer.address(federation + EXTERNAL);
  const texts = buffer.address(federation + EXTERNAL_TEXT);
  let added: u32 = 0;
  for (let i: u32 = 0; i < externals; i++) {
    const external = first + <usize>(i * 12);
    if (isAdded(schema, load<u32>(external))) added += load<u32>(external, 8);
  }
  const labels = protobuf.labelsBytes(set, metricName, utf8);
  const message = protobuf.messageBytes(labels, added, query.newestTime);
  const bytes = protobuf.fieldBytes(message);
  const start = buffer.reserve(text, bytes);
  if (start == 0) return false;
  let at = protobuf.writeHead(start, message, set, metricName, utf8);
  for (let i: u32 = 0; i < externals; i++) {
    const external = first + <usize>(i * 12);
    if (!isAdded(schema, load<u32>(external))) continue;
    const length = load<u32>(external, 8);
    memory.copy(at, texts + load<u32>(external, 4), length);
    at += length;
  }
  at = protobuf.writeTail(at, query.newestValue, query.newestTime);
  assert(at - start == <usize>bytes, 'the metric is as long as it says');
  buffer.advance(text, bytes);
  return true;
}

/** Whether series of a schema get an external label of this name. */
function isAdded(schema: u32, name: u32): bool {
  return name == symbols.NONE || schemas.indexOf(schema, name) < 0;
}

function renderSeries(federation: usize, set: usize, isFirst: bool): bool {
  const schema = series.schemaOf(set);
  const count = schemas.count(schema);
  const names = schemas.names(schema);
  const values = series.values(set);
  const metricName = load<u32>(federation, NAME);
  const utf8 = load<u32>(federation, UTF8) != 0;

  let need: u32 = 128 + buffer.length(federation + EXTERNAL_TEXT) + (buffer.length(federation + EXTERNAL) / 12) * 2;
  for (let i: usize = 0; i < <usize>count; i++) {
    need +=
      escapedMax(symbols.length(load<u32>(names + (i << 2)))) +
      escapedMax(symbols.length(load<u32>(values + (i << 2)))) +
      8;
  }
  const metric = series.valueOf(set, metricName);
  need += escapedMax(symbols.length(metric)) * 2 + TYPE_BYTES;
  const start = buffer.reserve(text, need);
  if (start == 0) return false;
  let at = start;

  const plainName = isLegacyName(symbols.address(metric), symbols.length(metric), true);
  if (isFirst) {
    store<u64>(at, 0x20455059542023); // "# TYPE "
    at += 7;
    at = writeName(at, metric, plainName, utf8, true);
    store<u64>(at, 0x64657079746e7520); // " untyped"
    store<u8>(at, 0x0a, 8);
    at += 9;
  }
  let separator: u8 = 0x7b; // {
  if (plainName || !utf8) {
    at = writeName(at, metric, plainName, utf8, true);
  } else {
    store<u8>(at, separator);
    at = writeName(at + 1, metric, false, true, true);
    separator = 0x2c;
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    const name = load<u32>(names + (i << 2));
    if (name == metricName) continue;
    const value = load<u32>(values + (i << 2));
    store<u8>(at, separator);
    separator = 0x2c; // ,
    at = writeName(at + 1, name, isLegacyName(symbols.address(name), symbols.length(name), false), utf8, false);
    store<u16>(at, 0x223d); // ="
    at = writeValue(at + 2, symbols.address(value), symbols.length(value));
    store<u8>(at, 0x22);
    at++;
  }
  const externals = buffer.length(federation + EXTERNAL) / 12;
  for (let i: u32 = 0; i < externals; i++) {
    const external = buffer.address(federation + EXTERNAL) + <usize>(i * 12);
    const name = load<u32>(external);
    if (!isAdded(schema, name)) continue;
    store<u8>(at, separator);
    separator = 0x2c;
    const length = load<u32>(external, 8);
    memory.copy(at + 1, buffer.address(federation + EXTERNAL_TEXT) + load<u32>(external, 4), length);
    at += 1 + length;
  }
  if (separator == 0x2c) {
    store<u8>(at, 0x7d); // }
    at++;
  }
  store<u8>(at, 0x20);
  // The text format knows no negative zero.
  at = printText(at + 1, query.newestValue << 1 == 0 ? 0 : query.newestValue);
  store<u8>(at, 0x20);
  at = writeInteger(at + 1, query.newestTime);
  store<u8>(at, 0x0a);
  at++;
  assert(at - start <= <usize>need, 'room was made for the line');
  buffer.advance(text, <u32>(at - start));
  return true;
}

function writeName(at: usize, symbol: u32, plain: bool, utf8: bool, colon: bool): usize {
  const from = symbols.address(symbol);
  const length = symbols.length(symbol);
  if (plain) {
    memory.copy(at, from, length);
    return at + length;
  }
  if (!utf8) return writeUnderscored(at, from, length, colon);
  store<u8>(at, 0x22);
  at = writeValue(at + 1, from, length);
  store<u8>(at, 0x22);
  return at + 1;
}

/** A decimal integer. */
function writeInteger(at: usize, value: i64): usize {
  if (value < 0) {
    store<u8>(at, 0x2d);
    at++;
    value = -value;
  }
  let digits: usize = 1;
  for (let rest: u64 = <u64>value / 10; rest != 0; rest /= 10) digits++;
  let rest: u64 = value;
  for (let i = digits; i > 0; i--) {
    store<u8>(at + i - 1, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
  return at + digits;
}
