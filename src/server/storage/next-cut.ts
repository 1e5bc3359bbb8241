// What of the head is next to become a block.
//
//          floor                                                 newest
//   blocks │ ├──── 2 h ────┼──── 2 h ────┼─ ─                      │       cut once the head spans 3 h
//          │    oldest                                             │
//          └─ the range: aligned, but not before the floor         └─ samples up to 1 h older are still accepted

import type { TimeRange } from '../../wasm/export.js';

/** What the head spans. */
export interface HeadSpan {
  /** Of its samples, in milliseconds; Infinity and -Infinity where there are none. */
  readonly oldestMs: number;
  readonly newestMs: number;
  /** Where the blocks end; -Infinity where there are none. */
  readonly floorMs: number;
}

/** A head that spans so many ranges is cut. */
const DUE_RANGES = 3 / 2;
/** What leaves early is at least this share of a range: the blocks of a head that is full all the time are not tiny. */
const EARLY_SHARE_MIN = 1 / 24;
/** And ends at a whole multiple of this share. */
const EARLY_STEP_SHARE = 1 / 120;

/** The range to cut next; undefined where nothing is due. With `isCrowded` all that helps is due. */
export function nextCut(
  { oldestMs, newestMs, floorMs }: HeadSpan,
  rangeMs: number,
  isCrowded: boolean,
): TimeRange | undefined {
  if (oldestMs > newestMs) return undefined;
  const startMs = Math.floor(oldestMs / rangeMs) * rangeMs;
  const whole = { minTimeMs: Math.max(startMs, floorMs), maxTimeMs: startMs + rangeMs };
  if (newestMs - oldestMs > DUE_RANGES * rangeMs) return whole;
  if (!isCrowded) return undefined;
  if (newestMs >= whole.maxTimeMs) return whole;
  const stepMs = Math.max(1, Math.floor(rangeMs * EARLY_STEP_SHARE));
  const maxTimeMs = Math.floor((oldestMs + newestMs) / 2 / stepMs) * stepMs;
  if (maxTimeMs - oldestMs < rangeMs * EARLY_SHARE_MIN) return undefined;
  return { ...whole, maxTimeMs };
}
