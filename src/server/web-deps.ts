// The server's parts in the words of the web.

import { NATIVE_DELTA } from '../cli/features.js';
import type { Flags } from '../cli/flags.js';
import { renderJob } from '../config/render.js';
import type { ScrapeConfig } from '../config/scrape.js';
import type { OtlpConfig } from '../config/storage.js';
import { parseDuration } from '../model/duration.js';
import type { Labels } from '../model/labels.js';
import type { QueryEngine } from '../query/engine.js';
import { federatedExpression } from '../query/federate-expressions.js';
import type { ShardStorage } from '../query/storage.js';
import { RemoteReads } from '../remote/reads.js';
import type { ScrapeManager } from '../scrape/manager.js';
import { SlotSink } from '../scrape/shard-appender.js';
import { ShardError, ShardTrap, ShardUnavailable } from '../shard/client.js';
import { IngestRefused, REMOTE_WRITE } from '../shard/ingest.js';
import { NotDurable } from '../shard/log-thread.js';
import type { OtlpOptions } from '../shard/otlp/translate.js';
import type { Outcome, WriteForm, WriteReply } from '../shard/protocol.js';
import type { Shards } from '../shard/shards.js';
import type { Logger } from '../telemetry/log.js';
import type { Counter, Registry } from '../telemetry/metrics.js';
import { formatMeta } from '../tsdb/block/meta.js';
import { policiesOf } from '../tsdb/downsample/read-policies.js';
import type * as web from '../web/deps.js';
import { Poison } from './poison.js';
import type { Storage } from './storage/storage.js';

/** Seconds after which a sender that was turned away may come again. */
const RETRY_SECONDS = 5;

/** Senders do not repeat what is bad. */
const POISONOUS: web.WriteOutcome = {
  kind: 'bad',
  message: 'this request has ended a shard twice: it is not tried again',
};

/** Most bytes of one compressed remote write. */
const WRITE_BYTES_MAX = 16 * 2 ** 20;
/** The same of an export, which may come as it is. */
const OTLP_BYTES_MAX = 32 * 2 ** 20;

export function storageDeps(storage: ShardStorage, head: Storage, engine: QueryEngine): web.Storage {
  const finite = (timeMs: number) => (Number.isFinite(timeMs) ? timeMs : undefined);
  return {
    labelNames: (query) => storage.labelNames(query),
    labelValues: (name, query) => storage.labelValues(name, query),
    series: (query) => storage.series(query),
    exemplars: (query) => storage.exemplars({ ...query, limit: 0 }),
    async *federate({ escaping, expressions, ...question }) {
      const { nowMs, format, signal } = question;
      const utf8 = escaping === 'allow-utf-8';
      const style = storage.federateStyle(format, utf8);
      const evaluate = (text: string) => engine.instant(text, nowMs, { signal });
      const results: Uint8Array[] = [];
      for (const one of expressions) results.push(await federatedExpression(one, evaluate, style));
      yield* storage.federate({ ...question, utf8 });
      for (const result of results) if (result.length > 0) yield result;
    },
    blocks: () => head.blocks.blocks.map(({ meta }) => formatMeta(meta, '')),
    stats: async (limit) => ({
      ...(await storage.stats(limit)),
      minTimeMs: finite(head.oldestMs),
      maxTimeMs: finite(head.ingest.newestMs),
    }),
  };
}

export interface TargetsShown {
  readonly manager: ScrapeManager;
  readonly storage: Storage;
  /** Those of the configuration in use. */
  jobs(): readonly ScrapeConfig[];
  /** A target's URL as others can reach it. */
  globalUrl(url: string): string;
}

