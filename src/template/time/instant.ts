// Times in UTC: their calendar, and as Go writes them.

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

const MS_NS = 1_000_000n;
const DAY_MS = 86_400_000;
/** What Date can hold. Go's times go further, and templates do not. */
const DATE_MAX_MS = 8.64e15;

export interface Calendar {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ns: number;
  /** From Sunday, which is 0. */
  readonly weekday: number;
  /** From 1. */
  readonly yearDay: number;
}

export function calendarOf(ns: bigint): Calendar {
  const ms = floorDivide(ns, MS_NS);
  const date = new Date(clampMs(Number(ms)));
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ns: date.getUTCMilliseconds() * 1_000_000 + Number(ns - ms * MS_NS),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - startOfYear(year)) / DAY_MS) + 1,
  };
}

function startOfYear(year: number): number {
  // Date.UTC() takes years below 100 for those of the last century.
  return new Date(0).setUTCFullYear(year, 0, 1);
}

/** The same time of the day, some years, months and days later. */
export function addDate(ns: bigint, years: number, months: number, days: number): bigint {
  const ms = floorDivide(ns, MS_NS);
  const { year, month, day } = calendarOf(ns);
  const dayMs = Number(ms) - (((Number(ms) % DAY_MS) + DAY_MS) % DAY_MS);
  const moved = new Date(0).setUTCFullYear(year + years, month - 1 + months, day + days);
  return Number.isNaN(moved) ? ns : ns + BigInt(moved - dayMs) * MS_NS;
}

/** `2015-06-23 13:19:44.128 +0000 UTC` */
export function formatInstant(ns: bigint): string {
  const { year, month, day, hour, minute, second, ns: fraction } = calendarOf(ns);
  const decimals = fraction === 0 ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  const date = `${padYear(year)}-${two(month)}-${two(day)}`;
  return `${date} ${two(hour)}:${two(minute)}:${two(second)}${decimals} +0000 UTC`;
}

export function padYear(year: number): string {
  return year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0');
}

export function two(value: number): string {
  return String(value).padStart(2, '0');
}

export function floorDivide(value: bigint, unit: bigint): bigint {
  const quotient = value / unit;
  return value % unit < 0n ? quotient - 1n : quotient;
}

function clampMs(ms: number): number {
  return Math.max(-DATE_MAX_MS, Math.min(DATE_MAX_MS, ms));
}
