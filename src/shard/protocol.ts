// Everything that crosses between the main thread and a shard.
//
// One entry per operation: the request that main posts and the reply that the shard
// posts back; both sides are typed from this table and nothing else. A task carries
// several jobs, because waking a shard costs more than a small job does.
//
// Buffers said to move are transferred: the sender must not touch them again.
// Addresses are places in the shard's shared memory: main fills slots it was lent,
// the log thread reads WAL parts, and nobody else looks. Byte layouts of columns,
// label tables and batches: docs/formats/shard-messages.md.

import type { Exemplar } from '../model/exemplar.js';
import type { MetricMetadata } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { NameScheme } from '../model/names.js';
import type { Fragment, Note } from '../promql/exec/source.js';
import type { relabelRule } from '../relabel/rule.js';
import type { HistogramSample } from '../tsdb/chunk/histogram.js';
import type { OpenedLog } from '../tsdb/wal/open.js';
import type { RecordType } from '../tsdb/wal/record.js';
import type { SymbolsPage, TimeRange } from '../wasm/export.js';
import type { BodyFormat } from '../wasm/exposition.js';
import type { FederateStyle } from '../wasm/federate.js';
import type { ReplayTotals } from '../wasm/head.js';
import type { Places } from '../wasm/places.js';
import type { MorselSize } from '../wasm/query.js';
import type { RenderedText, RenderSpec } from '../wasm/render.js';
import type { ColumnsMessage } from './column-messages.js';
import type { ExemplarLimits, ReplayedExemplars } from './exemplar-book.js';
import type { FederatedBlock } from './federate-samples.js';
import type { HeadChunksReport } from './head-chunks.js';
import type { BlockPlace, BlockRefusal } from './history/history.js';
import type { TimeSpan } from './history/selection.js';
import type { MetadataSize } from './metadata.js';
import type { MixedMessage } from './mixed-series.js';
import type { OtlpBody } from './otlp/body.js';
import type { ReadStyle } from './read-messages.js';
import type { ScratchLimits } from './scratch.js';
import type { SideMessage } from './side-samples.js';

export type RelabelSource = Parameters<typeof relabelRule>[0];

interface Op<Request, Reply> {
  request: Request;
  reply: Reply;
}

/** A run of bytes in a shard's shared memory. */
export interface Span {
  readonly address: number;
  readonly bytes: number;
}

/** What an append leaves for the log: a whole series record, and the shard's parts of the records of samples. */
export interface WalParts {
  readonly series: Span | undefined;
  readonly samples: Span | undefined;
  /** Histograms, exemplars and metadata, by round and type of record: all of a round stands in the log before the next. */
  readonly others: readonly { readonly round: number; readonly type: RecordType; readonly span: Span }[];
  /** Of samples that came late, by type of record, for the write-behind log. */
  readonly late: readonly { readonly type: RecordType; readonly span: Span }[];
  /** To be released by number when the log has taken the bytes. */
  readonly release: number;
}

/** What happened to the samples of one append in one shard. */
export interface Outcome {
  readonly accepted: number;
  /** The very same samples once more: fine, and nothing to do. */
  readonly repeated: number;
  readonly outOfOrder: number;
  readonly duplicate: number;
  readonly tooOld: number;
  readonly tooFar: number;
  readonly noMemory: number;
  /** Rows whose series is gone. */
  readonly unknown: number;
  /** Of those accepted and repeated, the histograms. */
  readonly histograms: number;
  /** Exemplars that were taken, those that were there, and those out of order. */
  readonly exemplars: number;
  readonly exemplarsRepeated: number;
  readonly exemplarsLate: number;
  /** Series made by this append. */
  readonly created: number;
  /** New series that the memory limit refused. */
  readonly refusedSeries: number;
  /** Why the first refused sample was refused, and whose it was. */
  readonly firstRefused: string | undefined;
  /** Time of the newest accepted sample; undefined where none was. */
  readonly newestMs: number | undefined;
}

/** Rows of series that another shard owns: to be appended there under the same number. Moves. */
export interface Outgoing {
  readonly owner: number;
  readonly rows: ArrayBuffer;
}

