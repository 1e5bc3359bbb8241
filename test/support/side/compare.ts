// Two servers that scraped the same targets at other times: what they hold is brought together by the number of the page.
//
// Each sample of a target gets a place, by its time:
//
//   n           the scrape that got page n
//   n + 0.5     the first scrape behind it that failed; those after it must say the same, however many there are
//   n + 0.75    a time without a scrape: the stale markers of a target that is gone
//
// A page that Prometheus refuses leaves no stale markers there: it takes what it read of it for present, and ends those
// series with the next good page (docs/differences/scrape.md). There, and only there, markers may come so much earlier.
//
// A page that only one of them has is one that the other did not get in time; there may be few of those.
//
// While a target, its job or its port changes, one server is ahead of the other. Such a *window*, from page to page, is
// left out; but behind it the same series must live.

import type { DumpedSeries } from './dump.js';
import { pageOfOwnTime } from './pages.js';

/** Pages from `from` to `to` of a target are not compared. */
export interface Window {
  readonly from: number;
  readonly to: number;
  /** What happened. */
  readonly why: string;
}

export interface TargetHistory {
  readonly tid: number;
  readonly windows: readonly Window[];
  /** Names of series that differ by their nature. */
  readonly apart: ReadonlySet<string>;
  /** Whether the whole job goes and comes: Prometheus leaves no stale markers then. */
  readonly lingers: boolean;
  /** Whether a server refuses the n-th page for what is in it. */
  isRefused(n: number): boolean;
  readonly narthex: readonly DumpedSeries[];
  readonly prometheus: readonly DumpedSeries[];
}

export interface Compared {
  readonly pages: number;
  readonly samples: number;
  readonly markers: number;
  /** Scrapes that one server did not get to in time. */
  readonly missed: number;
  /** A line each. */
  readonly differences: readonly string[];
}

/** Scrapes of a target that may be late, on a machine with much else to do. */
const LATE_MAX = 5;
const LATE_SHARE = 0.1;

/** promtool leaves out the first two native histograms of a series: the first pages are not compared. */
const NATIVE = /__name__="native_/;
const FIRST_NATIVE = 8;

/** What differs by its nature. */
const TIMES_OF_SCRAPES = /^scrape_duration_seconds$/;
/** What Prometheus counts of a page that it refuses, and Narthex does not: docs/differences/scrape.md. */
const COUNTS = /^scrape_(samples_.*|series_added)$/;

export function compareTarget(history: TargetHistory): Compared {
  const { tid, apart, lingers, isRefused } = history;
  const [ours, theirs] = [history.narthex, history.prometheus].map((all) =>
    placed(all.filter(({ name }) => !apart.has(name))),
  ) as [Placed, Placed];
  // Of targets that never gave a page, what the first scrape left.
  const lastPage = Math.min(ours.lastPage, theirs.lastPage);
  const last = lastPage === 0 ? 0.5 : lastPage - 1;
  const missed = missedPages(ours, theirs, last);
  const windows = [...history.windows, ...missed];
  const late = refusedStretches(theirs, isRefused);
  const differences: string[] = [];
  let [samples, markers] = [0, 0];
  if (missed.length > LATE_MAX + LATE_SHARE * last)
    differences.push(`target ${tid}: ${missed.length} scrapes were late`);
  const shown = (event: Event | undefined) =>
    event === undefined ? 'nothing' : Number.isNaN(event) ? 'a stale marker' : String(event);
  const labels = [...new Set([...ours.series.keys(), ...theirs.series.keys()])].sort();
  for (const label of labels) {
    const [own, their] = [ours.series.get(label) ?? NOTHING, theirs.series.get(label) ?? NOTHING];
    const first = NATIVE.test(label) ? FIRST_NATIVE : 0;
    for (const place of placesOf(own, their)) {
      if (place > last || place < first || windows.some(({ from, to }) => place >= from && place <= to)) continue;
      const [got, want] = [own.get(place), their.get(place)];
      if (Number.isNaN(want)) markers++;
      else samples++;
      if (Object.is(got, want) || isLateMarker(late, place, got, want)) continue;
      differences.push(`target ${tid}, page ${place}: ${label} is ${shown(got)}, want ${shown(want)}`);
    }
    for (const { to, why } of windows) {
      // Behind one window another may begin at once.
      if (to > last || to < first || windows.some((other) => other.from <= to + 1 && other.to > to)) continue;
      const [got, want] = [stateBehind(own, to), stateBehind(their, to)];
      if (lingers && want === 'lives') continue;
      if (got !== want) differences.push(`target ${tid}, behind page ${to} (${why}): ${label} ${got}, want ${want}`);
    }
  }
  return { pages: Math.floor(last), samples, markers, missed: missed.length, differences };
}

