// What servers were told, and so what they must show: series, times and values in plain maps. Ours and Prometheus are
// asked alike, through the API; what promtool dumps is compared line by line.

import assert from 'node:assert/strict';
import { floatOf, isStaleHistogram, type StoredHistogram } from '../../src/model/stored-histogram.js';
import type { Series } from './remote-write.js';
import { api, type Metric, metricText } from './servers.js';

const HOUR_MS = 3_600_000;
const STALE_BITS = 0x7ff0000000000002n;

/** The bits of a float, or a native histogram. */
export type Point = bigint | StoredHistogram;

interface Entry {
  readonly metric: Metric;
  readonly points: Map<number, Point>;
  /** Deleted, which damage may undo. */
  readonly deleted: Map<number, Point>;
}

/** How what a server shows differs from the ledger. */
export interface Difference {
  /** Times of samples that are not there. */
  readonly missing: readonly number[];
  /** Deleted samples that are there again. */
  readonly revived: readonly number[];
  /** Samples that nobody ever sent. */
  readonly wrong: readonly string[];
  /** Of the answers. */
  readonly warnings: readonly string[];
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /** Notes what a server has taken. */
  note(all: readonly Series[]): void {
    for (const { labels, samples, histograms = [] } of all) {
      const { points } = this.#entry(labels);
      for (const [timeMs, value] of samples) points.set(timeMs, typeof value === 'bigint' ? value : bitsOfFloat(value));
      for (const [timeMs, histogram] of histograms) points.set(timeMs, histogram);
    }
  }

  /** Both ends included. */
  delete(isMeant: (metric: Metric) => boolean, fromMs: number, toMs: number): void {
    for (const { metric, points, deleted } of this.#entries.values()) {
      if (!isMeant(metric)) continue;
      for (const [timeMs, point] of [...points]) {
        if (timeMs < fromMs || timeMs > toMs) continue;
        points.delete(timeMs);
        deleted.set(timeMs, point);
      }
    }
  }