/** Label sets that another shard owns and that the parsing shard does not know yet: the owner is asked for their series. */
export interface Strangers {
  readonly owner: number;
  readonly labels: Labels[];
}

/** Series that their owner has dropped. */
export interface Gone {
  readonly owner: number;
  readonly series: Uint32Array;
}

/** The owner's answer, in the order asked. */
export interface Adopted {
  /** Index in the owner; -1 where it has no room. */
  readonly series: number;
  /** Low half of the ref. */
  readonly ref: number;
}

export interface AdoptedStrangers extends Strangers {
  readonly adopted: Adopted[];
}

/** A scraped body in a lent slot. */
export interface ScrapedBody {
  readonly body: Span;
  readonly format: BodyFormat;
  readonly gzip: boolean;
  /** Bytes after decompression; 0: none but the shard's own limit. */
  readonly bodyLimit: number;
}

/** Everything about a target that parsing its bodies needs. */
export interface TargetConfig {
  readonly target: number;
  readonly job: string;
  readonly labels: Labels;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  /** Of protobuf: native histograms are taken, with their classic buckets or without. */
  readonly nativeHistograms: boolean;
  readonly classicToo: boolean;
  /** Classic histograms become native ones with bounds of their own. */
  readonly customBuckets: boolean;
  /** Series get a sample of 0 at the start times that bodies tell. */
  readonly startTimes: boolean;
  /** Of native histograms: most buckets, 0 for any number, and the finest schema. */
  readonly bucketLimit: number;
  readonly schemaMax: number;
  /** As relabelRule() takes them: compiled patterns do not cross threads. */
  readonly metricRelabel: readonly RelabelSource[];
  /** How metrics and labels may be called. */
  readonly nameScheme: NameScheme;
  readonly sampleLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  /** Where synthetic series about limits and sizes are wanted, too. */
  readonly extraSeries?: { readonly timeoutSeconds: number };
}

/** What every append carries. */
export interface AppendHeader {
  /** Its number, given out by main in order. */
  readonly append: number;
  /** Whose series these are when memory runs short: a scrape's job, or remote writes. */
  readonly job: string;
  /** The samples record's bases: refs and times are encoded relative to them. */
  readonly baseRef: number;
  readonly baseTimeMs: number;
  /** Samples before minTimeMs are too old, after maxTimeMs too far in the future. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** With a window for late samples: what is not in order is taken from here on, and too old before. */
  readonly lateTimeMs?: number;
  /** The server's own stale markers end series in order or not at all, as in Prometheus. */
  readonly discardsLateMarkers?: true;
}

/** The synthetic series of a scrape, less those that the shard counts itself. */
export interface ScrapeReport {
  readonly timeMs: number;
  readonly durationS: number;
}

/** The same where no body came. */
export interface FailureReport extends ScrapeReport {
  /** -1: it was too long. */
  readonly bodySize: number;
}

/** Why nothing of a body was kept. */
export interface BodyRefusal {
  readonly reason: 'parse' | 'gzip' | 'body-limit' | 'sample-limit' | 'bucket-limit' | 'label-limit' | 'memory';
  /** In Prometheus's words. */
  readonly message: string;
}

export interface ScrapeReply {
  readonly error: BodyRefusal | undefined;
  readonly scraped: number;
  readonly postRelabel: number;
  readonly added: number;
  readonly outcome: Outcome;
  readonly wal: WalParts;
  readonly outgoing: Outgoing[];
  readonly strangers: Strangers[];
  /** A ref of this target's series: the next base. */
  readonly nearRef: number;
  /** Bytes of the body after decompression. */
  readonly bodyBytes: number;
  /** What it says anew of metrics, where all shards are to know. */
  readonly metadata?: readonly MetricMetadata[];
  /** What is known of the target's metrics, where the body said something new. */
  readonly metadataSize?: MetadataSize;
  /** Native histograms and exemplars of series that other shards own. */
  readonly elsewhere?: readonly SeriesElsewhere[];
}

