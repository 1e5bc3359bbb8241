// Classic histograms of a text page, taken out of it and gathered: convert_classic_histograms_to_nhcb.
//
//   # TYPE latency histogram              ─► stays: the core reads metadata
//   latency_bucket{a="b",le="0.1"} 2     ─┐
//   latency_bucket{a="b",le="+Inf"} 3     ├► one histogram of the series {"latency","a"="b"}
//   latency_sum{a="b"} 0.7                │   lines of one series stand together
//   latency_count{a="b"} 3               ─┘
//   up 1                                  ─► stays
//
// What is left of the page moves together, and is parsed as any other. A line that is not quite what it should be
// stays, so that the core finds the fault. What a line's text says of its series is remembered from scrape to scrape.
// Only targets with the option take this way; it costs a string a line.

import { CustomBuckets } from '../model/custom-buckets.js';
import type { Exemplar } from '../model/exemplar.js';
import { histogramFault } from '../model/histogram-check.js';
import { parseFloatText } from '../model/number.js';
import type { StoredHistogram } from '../model/stored-histogram.js';
import { timedExemplarOf } from './scraped-exemplars.js';

/** A histogram that classic lines of a page make. */
export interface ClassicHistogram {
  /** Name and labels as text, a character for each byte: `{"name","label"="value"}`. */
  readonly series: string;
  /** undefined: that of the scrape. */
  readonly ownMs: number | undefined;
  readonly histogram: StoredHistogram;
  readonly exemplars: readonly Exemplar[];
}

export interface ConvertedPage {
  /** Bytes of the page that are left, from its start on. */
  readonly bytes: number;
  readonly histograms: readonly ClassicHistogram[];
  /** Texts of series whose exemplars have gone to a histogram. */
  readonly bare: ReadonlySet<string>;
}

type Part = 'bucket' | 'sum' | 'count';

/** What the text of a series says: of which histogram it is, and which part. */
interface Place {
  /** Name without its suffix, as the page spells it. */
  readonly base: string;
  readonly series: string;
  readonly part: Part;
  readonly bound: number;
}

interface Group {
  readonly series: string;
  readonly buckets: CustomBuckets;
  readonly exemplars: Exemplar[];
  ownMs: number | undefined;
}

const NEWLINE = 10;
const HASH = 35;
const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
const SPACE = 32;
const TAB = 9;
const ZERO = 48;
/** Integers of so many digits are exact. */
const QUICK_DIGITS = 15;
/** Series that no page names any more are forgotten once there are more of them than of the others. */
const SPARE_MIN = 256;

