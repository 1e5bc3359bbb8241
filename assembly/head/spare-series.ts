// Series that the log may name although their records are lost: read from the copy that is kept of them (docs/formats/wal.md),
// and made when a record of the log asks for their ref (replay.ts).
//
//   entries   ┌────────┬──────────────────────────┬────────┬────────
//             │ length │ ref u64, labels: as in   │ length │ …         length: u32, its highest bit set once the entry
//             │        │ a record of series       │        │           became a series that the log lacks
//             └────────┴──────────────────────────┴────────┴────────
//   places    ref ──► where its entry is, + 1; of several the last

import * as buffer from '../memory/buffer';
import * as map from './ref-map';

const entries: usize = memory.data(16, 8);
const places: usize = memory.data(map.MAP_BYTES, 8);
const HEAD_BYTES: u32 = 4;
const MADE: u32 = 0x80000000;
let made: u32 = 0;

/** Copies an entry. False where the memory limit says no. */
export function add(ref: u64, entry: usize, bytes: u32): bool {
  const at = buffer.reserve(entries, HEAD_BYTES + bytes);
  const slot: usize = at == 0 ? 0 : map.slot(places, ref);
  if (slot == 0) return false;
  store<u32>(at, bytes);
  memory.copy(at + HEAD_BYTES, entry, bytes);
  store<u32>(slot, buffer.length(entries) + 1);
  buffer.advance(entries, HEAD_BYTES + bytes);
  return true;
}

/** The entry of a ref, until the next add(); 0 where there is none. */
export function find(ref: u64): usize {
  // As a rule, and this is asked for each sample of other shards' series.
  if (buffer.length(entries) == 0) return 0;
  const slot = map.find(places, ref);
  const place: u32 = slot == 0 ? 0 : load<u32>(slot);
  return place == 0 ? 0 : buffer.address(entries) + place - 1 + HEAD_BYTES;
}

export function bytesOf(entry: usize): u32 {
  return load<u32>(entry - HEAD_BYTES) & ~MADE;
}

/** An entry became a series. */
export function noteMade(entry: usize): void {
  made++;
  store<u32>(entry - HEAD_BYTES, load<u32>(entry - HEAD_BYTES) | MADE);
}

/** The log has a record of the series after all. */
export function noteDefined(ref: u64): void {
  const entry = find(ref);
  if (entry == 0 || (load<u32>(entry - HEAD_BYTES) & MADE) == 0) return;
  store<u32>(entry - HEAD_BYTES, bytesOf(entry));
  made--;
}

/** Entries that became series that the log lacks. */
export function madeCount(): u32 {
  return made;
}

/** The first entry behind one, or of all for 0, that became a series; 0 behind the last. */
export function nextMade(entry: usize): usize {
  const stop = buffer.address(entries) + buffer.length(entries);
  let at: usize = entry == 0 ? buffer.address(entries) : entry + bytesOf(entry);
  while (at < stop) {
    if ((load<u32>(at) & MADE) != 0) return at + HEAD_BYTES;
    at += HEAD_BYTES + (load<u32>(at) & ~MADE);
  }
  return 0;
}

export function clear(): void {
  made = 0;
  buffer.clear(entries);
  map.clear(places);
}
