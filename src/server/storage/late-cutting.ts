// Late samples become blocks, of the time they are of, which share it with others; then the write-behind log is dropped.
//
//   shards   leaving ──► blocks of two hours each ──► queries read them ──► dropped
//   log      new segment ────────────────────────────────────────────────► those before it go
//
// No append is under way at the moment when leaving begins, so that the segments before have those samples and no
// others. Whatever fails is made up for at the next time, or at the next start: then they are in blocks twice, which is
// merged, or in a block and the log.

import { sleep } from '../../base/clock.js';
import type { BlockMeta } from '../../tsdb/block/contract.js';
import { newUlid } from '../../tsdb/block/ulid.js';
import type { HeadCutting } from './cutting.js';
import type { StorageParts } from './options.js';

/** How soon it is tried again where a query still reads what is to go. */
const WAIT_MS = 100;

export class LateCutting {
  readonly #parts: StorageParts;
  readonly #cutting: HeadCutting;
  readonly #onBlocks: () => Promise<void>;
  #closed = false;

  /** `onBlocks` resolves when every query that begins reads the blocks that are there. */
  constructor(parts: StorageParts, cutting: HeadCutting, onBlocks: () => Promise<void>) {
    this.#parts = parts;
    this.#cutting = cutting;
    this.#onBlocks = onBlocks;
  }

  close(): void {
    this.#closed = true;
  }

  /** Not while anything else is cut. Resolves when the samples that came so far are in blocks, and in no log. */
  async run(): Promise<void> {
    const { ingest, shards, log } = this.#parts;
    const { span, last } = await ingest.alone(async () => {
      const spans = await Promise.all(shards.handles.map(({ client }) => client.call('leaveLate', {}, 'rules')));
      const all = spans.flatMap((share) => share.span ?? []);
      const minTimeMs = Math.min(...all.map((one) => one.minTimeMs));
      const maxTimeMs = Math.max(...all.map((one) => one.maxTimeMs));
      return { span: all.length === 0 ? undefined : { minTimeMs, maxTimeMs }, last: await log.rollLate() };
    });
    if (span !== undefined) {
      await this.#toBlocks(span.minTimeMs, span.maxTimeMs);
      await this.#onBlocks();
      await this.#dropFromShards();
    }
    if (last !== undefined && !this.#closed) await log.dropLate(last);
  }

  async #toBlocks(minTimeMs: number, maxTimeMs: number): Promise<void> {
    const { clock, logger, options } = this.#parts;
    const { blockMs } = options;
    for (let fromMs = Math.floor(minTimeMs / blockMs) * blockMs; fromMs <= maxTimeMs; fromMs += blockMs) {
      const range = { minTimeMs: fromMs, maxTimeMs: fromMs + blockMs };
      const meta: BlockMeta | undefined = await this.#cutting.cut(range, newUlid(clock.nowMs()), { isLate: true });
      if (meta === undefined) continue;
      const { ulid, stats } = meta;
      logger.info('write block', {
        ...{ mint: range.minTimeMs, maxt: range.maxTimeMs, ulid, series: stats.series, samples: stats.samples },
        ooo: true,
      });
    }
  }

  async #dropFromShards(): Promise<void> {
    const { shards, clock } = this.#parts;
    for (const { client } of shards.handles) {
      for (let waiting = true; waiting && !this.#closed; ) {
        ({ waiting } = await client.call('dropLate', {}, 'rules'));
        if (waiting) await sleep(clock, WAIT_MS);
      }
    }
  }
}