/** Series with more than floats that another shard owns: to be appended there under the same number. */
export interface SeriesElsewhere {
  readonly owner: number;
  readonly series: AppendedSeries[];
}

/** Of remote write: prometheus.WriteRequest, or io.prometheus.write.v2.Request. */
export type WriteVersion = 1 | 2;

/** How a body that comes by a write is to be read. */
export type WriteForm = WriteVersion | OtlpBody;

/** A remote write body in a lent slot, still compressed; or an OTLP export, which becomes one. */
export interface WrittenBody {
  readonly body: Span;
  readonly version: WriteForm;
  /** Of version 2: series get a sample of 0 at the start times that it tells. */
  readonly startTimes: boolean;
}

export interface WriteReply {
  /** Why the body was refused as a whole, or series were skipped; undefined where all is well. */
  readonly error: string | undefined;
  /** The body is no valid request: nothing of it was applied. */
  readonly malformed: boolean;
  /** What of an export could not be translated. */
  readonly leftOut?: readonly string[];
  readonly outcome: Outcome;
  readonly invalidSeries: number;
  /** Series with histograms or exemplars that other shards own. */
  readonly elsewhere?: readonly SeriesElsewhere[];
  readonly wal: WalParts;
  readonly outgoing: Outgoing[];
  readonly strangers: Strangers[];
  readonly nearRef: number;
  /** What it says anew of metrics. */
  readonly metadata?: readonly MetricMetadata[];
}

/** A histogram, and when its metric began, where that is to be told from what it counts: undefined otherwise. */
export interface ReceivedHistogram extends HistogramSample {
  readonly startMs?: number;
}

/** One series of an append, with its samples as main has them. */
export interface AppendedSeries {
  readonly labels: Labels;
  /** (time f64 ms, value bits) of each float. */
  readonly samples: ArrayBuffer;
  /** Histograms; start timestamps are kept where the shard was started for it. */
  readonly side?: SideMessage;
  /** Histograms as a receiver has them, checked. */
  readonly stored?: readonly ReceivedHistogram[];
  /** Nothing is made of a series that has these alone. */
  readonly exemplars?: readonly Exemplar[];
}

/** Samples of one time that one rule gave, or the stale markers of series that end. */
export interface RecordedPart {
  /** Of series of this shard, by number. */
  readonly rows: ArrayBuffer;
  /** Of any shard. */
  readonly named: readonly AppendedSeries[];
}

/** Samples of a result that were left out, and why the first of them was. */
export interface ResultOutcome {
  readonly outOfOrder: number;
  readonly tooOld: number;
  readonly duplicates: number;
  /** undefined where all were taken. */
  readonly reason: string | undefined;
}

export interface RecordReply {
  /** Of all results, stale markers aside. */
  readonly outcome: Outcome;
  readonly wal: WalParts;
  /** By part, without the last. */
  readonly results: readonly ResultOutcome[];
  /** Of each named series, part after part: its shard, its number there and the low half of its ref; NO_SERIES where it was refused, or is not of this shard. */
  readonly places: Uint32Array;
  /** By part: rows whose series is gone. */
  readonly gone: readonly Uint32Array[];
}

/** What completing a body brought. */
export interface Completed {
  readonly outcome: Outcome;
  readonly wal: WalParts;
  readonly outgoing: Outgoing[];
  /** Series that no owner was asked for yet, because they were known until a moment ago. */
  readonly strangers: Strangers[];
}

/** Raw samples of several series, one after the other. All move. */
export interface SamplesMessage {
  readonly labels: { readonly strings: ArrayBuffer; readonly rows: ArrayBuffer };
  /** u32, samples of each series. */
  readonly counts: ArrayBuffer;
  /** f64 milliseconds, and value bits. */
  readonly times: ArrayBuffer;
  readonly values: ArrayBuffer;
  /** Of series that have more than floats. */
  readonly mixed?: MixedMessage;
}

