// The composition root: makes the parts, joins them, and ends them in order.

import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { HttpClient } from '../base/http.js';
import { hostname, memoryBytes, openFilesMax, processors } from '../base/machine.js';
import { featureRemarks, queryFeatures, SEARCH_API, scrapeFeatures, storageFeatures } from '../cli/features.js';
import { type Flags, flagList } from '../cli/flags.js';
import { type LoadedConfig, loadConfig, pendingSections } from '../config/load.js';
import { renderConfig } from '../config/render.js';
import type { DiscoveryManager } from '../discovery/manager.js';
import { type Labels, labelsOf } from '../model/labels.js';
import { ShardStorage } from '../query/storage.js';
import type { DryRunParts } from '../rules/dry-run/dry-run.js';
import type { GroupSpec } from '../rules/spec.js';
import { discoveryJobOf, jobEntryOf } from '../scrape/config.js';
import { FailureLogs } from '../scrape/failure-log.js';
import { serverSeed } from '../scrape/hash.js';
import { ScrapeManager } from '../scrape/manager.js';
import { ScrapeMetrics } from '../scrape/metrics.js';
import { ShardAppender } from '../scrape/shard-appender.js';
import { renderMetrics } from '../telemetry/exposition.js';
import type { Logger } from '../telemetry/log.js';
import { Registry } from '../telemetry/metrics.js';
import { registerProcess } from '../telemetry/process.js';
import type { Retention } from '../tsdb/compact/retention.js';
import type { Policies } from '../tsdb/downsample/policies.js';
import { DirectoryLock } from '../tsdb/lock.js';
import { PAGE_BYTES } from '../tsdb/wal/page.js';
import { SHARDS_MAX } from '../wasm/exposition.js';
import { READERS_MAX } from '../wasm/query.js';
import { externalUrlOf, globalUrl, parseListenAddress, routePrefixOf } from '../web/address.js';
import { createApp } from '../web/app.js';
import type { Admin, WebDeps } from '../web/deps.js';
import type { Door } from '../web/door.js';
import { openDoor } from '../web/listen.js';
import { openAccess, type WebAccess } from './access.js';
import { backfill } from './backfill.js';
import { consoleDeps } from './consoles.js';
import { discoveryTools, startDiscovery } from './discovery.js';
import { featureList } from './feature-list.js';
import { StorageMetrics } from './metrics.js';
import { CONFIG_FAILED, Notices, SHUTTING_DOWN, STARTING_UP } from './notices.js';
import { Notifying } from './notifier.js';
import { loadPolicies, rewriteSettings } from './policies.js';
import { openQueries, type Queries } from './queries.js';
import { retentionOf, retentionText } from './retention.js';
import { loadRules, openRules, type Rules, ruleDeps, specOptions } from './rules.js';
import { Storage } from './storage/storage.js';
import { adminDeps, otlpDeps, otlpOptions, readDeps, storageDeps, targetDeps, writeDeps } from './web-deps.js';

/** Of the files that the process may have open, what connections leave; half where that is less. */
const FILES_KEPT = 256;
/** Blocks are not looked at more often, whatever the flag says. */
const BLOCK_LOOK_MIN_MS = 1000;

export interface ServerOptions {
  readonly flags: Flags;
  readonly version: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the process in good order: called by /-/quit. */
  readonly quit: () => void;
  /** Ends the process in as good order as is left, with an exit code that tells. */
  readonly fail: (reason: Error) => void;
}

/** Exemplars that are kept where the configuration says nothing. */
const EXEMPLARS_MAX = 100_000;

/** Requests under way get this long at the end. */
const GRACE_MS = 2000;

/** One shard a core, except where so few cores would only take turns. */
function shardCount(flags: Flags): number {
  if (flags.shards > 0) return flags.shards;
  const cores = processors();
  return cores <= 2 ? 1 : Math.min(cores, SHARDS_MAX);
}

/** Cores that are left when each shard has one. */
function readerCount(flags: Flags): number {
  if (flags.queryReaders >= 0) return flags.queryReaders;
  return Math.min(Math.max(Math.floor(processors() / shardCount(flags)) - 1, 0), READERS_MAX);
}

