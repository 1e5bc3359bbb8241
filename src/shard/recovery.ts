// Reading the log back into a shard: every shard reads all of it and keeps what it owns.

import { realDisk } from '../base/disk.js';
import { readSegments } from '../tsdb/wal/reader.js';
import { RecordType } from '../tsdb/wal/record.js';
import type { Core } from '../wasm/core.js';
import type { Head } from '../wasm/head.js';
import type { Reply, Request } from './protocol.js';
import type { ShardPlace } from './targets.js';

export class Recovery {
  readonly #core: Core;
  readonly #head: Head;
  readonly #place: ShardPlace;
  #skippedRecords = 0;
  #malformed: string[] = [];

  constructor(core: Core, head: Head, place: ShardPlace) {
    this.#core = core;
    this.#head = head;
    this.#place = place;
  }

  begin(): void {
    this.#head.beginReplay(this.#place.index, this.#place.count);
    this.#skippedRecords = 0;
    this.#malformed = [];
  }

  /** Reads one segment. */
  segment(request: Request<'replaySegment'>): Reply<'replaySegment'> {
    const { folder, segment, minTimeMs, tornTail } = request;
    const summary = readSegments(
      { disk: realDisk, folder, core: this.#core, from: segment, to: segment, tornTail },
      {
        record: ({ type, address, length, offset }) => {
          const fault = this.#apply(type, address, length, minTimeMs);
          if (fault !== undefined) this.#malformed.push(`segment ${segment} byte ${offset}: ${fault}`);
        },
      },
    );
    return {
      records: summary.records,
      bytes: summary.bytes,
      damages: [...summary.damages],
      malformed: this.#malformed.splice(0),
    };
  }

  end(): Reply<'endReplay'> {
    return { ...this.#head.endReplay(), series: this.#head.seriesCount, skippedRecords: this.#skippedRecords };
  }

  #apply(type: number, address: number, length: number, minTimeMs: number): string | undefined {
    switch (type) {
      case RecordType.Series:
        return this.#head.replaySeries(address, length);
      case RecordType.Samples:
        return this.#head.replaySamples(address, length, minTimeMs);
      default:
        this.#skippedRecords++;
        return undefined;
    }
  }
}
