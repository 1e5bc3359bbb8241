// Symbols: every label name and value once, as bytes, behind a u32.
//
//   record (16 bytes)
//   ┌─────────┬────────┬────────────┬────────┐
//   │ address │ length │ references │ hash   │
//   └─────────┴────────┴────────────┴────────┘
//
// A symbol whose references fall to 0 is freed and its number is given out again,
// so a churning label costs no memory in the long run.

import { equal } from '../bytes/equal';
import { hash64 } from '../bytes/hash';
import * as heap from '../memory/heap';
import * as table from '../memory/table';
import * as vector from '../memory/vector';

const LOG2: u32 = 4;
const ADDRESS: usize = 0;
const LENGTH: usize = 4;
const REFERENCES: usize = 8;
const HASH: usize = 12;

/** No symbol. */
export const NONE: u32 = 0xffffffff;

const records: usize = memory.data(16, 8);
const index: usize = memory.data(16, 8);
let freeHead: u32 = NONE;
let bytes: u64 = 0;
/** Another number after a symbol was freed: who remembers one has to forget it then. */
let frees: u32 = 0;

export function freeCount(): u32 {
  return frees;
}

export function address(symbol: u32): usize {
  return <usize>load<u32>(vector.at(records, symbol, LOG2), ADDRESS);
}

export function length(symbol: u32): u32 {
  return load<u32>(vector.at(records, symbol, LOG2), LENGTH);
}

/** One more than the highest symbol number in use. */
export function bound(): u32 {
  return vector.count(records);
}

/** Symbols alive. */
export function count(): u32 {
  return table.live(index);
}

/** Bytes of all strings alive. */
export function stringBytes(): f64 {
  return <f64>bytes;
}

/** The symbol of these bytes, or NONE. Borrows. */
export function find(at: usize, size: u32): u32 {
  return lookup(at, size, <u32>hash64(at, size));
}

/**
 * The symbol of these bytes, made where there is none; NONE where the memory limit says no.
 * `hash` is the low half of their hash64. Takes no reference. Copies.
 */
export function intern(at: usize, size: u32, hash: u32): u32 {
  const known = lookup(at, size, hash);
  return known != NONE ? known : create(at, size, hash);
}

export function retain(symbol: u32): void {
  const record = vector.at(records, symbol, LOG2);
  store<u32>(record, load<u32>(record, REFERENCES) + 1, REFERENCES);
}

/** Gives a reference back; the last one frees the symbol. */
export function release(symbol: u32): void {
  const record = vector.at(records, symbol, LOG2);
  const left = load<u32>(record, REFERENCES) - 1;
  store<u32>(record, left, REFERENCES);
  if (left == 0) destroy(symbol, record);
}

/** Like find(), for bytes whose hash is known. */
export function lookup(at: usize, size: u32, hash: u32): u32 {
  let symbol = table.first(index, hash);
  while (symbol != table.NONE) {
    const record = vector.at(records, symbol, LOG2);
    if (load<u32>(record, LENGTH) == size && equal(<usize>load<u32>(record, ADDRESS), at, size)) return symbol;
    symbol = table.next(index, hash);
  }
  return NONE;
}

function create(at: usize, size: u32, hash: u32): u32 {
  const string = heap.alloc(max<usize>(size, 1));
  if (string == 0) return NONE;
  let symbol = freeHead;
  let record: usize;
  if (symbol != NONE) {
    record = vector.at(records, symbol, LOG2);
    freeHead = load<u32>(record, ADDRESS);
  } else {
    record = vector.push(records, LOG2);
    if (record == 0) {
      heap.free(string, max<usize>(size, 1));
      return NONE;
    }
    symbol = vector.count(records) - 1;
  }
  if (!table.insert(index, hash, symbol)) {
    heap.free(string, max<usize>(size, 1));
    store<u32>(record, freeHead, ADDRESS);
    freeHead = symbol;
    return NONE;
  }
  memory.copy(string, at, size);
  bytes += size;
  store<u32>(record, <u32>string, ADDRESS);
  store<u32>(record, size, LENGTH);
  store<u32>(record, 0, REFERENCES);
  store<u32>(record, hash, HASH);
  return symbol;
}

function destroy(symbol: u32, record: usize): void {
  frees++;
  const size = load<u32>(record, LENGTH);
  table.remove(index, load<u32>(record, HASH), symbol);
  heap.free(<usize>load<u32>(record, ADDRESS), max<usize>(size, 1));
  bytes -= size;
  store<u32>(record, freeHead, ADDRESS);
  store<u32>(record, 0, LENGTH);
  freeHead = symbol;
}
