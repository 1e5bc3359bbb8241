// A storage and a network for scrape loops, without either: what is appended is a list of lines.

import type { Timer } from '../../src/base/clock.js';
import type { HttpAnswer, HttpRequest, HttpSender, SendOptions } from '../../src/base/http.js';
import { HttpError } from '../../src/base/http.js';
import { type Labels, labelsOf } from '../../src/model/labels.js';
import type {
  ScrapeAppender,
  ScrapeCommit,
  ScrapeOutcome,
  TargetHandle,
  TargetOptions,
} from '../../src/scrape/appender.js';
import type { ScrapeJob } from '../../src/scrape/job.js';
import type { ScrapeContext } from '../../src/scrape/loop.js';
import { ScrapeMetrics } from '../../src/scrape/metrics.js';
import type { ScrapeTarget } from '../../src/scrape/target-labels.js';
import { noLog } from '../../src/telemetry/log.js';
import { Registry } from '../../src/telemetry/metrics.js';
import { FakeClock } from './clock.js';
import { TestSink } from './scripted-server.js';

/** Lets everything that waits for promises only go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time goes by in steps, and what was waiting for each step gets on with it. */
export async function pass(clock: FakeClock, ms: number, stepMs = ms): Promise<void> {
  await settle();
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(Math.min(stepMs, ms - passed));
    await settle();
  }
}

/** A clock whose wall time can be set, and whose timers come late. */
export class OddClock extends FakeClock {
  wallOffsetMs = 0;
  lateMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.wallOffsetMs;
  }

  override after(ms: number, action: () => void): Timer {
    return super.after(ms + this.lateMs, action);
  }
}

/** Remembers what it was told: `open 1`, `commit 1 @1000 up 1`, `fail 1 @2000`, `close 1 @3000`. */
export class FakeAppender implements ScrapeAppender {
  readonly log: string[] = [];
  readonly opened: TargetOptions[] = [];
  readonly sinks = new Map<TargetHandle, TestSink>();
  readonly commits: ScrapeCommit[] = [];
  outcome: Partial<ScrapeOutcome> = {};
  broken: Error | undefined;

  /** Times are shown from here on. */
  constructor(readonly epochMs: number) {}

  open(target: TargetOptions): TargetHandle {
    this.opened.push(target);
    const handle = this.opened.length as TargetHandle;
    this.log.push(`open ${handle}`);
    return handle;
  }

  bodySink(target: TargetHandle): TestSink {
    const sink = new TestSink();
    this.sinks.set(target, sink);
    return sink;
  }

  async commit(target: TargetHandle, scrape: ScrapeCommit): Promise<ScrapeOutcome> {
    if (this.broken !== undefined) throw this.broken;
    this.commits.push(scrape);
    this.log.push(
      `commit ${target} @${scrape.timeMs - this.epochMs} ${this.sinks.get(target)!.text(scrape.bodyBytes)}`,
    );
    const nothing = { scraped: 1, postRelabel: 1, seriesAdded: 0, decodedBytes: scrape.bodyBytes };
    return { ...nothing, duplicates: 0, outOfOrder: 0, outOfBounds: 0, lateExemplars: 0, ...this.outcome };
  }

  async fail(target: TargetHandle, { timeMs }: { timeMs: number }): Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    this.log.push(`fail ${target} @${timeMs - this.epochMs}`);
  }

  async close(target: TargetHandle, staleTimeMs?: number): Promise<void> {
    this.log.push(`close ${target}${staleTimeMs === undefined ? '' : ` @${staleTimeMs - this.epochMs}`}`);
  }

  /** What was logged since the last call. */
  take(): string[] {
    return this.log.splice(0);
  }
}

export interface FakeAnswer {
  readonly statusText?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  /** Fails instead. */
  readonly error?: HttpError;
  /** Answers that much later. */
  readonly delayMs?: number;
}

