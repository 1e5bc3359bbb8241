// Questions about what is stored, asked of all shards and answered as one.

import type { Ending } from '../base/ending.js';
import { keptJson } from '../base/kept-json.js';
import type { Exemplar } from '../model/exemplar.js';
import { compareLabels, compareStrings, type Labels } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import { QueryError } from '../promql/errors.js';
import type { RenderedRows } from '../promql/exec/source.js';
import type { Reply } from '../shard/protocol.js';
import { joinTexts } from '../shard/rendered.js';
import type { ShardHandle, Shards } from '../shard/shards.js';
import type { FederateFormat, FederateStyle } from '../wasm/federate.js';
import { FamilyStream, mergeFamilies, withInstance } from './federation.js';
import { KnownLists, SERIES_MAX } from './known-lists.js';
import { ListingCache } from './listing-cache.js';

/** Which series a question means: those that any selector takes (all, without any) with samples in the range. */
export interface SeriesQuestion {
  readonly selectors: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
  /** 0 is no limit. */
  readonly limit: number;
  readonly signal: Ending;
}

/** Sorted. */
export interface ListedStrings {
  readonly values: readonly string[];
  readonly warnings: readonly string[];
}

export interface ListedSeries {
  readonly rows: RenderedRows;
  readonly warnings: readonly string[];
}

export interface ExemplarSeries {
  readonly labels: Labels;
  /** Oldest first. */
  readonly exemplars: readonly Exemplar[];
}

export interface FederateQuestion {
  readonly selectors: readonly (readonly Matcher[])[];
  readonly nowMs: number;
  readonly format: FederateFormat;
  /** Whether names beyond the old character set are quoted; otherwise their other characters become underscores. */
  readonly utf8: boolean;
  readonly signal: AbortSignal;
}

export class ShardStorage {
  readonly #shards: Shards;
  /** Added to federated series that lack them. */
  readonly #externalLabels: () => Labels;
  readonly #lookbackMs: number;
  readonly #lists: ListingCache;
  readonly #knownLists: KnownLists;

  constructor(shards: Shards, externalLabels: () => Labels, lookbackMs: number) {
    this.#shards = shards;
    this.#externalLabels = externalLabels;
    this.#lookbackMs = lookbackMs;
    this.#lists = new ListingCache(() => shards.seriesVersion);
    this.#knownLists = new KnownLists(shards.known, () => shards.seriesVersion);
  }