  /** All points, of floats and histograms. */
  get size(): number {
    return [...this.#entries.values()].reduce((sum, { points }) => sum + points.size, 0);
  }

  /** Asks a server for all samples of the metrics that begin so, and compares. */
  async check(url: string, prefix: string, who: string): Promise<void> {
    const found = await samplesOf(url, `{__name__=~"${prefix}.+"}`, ...this.#span());
    const wanted = new Map<string, string[]>();
    for (const [key, { points }] of this.#entries) {
      const lines = linesOf(points);
      if (lines.length > 0) wanted.set(key, lines);
    }
    assertSame(found, wanted, who);
  }

  /** The same for a server whose directory was damaged. */
  async compare(url: string, prefix: string): Promise<Difference> {
    const warnings: string[] = [];
    const found = await samplesOf(url, `{__name__=~"${prefix}.+"}`, ...this.#span(), warnings);
    const [missing, revived, wrong]: [number[], number[], string[]] = [[], [], []];
    for (const key of found.keys()) if (!this.#entries.has(key)) wrong.push(`series ${key}`);
    for (const [key, { points, deleted }] of this.#entries) {
      const have = new Set(found.get(key));
      for (const line of linesOf(points)) if (!have.delete(line)) missing.push(Number.parseInt(line, 10));
      for (const line of linesOf(deleted)) if (have.delete(line)) revived.push(Number.parseInt(line, 10));
      for (const line of have) wrong.push(`${key} ${line}`);
    }
    return { missing, revived, wrong, warnings };
  }

  /** What `promtool tsdb dump` prints of metrics that begin so. Stale markers are there; of histograms only times are compared. */
  checkDump(text: string, prefix: string, who: string): void {
    const found = new Map<string, string[]>();
    for (const line of text.split('\n')) {
      const [, labels, value, timeMs] = /^(\{.*?\}) (.*) (-?\d+)$/.exec(line) ?? [];
      if (labels === undefined || !labels.includes(`__name__="${prefix}`)) continue;
      const shown = value!.startsWith('{') ? `${timeMs} histogram` : `${timeMs} ${shownFloat(parseFloatText(value!))}`;
      const lines = found.get(labels);
      if (lines === undefined) found.set(labels, [shown]);
      else lines.push(shown);
    }
    const wanted = new Map<string, string[]>();
    for (const { metric, points } of this.#entries.values()) {
      const all = sortedPoints(points);
      const lines = all
        .slice(notDumped(all[0]?.[1]))
        .map(([timeMs, point]) => `${timeMs} ${typeof point === 'bigint' ? shownFloat(floatOf(point)) : 'histogram'}`);
      if (lines.length > 0) wanted.set(dumpedLabels(metric), lines);
    }
    assertSame(found, wanted, who);
  }

  #entry(labels: readonly string[]): Entry {
    const metric: Metric = {};
    for (let i = 0; i < labels.length; i += 2) metric[labels[i]!] = labels[i + 1]!;
    const key = metricText(metric);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = { metric, points: new Map<number, Point>(), deleted: new Map<number, Point>() };
    this.#entries.set(key, entry);
    return entry;
  }

  #span(): [fromMs: number, toMs: number] {
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { points } of this.#entries.values()) {
      for (const timeMs of points.keys()) {
        from = Math.min(from, timeMs);
        to = Math.max(to, timeMs);
      }
    }
    return [from, to];
  }
}

interface ShownSeries {
  readonly metric: Metric;
  readonly values?: [seconds: number, value: string][];
  readonly histograms?: [seconds: number, histogram: { count: string; sum: string }][];
}

/** All raw samples of a selector, in lines by label set; asked for hour by hour, both ends included. Adds to the warnings. */
async function samplesOf(
  url: string,
  selector: string,
  fromMs: number,
  toMs: number,
  warnings: string[] = [],
): Promise<Map<string, string[]>> {
  const found = new Map<string, Map<number, string>>();
  for (let endMs = fromMs - 1 + HOUR_MS; endMs < toMs + HOUR_MS; endMs += HOUR_MS) {
    const params = { query: `${selector}[1h]`, time: String(endMs / 1000) };
    const { result } = await api<{ result: ShownSeries[] }>(url, 'query', params, warnings);
    for (const { metric, values = [], histograms = [] } of result) {
      const key = metricText(metric);
      const lines = found.get(key) ?? new Map<number, string>();
      found.set(key, lines);
      const add = (seconds: number, shown: string): void => {
        const timeMs = Math.round(seconds * 1000);
        assert.ok(!lines.has(timeMs), `${key}: two samples at ${timeMs}`);
        lines.set(timeMs, shown);
      };
      for (const [seconds, value] of values) add(seconds, shownFloat(parseFloatText(value)));
      for (const [seconds, { count, sum }] of histograms)
        add(seconds, shownHistogram(Number(count), parseFloatText(sum)));
    }
  }
  const lines = ([key, shown]: [string, Map<number, string>]): [string, string[]] => [
    key,
    [...shown].sort(([a], [b]) => a - b).map(([timeMs, text]) => `${timeMs} ${text}`),
  ];
  return new Map([...found].map(lines));
}

/** Says of a few series what is missing, and what should not be there. */
function assertSame(found: Map<string, string[]>, wanted: Map<string, string[]>, who: string): void {
  const problems: string[] = [];
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const [have, want] = [new Set(found.get(key)), new Set(wanted.get(key))];
    const missing = [...want].filter((line) => !have.has(line));
    const surplus = [...have].filter((line) => !want.has(line));
    if (missing.length + surplus.length === 0) continue;
    const some = (lines: string[]) => `${lines.length} (${lines.slice(0, 3).join(', ')})`;
    problems.push(`${key}: of ${want.size} samples missing ${some(missing)}, not wanted ${some(surplus)}`);
  }
  assert.deepEqual(problems.slice(0, 5), [], `${who}: ${problems.length} of ${wanted.size} series`);
}

function sortedPoints(points: ReadonlyMap<number, Point>): [timeMs: number, point: Point][] {
  return [...points].sort(([a], [b]) => a - b);
}

/** What the API shows of points: all but stale markers. */
function linesOf(points: ReadonlyMap<number, Point>): string[] {
  return sortedPoints(points).flatMap(([timeMs, point]) => (isStale(point) ? [] : [lineOf(timeMs, point)]));
}

function isStale(point: Point): boolean {
  return typeof point === 'bigint' ? point === STALE_BITS : isStaleHistogram(point);
}

function lineOf(timeMs: number, point: Point): string {
  if (typeof point === 'bigint') return `${timeMs} ${shownFloat(floatOf(point))}`;
  return `${timeMs} ${shownHistogram(point.count, floatOf(point.sumBits))}`;
}

/** promtool 3.5 looks for floats, then for float histograms, then for others, and passes over the sample that ends each search. */
function notDumped(first: Point | undefined): number {
  if (first === undefined || typeof first === 'bigint') return 0;
  return first.isFloat ? 1 : 2;
}

function shownHistogram(count: number, sum: number): string {
  return `count ${shownFloat(count)} sum ${shownFloat(sum)}`;
}

/** Bits as far as texts have them: every NaN is the same, -0 is not 0. */
function shownFloat(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Of the API's and Go's spelling. */
function parseFloatText(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}

function bitsOfFloat(value: number): bigint {
  const cell = new DataView(new ArrayBuffer(8));
  cell.setFloat64(0, value);
  return cell.getBigUint64(0);
}

/** As promtool prints them: names that are not of the old alphabet are quoted. */
function dumpedLabels(metric: Metric): string {
  const pairs = Object.entries(metric)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, value]) => `${/^[a-zA-Z_]\w*$/.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
