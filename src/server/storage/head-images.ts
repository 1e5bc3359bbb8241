// Images of the head: what it has in memory alone, written down now and then, so that a start need not apply all samples of the log again.
//
//   log         roll ─────────────────────────────► samples of the segments before are in the heads
//   shards            collect, page by page
//   compactor                 └► a file ────┐
//   log                           settled, synced: no sample is in the image alone
//   compactor                               └► renamed
//
// An image is of use as long as no checkpoint replaces a segment behind it: so each checkpoint begins with one.

import { unlessStuck } from '../../shard/ingest.js';
import type { Reply } from '../../shard/protocol.js';
import { headImagePath } from '../../tsdb/head-image/layout.js';
import { ownFolder, type StorageParts } from './options.js';

/** A log that is shorter is read as fast without. */
const LOG_BYTES = 64 * 2 ** 20;

export class HeadImages {
  readonly #parts: StorageParts;
  /** Bytes written to the log when the last began. */
  #takenAtBytes = 0;
  #imageBytes = 0;
  #isClosed = false;

  constructor(parts: StorageParts) {
    this.#parts = parts;
  }

  /** What the log had at the start. */
  noteLogBytes(bytes: number): void {
    this.#takenAtBytes = -bytes;
  }

  /** No step follows the one under way. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether the log has grown enough behind the last one. */
  async isDue(): Promise<boolean> {
    const { bytes } = await this.#logStats();
    return bytes - this.#takenAtBytes >= Math.max(this.#leastBytes, this.#imageBytes);
  }

  /** Takes one before a checkpoint of all that comes before `segment`, which the log has just begun. Only while nothing is cut, truncated or deleted. */
  async before(segment: number): Promise<void> {
    const { bytes, checkpointBytes } = await this.#logStats();
    if (Math.max(bytes - this.#takenAtBytes, checkpointBytes) >= this.#leastBytes) await this.#take(segment, bytes);
  }

  /** Takes one; likewise. */
  async take(): Promise<void> {
    const { bytes } = await this.#logStats();
    await this.#take((await this.#parts.log.roll()) + 1, bytes);
  }

  /** Where that fails the next start reads more of the log. */
  async #take(segment: number, logBytes: number): Promise<void> {
    const { compactor, logger, options } = this.#parts;
    this.#takenAtBytes = logBytes;
    try {
      await compactor.call('beginHeadImage', { path: headImagePath(ownFolder(options.path)), segment });
      if (await this.#collect()) this.#imageBytes = (await compactor.call('finishHeadImage', {})).bytes;
      else await compactor.call('abortHeadImage', {});
    } catch (error) {
      if (this.#isClosed) return;
      logger.warn('No image of the head was written: the next start will read more of the log', {
        err: error as Error,
      });
      await compactor.call('abortHeadImage', {});
    }
  }

  /** False where it would not be whole. */
  async #collect(): Promise<boolean> {
    const { shards, compactor, log } = this.#parts;
    for (const { client } of shards.handles) {
      for (let from: number | undefined = 0; from !== undefined; ) {
        if (this.#isClosed) return false;
        const page: Reply<'collectImage'> = await client.call('collectImage', { from }, 'rules');
        if (page.isPartial) return false;
        const { records, crc } = page;
        if (records.byteLength > 0) await compactor.call('addToHeadImage', { records, crc });
        from = page.next;
      }
    }
    await unlessStuck(shards.appends.settled(), shards.log);
    await log.sync();
    return true;
  }

  get #leastBytes(): number {
    return this.#parts.options.imageLogBytes ?? LOG_BYTES;
  }

  async #logStats(): Promise<{ bytes: number; checkpointBytes: number }> {
    return (await this.#parts.log.refreshStats()) ?? { bytes: 0, checkpointBytes: 0 };
  }
}