/** Rows and samples come with each morsel, groups with the last. */
export interface Morsel {
  readonly done: boolean;
  readonly samples: number;
  readonly columns: ColumnsMessage | undefined;
  readonly raw: SamplesMessage | undefined;
  readonly notes: Note[];
  /** Instead of columns, where the query was opened to render. Moves. */
  readonly text?: RenderedText;
  /** The fragment has `cells`, and there are histograms. */
  readonly declined?: true;
  /** What of the blocks could not be read: warnings of the query's answer. */
  readonly faults?: readonly string[];
}

export interface OpenedQuery {
  /** To ask for more morsels; meaningless when the first was the last: the query is closed then. */
  readonly query: number;
  readonly series: number;
  readonly first: Morsel;
}

export interface HeadStats {
  readonly series: number;
  readonly usedBytes: number;
  /** Counters: slow paths, refusals, totals. */
  readonly counters: Record<string, number>;
}

/** Shared: the segment that each shard reads just now, by shard. Main looks while the shards work. */
export type ReplayProgress = Int32Array;

/** What a shard found in the log. */
export interface ReplayReport {
  readonly opened: OpenedLog;
  /** Of the write-behind log, where there is one. */
  readonly openedLate: OpenedLog | undefined;
  readonly totals: ReplayTotals;
  /** Samples that are kept beside the head; series that lost some of them to deletions of Prometheus. */
  readonly lateApplied: number;
  readonly lateDeleted: number;
  /** Whether some of them are in the log, and not in the write-behind log. */
  readonly isLateInLog: boolean;
  /** Records of the series that the log has samples of, and lacks: taken from the copy of its series. */
  readonly restored: readonly Uint8Array[];
  readonly series: number;
  /** Records of kinds that we do not read yet. */
  readonly skippedRecords: number;
  /** Records that are not what their type says: where, and why. */
  readonly malformed: string[];
  readonly exemplars: ReplayedExemplars;
  /** What the log says of metrics of this shard's series. */
  readonly families: MetricMetadata[];
  /** What files had of the head. */
  readonly headChunks: HeadChunksReport;
  /** Records of which something found no memory: the log has it, and nobody else. */
  readonly refusals: number;
  /** The first segment that an image of the head does not cover, where one stood for those before. */
  readonly imageSegment: number | undefined;
  /** Of each damage of the log, in the order of `opened`. */
  readonly lossSpans: readonly LossSpan[];
}

/** Between which times lies what could not be read: those of the samples in front of it and behind it, where there are any. */
export interface LossSpan {
  readonly minTimeMs?: number;
  readonly maxTimeMs?: number;
}

/** Times in ms, both ends in it; all times where absent. */
export interface ListedRange {
  readonly startMs?: number;
  readonly endMs?: number;
}

export interface ShardOps {
  /** Registers a target before its first scrape, or changes it. */
  openTarget: Op<TargetConfig, Record<string, never>>;
  /** Parses a body that lies in a lent slot and appends its samples and the synthetic series. */
  scrape: Op<AppendHeader & ScrapedBody & { target: number; report: ScrapeReport }, ScrapeReply>;
  /** A scrape that failed: stale markers for all the target had, up 0. */
  failScrape: Op<AppendHeader & { target: number; report: FailureReport }, ScrapeReply>;
  /** Stale markers for all series of a target, synthetic ones too; then the target is forgotten. */
  closeTarget: Op<AppendHeader & { target: number; timeMs: number | undefined }, ScrapeReply>;
  /** A remote write body or an OTLP export. */
  write: Op<AppendHeader & WrittenBody, WriteReply>;
  /** Makes or finds the series of strangers, and writes their records. */
  adopt: Op<AppendHeader & { labels: Labels[] }, { wal: WalParts; adopted: Adopted[]; outcome: Outcome }>;
  /** Appends rows that another shard parsed. `rows` moves. */
  rows: Op<AppendHeader & { rows: ArrayBuffer }, { outcome: Outcome; wal: WalParts; unknown: Uint32Array }>;
  /** The caches of a target, or of remote writes, forget these series: completing the body names them as strangers. */
  forget: Op<{ target: number | undefined; gone: Gone[] }, Record<string, never>>;
  /** The rest of a scrape whose strangers have been adopted, over the same body. */
  completeScrape: Op<
    AppendHeader &
      ScrapedBody & {
        target: number;
        timeMs: number;
        isBodyKept: boolean;
        strangers: AdoptedStrangers[];
      },
    Completed
  >;
  /** The rest of a remote write, likewise. */
  completeWrite: Op<AppendHeader & WrittenBody & { strangers: AdoptedStrangers[] }, Completed>;
  /** Series with their samples as main has them: what another shard was sent, tests. */
  append: Op<AppendHeader & { series: AppendedSeries[] }, WriteReply>;
  /** Results of rules, and last the stale markers of series that end. */
  record: Op<AppendHeader & { parts: readonly RecordedPart[] }, RecordReply>;