export class Server {
  readonly #options: ServerOptions;
  readonly #registry: Registry;
  readonly #startMs: number;
  /** Where others see us. */
  readonly #externalUrl: URL;
  #loaded: LoadedConfig;
  #policies: Policies;
  #configOk = true;
  #configMs: number;
  #state: 'starting' | 'ready' | 'stopping' = 'starting';
  #lock: DirectoryLock | undefined;
  #storage: Storage | undefined;
  #discovery: DiscoveryManager | undefined;
  #scraping: ScrapeManager | undefined;
  #queries: Queries | undefined;
  #ruleGroups: readonly GroupSpec[];
  #rules: Rules | undefined;
  /** Who may come in, where a file says so. */
  readonly #access: WebAccess | undefined;
  #notifying: Notifying | undefined;
  readonly #notices: Notices;
  #doors: Door[] = [];

  private constructor(options: ServerOptions, loaded: LoadedConfig, policies: Policies) {
    this.#options = options;
    this.#loaded = loaded;
    this.#policies = policies;
    const { webExternalUrl, webListenAddresses } = options.flags;
    this.#externalUrl = externalUrlOf(webExternalUrl, webListenAddresses[0]!, hostname());
    this.#ruleGroups = loadRules(loaded, options);
    this.#startMs = options.clock.nowMs();
    this.#configMs = this.#startMs;
    this.#registry = new Registry(options.clock);
    registerProcess(this.#registry, options.disk, options.clock);
    this.#registerOwn();
    this.#access = openAccess(options, this.#registry);
    this.#notices = new Notices(options.clock, options.flags.webMaxNotificationsSubscribers);
  }

  /** Reads the configuration; throws ConfigError, and another error where the file about the web is bad. Nothing runs before start(). */
  static create(options: ServerOptions): Server {
    const { disk, flags } = options;
    const defaults = scrapeFeatures(flags.enableFeature).defaults;
    return new Server(
      options,
      loadConfig(flags.configFile, { disk, defaults }),
      loadPolicies(disk, flags.storagePoliciesFile),
    );
  }

  /**
   * Resolves when the server is ready, or when stop() was called meanwhile. Rejects with DirectoryInUse,
   * and with what opening files and ports may throw; all is closed again then.
   */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      // What stop() took away under the replay is no failure.
      if (this.#state === 'stopping') return;
      await this.stop();
      throw error;
    }
  }

