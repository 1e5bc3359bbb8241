// All rule groups of a server, and what becomes of them when the configuration changes.
//
//   the same as before    goes on undisturbed
//   changed               its evaluation ends, then a new group goes on with its state
//   gone                  its series end, two intervals later: a group of another name may have taken them over

import { sleep } from '../base/clock.js';
import { compareStrings } from '../model/labels.js';
import { Group } from './group.js';
import { GroupLoop } from './loop.js';
import { type GroupSpec, groupKey } from './spec.js';
import type { RuleWorld } from './world.js';

/** How long the series of a group that is gone wait for another one, in its intervals. */
const HEIR_INTERVALS = 2;

export class RuleManager {
  readonly #world: RuleWorld;
  readonly #loops = new Map<string, GroupLoop>();
  /** Changes of configuration one after the other. */
  #changes: Promise<void> = Promise.resolve();
  #isFirst = true;
  #isStopped = false;

  constructor(world: RuleWorld) {
    this.#world = world;
  }

  /** By file, then by name. */
  get groups(): readonly Group[] {
    const groups = [...this.#loops.values()].map(({ group }) => group);
    return groups.sort((a, b) => compareStrings(a.spec.file, b.spec.file) || compareStrings(a.spec.name, b.spec.name));
  }

  /** Takes these groups in place of all before. Resolves when they have begun. */
  apply(specs: readonly GroupSpec[]): Promise<void> {
    this.#changes = this.#changes.then(() => this.#apply(specs));
    return this.#changes;
  }

  /** Resolves when nothing is evaluated any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#changes;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
  }

  async #apply(specs: readonly GroupSpec[]): Promise<void> {
    if (this.#isStopped) return;
    // Only alerts of a server before this one are to be restored.
    const isRestored = !this.#isFirst;
    this.#isFirst = false;
    const wanted = new Map(specs.map((spec) => [groupKey(spec), spec]));
    const gone = [...this.#loops.keys()].filter((key) => !wanted.has(key));
    await Promise.all([
      ...[...wanted].map(([key, spec]) => this.#take(key, spec, isRestored)),
      ...gone.map((key) => this.#drop(key)),
    ]);
  }

  async #take(key: string, spec: GroupSpec, isRestored: boolean): Promise<void> {
    const before = this.#loops.get(key);
    if (before !== undefined && isSame(before.group.spec, spec)) return;
    await before?.stop();
    if (this.#isStopped) return;
    const group = new Group(spec, this.#world, isRestored);
    if (before !== undefined) group.inherit(before.group);
    this.#loops.set(key, new GroupLoop(group, this.#world.clock));
  }

  async #drop(key: string): Promise<void> {
    const loop = this.#loops.get(key)!;
    this.#loops.delete(key);
    await loop.stop();
    this.#world.metrics.remove(key);
    this.#endLater(loop.group);
  }

  async #endLater(group: Group): Promise<void> {
    const { clock } = this.#world;
    const stoppedMs = clock.nowMs();
    await sleep(clock, HEIR_INTERVALS * group.spec.intervalMs);
    if (!this.#isStopped) await group.end(stoppedMs);
  }
}

function isSame(a: GroupSpec, b: GroupSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
