// Records of the log into what a shard has.

import type { Disk } from '../base/disk.js';
import { familyOf } from '../model/family.js';
import { METRIC_NAME, valueOf } from '../model/labels.js';
import { BytesError } from '../tsdb/bytes.js';
import { headImagePath } from '../tsdb/head-image/layout.js';
import { decodeHistogramRecord, type HistogramEntry } from '../tsdb/wal/histogram-record.js';
import type { LogDamage, LogOutset, LogRecord } from '../tsdb/wal/reader.js';
import { decodeMetadata, decodeTombstones, encodeSamples, RecordType } from '../tsdb/wal/record.js';
import { readSeriesCopy, seriesCopyFolder } from '../tsdb/wal/series-copy.js';
import { decodeStartedHistograms, decodeStartedSamples } from '../tsdb/wal/started-record.js';
import type { Core } from '../wasm/core.js';
import { type Head, NO_SERIES } from '../wasm/head.js';
import { labelTableOf } from '../wasm/places.js';
import { decodeLabels } from './columns.js';
import { ExemplarReplay } from './exemplar-replay.js';
import type { ShardExemplars } from './exemplars.js';
import type { Families } from './families.js';
import type { HistogramAttach } from './histogram-attach.js';
import type { HistogramStore } from './histogram-store.js';
import { Faults } from './history/faults.js';
import type { SpilledChunks } from './history/spilled.js';
import { ImageReplay, removeImage } from './image-replay.js';
import type { LateReplay } from './late/late-replay.js';
import type { LateStore } from './late/late-store.js';
import type { ReplayReport, Request } from './protocol.js';
import type { ShardPlace } from './targets.js';

/** Enough to see what is wrong. */
const MALFORMED_MAX = 20;
/** Records that begin with a time, behind a ref: of samples as Prometheus 3.5 writes them. */
const TIMED: ReadonlySet<number> = new Set([
  RecordType.Samples,
  RecordType.HistogramSamples,
  RecordType.FloatHistogramSamples,
  RecordType.CustomBucketsHistogramSamples,
  RecordType.CustomBucketsFloatHistogramSamples,
]);
const BASE_TIME_OFFSET = 9;
/** What an image of the head stands for. */
const IMAGED: ReadonlySet<number> = new Set([RecordType.Samples, RecordType.SamplesV2]);
/** Of the memory that is free when the log is begun: more than this is not taken back at once. */
const IMAGE_SHARE = 1 / 4;

/** What a shard recovers into. */
export interface RecoveryParts {
  readonly core: Core;
  readonly head: Head;
  readonly histograms: HistogramStore;
  readonly late: LateStore;
  readonly exemplars: ShardExemplars;
  readonly families: Families;
  readonly spilled: SpilledChunks;
  readonly place: ShardPlace;
  readonly memoryBytes: number;
  readonly dataFolder: string | undefined;
}

export class LogReplay {
  /** What of files could not be read. */
  readonly faults = new Faults();
  readonly #malformed: string[] = [];
  readonly #parts: RecoveryParts;
  readonly #request: Request<'replay'>;
  readonly #exemplars: ExemplarReplay;
  readonly #late: LateReplay;
  readonly #filed: HistogramAttach;
  readonly #lossSpans: { minTimeMs?: number; maxTimeMs?: number }[] = [];
  /** Damages behind which there were no samples yet. */
  #openSpans = 0;
  /** Of the samples read last. */
  #lastMs: number | undefined;
  #skippedRecords = 0;
  #refusals = 0;
  readonly #disk: Disk;
  /** What is behind here may name series whose records are lost. */
  #isHoleAhead = false;
  #isCopyRead = false;
  #isCheckpoint = false;
  #image: ImageReplay | undefined;
  #imageSegment: number | undefined;

  /** What is earlier than its series' newest goes to `late`; `filed` is what files have of histograms. */
  constructor(disk: Disk, parts: RecoveryParts, request: Request<'replay'>, late: LateReplay, filed: HistogramAttach) {
    this.#disk = disk;
    this.#late = late;
    this.#filed = filed;
    this.#parts = parts;
    this.#request = request;
    this.#exemplars = new ExemplarReplay(parts.core, parts.head, parts.exemplars);
  }

