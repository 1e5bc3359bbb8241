// Chunks of files by ref, from when the files are read until the log names the series: then each series takes its own.
//
//   map of refs ─► slot   newest chunk │ 1: what files have of this ref is not to be used
//                           └─► node   0          4      8        12          16         24
//                                      ┌──────────┬──────┬────────┬───────────┬──────────┬─
//                                      │ next     │ file │ offset │ span, ms  │ max time │    next: the one before it in time
//                                      │ u32      │ u32  │ u32    │ u32       │ i64      │
//                                      └──────────┴──────┴────────┴───────────┴──────────┴─
//
// Nodes fill pages from one end to the other, in the order of the files. A page whose nodes are all gone goes back: series
// come in another order, but all of them in the first part of the log, and what they leave there has room for all that follows.
//
//   page   0       8
//          ┌───────┬──────┬──────┬── ─
//          │ nodes │ node │ node │ …       nodes: those that are not gone, and one more while the page is filled
//          └───────┴──────┴──────┴── ─

import { PAGE_BYTES } from '../layout';
import * as heap from '../memory/heap';
import * as map from './ref-map';

const PAGE: usize = PAGE_BYTES;
const HEADER_BYTES: usize = 8;
const NODE_BYTES: usize = 24;

const NEXT: usize = 0;
const FILE: usize = 4;
const OFFSET: usize = 8;
const SPAN: usize = 12;
const MAX: usize = 16;

const UNUSABLE: u32 = 1;

const slots: usize = memory.data(map.MAP_BYTES, 8);
/** Where the next node goes; 0 where a page is needed. */
let cursor: usize = 0;

/** Where the chunks of a ref are kept, made where it is not there; 0 where the memory limit says no. */
export function slot(ref: u64): usize {
  return map.slot(slots, ref);
}

/** The same, 0 where nothing was kept. */
export function find(ref: u64): usize {
  return map.find(slots, ref);
}

/** The newest chunk; 0 where there is none. */
export function newest(slot: usize): usize {
  return <usize>(load<u32>(slot) & ~UNUSABLE);
}

export function isUsable(slot: usize): bool {
  return (load<u32>(slot) & UNUSABLE) == 0;
}

/** The series has something else beside: what files have of it is not to be used. */
export function spoil(slot: usize): void {
  store<u32>(slot, load<u32>(slot) | UNUSABLE);
}

/** Adds a chunk that is later than those before it; false where the memory limit says no. */
export function push(slot: usize, file: u32, offset: u32, minT: i64, maxT: i64): bool {
  const node = alloc();
  if (node == 0) return false;
  store<u32>(node, <u32>newest(slot), NEXT);
  store<u32>(node, file, FILE);
  store<u32>(node, offset, OFFSET);
  store<u32>(node, <u32>(maxT - minT), SPAN);
  store<i64>(node, maxT, MAX);
  store<u32>(slot, <u32>node | (load<u32>(slot) & UNUSABLE));
  return true;
}

/** Turns the chunks of a slot round: newest() gives the oldest from then on, and next() the one behind it in time. */
export function reverse(slot: usize): void {
  let node = newest(slot);
  let before: usize = 0;
  while (node != 0) {
    const after = next(node);
    store<u32>(node, <u32>before, NEXT);
    before = node;
    node = after;
  }
  store<u32>(slot, <u32>before | (load<u32>(slot) & UNUSABLE));
}

export function next(node: usize): usize {
  return <usize>load<u32>(node, NEXT);
}

export function fileOf(node: usize): u32 {
  return load<u32>(node, FILE);
}

export function offsetOf(node: usize): u32 {
  return load<u32>(node, OFFSET);
}

export function minOf(node: usize): i64 {
  return maxOf(node) - <i64>load<u32>(node, SPAN);
}

export function maxOf(node: usize): i64 {
  return load<i64>(node, MAX);
}

/** Forgets the chunks of a slot. */
export function drop(slot: usize): void {
  let node = newest(slot);
  while (node != 0) {
    const after = next(node);
    leave(node & ~(PAGE - 1));
    node = after;
  }
  store<u32>(slot, 0);
}

/** Forgets all that is left. */
export function clear(): void {
  const pages = map.pages(slots);
  for (let i: u32 = 0; i < pages; i++) {
    const page = map.pageAt(slots, i);
    for (let at: usize = 0; at < map.pageBytes(); at += 4) drop(page + at);
  }
  map.clear(slots);
  if (cursor != 0) leave(cursor & ~(PAGE - 1));
  cursor = 0;
}

function alloc(): usize {
  if (cursor == 0) {
    const page = heap.alloc(PAGE);
    if (page == 0) return 0;
    store<u32>(page, 1);
    cursor = page + HEADER_BYTES;
  }
  const node = cursor;
  const page = node & ~(PAGE - 1);
  store<u32>(page, load<u32>(page) + 1);
  cursor = node + NODE_BYTES;
  if (cursor + NODE_BYTES > page + PAGE) {
    leave(page);
    cursor = 0;
  }
  return node;
}

/** One fewer needs a page. */
function leave(page: usize): void {
  const nodes = load<u32>(page) - 1;
  store<u32>(page, nodes);
  if (nodes == 0) heap.free(page, PAGE);
}
