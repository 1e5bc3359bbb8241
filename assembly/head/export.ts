// Carrying series and their chunks of a range of times out of the head, page by page: what becomes a block.
//
// Chunks do not cross the ends of the range (split.ts sees to that), and nobody appends to it any more. Pages are
// u32 words, but for strings, and lie in buffers until the next call.
//
//   series   ┌────────┬────────┬─────────┬─────────┬─
//            │ series │ schema │ value 0 │ value 1 │ …      a symbol for each name of the schema
//            └────────┴────────┴─────────┴─────────┴─
//   schemas  ┌────────┬────────┬────────┬─
//            │ count  │ name 0 │ name 1 │ …               all of them, in order of their numbers
//            └────────┴────────┴────────┴─
//   symbols  lengths, a word each, 0 of a number that is free; and their bytes, one after the other
//
//   chunks   of each series asked for        of each chunk, oldest first; times are f64, in ms
//            ┌────────┬──────┐               ┌──────┬──────┬───────┬──────────┬────────────────────────┐
//            │ chunks │  –   │  then         │ minT │ maxT │ bytes │ encoding │ bytes, padded to 8     │
//            └────────┴──────┘               └──────┴──────┴───────┴──────────┴────────────────────────┘
//
// Chunks that are in files alone were loaded by who asks: see query/history.ts for the form, entry i is that of series i.

import * as read from '../chunk/read';
import { Sealed } from '../chunk/read';
import { firstTime } from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import * as schemas from '../labels/schemas';
import * as symbols from '../labels/symbols';
import { EXPORT_CHUNK_BYTES, EXPORT_SERIES_BYTES, EXPORT_XOR } from '../layout';
import * as buffer from '../memory/buffer';
import * as series from './series';
import * as spilled from './spilled';
import { firstOfOpen } from './split';

const WORD: usize = 4;
const page: usize = memory.data(16, 8);
const strings: usize = memory.data(16, 8);

export function pageAddress(): usize {
  return buffer.address(page);
}

export function pageBytes(): u32 {
  return buffer.length(page);
}

export function stringsAddress(): usize {
  return buffer.address(strings);
}

export function stringsBytes(): u32 {
  return buffer.length(strings);
}

/** Gives the pages' memory back. */
export function clear(): void {
  buffer.clear(page);
  buffer.clear(strings);
}

/**
 * Writes the series that have chunks in [mint, maxt), of at most `count` from `from` on, until the page has
 * `bytesMax`. Gives where to go on; `from` itself where the memory limit says no.
 */
export function seriesPage(mint: f64, maxt: f64, from: u32, count: u32, bytesMax: u32): u32 {
  buffer.truncate(page, 0);
  const end = min(from + count, series.bound());
  let number = from;
  for (; number < end && buffer.length(page) < bytesMax; number++) {
    const record = series.find(number);
    if (record == 0 || !hasChunks(record, <i64>mint, <i64>maxt)) continue;
    if (!writeSeries(number, record)) return number;
  }
  return number;
}

/** Writes the series of a list until the page has `bytesMax`. Gives how many; the memory limit may end it early. */
export function seriesPageOf(list: usize, count: u32, bytesMax: u32): u32 {
  buffer.truncate(page, 0);
  let done: u32 = 0;
  for (; done < count && buffer.length(page) < bytesMax; done++) {
    const number = load<u32>(list + ((<usize>done) << 2));
    const record = series.find(number);
    if (record != 0 && !writeSeries(number, record)) break;
  }
  return done;
}

/** Writes the names of all schemas; false where the memory limit says no. */
export function schemasPage(): bool {
  buffer.truncate(page, 0);
  const bound = schemas.bound();
  for (let schema: u32 = 0; schema < bound; schema++) {
    const names = schemas.count(schema);
    const at = buffer.reserve(page, (names + 1) << 2);
    if (at == 0) return false;
    store<u32>(at, names);
    memory.copy(at + WORD, schemas.names(schema), (<usize>names) << 2);
    buffer.advance(page, (names + 1) << 2);
  }
  return true;
}

