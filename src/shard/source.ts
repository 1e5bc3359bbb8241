// The shards as PromQL's source: a fragment goes to all of them, their shares are joined here.
//
// Each query reads at the watermark of its begin: the same samples in its first morsel
// and its last, in all its fragments, on all shards.

import { type Labels, withoutMetadata } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import { presentCount } from '../promql/exec/columns.js';
import { finishPartial, mergePartials, type PartialAggregate } from '../promql/exec/partial.js';
import type { Columns, Fragment, Note, QueryContext, RawSeries, Source } from '../promql/exec/source.js';
import { counterNameNotes, needsCounterName } from '../promql/exec/window/evaluate.js';
import type { Hold } from './appends.js';
import type { Lane, ShardClient } from './client.js';
import { decodeLabels, joinBuffers } from './columns.js';
import type { ColumnsMessage, Morsel, OpenedQuery, SamplesMessage } from './protocol.js';
import type { Shards } from './shards.js';

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
    const notes = shares.flatMap((share) => share.notes);
    const columns =
      fragment.aggregate === undefined
        ? joinRows(shares, fragment)
        : joinGroups(shares, fragment, fragment.aggregate.op);
    context.charge(presentCount(columns));
    return notes.length === 0 ? columns : { ...columns, notes: [...notes, ...(columns.notes ?? [])] };
  }

  async samples(
    matchers: readonly Matcher[],
    windowMs: number,
    endMs: number,
    context: QueryContext,
  ): Promise<RawSeries[]> {
    const request = { matchers, windowMs, endMs, ...this.#moment };
    const shares = await this.#each(context, (client) => client.call('openSamples', request, this.#lane));
    return shares.flatMap((share) => share.raw.flatMap(decodeSamples));
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
    const share: Share = { columns: [], raw: [], notes: [] };
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
    if (morsel.columns !== undefined && morsel.columns.rowCount > 0) {
      // What is joined in the end takes as much again.
      context.reserve(2 * bytesOf(morsel.columns));
      share.columns.push(morsel.columns);
    }
    if (morsel.raw !== undefined) {
      context.reserve(morsel.raw.times.byteLength + morsel.raw.values.byteLength);
      share.raw.push(morsel.raw);
      context.charge(morsel.raw.times.byteLength / 8);
    }
    share.notes.push(...morsel.notes);
  }
}

function bytesOf({ values, present }: ColumnsMessage): number {
  return values.reduce((sum, column) => sum + column.byteLength, present.byteLength);
}

interface Share {
  readonly columns: ColumnsMessage[];
  readonly raw: SamplesMessage[];
  readonly notes: Note[];
}

function joinRows(shares: readonly Share[], fragment: Fragment): Columns {
  const parts = shares.flatMap((share) => share.columns);
  const labels = parts.flatMap((part) => decodeLabels(part.strings, part.rows, part.rowCount));
  return {
    ...(needsCounterName(fragment.fn) && { notes: counterNameNotes(labels) }),
    labels: fragment.dropName ? labels.map(withoutMetadata) : labels,
    steps: fragment.steps.count,
    values: new Float64Array(joinBuffers(parts.map((part) => part.values[0]!))),
    present: new Uint8Array(joinBuffers(parts.map((part) => part.present))),
  };
}

function joinGroups(shares: readonly Share[], fragment: Fragment, op: PartialAggregate['op']): Columns {
  const partials = shares.flatMap((share) =>
    share.columns.map(
      (part): PartialAggregate => ({
        op,
        labels: decodeLabels(part.strings, part.rows, part.rowCount),
        steps: fragment.steps.count,
        present: new Uint8Array(part.present),
        state: part.values.map((column) => new Float64Array(column)),
      }),
    ),
  );
  if (partials.length === 0)
    return { labels: [], steps: fragment.steps.count, values: new Float64Array(0), present: new Uint8Array(0) };
  return finishPartial(mergePartials(partials));
}

function decodeSamples(message: SamplesMessage): RawSeries[] {
  const counts = new Uint32Array(message.counts);
  const labels: Labels[] = decodeLabels(message.labels.strings, message.labels.rows, counts.length);
  const times = new Float64Array(message.times);
  const values = new Float64Array(message.values);
  let at = 0;
  return labels.map((set, i) => {
    const end = at + counts[i]!;
    const series = { labels: set, times: times.subarray(at, end), values: values.subarray(at, end) };
    at = end;
    return series;
  });
}
