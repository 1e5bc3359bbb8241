// A head cut, as main sees it: pages go from the shards to the compactor, which writes the block.
//
//   shards   splitChunks ► exportSchemas, exportSeries ► exportSymbols        exportChunks, of the series wanted
//   main          │ fence            │ buffers moved          │                    ▲       │ buffers moved
//   compactor     ▼            addCutSeries              addCutSymbols ► sortCut ──┴─► writeCut … ► finishCut
//
// Of chunks two pages are under way: the shards fill one while the compactor writes the other.

import type { ShardClient } from '../../shard/client.js';
import type { OpName, Reply, Request } from '../../shard/protocol.js';
import type { Shards } from '../../shard/shards.js';
import type { BlockMeta } from '../../tsdb/block/contract.js';
import type { CutRequest, WantedChunks } from '../../tsdb/compact/head-cut.js';
import type { CompactorPort } from '../../tsdb/compact/protocol.js';
import { CHUNK_WINDOW_MS, type TimeRange } from '../../wasm/export.js';

/** Storage is being closed. */
export class CutEnded extends Error {
  override readonly name = 'CutEnded';
}

/** What leaves: of the head's chunks, or of the late samples beside it. */
interface CutSource {
  readonly range: TimeRange;
  readonly late?: true;
}

export class HeadCutting {
  readonly #shards: Shards;
  readonly #compactor: CompactorPort;
  readonly #onDamage: (damage: string) => void;
  #closed = false;

  /** `onDamage` is told of samples that are lost. */
  constructor(shards: Shards, compactor: CompactorPort, onDamage: (damage: string) => void = () => {}) {
    this.#onDamage = onDamage;
    this.#shards = shards;
    this.#compactor = compactor;
  }

  /** The cut under way rejects with CutEnded soon. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Writes a block of what the head has in a range to which nobody appends any more; undefined where that is nothing.
   * The head keeps it. Where it rejects nothing has changed, but that chunks may have been split.
   */
  async cut(
    range: TimeRange,
    ulid: string,
    target: Pick<CutRequest, 'folder' | 'isOpen' | 'isLate'> = {},
  ): Promise<BlockMeta | undefined> {
    const { clients } = this;
    const compactor = this.#compactor;
    const late = target.isLate ? ({ late: true } as const) : {};
    if (range.maxTimeMs % CHUNK_WINDOW_MS !== 0 && !target.isLate) await this.#splitChunks(range.maxTimeMs);
    await compactor.call('beginCut', { shards: clients.length, ulid, ...range, ...target });
    try {
      await Promise.all(clients.map((client, shard) => this.#moveSeries(client, shard, { range, ...late })));
      await Promise.all(clients.map((client, shard) => this.#moveSymbols(client, shard)));
      const { wanted } = await compactor.call('sortCut', {});
      await this.#moveChunks(wanted, { range, ...late });
      return (await compactor.call('finishCut', {})).meta;
    } catch (error) {
      if (!this.#closed) await compactor.call('abortCut', {});
      throw error;
    } finally {
      // A shard that died has no pages any more.
      for (const client of clients) client.call('closeExport', {}, 'rules').catch(() => {});
    }
  }

  get clients(): readonly ShardClient[] {
    return this.#shards.handles.map(({ client }) => client);
  }

  async #splitChunks(timeMs: number): Promise<void> {
    for (const client of this.clients) {
      for (let from: number | undefined = 0; from !== undefined; ) {
        from = (await this.#ask(client, 'splitChunks', { timeMs, from })).next;
      }
    }
  }

  async #moveSeries(client: ShardClient, shard: number, what: CutSource): Promise<void> {
    const { schemas } = await this.#ask(client, 'exportSchemas', {});
    await this.#compactor.call('addCutSchemas', { shard, page: schemas });
    for (let from: number | undefined = 0; from !== undefined; ) {
      const { next, series }: Reply<'exportSeries'> = await this.#ask(client, 'exportSeries', { ...what, from });
      if (series.byteLength > 0) await this.#compactor.call('addCutSeries', { shard, page: series });
      from = next;
    }
  }

  async #moveSymbols(client: ShardClient, shard: number): Promise<void> {
    for (let from: number | undefined = 0; from !== undefined; ) {
      const { next, lengths, bytes }: Reply<'exportSymbols'> = await this.#ask(client, 'exportSymbols', { from });
      await this.#compactor.call('addCutSymbols', { shard, lengths, bytes });
      from = next;
    }
  }

  async #moveChunks(wanted: readonly WantedChunks[], what: CutSource): Promise<void> {
    const pages = wanted.map((page) => this.#fetch(page, what));
    for (let page = pages.shift(); page !== undefined; page = pages.shift()) {
      const { wanted: next } = await this.#compactor.call('writeCut', { pages: await page });
      if (next !== undefined) pages.push(this.#fetch(next, what));
    }
  }

  /** The chunks of a page from all shards, side by side. */
  #fetch(wanted: WantedChunks, what: CutSource): Promise<ArrayBuffer[][]> {
    const fetched = Promise.all(wanted.map((series, shard) => this.#chunksOf(this.clients[shard]!, series, what)));
    // It may be given up before anybody waits for it.
    fetched.catch(() => {});
    return fetched;
  }

  async #chunksOf(client: ShardClient, series: Uint32Array, what: CutSource): Promise<ArrayBuffer[]> {
    const buffers: ArrayBuffer[] = [];
    for (let rest = series; rest.length > 0; ) {
      const { count, chunks, damages } = await this.#ask(client, 'exportChunks', { ...what, series: rest });
      for (const damage of damages) this.#onDamage(damage);
      buffers.push(chunks);
      rest = rest.slice(count);
    }
    return buffers;
  }

  #ask<K extends OpName>(client: ShardClient, op: K, request: Request<K>): Promise<Reply<K>> {
    if (this.#closed) return Promise.reject(new CutEnded('storage is being closed'));
    return client.call(op, request, 'rules');
  }
}