/** Where scrapes failed and at least one of them had a page that was refused: from the failure to the next good page. */
interface Stretch {
  readonly failed: number;
  readonly good: number;
}

function refusedStretches({ pages }: Placed, isRefused: (n: number) => boolean): Stretch[] {
  return pages.flatMap((good, i) => {
    const before = pages[i - 1] ?? 0;
    for (let n = before + 1; n < good; n++) if (isRefused(n)) return [{ failed: before + 0.5, good }];
    return [];
  });
}

/** Pages that one has and the other has not, up to `last`, with the page behind: what was new there is new then. */
function missedPages(ours: Placed, theirs: Placed, last: number): Window[] {
  const [own, their] = [new Set(ours.pages), new Set(theirs.pages)];
  const all = [...new Set([...own, ...their])].filter((page) => page <= last);
  return all
    .filter((page) => own.has(page) !== their.has(page))
    .map((page) => ({ from: page - 1 + 0.25, to: page + 1, why: 'a scrape was late' }));
}

/** Ours comes with the failure, theirs with the next good page. */
function isLateMarker(
  stretches: readonly Stretch[],
  place: number,
  got: Event | undefined,
  want: Event | undefined,
): boolean {
  return stretches.some(
    ({ failed, good }) =>
      (place === failed && Number.isNaN(got) && want === undefined) ||
      (place === good && got === undefined && Number.isNaN(want)),
  );
}

/** NaN is a stale marker. */
type Event = number | string;

const NOTHING: ReadonlyMap<number, Event> = new Map();

interface Placed {
  /** Ascending. */
  readonly pages: readonly number[];
  readonly lastPage: number;
  /** By labels: events by place. */
  readonly series: ReadonlyMap<string, ReadonlyMap<number, Event>>;
}

function placed(all: readonly DumpedSeries[]): Placed {
  const pages = samplesOf(all, 'page');
  const placeOf = placesByTime(pages, samplesOf(all, 'up'));
  const series = new Map<string, Map<number, Event>>();
  for (const { name, labels, times, values } of all) {
    const events = new Map<number, Event>();
    times.forEach((time, i) => {
      const value = values[i]!;
      const place = pageOfOwnTime(name, time, value) ?? placeOf(time);
      const isFailed = place % 1 === 0.5;
      if (isFailed && COUNTS.test(name)) return;
      // Of scrapes that fail in a row the first one counts: how many there are is a matter of time.
      if (isFailed && events.has(place)) return;
      events.set(place, TIMES_OF_SCRAPES.test(name) && !Number.isNaN(value) ? 0 : value);
    });
    series.set(labels, events);
  }
  const inOrder = [...new Set(pages.values())].sort((a, b) => a - b);
  return { pages: inOrder, lastPage: inOrder.at(-1) ?? 0, series };
}

/** All samples of a name: values by time, without markers. */
function samplesOf(all: readonly DumpedSeries[], name: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const series of all) {
    if (series.name !== name) continue;
    series.times.forEach((time, i) => {
      const value = series.values[i];
      if (typeof value === 'number' && !Number.isNaN(value)) found.set(time, value);
    });
  }
  return found;
}

function placesByTime(pages: ReadonlyMap<number, number>, ups: ReadonlyMap<number, number>) {
  const times = [...new Set([...pages.keys(), ...ups.keys()])].sort((a, b) => a - b);
  const places = new Map<number, number>();
  /** Page of the last good scrape at or before each of `times`. */
  const before: number[] = [];
  let page = 0;
  for (const time of times) {
    const own = pages.get(time);
    page = own ?? page;
    before.push(page);
    places.set(time, own ?? page + 0.5);
  }
  return (time: number): number => places.get(time) ?? (before[lastAtMost(times, time)] ?? 0) + 0.75;
}

/** Index of the last of ascending `times` that is not later than `time`; -1 where all are. */
function lastAtMost(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function placesOf(own: ReadonlyMap<number, Event>, their: ReadonlyMap<number, Event>): number[] {
  return [...new Set([...own.keys(), ...their.keys()])].sort((a, b) => a - b);
}

function stateBehind(events: ReadonlyMap<number, Event>, place: number): 'lives' | 'is not there' {
  let newest = -1;
  for (const at of events.keys()) if (at <= place && at > newest) newest = at;
  return newest < 0 || Number.isNaN(events.get(newest)) ? 'is not there' : 'lives';
}