const TYPE_LINE = /^#[ \t]+TYPE[ \t]+(?:"((?:\\.|[^"\\])*)"|([^\s"]+))[ \t]+histogram[ \t]*$/;
/** Behind the series: value, and perhaps a time in ms. */
const TEXT_TAIL = /^[ \t]*([^\s#]+)(?:[ \t]+(-?\d+))?[ \t]*$/;
/** The same of OpenMetrics: seconds, and perhaps an exemplar. */
const OPENMETRICS_TAIL = /^ ([^\s#]+)(?: ([^\s#]+))?(?: # (\{.*))?$/;

export class ClassicText {
  /** undefined: no part of a classic histogram. */
  #places = new Map<string, Place | undefined>();

  /**
   * Gathers the classic histograms of a page. Unless they are to be `kept`, their lines are taken out of it: what is left
   * moves together in `page`.
   */
  convert(page: Buffer, isOpenMetrics: boolean, kept: boolean): ConvertedPage {
    const histograms: ClassicHistogram[] = [];
    const bare = new Set<string>();
    let family: string | undefined;
    let group: Group | undefined;
    let lines = 0;
    let left = 0;
    const finish = () => {
      const found = group && histogramOf(group);
      if (found !== undefined) histograms.push(found);
      group = undefined;
    };
    for (let at = 0; at < page.length; ) {
      const newline = page.indexOf(NEWLINE, at);
      const end = newline < 0 ? page.length : newline;
      const next = Math.min(end + 1, page.length);
      let isTaken = false;
      if (page[at] === HASH) {
        finish();
        const type = TYPE_LINE.exec(page.toString('latin1', at, end));
        if (type !== null) family = type[1] ?? type[2];
        else if (isTypeLine(page, at, end)) family = undefined;
      } else if (family !== undefined && end > at) {
        lines++;
        const line = this.#read(page, at, end, isOpenMetrics);
        if (line === undefined || line.place.base !== family) finish();
        else {
          const { place } = line;
          if (group !== undefined && group.series !== place.series) finish();
          group ??= { series: place.series, buckets: new CustomBuckets(), exemplars: [], ownMs: undefined };
          take(group, line);
          if (kept && line.exemplar !== undefined) bare.add(line.text);
          isTaken = !kept;
        }
      }
      if (!isTaken) {
        if (left !== at) page.copyWithin(left, at, next);
        left += next - at;
      }
      at = next;
    }
    finish();
    if (this.#places.size > 2 * lines + SPARE_MIN) this.#places = new Map();
    return { bytes: left, histograms, bare };
  }

  #read(page: Buffer, at: number, end: number, isOpenMetrics: boolean): Line | undefined {
    const seriesEnd = endOfSeries(page, at, end);
    const text = page.toString('latin1', at, seriesEnd);
    let place = this.#places.get(text);
    if (place === undefined) {
      if (this.#places.has(text)) return undefined;
      place = placeOf(text);
      this.#places.set(text, place);
      if (place === undefined) return undefined;
    }
    const quick = quickNumber(page, seriesEnd, end);
    if (quick !== undefined) return { text, place, value: quick, ownMs: undefined, exemplar: undefined };
    const tail = (isOpenMetrics ? OPENMETRICS_TAIL : TEXT_TAIL).exec(page.toString('latin1', seriesEnd, end));
    if (tail === null) return undefined;
    const value = parseFloatText(tail[1]!);
    const time = tail[2] === undefined ? undefined : parseFloatText(tail[2]);
    if (typeof value !== 'number' || typeof time === 'string') return undefined;
    const ownMs = time === undefined ? undefined : isOpenMetrics ? Math.trunc(time * 1000) : time;
    return { text, place, value, ownMs, exemplar: tail[3] };
  }
}

interface Line {
  /** Of the series. */
  readonly text: string;
  readonly place: Place;
  readonly value: number;
  readonly ownMs: number | undefined;
  readonly exemplar: string | undefined;
}

function take(group: Group, { place, value, ownMs, exemplar }: Line): void {
  group.ownMs = ownMs;
  switch (place.part) {
    case 'bucket':
      group.buckets.addBucket(place.bound, value);
      break;
    case 'sum':
      group.buckets.setSum(value);
      break;
    case 'count':
      group.buckets.setCount(value);
      break;
  }
  // Those of native histograms have a time, or are passed over.
  const found = exemplar === undefined ? undefined : timedExemplarOf(exemplar);
  if (found !== undefined) group.exemplars.push(found);
}

/** One whose buckets make no histogram is dropped, its lines with it, as in Prometheus. */
function histogramOf({ series, ownMs, buckets, exemplars }: Group): ClassicHistogram | undefined {
  const histogram = buckets.finish(false);
  if (typeof histogram === 'string' || histogramFault(histogram) !== undefined) return undefined;
  return { series, ownMs, histogram, exemplars: exemplars.sort((a, b) => a.timeMs - b.timeMs) };
}

function isTypeLine(page: Buffer, at: number, end: number): boolean {
  return /^#[ \t]+TYPE[ \t]/.test(page.toString('latin1', at, Math.min(end, at + 16)));
}

/** A blank and digits, as most values are; undefined for all else. */
function quickNumber(page: Buffer, at: number, end: number): number | undefined {
  const length = end - at - 1;
  if (page[at] !== SPACE || length < 1 || length > QUICK_DIGITS) return undefined;
  let value = 0;
  for (let i = at + 1; i < end; i++) {
    const digit = page[i]! - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** Behind the name, and its labels where there are any. */
function endOfSeries(page: Buffer, at: number, end: number): number {
  let isQuoted = false;
  let isOpen = false;
  for (let i = at; i < end; i++) {
    const byte = page[i]!;
    if (isQuoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isQuoted = false;
    } else if (byte === QUOTE) isQuoted = true;
    else if (byte === OPEN) isOpen = true;
    else if (byte === CLOSE && isOpen) return i + 1;
    else if ((byte === SPACE || byte === TAB) && !isOpen) {
      // Labels may stand apart from the name.
      const rest = skipBlanks(page, i, end);
      if (page[rest] !== OPEN) return i;
    }
  }
  return end;
}

function skipBlanks(page: Buffer, at: number, end: number): number {
  while (at < end && (page[at] === SPACE || page[at] === TAB)) at++;
  return at;
}

const LABEL = /[ \t]*(?:"((?:\\.|[^"\\])*)"|([a-zA-Z_]\w*))[ \t]*(?:=[ \t]*"((?:\\.|[^"\\])*)")?[ \t]*(,|$)/y;

function placeOf(text: string): Place | undefined {
  const brace = text.indexOf('{');
  let name = (brace < 0 ? text : text.slice(0, brace)).trim();
  const pairs: [name: string, value: string][] = [];
  if (brace >= 0) {
    const inside = text.slice(brace + 1, -1);
    LABEL.lastIndex = 0;
    while (LABEL.lastIndex < inside.length) {
      const found = LABEL.exec(inside);
      if (found === null) return undefined;
      const [, quoted, bare, value] = found;
      if (value !== undefined) pairs.push([quoted ?? bare!, value]);
      else if (quoted !== undefined && name === '') name = quoted;
      else return undefined;
    }
  }
  const suffix = /_(bucket|sum|count)$/.exec(name);
  if (suffix === null) return undefined;
  const part = suffix[1] as Part;
  const le = pairs.find(([label]) => label === 'le')?.[1];
  const bound = part === 'bucket' ? parseFloatText(le ?? '') : 0;
  if (typeof bound !== 'number' || Number.isNaN(bound)) return undefined;
  const base = name.slice(0, suffix.index);
  const others = pairs.filter(([label]) => label !== 'le').sort(([a], [b]) => (a < b ? -1 : 1));
  const labels = others.map(([label, value]) => `,"${label}"="${value}"`).join('');
  return { base, series: `{"${base}"${labels}}`, part, bound };
}
