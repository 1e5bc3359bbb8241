// One target's loop: ask when it is due, hand the body to the storage, remember how it went.
//
//          start                       stop('removed')
//            ▼                               ▼
//   wait for due time ─► scrape ─► wait ─┬─► ending: one tick (the markers' time), one more, 10 % ─► close with markers
//            ▲                      │    │
//            └──────────────────────┘    └─► stop('shutdown'): close without markers
//
// A target that goes may be on its way back, under another loop or another server. So its stale markers wait until a
// successor has certainly scraped; the storage then drops those that came too late.
//
// Nothing here is made per scrape but a few promises; nothing at all per sample.

import type { Clock, Timer } from '../base/clock.js';
import { type HttpAnswer, type HttpClientOptions, HttpError, type HttpRequest, type HttpSender } from '../base/http.js';
import { formatDuration } from '../model/duration.js';
import { type Labels, valueOf as labelValue } from '../model/labels.js';
import type { Logger } from '../telemetry/log.js';
import { acceptHeader, formatOf } from './accept.js';
import type { ContentEncoding, MetadataSize, ScrapeAppender, ScrapeFormat, TargetHandle } from './appender.js';
import type { FailureLogs } from './failure-log.js';
import { targetHash } from './hash.js';
import { bodyBytesMax, type ScrapeJob } from './job.js';
import { intervalLabel, NO_METADATA, type ScrapeMetrics } from './metrics.js';
import { Schedule } from './schedule.js';
import type { ScrapeTarget } from './target-labels.js';

/** What all loops of a server share. */
export interface ScrapeContext {
  readonly clock: Clock;
  readonly appender: ScrapeAppender;
  /** Makes the client of one target. */
  connect(options: HttpClientOptions): HttpSender;
  readonly metrics: ScrapeMetrics;
  readonly log: Logger;
  /** Where jobs may want failures to be written. */
  readonly failures?: FailureLogs;
  /** See serverSeed. */
  readonly seed: number;
  /** `Name/version` */
  readonly userAgent: string;
  /** How late a scrape may begin and still carry its due time. */
  readonly timestampToleranceMs?: number;
}

export type Health = 'unknown' | 'up' | 'down';

/** How a target is: what /api/v1/targets shows of it. */
export interface TargetStatus {
  readonly handle: TargetHandle;
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly health: Health;
  /** Empty where the last scrape was good or there was none. */
  readonly lastError: string;
  /** When the last scrape began; undefined where there was none. */
  readonly lastScrapeMs: number | undefined;
  readonly lastScrapeDurationSeconds: number;
  /** Like `15s`. */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

/** A timer longer than this overflows; waking up now and then also notices a clock that was set. */
const WAIT_MS_MAX = 24 * 60 * 60 * 1000;
/** In place of the size of a body that is too long. */
const OVER_LIMIT = -1;
/** Set aside beyond the last body's length: bodies grow slowly. */
const BODY_BYTES_SLACK = 1 / 8;

type Phase = 'new' | 'running' | 'ending' | 'stopped';

export class ScrapeLoop {
  readonly target: ScrapeTarget;
  readonly #job: ScrapeJob;
  readonly #context: ScrapeContext;
  readonly #schedule: Schedule;
  readonly #client: HttpSender;
  readonly #request: HttpRequest;
  readonly #handle: TargetHandle;
  readonly #interval: { observe(value: number): void };

  #discovered: Labels;
  #phase: Phase = 'new';
  #timer: Timer | undefined;
  #dueMs = 0;
  #scraping: Promise<void> | undefined;
  /** Why this target is not scraped though it is there: its job has too many. */
  #forcedError: string | undefined;
  #bodyBytesHint = 0;
  #lastStartMonotonicMs: number | undefined;

  #health: Health = 'unknown';
  #lastError = '';
  #lastScrapeMs: number | undefined;
  /** The same, or that of the loop before. */
  #shownScrapeMs: number | undefined;
  #lastDurationSeconds = 0;
  #metadata: MetadataSize = NO_METADATA;

