// Parts of a time given in seconds since the epoch, in UTC.

type Part = (date: Date) => number;

interface CalendarFunction {
  readonly part: Part;
  /** What Go makes of NaN, infinities and times beyond 64 bits on amd64: Sunday, 4 December 292277026596, 15:30:08. */
  readonly beyond: number;
}

export const CALENDAR_FUNCTIONS: ReadonlyMap<string, CalendarFunction> = new Map([
  ['minute', { part: (date) => date.getUTCMinutes(), beyond: 30 }],
  ['hour', { part: (date) => date.getUTCHours(), beyond: 15 }],
  ['day_of_week', { part: (date) => date.getUTCDay(), beyond: 0 }],
  ['day_of_month', { part: (date) => date.getUTCDate(), beyond: 4 }],
  ['day_of_year', { part: dayOfYear, beyond: 339 }],
  ['days_in_month', { part: daysInMonth, beyond: 31 }],
  ['month', { part: (date) => date.getUTCMonth() + 1, beyond: 12 }],
  ['year', { part: (date) => date.getUTCFullYear(), beyond: 292_277_026_596 }],
] satisfies [string, CalendarFunction][]);

const DAY_MS = 86_400_000;
const INT64 = 2 ** 63;
/** Seconds after which the calendar repeats: 400 years. */
const CYCLE_SECONDS = 146_097 * 86_400;
/** Seconds that a Date can surely hold. */
const DATE_SECONDS_MAX = 8e12;

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

/** Of whole seconds; a fraction is cut off. */
export function calendarPart({ part, beyond }: CalendarFunction, seconds: number): number {
  const whole = Math.trunc(seconds);
  if (!(Math.abs(whole) < INT64)) return beyond;
  if (Math.abs(whole) <= DATE_SECONDS_MAX) return part(new Date(whole * 1000));
  const cycles = Math.floor(whole / CYCLE_SECONDS);
  const within = part(new Date((whole - cycles * CYCLE_SECONDS) * 1000));
  // Only years differ from one cycle to another; and only theirs are above 366.
  return within > 366 ? within + 400 * cycles : within;
}