  labelNames({ selectors, startMs, endMs, signal }: SeriesQuestion): Promise<ListedStrings> {
    const request = { selectors: mutable(selectors), startMs, endMs };
    return this.#listed('names', selectors, startMs, endMs, async () => {
      const shares = await this.#each(signal, ({ client }) => client.call('labelNames', request, 'adhoc'));
      return shares.map(({ names, faults = [] }) => ({ strings: names, faults }));
    });
  }

  labelValues(name: string, { selectors, startMs, endMs, signal }: SeriesQuestion): Promise<ListedStrings> {
    const request = { name, selectors: mutable(selectors), startMs, endMs };
    return this.#listed(`values of ${name}`, selectors, startMs, endMs, async () => {
      const shares = await this.#each(signal, ({ client }) => client.call('labelValues', request, 'adhoc'));
      return shares.map(({ values, faults = [] }) => ({ strings: values, faults }));
    });
  }

  /** The strings of all shards; a list is kept by what is listed, of which series, and the blocks that it is of. */
  async #listed(
    what: string,
    selectors: SeriesQuestion['selectors'],
    startMs: number,
    endMs: number,
    ask: () => Promise<{ readonly strings: string[]; readonly faults: readonly string[] }[]>,
  ): Promise<ListedStrings> {
    const warnings = new Set<string>();
    const key = this.#keyOf(what, selectors, startMs, endMs);
    const values = await this.#lists.get(key, async () => {
      const shares = await ask();
      for (const { faults } of shares) for (const fault of faults) warnings.add(fault);
      return union(shares.map(({ strings }) => strings));
    });
    if (warnings.size > 0) this.#lists.forget(key);
    return { values, warnings: [...warnings] };
  }

  /** What is asked about of which series, and the blocks that have times in the range. */
  #keyOf(what: string, selectors: SeriesQuestion['selectors'], startMs: number, endMs: number): string {
    const blocks = this.#shards.blocks.within(startMs, endMs);
    // Neither names of blocks nor JSON have a line feed in them.
    return [blocks.join(), ...selectors.map(keptJson), what].join('\n');
  }

  /** The label sets of series as JSON objects, sorted. */
  async series(question: SeriesQuestion): Promise<ListedSeries> {
    const { selectors, limit, signal } = question;
    const range = { startMs: Math.max(question.startMs, -TIME_MAX), endMs: Math.min(question.endMs, TIME_MAX) };
    const key = this.#keyOf('series', selectors, range.startMs, range.endMs);
    const { known, appends } = this.#shards;
    const rows = this.#knownLists.read(key, { watermark: appends.watermark, ...range });
    if (rows !== undefined && (limit === 0 || limit > rows.rowCount)) return { rows, warnings: [] };
    const { generation } = known;
    const places = limit === 0 && this.#knownLists.isAskedAgain(key) ? SERIES_MAX : 0;
    const request = { selectors: mutable(selectors), ...range, limit, places };
    const shares = await this.#each(signal, ({ client }) => client.call('series', request, 'adhoc'));
    const joined = joinTexts(
      shares.flatMap(({ texts }) => texts),
      'labels',
    );
    const warnings = [...new Set(shares.flatMap(({ faults = [] }) => faults))];
    if (places > 0 && warnings.length === 0) this.#knownLists.keep(key, generation, shares, joined);
    return { rows: joined, warnings };
  }

  /** The exemplars of series that any selector takes, from one time to another, sorted by labels. */
  async exemplars({ selectors, startMs, endMs, signal }: SeriesQuestion): Promise<readonly ExemplarSeries[]> {
    const request = { selectors: mutable(selectors), startMs, endMs };
    const shares = await this.#each(signal, ({ client }) => client.call('exemplars', request, 'adhoc'));
    return shares.flatMap(({ series }) => series).sort((a, b) => compareLabels(a.labels, b.labels));
  }

  /** How families are written. */
  federateStyle(format: FederateFormat, utf8: boolean): FederateStyle {
    return { externalLabels: withInstance(this.#externalLabels()), format, utf8 };
  }

  /** The newest samples, families in the order of their names. */
  async *federate({ selectors, nowMs, format, utf8, signal }: FederateQuestion): AsyncGenerator<Uint8Array> {
    if (selectors.length === 0) return;
    const hold = this.#shards.appends.hold();
    const request = {
      selectors: mutable(selectors),
      fromMs: nowMs - this.#lookbackMs,
      toMs: nowMs,
      watermark: hold.watermark,
      ...this.federateStyle(format, utf8),
    };
    let streams: FamilyStream[];
    try {
      streams = (await this.#each(signal, (handle) => FamilyStream.open(handle, request))).flat();
    } finally {
      hold.release();
    }
    try {
      yield* mergeFamilies(streams, request, signal);
    } finally {
      for (const stream of streams) stream.close();
    }
  }

  async stats(limit: number): Promise<StorageStats> {
    const shares = await this.#each(undefined, ({ client }) => client.call('stats', { top: limit }, 'rules'));
    const sum = (pick: (share: Reply<'stats'>) => number) => shares.reduce((total, share) => total + pick(share), 0);
    const top = (
      pick: (share: Reply<'stats'>) => readonly [string, number][],
      join: (a: number, b: number) => number,
    ) => topOf(shares.map(pick), join, limit);
    return {
      series: sum((share) => share.series),
      labelPairs: sum((share) => share.counters.pairs ?? 0),
      chunks: sum((share) => (share.counters.chunksSealed ?? 0) - (share.counters.chunksFreed ?? 0) + share.series),
      seriesByMetricName: top((share) => share.byMetric, add),
      // A value may be in several shards, so these two are the most that any shard has.
      valuesByLabelName: top((share) => share.valuesByName, Math.max),
      bytesByLabelName: top((share) => share.bytesByName, Math.max),
      seriesByLabelPair: top((share) => share.byPair, add),
    };
  }

  /** Counters of all shards, added up; of those whose names begin with `least.` the least. */
  async counters(): Promise<Record<string, number>> {
    const shares = await this.#each(undefined, ({ client }) => client.call('counters', {}, 'rules'));
    const totals: Record<string, number> = {};
    for (const share of shares)
      for (const [key, value] of Object.entries(share)) {
        const before = totals[key];
        if (before === undefined) totals[key] = value;
        else totals[key] = key.startsWith('least.') ? Math.min(before, value) : before + value;
      }
    return totals;
  }

  async #each<T>(signal: Ending | undefined, ask: (handle: ShardHandle) => Promise<T>): Promise<T[]> {
    if (signal?.aborted) throw new QueryError('canceled', 'nobody waits for the answer');
    return Promise.all(this.#shards.handles.map(ask));
  }
}

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

export interface StorageStats {
  readonly series: number;
  readonly labelPairs: number;
  readonly chunks: number;
  readonly seriesByMetricName: readonly NamedCount[];
  readonly valuesByLabelName: readonly NamedCount[];
  readonly bytesByLabelName: readonly NamedCount[];
  readonly seriesByLabelPair: readonly NamedCount[];
}

/** Milliseconds that the core's 64-bit times and a double both hold. */
const TIME_MAX = 2 ** 52;

function add(a: number, b: number): number {
  return a + b;
}

function topOf(
  lists: readonly (readonly [string, number][])[],
  join: (a: number, b: number) => number,
  limit: number,
): NamedCount[] {
  const joined = new Map<string, number>();
  for (const list of lists) {
    for (const [name, value] of list) {
      const before = joined.get(name);
      joined.set(name, before === undefined ? value : join(before, value));
    }
  }
  return [...joined]
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => b.value - a.value || compareStrings(a.name, b.name))
    .slice(0, limit);
}

function union(lists: readonly string[][]): string[] {
  return (lists.length === 1 ? lists[0]! : [...new Set(lists.flat())]).sort(compareStrings);
}

function mutable(selectors: readonly (readonly Matcher[])[]): Matcher[][] {
  return selectors.map((selector) => [...selector]);
}