  /**
   * Finds the series of a fragment and evaluates the first morsel, at a watermark. All fragments of a snapshot see
   * what the first one sees; snapshot 0 is for a fragment that is alone, and needs no closing. With `render`, which needs a function of the core, rows come as text; groups too, where this shard is the only one. With `stop` it ends early once the word at STOP_WORD is 1. What rules ask may take memory that is kept for them.
   */
  openQuery: Op<
    {
      fragment: Fragment;
      snapshot: number;
      watermark: number;
      render?: RenderSpec;
      stop?: SharedArrayBuffer;
      isRule?: true;
    },
    OpenedQuery
  >;
  /** The same for raw samples in (endMs - windowMs, endMs]. */
  openSamples: Op<
    {
      matchers: readonly Matcher[];
      windowMs: number;
      endMs: number;
      snapshot: number;
      watermark: number;
      stop?: SharedArrayBuffer;
      isRule?: true;
    },
    OpenedQuery
  >;
  /**
   * Where the series of matchers are in the shard's memory, for main to read their newest samples
   * (known-series.ts); undefined where there are more than `most`, or where they may have other samples beside
   * the head's. Moves. All of it holds while series neither come nor go: `version` is TaskReply's.
   */
  places: Op<{ matchers: readonly Matcher[]; most: number }, { places: Places | undefined; version: number }>;
  nextMorsel: Op<{ query: number }, Morsel>;
  closeQuery: Op<{ query: number }, Record<string, never>>;
  /** No fragment of this snapshot will follow. */
  closeSnapshot: Op<{ snapshot: number }, Record<string, never>>;

  /** What the matchers would find in (startMs, endMs]: series by the postings, samples by what a few of these have. */
  estimate: Op<{ matchers: readonly Matcher[]; startMs: number; endMs: number }, { series: number; samples: number }>;

  /** Names and values in no order, of the head and of blocks that overlap the time range. The first shard answers for blocks. */
  labelNames: Op<{ selectors: Matcher[][] } & ListedRange, { names: string[]; faults?: string[] }>;
  labelValues: Op<{ name: string; selectors: Matcher[][] } & ListedRange, { values: string[]; faults?: string[] }>;
  /**
   * Label sets of the series that have samples in the time range: sorted texts of the form `labels`, which move. Where all that
   * the selectors take is listed, `places` at the most, and in the head: their addresses, as of `places`.
   */
  series: Op<
    { selectors: Matcher[][]; startMs: number; endMs: number; limit: number; places?: number },
    { texts: RenderedText[]; faults?: string[]; addresses?: ArrayBuffer; version: number }
  >;
  /** Series that a selector takes, with their exemplars from one time to another, both inclusive: in no order. */
  exemplars: Op<
    { selectors: Matcher[][]; startMs: number; endMs: number },
    { series: { labels: Labels; exemplars: Exemplar[] }[] }
  >;
  /** What is known of metrics: of each target its own, and what all shards know alike. */
  metadata: Op<
    { metric: string | undefined },
    { entries: { target: number; metadata: MetricMetadata[] }[]; families: MetricMetadata[] }
  >;
  /** Remembers what others have from the log. */
  knowFamilies: Op<{ families: readonly MetricMetadata[] }, Record<string, never>>;
  /** Remembers what is new of metrics and notes it for the log, where it is kept there: called again, without news, until done. */
  learn: Op<
    AppendHeader & { metadata: readonly MetricMetadata[] },
    { outcome: Outcome; wal: WalParts; isDone: boolean }
  >;
  /** Numbers for our own metrics: series, memory, slow paths, totals. Cheap. */
  counters: Op<Record<string, never>, Record<string, number>>;
  stats: Op<
    { top: number },
    HeadStats & {
      byMetric: [string, number][];
      byPair: [string, number][];
      valuesByName: [string, number][];
      bytesByName: [string, number][];
    }
  >;

