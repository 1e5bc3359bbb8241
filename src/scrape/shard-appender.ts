// The shards as scrape loops see them: memory for bodies, and a commit for each.

import type { BodySink } from '../base/http.js';
import { schemaOfFactor } from '../model/histogram-shape.js';
import type { RelabelRule } from '../relabel/rule.js';
import { ShardUnavailable } from '../shard/client.js';
import type { Ingest } from '../shard/ingest.js';
import type { RelabelSource, ScrapeReply, TargetConfig } from '../shard/protocol.js';
import type { Shards } from '../shard/shards.js';
import type { Slot, Slots } from '../shard/slots.js';
import type {
  ScrapeAppender,
  ScrapeCommit,
  ScrapeFailure,
  ScrapeOutcome,
  TargetHandle,
  TargetOptions,
} from './appender.js';

interface OpenTarget {
  readonly number: number;
  readonly shard: number;
  readonly job: string;
  readonly sink: SlotSink;
  readonly config: TargetConfig;
  /** Resolves when the shard knows the target. */
  opened: Promise<void>;
}

/** Told of new series that the memory limit refused, with the job they are of. */
export type RefusalReport = (job: string, series: number) => void;

export class ShardAppender implements ScrapeAppender {
  readonly #shards: Shards;
  readonly #ingest: Ingest;
  readonly #onRefusal: RefusalReport;
  readonly #startTimes: boolean;
  readonly #targets = new Map<TargetHandle, OpenTarget>();
  #last = 0;

  /** `startTimes`: series get a sample of 0 where pages say that they began. */
  constructor(shards: Shards, ingest: Ingest, onRefusal: RefusalReport, startTimes = false) {
    this.#shards = shards;
    this.#ingest = ingest;
    this.#onRefusal = onRefusal;
    this.#startTimes = startTimes;
  }

  open(target: TargetOptions): TargetHandle {
    const number = ++this.#last;
    const shard = Math.abs(target.hash % this.#shards.count);
    const config: TargetConfig = {
      target: number,
      job: target.job,
      labels: target.labels,
      honorLabels: target.honorLabels,
      honorTimestamps: target.honorTimestamps,
      trackTimestampsStaleness: target.trackTimestampsStaleness,
      nativeHistograms: target.scrapeNativeHistograms,
      classicToo: target.alwaysScrapeClassicHistograms,
      customBuckets: target.convertClassicHistogramsToNhcb,
      startTimes: this.#startTimes,
      bucketLimit: target.nativeHistogramBucketLimit,
      schemaMax: schemaOfFactor(target.nativeHistogramMinBucketFactor),
      nameScheme: target.metricNameValidationScheme,
      metricRelabel: (target.metricRelabelConfigs as readonly RelabelRule[]).map(sourceOf),
      sampleLimit: target.sampleLimit,
      labelLimit: target.labelLimit,
      labelNameLengthLimit: target.labelNameLengthLimit,
      labelValueLengthLimit: target.labelValueLengthLimit,
      extraSeries: target.extraSeries,
    };
    const handle = number as TargetHandle;
    const sink = new SlotSink(this.#shards.shard(shard).slots);
    this.#targets.set(handle, { number, shard, job: target.job, sink, config, opened: this.#tell(shard, config) });
    return handle;
  }

  /** A shard was made again: it is told its targets. */
  reopen(shard: number): void {
    for (const target of this.#targets.values()) {
      if (target.shard === shard) target.opened = this.#tell(shard, target.config);
    }
  }

  #tell(shard: number, config: TargetConfig): Promise<void> {
    const opened = this.#ingest.openTarget(shard, config);
    // A failure is met by the first commit.
    opened.catch(() => {});
    return opened;
  }

  /** What a target is called inside: for metadata. */
  jobOf(target: number): string | undefined {
    return this.#targets.get(target as TargetHandle)?.job;
  }

  bodySink(handle: TargetHandle): BodySink {
    return this.#get(handle).sink;
  }

  async commit(handle: TargetHandle, scrape: ScrapeCommit): Promise<ScrapeOutcome> {
    const target = this.#get(handle);
    try {
      await target.opened;
      const { timeMs, format, bodyBytes, encoding, decodedBytesMax, durationSeconds } = scrape;
      const reply = await this.#ingest.scrape({
        job: target.job,
        target: target.number,
        shard: target.shard,
        body: { address: target.sink.address, bytes: bodyBytes },
        format,
        gzip: encoding === 'gzip',
        bodyLimit: Number.isFinite(decodedBytesMax) ? decodedBytesMax : 0,
        timeMs,
        durationS: durationSeconds,
      });
      const { refusedSeries } = reply.outcome;
      if (refusedSeries > 0) this.#onRefusal(target.job, refusedSeries);
      return outcomeOf(reply);
    } finally {
      target.sink.release();
    }
  }

  async fail(handle: TargetHandle, failure: ScrapeFailure): Promise<void> {
    const target = this.#get(handle);
    target.sink.release();
    await target.opened;
    const { timeMs, durationSeconds, bodyBytes } = failure;
    const report = { timeMs, durationS: durationSeconds, bodySize: bodyBytes };
    await this.#ingest.failScrape(target.job, target.shard, target.number, report);
  }

  async close(handle: TargetHandle, staleTimeMs?: number): Promise<void> {
    const target = this.#get(handle);
    this.#targets.delete(handle);
    target.sink.release();
    try {
      await target.opened;
      await this.#ingest.closeTarget(target.job, target.shard, target.number, staleTimeMs);
    } catch (error) {
      // A shard that is being made again will not hear of the target; nor are there stale markers then.
      if (!(error instanceof ShardUnavailable)) throw error;
    }
  }

  #get(handle: TargetHandle): OpenTarget {
    const target = this.#targets.get(handle);
    if (target === undefined) throw new Error(`target ${handle} is not open`);
    return target;
  }
}