  /** The copy of a log that another server wrote since is not of this log. */
  begin({ isForeign, isShort, checkpoint }: LogOutset): void {
    this.#isCopyRead = isForeign;
    this.#isHoleAhead = isShort;
    const { core, head, memoryBytes } = this.#parts;
    const { folder, ownFolder, minTimeMs } = this.#request;
    const path = headImagePath(ownFolder);
    if (isForeign || isShort) {
      removeImage(this.#disk, path);
      return;
    }
    const bytesMax = IMAGE_SHARE * (memoryBytes - core.heldBytes);
    const log = { folder, path, minTimeMs, checkpoint };
    this.#image = ImageReplay.open({ disk: this.#disk, core, head, ...log, bytesMax });
  }

  source(isCheckpoint: boolean): void {
    this.#isCheckpoint = isCheckpoint;
  }

  /** All is read. */
  finish(): void {
    this.#takeImage();
  }

  record(record: LogRecord): void {
    if (this.#isHoleAhead || record.type === RecordType.Filler) this.#readCopy();
    const { type, address, length, segment } = record;
    this.#request.progress[this.#parts.place.index] = segment;
    if (TIMED.has(type) && length >= BASE_TIME_OFFSET + 8) this.#noteTime(address);
    if (this.#image !== undefined) {
      const isCovered = this.#isCheckpoint || this.#image.covers(segment);
      if (!isCovered) this.#takeImage();
      else if (IMAGED.has(type)) return;
    }
    this.#take(record);
  }

  /** The first segment that the image does not cover; undefined where none was of use. */
  get imageSegment(): number | undefined {
    return this.#imageSegment;
  }

  /** What the image has comes behind the series of the segments that it covers. */
  #takeImage(): void {
    const image = this.#image;
    if (image === undefined) return;
    this.#image = undefined;
    this.#imageSegment = image.take({
      record: (record) => {
        if (IMAGED.has(record.type)) this.#take(record);
        // Between the samples, as before; of histograms all is done.
        if (record.type === RecordType.Tombstones)
          this.#deleteFloats(record.address, record.length, record.bytes.slice());
      },
    });
  }

  #take({ type, address, length, segment, offset }: LogRecord): void {
    const { head, core } = this.#parts;
    const before = head.replayRefusals;
    const fault = this.#apply(type, address, length, () => core.bytes.subarray(address, address + length));
    this.#refusals += head.replayRefusals - before;
    if (fault !== undefined && this.#malformed.length < MALFORMED_MAX) {
      this.#malformed.push(`segment ${segment}, byte ${offset}: ${fault}`);
    }
  }

  /** An empty one stands for one that was missing at an earlier start. */
  segment(_segment: number, bytes: number): void {
    if (bytes === 0) this.#isHoleAhead = true;
  }

  damage({ torn }: LogDamage): void {
    if (!torn) {
      this.#readCopy();
      this.#image?.spoil();
    }
    this.#lossSpans.push(this.#lastMs === undefined ? {} : { minTimeMs: this.#lastMs });
    this.#openSpans++;
  }

  /** Behind a place that cannot be read any ref may be one whose series record stood there: from now on such are looked for in the copy. */
  #readCopy(): void {
    this.#isHoleAhead = false;
    if (this.#isCopyRead) return;
    this.#isCopyRead = true;
    const { core, head, histograms } = this.#parts;
    const folder = seriesCopyFolder(this.#request.ownFolder);
    const before = head.replayRefusals;
    readSeriesCopy(this.#disk, folder, core, {
      record: ({ type, address, length }) => {
        if (type === RecordType.Series) head.replaySpare(address, length);
      },
    });
    this.#filed.takeSpares(head, histograms);
    this.#refusals += head.replayRefusals - before;
  }

  #noteTime(address: number): void {
    const { core } = this.#parts;
    const time = new DataView(core.memory.buffer, address + BASE_TIME_OFFSET, 8).getBigInt64(0);
    this.#lastMs = Number(time);
    for (; this.#openSpans > 0; this.#openSpans--) this.#lossSpans.at(-this.#openSpans)!.maxTimeMs = this.#lastMs;
  }

  /** `moreRefusals`: of what was counted when all was read. */
  end(
    moreRefusals: number,
  ): Pick<ReplayReport, 'skippedRecords' | 'malformed' | 'refusals' | 'exemplars' | 'families' | 'lossSpans'> {
    return {
      lossSpans: this.#lossSpans,
      skippedRecords: this.#skippedRecords,
      malformed: [...this.#malformed, ...this.#late.malformed.slice(0, MALFORMED_MAX), ...this.faults.take()],
      refusals: this.#refusals + moreRefusals,
      exemplars: this.#exemplars.end(),
      families: this.#parts.families.list(undefined),
    };
  }

  #apply(type: number, address: number, length: number, bytes: () => Uint8Array): string | undefined {
    const { head } = this.#parts;
    switch (type) {
      case RecordType.Series:
        return this.#makeSeries(address, length, bytes);
      case RecordType.Samples: {
        const fault = head.replaySamples(address, length, this.#request.minTimeMs);
        this.#late.takeEarlier();
        return fault;
      }
      case RecordType.Tombstones:
        return this.#delete(address, length, bytes);
      case RecordType.HistogramSamples:
      case RecordType.FloatHistogramSamples:
      case RecordType.CustomBucketsHistogramSamples:
      case RecordType.CustomBucketsFloatHistogramSamples:
        return wellFormed('histograms', () => this.#addHistograms(decodeHistogramRecord(bytes())));
      case RecordType.HistogramSamplesV2:
      case RecordType.FloatHistogramSamplesV2:
        return wellFormed('histograms', () => this.#addHistograms(decodeStartedHistograms(bytes())));
      case RecordType.SamplesV2:
        return this.#addStarted(bytes);
      case RecordType.Metadata:
        return wellFormed('metadata', () => this.#learn(bytes()));
      case RecordType.Exemplars:
        return this.#exemplars.take(bytes());
      case RecordType.Filler:
        return undefined;
      default:
        this.#skippedRecords++;
        return undefined;
    }
  }

  /** Series, with the histograms that files have of them. */
  #makeSeries(address: number, length: number, bytes: () => Uint8Array): string | undefined {
    const { head, histograms } = this.#parts;
    const fault = head.replaySeries(address, length);
    if (fault === undefined) this.#filed.take(bytes(), head, histograms);
    return fault;
  }

  /** Samples that tombstones name go from what was replayed so far; what of it is in files has to be in memory for that. */
  #delete(address: number, length: number, bytes: () => Uint8Array): string | undefined {
    const { histograms } = this.#parts;
    const record = bytes().slice();
    const fault = this.#deleteFloats(address, length, record);
    if (fault !== undefined) return fault;
    if (!histograms.isEmpty)
      for (const { series, mint, maxt } of this.#deleted(record)) histograms.delete(series, mint, maxt, this.faults);
    this.#late.delete(record);
    return undefined;
  }

  #deleteFloats(address: number, length: number, record: Uint8Array): string | undefined {
    const { head, spilled } = this.#parts;
    const recalled = spilled.hasAny ? wellFormed('tombstones', () => this.#recall(record)) : undefined;
    return recalled ?? head.replayTombstones(address, length);
  }

  #recall(record: Uint8Array): void {
    for (const { series, mint, maxt } of this.#deleted(record)) {
      const span = { minTimeMs: mint, maxTimeMs: maxt };
      this.#parts.spilled.recall(Uint32Array.of(series), span, this.faults);
    }
  }

  /** What of tombstones is of this shard's series. */
  #deleted(record: Uint8Array) {
    const { head } = this.#parts;
    return decodeTombstones(record)
      .map(({ ref, mint, maxt }) => ({ series: head.replayFind(ref), mint, maxt }))
      .filter(({ series }) => series !== NO_SERIES);
  }

  /** Floats with start timestamps as those without: the core reads only these. */
  #addStarted(bytes: () => Uint8Array): string | undefined {
    const { core } = this.#parts;
    let plain = new Uint8Array(0);
    const fault = wellFormed('samples', () => {
      plain = Uint8Array.from(encodeSamples(decodeStartedSamples(bytes())));
    });
    if (fault !== undefined) return fault;
    const address = core.exports.heap_alloc(plain.length) >>> 0;
    if (address === 0) return 'the memory limit is reached: samples are lost';
    core.bytes.set(plain, address);
    const applied = this.#apply(RecordType.Samples, address, plain.length, () => plain);
    core.exports.heap_free(address, plain.length);
    return applied;
  }

  #addHistograms(entries: readonly HistogramEntry[]): void {
    const { head, histograms, late } = this.#parts;
    for (const { ref, timeMs, histogram } of entries) {
      const series = head.replayFind(ref);
      if (series === NO_SERIES || timeMs < this.#request.minTimeMs) continue;
      if (timeMs <= histograms.filedToMs(series)) continue;
      if (histograms.replay(series, timeMs, histogram)) continue;
      if (timeMs < head.newestMs(series)) late.replay(series, timeMs, histogram);
    }
  }

  /** What the series of this shard say of their families. */
  #learn(record: Uint8Array): void {
    const { core, head, families } = this.#parts;
    for (const { ref, type, unit, help } of decodeMetadata(record)) {
      const series = head.replayFind(ref);
      if (series === NO_SERIES) continue;
      const { strings, rows } = labelTableOf(core, [series]);
      const name = valueOf(decodeLabels(strings, rows, 1)[0]!, METRIC_NAME);
      families.learn({ metric: familyOf(name, type), type, unit, help });
    }
  }
}

/** A reason where a record is malformed: then nothing of it was taken. */
function wellFormed(kind: string, read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof BytesError) return `${kind}: ${error.message}`;
    throw error;
  }
}
