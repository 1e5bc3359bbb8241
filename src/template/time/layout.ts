// Go's layouts of times: an example, of 15:04:05 on Monday, 2 January 2006, says how.

import { type Calendar, calendarOf, MONTHS, padYear, two, WEEKDAYS } from './instant.js';

/** What stands for a part of the time, longer ones first. A month or weekday goes on where a small letter follows. */
const PART =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|_2006|__2|_2|002|01|02|03|04|05|06|15|PM|pm|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;

export function formatLayout(ns: bigint, layout: string): string {
  const time = calendarOf(ns);
  return layout.replace(PART, (part) => formatPart(part, time));
}

function formatPart(part: string, time: Calendar): string {
  const { year, month, day, hour, minute, second } = time;
  const hour12 = hour % 12 === 0 ? 12 : hour % 12;
  switch (part) {
    case 'January':
      return MONTHS[month - 1]!;
    case 'Jan':
      return MONTHS[month - 1]!.slice(0, 3);
    case 'Monday':
      return WEEKDAYS[time.weekday]!;
    case 'Mon':
      return WEEKDAYS[time.weekday]!.slice(0, 3);
    case 'MST':
      return 'UTC';
    case '2006':
      return padYear(year);
    case '_2006':
      return `_${padYear(year)}`;
    case '06':
      return two(((year % 100) + 100) % 100);
    case '01':
      return two(month);
    case '1':
      return String(month);
    case '02':
      return two(day);
    case '_2':
      return String(day).padStart(2);
    case '2':
      return String(day);
    case '002':
      return String(time.yearDay).padStart(3, '0');
    case '__2':
      return String(time.yearDay).padStart(3);
    case '15':
      return two(hour);
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(minute);
    case '4':
      return String(minute);
    case '05':
      return two(second);
    case '5':
      return String(second);
    case 'PM':
      return hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return hour >= 12 ? 'pm' : 'am';
  }
  if (part.startsWith('Z')) return 'Z';
  if (part.startsWith('-')) return part.replaceAll('-', '+').replaceAll('7', '0');
  return fraction(part, time.ns);
}

/** `.000` has as many decimals as zeros, `.999` at most as many. */
function fraction(part: string, ns: number): string {
  const decimals = String(ns)
    .padStart(9, '0')
    .slice(0, part.length - 1)
    .padEnd(part.length - 1, '0');
  if (part[1] === '0') return part[0]! + decimals;
  const kept = decimals.replace(/0+$/, '');
  return kept === '' ? '' : part[0]! + kept;
}
