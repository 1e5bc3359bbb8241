// Isolation: which samples a query must not see yet.
//
// Main numbers the appends. A query carries a watermark: every append up to it is
// wholly applied on every shard and in the log; later ones are invisible to it,
// though their samples may be in the chunks already. A series keeps the number of
// the last append that touched it, so a query sees at once whether it is concerned.
// If so, it needs the time of the first later sample: samples of a series are in
// time order, so everything from that time on is cut off.
//
//   pending   the (series, append, time) of every append not yet below the common watermark: few, and short-lived
//   views     one for each open query: its watermark and the cut-off time by series
//
// A view starts from what is pending and is told of every later append to a series
// it may still read. Append numbers wrap around, so they are compared by difference.
//
//   pending entry (16 bytes)               view (64 bytes)
//   ┌────────┬────────┬────────────┐        ┌───────────┬──────┬───────────────────────┬───────────────────┬────────┐
//   │ series │ append │ time i64   │        │ watermark │ next │ table: series → entry │ buffer of entries │ broken │
//   └────────┴────────┴────────────┘        └───────────┴──────┴───────────────────────┴───────────────────┴────────┘

import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as table from '../memory/table';

const ENTRY_BYTES: u32 = 16;
const SERIES: usize = 0;
const APPEND: usize = 4;
const TIME: usize = 8;

const VIEW_BYTES: usize = 64;
const WATERMARK: usize = 0;
const NEXT: usize = 4;
const TABLE: usize = 8;
const CUTS: usize = 24;
const BROKEN: usize = 40;

/** No cut: the whole series is visible. */
export const NO_CUT: i64 = i64.MAX_VALUE;

const pending: usize = memory.data(16, 8);
let views: usize = 0;
/** The highest watermark of an open view: an append to a series last touched after it concerns nobody. */
let highest: u32 = 0;
/** The append noted last. */
let newest: u32 = 0;
/** Further back than any append that is under way, or that a view is open since. */
const LONG_AGO: u32 = 1 << 30;

/** Whether `a` was numbered after `b`. */
export function isAfter(a: u32, b: u32): bool {
  return <i32>(a - b) > 0;
}

/** A number for a series that no append has touched yet: before those of all open views, however far they have wrapped around. */
export function longAgo(): u32 {
  return newest - LONG_AGO;
}

/** Makes room for the entries of a batch; false where the memory limit says no. */
export function reserve(rows: u32): bool {
  return buffer.reserve(pending, rows * ENTRY_BYTES) != 0;
}

/** Notes one applied sample. `previous` is the append that touched the series before. Room was made by reserve(). */
export function note(series: u32, append: u32, previous: u32, time: i64): void {
  newest = append;
  const entry = buffer.address(pending) + buffer.length(pending);
  store<u32>(entry, series, SERIES);
  store<u32>(entry, append, APPEND);
  store<i64>(entry, time, TIME);
  buffer.advance(pending, ENTRY_BYTES);
  if (views != 0 && !isAfter(previous, highest)) tellViews(series, append, previous, time);
}

/** Every append up to `watermark` is visible to all from now on. */
export function commit(watermark: u32): void {
  const count = buffer.length(pending) / ENTRY_BYTES;
  const base = buffer.address(pending);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = base + ((<usize>i) << 4);
    if (!isAfter(load<u32>(entry, APPEND), watermark)) continue;
    if (kept != i) memory.copy(base + ((<usize>kept) << 4), entry, ENTRY_BYTES);
    kept++;
  }
  buffer.truncate(pending, kept * ENTRY_BYTES);
}

/** A view at this watermark; 0 where the memory limit says no. */
export function openView(watermark: u32): usize {
  const view = heap.alloc(VIEW_BYTES);
  if (view == 0) return 0;
  memory.fill(view, 0, VIEW_BYTES);
  store<u32>(view, watermark, WATERMARK);
  store<u32>(view, <u32>views, NEXT);
  if (views == 0 || isAfter(watermark, highest)) highest = watermark;
  views = view;
  const count = buffer.length(pending) / ENTRY_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    const entry = buffer.address(pending) + ((<usize>i) << 4);
    if (!isAfter(load<u32>(entry, APPEND), watermark)) continue;
    setCut(view, load<u32>(entry, SERIES), load<i64>(entry, TIME));
  }
  return view;
}

