// The shards as PromQL's source: a fragment goes to all of them, their shares are joined here.
//
// Each query reads at the watermark of its begin: the same samples in its first morsel
// and its last, in all its fragments, on all shards.

import type { Matcher } from '../model/matcher.js';
import { presentCount } from '../promql/exec/columns.js';
import type {
  Columns,
  Fragment,
  QueryContext,
  RawSeries,
  RenderedRows,
  RenderForm,
  Source,
} from '../promql/exec/source.js';
import { hasWindowFn } from '../wasm/query.js';
import type { Hold } from './appends.js';
import type { Lane, ShardClient } from './client.js';
import { columnsBytes } from './column-messages.js';
import { sampleCount, samplesBytes } from './mixed-series.js';
import type { Morsel, OpenedQuery } from './protocol.js';
import { joinTexts } from './rendered.js';
import type { Shards } from './shards.js';
import { addMorsel, columnsOf, emptyShare, type Share, seriesOf } from './shares.js';

/** Numbers of snapshots given out in this process. */
let snapshots = 0;

export class ShardSource implements Source {
  readonly #shards: Shards;
  readonly #lane: Lane;
  readonly #hold: Hold;
  readonly #snapshot = ++snapshots;

  /** A source for one query: what it reads is fixed now. To be closed. */
  constructor(shards: Shards, lane: Lane) {
    this.#shards = shards;
    this.#lane = lane;
    this.#hold = shards.appends.hold();
  }

  close(): void {
    this.#hold.release();
    // Not waited for, as below.
    for (const { client } of this.#shards.handles) {
      client.callSoon('closeSnapshot', { snapshot: this.#snapshot }, 'ingest').catch(() => {});
    }
  }

  async select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    const request = { fragment, ...this.#moment };
    const shares = await this.#each(context, (client) => client.call('openQuery', request, this.#lane));
    const columns = columnsOf(shares, fragment);
    context.charge(presentCount(columns));
    return columns;
  }

  /** Only what the core evaluates, at whole milliseconds, has text. */
  async render(
    fragment: Fragment,
    { form, steps }: RenderForm,
    context: QueryContext,
  ): Promise<RenderedRows | undefined> {
    const { startMs, stepMs } = steps;
    if (!hasWindowFn(fragment.fn) || !Number.isSafeInteger(startMs) || !Number.isSafeInteger(stepMs)) return undefined;
    const request = { fragment, ...this.#moment, render: { form, startMs, stepMs } };
    const shares = await this.#each(context, (client) => client.call('openQuery', request, this.#lane));
    const texts = shares.flatMap((share) => share.texts);
    if (shares.some(({ columns }) => columns.length > 0)) {
      // Rows with histograms have no text; all are asked for again, as columns.
      context.charge(-texts.reduce((sum, { cells }) => sum + cells, 0));
      return undefined;
    }
    return joinTexts(texts, form);
  }

  async samples(
    matchers: readonly Matcher[],
    windowMs: number,
    endMs: number,
    context: QueryContext,
  ): Promise<RawSeries[]> {
    const request = { matchers, windowMs, endMs, ...this.#moment };
    const shares = await this.#each(context, (client) => client.call('openSamples', request, this.#lane));
    return seriesOf(shares);
  }

  get #moment(): { snapshot: number; watermark: number } {
    return { snapshot: this.#snapshot, watermark: this.#hold.watermark };
  }

  /** Opens a query on every shard and runs it there. */
  async #each(context: QueryContext, open: (client: ShardClient) => Promise<OpenedQuery>): Promise<Share[]> {
    context.signal.throwIfAborted();
    const opened = this.#shards.handles.map(({ client }) => ({ client, opening: open(client) }));
    Promise.allSettled(opened.map(({ opening }) => opening)).then(() => this.#hold.release());
    return Promise.all(opened.map(({ client, opening }) => this.#run(client, context, opening)));
  }

  /** Takes the morsels of a query on one shard until it is done or the context says stop. */
  async #run(client: ShardClient, context: QueryContext, opening: Promise<OpenedQuery>): Promise<Share> {
    const { query, first } = await opening;
    const share = emptyShare();
    let morsel = first;
    try {
      this.#take(share, morsel, context);
      while (!morsel.done) {
        context.signal.throwIfAborted();
        morsel = await client.call('nextMorsel', { query }, this.#lane);
        this.#take(share, morsel, context);
      }
      return share;
    } finally {
      // Not waited for: nobody needs the answer, and the shard frees it in turn.
      if (!first.done) client.call('closeQuery', { query }, this.#lane).catch(() => {});
    }
  }

  #take(share: Share, morsel: Morsel, context: QueryContext): void {
    const { columns, raw, text } = morsel;
    // What is joined in the end takes as much again.
    if (columns !== undefined && columns.rowCount > 0) context.reserve(2 * columnsBytes(columns));
    if (raw !== undefined) {
      context.reserve(samplesBytes(raw));
      context.charge(sampleCount(raw));
    }
    if (text !== undefined) {
      context.reserve(text.bytes.byteLength);
      context.charge(text.cells);
    }
    addMorsel(share, morsel);
  }
}
