// What leaves the head and the log once it is in a block.

import { sleep } from '../../base/clock.js';
import type { ShardClient } from '../../shard/client.js';
import type { Reply } from '../../shard/protocol.js';
import type { HeadImages } from './head-images.js';
import type { StorageParts } from './options.js';

/** How soon it is tried again where a query still reads what is to go. */
const WAIT_MS = 100;

/** What may be done while the log's thread writes a checkpoint: resolves once that is there, and rejects where it failed. */
export type Meanwhile = (checkpoint: Promise<void>) => Promise<void>;

const NOTHING: Meanwhile = (checkpoint) => checkpoint;

export class Truncation {
  readonly #parts: StorageParts;
  readonly #isComplete: () => boolean;
  readonly #images: Pick<HeadImages, 'before'>;
  #checkpointing: Promise<void> = Promise.resolve();
  #closed = false;

  /** `isComplete`: the heads have all that the log has. */
  constructor(parts: StorageParts, images: Pick<HeadImages, 'before'>, isComplete: () => boolean = () => true) {
    this.#isComplete = isComplete;
    this.#images = images;
    this.#parts = parts;
  }

  /** Resolves when no segment of the log goes any more, until somebody asks for the next checkpoint. */
  settled(): Promise<void> {
    return this.#checkpointing;
  }

  /** No step follows the one under way. */
  close(): void {
    this.#closed = true;
  }

  /** Drops what lies before a time from the head, in bounded steps, and the series that have nothing else. */
  async head(minTimeMs: number): Promise<void> {
    const { shards, logger, clock } = this.#parts;
    let removed = 0;
    for (const { client } of shards.handles) {
      for (let done = false; !done && !this.#closed; ) {
        const step = await client.call('truncate', { minTimeMs }, 'rules');
        done = step.done;
        // A query that is open still reads there.
        if (step.waiting) await sleep(clock, WAIT_MS);
        if (done) removed += step.removed;
      }
    }
    if (removed > 0) shards.noteSeriesChange();
    const { removed: files } = await this.#parts.compactor.call('dropHeadChunks', { minTimeMs });
    if (files > 0) logger.info('Files of chunks_head removed', { files });
    logger.info('Head truncated', { min_time: minTimeMs, series_removed: removed });
  }

  /** The log keeps the series that are alive, and samples from a time on that are nowhere else; `isWhole`: all that was written by now is looked at. */
  async log(minTimeMs: number, isWhole = false, meanwhile: Meanwhile = NOTHING): Promise<void> {
    const { shards, log } = this.#parts;
    if (!this.#isComplete()) return;
    // Series that come from now on are in a segment behind it.
    const span = { newest: await log.roll(), isWhole };
    await this.#images.before(span.newest + 1);
    const refs = await Promise.all(shards.handles.map(({ client }) => this.#liveRefs(client)));
    if (this.#closed) return;
    const checkpoint = log.checkpoint(refs.flat(), minTimeMs, span);
    this.#checkpointing = checkpoint.catch(() => {});
    await meanwhile(checkpoint);
  }

  /** A page a job: what comes meanwhile is behind the log's new segment, what goes is kept once more. */
  async #liveRefs(client: ShardClient): Promise<ArrayBuffer[]> {
    const pages: ArrayBuffer[] = [];
    for (let from: number | undefined = 0; from !== undefined && !this.#closed; ) {
      const { refs, next }: Reply<'liveRefs'> = await client.call('liveRefs', { from }, 'rules');
      pages.push(refs);
      from = next;
    }
    return pages;
  }
}
