// Label sets of series that main lists by itself: it has their text, and reads in the shards' memories that each of them
// still has a sample in the range that is asked about.
//
//   asked again ─► text and addresses, from all shards ─► kept ─┬─► same series, each with its newest sample in the range ─► the text
//                                                               └─► otherwise: the shards answer, as they always do
//
// The range may be another each time, as of dashboards that look at the last hours; blocks with times in it may not.
// How main may read there: docs/decisions/0062-newest-samples.md.

import type { RenderedRows } from '../promql/exec/source.js';
import type { KnownSeries } from '../shard/known-series.js';
import type { Reply } from '../shard/protocol.js';

/** Series of one list in one shard: looking at more takes longer than asking. */
export const SERIES_MAX = 5000;
/** Text of one list, and of all together. */
const TEXT_BYTES_MAX = 2 * 2 ** 20;
const BYTES_MAX = 16 * 2 ** 20;
/** What a list takes beside its text and addresses, about. */
const LIST_BYTES = 500;
/** Questions of which it is remembered that they were asked. */
const MISSES_MAX = 1000;

/** Of samples that readers see by now, both ends in it. */
export interface ListRange {
  readonly watermark: number;
  readonly startMs: number;
  readonly endMs: number;
}

interface Kept {
  readonly generation: number;
  readonly shares: readonly { readonly version: number; readonly addresses: Uint32Array }[];
  readonly text: Uint8Array;
  readonly rowCount: number;
}

export class KnownLists {
  readonly #series: KnownSeries;
  readonly #version: () => number;
  /** By question, the one asked longest ago first. */
  readonly #lists = new Map<string, Kept>();
  /** Of questions that were asked and are not known: of which series, by version. */
  readonly #missed = new Map<string, number>();
  #bytes = 0;

  /** `version` is another number after any change of which series there are. */
  constructor(series: KnownSeries, version: () => number) {
    this.#series = series;
    this.#version = version;
  }

  /** The rows of a question, all of them; undefined where the shards have to say. */
  read(key: string, { watermark, startMs, endMs }: ListRange): RenderedRows | undefined {
    const kept = this.#lists.get(key);
    if (kept === undefined || kept.generation !== this.#series.generation) return undefined;
    const question = { watermark, endMs, windowMs: endMs - startMs + 1, fn: 'last' } as const;
    if (!this.#series.haveNewest(kept.shares, question)) return undefined;
    this.#lists.delete(key);
    this.#lists.set(key, kept);
    const { text, rowCount } = kept;
    return { rowCount, bytes: text.length, pieces: () => (rowCount === 0 ? [] : [text]) };
  }

  /** Whether a question that is put to the shards comes again with the same series: then it is worth keeping. */
  isAskedAgain(key: string): boolean {
    const version = this.#version();
    const isAgain = this.#missed.get(key) === version;
    this.#missed.delete(key);
    this.#missed.set(key, version);
    if (this.#missed.size > MISSES_MAX) this.#missed.delete(this.#missed.keys().next().value!);
    return isAgain;
  }

  /** Keeps what all shards, of a generation, have said, if they gave addresses. */
  keep(key: string, generation: number, replies: readonly Reply<'series'>[], rows: RenderedRows): void {
    if ((rows.bytes ?? 0) > TEXT_BYTES_MAX) return;
    const shares = replies.flatMap(({ version, addresses }) =>
      addresses === undefined ? [] : [{ version, addresses: new Uint32Array(addresses) }],
    );
    if (shares.length < replies.length) return;
    this.#drop(key);
    const text = Buffer.concat([...(rows.pieces(0) as Iterable<Uint8Array>)]);
    const kept = { generation, shares, text, rowCount: rows.rowCount };
    this.#lists.set(key, kept);
    this.#bytes += sizeOf(kept);
    while (this.#bytes > BYTES_MAX) this.#drop(this.#lists.keys().next().value!);
  }

  #drop(key: string): void {
    const kept = this.#lists.get(key);
    if (kept === undefined) return;
    this.#bytes -= sizeOf(kept);
    this.#lists.delete(key);
  }
}

function sizeOf({ text, shares }: Kept): number {
  return shares.reduce((sum, { addresses }) => sum + addresses.byteLength, LIST_BYTES + text.length);
}
