// Spilling in a shard: sealed chunks out as records, and out of memory once main says that they are on the disk. Floats first,
// in the core; then histograms (histogram-spilling.ts).

import type { Core } from '../wasm/core.js';
import type { Head, SeriesIndex } from '../wasm/head.js';
import { Image } from '../wasm/image.js';
import { Spill } from '../wasm/spill.js';
import { HistogramSpilling } from './histogram-spilling.js';
import type { HistogramStore } from './histogram-store.js';
import type { Reply, Request } from './protocol.js';

/** A step goes over so many series, or gives so many bytes: about two milliseconds either way. */
const SCAN_SERIES = 40_000;
const PAGE_BYTES = 256 * 1024;
/** The same of chunks that are noted, or leave. */
const CONFIRM_CHUNKS = 8000;
const EVICT_SERIES = 20_000;
const EVICT_CHUNKS = 8000;
/** Of which the log is told what they need, in one step: likewise. */
const LIVE_SERIES = 16_384;
/** Beyond this share of the memory nothing stays that files have. */
const CROWDED_SHARE = 0.7;
/** Behind all numbers of series: pages from here on are of histograms. */
const HISTOGRAMS_FROM = 2 ** 32;

export class ShardSpilling {
  readonly #core: Core;
  readonly #head: Head;
  readonly #spill: Spill;
  readonly #image: Image;
  readonly #memoryBytes: number;
  readonly #histograms: HistogramStore;
  readonly #histogramSpilling: HistogramSpilling;
  /** Bytes of records since the first page of a batch. */
  #collected = 0;

  constructor(core: Core, head: Head, histograms: HistogramStore, memoryBytes: number) {
    this.#histograms = histograms;
    this.#core = core;
    this.#head = head;
    this.#spill = new Spill(core);
    this.#image = new Image(core);
    this.#histogramSpilling = new HistogramSpilling(core, head, histograms, this.#spill);
    this.#memoryBytes = memoryBytes;
  }

  state(): Reply<'spillState'> {
    return {
      sealedBytes: this.#spill.sealedBytes,
      sealed: this.#head.counters.chunksSealed! + this.#histograms.counters.histogramChunksSealed!,
    };
  }

  collect({ from, isFirst, watermark }: Request<'collectSpill'>): Reply<'collectSpill'> {
    if (isFirst) {
      this.#spill.begin();
      this.#histogramSpilling.begin();
      this.#collected = 0;
    }
    const page = from < HISTOGRAMS_FROM ? this.#floats(from, watermark) : this.#ofHistograms(from, watermark);
    this.#collected += page.records.byteLength;
    return page;
  }

  #floats(from: number, watermark: number): Reply<'collectSpill'> {
    const { next, isRefused, ...page } = this.#spill.collect(from, SCAN_SERIES, watermark, PAGE_BYTES);
    const rest = this.#histograms.isEmpty ? undefined : HISTOGRAMS_FROM;
    return { ...page, isRefused, next: next < this.#head.seriesBound && !isRefused ? next : rest };
  }

  #ofHistograms(from: number, watermark: number): Reply<'collectSpill'> {
    const first = from - HISTOGRAMS_FROM;
    const { next, records, latestMs } = this.#histogramSpilling.collect(first, watermark, PAGE_BYTES, this.#collected);
    const following = next === undefined ? undefined : HISTOGRAMS_FROM + next;
    return { records, latestMs, isRefused: false, next: following };
  }

  /** What the log has to keep: see the protocol. */
  liveRefs(from: number): Reply<'liveRefs'> {
    const besides = this.#histograms.isEmpty ? undefined : (one: SeriesIndex) => this.#histograms.filedToMs(one);
    const refs = this.#head.liveRefs(from, LIVE_SERIES, besides).buffer;
    // The last page is not full, and has what belongs to no page.
    const isLast = this.#head.seriesBound - from < LIVE_SERIES;
    return { refs, next: isLast ? undefined : from + LIVE_SERIES };
  }

  /** Of an image of the head: see the protocol. */
  image(from: number): Reply<'collectImage'> {
    const { next, ...page } = this.#image.collect(from, SCAN_SERIES, PAGE_BYTES);
    if (next < this.#head.seriesBound) return { ...page, next };
    this.#image.end();
    return { ...page, next: undefined };
  }

  confirm({ file, offset }: Request<'confirmSpill'>): Reply<'confirmSpill'> {
    const done = this.#spill.confirm(file, offset, CONFIRM_CHUNKS);
    if (done) this.#histogramSpilling.confirm(file, offset);
    return { done };
  }

  evict({ keepBytes }: Request<'evictSpilled'>): Reply<'evictSpilled'> {
    const isCrowded = this.#core.heldBytes > CROWDED_SHARE * this.#memoryBytes;
    return { done: this.#spill.evict(EVICT_SERIES, isCrowded ? 0 : keepBytes, EVICT_CHUNKS) };
  }
}
