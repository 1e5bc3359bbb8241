// The late samples of a shard: for each series that has any what is not in its chunks in the head.
//
//   add ──► here ──► leaving ──► a block has them ──► dropped
//            └── both are read by queries ──┘
//
// They are in the write-behind log before their sender hears of them. A series that has any stays in the head as long.
// A query sees the samples whose appends its watermark has passed, as it does of those in order (assembly/head/journal.ts).

import type { StreamedChunk } from '../../tsdb/block/contract.js';
import { mergeSamples } from '../../tsdb/compact/merge-chunks.js';
import { type Sample, SampleCodec } from '../../tsdb/compact/samples.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import type { TimeRange } from '../../wasm/export.js';
import type { Head, LateFate, SeriesIndex } from '../../wasm/head.js';
import { OutOfMemory } from '../../wasm/out-of-memory.js';
import { isAfter } from '../appends.js';
import type { TimeSpan } from '../history/selection.js';
import { LateSamples, type LateValue } from './late-samples.js';

/** What a series takes besides its samples, roughly. */
const ENTRY_BYTES = 300;

type BySeries = Map<SeriesIndex, LateSamples>;

/** Somebody who reads at a watermark. */
interface Reader {
  readonly watermark: number;
}

export class LateStore {
  readonly #head: Head;
  readonly #codec: SampleCodec;
  readonly #watermark: () => number;
  readonly #held: () => number;
  readonly #readers = new Set<Reader>();
  #here: BySeries = new Map();
  /** On their way into a block. */
  #leaving: BySeries = new Map();
  #isLeaving = false;
  #span: TimeSpan = NOTHING;
  #bytes = 0;
  readonly #appended = { lateFloats: 0, lateHistograms: 0 };
  #hasNewest = false;

  /** `watermark` is what is visible to all just now; nobody will open at one earlier than `held`. */
  constructor(core: Core, head: Head, watermark: () => number, held: () => number) {
    this.#head = head;
    this.#codec = new SampleCodec(new Chunks(core));
    this.#watermark = watermark;
    this.#held = held;
  }

  get isEmpty(): boolean {
    return this.#here.size === 0 && this.#leaving.size === 0;
  }

  /** Memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a series may have a late sample that is newer than all that the head has of it. */
  get hasNewest(): boolean {
    return this.#hasNewest;
  }

