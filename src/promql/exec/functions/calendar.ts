// Parts of a time given in seconds since the epoch, in UTC.

/** Beyond this many ms, which is beyond the year 275760, a Date has no parts. */
const DATE_MAX_MS = 8.64e15;

type Part = (date: Date) => number;

export const CALENDAR_FUNCTIONS: ReadonlyMap<string, Part> = new Map<string, Part>([
  ['minute', (date) => date.getUTCMinutes()],
  ['hour', (date) => date.getUTCHours()],
  ['day_of_week', (date) => date.getUTCDay()],
  ['day_of_month', (date) => date.getUTCDate()],
  ['day_of_year', (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1],
  ['days_in_month', (date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()],
  ['month', (date) => date.getUTCMonth() + 1],
  ['year', (date) => date.getUTCFullYear()],
]);

/** Whole seconds; a fraction is cut off. NaN for times that no calendar has. */
export function calendarPart(part: Part, seconds: number): number {
  const timeMs = Math.trunc(seconds) * 1000;
  return Math.abs(timeMs) <= DATE_MAX_MS ? part(new Date(timeMs)) : Number.NaN;
}