  /** Ends everything in order: no new requests, scrapes end, the log is safe, the directory is free. */
  async stop(): Promise<void> {
    if (this.#state === 'stopping') return;
    this.#state = 'stopping';
    this.#notices.add(SHUTTING_DOWN);
    this.#notices.close();
    this.#discovery?.stop();
    await this.#rules?.stop();
    await Promise.all([this.#scraping?.stop(), this.#notifying?.stop()]);
    await Promise.all(this.#doors.map((door) => door.close(GRACE_MS)));
    await this.#access?.close();
    await this.#queries?.evaluators?.close();
    await this.#storage?.close();
    this.#lock?.release();
  }

  /** Takes the configuration file as it is now; throws ConfigError, and then nothing has changed. */
  reload(): void {
    const { flags, disk, clock, log } = this.#options;
    try {
      const policies = loadPolicies(disk, flags.storagePoliciesFile);
      const defaults = scrapeFeatures(flags.enableFeature).defaults;
      const loaded = loadConfig(flags.configFile, { disk, defaults });
      this.#ruleGroups = loadRules(loaded, this.#options);
      this.#loaded = loaded;
      this.#policies = policies;
    } catch (error) {
      this.#configOk = false;
      this.#notices.add(CONFIG_FAILED);
      log.error('Error reloading config', { err: error as Error });
      throw error;
    }
    this.#configOk = true;
    this.#notices.remove(CONFIG_FAILED);
    this.#configMs = clock.nowMs();
    this.#storage?.keeping.setRetention(this.#retention);
    this.#storage?.shards.exemplars.setMax(this.#exemplarsMax);
    this.#storage?.keeping.setSettings(rewriteSettings(this.#loaded.config.storage, this.#policies));
    this.#storage?.setLateWindow(this.#lateWindowMs);
    if (this.#state === 'ready') this.#applyJobs();
    log.info('Completed loading of configuration file', { filename: flags.configFile });
  }

  async #start(): Promise<void> {
    const { flags, disk, clock, log } = this.#options;
    for (const { level, message, option } of featureRemarks(flags.enableFeature)) log[level](message, { option });
    this.#notices.add(STARTING_UP);
    disk.makeFolder(flags.storagePath);
    if (!flags.storageNoLockfile) {
      this.#lock = DirectoryLock.take({ disk, folder: flags.storagePath, pid: process.pid, nowMs: this.#startMs });
    }
    const storage = await Storage.open(disk, clock, log, {
      path: flags.storagePath,
      shards: shardCount(flags),
      readers: readerCount(flags),
      memoryBytes: this.#memoryLimitBytes,
      queryBytes: flags.queryMaxMemory,
      chunkCacheBytes: flags.storageChunkCache,
      sync:
        flags.storageWalSync.kind === 'interval'
          ? { mode: 'interval', intervalMs: flags.storageWalSync.intervalMs }
          : { mode: flags.storageWalSync.kind },
      segmentBytes: Math.floor(flags.storageWalSegmentBytes / PAGE_BYTES) * PAGE_BYTES,
      blockMs: flags.storageMinBlockMs,
      blockMaxMs: flags.storageMaxBlockMs,
      blockLookMs: Math.max(BLOCK_LOOK_MIN_MS, flags.storageBlockReloadMs),
      retention: this.#retention,
      metadataRecords: storageFeatures(flags.enableFeature).metadataRecords,
      settings: rewriteSettings(this.#loaded.config.storage, this.#policies),
      lateWindowMs: this.#lateWindowMs,
      onHopeless: (reason) => {
        log.error('Giving up', { err: reason });
        this.#options.fail(reason);
      },
    });
    this.#storage = storage;
    if (this.#state === 'stopping') return storage.close();
    storage.shards.exemplars.setMax(this.#exemplarsMax);
    const shardStorage = new ShardStorage(storage.shards, () => this.#externalLabels, flags.queryLookbackDeltaMs);
    const queries = openQueries({
      log,
      flags,
      clock,
      registry: this.#registry,
      shards: storage.shards,
      memoryLimitBytes: this.#memoryLimitBytes,
      subqueryStepMs: this.#loaded.config.global.evaluationIntervalMs,
    });
    this.#queries = queries;
    const metrics = new StorageMetrics(this.#registry, storage, log);
    const scraping = this.#startScraping(storage);
    this.#scraping = scraping;
    const tools = discoveryTools(this.#options, this.#registry);
    this.#discovery = startDiscovery('scrape', { log, tools }, (job, groups) => scraping.setTargets(job, groups));
    const notifying = new Notifying(this.#options, this.#registry, tools);
    this.#notifying = notifying;
    const rules = openRules(this.#options, {
      registry: this.#registry,
      engine: queries.engine,
      ingest: storage.ingest,
      alerts: notifying.notifier,
      externalUrl: this.#externalUrl.href.replace(/\/+$/, ''),
      externalLabels: () => this.#externalLabels,
      queryOffsetMs: () => this.#loaded.config.global.ruleQueryOffsetMs,
    });
    this.#rules = rules;
    const dryRunParts: DryRunParts = {
      engine: queries.engine,
      clock,
      lookbackMs: flags.queryLookbackDeltaMs,
      externalUrl: this.#externalUrl.href.replace(/\/+$/, ''),
      externalLabels: () => this.#externalLabels,
      queryOffsetMs: () => this.#loaded.config.global.ruleQueryOffsetMs,
    };
    const backfillRules: Admin['backfillRules'] = (startMs, endMs, signal) => {
      const groups = rules.manager.groups.map(({ spec }) => spec);
      const importText = (body: ArrayBuffer) => storage.importing.run('openmetrics', body);
      return backfill({ groups, startMs, endMs, signal }, dryRunParts, importText);
    };
    await this.#openDoors({
      clock,
      log,
      metrics: this.#registry,
      query: queries.engine,
      language: queryFeatures(flags.enableFeature).parse,
      storage: storageDeps(shardStorage, storage, queries.engine),
      targets: targetDeps({
        manager: scraping,
        storage,
        jobs: () => this.#loaded.jobs,
        globalUrl: (url) => this.#toGlobal(url),
      }),
      rules: ruleDeps(rules.manager, dryRunParts, () => specOptions(this.#loaded, this.#options)),
      status: this.#statusDeps(),
      alertmanagers: () => notifying.notifier,
      consoles: consoleDeps({
        disk,
        templatesFolder: flags.webConsoleTemplates,
        librariesFolder: flags.webConsoleLibraries,
        engine: queries.engine,
        nowMs: () => clock.nowMs(),
        externalUrl: this.#externalUrl.href.replace(/\/+$/, ''),
        externalLabels: () => this.#externalLabels,
      }),
      ...(flags.webEnableRemoteWriteReceiver
        ? {
            remoteWrite: writeDeps(
              storage,
              flags.webRemoteWriteMessages,
              scrapeFeatures(flags.enableFeature).startTimes,
              () => clock.nowMs(),
            ),
          }
        : {}),
      ...(flags.webEnableOtlpReceiver
        ? {
            otlp: otlpDeps(storage, () => otlpOptions(this.#loaded.config.otlp, flags.enableFeature), {
              nowMs: () => clock.nowMs(),
              log,
              leftOut: this.#registry.counter(
                'prometheus_api_otlp_translation_warnings_total',
                'What of OTLP exports could not be translated: metrics, data points and exemplars.',
              ),
            }),
          }
        : {}),
      remoteRead: readDeps({
        shards: storage.shards,
        engine: queries.engine,
        flags,
        registry: this.#registry,
        log,
        externalLabels: () => this.#externalLabels,
      }),
      ...(flags.webEnableLifecycle
        ? { lifecycle: { reload: async () => this.reload(), quit: this.#options.quit } }
        : {}),
      ...(flags.webEnableAdminApi ? { admin: adminDeps(storage, backfillRules) } : {}),
      readiness: () => this.#state,
      metricsPage: async () => {
        // During the replay the shards have no time for questions.
        if (this.#state === 'ready') await metrics.refresh(() => shardStorage.counters());
        return renderMetrics(this.#registry);
      },
      selfMetrics: async () => {
        if (this.#state === 'ready') await metrics.refresh(() => shardStorage.counters());
        return this.#registry.families();
      },
      notifications: this.#notices,
      searchEnabled: flags.enableFeature.includes(SEARCH_API),
    });
    await storage.replay();
    if (this.#state !== 'starting') return;
    this.#state = 'ready';
    this.#notices.remove(STARTING_UP);
    this.#applyJobs();
    log.info('Server is ready to receive web requests.', { shards: storage.shards.count });
  }

  /** The shards collect the garbage of their threads, which sleep between tasks. */
  collectGarbage(): void {
    for (const { client } of this.#storage?.shards.handles ?? []) {
      client.call('collectGarbage', {}, 'adhoc').catch(() => {});
    }
  }

  get #retention(): Retention {
    return retentionOf(this.#loaded.config.storage, this.#options.flags);
  }

  /** How many exemplars are kept: none without the feature. */
  get #exemplarsMax(): number {
    if (!storageFeatures(this.#options.flags.enableFeature).exemplars) return 0;
    return Math.max(0, this.#loaded.config.storage?.exemplars?.max ?? EXEMPLARS_MAX);
  }

  get #lateWindowMs(): number {
    return this.#loaded.config.storage?.tsdb?.outOfOrderTimeWindowMs ?? 0;
  }

  /** What --storage.memory-limit comes to here. */
  get #memoryLimitBytes(): number {
    const limit = this.#options.flags.storageMemoryLimit;
    return limit.kind === 'bytes' ? limit.bytes : limit.share * memoryBytes(this.#options.disk);
  }

  #startScraping(storage: Storage): ScrapeManager {
    const { flags, disk, clock, log, version } = this.#options;
    const { startTimes } = scrapeFeatures(flags.enableFeature);
    const onRefusal = (job: string, series: number) => storage.refused.note(job, series);
    const appender = new ShardAppender(storage.shards, storage.ingest, onRefusal, startTimes);
    storage.onShardBack = (shard) => appender.reopen(shard);
    return new ScrapeManager({
      clock,
      appender,
      connect: (http) => new HttpClient(http, clock),
      metrics: new ScrapeMetrics(this.#registry),
      log,
      failures: new FailureLogs(disk, clock, log),
      seed: serverSeed(hostname(), this.#externalLabels),
      userAgent: `Narthex/${version}`,
      timestampToleranceMs: flags.scrapeAdjustTimestamps ? flags.scrapeTimestampToleranceMs : 0,
    });
  }

  #applyJobs(): void {
    const { jobs } = this.#loaded;
    const pending = pendingSections(this.#loaded);
    if (pending.length > 0) {
      this.#options.log.warn('Sections of the configuration without effect yet', { sections: pending.join(', ') });
    }
    this.#notifying?.apply(this.#loaded.config.alerting, this.#externalLabels);
    this.#discovery?.apply(jobs.map(discoveryJobOf));
    const targets = new Map(jobs.map(({ jobName }) => [jobName, this.#discovery?.groupsOf(jobName) ?? []]));
    this.#scraping?.applyConfig(jobs.map(jobEntryOf), targets);
    this.#rules?.manager.apply(this.#ruleGroups);
  }

  #toGlobal(targetUrl: string): string {
    const { port } = parseListenAddress(this.#options.flags.webListenAddresses[0]!);
    return globalUrl(targetUrl, this.#externalUrl, port);
  }

  async #openDoors(deps: WebDeps): Promise<void> {
    const { flags, clock, log } = this.#options;
    const app = createApp(deps, {
      routePrefix: routePrefixOf(this.#externalUrl, flags.webRoutePrefix || undefined),
      corsOrigin: flags.webCorsOrigin?.source,
    });
    const handler = this.#access?.guard(app) ?? app;
    const connectionsMax = this.#connectionsMax();
    for (const address of flags.webListenAddresses) {
      const { host, port } = parseListenAddress(address);
      const door = await openDoor(
        flags.webHttpEngine as 'auto' | 'uws' | 'node',
        {
          host,
          port,
          connectionsMax,
          clock,
          handler,
          tls: this.#access?.tls,
          onError: (error) => log.error('A request handler failed', { err: error as Error }),
        },
        (message, facts) => log.info(message, facts),
      );
      this.#doors.push(door);
      log.info('Listening on', { address: `${host}:${door.port}` });
    }
  }

  /** Storage and threads need files too: connections must not take the last. */
  #connectionsMax(): number {
    const { flags, disk, log } = this.#options;
    const most = openFilesMax(disk);
    const left = most - Math.min(FILES_KEPT, Math.floor(most / 2));
    if (left >= flags.webMaxConnections) return flags.webMaxConnections;
    log.warn('Fewer connections are taken: the process may have few files open', {
      open_files: most,
      connections: left,
    });
    return left;
  }

  #statusDeps(): WebDeps['status'] {
    const { flags, version } = this.#options;
    return {
      build: { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: `node ${process.version}` },
      runtime: () => ({
        startTimeMs: this.#startMs,
        workingFolder: process.cwd(),
        hostname: hostname(),
        reloadConfigSuccess: this.#configOk,
        lastConfigTimeMs: this.#configMs,
        corruptionCount: this.#storage?.log.stats?.corruptions ?? 0,
        threads: (this.#storage?.shards.count ?? 0) + (this.#queries?.evaluators?.threads ?? 0) + 2,
        processors: processors(),
        memoryLimitBytes: memoryBytes(this.#options.disk),
        storageRetention: retentionText(this.#retention),
      }),
      flags: () => flagList(flags),
      features: () => featureList(flags, queryFeatures(flags.enableFeature).parse),
      configYaml: () => renderConfig(this.#loaded.config),
      walReplay: () => this.#storage?.replayProgress ?? { min: 0, max: 0, current: 0 },
      recovery: () => this.#storage?.recovery ?? { startMs: this.#startMs, figures: {}, losses: [], malformed: [] },
    };
  }

  get #externalLabels(): Labels {
    return labelsOf(this.#loaded.config.global.externalLabels);
  }

  #registerOwn(): void {
    const gauge = (name: string, help: string, read: () => number) =>
      this.#registry.collect(name, help, { type: 'gauge' }, read);
    gauge(
      'prometheus_ready',
      'Whether Prometheus startup was fully completed and the server is ready for normal operation.',
      () => (this.#state === 'ready' ? 1 : 0),
    );
    gauge(
      'prometheus_config_last_reload_successful',
      'Whether the last configuration reload attempt was successful.',
      () => (this.#configOk ? 1 : 0),
    );
    gauge(
      'prometheus_config_last_reload_success_timestamp_seconds',
      'Timestamp of the last successful configuration reload.',
      () => this.#configMs / 1000,
    );
    this.#registry.collect(
      'prometheus_build_info',
      "A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus was built.",
      { type: 'gauge', labels: ['version', 'goversion'] },
      () => [[[this.#options.version, `node ${process.version}`], 1]],
    );
  }
}
