// Exemplars read back from the log. Every shard counts all of them, its own or not, so that their order over all
// shards is known afterwards.

import { BytesError } from '../tsdb/bytes.js';
import { decodeExemplars, type PackedLabels, packLabels } from '../tsdb/wal/exemplar-record.js';
import type { Core } from '../wasm/core.js';
import { type Head, NO_SERIES, type SeriesIndex } from '../wasm/head.js';
import { labelTableOf } from '../wasm/places.js';
import { decodeLabels } from './columns.js';
import type { ReplayedExemplars } from './exemplar-book.js';
import type { ShardExemplars } from './exemplars.js';

export class ExemplarReplay {
  readonly #core: Core;
  readonly #head: Head;
  readonly #exemplars: ShardExemplars;
  readonly #labels = new Map<SeriesIndex, PackedLabels>();
  #place = 0;

  constructor(core: Core, head: Head, exemplars: ShardExemplars) {
    this.#core = core;
    this.#head = head;
    this.#exemplars = exemplars;
    exemplars.beginReplay();
  }

  /** What of a record is this shard's; a reason where it is malformed: then nothing of it is. */
  take(record: Uint8Array): string | undefined {
    if (!this.#exemplars.isOn) return undefined;
    try {
      for (const entry of decodeExemplars(record)) {
        const series = this.#head.replayFind(entry.ref);
        if (series !== NO_SERIES) this.#exemplars.replay(this.#place, this.#labelsOf(series), entry);
        this.#place++;
      }
      return undefined;
    } catch (error) {
      if (error instanceof BytesError) return `exemplars: ${error.message}`;
      throw error;
    }
  }

  end(): ReplayedExemplars {
    return this.#exemplars.endReplay();
  }

  #labelsOf(series: SeriesIndex): PackedLabels {
    let packed = this.#labels.get(series);
    if (packed === undefined) {
      const { strings, rows } = labelTableOf(this.#core, [series]);
      packed = packLabels(decodeLabels(strings, rows, 1)[0]!);
      this.#labels.set(series, packed);
    }
    return packed;
  }
}