  /** Starts rendering the newest samples in (fromMs, toMs]. */
  openFederate: Op<
    { selectors: Matcher[][]; fromMs: number; toMs: number; watermark: number } & FederateStyle,
    { query: number; names: number; hasHistograms: boolean }
  >;
  /**
   * The next families in name order, up to about `bytes`; each block is of one family, and a large one goes on in the next
   * piece. Floats and histograms are asked for apart, where there are any of these. Moves.
   */
  nextFederate: Op<
    { query: number; bytes: number; part: 'floats' | 'histograms' },
    { done: boolean; blocks: FederatedBlock[]; text: ArrayBuffer }
  >;
  closeFederate: Op<{ query: number }, Record<string, never>>;

  /** Starts reading series for another server: their samples from one time to another, both inclusive. */
  openRead: Op<
    { matchers: readonly Matcher[]; startMs: number; endMs: number; watermark: number } & ReadStyle,
    { read: number; series: number }
  >;
  /** The next series that have samples, in no order: their label sets, and the messages of each (read-messages.ts). Moves. */
  nextRead: Op<
    { read: number },
    {
      done: boolean;
      samples: number;
      faults: readonly string[];
      labels: { readonly strings: ArrayBuffer; readonly rows: ArrayBuffer };
      /** u32: messages of each series. */
      counts: ArrayBuffer;
      /** u32: where each message ends. */
      ends: ArrayBuffer;
      messages: ArrayBuffer;
    }
  >;
  closeRead: Op<{ read: number }, Record<string, never>>;

  /**
   * Reads the chunks that files have, then the whole log, and applies what this shard owns from a time on. Without a report memory
   * is short: chunks are to be spilled, then it goes on where it was, when it is asked again.
   */
  replay: Op<
    {
      folder: string;
      ownFolder: string;
      /** The write-behind log, where there is one. */
      late: { folder: string; ownFolder: string } | undefined;
      repair: boolean;
      minTimeMs: number;
      progress: ReplayProgress;
    },
    { report: ReplayReport | undefined }
  >;

  /** Collects the garbage of the shard's thread, but for what is in linear memory: for when nobody waits. */
  collectGarbage: Op<Record<string, never>, Record<string, never>>;

  /** Sealed chunks in memory, and how many were sealed in all. */
  spillState: Op<Record<string, never>, { sealedBytes: number; sealed: number }>;
  /**
   * Chunks that no file has, as records, of the next series from `from` on that no append after `watermark` touched; with
   * `from` 0 what was collected before is forgotten. All that is collected until confirmSpill is one run of bytes. Moves.
   */
  collectSpill: Op<{ from: number; isFirst: boolean; watermark: number }, SpilledRecords>;
  /** What was collected is on the disk, in a file from an offset on: noted some chunks at a time, called until done. */
  confirmSpill: Op<{ file: number; offset: number }, { done: boolean }>;
  /** What is in memory alone of the next series from `from` on, for an image of the head; undefined after the last. Moves. */
  collectImage: Op<{ from: number }, ImagedRecords>;
  /** Chunks that files have leave memory, some series at a time: called until done. */
  evictSpilled: Op<{ keepBytes: number }, { done: boolean }>;

  /**
   * What the disk has beside the head: queries that open from now on read these blocks, and the head from `headMinTimeMs` on
   * (all of it where absent). Those that are open go on with what they have. Gives the blocks that cannot be opened.
   */
  setBlocks: Op<{ blocks: readonly BlockPlace[]; headMinTimeMs: number | undefined }, { refused: BlockRefusal[] }>;

