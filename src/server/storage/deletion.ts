// Deleting samples of series in a range of time, everywhere.
//
//   head    the shards make the chunks anew without them, a page of series at a time; the log gets what was deleted
//           between the appends before and those after, so that a replay comes to the same
//   blocks  their tombstones files, written whole: src/tsdb/block/
//   late    samples beside the head become blocks first, and leave the write-behind log, which has no deletions

import type { Matcher } from '../../model/matcher.js';
import { unlessStuck } from '../../shard/ingest.js';
import { encodeTombstones, type TombstoneEntry } from '../../tsdb/wal/record.js';
import { DELETED_FIELDS } from '../../wasm/head.js';
import type { HeadSchedule } from './head-schedule.js';
import type { LateCutting } from './late-cutting.js';
import type { StorageParts } from './options.js';

/** Memory was refused in the middle: what was deleted until then stays deleted, and the same request again goes on. */
export class DeletionRefused extends Error {
  override readonly name = 'DeletionRefused';
  /** Of the API's error types. */
  readonly type = 'unavailable';
}

export class Deletion {
  readonly #parts: StorageParts;
  readonly #schedule: HeadSchedule;
  readonly #changed: () => Promise<void>;
  readonly #late: LateCutting;

  /** `changed` tells whoever reads blocks that other samples of them are deleted. */
  constructor(parts: StorageParts, schedule: HeadSchedule, changed: () => Promise<void>, late: LateCutting) {
    this.#changed = changed;
    this.#late = late;
    this.#parts = parts;
    this.#schedule = schedule;
  }

  /** Deletes what any of the selectors takes, both ends of the range included. Resolves when that is on the disk. */
  run(selectors: Matcher[][], minTimeMs: number, maxTimeMs: number): Promise<void> {
    // A cut under way would write what the head has no more.
    return this.#schedule.apart(async () => {
      await this.#late.run();
      for (let shard = 0; shard < this.#parts.shards.count; shard++) {
        await this.#fromHead(shard, { selectors, minTimeMs, maxTimeMs });
      }
      const request = { selectors, interval: { minTimeMs, maxTimeMs } };
      const { changed } = await this.#parts.compactor.call('deleteFromBlocks', request);
      if (changed.length > 0) await this.#changed();
    });
  }

  async #fromHead(
    shard: number,
    range: { selectors: Matcher[][]; minTimeMs: number; maxTimeMs: number },
  ): Promise<void> {
    const { ingest, shards } = this.#parts;
    const { log } = shards;
    const { client } = shards.shard(shard);
    for (let after = -1, done = false; !done; ) {
      const page = await ingest.alone(async () => {
        const reply = await client.call('deleteSamples', { ...range, after }, 'rules');
        const record = encodeTombstones(tombstonesOf(reply.intervals));
        // Appends that come now are written behind it.
        return { ...reply, written: reply.intervals.byteLength === 0 ? undefined : log.commit([[record]], true) };
      });
      if (page.written !== undefined) await unlessStuck(page.written, log);
      if (page.refused) throw new DeletionRefused('the memory limit is reached: some series are left, try again');
      ({ after, done } = page);
    }
  }
}

function tombstonesOf(intervals: ArrayBuffer): TombstoneEntry[] {
  const fields = new Float64Array(intervals);
  return Array.from({ length: fields.length / DELETED_FIELDS }, (_, i) => {
    const [ref, mint, maxt] = fields.subarray(i * DELETED_FIELDS) as unknown as [number, number, number];
    return { ref, mint, maxt };
  });
}