/** Answers every request with `answer`; a slow answer can be ended by close. */
export class FakeSender implements HttpSender {
  answer: FakeAnswer = {};
  readonly requests: { request: HttpRequest; options: SendOptions }[] = [];
  #abort: ((reason: HttpError) => void) | undefined;

  constructor(readonly clock: FakeClock) {}

  async send(request: HttpRequest, options: SendOptions): Promise<HttpAnswer> {
    this.requests.push({ request, options });
    const {
      statusText = '200 OK',
      headers = [['content-type', 'text/plain; version=0.0.4']],
      body = 'up 1',
      error,
      delayMs,
    } = this.answer;
    if (delayMs !== undefined) {
      await new Promise<void>((resolve, reject) => {
        this.#abort = reject;
        this.clock.after(delayMs, resolve);
      });
    }
    if (error !== undefined) throw error;
    const bytes = Buffer.from(body);
    options.sink.reserve(bytes.length, 0)!.set(bytes);
    return { status: Number.parseInt(statusText, 10), statusText, headers: new Map(headers), bodyBytes: bytes.length };
  }

  close(): void {
    this.#abort?.(new HttpError('aborted', 'context canceled'));
  }
}

export interface TestScrape extends ScrapeContext {
  readonly clock: FakeClock;
  readonly appender: FakeAppender;
  readonly registry: Registry;
  /** One for each target, in the order they were made. */
  readonly senders: FakeSender[];
}

export function testScrape(clock: FakeClock): TestScrape {
  const senders: FakeSender[] = [];
  const registry = new Registry(clock);
  return {
    clock,
    registry,
    senders,
    appender: new FakeAppender(clock.nowMs()),
    connect: () => {
      const sender = new FakeSender(clock);
      senders.push(sender);
      return sender;
    },
    metrics: new ScrapeMetrics(registry),
    log: noLog,
    seed: 7,
    userAgent: 'Narthex/test',
  };
}

export function testJob(given: Partial<ScrapeJob> = {}): ScrapeJob {
  return {
    jobName: 'node',
    scrapeIntervalMs: 10_000,
    scrapeTimeoutMs: 5_000,
    metricsPath: '/metrics',
    scheme: 'http',
    params: new Map(),
    relabelConfigs: [],
    metricNameValidationScheme: 'utf8',
    honorLabels: false,
    honorTimestamps: true,
    scrapeNativeHistograms: false,
    alwaysScrapeClassicHistograms: false,
    convertClassicHistogramsToNhcb: false,
    nativeHistogramBucketLimit: 0,
    nativeHistogramMinBucketFactor: 0,
    trackTimestampsStaleness: false,
    scrapeProtocols: ['OpenMetricsText1.0.0', 'OpenMetricsText0.0.1', 'PrometheusText1.0.0', 'PrometheusText0.0.4'],
    fallbackScrapeProtocol: '',
    metricNameEscapingScheme: 'allow-utf-8',
    enableCompression: true,
    metricRelabelConfigs: [],
    extraScrapeMetrics: false,
    scrapeFailureLogFile: '',
    bodySizeLimitBytes: 0,
    sampleLimit: 0,
    labelLimit: 0,
    labelNameLengthLimitBytes: 0,
    labelValueLengthLimitBytes: 0,
    targetLimit: 0,
    keepDroppedTargets: 0,
    ...given,
  };
}

/** A target of a job, as relabeling leaves it. */
export function testTarget(address = 'a:9100', given: Partial<ScrapeTarget> = {}): ScrapeTarget {
  const labels: Labels = labelsOf([
    ['instance', address],
    ['job', 'node'],
  ]);
  return {
    kind: 'target',
    discovered: labelsOf([['__address__', address]]),
    internal: labelsOf([
      ['__address__', address],
      ['instance', address],
      ['job', 'node'],
    ]),
    labels,
    url: `http://${address}/metrics`,
    intervalMs: 10_000,
    timeoutMs: 5_000,
    ...given,
  };
}
