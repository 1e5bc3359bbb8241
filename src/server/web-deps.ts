// The server's parts in the words of the web.

import type { Flags } from '../cli/flags.js';
import { renderJob } from '../config/render.js';
import type { ScrapeConfig } from '../config/scrape.js';
import { parseDuration } from '../model/duration.js';
import type { Labels } from '../model/labels.js';
import type { QueryEngine } from '../query/engine.js';
import type { ShardStorage } from '../query/storage.js';
import { RemoteReads } from '../remote/reads.js';
import type { ScrapeManager } from '../scrape/manager.js';
import { SlotSink } from '../scrape/shard-appender.js';
import { ShardError, ShardTrap, ShardUnavailable } from '../shard/client.js';
import { IngestRefused, REMOTE_WRITE } from '../shard/ingest.js';
import { NotDurable } from '../shard/log-thread.js';
import type { Outcome, WriteReply, WriteVersion } from '../shard/protocol.js';
import type { Shards } from '../shard/shards.js';
import type { Logger } from '../telemetry/log.js';
import type { Registry } from '../telemetry/metrics.js';
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

export function storageDeps(storage: ShardStorage, head: Storage): web.Storage {
  const finite = (timeMs: number) => (Number.isFinite(timeMs) ? timeMs : undefined);
  return {
    labelNames: (query) => storage.labelNames(query),
    labelValues: (name, query) => storage.labelValues(name, query),
    series: (query) => storage.series(query),
    exemplars: (query) => storage.exemplars({ ...query, limit: 0 }),
    federate: ({ escaping, ...question }) => storage.federate({ ...question, utf8: escaping === 'allow-utf-8' }),
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

export function adminDeps(storage: Storage): web.Admin {
  return {
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

/** Remote writes go to the shards in turn: any of them can parse any body. `startTimes`: those of version 2.0 are taken. */
export function writeDeps(
  storage: Storage,
  messages: readonly string[],
  startTimes: boolean,
  nowMs: () => number,
): web.RemoteWrite {
  let turn = 0;
  const poison = new Poison();
  return {
    messages,
    bodyBytesMax: WRITE_BYTES_MAX,
    open(): web.WriteSlot {
      const shard = turn++ % storage.shards.count;
      const sink = new SlotSink(storage.shards.shard(shard).slots);
      return {
        reserve: (bytes) => sink.reserve(bytes, 0),
        drop: () => sink.release(),
        async store(bytes, version) {
          const body = sink.body(bytes);
          try {
            if (body !== undefined && poison.refuses(body)) return POISONOUS;
            const span = { address: sink.address, bytes };
            const reply = await storage.ingest.write(shard, span, nowMs(), version, startTimes);
            const { refusedSeries } = reply.outcome;
            if (refusedSeries > 0) storage.refused.note(REMOTE_WRITE, refusedSeries);
            return { ...outcomeOf(reply, version), written: writtenOf(reply.outcome) };
          } catch (error) {
            if (body !== undefined && error instanceof ShardTrap) poison.blame(body);
            return faultOf(error);
          } finally {
            sink.release();
          }
        },
      };
    },
  };
}

function outcomeOf(reply: WriteReply, version: WriteVersion): web.WriteVerdict {
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
