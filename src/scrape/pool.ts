// A job's targets and their loops.
//
//   target groups ─► buildTarget each ─► dropped, invalid, or a target
//                                                    │ its identity: all labels after relabeling, and the URL
//                                        known ──────┤ the loop goes on, phase and all
//                                        new   ──────┤ a loop starts
//                                        gone  ──────┘ its loop ends, with stale markers in due time

import type { TargetGroup } from '../discovery/group.js';
import { keyOf, type Labels } from '../model/labels.js';
import type { ScrapeJobEntry } from './job.js';
import { type ScrapeContext, ScrapeLoop, type TargetStatus } from './loop.js';
import { NO_METADATA } from './metrics.js';
import { buildTarget, type ScrapeTarget } from './target-labels.js';

export type { TargetGroup } from '../discovery/group.js';

export interface PoolStatus {
  readonly scrapePool: string;
  readonly active: readonly TargetStatus[];
  /** Discovered labels of dropped targets, up to `keep_dropped_targets`. */
  readonly dropped: readonly Labels[];
  /** All dropped targets, remembered or not. */
  readonly droppedCount: number;
}

export class ScrapePool {
  readonly #context: ScrapeContext;
  #entry: ScrapeJobEntry;
  #groups: readonly TargetGroup[] = [];
  #loops = new Map<string, ScrapeLoop>();
  /** Loops whose targets are gone and whose stale markers are still to come. */
  readonly #ending = new Set<ScrapeLoop>();
  #dropped: Labels[] = [];
  #droppedCount = 0;

  constructor(entry: ScrapeJobEntry, context: ScrapeContext) {
    this.#entry = entry;
    this.#context = context;
    context.metrics.pools.value++;
    this.#showLimits();
  }

  get status(): PoolStatus {
    return {
      scrapePool: this.#entry.job.jobName,
      active: [...this.#loops.values()].map((loop) => loop.status),
      dropped: this.#dropped,
      droppedCount: this.#droppedCount,
    };
  }

  /** Takes the job's targets as they are now. */
  sync(groups: readonly TargetGroup[]): void {
    this.#sync(groups, new Map());
  }

  /** `before`: loops of the job as it was, by target: those that start take over from them. */
  #sync(groups: readonly TargetGroup[], before: ReadonlyMap<string, ScrapeLoop>): void {
    const { clock, metrics } = this.#context;
    const { jobName, targetLimit } = this.#entry.job;
    const startMs = clock.monotonicMs();
    this.#groups = groups;

    const targets = this.#build(groups);
    const gone = this.#loops;
    this.#loops = new Map();
    const fresh: [loop: ScrapeLoop, before: ScrapeLoop | undefined][] = [];
    for (const [key, target] of targets) {
      const known = gone.get(key);
      gone.delete(key);
      known?.setDiscovered(target.discovered);
      const loop = known ?? new ScrapeLoop(target, this.#entry.job, this.#entry.http, this.#context);
      if (known === undefined) fresh.push([loop, before.get(key)]);
      this.#loops.set(key, loop);
    }

    const exceeded = targetLimit > 0 && targets.size > targetLimit;
    if (exceeded) metrics.poolExceededTargetLimit.value++;
    const error = `target_limit exceeded (number of targets: ${targets.size}, limit: ${targetLimit})`;
    for (const loop of this.#loops.values()) loop.setForcedError(exceeded ? error : undefined);
    for (const [loop, former] of fresh) loop.start(former);
    for (const loop of [...gone.values(), ...before.values()]) this.#end(loop);

    metrics.poolTargets.with(jobName).value = targets.size;
    metrics.poolSyncs.with(jobName).value++;
    metrics.syncLength.with(jobName).observe((clock.monotonicMs() - startMs) / 1000);
  }

  /** Takes a changed job. All loops start anew, in their old phase: what a loop does is fixed when it is made. */
  reload(entry: ScrapeJobEntry, groups: readonly TargetGroup[] = this.#groups): void {
    this.#context.metrics.poolReloads.value++;
    this.#entry = entry;
    this.#showLimits();
    const before = this.#loops;
    this.#loops = new Map();
    this.#sync(groups, before);
  }

  get fingerprint(): string {
    return this.#entry.fingerprint;
  }

  /**
   * `removed`: the job is gone; resolves when its series have ended, more than an interval later.
   * `shutdown`: nothing more is appended once it resolves.
   */
  async stop(reason: 'removed' | 'shutdown'): Promise<void> {
    const loops = [...this.#loops.values()];
    this.#loops = new Map();
    if (reason === 'removed') {
      const ended = loops.map((loop) => this.#end(loop));
      this.#context.metrics.removePool(this.#entry.job.jobName);
      await Promise.all(ended);
    } else {
      await Promise.all([...loops, ...this.#ending].map((loop) => loop.stop('shutdown')));
    }
  }

  /** Targets by identity; what is dropped or invalid is remembered or logged. */
  #build(groups: readonly TargetGroup[]): Map<string, ScrapeTarget> {
    const { job } = this.#entry;
    const targets = new Map<string, ScrapeTarget>();
    this.#dropped = [];
    this.#droppedCount = 0;
    for (const group of groups) {
      for (const labels of group.targets) {
        const built = buildTarget(job, labels, group.labels);
        switch (built.kind) {
          case 'target':
            targets.set(`${keyOf(built.internal)}\n${built.url}`, built);
            break;
          case 'dropped':
            this.#droppedCount++;
            if (job.keepDroppedTargets === 0 || this.#dropped.length < job.keepDroppedTargets) {
              this.#dropped.push(built.discovered);
            }
            break;
          case 'invalid':
            this.#context.metrics.syncFailed.with(job.jobName).value++;
            this.#context.log.error('Creating target failed', { scrape_pool: job.jobName, err: built.error });
            break;
        }
      }
    }
    return targets;
  }

  #end(loop: ScrapeLoop): Promise<void> {
    this.#ending.add(loop);
    return loop
      .stop('removed')
      .catch((error) => this.#context.log.warn('Ending a target failed', { target: loop.target.url, err: error }))
      .finally(() => this.#ending.delete(loop));
  }

  #showLimits(): void {
    const { jobName, targetLimit } = this.#entry.job;
    // A counter that is there from the start has a rate when it first counts.
    this.#context.metrics.syncFailed.with(jobName);
    this.#context.metrics.noteMetadata(jobName, NO_METADATA, NO_METADATA);
    this.#context.metrics.poolTargetLimit.with(jobName).value = targetLimit;
  }
}
