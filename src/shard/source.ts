// The shards as PromQL's source: a fragment goes to all of them, their shares are joined here.
//
// Each query reads at the watermark of its begin: the same samples in its first morsel
// and its last, on all shards.

import { type Labels, withoutMetadata } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import { presentCount } from '../promql/exec/columns.js';
import { finishPartial, mergePartials, type PartialAggregate } from '../promql/exec/partial.js';
import type { Columns, Fragment, Note, QueryContext, RawSeries, Source } from '../promql/exec/source.js';
import type { Lane, ShardClient } from './client.js';
import { decodeLabels, joinBuffers } from './columns.js';
import type { ColumnsMessage, SamplesMessage } from './protocol.js';
import type { Shards } from './shards.js';

export class ShardSource implements Source {
  readonly #shards: Shards;
  readonly #lane: Lane;
  readonly #watermark: number;

  /** A source for one query: what it reads is fixed now. */
  constructor(shards: Shards, lane: Lane) {
    this.#shards = shards;
    this.#lane = lane;
    this.#watermark = shards.appends.watermark;
  }

  async select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    const shares = await this.#each(context, (client) =>
      this.#run(client, context, () => client.call('openQuery', { fragment, watermark: this.#watermark }, this.#lane)),
    );
    const notes = shares.flatMap((share) => share.notes);
    const columns =
      fragment.aggregate === undefined
        ? joinRows(shares, fragment)
        : joinGroups(shares, fragment, fragment.aggregate.op);
    context.charge(presentCount(columns));
    return notes.length === 0 ? columns : { ...columns, notes };
  }

  async samples(
    matchers: readonly Matcher[],
    windowMs: number,
    endMs: number,
    context: QueryContext,
  ): Promise<RawSeries[]> {
    const request = { matchers, windowMs, endMs, watermark: this.#watermark };
    const shares = await this.#each(context, (client) =>
      this.#run(client, context, () => client.call('openSamples', request, this.#lane)),
    );
    return shares.flatMap((share) => share.raw.flatMap(decodeSamples));
  }

  #each<T>(context: QueryContext, run: (client: ShardClient) => Promise<T>): Promise<T[]> {
    context.signal.throwIfAborted();
    return Promise.all(this.#shards.handles.map(({ client }) => run(client)));
  }

  /** Opens a query on one shard and takes its morsels until it is done or the context says stop. */
  async #run(client: ShardClient, context: QueryContext, open: () => Promise<{ query: number }>): Promise<Share> {
    const { query } = await open();
    const share: Share = { columns: [], raw: [], notes: [] };
    try {
      for (let done = false; !done; ) {
        context.signal.throwIfAborted();
        const morsel = await client.call('nextMorsel', { query }, this.#lane);
        done = morsel.done;
        if (morsel.columns !== undefined && morsel.columns.rowCount > 0) share.columns.push(morsel.columns);
        if (morsel.raw !== undefined) {
          share.raw.push(morsel.raw);
          context.charge(morsel.raw.times.byteLength / 8);
        }
        share.notes.push(...morsel.notes);
      }
      return share;
    } finally {
      // Not waited for: nobody needs the answer, and the shard frees it in turn.
      client.call('closeQuery', { query }, this.#lane).catch(() => {});
    }
  }
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
