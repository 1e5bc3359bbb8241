// Prometheus's functions of numbers and times.

import { DurationError, parseDuration } from '../../model/duration.js';
import { parseFloatText } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { formatFloatAs } from '../text/float.js';
import { formatInstant } from '../time/instant.js';
import { clampSpan } from '../time/span.js';
import { Instant, Int, Span, typeOf, type Value } from '../value.js';
import { CallFault, type TemplateFunction } from './function.js';

/** The number that a number or text is. Throws CallFault. */
function numberOf(value: Value): number {
  if (typeof value === 'number') return value;
  if (value instanceof Int) return Number(value.value);
  if (value instanceof Span && !value.pointer) return Number(value.ns) / 1e9;
  if (typeof value !== 'string') throw new CallFault(`can't convert ${typeOf(value)} to float`);
  const parsed = parseFloatText(value);
  if (typeof parsed === 'number') return parsed;
  const problem = parsed === 'range' ? 'value out of range' : 'invalid syntax';
  throw new CallFault(`strconv.ParseFloat: parsing ${quote(value)}: ${problem}`);
}

/** Four digits that count. */
function short(value: number): string {
  return formatFloatAs(value, 'g', 4);
}

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const LARGE_BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return short(value);
  return Math.abs(value) >= 1 ? divided(value, 1000, LARGE) : multiplied(value, SMALL);
}

function humanize1024(value: number): string {
  return Math.abs(value) <= 1 || !Number.isFinite(value) ? short(value) : divided(value, 1024, LARGE_BINARY);
}

function divided(value: number, by: number, prefixes: readonly string[]): string {
  let used = 0;
  for (; used < prefixes.length && Math.abs(value) >= by; used++) value /= by;
  return short(value) + (used > 0 ? prefixes[used - 1]! : '');
}

function multiplied(value: number, prefixes: readonly string[]): string {
  let used = 0;
  for (; used < prefixes.length && Math.abs(value) < 1; used++) value *= 1000;
  return short(value) + (used > 0 ? prefixes[used - 1]! : '');
}

/** `1d 2h 3m 4s`; below a minute with decimals, below a second with a prefix. */
function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return short(value);
  if (value === 0) return '0s';
  if (Math.abs(value) < 1) return `${multiplied(value, SMALL)}s`;
  const sign = value < 0 ? '-' : '';
  const size = Math.abs(value);
  const whole = Math.trunc(size);
  const [seconds, minutes] = [whole % 60, Math.floor(whole / 60) % 60];
  const [hours, days] = [Math.floor(whole / 3600) % 24, Math.floor(whole / 86_400)];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${short(size)}s`;
}

const INT64_MAX = 2 ** 63;

/** A Unix time in seconds, to the millisecond. Throws CallFault. */
function instantNs(seconds: number): bigint {
  const ns = seconds * 1e9;
  if (ns > INT64_MAX || ns < -INT64_MAX) {
    const shown = formatFloatAs(seconds, 'g', undefined);
    throw new CallFault(`${shown} cannot be represented as a nanoseconds timestamp since it overflows int64`);
  }
  return (BigInt(Math.trunc(ns)) / 1_000_000n) * 1_000_000n;
}

function toTime(value: number): Instant {
  if (!Number.isFinite(value)) throw new CallFault('value is NaN or Inf');
  return new Instant(instantNs(value), true);
}

function toDuration(value: number): Span {
  const ns = value * 1e9;
  // What Go makes of numbers that do not fit depends on the machine: on ours it is the smallest.
  return new Span(Math.abs(ns) < INT64_MAX ? BigInt(Math.trunc(ns)) : clampSpan(-(1n << 63n)), true);
}

function humanizeTimestamp(value: number): string {
  return Number.isFinite(value) ? formatInstant(instantNs(value)) : short(value);
}

/** Seconds; a minus in front turns it. Throws CallFault. */
function seconds(text: string): number {
  const negative = text.startsWith('-');
  try {
    const ms = parseDuration(negative ? text.slice(1) : text);
    return (negative ? -ms : ms) / 1000;
  } catch (error) {
    if (error instanceof DurationError) throw new CallFault(error.message);
    throw error;
  }
}

function ofNumber(compute: (value: number) => Value): TemplateFunction {
  return { parameters: ['any'], call: ([value]) => compute(numberOf(value)) };
}

export const NUMBER_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  humanize: ofNumber(humanize),
  humanize1024: ofNumber(humanize1024),
  humanizeDuration: ofNumber(humanizeDuration),
  humanizePercentage: ofNumber((value) => `${short(value * 100)}%`),
  humanizeTimestamp: ofNumber(humanizeTimestamp),
  toTime: ofNumber(toTime),
  toDuration: ofNumber(toDuration),
  parseDuration: { parameters: ['string'], call: ([text]) => seconds(text as string) },
  now: { parameters: [], call: (_, { nowMs }) => nowMs / 1000 },
};
