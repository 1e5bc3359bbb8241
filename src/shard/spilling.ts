// Spilling in a shard: sealed chunks out as records, and out of memory once main says that they are on the disk.

import type { Core } from '../wasm/core.js';
import type { Head } from '../wasm/head.js';
import { Spill } from '../wasm/spill.js';
import type { Reply, Request } from './protocol.js';

/** A step goes over so many series, or gives so many bytes: about two milliseconds either way. */
const SCAN_SERIES = 40_000;
const PAGE_BYTES = 1024 * 1024;
const EVICT_SERIES = 20_000;
/** Beyond this share of the memory nothing stays that files have. */
const CROWDED_SHARE = 0.7;

export class ShardSpilling {
  readonly #core: Core;
  readonly #head: Head;
  readonly #spill: Spill;
  readonly #memoryBytes: number;

  constructor(core: Core, head: Head, memoryBytes: number) {
    this.#core = core;
    this.#head = head;
    this.#spill = new Spill(core);
    this.#memoryBytes = memoryBytes;
  }

  state(): Reply<'spillState'> {
    return { sealedBytes: this.#spill.sealedBytes, sealed: this.#head.counters.chunksSealed! };
  }

  collect({ from, isFirst, watermark }: Request<'collectSpill'>): Reply<'collectSpill'> {
    if (isFirst) this.#spill.begin();
    const { next, ...page } = this.#spill.collect(from, SCAN_SERIES, watermark, PAGE_BYTES);
    return { ...page, next: next < this.#head.seriesBound && !page.isRefused ? next : undefined };
  }

  /** What the log has to keep: see the protocol. */
  liveRefs(): ArrayBuffer {
    return this.#head.liveRefs((series) => this.#spill.elsewhereTo(series)).buffer;
  }

  confirm({ file, offset }: Request<'confirmSpill'>): void {
    this.#spill.confirm(file, offset);
  }

  evict({ keepBytes }: Request<'evictSpilled'>): Reply<'evictSpilled'> {
    const isCrowded = this.#core.heldBytes > CROWDED_SHARE * this.#memoryBytes;
    return { done: this.#spill.evict(EVICT_SERIES, isCrowded ? 0 : keepBytes) };
  }
}
