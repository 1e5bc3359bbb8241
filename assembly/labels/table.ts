// Label tables: the label sets of many series as bytes that another thread can read.
//
//   strings   each distinct name and value once          rows   for each series
//   ┌──────────┬───────┬──────────┬───────┬───            ┌───────┬───────┬────────┬───────┬────────┬───
//   │ len u32  │ bytes │ len u32  │ bytes │ …             │ pairs │ name  │ value  │ name  │ value  │ …
//   └──────────┴───────┴──────────┴───────┴───            └───────┴───────┴────────┴───────┴────────┴───
//                                                         u32 each; names and values are numbers of strings
//
// So a thousand series of one job carry the job's name once. docs/formats/shard-messages.md.

import * as buffer from '../memory/buffer';
import * as table from '../memory/table';
import * as symbols from './symbols';

const strings: usize = memory.data(16, 8);
const rows: usize = memory.data(16, 8);
/** Symbols in the order of their strings. */
const order: usize = memory.data(16, 8);
const index: usize = memory.data(16, 8);
let rowStart: u32 = 0;
let stringCount: u32 = 0;

/** Starts an empty table, the memory of the last one kept. */
export function begin(): void {
  buffer.truncate(strings, 0);
  buffer.truncate(rows, 0);
  buffer.truncate(order, 0);
  table.clear(index);
  stringCount = 0;
}

/** Gives all memory back. */
export function clear(): void {
  buffer.clear(strings);
  buffer.clear(rows);
  buffer.clear(order);
  table.clear(index);
  stringCount = 0;
}

/** Bytes that the table takes, those to grow into among them. */
export function capacity(): u32 {
  return buffer.capacity(strings) + buffer.capacity(rows) + buffer.capacity(order);
}

/** Starts a row; false where the memory limit says no. */
export function beginRow(): bool {
  const at = buffer.reserve(rows, 4);
  if (at == 0) return false;
  rowStart = buffer.length(rows);
  store<u32>(at, 0);
  buffer.advance(rows, 4);
  return true;
}

/** Adds a pair to the row begun last. */
export function addPair(name: u32, value: u32): bool {
  const nameNumber = numberOf(name);
  const valueNumber = numberOf(value);
  const at = buffer.reserve(rows, 8);
  if (nameNumber == table.NONE || valueNumber == table.NONE || at == 0) return false;
  store<u32>(at, nameNumber);
  store<u32>(at, valueNumber, 4);
  buffer.advance(rows, 8);
  const count = buffer.address(rows) + rowStart;
  store<u32>(count, load<u32>(count) + 1);
  return true;
}

/** Adds a string that no row has; false where the memory limit says no. */
export function addString(symbol: u32): bool {
  return numberOf(symbol) != table.NONE;
}

export function stringsAddress(): usize {
  return buffer.address(strings);
}

export function stringsBytes(): u32 {
  return buffer.length(strings);
}

export function rowsAddress(): usize {
  return buffer.address(rows);
}

export function rowsBytes(): u32 {
  return buffer.length(rows);
}

function numberOf(symbol: u32): u32 {
  const hash = symbol * 0x9e3779b1;
  let number = table.first(index, hash);
  while (number != table.NONE) {
    if (load<u32>(buffer.address(order) + ((<usize>number) << 2)) == symbol) return number;
    number = table.next(index, hash);
  }
  return append(symbol, hash);
}

function append(symbol: u32, hash: u32): u32 {
  const length = symbols.length(symbol);
  const at = buffer.reserve(strings, length + 4);
  const entry = buffer.reserve(order, 4);
  if (at == 0 || entry == 0 || !table.insert(index, hash, stringCount)) return table.NONE;
  store<u32>(at, length);
  memory.copy(at + 4, symbols.address(symbol), length);
  buffer.advance(strings, length + 4);
  store<u32>(entry, symbol);
  buffer.advance(order, 4);
  return stringCount++;
}
