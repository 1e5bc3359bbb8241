// The label scratch: where a label set is put together before it becomes a series.
//
// One per core. Every slow path (a new line of a scrape, a new series of a remote
// write, label sets that main hands in) goes begin, add, add, …, finish; then the head and the log
// read it with count(), nameAddress() and the like, until the next begin().
//
//   arena     name value name value …           the bytes, copied, unescaped
//   labels    u32 count, then per label         sorted by name after finish()
//             ┌──────────┬────────────┬──────────┬─────────────┐
//             │ name at  │ name bytes │ value at │ value bytes │   u32 each
//             └──────────┴────────────┴──────────┴─────────────┘
//             "at" counts from the arena's start until finish(), then it is an address.
//
// A label set kept elsewhere (a target's own labels) is the pairs alone, one behind
// the other: name bytes u32, value bytes u32, name, value. That is also the form in
// which TypeScript hands a label set over.
//
// After finish(): names strictly increase in byte order, no value is empty, all is
// valid UTF-8, no name is empty.

import { copyShort } from '../bytes/copy-short';
import { find } from '../bytes/scan';
import { isValidUtf8 } from '../bytes/utf8';
import { LabelFault } from '../layout';
import * as heap from '../memory/heap';

const LABEL_BYTES: usize = 16;
const NAME_AT: usize = 4;
const NAME_BYTES: usize = 8;
const VALUE_AT: usize = 12;
const VALUE_BYTES: usize = 16;

const ARENA_MIN: usize = 4096;
const LABELS_MIN: u32 = 64;
/** Up to here insertion sort; above, heap sort, so that hostile input stays n log n. */
const INSERTION_MAX: u32 = 24;

const PAIR_HEAD: usize = 8;

/** "exported_" */
const prefix: usize = memory.data<u8>([0x65, 0x78, 0x70, 0x6f, 0x72, 0x74, 0x65, 0x64, 0x5f]);
const PREFIX_BYTES: u32 = 9;

let arena: usize = 0;
let arenaBytes: usize = 0;
let arenaUsed: usize = 0;
let labels: usize = 0;
let capacity: u32 = 0;
let failed: bool = false;

/** The index of the label the last fault is about; its name and value can still be read. */
export let faultAt: u32 = 0;

export function count(): u32 {
  return load<u32>(labels);
}

export function nameAddress(index: u32): usize {
  return <usize>load<u32>(slot(index), NAME_AT);
}

export function nameLength(index: u32): u32 {
  return load<u32>(slot(index), NAME_BYTES);
}

export function valueAddress(index: u32): usize {
  return <usize>load<u32>(slot(index), VALUE_AT);
}

export function valueLength(index: u32): u32 {
  return load<u32>(slot(index), VALUE_BYTES);
}

/** Four bytes before the label itself, so that the offsets above step over the count. */
function slot(index: u32): usize {
  return labels + <usize>index * LABEL_BYTES;
}

/** The address of the count and, behind it, the labels: good until the next add(). */
export function address(): usize {
  return labels;
}

/** Empties the scratch. */
export function begin(): void {
  if (labels == 0) {
    labels = heap.alloc(sizeof<u32>() + <usize>LABELS_MIN * LABEL_BYTES);
    capacity = LABELS_MIN;
  }
  if (arena == 0) {
    arena = heap.alloc(ARENA_MIN);
    arenaBytes = ARENA_MIN;
  }
  failed = labels == 0 || arena == 0;
  if (failed) return;
  arenaUsed = 0;
  faultAt = 0;
  store<u32>(labels, 0);
}

/** Adds a label. Copies. */
export function add(name: usize, nameBytes: usize, value: usize, valueBytes: usize): void {
  if (!reserve(nameBytes + valueBytes)) return;
  copyShort(arena + arenaUsed, name, nameBytes);
  copyShort(arena + arenaUsed + nameBytes, value, valueBytes);
  push(nameBytes, valueBytes);
}

/** Adds a label whose name and value may hold the escapes \\ \" \n of the text format; other backslashes stay. Copies. */
export function addEscaped(name: usize, nameBytes: usize, value: usize, valueBytes: usize): void {
  if (!reserve(nameBytes + valueBytes)) return;
  const at = arena + arenaUsed;
  const plainName = unescape(at, name, nameBytes);
  const plainValue = unescape(at + plainName, value, valueBytes);
  push(plainName, plainValue);
}

