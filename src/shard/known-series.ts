// Instant selectors that main answers by itself: it knows where their series are, and reads their newest samples
// in the shards' memories while no shard writes.
//
//   asked again ─► places, from all shards ─► kept ─┬─► current, all shards steady, no later samples ─► read here
//                                                   └─► otherwise: the shards answer, as they always do
//
// A hand-over to a shard and back is two wake-ups of threads, some 0.2 ms: more than a small answer takes. Why nothing
// is locked, and when main declines: docs/decisions/0062-newest-samples.md.

import { keptJson } from '../base/kept-json.js';
import type { Matcher } from '../model/matcher.js';
import { type NewestQuestion, SeriesRecords } from '../wasm/places.js';
import type { ShardClient } from './client.js';
import type { KnownBlocks } from './known-blocks.js';
import { KnownSelection, type KnownShare } from './known-selection.js';
import type { Reply } from './protocol.js';

/** A selector with more series is answered by the shards: copying takes longer than the hand-over. */
const SERIES_MAX = 2_000;
/** Of all selections together. */
const BYTES_MAX = 16 * 2 ** 20;
/** Selectors of which it is remembered that they were asked for. */
const MISSES_MAX = 10_000;

/** Newest samples of a selection's series; rows without one are marked in `present`. */
export interface KnownRows {
  readonly selection: KnownSelection;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

export class KnownSeries {
  readonly #clients: readonly ShardClient[];
  readonly #records: SeriesRecords[];
  readonly #blocks: KnownBlocks;
  /** By the text of their matchers, the one read last at the end. */
  readonly #selections = new Map<string, KnownSelection>();
  /** Of selectors that were asked for and are not known: of which series, by the shards' versions, and when. */
  readonly #missed = new Map<string, Missed>();
  #bytes = 0;
  #reads = 0;
  #generation = 0;

  constructor(clients: readonly ShardClient[], memories: readonly WebAssembly.Memory[], blocks: KnownBlocks) {
    this.#clients = clients;
    this.#blocks = blocks;
    this.#records = memories.map((memory) => new SeriesRecords(memory));
  }

  /** The shard was made again, with another memory. */
  restart(shard: number, memory: WebAssembly.Memory): void {
    this.#records[shard] = new SeriesRecords(memory);
    this.#generation++;
    this.#selections.clear();
    this.#missed.clear();
    this.#bytes = 0;
  }

  /** What selections take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Questions answered here. */
  get reads(): number {
    return this.#reads;
  }

  /**
   * The newest samples of a selector's series, `most` of them; undefined where the shards have to say. Questions of one `breath`, if
   * that is given, count as one.
   */
  read(
    matchers: readonly Matcher[],
    question: NewestQuestion,
    most = Infinity,
    breath?: number,
  ): KnownRows | undefined {
    // The newest sample may be in a block, and so may be series that no head has.
    if (this.#blocks.mayHave(question.endMs - question.windowMs, question.endMs)) return undefined;
    const key = keptJson(matchers);
    const selection = this.#selections.get(key);
    if (selection === undefined || !selection.isCurrent(this.#clients)) {
      this.#miss(key, matchers, breath);
      return undefined;
    }
    this.#selections.delete(key);
    this.#selections.set(key, selection);
    if (selection.isTooLarge || selection.size > most || !this.#clients.every(({ isSteady }) => isSteady))
      return undefined;
    const rows = {
      selection,
      values: new Float64Array(selection.size),
      present: new Uint8Array(selection.size),
    };
    let offset = 0;
    for (const [shard, { addresses }] of selection.shares.entries()) {
      if (!this.#records[shard]!.newest(addresses, question, rows, offset)) return undefined;
      offset += addresses.length;
    }
    this.#reads++;
    return rows;
  }

  /** Another number when a shard was made again: addresses from before mean nothing. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Whether the series are those of now, and each has a newest sample that a question asks for. False where the shards have
   * to say. `shares` by shard, of this generation.
   */
  haveNewest(shares: readonly KnownShare[], question: NewestQuestion): boolean {
    const areThere = shares.every(({ version, addresses }, shard) => {
      const client = this.#clients[shard]!;
      const isReadable = version === client.seriesVersion && client.isSteady;
      return isReadable && this.#records[shard]!.haveNewest(addresses, question);
    });
    if (areThere) this.#reads++;
    return areThere;
  }

  /** Asks for the places when the same series were asked for before: series that come and go all the time cost nothing. */
  #miss(key: string, matchers: readonly Matcher[], breath: number | undefined): void {
    const versions = this.#clients.map(({ seriesVersion }) => seriesVersion);
    if (versions.some(Number.isNaN)) return;
    const seen = versions.join();
    const last = this.#missed.get(key);
    const isAgain = last?.seen === seen && (breath === undefined || breath !== last.breath);
    this.#missed.delete(key);
    // A question under way is not asked twice.
    this.#missed.set(key, { seen: isAgain ? ASKED : seen, breath });
    if (this.#missed.size > MISSES_MAX) this.#missed.delete(first(this.#missed));
    if (isAgain) this.#locate(key, matchers).catch(() => this.#missed.delete(key));
  }

  async #locate(key: string, matchers: readonly Matcher[]): Promise<void> {
    const records = [...this.#records];
    const replies = await Promise.all(
      this.#clients.map((client) => client.call('places', { matchers, most: SERIES_MAX }, 'adhoc')),
    );
    // Of a shard that was made again meanwhile, addresses mean nothing.
    if (records.some((before, shard) => before !== this.#records[shard])) return;
    this.#keep(key, replies);
  }

  #keep(key: string, replies: readonly Reply<'places'>[]): void {
    this.#missed.delete(key);
    this.#drop(key);
    const selection = new KnownSelection(replies, SERIES_MAX);
    this.#selections.set(key, selection);
    this.#bytes += selection.bytes;
    while (this.#bytes > BYTES_MAX) this.#drop(first(this.#selections));
  }

  #drop(key: string): void {
    this.#bytes -= this.#selections.get(key)?.bytes ?? 0;
    this.#selections.delete(key);
  }
}

interface Missed {
  readonly seen: string;
  readonly breath: number | undefined;
}

const ASKED = 'asked';

function first<T>(map: ReadonlyMap<string, T>): string {
  return map.keys().next().value!;
}
