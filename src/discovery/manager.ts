// Discovery for all jobs: one session for each section, however many jobs say the same.
//
//   jobs ──apply──► sections ─ same as before? ─► session goes on
//                                  new ─────────► session starts; until it has answered, what it replaces holds
//                                  gone ────────► session ends
//
//   sessions ──answers──► jobs whose targets are others now ──at once, then less and less often──► onTargets

import type { Timer } from '../base/clock.js';
import type { DiscoveryConfig } from '../config/discovery.js';
import { fingerprintOf } from '../config/fingerprint.js';
import type { Logger } from '../telemetry/log.js';
import type { SourcedGroup, TargetGroup } from './group.js';
import { loadMechanism } from './mechanisms.js';
import { Session, type SessionTools } from './session.js';

/** Targets that change all the time reach their job this often in the end, as in Prometheus. */
export const UPDATE_EVERY_MS = 5000;
/** What changes together arrives together. */
const GATHER_MS = 20;
/** After one update the next waits so long, and each further one longer, until there is a pause: all that is found at the start arrives soon. */
const WAIT_MS_MIN = 100;
const WAIT_GROWTH = 1.5;

export interface DiscoveryJob {
  readonly name: string;
  readonly staticGroups: readonly TargetGroup[];
  readonly sections: readonly DiscoveryConfig[];
}

export interface DiscoveryOptions {
  /** Whose targets they are: `scrape` or `notify`. */
  readonly name: string;
  readonly tools: SessionTools;
  readonly log: Logger;
  readonly onTargets: (job: string, groups: readonly TargetGroup[]) => void;
}

/** A session and who listens. */
interface Running {
  readonly kind: string;
  readonly session: Session;
  readonly jobs: Set<string>;
  /** It gave up: trying again is of no use. */
  hasFailed: boolean;
}

/** A job as it was applied: its own groups, and its sections by fingerprint, in their order. */
interface AppliedJob {
  readonly staticGroups: readonly TargetGroup[];
  readonly keys: readonly string[];
}