  get counters(): Record<string, number> {
    const lateSeries = this.#here.size + this.#leaving.size;
    return { ...this.#appended, lateSeries, lateBytes: this.#bytes };
  }

  /** Keeps a sample; 'repeated' where there is one of that time, which counts. */
  add(series: SeriesIndex, timeMs: number, value: LateValue, append: number): LateFate {
    const entry = this.#here.get(series) ?? this.#make(series);
    if (entry === undefined) return 'no memory';
    const before = entry.bytes;
    if (!entry.add(timeMs, value, append)) return 'repeated';
    this.#sealIfDue(entry);
    this.#bytes += entry.bytes - before;
    this.#appended[typeof value === 'bigint' ? 'lateFloats' : 'lateHistograms']++;
    const { minTimeMs, maxTimeMs } = this.#span;
    this.#span = { minTimeMs: Math.min(minTimeMs, timeMs), maxTimeMs: Math.max(maxTimeMs, timeMs) };
    if (!this.#hasNewest && timeMs > this.#head.newestMs(series)) this.#hasNewest = true;
    return 'kept';
  }

  /** The same while the log is read: everybody sees it. */
  replay(series: SeriesIndex, timeMs: number, value: LateValue): boolean {
    return this.add(series, timeMs, value, this.#watermark()) === 'kept';
  }

  /** Deletes samples from one time to another, both inclusive, while the log is read: whether there were any. Throws OutOfMemory. */
  deleteReplayed(series: SeriesIndex, minTimeMs: number, maxTimeMs: number): boolean {
    const entry = this.#here.get(series);
    if (entry === undefined) return false;
    const all = mergeSamples(entry.chunks(this.#codec, this.#watermark()).map((chunk) => this.#codec.decode(chunk)));
    const left = all.filter(({ timeMs }) => timeMs < minTimeMs || timeMs > maxTimeMs);
    if (left.length === all.length) return false;
    this.#bytes -= entry.bytes + ENTRY_BYTES;
    this.#here.delete(series);
    if (left.length === 0) this.#head.removeLate(series);
    for (const { timeMs, histogram, bits } of left as (Sample & { bits?: bigint })[]) {
      this.replay(series, timeMs, histogram ?? bits!);
    }
    return true;
  }

  /** Somebody reads at a watermark until the function given back is called. */
  hold(watermark: number): () => void {
    const reader = { watermark };
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** Whether there may be samples in a span of times. */
  touches({ minTimeMs, maxTimeMs }: TimeSpan): boolean {
    return this.#span.minTimeMs <= maxTimeMs && this.#span.maxTimeMs >= minTimeMs;
  }

  has(series: SeriesIndex): boolean {
    return this.#here.has(series) || this.#leaving.has(series);
  }

  /** What of a series a watermark lets see, as chunks in no order, which may overlap. Throws OutOfMemory. */
  chunks(series: SeriesIndex, watermark: number): StreamedChunk[] {
    return [this.#leaving, this.#here].flatMap((all) => all.get(series)?.chunks(this.#codec, watermark) ?? []);
  }

  // --- On the way into blocks ---

  /** From now on what is here is leaving, and whatever comes is not. No append is under way. */
  beginLeaving(): TimeSpan | undefined {
    for (const [series, samples] of this.#here) {
      const before = this.#leaving.get(series);
      if (before === undefined) this.#leaving.set(series, samples);
      else before.takeAll(samples);
    }
    this.#here = new Map();
    this.#isLeaving = true;
    return this.#leaving.size === 0 ? undefined : this.#span;
  }

  /** Series of which something is leaving, ascending. */
  leavingSeries(): Uint32Array {
    // A shard that was made again from the log meanwhile has all of it here.
    if (!this.#isLeaving) throw new Error('no late samples are leaving');
    return Uint32Array.from(this.#leaving.keys()).sort();
  }

  /** What of a series is leaving within a range, as chunks that do not overlap, oldest first. Throws OutOfMemory. */
  leavingChunks(series: SeriesIndex, { minTimeMs, maxTimeMs }: TimeRange): StreamedChunk[] {
    const all = this.#leaving.get(series)?.chunks(this.#codec, this.#watermark()) ?? [];
    const touching = all.filter((chunk) => chunk.maxTimeMs >= minTimeMs && chunk.minTimeMs < maxTimeMs);
    const samples = mergeSamples(touching.map((chunk) => this.#codec.decode(chunk)));
    return this.#codec.encode(samples.filter(({ timeMs }) => timeMs >= minTimeMs && timeMs < maxTimeMs));
  }

  /** Blocks have what was leaving. */
  dropLeaving(): void {
    const gone = this.#leaving;
    this.#leaving = new Map();
    this.#isLeaving = false;
    for (const series of gone.keys()) if (!this.#here.has(series)) this.#head.removeLate(series);
    this.#bytes = 0;
    for (const samples of this.#here.values()) this.#bytes += samples.bytes + ENTRY_BYTES;
    if (!this.isEmpty) return;
    this.#span = NOTHING;
    this.#hasNewest = false;
  }

  #make(series: SeriesIndex): LateSamples | undefined {
    if (!this.#head.addLate(series)) return undefined;
    const entry = new LateSamples();
    this.#here.set(series, entry);
    this.#bytes += ENTRY_BYTES;
    return entry;
  }

  /** Later where there is no memory for it now. */
  #sealIfDue(entry: LateSamples): void {
    try {
      entry.sealIfDue(this.#codec, this.#seenByAll());
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
    }
  }

  /** The earliest watermark that anybody reads or will read at. */
  #seenByAll(): number {
    let earliest = this.#held();
    for (const { watermark } of this.#readers) if (isAfter(earliest, watermark)) earliest = watermark;
    return earliest;
  }
}

const NOTHING: TimeSpan = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
