// Which blocks are merged next: Prometheus's leveled planning. Pure.
//
//   ranges     2h  6h  18h  54h …          each block lies in one aligned range of its level
//   ├─2h─┤├─2h─┤├─2h─┤├─2h─┤  newest
//   └───── 6h ────────┘                    three of a level that fill a range of the next, or lie before the newest
//
// The order of concerns: blocks that overlap; blocks that fill a larger range; blocks of which much is deleted.

import type { BlockMeta } from '../block/contract.js';

const DAY_MS = 86_400_000;
const LEVELS = 10;
const LEVEL_FACTOR = 3;
/** Blocks span no more, however long data is kept. */
const SPAN_MAX_MS = 31 * DAY_MS;
/** A larger share of series with something deleted is worth a rewrite. */
const DELETED_SHARE = 0.05;
/** Blocks of samples that came late. */
export const OUT_OF_ORDER_HINT = 'from-out-of-order';
/** Blocks of part of the series: kept apart from whole ones, so that merged blocks keep the hint. */
const PARTIAL_HINTS = ['from-stale-series', 'from-selected-series'];

/** Spans of the levels. `longestMs` 0 leaves the longest to what is kept; `keptMs` 0 is for ever. */
export function blockRanges(shortestMs: number, longestMs: number, keptMs: number): number[] {
  const tenth = keptMs === 0 ? SPAN_MAX_MS : Math.min(SPAN_MAX_MS, keptMs / 10);
  const limit = Math.max(shortestMs, longestMs === 0 ? tenth : longestMs);
  const all = Array.from({ length: LEVELS }, (_, level) => shortestMs * LEVEL_FACTOR ** level);
  return all.filter((range) => range <= limit);
}

/** The blocks to make one of next, oldest first; none where nothing is to be done. */
export function planCompaction(blocks: readonly BlockMeta[], ranges: readonly number[]): readonly BlockMeta[] {
  for (const hint of [undefined, ...PARTIAL_HINTS]) {
    const group = blocks.filter((block) => partialHint(block) === hint);
    for (const alike of apart(group)) {
      const planned = planAmong(alike, ranges);
      if (planned.length > 0) return planned;
    }
  }
  return [];
}

/**
 * Late blocks that reach beyond the others are merged among themselves only: where the others end is where the head begins, and a merged
 * block would say that what the head has there is in blocks.
 */
function apart(blocks: readonly BlockMeta[]): BlockMeta[][] {
  const endMs = Math.max(...blocks.filter((block) => !isLate(block)).map(({ maxTimeMs }) => maxTimeMs));
  const isAhead = (block: BlockMeta) => isLate(block) && block.maxTimeMs > endMs;
  return [blocks.filter((block) => !isAhead(block)), blocks.filter(isAhead)];
}

function isLate({ compaction }: BlockMeta): boolean {
  return compaction.hints?.includes(OUT_OF_ORDER_HINT) ?? false;
}

function partialHint({ compaction }: BlockMeta): string | undefined {
  return PARTIAL_HINTS.find((hint) => compaction.hints?.includes(hint));
}

function planAmong(blocks: readonly BlockMeta[], ranges: readonly number[]): readonly BlockMeta[] {
  const sorted = [...blocks].sort((a, b) => a.minTimeMs - b.minTimeMs);
  const overlapping = firstOverlap(sorted);
  if (overlapping.length > 0) return overlapping;
  // The newest rests for the time of one block, for whoever copies blocks away.
  const older = sorted.slice(0, -1);
  const full = firstFullRange(older, ranges);
  return full.length > 0 ? full : mostlyDeleted(older, ranges);
}

/** The oldest blocks that share time with each other, directly or by way of others. */
export function firstOverlap(sorted: readonly BlockMeta[]): readonly BlockMeta[] {
  let end = Number.NEGATIVE_INFINITY;
  let from = 0;
  for (const [i, block] of sorted.entries()) {
    if (block.minTimeMs >= end) {
      if (i - from > 1) return sorted.slice(from, i);
      from = i;
    }
    end = Math.max(end, block.maxTimeMs);
  }
  return sorted.length - from > 1 ? sorted.slice(from) : [];
}

function firstFullRange(sorted: readonly BlockMeta[], ranges: readonly number[]): readonly BlockMeta[] {
  const newestStart = sorted.at(-1)?.minTimeMs ?? 0;
  for (const range of ranges.slice(1)) {
    for (const group of groupsOf(sorted, range)) {
      if (group.length < 2 || group.some(({ compaction }) => compaction.failed)) continue;
      const start = group[0]!.minTimeMs;
      const end = group.at(-1)!.maxTimeMs;
      if (end - start === range || end <= newestStart) return group;
    }
  }
  return [];
}

/** Blocks by the aligned range that they lie in; those that cross the end of theirs are in none. */
function groupsOf(sorted: readonly BlockMeta[], range: number): BlockMeta[][] {
  const groups: BlockMeta[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const block of sorted) {
    const blockEnd = (Math.floor(block.minTimeMs / range) + 1) * range;
    if (block.maxTimeMs > blockEnd) continue;
    if (blockEnd === end) groups.at(-1)!.push(block);
    else groups.push([block]);
    end = blockEnd;
  }
  return groups;
}

/** The newest block that is worth rewriting without what is deleted: small ones wait until they are merged anyway. */
function mostlyDeleted(sorted: readonly BlockMeta[], ranges: readonly number[]): readonly BlockMeta[] {
  const large = ranges[Math.floor(ranges.length / 2)]!;
  for (const block of [...sorted].reverse()) {
    const { series, tombstones = 0 } = block.stats;
    const isLarge = block.maxTimeMs - block.minTimeMs >= large;
    if (!isLarge) return tombstones > 0 && tombstones >= series ? [block] : [];
    if (tombstones / (series + 1) > DELETED_SHARE) return [block];
  }
  return [];
}