function push(nameBytes: usize, valueBytes: usize): void {
  const index = count();
  const at = slot(index);
  store<u32>(at, <u32>arenaUsed, NAME_AT);
  store<u32>(at, <u32>nameBytes, NAME_BYTES);
  store<u32>(at, <u32>(arenaUsed + nameBytes), VALUE_AT);
  store<u32>(at, <u32>valueBytes, VALUE_BYTES);
  arenaUsed += nameBytes + valueBytes;
  store<u32>(labels, index + 1);
}

/** Room for one more label with so many bytes. */
function reserve(bytes: usize): bool {
  if (failed) return false;
  if (count() == capacity && !growLabels()) return false;
  return arenaUsed + bytes <= arenaBytes || growArena(arenaUsed + bytes);
}

function growLabels(): bool {
  const old = sizeof<u32>() + <usize>capacity * LABEL_BYTES;
  const wanted = sizeof<u32>() + <usize>capacity * 2 * LABEL_BYTES;
  const block = heap.alloc(wanted);
  if (block == 0) return refuse();
  memory.copy(block, labels, old);
  heap.free(labels, old);
  labels = block;
  capacity *= 2;
  return true;
}

function growArena(need: usize): bool {
  const wanted = max(need, arenaBytes * 2);
  const block = heap.alloc(wanted);
  if (block == 0) return refuse();
  memory.copy(block, arena, arenaUsed);
  heap.free(arena, arenaBytes);
  arena = block;
  arenaBytes = wanted;
  return true;
}

function refuse(): bool {
  failed = true;
  return false;
}

/** Copies `bytes` to `to`, escapes resolved; gives how many were written. */
function unescape(to: usize, from: usize, bytes: usize): usize {
  const start = to;
  const end = from + bytes;
  if (find(from, end, 0x5c) == end) {
    copyShort(to, from, bytes);
    return bytes;
  }
  while (from < end) {
    let byte = load<u8>(from);
    from++;
    if (byte == 0x5c /* \ */ && from < end) {
      const next = load<u8>(from);
      const escaped = next == 0x5c || next == 0x22 /* " */ || next == 0x6e; /* n */
      if (escaped) {
        byte = next == 0x6e ? 0x0a : next;
        from++;
      }
    }
    store<u8>(to, byte);
    to++;
  }
  return to - start;
}

// ---- before finish(): offsets, not addresses

/** The index of the first label with that name, or -1. */
function indexOf(name: usize, nameBytes: u32): i32 {
  const labelCount = count();
  for (let i: u32 = 0; i < labelCount; i++) {
    if (nameLength(i) == nameBytes && memory.compare(arena + nameAddress(i), name, nameBytes) == 0) return <i32>i;
  }
  return -1;
}

/** Removes every label with that name, keeping the order of the others. */
function removeAll(name: usize, nameBytes: u32): void {
  const labelCount = count();
  let kept: u32 = 0;
  for (let i: u32 = 0; i < labelCount; i++) {
    if (nameLength(i) == nameBytes && memory.compare(arena + nameAddress(i), name, nameBytes) == 0) continue;
    if (kept != i) memory.copy(slot(kept) + NAME_AT, slot(i) + NAME_AT, LABEL_BYTES);
    kept++;
  }
  store<u32>(labels, kept);
}

/**
 * Adds the labels of a target, kept as pairs from `pairs` to `end`, to those of a
 * scraped line. Borrows.
 *
 * honor: the scraped label wins, and one with an empty value removes the target's.
 * Otherwise the target's wins, and the scraped one becomes exported_<name>, with the
 * prefix repeated until that name is free; shorter names first, as Prometheus does.
 */
export function addTarget(pairs: usize, end: usize, honor: bool): void {
  if (honor) {
    for (let at = pairs; at < end; at = pairEnd(at)) {
      if (indexOf(at + PAIR_HEAD, load<u32>(at)) < 0) addPair(at);
    }
    return;
  }
  let conflicts: u32 = 0;
  for (let at = pairs; at < end; at = pairEnd(at)) {
    if (isTaken(at + PAIR_HEAD, load<u32>(at))) conflicts++;
  }
  const block: usize = conflicts == 0 ? 0 : heap.alloc(<usize>conflicts * LABEL_BYTES);
  if (conflicts > 0 && block == 0) {
    failed = true;
    return;
  }
  // The conflicts lie sorted by name length, in the form of labels.
  let kept: u32 = 0;
  for (let at = pairs; at < end; at = pairEnd(at)) {
    const nameBytes = load<u32>(at);
    if (isTaken(at + PAIR_HEAD, nameBytes)) {
      insertByLength(block, kept, <u32>indexOf(at + PAIR_HEAD, nameBytes));
      kept++;
    }
    removeAll(at + PAIR_HEAD, nameBytes);
    addPair(at);
  }
  for (let i: u32 = 0; i < kept; i++) exportLabel(block + <usize>i * LABEL_BYTES - NAME_AT);
  if (block != 0) heap.free(block, <usize>conflicts * LABEL_BYTES);
}