export function targetDeps({ manager, storage, jobs, globalUrl }: TargetsShown): web.Targets {
  return {
    *active() {
      for (const { active } of manager.status) {
        for (const target of active) {
          yield {
            discovered: target.discoveredLabels,
            labels: target.labels,
            pool: target.scrapePool,
            url: target.scrapeUrl,
            globalUrl: globalUrl(target.scrapeUrl),
            lastError: target.lastError,
            lastScrapeMs: target.lastScrapeMs,
            lastScrapeSeconds: target.lastScrapeDurationSeconds,
            health: target.health,
            intervalMs: parseDuration(target.scrapeInterval),
            timeoutMs: parseDuration(target.scrapeTimeout),
          };
        }
      }
    },
    *dropped() {
      for (const { scrapePool, dropped } of manager.status)
        for (const discovered of dropped) yield { discovered, pool: scrapePool };
    },
    droppedCounts: () => new Map(manager.status.map(({ scrapePool, droppedCount }) => [scrapePool, droppedCount])),
    pools: () => manager.status.map(({ scrapePool }) => scrapePool),
    configOf: (pool) => {
      const job = jobs().find(({ jobName }) => jobName === pool);
      return (
        job && {
          yaml: renderJob(job),
          relabelRules: job.relabelConfigs,
          nameScheme: job.metricNameValidationScheme,
        }
      );
    },
    metadata: async (metric) => {
      const shares = await Promise.all(
        storage.shards.handles.map(({ client }) => client.call('metadata', { metric }, 'rules')),
      );
      const ofTargets = shares.flatMap(({ entries }) => entries.flatMap(({ metadata }) => metadata));
      return [...ofTargets, ...shares.flatMap(({ families }) => families)];
    },
    metadataByTarget: async (metric) => {
      const shares = await Promise.all(
        storage.shards.handles.map(({ client }) => client.call('metadata', { metric }, 'rules')),
      );
      const known = new Map(
        shares.flatMap(({ entries }) => entries.map(({ target, metadata }) => [target, metadata] as const)),
      );
      return manager.status.flatMap(({ active }) =>
        active.flatMap(({ handle, labels }) => {
          const metadata = known.get(handle);
          return metadata === undefined ? [] : [{ labels, metadata }];
        }),
      );
    },
  };
}

export function adminDeps(storage: Storage, backfillRules: web.Admin['backfillRules']): web.Admin {
  return {
    backfillRules,
    deleteSeries: (selectors, startMs, endMs) =>
      storage.deletion.run(
        selectors.map((matchers) => [...matchers]),
        startMs,
        endMs,
      ),
    snapshot: (skipHead) => storage.snapshots.make(skipHead),
    snapshots: () => storage.snapshots.list(),
    removeSnapshot: (name) => storage.snapshots.remove(name),
    cleanTombstones: () => storage.keeping.clean(),
    previewPolicies: async (text) => {
      if (text === '') return storage.keeping.preview();
      return storage.keeping.preview(policiesOf(text, 'the policies of the request'));
    },
    importSamples: async (kind, body) => {
      const { samples, blocks, conflicts, example } = await storage.importing.run(kind, body);
      const listed = blocks.map(({ ulid, minTimeMs: minTime, maxTimeMs: maxTime, stats }) => {
        return { ulid, minTime, maxTime, series: stats.series, samples: stats.samples };
      });
      return { samples, blocks: listed, conflicts, example };
    },
  };
}

export interface ReadsShown {
  readonly shards: Shards;
  readonly engine: QueryEngine;
  readonly flags: Flags;
  readonly registry: Registry;
  readonly log: Logger;
  externalLabels(): Labels;
}

/** What remote reads hold counts as memory of queries. */
export function readDeps({
  shards,
  engine,
  flags,
  registry,
  log,
  externalLabels,
}: ReadsShown): web.WebDeps['remoteRead'] {
  const reads = new RemoteReads({
    ...{ shards, externalLabels, memory: () => engine.openMemory() },
    limits: {
      samplesMax: flags.remoteReadSampleLimit,
      readsMax: flags.remoteReadConcurrentLimit,
      frameBytes: flags.remoteReadFrameBytes,
    },
    queries: registry.gauge(
      'prometheus_remote_read_handler_queries',
      'The current number of remote read queries that are either in execution or queued on the handler.',
    ),
    warn: (message) => log.warn('Warnings on remote read query', { err: message }),
  });
  return (body, gone, answer) => reads.read(body, gone, answer);
}

/** Where bodies of writes go. */
class WriteSlots {
  readonly #storage: Storage;
  readonly #startTimes: boolean;
  readonly #nowMs: () => number;
  readonly #poison = new Poison();
  #turn = 0;

  /** `startTimes`: those of remote write 2.0 are taken. */
  constructor(storage: Storage, startTimes: boolean, nowMs: () => number) {
    this.#storage = storage;
    this.#startTimes = startTimes;
    this.#nowMs = nowMs;
  }

