// Times as text.

/** What a Date can hold, in milliseconds; times of queries may be further away. */
const DATE_MAX_MS = 8.64e15;

/** RFC 3339 in UTC with milliseconds; times beyond what can be written so are the last that can. */
export function formatTime(timeMs: number): string {
  return new Date(Math.max(-DATE_MAX_MS, Math.min(DATE_MAX_MS, timeMs))).toISOString();
}