function pairEnd(at: usize): usize {
  return at + PAIR_HEAD + load<u32>(at) + load<u32>(at, 4);
}

function addPair(at: usize): void {
  const nameBytes = load<u32>(at);
  add(at + PAIR_HEAD, nameBytes, at + PAIR_HEAD + nameBytes, load<u32>(at, 4));
}

/** Whether the name is there with a value that is not empty. */
function isTaken(name: usize, nameBytes: u32): bool {
  const index = indexOf(name, nameBytes);
  return index >= 0 && valueLength(<u32>index) != 0;
}

/** Puts label `index` among `used` labels at `block`, behind those whose names are not longer. */
function insertByLength(block: usize, used: u32, index: u32): void {
  const size = nameLength(index);
  let at = block + <usize>used * LABEL_BYTES;
  while (at > block && load<u32>(at - LABEL_BYTES, NAME_BYTES - NAME_AT) > size) {
    memory.copy(at, at - LABEL_BYTES, LABEL_BYTES);
    at -= LABEL_BYTES;
  }
  memory.copy(at, slot(index) + NAME_AT, LABEL_BYTES);
}

/** Adds a label, read from `conflict`, under the first free name with the prefix exported_. */
function exportLabel(conflict: usize): void {
  const oldBytes = load<u32>(conflict, NAME_BYTES);
  const oldName = load<u32>(conflict, NAME_AT);
  for (let prefixes: u32 = 1; ; prefixes++) {
    const nameBytes = prefixes * PREFIX_BYTES + oldBytes;
    if (!reserve(nameBytes)) return;
    const name = arena + arenaUsed;
    for (let i: u32 = 0; i < prefixes; i++) memory.copy(name + i * PREFIX_BYTES, prefix, PREFIX_BYTES);
    memory.copy(name + prefixes * PREFIX_BYTES, arena + oldName, oldBytes);
    if (isTaken(name, nameBytes)) continue;
    removeAll(name, nameBytes);
    push(nameBytes, 0);
    const at = slot(count() - 1);
    store<u32>(at, load<u32>(conflict, VALUE_AT), VALUE_AT);
    store<u32>(at, load<u32>(conflict, VALUE_BYTES), VALUE_BYTES);
    return;
  }
}

// ---- finish

/**
 * Sorts, checks and drops empty values. With `strict` a name that occurs twice is a
 * fault even where one value is empty (remote write); without it, an empty
 * value removes all of that name (text format). The scratch then holds addresses.
 */
export function finish(strict: bool): LabelFault {
  if (failed) return LabelFault.NoMemory;
  const labelCount = count();
  for (let i: u32 = 0; i < labelCount; i++) {
    const at = slot(i);
    store<u32>(at, <u32>(arena + load<u32>(at, NAME_AT)), NAME_AT);
    store<u32>(at, <u32>(arena + load<u32>(at, VALUE_AT)), VALUE_AT);
  }
  if (!isSorted()) sort();
  const fault = dropEmpty(strict);
  return fault != LabelFault.None ? fault : validate();
}

/** Goes over runs of equal names; each leaves at most one label. */
function dropEmpty(strict: bool): LabelFault {
  const labelCount = count();
  let kept: u32 = 0;
  for (let i: u32 = 0; i < labelCount; ) {
    let next = i + 1;
    let empty = valueLength(i) == 0;
    while (next < labelCount && compareNames(slot(i), slot(next)) == 0) {
      empty = empty || valueLength(next) == 0;
      next++;
    }
    if (next > i + 1 && (strict || !empty)) {
      faultAt = i;
      return LabelFault.Duplicate;
    }
    if (!empty) {
      if (kept != i) memory.copy(slot(kept) + NAME_AT, slot(i) + NAME_AT, LABEL_BYTES);
      kept++;
    }
    i = next;
  }
  store<u32>(labels, kept);
  return LabelFault.None;
}