  /** Whether no query is open that began before the last setBlocks. */
  blocksReleased: Op<Record<string, never>, { released: boolean }>;

  /** Ends the shard the hard way, for tests: refused unless the shard was started for that. */
  fault: Op<{ how: 'trap' | 'exit' | 'hang' }, Record<string, never>>;

  /** Frees what lies before mint, in bounded steps; called until done. While `waiting` a query still reads there: later, then. */
  truncate: Op<{ minTimeMs: number }, { done: boolean; removed: number; waiting?: true }>;
  /** From now on the late samples that are here are leaving: what exports with `late` give. Both ends of their times; no append is under way. */
  leaveLate: Op<Record<string, never>, { span: TimeSpan | undefined }>;
  /** Blocks have the late samples that are leaving: they are dropped, unless a query is open that began before these blocks. */
  dropLate: Op<Record<string, never>, { waiting: boolean }>;
  /** The time of the oldest sample at or after a time, Infinity where there is none: in bounded steps from series 0 on; undefined after the last. */
  oldestTime: Op<{ minTimeMs: number; from: number }, { next: number | undefined; oldestMs: number }>;
  /** Splits the chunks that cross a time, in bounded steps from series 0 on; undefined after the last. */
  splitChunks: Op<{ timeMs: number; from: number }, { next: number | undefined }>;
  /** For a block: the series with chunks in the range, page by page from 0 on; undefined after the last. Pages are drawn in assembly/head/export.ts; they move. */
  exportSeries: Op<{ range: TimeRange; from: number; late?: true }, { next: number | undefined; series: ArrayBuffer }>;
  /** The names of all schemas that series of the pages may have. */
  exportSchemas: Op<Record<string, never>, { schemas: ArrayBuffer }>;
  /** The strings behind symbols, likewise. */
  exportSymbols: Op<{ from: number }, Omit<SymbolsPage, 'next'> & { next: number | undefined }>;
  /** The chunks in the range of the first `count` of these series. */
  exportChunks: Op<
    { range: TimeRange; series: Uint32Array; late?: true },
    { count: number; chunks: ArrayBuffer; damages: readonly string[] }
  >;
  /** The pages' memory is given back. */
  closeExport: Op<Record<string, never>, Record<string, never>>;
  /**
   * Deletes samples from one time to another, both inclusive, of the series above `after` that a selector takes: of a
   * page of them; called until done. `intervals` has for each that lost any its ref and the times of the first and the
   * last, f64 each; it moves. No append is under way meanwhile.
   */
  deleteSamples: Op<
    { selectors: Matcher[][]; minTimeMs: number; maxTimeMs: number; after: number },
    { intervals: ArrayBuffer; after: number; done: boolean; refused: boolean; faults: readonly string[] }
  >;
  /**
   * What a checkpoint keeps: refs of all series alive, each with the time of its last sample that is on the disk elsewhere, -Infinity
   * where none is; f64 each. Moves. `next` is where the next job goes on, undefined behind the last.
   */
  liveRefs: Op<{ from: number }, { refs: ArrayBuffer; next: number | undefined }>;
}

export type OpName = keyof ShardOps;

/** Steps of storage's work, of a millisecond or two each: a task has one of them at the most, and no two tasks in turn where others wait. */
export const LONG_OPS: ReadonlySet<OpName> = new Set<OpName>([
  ...(['collectSpill', 'confirmSpill', 'evictSpilled', 'truncate', 'liveRefs', 'deleteSamples'] as const),
  ...(['oldestTime', 'splitChunks', 'exportSeries', 'exportSymbols', 'exportChunks'] as const),
]);

/** Operations that leave the records of series as they are. */
export const READING_OPS: ReadonlySet<OpName> = new Set<OpName>([
  'openQuery',
  'openSamples',
  'nextMorsel',
  'closeQuery',
  'closeSnapshot',
  'places',
  'estimate',
  'labelNames',
  'labelValues',
  'series',
  'exemplars',
  'metadata',
  'counters',
  'stats',
  'openFederate',
  'nextFederate',
  'closeFederate',
  'openRead',
  'nextRead',
  'closeRead',
  'oldestTime',
  'exportSeries',
  'exportSchemas',
  'exportSymbols',
  'exportChunks',
  'closeExport',
]);