  constructor(target: ScrapeTarget, job: ScrapeJob, http: HttpClientOptions, context: ScrapeContext) {
    this.target = target;
    this.#discovered = target.discovered;
    this.#job = job;
    this.#context = context;
    const hash = targetHash(target.internal, target.url, context.seed);
    this.#schedule = new Schedule(target.intervalMs, hash, context.timestampToleranceMs);
    this.#client = context.connect(http);
    this.#request = requestOf(target, job, context.userAgent);
    this.#interval = context.metrics.intervalLength.with(intervalLabel(target.intervalMs));
    this.#handle = context.appender.open({
      hash: targetHash(target.internal, target.url),
      job: job.jobName,
      labels: target.labels,
      honorLabels: job.honorLabels,
      honorTimestamps: job.honorTimestamps,
      trackTimestampsStaleness: job.trackTimestampsStaleness,
      scrapeNativeHistograms: target.scrapeNativeHistograms ?? job.scrapeNativeHistograms,
      alwaysScrapeClassicHistograms: target.alwaysScrapeClassicHistograms ?? job.alwaysScrapeClassicHistograms,
      convertClassicHistogramsToNhcb: target.convertClassicHistogramsToNhcb ?? job.convertClassicHistogramsToNhcb,
      nativeHistogramBucketLimit: job.nativeHistogramBucketLimit,
      nativeHistogramMinBucketFactor: job.nativeHistogramMinBucketFactor,
      metricRelabelConfigs: job.metricRelabelConfigs,
      metricNameValidationScheme: job.metricNameValidationScheme,
      sampleLimit: job.sampleLimit,
      labelLimit: job.labelLimit,
      labelNameLengthLimit: job.labelNameLengthLimitBytes,
      labelValueLengthLimit: job.labelValueLengthLimitBytes,
      ...(job.extraScrapeMetrics && { extraSeries: { timeoutSeconds: target.timeoutMs / 1000 } }),
    });
  }

  get status(): TargetStatus {
    const { target } = this;
    return {
      handle: this.#handle,
      discoveredLabels: this.#discovered,
      labels: target.labels,
      scrapePool: this.#job.jobName,
      scrapeUrl: target.url,
      health: this.#health,
      lastError: this.#lastError,
      lastScrapeMs: this.#shownScrapeMs,
      lastScrapeDurationSeconds: this.#lastDurationSeconds,
      scrapeInterval: formatDuration(target.intervalMs),
      scrapeTimeout: formatDuration(target.timeoutMs),
    };
  }

  /** The same target may be discovered with other labels that no rule looks at; the newest are shown. */
  setDiscovered(discovered: Labels): void {
    this.#discovered = discovered;
  }

  /**
   * `before`: the loop of the same target until now, which is to be stopped. What it would have scraped next is ours then,
   * even where that is due already: neither is a scrape missed nor done twice. Until then the target is shown as it was.
   */
  start(before?: ScrapeLoop): void {
    if (this.#phase !== 'new') throw new Error(`a loop starts once: ${this.target.url}`);
    this.#phase = 'running';
    this.#dueMs = this.#schedule.after(this.#context.clock.nowMs());
    if (before !== undefined) this.#takeOver(before);
    this.#wait();
  }

  #takeOver(before: ScrapeLoop): void {
    if (before.#schedule.isLike(this.#schedule)) this.#dueMs = before.#dueMs;
    this.#lastStartMonotonicMs = before.#lastStartMonotonicMs;
    this.#bodyBytesHint = before.#bodyBytesHint;
    this.#health = before.#health;
    this.#lastError = before.#lastError;
    this.#shownScrapeMs = before.#shownScrapeMs;
    this.#lastDurationSeconds = before.#lastDurationSeconds;
  }

  /** From the next scrape on, fails without asking the target; undefined lets it go on as usual. */
  setForcedError(error: string | undefined): void {
    this.#forcedError = error;
  }

  /**
   * `removed`: resolves when the stale markers are in the storage, more than an interval later.
   * `shutdown`: ends a scrape under way, leaves no markers, and hurries an end that has begun.
   */
  async stop(reason: 'removed' | 'shutdown'): Promise<void> {
    if (this.#phase === 'stopped') return;
    if (reason === 'shutdown') return this.#shutDown();
    if (this.#phase === 'ending') throw new Error(`a loop is removed once: ${this.target.url}`);
    this.#phase = 'ending';
    this.#noteMetadata(NO_METADATA);
    this.#timer?.cancel();
    await this.#scraping;
    if (this.#isPhase('ending')) await this.#end();
  }

  // ---- Waiting

  #wait(): void {
    const waitMs = this.#dueMs - this.#context.clock.nowMs();
    this.#timer = this.#context.clock.after(Math.max(0, Math.min(waitMs, WAIT_MS_MAX)), this.#wake);
  }

  readonly #wake = (): void => {
    if (this.#phase !== 'running') return;
    const nowMs = this.#context.clock.nowMs();
    const earlyMs = this.#dueMs - nowMs;
    // Timers may be a little early, and the wall clock may have been set back a little.
    // Where it was set back by more than an interval, the old due time means nothing any more.
    if (earlyMs > 0 && earlyMs <= this.#schedule.intervalMs) {
      this.#wait();
      return;
    }
    const timeMs = this.#schedule.timestamp(this.#dueMs, nowMs);
    this.#dueMs = this.#schedule.after(nowMs);
    this.#scraping = this.#scrape(timeMs).finally(this.#scraped);
  };

  readonly #scraped = (): void => {
    this.#scraping = undefined;
    if (this.#phase === 'running') this.#wait();
  };

  // ---- One scrape

  async #scrape(timeMs: number): Promise<void> {
    const { clock } = this.#context;
    const startMs = clock.monotonicMs();
    const lastScrapeMs = clock.nowMs();
    if (this.#lastStartMonotonicMs !== undefined) {
      this.#interval.observe((startMs - this.#lastStartMonotonicMs) / 1000);
    }
    this.#lastStartMonotonicMs = startMs;
    const fetched = this.#forcedError === undefined ? await this.#fetch() : { error: this.#forcedError };
    if (this.#isPhase('stopped')) return;
    const durationSeconds = (clock.monotonicMs() - startMs) / 1000;
    const error = await this.#store(fetched, timeMs, durationSeconds);
    if (this.#isPhase('stopped')) return;
    this.#health = error === undefined ? 'up' : 'down';
    this.#lastError = error ?? '';
    this.#lastScrapeMs = lastScrapeMs;
    this.#shownScrapeMs = lastScrapeMs;
    this.#lastDurationSeconds = durationSeconds;
    if (error !== undefined) this.#logFailure(error);
  }

  /** Brings the body into the sink, or gives the reason why not. */
  async #fetch(): Promise<Fetched | Unfetched> {
    let answer: HttpAnswer;
    try {
      answer = await this.#client.send(this.#request, {
        sink: this.#context.appender.bodySink(this.#handle),
        timeoutMs: this.target.timeoutMs,
        bodyBytesMax: bodyBytesMax(this.#job),
        bodyBytesHint: this.#bodyBytesHint,
      });
    } catch (cause) {
      const isOverBodyLimit = cause instanceof HttpError && cause.code === 'body-limit';
      if (isOverBodyLimit) this.#context.metrics.exceededBodySizeLimit.value++;
      return this.#failed({ error: messageOf(cause), bodyBytes: isOverBodyLimit ? OVER_LIMIT : 0 });
    }
    if (answer.status !== 200) return this.#failed({ error: `server returned HTTP status ${answer.statusText}` });
    const isGzip = answer.headers.get('content-encoding') === 'gzip';
    // An empty page is none, of whichever type: everything has vanished, and nothing is wrong.
    if (answer.bodyBytes === 0 && !isGzip) return { format: 'text', encoding: 'identity', bodyBytes: 0 };
    const { format, error } = formatOf(answer.headers.get('content-type'), this.#job.fallbackScrapeProtocol);
    if (error !== undefined) return { error, bodyBytes: isGzip ? 0 : answer.bodyBytes };
    this.#bodyBytesHint = Math.ceil(answer.bodyBytes * (1 + BODY_BYTES_SLACK));
    return { format, encoding: isGzip ? 'gzip' : 'identity', bodyBytes: answer.bodyBytes };
  }

  /** Hands a body, or the reason why there is none, to the storage. Gives the error of a failed scrape. */
  async #store(fetched: Fetched | Unfetched, timeMs: number, durationSeconds: number): Promise<string | undefined> {
    const { appender, metrics, log } = this.#context;
    try {
      if (fetched.error !== undefined) {
        const { error, bodyBytes = 0 } = fetched;
        await appender.fail(this.#handle, { timeMs, durationSeconds, bodyBytes });
        return error;
      }
      const outcome = await appender.commit(this.#handle, {
        timeMs,
        durationSeconds,
        decodedBytesMax: bodyBytesMax(this.#job),
        format: fetched.format,
        encoding: fetched.encoding,
        bodyBytes: fetched.bodyBytes,
      });
      metrics.count(outcome);
      if (outcome.metadataSize !== undefined && this.#isPhase('running')) this.#noteMetadata(outcome.metadataSize);
      const { error } = outcome;
      // The storage inflates what the target sent: to unpack is to fetch.
      if (error?.reason === 'gzip' || error?.reason === 'body-limit') this.#failed({ error: error.message });
      return error?.message;
    } catch (cause) {
      // The storage as a whole does not answer. Nothing was appended; the next scrape tries again.
      const error = messageOf(cause);
      log.warn('Appending scrape failed', { scrape_pool: this.#job.jobName, target: this.target.url, err: error });
      return error;
    }
  }

  #noteMetadata(size: MetadataSize): void {
    this.#context.metrics.noteMetadata(this.#job.jobName, this.#metadata, size);
    this.#metadata = size;
  }

  /** No page came: to be written where the job says. */
  #failed(unfetched: Unfetched): Unfetched {
    const { jobName: job, scrapeFailureLogFile } = this.#job;
    const { error } = unfetched;
    if (scrapeFailureLogFile !== '') {
      this.#context.failures?.note(scrapeFailureLogFile, { job, target: this.target.url, error });
    }
    return unfetched;
  }

  #logFailure(error: string): void {
    const { log } = this.#context;
    if (log.enabled('debug'))
      log.debug('Scrape failed', { scrape_pool: this.#job.jobName, target: this.target.url, err: error });
  }

  // ---- The end

  async #end(): Promise<void> {
    const { clock, appender } = this.#context;
    this.#client.close();
    let staleTimeMs: number | undefined;
    // What never was scraped has nothing to end.
    if (this.#lastScrapeMs !== undefined) {
      const { intervalMs } = this.#schedule;
      await this.#pause(this.#dueMs - clock.nowMs());
      staleTimeMs = clock.nowMs();
      await this.#pause(intervalMs + intervalMs / 10);
    }
    if (!this.#isPhase('ending')) return;
    this.#phase = 'stopped';
    await appender.close(this.#handle, staleTimeMs);
  }

  /** Resolves when the time has passed or the loop is shut down. */
  #pause(ms: number): Promise<void> {
    if (!this.#isPhase('ending')) return Promise.resolve();
    return new Promise((resolve) => {
      this.#endPause = resolve;
      this.#timer = this.#context.clock.after(Math.max(0, ms), resolve);
    });
  }

  #endPause: (() => void) | undefined;

  async #shutDown(): Promise<void> {
    this.#phase = 'stopped';
    this.#timer?.cancel();
    this.#client.close();
    this.#endPause?.();
    // A commit under way is finished: its memory is lent to the storage.
    await this.#scraping;
    await this.#context.appender.close(this.#handle);
  }

  /** As a method, because the phase changes while we wait, which the compiler does not know. */
  #isPhase(phase: Phase): boolean {
    return this.#phase === phase;
  }
}

interface Unfetched {
  readonly error: string;
  /** Of a page that came and is of no use; 0 where missing. */
  readonly bodyBytes?: number;
}

interface Fetched {
  readonly error?: undefined;
  readonly format: ScrapeFormat;
  readonly encoding: ContentEncoding;
  readonly bodyBytes: number;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function requestOf(target: ScrapeTarget, job: ScrapeJob, userAgent: string): HttpRequest {
  const unixSocket = labelValue(target.internal, '__unix_socket__');
  return {
    url: target.url,
    headers: [
      ['Accept', acceptHeader(job.scrapeProtocols, job.metricNameEscapingScheme)],
      ['Accept-Encoding', job.enableCompression ? 'gzip' : 'identity'],
      ['User-Agent', userAgent],
      ['X-Prometheus-Scrape-Timeout-Seconds', String(target.timeoutMs / 1000)],
    ],
    unixSocket: unixSocket === '' ? undefined : unixSocket,
  };
}