function validate(): LabelFault {
  const labelCount = count();
  for (let i: u32 = 0; i < labelCount; i++) {
    faultAt = i;
    if (nameLength(i) == 0) return LabelFault.EmptyName;
    if (!isValidUtf8(nameAddress(i), nameLength(i))) return LabelFault.InvalidUtf8;
    if (!isValidUtf8(valueAddress(i), valueLength(i))) return LabelFault.InvalidUtf8;
  }
  faultAt = 0;
  return LabelFault.None;
}

/** Checks a finished label set against limits, each off where 0. Lengths are in bytes. */
export function checkLimits(labelsMax: u32, nameBytesMax: u32, valueBytesMax: u32): LabelFault {
  const labelCount = count();
  if (labelsMax != 0 && labelCount > labelsMax) return LabelFault.TooMany;
  if (nameBytesMax == 0 && valueBytesMax == 0) return LabelFault.None;
  for (let i: u32 = 0; i < labelCount; i++) {
    faultAt = i;
    if (nameBytesMax != 0 && nameLength(i) > nameBytesMax) return LabelFault.NameTooLong;
    if (valueBytesMax != 0 && valueLength(i) > valueBytesMax) return LabelFault.ValueTooLong;
  }
  return LabelFault.None;
}

/** Whether a finished label set has a metric name. */
export function hasMetricName(): bool {
  const labelCount = count();
  for (let i: u32 = 0; i < labelCount; i++) {
    // "__name__" as one little-endian word.
    if (nameLength(i) == 8 && load<u64>(nameAddress(i)) == 0x5f5f656d616e5f5f) return true;
  }
  return false;
}

// ---- pairs

/** Bytes that copyPairs() needs for a finished label set. */
export function pairsBytes(): usize {
  const labelCount = count();
  let bytes = <usize>labelCount * PAIR_HEAD;
  for (let i: u32 = 0; i < labelCount; i++) bytes += nameLength(i) + valueLength(i);
  return bytes;
}

/** Writes a finished label set as pairs. */
export function copyPairs(to: usize): void {
  const labelCount = count();
  for (let i: u32 = 0; i < labelCount; i++) {
    const nameBytes = nameLength(i);
    const valueBytes = valueLength(i);
    store<u32>(to, nameBytes);
    store<u32>(to, valueBytes, 4);
    memory.copy(to + PAIR_HEAD, nameAddress(i), nameBytes);
    memory.copy(to + PAIR_HEAD + nameBytes, valueAddress(i), valueBytes);
    to += PAIR_HEAD + nameBytes + valueBytes;
  }
}

/** Adds every pair from `pairs` to `end`. Borrows; the pairs must not lie in the scratch. */
export function addPairs(pairs: usize, end: usize): void {
  for (let at = pairs; at < end; at = pairEnd(at)) addPair(at);
}

// ---- order

/** Byte order of the names of two labels that hold addresses. */
function compareNames(a: usize, b: usize): i32 {
  const aBytes = load<u32>(a, NAME_BYTES);
  const bBytes = load<u32>(b, NAME_BYTES);
  const order = memory.compare(<usize>load<u32>(a, NAME_AT), <usize>load<u32>(b, NAME_AT), min(aBytes, bBytes));
  return order != 0 ? order : <i32>aBytes - <i32>bBytes;
}

function isSorted(): bool {
  const labelCount = count();
  for (let i: u32 = 1; i < labelCount; i++) if (compareNames(slot(i - 1), slot(i)) > 0) return false;
  return true;
}

function sort(): void {
  const labelCount = count();
  if (labelCount > INSERTION_MAX) {
    heapSort(labelCount);
    return;
  }
  for (let i: u32 = 1; i < labelCount; i++) {
    for (let j = i; j > 0 && compareNames(slot(j - 1), slot(j)) > 0; j--) swap(j - 1, j);
  }
}

function heapSort(labelCount: u32): void {
  for (let i = labelCount >> 1; i > 0; i--) siftDown(i - 1, labelCount);
  for (let end = labelCount - 1; end > 0; end--) {
    swap(0, end);
    siftDown(0, end);
  }
}

function siftDown(root: u32, end: u32): void {
  while (root * 2 + 1 < end) {
    let child = root * 2 + 1;
    if (child + 1 < end && compareNames(slot(child), slot(child + 1)) < 0) child++;
    if (compareNames(slot(root), slot(child)) >= 0) return;
    swap(root, child);
    root = child;
  }
}

function swap(i: u32, j: u32): void {
  const a = v128.load(slot(i), NAME_AT);
  v128.store(slot(i), v128.load(slot(j), NAME_AT), NAME_AT);
  v128.store(slot(j), a, NAME_AT);
}
