// Durations as Prometheus writes them: `1h30m`, `5m`, `90d`, `250ms`.
//
// Units go from large to small, each at most once, with whole numbers. All values
// here are milliseconds; the largest is that of Go's time.Duration, 292 years.

import { quote } from './quote.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const YEAR = 365 * DAY;

/** Large to small: the order in which they may be written. */
const UNITS: readonly (readonly [unit: string, unitMs: number])[] = [
  ['y', YEAR],
  ['w', WEEK],
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
];

/** 2^63 - 1 nanoseconds, in whole milliseconds. */
export const DURATION_MAX_MS = 9_223_372_036_854;

/** Thrown for text that is no duration; the message is Prometheus's. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

/** Milliseconds of a duration; `0` needs no unit. Throws DurationError. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (text === '') throw new DurationError('empty duration string');
  let totalMs = 0;
  let unitIndex = -1;
  const part = /(\d*)(\D*)/y;
  while (part.lastIndex < text.length) {
    const [, digits, unit] = part.exec(text) as unknown as [string, string, string];
    // Go reads the number as a uint64, which 20 digits may exceed.
    if (digits === '' || unit === '' || BigInt(digits) >= 1n << 64n) throw invalid(text);
    const index = UNITS.findIndex(([name]) => name === unit);
    if (index < 0) throw new DurationError(`unknown unit ${quote(unit)} in duration ${quote(text)}`);
    if (index <= unitIndex) throw invalid(text);
    unitIndex = index;
    totalMs += Number(digits) * UNITS[index]![1];
    if (totalMs > DURATION_MAX_MS) throw new DurationError('duration out of range');
  }
  return totalMs;
}

function invalid(text: string): DurationError {
  return new DurationError(`not a valid duration string: ${quote(text)}`);
}

/** The shortest usual form. Years and weeks only where nothing is left: `90d` reads better than `12w6d`. */
export function formatDuration(durationMs: number): string {
  const whole = Math.trunc(durationMs);
  if (whole === 0) return '0s';
  let leftMs = Math.abs(whole);
  let text = whole < 0 ? '-' : '';
  for (const [unit, unitMs] of UNITS) {
    if (unitMs >= WEEK && leftMs % unitMs !== 0) continue;
    const count = Math.floor(leftMs / unitMs);
    if (count === 0) continue;
    text += count + unit;
    leftMs -= count * unitMs;
  }
  return text;
}
