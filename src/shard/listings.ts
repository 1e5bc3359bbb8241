// What a shard can list: names, values, label sets, statistics.

import { compareStrings, type Labels } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { Core } from '../wasm/core.js';
import type { Exposition } from '../wasm/exposition.js';
import type { Head } from '../wasm/head.js';
import { Queries } from '../wasm/query.js';
import { decodeLabels } from './columns.js';
import type { Reply, Request } from './protocol.js';
import type { ShardQueries } from './queries.js';

export class Listings {
  readonly #core: Core;
  readonly #queries: ShardQueries;
  readonly #exposition: Exposition;
  readonly #head: Head;

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
    this.#queries = queries;
    this.#exposition = exposition;
    this.#head = head;
    this.#watermark = watermark;
    this.#lentBytes = lentBytes;
  }

  names(selectors: Matcher[][]): string[] {
    const { select } = this.#queries;
    if (selectors.length === 0) return select.names().map(({ name }) => name);
    const names = new Set<string>();
    for (const set of this.#sets(selectors)) for (let i = 0; i < set.length; i += 2) names.add(set[i]!);
    return [...names].sort(compareStrings);
  }

  values(name: string, selectors: Matcher[][]): string[] {
    if (selectors.length === 0) return this.#queries.select.values(name);
    const values = new Set<string>();
    for (const set of this.#sets(selectors)) {
      for (let i = 0; i < set.length; i += 2) if (set[i] === name) values.add(set[i + 1]!);
    }
    return [...values].sort(compareStrings);
  }

  /** Label sets of series with a sample in [startMs, endMs]. */
  series(request: Request<'series'>): Reply<'series'> {
    const { selectors, startMs, endMs, limit } = request;
    const list = this.#queries.select.anyOf(selectors);
    const queries = new Queries(this.#core);
    const window = { startMs: endMs, stepMs: 1, steps: 1, windowMs: endMs - startMs + 1 };
    const query = queries.open(list, queries.view(this.#watermark()), 'present_over_time', window, false);
    try {
      const labels: Labels[] = [];
      for (let done = false; !done && (limit === 0 || labels.length <= limit); ) {
        done = query.next();
        const rows = query.rows();
        for (const set of decodeLabels(rows.labels.strings, rows.labels.rows, rows.count)) labels.push(set);
      }
      return { labels: limit > 0 ? labels.slice(0, limit + 1) : labels };
    } finally {
      query.close();
      this.#queries.select.release(list);
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

  #sets(selectors: Matcher[][]): Labels[] {
    return this.series({ selectors, startMs: -(2 ** 52), endMs: 2 ** 52, limit: 0 }).labels;
  }
}

function highest(counts: [string, number][], top: number): [string, number][] {
  return counts.sort((a, b) => b[1] - a[1] || compareStrings(a[0], b[0])).slice(0, top);
}

function prefixed(prefix: string, counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [`${prefix}.${key}`, value]));
}
