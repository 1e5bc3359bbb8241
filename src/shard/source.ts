// The shards as PromQL's source: a fragment goes to all of them, their shares are joined here.
//
// Each query reads at the watermark of its begin: the same samples in its first morsel
// and its last, in all its fragments, on all shards.

import type { Matcher } from '../model/matcher.js';
import { CELL_BYTES, presentCount } from '../promql/exec/columns.js';
import type { Reading } from '../promql/exec/readings.js';
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
import type { CallExtras, Lane, ShardClient } from './client.js';
import { columnsBytes } from './column-messages.js';
import { ShardUsage } from './fair-lane.js';
import type { Gathered } from './gathered.js';
import { knownColumns, knownText, readKnown } from './known-rows.js';
import { sampleCount, samplesBytes } from './mixed-series.js';
import type { Morsel, OpenedQuery } from './protocol.js';
import { joinTexts } from './rendered.js';
import type { Shards } from './shards.js';
import { addMorsel, areDeclined, columnsOf, emptyShare, type Share, seriesOf } from './shares.js';
import { ALONE } from './snapshots.js';

/** Numbers of snapshots given out in this process. */
let snapshots = 0;

/** What a reading sees. */
interface Moment {
  readonly snapshot: number;
  readonly watermark: number;
}

export class ShardSource implements Source {
  readonly #shards: Shards;
  readonly #lane: Lane;
  #hold: Hold;
  /** Named when a reading is not alone: then the shards keep what it saw for the next. */
  #snapshot = ALONE;
  readonly #usage = new ShardUsage();
  /** Why a reading could not be finished: nobody needs the others then. */
  #failure: unknown;

  /** A source for one query: what it reads is fixed now. To be closed. */
  constructor(shards: Shards, lane: Lane) {
    this.#shards = shards;
    this.#lane = lane;
    this.#hold = shards.appends.hold();
  }

  /** What the matchers would find in (startMs, endMs], about. */
  async estimate(
    matchers: readonly Matcher[],
    startMs: number,
    endMs: number,
  ): Promise<{ series: number; samples: number }> {
    const shares = await Promise.all(
      this.#shards.handles.map(({ client }) => client.call('estimate', { matchers, startMs, endMs }, this.#lane)),
    );
    const sum = (pick: (share: { series: number; samples: number }) => number) =>
      shares.reduce((total, share) => total + pick(share), 0);
    return { series: sum(({ series }) => series), samples: sum(({ samples }) => samples) };
  }

