// What a scrape configuration has to say to be scraped: the narrow view that loops and pools take of it.

import type { HttpClientOptions } from '../base/http.js';
import type { EscapingScheme } from '../config/scrape.js';
import type { RelabelRule } from '../relabel/rule.js';
import type { TargetTemplate } from './target-labels.js';

/** A job, with defaults filled in. Limits: 0 is none. A ScrapeConfig is one. */
export interface ScrapeJob extends TargetTemplate {
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  /** Most wanted first. */
  readonly scrapeProtocols: readonly string[];
  /** Empty for none. */
  readonly fallbackScrapeProtocol: string;
  readonly metricNameEscapingScheme: EscapingScheme;
  readonly enableCompression: boolean;
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly nativeHistogramBucketLimit: number;
  readonly nativeHistogramMinBucketFactor: number;
  readonly metricRelabelConfigs: readonly RelabelRule[];
  /** Synthetic series about limits and sizes, too. */
  readonly extraScrapeMetrics: boolean;
  /** Empty for none. */
  readonly scrapeFailureLogFile: string;
  /** Of a body after decompression. One of exactly this length is too long, as in Prometheus. */
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimitBytes: number;
  readonly labelValueLengthLimitBytes: number;
  /** Targets after relabeling. Over it, none of the job is scraped. */
  readonly targetLimit: number;
  /** Dropped targets that are remembered to be shown. */
  readonly keepDroppedTargets: number;
}

/** A job as a manager is given it. */
export interface ScrapeJobEntry {
  readonly job: ScrapeJob;
  readonly http: HttpClientOptions;
  /** The same for the same configuration, secrets included: then a reload leaves the job's loops alone. */
  readonly fingerprint: string;
}

/** The largest body allowed, in bytes. */
export function bodyBytesMax(job: ScrapeJob): number {
  return job.bodySizeLimitBytes > 0 ? job.bodySizeLimitBytes - 1 : Number.POSITIVE_INFINITY;
}
