// What a shard can list: names, values, label sets, statistics.

import { compareStrings } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { Core } from '../wasm/core.js';
import type { Exposition } from '../wasm/exposition.js';
import { isGuest } from '../wasm/guests.js';
import type { Head } from '../wasm/head.js';
import { Listing } from '../wasm/listing.js';
import { placesOf } from '../wasm/places.js';
import { Queries, type Query } from '../wasm/query.js';
import type { RenderedText } from '../wasm/render.js';
import type { SeriesList } from '../wasm/select.js';
import { decodeStrings } from './columns.js';
import type { HistoryFeed } from './history/feed.js';
import type { OpenHistory, ShardHistory } from './history/history.js';
import { namesInBlocks, valuesInBlocks } from './history/listing.js';
import type { TimeSpan } from './history/selection.js';
import type { ListedBeside } from './listed-beside.js';
import type { ListedRange, Reply, Request } from './protocol.js';
import type { ShardQueries } from './queries.js';
import { ALONE } from './snapshots.js';

export class Listings {
  readonly #core: Core;
  readonly #queries: ShardQueries;
  readonly #exposition: Exposition;
  readonly #head: Head;
  readonly #listing: Listing;

  readonly #history: ShardHistory;
  readonly #beside: ListedBeside;
  /** Names and values in blocks are the same whoever lists them: one shard does. */
  readonly #listsBlocks: boolean;
  readonly #watermark: () => number;
  /** The region that main is lent: reserved, and touched only as far as bodies need it. */
  readonly #lentBytes: number;

  constructor(
    core: Core,
    queries: ShardQueries,
    exposition: Exposition,
    head: Head,
    history: ShardHistory,
    beside: ListedBeside,
    listsBlocks: boolean,
    watermark: () => number,
    lentBytes: number,
  ) {
    this.#history = history;
    this.#beside = beside;
    this.#listsBlocks = listsBlocks;
    this.#core = core;
    this.#listing = new Listing(core);
    this.#queries = queries;
    this.#exposition = exposition;
    this.#head = head;
    this.#watermark = watermark;
    this.#lentBytes = lentBytes;
  }

  /** Each once, in no order. */
  names({ selectors, ...range }: Request<'labelNames'>): Reply<'labelNames'> {
    const own =
      selectors.length === 0
        ? this.#queries.select.names().map(({ name }) => name)
        : this.#ofSeries(selectors, (list) => decodeStrings(this.#listing.names(list)));
    const { strings, faults } = this.#withBlocks(own, (history) => namesInBlocks(history, selectors, spanOf(range)));
    return { names: strings, ...faults };
  }

