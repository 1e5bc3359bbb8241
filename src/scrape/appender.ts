// What scrape loops need of the storage: the contract that the shards keep.
//
//   loop                       appender                       shard of the target
//   bodySink(target)  ───────► lends memory        ◄───────── a slot of its linear memory
//   HTTP: body goes straight into the slot
//   commit(target, scrape) ──► message by numbers  ─────────► parse, append, stale markers, synthetic series: one append
//
// Nothing here is per sample: a scrape crosses as a handful of numbers, whatever its size.
//
// Synthetic series (`up`, `scrape_duration_seconds`, `scrape_samples_scraped`,
// `scrape_samples_post_metric_relabeling`, `scrape_series_added`; where wanted `scrape_timeout_seconds`,
// `scrape_sample_limit`, `scrape_body_size_bytes`) carry the target's labels, go through no metric
// relabeling and count against no limit. They are part of the scrape's own append: a query sees them together with
// the scrape or not at all.

import type { BodySink } from '../base/http.js';
import type { Labels } from '../model/labels.js';
import type { NameScheme } from '../model/names.js';
import type { RelabelRule } from '../relabel/rule.js';

/** A target that is open in the storage. Means nothing to anyone but the appender that gave it. */
export type TargetHandle = number & { readonly __handle: 'Target' };

/** How a body is written. */
export type ScrapeFormat = 'text' | 'openmetrics' | 'protobuf';

export type ContentEncoding = 'identity' | 'gzip';

/** How the samples of a target become series. Limits: 0 is none. */
export interface TargetOptions {
  /** Stable over restarts and reloads, 53 bits: places the target in a shard. */
  readonly hash: number;
  readonly job: string;
  /** Final labels of the target: `job`, `instance` and the like, none that begins with `__`. */
  readonly labels: Labels;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly nativeHistogramBucketLimit: number;
  /** Buckets grow by this factor at least; 0 leaves them. */
  readonly nativeHistogramMinBucketFactor: number;
  readonly metricRelabelConfigs: readonly RelabelRule[];
  readonly metricNameValidationScheme: NameScheme;
  /** After metric relabeling. */
  readonly sampleLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  /** undefined: the usual synthetic series only. */
  readonly extraSeries?: { readonly timeoutSeconds: number };
}

/** A scrape whose body lies in the target's sink, from its start. */
export interface ScrapeCommit {
  /** Of every sample that has no timestamp of its own, and of the synthetic series. */
  readonly timeMs: number;
  readonly format: ScrapeFormat;
  readonly bodyBytes: number;
  readonly encoding: ContentEncoding;
  /** A gzip body that becomes longer is the error `body size limit exceeded`. May be Infinity: the storage's own bound holds. */
  readonly decodedBytesMax: number;
  /** Time of fetching; the storage may add its own. */
  readonly durationSeconds: number;
}

/** What a failed scrape leaves: stale markers for all that the last good one had, `up` 0 and its siblings. */
export interface ScrapeFailure {
  readonly timeMs: number;
  readonly durationSeconds: number;
  /** Of a page that came and is of no use: 0 where none came, -1 where it was too long. */
  readonly bodyBytes: number;
}

export interface ScrapeOutcome {
  /** Samples in the body. Where the body was refused: those before the fault. */
  readonly scraped: number;
  /** Samples left after metric relabeling. */
  readonly postRelabel: number;
  /** Series that the scrape before did not have. */
  readonly seriesAdded: number;
  /** Bytes of the body after decompression. */
  readonly decodedBytes: number;
  /** Samples that were left out, one by one, while the rest was kept. */
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly outOfBounds: number;
  /** Exemplars older than the last one of their series. */
  readonly lateExemplars: number;
  /**
   * Why nothing of the body was kept: the storage has then appended stale markers and `up` 0 instead, with the
   * counts above. undefined after a good scrape.
   */
  readonly error?: ScrapeRefusal;
  /** Where the body said something new of metrics: what is known now. */
  readonly metadataSize?: MetadataSize;
}

/** What is known of a target's metrics: HELP, TYPE and UNIT. */
export interface MetadataSize {
  readonly entries: number;
  readonly bytes: number;
}

export interface ScrapeRefusal {
  readonly reason:
    | 'parse'
    | 'gzip'
    | 'body-limit'
    | 'sample-limit'
    | 'bucket-limit'
    | 'label-limit'
    | 'memory'
    | 'storage';
  /** In Prometheus's words: shown as the target's last error. */
  readonly message: string;
}

export interface ScrapeAppender {
  /** Makes a target known. The same labels may be open twice while an old loop ends beside its successor. */
  open(target: TargetOptions): TargetHandle;

  /**
   * Lends memory for the next body. Good until `commit`, `fail` or `close` of this target, none of which is called
   * while bytes may still be written into it.
   */
  bodySink(target: TargetHandle): BodySink;

  /**
   * Parses and appends the body in the sink: all of it or nothing. Takes the memory lent. Rejects only when the
   * storage as a whole cannot answer (a shard is being rebuilt); then nothing was appended, not even `up`.
   */
  commit(target: TargetHandle, scrape: ScrapeCommit): Promise<ScrapeOutcome>;

  /** Appends what a failed scrape leaves. Takes back the memory lent. Rejects as `commit` does. */
  fail(target: TargetHandle, failure: ScrapeFailure): Promise<void>;

  /**
   * Ends a target. With a time: stale markers for all its series and the synthetic ones; a marker that is not later
   * than the last sample of its series (the target came back under another loop) is dropped without being counted.
   * Without a time, as at shutdown: nothing is appended. The handle is dead either way.
   */
  close(target: TargetHandle, staleTimeMs?: number): Promise<void>;
}