/** Writes symbols from number `from` on until their bytes are `bytesMax`. Gives where to go on; `from` where the memory limit says no. */
export function symbolsPage(from: u32, bytesMax: u32): u32 {
  buffer.truncate(page, 0);
  buffer.truncate(strings, 0);
  const bound = symbols.bound();
  let symbol = from;
  for (; symbol < bound && buffer.length(strings) + buffer.length(page) < bytesMax; symbol++) {
    const length = symbols.length(symbol);
    const entry = buffer.reserve(page, <u32>WORD);
    const at = buffer.reserve(strings, length);
    if (entry == 0 || (at == 0 && length != 0)) return symbol;
    store<u32>(entry, length);
    if (length != 0) memory.copy(at, symbols.address(symbol), length);
    buffer.advance(page, <u32>WORD);
    buffer.advance(strings, length);
  }
  return symbol;
}

/** Writes the chunks in [mint, maxt) of a list of series, and before them those loaded (`entries`, 0 where none were), until the page has `bytesMax`. Gives for how many series; the memory limit may end it early. */
export function chunksPage(list: usize, entries: usize, count: u32, mint: f64, maxt: f64, bytesMax: u32): u32 {
  buffer.truncate(page, 0);
  let done: u32 = 0;
  for (; done < count && buffer.length(page) < bytesMax; done++) {
    const record = series.find(load<u32>(list + ((<usize>done) << 2)));
    const loaded: usize = entries == 0 ? 0 : <usize>load<u32>(entries + ((<usize>done) << 2));
    if (!(record == 0 ? writeNothing() : writeChunks(record, loaded, <i64>mint, <i64>maxt))) break;
  }
  return done;
}

/** The time of the oldest sample at or after `mint` of `count` series from `from` on, to a chunk: of one that begins before, `mint`. Infinity where there is none. */
export function oldest(mint: f64, from: u32, count: u32): f64 {
  let time = i64.MAX_VALUE;
  const end = min(from + count, series.bound());
  for (let number = from; number < end; number++) {
    const record = series.find(number);
    if (record != 0) time = min(time, oldestOf(record, <i64>mint));
  }
  return time == i64.MAX_VALUE ? Infinity : max(<f64>time, mint);
}

function oldestOf(record: usize, mint: i64): i64 {
  let time = i64.MAX_VALUE;
  const state = changetype<ChunkState>(series.chunk(record));
  if (state.count != 0 && state.time >= mint) time = firstOfOpen(state);
  for (let block = series.sealed(record); isWithin(block, mint); block = <usize>changetype<Sealed>(block).next) {
    time = changetype<Sealed>(block).minT;
  }
  const slot = series.spilled(record);
  const count = spilled.count(slot);
  for (let i: u32 = 0; i < count; i++) {
    if (spilled.maxOf(slot, i) >= mint) return min(time, spilled.minOf(slot, i));
  }
  return time;
}

/** Also of a series that has none of floats, but may have some of histograms: those are added in TypeScript. */
function hasChunks(record: usize, mint: i64, maxt: i64): bool {
  if (series.newestHistogram(record) >= mint) return true;
  if (isOpenWithin(changetype<ChunkState>(series.chunk(record)), mint, maxt)) return true;
  const block = newestBefore(record, maxt);
  return (block != 0 && changetype<Sealed>(block).maxT >= mint) || hasSpilled(series.spilled(record), mint, maxt);
}

function hasSpilled(slot: usize, mint: i64, maxt: i64): bool {
  const count = spilled.count(slot);
  for (let i: u32 = 0; i < count; i++) {
    if (spilled.maxOf(slot, i) >= mint && spilled.minOf(slot, i) < maxt) return true;
  }
  return false;
}

function isOpenWithin(state: ChunkState, mint: i64, maxt: i64): bool {
  return state.count != 0 && state.time >= mint && state.time < maxt;
}

