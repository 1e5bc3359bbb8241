// All jobs: pools come and go with the configuration, targets with discovery.

import { compareStrings } from '../model/labels.js';
import type { ScrapeJobEntry } from './job.js';
import type { ScrapeContext } from './loop.js';
import { type PoolStatus, ScrapePool, type TargetGroup } from './pool.js';

const NO_GROUPS: readonly TargetGroup[] = [];

export class ScrapeManager {
  readonly #context: ScrapeContext;
  #pools = new Map<string, ScrapePool>();
  /** Pools of jobs that were removed, until their series have ended. */
  readonly #ending = new Set<ScrapePool>();

  constructor(context: ScrapeContext) {
    this.#context = context;
  }

  /** By job, in the order of their names. */
  get status(): PoolStatus[] {
    const pools = [...this.#pools].sort(([a], [b]) => compareStrings(a, b));
    return pools.map(([, pool]) => pool.status);
  }

  /**
   * Takes the jobs as they are now. A job whose fingerprint is the same is left alone: its loops keep their phase and
   * their series. `targets`: what discovery knows of jobs already; the groups of jobs it does not name stay.
   */
  applyConfig(
    entries: readonly ScrapeJobEntry[],
    targets: ReadonlyMap<string, readonly TargetGroup[]> = new Map(),
  ): void {
    const files = entries.map(({ job }) => job.scrapeFailureLogFile).filter((path) => path !== '');
    this.#context.failures?.open(new Set(files));
    const before = this.#pools;
    this.#pools = new Map();
    for (const entry of entries) {
      const { jobName } = entry.job;
      const groups = targets.get(jobName);
      let pool = before.get(jobName);
      before.delete(jobName);
      if (pool === undefined) {
        pool = new ScrapePool(entry, this.#context);
        pool.sync(groups ?? NO_GROUPS);
      } else if (pool.fingerprint !== entry.fingerprint) pool.reload(entry, groups);
      else if (groups !== undefined) pool.sync(groups);
      this.#pools.set(jobName, pool);
    }
    for (const pool of before.values()) this.#remove(pool);
  }

  /** Takes a job's targets as discovery sees them now. A job that is gone meanwhile has none. */
  setTargets(jobName: string, groups: readonly TargetGroup[]): void {
    this.#pools.get(jobName)?.sync(groups);
  }

  /** Ends all loops without stale markers; nothing is appended once it resolves. */
  async stop(): Promise<void> {
    const pools = [...this.#pools.values(), ...this.#ending];
    this.#pools = new Map();
    await Promise.all(pools.map((pool) => pool.stop('shutdown')));
    this.#context.failures?.close();
  }

  #remove(pool: ScrapePool): void {
    this.#ending.add(pool);
    void pool.stop('removed').finally(() => this.#ending.delete(pool));
  }
}