/** A slot of a shard's memory that grows with a body. */
export class SlotSink implements BodySink {
  readonly #slots: Slots;
  #slot: Slot | undefined;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** Where the body lies; 0 before any was reserved (an empty body needs no room). */
  get address(): number {
    if (this.#slot !== undefined && !this.#slots.isCurrent(this.#slot)) {
      throw new ShardUnavailable('the shard died while it was lent the body');
    }
    return this.#slot?.address ?? 0;
  }

  reserve(bytes: number, kept: number): Uint8Array | undefined {
    const old = this.#slot;
    if (old !== undefined && old.bytes >= bytes) return this.#slots.view(old);
    const slot = old === undefined ? this.#slots.take(bytes) : this.#slots.grow(old, bytes, kept);
    if (slot === undefined) return undefined;
    this.#slot = slot;
    return this.#slots.view(slot);
  }

  /** The body, be its shard dead, as long as no other has taken its place: then undefined. Lends. */
  body(bytes: number): Uint8Array | undefined {
    if (this.#slot === undefined || !this.#slots.isCurrent(this.#slot)) return undefined;
    return this.#slots.view(this.#slot).subarray(0, bytes);
  }

  release(): void {
    if (this.#slot !== undefined) this.#slots.give(this.#slot);
    this.#slot = undefined;
  }
}

function sourceOf(rule: RelabelRule): RelabelSource {
  return { ...rule, sourceLabels: [...rule.sourceLabels], regex: rule.regex.source };
}

function outcomeOf(reply: ScrapeReply): ScrapeOutcome {
  const { scraped, postRelabel, added, bodyBytes, outcome, error, metadataSize } = reply;
  return {
    scraped,
    postRelabel,
    seriesAdded: added,
    decodedBytes: bodyBytes,
    duplicates: outcome.duplicate,
    outOfOrder: outcome.outOfOrder,
    outOfBounds: outcome.tooOld + outcome.tooFar,
    lateExemplars: outcome.exemplarsLate,
    ...(error === undefined ? {} : { error }),
    ...(metadataSize && { metadataSize }),
  };
}