  close(): void {
    this.#hold.release();
    if (this.#snapshot === ALONE) return;
    // Not waited for, as below.
    for (const { client } of this.#shards.handles) {
      client.callSoon('closeSnapshot', { snapshot: this.#snapshot }, 'ingest').catch(() => {});
    }
  }

  async select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    const columns = columnsOf(await this.read({ kind: 'fragment', fragment }, context), fragment);
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
    // Of several shards each has a share of a group only.
    const isGrouped = fragment.aggregate !== undefined || fragment.quantile !== undefined;
    if (isGrouped && this.#shards.handles.length > 1) return undefined;
    if (!hasWindowFn(fragment.fn) || !Number.isSafeInteger(startMs) || !Number.isSafeInteger(stepMs)) return undefined;
    if (form === 'vector') {
      const known = readKnown(this.#shards.known, fragment, this.#hold.watermark);
      if (known !== undefined) return this.#charged(knownText(known, fragment, startMs), context);
    }
    const request = {
      fragment,
      ...this.#moment(true),
      render: { form, startMs, stepMs },
      ...stopOf(fragment, context),
    };
    const shares = await this.#each(context, (client) =>
      client.call('openQuery', request, this.#lane, this.#extras(context)),
    ).catch((error: unknown) => {
      throw this.#failed(error);
    });
    const texts = shares.flatMap((share) => share.texts);
    if (shares.some(({ columns, declined }) => declined || columns.length > 0)) {
      // Rows with histograms have no text; all are asked for again, as columns.
      context.charge(-texts.reduce((sum, { cells }) => sum + cells, 0));
      this.#hold = this.#shards.appends.hold();
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
    return seriesOf(await this.read({ kind: 'samples', samples: { matchers, windowMs, endMs } }, context));
  }

  /** All of these side by side. With `isAll` nothing else will be read. */
  async gather(readings: ReadonlyMap<string, Reading>, isAll: boolean, context: QueryContext): Promise<Gathered> {
    const alone = isAll && readings.size === 1;
    const shares = await Promise.all([...readings.values()].map((reading) => this.read(reading, context, alone)));
    return new Map([...readings.keys()].map((key, i) => [key, shares[i]!]));
  }

  #charged(rows: RenderedRows, context: QueryContext): RenderedRows {
    context.check();
    context.charge(rows.rowCount);
    return rows;
  }

  /** The shares of all shards. */
  async read(reading: Reading, context: QueryContext, alone = false): Promise<Share[]> {
    try {
      // A row of it, before anything of that length is made.
      if (reading.kind === 'fragment') {
        context.reserve(reading.fragment.steps.count * CELL_BYTES);
        const known = this.#known(reading.fragment, context);
        if (known !== undefined) return [{ columns: [], raw: [], texts: [], notes: [], known }];
      }
      const shares = await this.#each(context, (client) => this.#open(client, reading, this.#moment(alone), context));
      // Something else will be read instead.
      if (areDeclined(shares)) this.#hold = this.#shards.appends.hold();
      return shares;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Where a reading fails on one shard, it ends on the others with their next morsel, and so do the source's others: with the first failure. */
  #failed(error: unknown): unknown {
    this.#failure ??= error;
    return this.#failure;
  }

  /** What main can say itself. */
  #known(fragment: Fragment, context: QueryContext): Columns | undefined {
    const rows = readKnown(this.#shards.known, fragment, this.#hold.watermark, this.#lane === 'rules');
    if (rows === undefined) return undefined;
    this.#check(context);
    context.reserve(rows.selection.size * CELL_BYTES);
    return knownColumns(rows, fragment);
  }

  #open(client: ShardClient, reading: Reading, moment: Moment, context: QueryContext): Promise<OpenedQuery> {
    const extras = this.#extras(context);
    if (reading.kind === 'fragment') {
      const { fragment } = reading;
      return client.call('openQuery', { fragment, ...moment, ...this.#rest(fragment, context) }, this.#lane, extras);
    }
    const { samples } = reading;
    return client.call('openSamples', { ...samples, ...moment, ...this.#rest(samples, context) }, this.#lane, extras);
  }

  #rest(reading: { readonly matchers: readonly Matcher[] }, context: QueryContext) {
    return this.#lane === 'rules' ? { ...stopOf(reading, context), isRule: true as const } : stopOf(reading, context);
  }

  #moment(alone: boolean): Moment {
    if (!alone && this.#snapshot === ALONE) this.#snapshot = ++snapshots;
    return { snapshot: this.#snapshot, watermark: this.#hold.watermark };
  }

  /** Opens a query on every shard and runs it there. */
  async #each(context: QueryContext, open: (client: ShardClient) => Promise<OpenedQuery>): Promise<Share[]> {
    this.#check(context);
    const hold = this.#hold;
    const opened = this.#shards.handles.map(({ client }) => ({ client, opening: open(client) }));
    Promise.allSettled(opened.map(({ opening }) => opening)).then(() => hold.release());
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
        this.#check(context);
        await context.turn?.();
        morsel = await client.call('nextMorsel', { query }, this.#lane, this.#extras(context));
        this.#take(share, morsel, context);
      }
      return share;
    } finally {
      // Not waited for: nobody needs the answer, and the shard frees it in turn.
      if (!first.done) client.call('closeQuery', { query }, this.#lane).catch(() => {});
    }
  }

  #extras(context: QueryContext): CallExtras {
    return { usage: this.#usage, check: () => context.check() };
  }

  #check(context: QueryContext): void {
    if (this.#failure !== undefined) throw this.#failure;
    context.check();
  }

  #take(share: Share, morsel: Morsel, context: QueryContext): void {
    // Of a query that has ended nothing more is counted.
    this.#check(context);
    const { columns, raw, text, faults = [] } = morsel;
    for (const fault of faults) context.warn?.(fault);
    // What is joined in the end takes as much again.
    if (columns !== undefined && columns.rowCount > 0) {
      context.reserve(2 * columnsBytes(columns) + columns.strings.byteLength + columns.rows.byteLength);
    }
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

/** Patterns run over every value of a name, within one job: the shard looks whether anybody still wants that. */
function stopOf(
  { matchers }: { readonly matchers: readonly Matcher[] },
  context: QueryContext,
): { readonly stop?: SharedArrayBuffer } {
  const hasPattern = matchers.some(({ op }) => op === '=~' || op === '!~');
  const words = hasPattern ? context.words : undefined;
  return words === undefined ? {} : { stop: words };
}