export class DiscoveryManager {
  readonly #options: DiscoveryOptions;
  #jobs = new Map<string, AppliedJob>();
  /** By what they say. */
  #running = new Map<string, Running>();
  /** Jobs whose targets have changed since they were last told. */
  readonly #changed = new Set<string>();
  #timer: Timer | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  #waitMs = 0;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    options.tools.metrics.addManager(options.name);
  }

  /** Takes the jobs as they are now. Sections that were there before go on as if nothing had happened. */
  apply(jobs: readonly DiscoveryJob[]): void {
    const before = this.#running;
    const jobsBefore = this.#jobs;
    const wanted = jobs.map((job) => ({ job, sections: job.sections.map(withKey) }));
    const kept = new Set(wanted.flatMap(({ sections }) => sections.map(({ key }) => key)));
    // What another section of the same kind had found holds until a new one knows better.
    const inherited = (kind: string, job: string) =>
      (jobsBefore.get(job)?.keys ?? []).flatMap((key) => {
        const running = before.get(key)!;
        return running.kind === kind && !kept.has(key) ? running.session.groups : [];
      });

    this.#running = new Map();
    this.#jobs = new Map();
    for (const { job, sections } of wanted) {
      for (const { key, section } of sections) {
        const known = this.#running.get(key) ?? restarted(before.get(key));
        const running = known ?? this.#start(section, job.name, inherited(section.kind, job.name));
        running.jobs.add(job.name);
        this.#running.set(key, running);
      }
      this.#jobs.set(job.name, { staticGroups: job.staticGroups, keys: sections.map(({ key }) => key) });
    }
    for (const [key, { session }] of before) if (!kept.has(key)) this.#end(session);
    for (const name of jobsBefore.keys()) if (!this.#jobs.has(name)) this.#forget(name);
    for (const name of this.#jobs.keys()) this.#countTargets(name);
    this.#countFailed();
  }

  /** All targets of a job that are known now, with where they are from in the order of its configuration. */
  groupsOf(job: string): readonly TargetGroup[] {
    const applied = this.#jobs.get(job);
    if (applied === undefined) return [];
    const found = applied.keys.flatMap((key) => this.#running.get(key)?.session.groups ?? []);
    return [...applied.staticGroups, ...found];
  }

  stop(): void {
    this.#timer?.cancel();
    for (const { session } of this.#running.values()) session.end();
    this.#running = new Map();
    this.#jobs = new Map();
  }

  #start(section: DiscoveryConfig, job: string, inherited: readonly SourcedGroup[]): Running {
    const { kind } = section;
    const running: Running = {
      kind,
      jobs: new Set(),
      hasFailed: false,
      session: new Session({
        tools: this.#options.tools,
        mechanism: kind,
        config: job,
        log: this.#options.log.with({ component: 'discovery manager', discovery: kind, config: job }),
        onAnswer: (isNews) => this.#onAnswer(running, isNews),
        inherited,
      }),
    };
    this.#run(section, running.session).catch((error) => {
      running.session.failed(error);
      running.hasFailed = true;
      this.#countFailed();
    });
    return running;
  }

  async #run<K extends DiscoveryConfig['kind']>(config: DiscoveryConfig<K>, session: Session): Promise<void> {
    const discover = await loadMechanism(config.kind);
    if (!session.hasEnded) await discover(config.section, session);
  }

  #end(session: Session): void {
    session.end();
    const isSame = (other: Session) => other.mechanism === session.mechanism && other.config === session.config;
    if ([...this.#running.values()].some((running) => isSame(running.session))) return;
    this.#options.tools.metrics.removeSession(session.mechanism, session.config);
  }

  #onAnswer(running: Running, isNews: boolean): void {
    const { tools, name } = this.#options;
    tools.metrics.receivedUpdates.with(name).value++;
    if (isNews) for (const job of running.jobs) this.#changed.add(job);
    if (this.#timer !== undefined) return;
    const quietMs = tools.clock.monotonicMs() - this.#toldMs;
    const isPause = quietMs > UPDATE_EVERY_MS;
    this.#waitMs = isPause ? 0 : Math.min(UPDATE_EVERY_MS, Math.max(WAIT_MS_MIN, WAIT_GROWTH * this.#waitMs));
    const waitMs = isPause ? GATHER_MS : Math.max(GATHER_MS, this.#waitMs - quietMs);
    if (waitMs > GATHER_MS) tools.metrics.delayedUpdates.with(name).value++;
    this.#timer = tools.clock.after(waitMs, () => this.#tell());
  }

  #tell(): void {
    const { tools, name, onTargets } = this.#options;
    this.#timer = undefined;
    this.#toldMs = tools.clock.monotonicMs();
    tools.metrics.updates.with(name).value++;
    for (const job of this.#jobs.keys()) {
      tools.metrics.lastUpdateSeconds.with(name, job).value = tools.clock.nowMs() / 1000;
    }
    for (const job of this.#changed) {
      if (!this.#jobs.has(job)) continue;
      this.#countTargets(job);
      onTargets(job, this.groupsOf(job));
    }
    this.#changed.clear();
  }

  #countTargets(job: string): void {
    const count = this.groupsOf(job).reduce((sum, { targets }) => sum + targets.length, 0);
    this.#options.tools.metrics.discoveredTargets.with(this.#options.name, job).value = count;
  }

  #countFailed(): void {
    const failed = [...this.#running.values()].filter(({ hasFailed }) => hasFailed);
    this.#options.tools.metrics.failedConfigs.with(this.#options.name).value = failed.length;
  }

  #forget(job: string): void {
    const { discoveredTargets, lastUpdateSeconds } = this.#options.tools.metrics;
    for (const family of [discoveredTargets, lastUpdateSeconds]) family.remove(this.#options.name, job);
  }
}

/** What a section says, as data, says it all. */
const BUT_TYPED: ReadonlySet<string> = new Set(['section']);

function withKey(section: DiscoveryConfig): { key: string; section: DiscoveryConfig } {
  return { key: fingerprintOf(section, BUT_TYPED), section };
}

/** A session that goes on; who listens is said anew. */
function restarted(running: Running | undefined): Running | undefined {
  running?.jobs.clear();
  return running;
}