  /** They go to the shards in turn: any of them can parse any body. */
  open() {
    const storage = this.#storage;
    const shard = this.#turn++ % storage.shards.count;
    const sink = new SlotSink(storage.shards.shard(shard).slots);
    return {
      reserve: (bytes: number) => sink.reserve(bytes, 0),
      drop: () => sink.release(),
      store: async (
        bytes: number,
        form: WriteForm,
        onReply?: (reply: WriteReply) => void,
      ): Promise<web.WriteOutcome> => {
        const body = sink.body(bytes);
        try {
          if (body !== undefined && this.#poison.refuses(body)) return POISONOUS;
          const span = { address: sink.address, bytes };
          const reply = await storage.ingest.write(shard, span, this.#nowMs(), form, this.#startTimes);
          const { refusedSeries } = reply.outcome;
          if (refusedSeries > 0) storage.refused.note(REMOTE_WRITE, refusedSeries);
          onReply?.(reply);
          return { ...outcomeOf(reply, form), written: writtenOf(reply.outcome) };
        } catch (error) {
          if (body !== undefined && error instanceof ShardTrap) this.#poison.blame(body);
          return faultOf(error);
        } finally {
          sink.release();
        }
      },
    };
  }
}

/** `startTimes`: those of version 2.0 are taken. */
export function writeDeps(
  storage: Storage,
  messages: readonly string[],
  startTimes: boolean,
  nowMs: () => number,
): web.RemoteWrite {
  const slots = new WriteSlots(storage, startTimes, nowMs);
  return { messages, bodyBytesMax: WRITE_BYTES_MAX, open: () => slots.open() };
}

/** What of exports is left out is counted, and logged. */
export function otlpDeps(
  storage: Storage,
  options: () => OtlpOptions,
  { nowMs, log, leftOut }: { nowMs: () => number; log: Logger; leftOut: Counter },
): web.OtlpReceiver {
  const slots = new WriteSlots(storage, false, nowMs);
  const tell = ({ leftOut: faults = [] }: WriteReply) => {
    if (faults.length === 0) return;
    leftOut.value += faults.length;
    log.warn('Error translating OTLP metrics to Prometheus write request', { err: faults[0], count: faults.length });
  };
  return {
    bodyBytesMax: OTLP_BYTES_MAX,
    open(coding) {
      const slot = slots.open();
      return { ...slot, store: (bytes) => slot.store(bytes, { ...coding, options: options() }, tell) };
    },
  };
}

/** What the configuration and features make of exports. */
export function otlpOptions(config: OtlpConfig, features: readonly string[]): OtlpOptions {
  const { translationStrategy: strategy } = config;
  return {
    withSuffixes: strategy === 'UnderscoreEscapingWithSuffixes' || strategy === 'NoUTF8EscapingWithSuffixes',
    escaped: strategy === 'UnderscoreEscapingWithSuffixes' || strategy === 'UnderscoreEscapingWithoutSuffixes',
    customBuckets: config.convertHistogramsToNhcb,
    deltas: features.includes(NATIVE_DELTA),
    prefixesUnderscore: config.labelNameUnderscoreSanitization,
    preservesUnderscores: config.labelNamePreserveMultipleUnderscores,
    promotesAll: config.promoteAllResourceAttributes,
    promoted: config.promoteAllResourceAttributes ? config.ignoreResourceAttributes : config.promoteResourceAttributes,
    promotesScope: config.promoteScopeMetadata,
    keepsIdentifying: config.keepIdentifyingResourceAttributes,
  };
}

function outcomeOf(reply: WriteReply, version: WriteForm): web.WriteVerdict {
  if (reply.malformed) return { kind: 'bad', message: reply.error ?? 'malformed request' };
  const { outcome } = reply;
  if (outcome.refusedSeries > 0 || outcome.noMemory > 0) {
    return {
      kind: 'busy',
      message: 'the memory limit is reached: new series are refused',
      retryAfterSeconds: RETRY_SECONDS,
    };
  }
  const refused = refusedSamples(outcome);
  if (refused > 0)
    return { kind: 'bad', message: `${outcome.firstRefused} (${refused} samples refused, the others stored)` };
  if (reply.invalidSeries > 0) {
    return { kind: 'bad', message: `${reply.error} (${reply.invalidSeries} series refused, the others stored)` };
  }
  // Senders of 1.0 are not told of exemplars.
  if (version === 2 && outcome.exemplarsLate > 0) {
    return { kind: 'bad', message: `out of order exemplar (${outcome.exemplarsLate} refused, the others stored)` };
  }
  return { kind: 'stored' };
}

function writtenOf({ accepted, repeated, histograms, exemplars, exemplarsRepeated }: Outcome): web.Written {
  return { samples: accepted + repeated - histograms, histograms, exemplars: exemplars + exemplarsRepeated };
}

function refusedSamples({ outOfOrder, duplicate, tooOld, tooFar }: Outcome): number {
  return outOfOrder + duplicate + tooOld + tooFar;
}

function faultOf(error: unknown): web.WriteOutcome {
  const message = error instanceof Error ? error.message : String(error);
  const isPassing =
    error instanceof IngestRefused ||
    error instanceof NotDurable ||
    error instanceof ShardUnavailable ||
    (error instanceof ShardError && error.kind === 'memory');
  return isPassing ? { kind: 'busy', message, retryAfterSeconds: RETRY_SECONDS } : { kind: 'failed', message };
}