/** The newest sealed chunk that ends before `maxt`; 0 where there is none. */
function newestBefore(record: usize, maxt: i64): usize {
  let block = series.sealed(record);
  while (block != 0 && changetype<Sealed>(block).maxT >= maxt) block = <usize>changetype<Sealed>(block).next;
  return block;
}

function writeSeries(number: u32, record: usize): bool {
  const set = series.labels(record);
  const schema = series.schemaOf(set);
  const values = schemas.count(schema);
  const bytes: u32 = (values + 2) << 2;
  const at = buffer.reserve(page, bytes);
  if (at == 0) return false;
  store<u32>(at, number);
  store<u32>(at, schema, WORD);
  memory.copy(at + 2 * WORD, series.values(set), (<usize>values) << 2);
  buffer.advance(page, bytes);
  return true;
}

/** A series that is gone has no chunks. */
function writeNothing(): bool {
  const at = buffer.reserve(page, EXPORT_SERIES_BYTES);
  if (at == 0) return false;
  store<u64>(at, 0);
  buffer.advance(page, EXPORT_SERIES_BYTES);
  return true;
}

/** Sealed chunks are linked newest first, so the page is filled from its end. */
function writeChunks(record: usize, loaded: usize, mint: i64, maxt: i64): bool {
  const state = changetype<ChunkState>(series.chunk(record));
  const isOpen = isOpenWithin(state, mint, maxt);
  const openBytes: usize = isOpen ? read.size(state) : 0;
  const newest = newestBefore(record, maxt);
  let chunks: u32 = isOpen ? 1 : 0;
  let bytes: usize = <usize>EXPORT_SERIES_BYTES + (isOpen ? room(openBytes) : 0);
  for (let block = newest; isWithin(block, mint); block = <usize>changetype<Sealed>(block).next) {
    chunks++;
    bytes += room(<usize>read.bytesOf(changetype<Sealed>(block)));
  }
  for (let block = loaded; block != 0; block = <usize>changetype<Sealed>(block).next) {
    chunks++;
    bytes += room(<usize>read.bytesOf(changetype<Sealed>(block)));
  }
  const at = buffer.reserve(page, <u32>bytes);
  if (at == 0) return false;
  store<u32>(at, chunks);
  store<u32>(at, 0, WORD);
  let end = at + bytes;
  if (isOpen) {
    end -= room(openBytes);
    read.copy(state, end + <usize>EXPORT_CHUNK_BYTES, openBytes);
    describe(end, firstTime(end + <usize>EXPORT_CHUNK_BYTES), state.time, openBytes);
  }
  for (let block = newest; isWithin(block, mint); block = <usize>changetype<Sealed>(block).next) {
    end = writeSealed(end, changetype<Sealed>(block));
  }
  for (let block = loaded; block != 0; block = <usize>changetype<Sealed>(block).next) {
    end = writeSealed(end, changetype<Sealed>(block));
  }
  assert(end == at + <usize>EXPORT_SERIES_BYTES, 'two walks over the same chunks disagree');
  buffer.advance(page, <u32>bytes);
  return true;
}

/** Writes a chunk in front of `end`; gives where it begins. */
function writeSealed(end: usize, chunk: Sealed): usize {
  const bytes = <usize>read.bytesOf(chunk);
  const at = end - room(bytes);
  memory.copy(at + <usize>EXPORT_CHUNK_BYTES, read.dataOf(chunk), bytes);
  describe(at, chunk.minT, chunk.maxT, bytes);
  return at;
}

function isWithin(block: usize, mint: i64): bool {
  return block != 0 && changetype<Sealed>(block).maxT >= mint;
}

/** Bytes that a chunk takes in a page. */
function room(bytes: usize): usize {
  return <usize>EXPORT_CHUNK_BYTES + ((bytes + 7) & ~(<usize>7));
}

function describe(at: usize, mint: i64, maxt: i64, bytes: usize): void {
  store<f64>(at, <f64>mint);
  store<f64>(at, <f64>maxt, 8);
  store<u32>(at, <u32>bytes, 16);
  store<u32>(at, EXPORT_XOR, 20);
}
