// What a shard can list: names, values, label sets, statistics.

import { compareStrings } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { Core } from '../wasm/core.js';
import type { Exposition } from '../wasm/exposition.js';
import type { Head } from '../wasm/head.js';
import { Listing } from '../wasm/listing.js';
import { Queries } from '../wasm/query.js';
import type { RenderedText } from '../wasm/render.js';
import type { SeriesList } from '../wasm/select.js';
import { decodeStrings } from './columns.js';
import type { Reply, Request } from './protocol.js';
import type { ShardQueries } from './queries.js';

export class Listings {
  readonly #core: Core;
  readonly #queries: ShardQueries;
  readonly #exposition: Exposition;
  readonly #head: Head;
  readonly #listing: Listing;

  readonly #watermark: () => number;
  /** The region that main is lent: reserved, and touched only as far as bodies need it. */
  readonly #lentBytes: number;

  constructor(
    core: Core,
    queries: ShardQueries,
    exposition: Exposition,
    head: Head,
    watermark: () => number,
    lentBytes: number,
  ) {
    this.#core = core;
    this.#listing = new Listing(core);
    this.#queries = queries;
    this.#exposition = exposition;
    this.#head = head;
    this.#watermark = watermark;
    this.#lentBytes = lentBytes;
  }

  /** In no order. */
  names(selectors: Matcher[][]): string[] {
    if (selectors.length === 0) return this.#queries.select.names().map(({ name }) => name);
    return this.#ofSeries(selectors, (list) => decodeStrings(this.#listing.names(list)));
  }

  /** In no order. */
  values(name: string, selectors: Matcher[][]): string[] {
    if (selectors.length === 0) return decodeStrings(this.#listing.values(name, undefined));
    return this.#ofSeries(selectors, (list) => decodeStrings(this.#listing.values(name, list)));
  }

  /** Label sets of series with a sample in [startMs, endMs], as text: each morsel sorted. */
  series(request: Request<'series'>): Reply<'series'> {
    const { selectors, startMs, endMs, limit } = request;
    return this.#ofSeries(selectors, (list) => {
      const queries = new Queries(this.#core);
      const window = { startMs: endMs, stepMs: 1, steps: 1, windowMs: endMs - startMs + 1 };
      const spec = { form: 'labels', startMs: 0, stepMs: 1 } as const;
      const view = queries.view(this.#watermark());
      const query = queries.openText(list, view, 'present_over_time', window, [], spec);
      try {
        const texts: RenderedText[] = [];
        let rows = 0;
        for (let done = false; !done && (limit === 0 || rows <= limit); ) {
          done = query.next();
          const text = query.text();
          rows += text.rowCount;
          texts.push(text);
        }
        return { texts };
      } finally {
        query.close();
      }
    });
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

function highest(counts: [string, number][], top: number): [string, number][] {
  return counts.sort((a, b) => b[1] - a[1] || compareStrings(a[0], b[0])).slice(0, top);
}

function prefixed(prefix: string, counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [`${prefix}.${key}`, value]));
}
