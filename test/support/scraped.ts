// Pages scraped by hand into shards of this thread, and what is stored of them.

import { pairsOf } from '../../src/model/labels.js';
import { parseSelector } from '../../src/promql/syntax/parse.js';
import type {
  ScrapeCommit,
  ScrapeFormat,
  ScrapeOutcome,
  TargetHandle,
  TargetOptions,
} from '../../src/scrape/appender.js';
import { ShardAppender } from '../../src/scrape/shard-appender.js';
import type { Shards, ShardsOptions } from '../../src/shard/shards.js';
import { ShardSource } from '../../src/shard/source.js';
import { ANY_TARGET, freeContext, testShards } from './shards.js';

const MEMORY_BYTES = 64 * 2 ** 20;
const LOOKBACK_MS = 300_000;

export class ScrapeRig {
  readonly #appender: ShardAppender;
  readonly #shards: Shards;
  readonly #target: TargetHandle;
  readonly close: () => Promise<void>;

  private constructor(appender: ShardAppender, shards: Shards, target: TargetHandle, close: () => Promise<void>) {
    this.#appender = appender;
    this.#shards = shards;
    this.#target = target;
    this.close = close;
  }

  static async open(
    target: Partial<TargetOptions> = {},
    shardCount = 1,
    { startTimes = false, ...options }: Partial<ShardsOptions> & { readonly startTimes?: boolean } = {},
  ): Promise<ScrapeRig> {
    const { shards, ingest } = await testShards(shardCount, MEMORY_BYTES, options);
    const appender = new ShardAppender(shards, ingest, () => {}, startTimes);
    const handle = appender.open({ ...ANY_TARGET, labels: ['job', 'j'], ...target });
    // What shards of this thread wait for does not keep it alive.
    const awake = setInterval(() => {}, 1000);
    const close = async () => {
      clearInterval(awake);
      await shards.close();
    };
    return new ScrapeRig(appender, shards, handle, close);
  }

  /** Scrapes a page as a loop does. */
  scrape(
    page: string | Uint8Array,
    timeMs: number,
    format: ScrapeFormat = 'text',
    more: Partial<ScrapeCommit> = {},
  ): Promise<ScrapeOutcome> {
    const body = Buffer.from(page as string);
    this.#appender.bodySink(this.#target).reserve(body.length, 0)?.set(body);
    return this.#appender.commit(this.#target, {
      timeMs,
      durationSeconds: 0.25,
      format,
      encoding: 'identity',
      bodyBytes: body.length,
      decodedBytesMax: Number.POSITIVE_INFINITY,
      ...more,
    });
  }

  fail(timeMs: number, bodyBytes = 0): Promise<void> {
    return this.#appender.fail(this.#target, { timeMs, durationSeconds: 0.25, bodyBytes });
  }

  /** All samples of a selector's series up to a time: `ms: value`, a space between two, floats and then histograms. */
  async all(selector: string, endMs: number): Promise<Record<string, string>> {
    await this.#shards.appends.settled();
    const source = new ShardSource(this.#shards, 'adhoc');
    const found = await source.samples([...parseSelector(selector)], endMs + 1, endMs, freeContext());
    const rows = found.map(({ labels, times, values, histogramTimes = [], histograms = [] }): [string, string] => [
      nameOf(labels),
      [
        ...Array.from(times, (time, i) => `${time}: ${values[i]}`),
        ...Array.from(histogramTimes, (time, i) => `${time}: ${histograms[i]}`),
      ].join(' '),
    ]);
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What an instant query of a selector gives, by series without the target's labels: floats, histograms as text. */
  async at(selector: string, timeMs: number): Promise<Record<string, number | string>> {
    const fragment = {
      matchers: [...parseSelector(selector)],
      steps: { startMs: timeMs, stepMs: 1, count: 1 },
      windowMs: LOOKBACK_MS,
      fn: 'last',
      args: [],
      dropName: false,
    };
    // Of scrapes nobody is told when they are seen.
    await this.#shards.appends.settled();
    const columns = await new ShardSource(this.#shards, 'adhoc').select(fragment, freeContext());
    const found: [string, number | string][] = [];
    columns.labels.forEach((labels, row) => {
      if (columns.present[row] === 0) return;
      const histogram = columns.histograms?.get(row);
      found.push([nameOf(labels), histogram === undefined ? columns.values[row]! : String(histogram)]);
    });
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** `name{a="b"}` without the label job. */
function nameOf(labels: readonly string[]): string {
  let name = '';
  const shown: string[] = [];
  for (const [label, value] of pairsOf(labels)) {
    if (label === '__name__') name = value;
    else if (label !== 'job') shown.push(`${label}=${JSON.stringify(value)}`);
  }
  return shown.length === 0 ? name : `${name}{${shown.join(',')}}`;
}
