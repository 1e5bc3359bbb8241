// One section of discovery at work: what its mechanism may use, and where what it finds goes.
//
//   mechanism ──replace / put / drop──► groups by source ──changed──► manager, which throttles
//
// Groups stay until the mechanism says otherwise, so whatever fails keeps the last good answer.

import type { Clock, Timer } from '../base/clock.js';
import type { Disk, FolderWatch } from '../base/disk.js';
import type { Resolver } from '../base/dns.js';
import type { HttpClientOptions } from '../base/http.js';
import type { Prng } from '../base/prng.js';
import type { HttpClientConfig } from '../config/http-client.js';
import { httpOptionsOf } from '../config/http-options.js';
import type { Logger } from '../telemetry/log.js';
import { isSameGroup, type SourcedGroup } from './group.js';
import { Asker } from './http.js';
import type { DiscoveryMetrics } from './metrics.js';

/** What all sections share. */
export interface SessionTools {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly resolver: Resolver;
  readonly prng: Prng;
  readonly metrics: DiscoveryMetrics;
  /** Calls `onChange` when something in a folder has changed; throws where it cannot be watched. */
  readonly watchFolder: (path: string, onChange: (name: string) => void) => FolderWatch;
  /** How we introduce ourselves. */
  readonly userAgent: string;
  /** Where questions go instead of the URL they are for: tests have clouds of their own. */
  readonly reroute?: (url: string) => string;
}

export interface SessionOptions {
  readonly tools: SessionTools;
  /** What finds the targets, and the job that wants them, the first where several do: for metrics and log lines. */
  readonly mechanism: string;
  readonly config: string;
  readonly log: Logger;
  /** Called at every answer; `isNews` where it is not the one before again. */
  readonly onAnswer: (isNews: boolean) => void;
  /** What another section had found whose place this one takes: it holds until this one has answered or failed. */
  readonly inherited?: readonly SourcedGroup[];
}

export class Session implements SessionTools {
  readonly mechanism: string;
  readonly config: string;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly resolver: Resolver;
  readonly prng: Prng;
  readonly metrics: DiscoveryMetrics;
  readonly watchFolder: SessionTools['watchFolder'];
  readonly userAgent: string;
  readonly reroute: SessionTools['reroute'];
  readonly log: Logger;
  readonly #onAnswer: (isNews: boolean) => void;
  #groups = new Map<string, SourcedGroup>();
  #inherited: readonly SourcedGroup[];
  #hasEnded = false;
  readonly #atEnd = new Set<() => void>();

  constructor(options: SessionOptions) {
    const { tools, mechanism, config, log, onAnswer, inherited = [] } = options;
    this.mechanism = mechanism;
    this.config = config;
    this.clock = tools.clock;
    this.disk = tools.disk;
    this.resolver = tools.resolver;
    this.prng = tools.prng;
    this.metrics = tools.metrics;
    this.watchFolder = tools.watchFolder;
    this.userAgent = tools.userAgent;
    this.reroute = tools.reroute;
    this.log = log;
    this.#onAnswer = onAnswer;
    this.#inherited = inherited;
    tools.metrics.addSession(mechanism, config);
  }

  // ---- For the mechanism

  /** All groups as they are now; others are gone. */
  replace(groups: Iterable<SourcedGroup>): void {
    const before = this.#groups;
    this.#groups = new Map([...groups].map((group) => [group.source, group]));
    const isSame =
      before.size === this.#groups.size && [...this.#groups.values()].every((group) => isIn(before, group));
    this.#answered(!isSame);
  }

  /** One group as it is now. */
  put(group: SourcedGroup): void {
    const isSame = isIn(this.#groups, group);
    this.#groups.set(group.source, group);
    this.#answered(!isSame);
  }

  drop(source: string): void {
    if (this.#groups.delete(source)) this.#answered(true);
  }

  /** An attempt has failed: it is counted and logged, and what was found before stays. */
  failed(error: unknown): void {
    if (this.#hasEnded) return;
    this.metrics.refreshFailures.with(this.mechanism, this.config).value++;
    this.log.error('Unable to refresh target groups', { err: error instanceof Error ? error : String(error) });
    if (this.#inherited.length > 0) this.#answered(false);
  }

  /** Whether it is time to return. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves after `ms`, or as soon as the session ends. */
  pause(ms: number): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const forget = this.onEnd(() => {
        timer?.cancel();
        resolve();
      });
      timer = this.clock.after(ms, () => {
        forget();
        resolve();
      });
    });
  }

  /** Runs `action` when the session ends; the answer calls that off. */
  onEnd(action: () => void): () => void {
    this.#atEnd.add(action);
    return () => void this.#atEnd.delete(action);
  }

  /** Somebody to ask questions over HTTP, who waits no longer than `timeoutMs` for an answer. */
  asker(client: HttpClientConfig, timeoutMs: number): Asker {
    return this.askerOf(httpOptionsOf(client), timeoutMs);
  }

  askerOf(http: HttpClientOptions, timeoutMs: number): Asker {
    const headers = [
      ['User-Agent', this.userAgent],
      ['Accept', 'application/json'],
    ] as const;
    const { clock, reroute } = this;
    const asker: Asker = new Asker({ http, clock, timeoutMs, headers, reroute, onClose: () => forget() });
    const forget = this.onEnd(() => asker.close());
    return asker;
  }

  // ---- For the manager

  /** What is known now. */
  get groups(): readonly SourcedGroup[] {
    return this.#inherited.length > 0 ? this.#inherited : [...this.#groups.values()];
  }

  end(): void {
    this.#hasEnded = true;
    for (const action of [...this.#atEnd]) action();
    this.#atEnd.clear();
  }

  /** From now on what this session has found counts. */
  #answered(isNews: boolean): void {
    const hadOthers = this.#inherited.length > 0;
    this.#inherited = [];
    if (!this.#hasEnded) this.#onAnswer(isNews || hadOthers);
  }
}

function isIn(groups: ReadonlyMap<string, SourcedGroup>, group: SourcedGroup): boolean {
  const known = groups.get(group.source);
  return known !== undefined && isSameGroup(known, group);
}
