// One append in one shard: what handlers that add samples share.

import type { Exemplar } from '../model/exemplar.js';
import type { MetricMetadata } from '../model/family.js';
import { type StoredHistogram, zeroOf } from '../model/stored-histogram.js';
import { encodeExemplarEntry, type PackedLabels } from '../tsdb/wal/exemplar-record.js';
import { encodeHistogramEntry, histogramRecordType } from '../tsdb/wal/histogram-record.js';
import { encodeMetadataEntry, RecordType } from '../tsdb/wal/record.js';
import type { AppendOutcome, Head, PartRef, Refusal } from '../wasm/head.js';
import { NO_SERIES, type SeriesIndex } from '../wasm/head.js';
import { OutOfMemory } from '../wasm/out-of-memory.js';
import type { Admission } from './admission.js';
import type { ShardExemplars } from './exemplars.js';
import type { FamilyLog } from './family-log.js';
import type { HistogramStore } from './histogram-store.js';
import { LateAppend } from './late/late-append.js';
import type { LateStore } from './late/late-store.js';
import type { AppendHeader, Outcome, ReceivedHistogram, WalParts } from './protocol.js';
import type { Refs } from './refs.js';

/** WAL parts that wait for the log to take them, by number. */
export class PartStore {
  readonly #head: Head;
  readonly #parts = new Map<number, PartRef[]>();
  #last: number;
  /** The append under way. */
  #scope: AppendScope | undefined;

  constructor(head: Head, firstNumber: number) {
    this.#head = head;
    this.#last = firstNumber;
  }

  keep(parts: PartRef[]): number {
    const number = ++this.#last;
    this.#parts.set(number, parts);
    return number;
  }

  release(number: number): void {
    for (const part of this.#parts.get(number) ?? []) this.#head.closePart(part);
    this.#parts.delete(number);
  }

  get count(): number {
    return this.#parts.size;
  }

  begin(scope: AppendScope): void {
    this.#scope = scope;
  }

  end(): void {
    this.#scope = undefined;
  }

  /** The handler failed: what its append had done so far is in the head, and must get into the log. */
  abandon(): WalParts | undefined {
    return this.#scope?.finish().wal;
  }
}

const NO_WAL: WalParts = { series: undefined, samples: undefined, others: [], late: [], release: 0 };

/** Begins an append, by its header. */
export type OpenScope = (header: AppendHeader) => AppendScope;

/** What appends of a shard work on. */
export interface AppendRooms {
  readonly head: Head;
  readonly histograms: HistogramStore;
  readonly late: LateStore;
  readonly exemplars: ShardExemplars;
  /** undefined where the log has no metadata. */
  readonly families: FamilyLog | undefined;
  readonly refs: Refs;
  readonly admission: Admission;
  readonly parts: PartStore;
}

/** Collects what one append does in this shard; finish() ends it. */
export class AppendScope {
  readonly #head: Head;
  readonly #stores: Pick<AppendRooms, 'histograms' | 'exemplars' | 'families'>;
  readonly #late: LateAppend;
  readonly #refs: Refs;
  readonly #store: PartStore;
  readonly #header: AppendHeader;
  readonly #admission: Admission;
  #seriesPart: PartRef | undefined;
  #samplesPart: PartRef | undefined;
  /** By round, and by type of record. */
  readonly #otherParts: Map<RecordType, PartRef>[] = [];
  /** What each series has got last: a replay goes record by record, and must meet its samples in the order of their times. */
  readonly #lastHistograms = new Map<SeriesIndex, { readonly type: RecordType; readonly round: number }>();
  #histogramsStored = 0;
  /** Of these, what nobody sent. */
  #starts = 0;
  #exemplarsTaken = 0;
  #exemplarsRepeated = 0;
  #exemplarsLate = 0;
  #created = 0;
  #refused = 0;
  /** Samples for whose books there was no memory. */
  #lost = 0;

