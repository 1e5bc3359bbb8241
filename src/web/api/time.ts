// Times, durations and counts in parameters.

import { DurationError, parseDuration } from '../../model/duration.js';
import { parseFloatText } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { invalidParameter } from '../errors.js';
import type { Params } from '../params.js';

/** The ends of time as Prometheus has them: they mean "from the beginning" and "without end". */
export const TIME_MIN_MS = -9_223_309_901_257_974;
export const TIME_MAX_MS = 9_223_309_901_257_974;
/** What Prometheus prints for them, and takes back. */
const TIME_MIN_TEXT = '-292273086-05-16T16:47:06Z';
const TIME_MAX_TEXT = '292277025-08-18T07:12:54.999999999Z';
/** 2^63 - 1 nanoseconds: the longest duration of Go. */
const DURATION_MAX_SECONDS = 9_223_372_036;

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Seconds since the epoch with a fraction, or RFC 3339. Throws an Error with Prometheus's words. */
export function parseTime(text: string): number {
  const seconds = parseFloatText(text);
  if (typeof seconds === 'number' && Math.abs(seconds) <= TIME_MAX_MS / 1000) return secondsToMs(seconds);
  const timeMs = text === TIME_MIN_TEXT ? TIME_MIN_MS : text === TIME_MAX_TEXT ? TIME_MAX_MS : parseRfc3339(text);
  if (timeMs === undefined) throw new Error(`cannot parse ${quote(text)} to a valid timestamp`);
  return timeMs;
}

/** Go rounds the fraction to milliseconds, makes nanoseconds of it and cuts those to milliseconds again. */
function secondsToMs(seconds: number): number {
  const whole = Math.trunc(seconds);
  const nanos = Math.trunc((Math.round((seconds - whole) * 1000) / 1000) * 1e9);
  return whole * 1000 + Math.floor(nanos / 1e6);
}

function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000);
  const offsetMinutes =
    match[8] === undefined ? 0 : Number(`${match[8]}1`) * (Number(match[9]) * 60 + Number(match[10]));
  return date.getTime() + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000 + ms;
}

/** Seconds with a fraction, or `1h30m`; gives milliseconds, which may have a fraction. Throws an Error with Prometheus's words. */
export function parseSpan(text: string): number {
  const seconds = parseFloatText(text);
  if (typeof seconds === 'number' && Math.abs(seconds) > DURATION_MAX_SECONDS) {
    throw new Error(`cannot parse ${quote(text)} to a valid duration. It overflows int64`);
  }
  // Durations of Go are whole nanoseconds, cut off: 32.867 s has one less than it says.
  if (typeof seconds === 'number') return Math.trunc(seconds * 1e9) / 1e6;
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new Error(`cannot parse ${quote(text)} to a valid duration`);
  }
}

/** A time that may be missing. */
export function timeParameter(params: Params, name: string, missingMs: number): number {
  const text = params.get(name);
  if (text === '') return missingMs;
  try {
    return parseTime(text);
  } catch (error) {
    throw invalidParameter(name, `invalid time value for '${name}': ${messageOf(error)}`);
  }
}

/** A time that must be there. */
export function neededTimeParameter(params: Params, name: string): number {
  return attempt(name, () => parseTime(params.get(name)));
}

export function spanParameter(params: Params, name: string): number {
  return attempt(name, () => parseSpan(params.get(name)));
}

/** Most answers wanted; 0 is no limit. */
export function limitParameter(params: Params): number {
  const text = params.get('limit');
  if (text === '') return 0;
  const limit = attempt('limit', () => parseInteger(text));
  if (limit < 0) throw invalidParameter('limit', 'limit must be non-negative');
  return limit;
}

/** As Go's strconv.Atoi, whose words the errors have. */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
  const value = BigInt(text);
  if (value !== BigInt.asIntN(64, value)) throw new Error(`strconv.Atoi: parsing ${quote(text)}: value out of range`);
  return Number(value);
}

function attempt<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw invalidParameter(name, messageOf(error));
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
