// The series of one selector as main knows them: where they are, and their labels, as values and as JSON.

import { labelsJson } from '../model/json.js';
import type { Labels } from '../model/labels.js';
import { stripMetadata } from '../promql/exec/metadata.js';
import type { ShardClient } from './client.js';
import { decodeLabels } from './columns.js';
import type { Reply } from './protocol.js';

/** Labels as values and as JSON take this many times the bytes of their table; and what a selection takes beside them. */
const LABELS_GROWTH = 12;
const SELECTION_BYTES = 1_000;

const NOWHERE = new Uint32Array(0);

/** The series in one shard. */
export interface KnownShare {
  /** Of the shard's series when they were there. */
  readonly version: number;
  readonly addresses: Uint32Array;
}

export class KnownSelection {
  readonly shares: readonly KnownShare[];
  /** Nothing is kept of it but that. */
  readonly isTooLarge: boolean;
  readonly bytes: number;
  readonly #labels: Labels[];
  #bare: Labels[] | undefined;
  #texts: string[] | undefined;
  #bareTexts: string[] | undefined;

  /** `replies` of all shards, in their order; `most` series in all. */
  constructor(replies: readonly Reply<'places'>[], most: number) {
    const all = replies.map(({ places }) => places);
    const found = all.filter((places) => places !== undefined);
    const size = found.reduce((sum, { addresses }) => sum + addresses.byteLength / 4, 0);
    this.isTooLarge = found.length < all.length || size > most;
    this.shares = replies.map(({ version, places }) => {
      return { version, addresses: this.isTooLarge ? NOWHERE : new Uint32Array(places!.addresses) };
    });
    this.#labels = this.isTooLarge
      ? []
      : found.flatMap(({ strings, rows, addresses }) => decodeLabels(strings, rows, addresses.byteLength / 4));
    const tables = found.reduce((sum, { strings, rows }) => sum + strings.byteLength + rows.byteLength, 0);
    this.bytes = SELECTION_BYTES + (this.isTooLarge ? 0 : tables * LABELS_GROWTH + size * 4);
  }

  /** Whether no series came or went in any shard since. */
  isCurrent(clients: readonly ShardClient[]): boolean {
    return this.shares.every(({ version }, shard) => version === clients[shard]!.seriesVersion);
  }

  get size(): number {
    return this.#labels.length;
  }

  /** Of each series; without what describes metrics where `dropName`. */
  labels(dropName: boolean): readonly Labels[] {
    if (!dropName) return this.#labels;
    this.#bare ??= stripMetadata(this.#labels).labels;
    return this.#bare;
  }

  /** The same as JSON objects. */
  texts(dropName: boolean): readonly string[] {
    if (dropName) return (this.#bareTexts ??= this.labels(true).map(labelsJson));
    return (this.#texts ??= this.#labels.map(labelsJson));
  }
}