  /** Each once, in no order. */
  values({ name, selectors, ...range }: Request<'labelValues'>): Reply<'labelValues'> {
    const own =
      selectors.length === 0
        ? decodeStrings(this.#listing.values(name, undefined))
        : this.#ofSeries(selectors, (list) => decodeStrings(this.#listing.values(name, list)));
    const list = (history: OpenHistory) => valuesInBlocks(history, name, selectors, spanOf(range));
    const { strings, faults } = this.#withBlocks(own, list);
    return { values: strings, ...faults };
  }

  #withBlocks(
    own: string[],
    list: (history: OpenHistory) => string[],
  ): { strings: string[]; faults: { faults?: string[] } } {
    if (!this.#listsBlocks || this.#history.blockCount === 0) return { strings: own, faults: {} };
    return this.#withHistory((history) => {
      const strings = [...new Set([...own, ...list(history)])];
      return { strings, faults: faultsOf(history) };
    });
  }

  #withHistory<T>(action: (history: OpenHistory) => T): T {
    const history = this.#history.open(ALONE, this.#watermark());
    try {
      return action(history);
    } finally {
      history.close();
    }
  }

  /** Label sets of series with a sample in [startMs, endMs], as text: each morsel sorted. */
  series({ selectors, startMs, endMs, limit, places = 0 }: Request<'series'>): Omit<Reply<'series'>, 'version'> {
    const span = { minTimeMs: startMs, maxTimeMs: endMs };
    const { select } = this.#queries;
    return this.#withHistory((history) => {
      const past = history.select(selectors, span);
      const all = history.join(select, select.anyOf(selectors), past);
      const { rest, wanted } = select.part(all, (number) => this.#beside.has(number, span));
      const beside = [...select.indexes(wanted)];
      select.release(wanted);
      const addresses = rest.count <= places && beside.length === 0 ? this.#addressesOf(rest) : undefined;
      const count = rest.count;
      const texts = this.#texts(rest, span, (query) => {
        const feed = history.feed(query, rest, past, span);
        try {
          return textsOf(query, feed, limit);
        } finally {
          beside.push(...(feed?.takeDeferred() ?? []));
          feed?.close();
        }
      });
      const isWhole = beside.length === 0 && texts.reduce((rows, { rowCount }) => rows + rowCount, 0) === count;
      return {
        texts: [...texts, ...this.#textsBeside(Uint32Array.from(beside), span)],
        ...faultsOf(history),
        ...(isWhole && addresses && { addresses }),
      };
    });
  }

  /** Where the series of a list are; undefined where the head has not all of them. */
  #addressesOf(list: SeriesList): ArrayBuffer | undefined {
    if (this.#queries.select.indexes(list).some(isGuest)) return undefined;
    const { addresses } = placesOf(this.#core, list);
    return addresses.byteLength === list.count * 4 ? addresses : undefined;
  }

  /** Series that are listed whatever their floats are. */
  #textsBeside(numbers: Uint32Array, span: TimeSpan): RenderedText[] {
    if (numbers.length === 0) return [];
    const list = this.#queries.select.extended({ address: 0, count: 0, bytes: 0 }, numbers.sort());
    return this.#texts(list, span, (query) => {
      const standIns = this.#beside.standIns(query, numbers.length, span);
      try {
        return textsOf(query, undefined, 0);
      } finally {
        standIns.release();
      }
    });
  }

  /** The label sets that a query for any sample of a list's series in a span has. Takes the list. */
  #texts(list: SeriesList, { minTimeMs, maxTimeMs }: TimeSpan, read: (query: Query) => RenderedText[]): RenderedText[] {
    const queries = new Queries(this.#core);
    const window = { startMs: maxTimeMs, stepMs: 1, steps: 1, windowMs: maxTimeMs - minTimeMs + 1 };
    const spec = { form: 'labels', startMs: 0, stepMs: 1 } as const;
    try {
      const view = queries.view(this.#watermark());
      const query = queries.openText(list, view, 'present_over_time', window, [], spec);
      try {
        return read(query);
      } finally {
        query.close();
      }
    } finally {
      this.#queries.select.release(list);
    }
  }

  #ofSeries<T>(selectors: Matcher[][], action: (list: SeriesList) => T): T {
    const { select } = this.#queries;
    const list = select.anyOf(selectors);
    try {
      return action(list);
    } finally {
      select.release(list);
    }
  }

  counters(): Record<string, number> {
    return {
      series: this.#head.seriesCount,
      usedBytes: this.#core.usedBytes - this.#lentBytes,
      heldBytes: this.#core.heldBytes,
      ownHeldBytes: this.#core.heldBytes - this.#lentBytes,
      ...this.#head.counters,
      ...prefixed('lines', { ...this.#exposition.counts() }),
    };
  }

  stats(top: number): Reply<'stats'> {
    const { select } = this.#queries;
    const names = select.names();
    const byMetric = select.valueCounts('__name__').map(({ value, series }): [string, number] => [value, series]);
    const byPair = names.flatMap(({ name }) =>
      highest(
        select.valueCounts(name).map(({ value, series }): [string, number] => [`${name}=${value}`, series]),
        top,
      ),
    );
    const bytesByName = names.map(({ name }): [string, number] => [
      name,
      select.values(name).reduce((sum, value) => sum + Buffer.byteLength(value), 0),
    ]);
    return {
      series: this.#head.seriesCount,
      usedBytes: this.#core.usedBytes,
      counters: this.counters(),
      byMetric: highest(byMetric, top),
      byPair: highest(byPair, top),
      valuesByName: highest(
        names.map(({ name, values }): [string, number] => [name, values]),
        top,
      ),
      bytesByName: highest(bytesByName, top),
    };
  }
}

/** Rows of all morsels, or of so many that the limit is passed. */
function textsOf(query: Query, feed: HistoryFeed | undefined, limit: number): RenderedText[] {
  const texts: RenderedText[] = [];
  let rows = 0;
  for (let done = false; !done && (limit === 0 || rows <= limit); ) {
    feed?.load(query);
    done = query.next();
    const text = query.text();
    rows += text.rowCount;
    texts.push(text);
  }
  return texts;
}

function spanOf({ startMs = Number.NEGATIVE_INFINITY, endMs = Number.POSITIVE_INFINITY }: ListedRange): TimeSpan {
  return { minTimeMs: startMs, maxTimeMs: endMs };
}

function faultsOf({ faults }: OpenHistory): { faults?: string[] } {
  const texts = faults.take();
  return texts.length === 0 ? {} : { faults: texts };
}

function highest(counts: [string, number][], top: number): [string, number][] {
  return counts.sort((a, b) => b[1] - a[1] || compareStrings(a[0], b[0])).slice(0, top);
}

function prefixed(prefix: string, counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [`${prefix}.${key}`, value]));
}