/** Another view of what `view` shows, whatever was appended since; 0 where the memory limit says no. */
export function copyView(view: usize): usize {
  const copy = heap.alloc(VIEW_BYTES);
  if (copy == 0) return 0;
  memory.fill(copy, 0, VIEW_BYTES);
  store<u32>(copy, load<u32>(view, WATERMARK), WATERMARK);
  store<u32>(copy, load<u32>(view, BROKEN), BROKEN);
  const count = buffer.length(view + CUTS) / ENTRY_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    const cut = buffer.address(view + CUTS) + ((<usize>i) << 4);
    setCut(copy, load<u32>(cut, SERIES), load<i64>(cut, TIME));
  }
  store<u32>(copy, <u32>views, NEXT);
  views = copy;
  return copy;
}

/** Whether the view ran out of memory; its query must fail then. */
export function isBroken(view: usize): bool {
  return load<u32>(view, BROKEN) != 0;
}

export function closeView(view: usize): void {
  if (views == view) {
    views = <usize>load<u32>(view, NEXT);
  } else {
    let before = views;
    while (<usize>load<u32>(before, NEXT) != view) before = <usize>load<u32>(before, NEXT);
    store<u32>(before, load<u32>(view, NEXT), NEXT);
  }
  table.clear(view + TABLE);
  buffer.clear(view + CUTS);
  heap.free(view, VIEW_BYTES);
  let other = views;
  if (other != 0) highest = load<u32>(other, WATERMARK);
  while (other != 0) {
    if (isAfter(load<u32>(other, WATERMARK), highest)) highest = load<u32>(other, WATERMARK);
    other = <usize>load<u32>(other, NEXT);
  }
}

/** The time from which on samples of the series are invisible to the view. `last` is the last append that touched it. */
export function cutOf(view: usize, series: u32, last: u32): i64 {
  if (!isAfter(last, load<u32>(view, WATERMARK))) return NO_CUT;
  const cut = findCut(view, series);
  return cut == 0 ? NO_CUT : load<i64>(cut, TIME);
}

function tellViews(series: u32, append: u32, previous: u32, time: i64): void {
  let view = views;
  while (view != 0) {
    const watermark = load<u32>(view, WATERMARK);
    if (isAfter(append, watermark) && !isAfter(previous, watermark)) setCut(view, series, time);
    view = <usize>load<u32>(view, NEXT);
  }
}

/** Keeps the earliest time. Where the memory limit says no the view is broken: its query would see too much. */
function setCut(view: usize, series: u32, time: i64): void {
  const known = findCut(view, series);
  if (known != 0) {
    if (time < load<i64>(known, TIME)) store<i64>(known, time, TIME);
    return;
  }
  const cut = buffer.reserve(view + CUTS, ENTRY_BYTES);
  const number = buffer.length(view + CUTS) / ENTRY_BYTES;
  if (cut == 0 || !table.insert(view + TABLE, hashOf(series), number)) {
    store<u32>(view, 1, BROKEN);
    return;
  }
  store<u32>(cut, series, SERIES);
  store<i64>(cut, time, TIME);
  buffer.advance(view + CUTS, ENTRY_BYTES);
}

function findCut(view: usize, series: u32): usize {
  const hash = hashOf(series);
  let number = table.first(view + TABLE, hash);
  while (number != table.NONE) {
    const cut = buffer.address(view + CUTS) + ((<usize>number) << 4);
    if (load<u32>(cut, SERIES) == series) return cut;
    number = table.next(view + TABLE, hash);
  }
  return 0;
}

function hashOf(series: u32): u32 {
  return series * 0x9e3779b1;
}