  constructor({ head, late, refs, admission, parts, ...stores }: AppendRooms, header: AppendHeader) {
    this.#head = head;
    this.#stores = stores;
    this.#refs = refs;
    this.#store = parts;
    this.#header = header;
    this.#admission = admission;
    this.#late = new LateAppend({
      ...{ head, store: late, header },
      openPart: () => this.#partIfRoom(),
      hasRoom: () => admission.hasRoomBeside(),
    });
    parts.begin(this);
    head.beginAppend();
  }

  /** The series of the labels in the scratch, made where there is none; NO_SERIES where memory is refused. */
  seriesOfScratch(): SeriesIndex {
    const known = this.#head.resolve();
    if (known !== NO_SERIES) return known;
    if (!this.#admission.admits(this.#header.job)) {
      this.#refused++;
      return NO_SERIES;
    }
    this.#seriesPart ??= this.#head.openPart();
    const made = this.#head.create(this.#seriesPart, this.#refs.take());
    if (made === NO_SERIES) {
      this.#refs.giveBack();
      this.#refused++;
    } else {
      this.#created++;
      const metadata = this.#stores.families?.ofScratch();
      if (metadata !== undefined) this.metadata(made, metadata);
    }
    return made;
  }

  /** Whether to ask another shard for a series; without, it counts as refused. */
  asks(): boolean {
    const asks = this.#admission.asks();
    if (!asks) this.#refused++;
    return asks;
  }

  /** Appends rows at an address. */
  rows(address: number, count: number): void {
    if (count === 0) return;
    this.#samplesPart ??= this.#partIfRoom();
    if (this.#samplesPart === undefined) this.#lost += count;
    else if (!this.#head.rows(address, count, this.#header, this.#samplesPart)) this.#lost += count;
    else this.#late.rows(address);
  }

  /** Appends histograms to a series of this shard, each with its start, where that is new. */
  received(series: SeriesIndex, histograms: readonly ReceivedHistogram[]): void {
    for (const { timeMs, histogram, startMs } of histograms) {
      if (startMs !== undefined && startMs < timeMs) this.#start(series, startMs, histogram);
      this.histogram(series, timeMs, histogram);
    }
  }

  /** An empty histogram at a time, unless the series has something there or later. */
  #start(series: SeriesIndex, startMs: number, histogram: StoredHistogram): void {
    const { minTimeMs, maxTimeMs } = this.#header;
    if (startMs < minTimeMs || startMs > maxTimeMs || startMs <= this.#head.newestMs(series)) return;
    const before = this.#histogramsStored;
    this.histogram(series, startMs, zeroOf(histogram));
    this.#starts += this.#histogramsStored - before;
  }

  /** Appends a histogram to a series of this shard. */
  histogram(series: SeriesIndex, timeMs: number, histogram: StoredHistogram): void {
    const { baseRef, baseTimeMs } = this.#header;
    const type = histogramRecordType(histogram);
    const entry = encodeHistogramEntry(this.#head.ref(series) - baseRef, timeMs - baseTimeMs, histogram);
    const last = this.#lastHistograms.get(series);
    const round = last === undefined ? 0 : last.round + Number(last.type !== type);
    const part = this.#admission.hasRoomBeside() ? this.#otherPart(round, type) : undefined;
    if (part === undefined || !this.#head.roomInPart(part, entry.length)) {
      this.#lost++;
      return;
    }
    const fate = this.#stores.histograms.append(series, timeMs, histogram, this.#header);
    const isStored = fate === 'late' ? this.#late.histogram(series, timeMs, histogram) : fate !== 'refused';
    if (isStored) this.#histogramsStored++;
    if (fate !== 'appended') return;
    this.#head.writePart(part, entry);
    this.#lastHistograms.set(series, { type, round });
  }

  /** Takes an exemplar of a series of this shard, unless something is against it: then it is passed over. */
  exemplar(series: SeriesIndex, labels: PackedLabels, exemplar: Exemplar): void {
    const verdict = this.#stores.exemplars.judge(labels, exemplar);
    if (verdict === 'repeated') this.#exemplarsRepeated++;
    if (verdict === 'out of order') this.#exemplarsLate++;
    if (verdict !== 'taken') return;
    const { baseRef, baseTimeMs } = this.#header;
    const entry = encodeExemplarEntry(this.#head.ref(series) - baseRef, exemplar.timeMs - baseTimeMs, exemplar);
    const part = this.#otherPart(0, RecordType.Exemplars);
    if (part === undefined || !this.#head.roomInPart(part, entry.length)) return;
    this.#stores.exemplars.take(labels, exemplar);
    this.#exemplarsTaken++;
    this.#head.writePart(part, entry);
  }

  /** Notes what is known of a series of this shard. */
  metadata(series: SeriesIndex, metadata: MetricMetadata): void {
    const entry = encodeMetadataEntry({ ...metadata, ref: this.#head.ref(series) });
    const part = this.#otherPart(0, RecordType.Metadata);
    if (part !== undefined && this.#head.roomInPart(part, entry.length)) this.#head.writePart(part, entry);
  }

  #otherPart(round: number, type: RecordType): PartRef | undefined {
    this.#otherParts[round] ??= new Map();
    const parts = this.#otherParts[round];
    const part = parts.get(type) ?? this.#partIfRoom();
    if (part !== undefined) parts.set(type, part);
    return part;
  }

  #partIfRoom(): PartRef | undefined {
    try {
      return this.#head.openPart();
    } catch (error) {
      if (error instanceof OutOfMemory) return undefined;
      throw error;
    }
  }

  /** What happened so far. */
  outcome(): Outcome {
    const words = this.#header.lateTimeMs === undefined ? WORDS : WORDS_OF_WINDOW;
    const outcome = outcomeOf(this.#head.outcome(), this.#created, this.#refused, words);
    return {
      ...outcome,
      accepted: outcome.accepted - this.#starts,
      noMemory: outcome.noMemory + this.#lost,
      histograms: this.#histogramsStored - this.#starts,
      exemplars: this.#exemplarsTaken,
      exemplarsRepeated: this.#exemplarsRepeated,
      exemplarsLate: this.#exemplarsLate,
    };
  }

  /** What happened, and the parts for the log, kept by number until it has them. */
  finish(): { outcome: Outcome; wal: WalParts } {
    this.#store.end();
    const series = this.#span(this.#seriesPart);
    const samples = this.#span(this.#samplesPart);
    const others = this.#otherParts.flatMap((ofRound, round) =>
      this.#spans(ofRound).map((part) => ({ round, ...part })),
    );
    const late = this.#spans(this.#late.parts);
    const known = [this.#seriesPart, this.#samplesPart].filter((part) => part !== undefined);
    const ofOthers = this.#otherParts.flatMap((ofRound) => [...ofRound.values()]);
    const parts = [...known, ...ofOthers, ...this.#late.parts.values()];
    const wal = parts.length === 0 ? NO_WAL : { series, samples, others, late, release: this.#store.keep(parts) };
    return { outcome: this.outcome(), wal };
  }

  #spans(parts: ReadonlyMap<RecordType, PartRef>): WalParts['late'] {
    return [...parts].flatMap(([type, part]) => {
      const span = this.#span(part);
      return span === undefined ? [] : [{ type, span }];
    });
  }

  #span(part: PartRef | undefined): WalParts['series'] {
    if (part === undefined) return undefined;
    const span = this.#head.partSpan(part);
    return span.bytes === 0 ? undefined : span;
  }
}

/** What the core does not count. */
type Beside = 'histograms' | 'exemplars' | 'exemplarsRepeated' | 'exemplarsLate';

function outcomeOf(
  outcome: AppendOutcome,
  created: number,
  refusedSeries: number,
  words: typeof WORDS,
): Omit<Outcome, Beside> {
  const { accepted, repeated, outOfOrder, duplicate, tooOld, tooFar, noMemory, unknown, firstRefusal, maxTimeMs } =
    outcome;
  return {
    accepted,
    repeated,
    outOfOrder,
    duplicate,
    tooOld,
    tooFar,
    noMemory,
    unknown,
    created,
    refusedSeries,
    firstRefused: firstRefusal && words[firstRefusal],
    newestMs: maxTimeMs,
  };
}

/** As Prometheus says it. */
const WORDS: Record<Refusal, string> = {
  'out of order': 'out of order sample',
  duplicate: 'duplicate sample for timestamp',
  'too old': 'out of bounds',
  'too far': 'out of bounds: the timestamp is too far in the future',
  'no memory': 'the memory limit is reached',
};
/** The same where late samples are taken. */
const WORDS_OF_WINDOW: typeof WORDS = { ...WORDS, 'too old': 'too old sample' };
