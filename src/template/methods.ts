// Methods of times and durations, as templates call them: `{{ ($value | toTime).Format "15:04" }}`.

import type { ParameterType, TemplateFunction } from './functions/function.js';
import { display } from './text/print.js';
import { addDate, calendarOf, floorDivide, formatInstant } from './time/instant.js';
import { formatLayout } from './time/layout.js';
import { clampSpan, formatSpan, roundSpan } from './time/span.js';
import { Instant, Int, type IntType, Span, type Value } from './value.js';

/** What a method does with its receiver; the receiver's type is what the table is for. */
type Method<T> = (self: T, args: readonly Value[]) => Value;

interface Entry<T> {
  readonly parameters: readonly ParameterType[];
  readonly results?: number;
  readonly run: Method<T>;
}

function plain<T>(run: (self: T) => Value): Entry<T> {
  return { parameters: [], run };
}

/** One that Go gives several results, which templates do not take. */
function several<T>(results: number): Entry<T> {
  return { parameters: [], results, run: () => undefined };
}

function int(value: bigint | number, type?: IntType): Int {
  return new Int(value, type);
}

const timeOf = (value: Value): bigint => (value as Instant).ns;
const spanOf = (value: Value): bigint => (value as Span).ns;
const numberOf = (value: Value): number => Number((value as Int).value);

/** The zero time of Go, the first day of the year 1; since 1970. */
const ZERO_NS = -62_135_596_800n * 1_000_000_000n;

const INSTANT: ReadonlyMap<string, Entry<Instant>> = new Map<string, Entry<Instant>>([
  ['Add', { parameters: ['time.Duration'], run: ({ ns }, [span]) => new Instant(ns + spanOf(span)) }],
  [
    'AddDate',
    {
      parameters: ['int', 'int', 'int'],
      run: ({ ns }, [years, months, days]) =>
        new Instant(addDate(ns, numberOf(years), numberOf(months), numberOf(days))),
    },
  ],
  ['After', { parameters: ['time.Time'], run: ({ ns }, [other]) => ns > timeOf(other) }],
  ['Before', { parameters: ['time.Time'], run: ({ ns }, [other]) => ns < timeOf(other) }],
  [
    'Compare',
    { parameters: ['time.Time'], run: ({ ns }, [other]) => int(ns < timeOf(other) ? -1 : ns > timeOf(other) ? 1 : 0) },
  ],
  ['Equal', { parameters: ['time.Time'], run: ({ ns }, [other]) => ns === timeOf(other) }],
  ['Sub', { parameters: ['time.Time'], run: ({ ns }, [other]) => new Span(clampSpan(ns - timeOf(other))) }],
  ['Round', { parameters: ['time.Duration'], run: ({ ns }, [unit]) => new Instant(roundInstant(ns, spanOf(unit))) }],
  [
    'Truncate',
    { parameters: ['time.Duration'], run: ({ ns }, [unit]) => new Instant(truncateInstant(ns, spanOf(unit))) },
  ],
  ['Format', { parameters: ['string'], run: ({ ns }, [layout]) => formatLayout(ns, layout as string) }],
  ['String', plain(({ ns }) => formatInstant(ns))],
  ['UTC', plain(({ ns }) => new Instant(ns))],
  ['Local', plain(({ ns }) => new Instant(ns))],
  ['IsZero', plain(({ ns }) => ns === ZERO_NS)],
  ['IsDST', plain(() => false)],
  ['Unix', plain(({ ns }) => int(floorDivide(ns, 1_000_000_000n), 'int64'))],
  ['UnixMilli', plain(({ ns }) => int(floorDivide(ns, 1_000_000n), 'int64'))],
  ['UnixMicro', plain(({ ns }) => int(floorDivide(ns, 1000n), 'int64'))],
  ['UnixNano', plain(({ ns }) => int(ns, 'int64'))],
  ['Year', plain(({ ns }) => int(calendarOf(ns).year))],
  ['Month', plain(({ ns }) => int(calendarOf(ns).month, 'time.Month'))],
  ['Day', plain(({ ns }) => int(calendarOf(ns).day))],
  ['Hour', plain(({ ns }) => int(calendarOf(ns).hour))],
  ['Minute', plain(({ ns }) => int(calendarOf(ns).minute))],
  ['Second', plain(({ ns }) => int(calendarOf(ns).second))],
  ['Nanosecond', plain(({ ns }) => int(calendarOf(ns).ns))],
  ['Weekday', plain(({ ns }) => int(calendarOf(ns).weekday, 'time.Weekday'))],
  ['YearDay', plain(({ ns }) => int(calendarOf(ns).yearDay))],
  ['Clock', several(3)],
  ['Date', several(3)],
  ['ISOWeek', several(2)],
  ['Zone', several(2)],
]);

const SPAN: ReadonlyMap<string, Entry<Span>> = new Map<string, Entry<Span>>([
  ['Abs', plain(({ ns }) => new Span(clampSpan(ns < 0n ? -ns : ns)))],
  ['Hours', plain(({ ns }) => whole(ns, 3_600_000_000_000n))],
  ['Minutes', plain(({ ns }) => whole(ns, 60_000_000_000n))],
  ['Seconds', plain(({ ns }) => whole(ns, 1_000_000_000n))],
  ['Milliseconds', plain(({ ns }) => int(ns / 1_000_000n, 'int64'))],
  ['Microseconds', plain(({ ns }) => int(ns / 1000n, 'int64'))],
  ['Nanoseconds', plain(({ ns }) => int(ns, 'int64'))],
  ['Round', { parameters: ['time.Duration'], run: ({ ns }, [unit]) => new Span(roundSpan(ns, spanOf(unit))) }],
  ['Truncate', { parameters: ['time.Duration'], run: ({ ns }, [unit]) => new Span(truncateSpan(ns, spanOf(unit))) }],
  ['String', plain(({ ns }) => formatSpan(ns))],
]);

/** A number of units, as Go divides: the whole ones and the rest apart. */
function whole(ns: bigint, unit: bigint): number {
  return Number(ns / unit) + Number(ns % unit) / Number(unit);
}

function truncateSpan(ns: bigint, unit: bigint): bigint {
  return unit <= 0n ? ns : ns - (ns % unit);
}

/** Times are multiples of a span since Go's zero time. */
function truncateInstant(ns: bigint, unit: bigint): bigint {
  if (unit <= 0n) return ns;
  const rest = (ns - ZERO_NS) % unit;
  return ns - (rest < 0n ? rest + unit : rest);
}

function roundInstant(ns: bigint, unit: bigint): bigint {
  const below = truncateInstant(ns, unit);
  return 2n * (ns - below) < unit || unit <= 0n ? below : below + unit;
}

/** The method of a value; undefined where it has none of that name. */
export function methodOf(value: Value, name: string): TemplateFunction | undefined {
  if (value instanceof Instant) return bind(value, INSTANT.get(name));
  if (value instanceof Span) return bind(value, SPAN.get(name));
  if (value instanceof Int && value.type.startsWith('time.') && name === 'String') {
    return { parameters: [], call: () => display(value) };
  }
  return undefined;
}

function bind<T extends Value>(self: T, entry: Entry<T> | undefined): TemplateFunction | undefined {
  if (entry === undefined) return undefined;
  const { parameters, results, run } = entry;
  return { parameters, results: results ?? 1, call: (args) => run(self, args) };
}

/** Whether a parameter takes a value of a type, by itself or by what its pointer points to. */
export function takes(parameter: ParameterType, type: string): boolean {
  return parameter === 'any' || parameter === 'value' || type === parameter || type === `*${parameter}`;
}