export type Request<K extends OpName> = ShardOps[K]['request'];
export type Reply<K extends OpName> = ShardOps[K]['reply'];

/** One job of a task: an operation's name next to its request. */
export type Job = { [K in OpName]: { op: K; request: Request<K> } }[OpName];

/** A shard's whole behaviour: one function per operation. */
export type Handlers = { [K in OpName]: (request: Request<K>) => Reply<K> };

/** What is posted to a shard. */
export interface Task {
  /** Every append up to this number is applied everywhere and in the log. */
  readonly watermark: number;
  /** At most the watermark: readers that are still to be opened may ask for no earlier one. */
  readonly held: number;
  /** WAL parts that the log has taken. */
  readonly release: number[];
  readonly exemplars: ExemplarLimits;
  readonly jobs: Job[];
}

/** What comes back: a result or an error for each job, in order. */
export interface TaskReply {
  readonly results: JobResult[];
  /** The core trapped: the shard must be rebuilt from the log. */
  readonly trapped: string | undefined;
  /** Queries have called for readers. */
  readonly wantsReaders: boolean;
  /** Another number after each change of which series there are. */
  readonly seriesVersion: number;
  /** Files of blocks that queries found damaged. */
  readonly suspects: readonly string[];
}

export type JobResult = { readonly ok: unknown } | { readonly error: JobError };

export interface JobError {
  readonly kind: 'bad_data' | 'execution' | 'memory' | 'internal';
  readonly message: string;
  /** What an append had done before it failed. */
  readonly wal?: WalParts;
}

/** Some chunks for a file; `next` is undefined after the last. */
export interface SpilledRecords {
  readonly next: number | undefined;
  readonly records: ArrayBuffer;
  /** No sample that was collected is later. */
  readonly latestMs: number;
  /** What was collected is to be confirmed before more is. */
  readonly isRefused: boolean;
}

/** A page of an image; `isPartial` where it would not be whole. */
export interface ImagedRecords {
  readonly next: number | undefined;
  readonly records: ArrayBuffer;
  readonly crc: number;
  readonly isPartial: boolean;
}

/** What a shard is started with. */
export interface ShardSetup {
  readonly index: number;
  readonly count: number;
  /** Where the head's chunks may be in files; undefined where they stay in memory. */
  readonly dataFolder: string | undefined;
  /** Decides the owner of a label set; from the data directory, the same in all shards. */
  readonly seed: bigint;
  readonly memoryBytes: number;
  readonly core: 'debug' | 'release' | undefined;
  /** Main may fill slots in this many bytes. */
  readonly inputBytes: number;
  /** The one counter of refs, a BigInt64: shards take ranges from it. */
  readonly refCounter: SharedArrayBuffer;
  /** How much of a query is evaluated in one job: for tests; there is a good default. */
  readonly morsel: MorselSize | undefined;
  /** Threads that may help with queries. */
  readonly readers: number;
  /** What is kept of the chunks that queries read from files; there is a good default. */
  readonly chunkCacheBytes: number | undefined;
  /** What queries may hold here; no limit but the shard's where absent. */
  readonly scratch: ScratchLimits | undefined;
  /** Tests may end the shard on purpose. */
  readonly faults: boolean;
  /** Tests may append start timestamps, which neither the log nor chunks can hold yet: see side-samples.ts. */
  readonly sideSamples: boolean;
  /** Metadata of series is kept in the log. */
  readonly metadataRecords: boolean;
  /** What it numbers is numbered from here on, so that nobody takes it for something of a shard before it. */
  readonly firstNumber: number;
}

/** What a started shard tells. */
export interface ShardStarted {
  readonly memory: WebAssembly.Memory;
  /** The region that main is lent. */
  readonly input: Span;
  /** What the shard shares with its readers: an address in its memory. */
  readonly round: number;
}
