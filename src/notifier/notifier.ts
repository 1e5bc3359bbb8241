// Alerts go to every Alertmanager of every section.
//
//   rules ──send──► external labels, alert_relabel_configs ──► set of each section ──► queue of each Alertmanager
//
// Nothing here makes rules wait: send() returns when alerts are in queues, which are bounded.

import type { TargetGroup } from '../discovery/group.js';
import type { Alert } from '../model/alert.js';
import type { Labels } from '../model/labels.js';
import type { RelabelRule } from '../relabel/rule.js';
import { type AlertmanagerEntry, AlertmanagerSet, type SendingContext } from './alertmanager-set.js';
import { relabelled } from './outgoing.js';

export interface NotifierConfig {
  /** Added to alerts that have no such label. */
  readonly externalLabels: Labels;
  readonly alertRelabelConfigs: readonly RelabelRule[];
  readonly alertmanagers: readonly AlertmanagerEntry[];
}

const NO_GROUPS: readonly TargetGroup[] = [];

export class Notifier {
  readonly #context: SendingContext;
  /** By the names of their sections. */
  #sets = new Map<string, AlertmanagerSet>();
  /** Of sections that are gone, until they have sent what waited. */
  readonly #ending = new Set<Promise<void>>();
  #externalLabels: Labels = [];
  #rules: readonly RelabelRule[] = [];
  #hasStopped = false;

  constructor(context: SendingContext) {
    this.#context = context;
    context.metrics.queueCapacity.value = context.capacity;
  }

  /**
   * Takes the configuration as it is now. Sections that say what they said keep their Alertmanagers and what waits
   * for them, wherever they stand. `groupsOf`: what discovery knows of a section already.
   */
  applyConfig(config: NotifierConfig, groupsOf: (name: string) => readonly TargetGroup[] = () => NO_GROUPS): void {
    this.#externalLabels = config.externalLabels;
    this.#rules = config.alertRelabelConfigs;
    const before = [...this.#sets.values()];
    this.#sets = new Map();
    for (const entry of config.alertmanagers) {
      const at = before.findIndex((set) => set.entry.fingerprint === entry.fingerprint);
      const [known] = at < 0 ? [] : before.splice(at, 1);
      const set = known ?? new AlertmanagerSet(entry, this.#context);
      set.sync(groupsOf(entry.name));
      this.#sets.set(entry.name, set);
    }
    for (const set of before) this.#end(set);
  }

  /** Takes a section's Alertmanagers as discovery sees them now. A section that is gone meanwhile has none. */
  setTargets(name: string, groups: readonly TargetGroup[]): void {
    this.#sets.get(name)?.sync(groups);
  }

  /** Queues alerts for all Alertmanagers there are; copies nothing, so they must not change any more. */
  send(alerts: readonly Alert[]): void {
    if (this.#hasStopped || alerts.length === 0) return;
    const outgoing = relabelled(alerts, this.#externalLabels, this.#rules);
    for (const set of this.#sets.values()) set.send(outgoing);
  }

  /** URLs of the Alertmanagers in use. */
  get active(): readonly string[] {
    return [...this.#sets.values()].flatMap(({ addresses }) => addresses.active);
  }

  /** URLs of those that relabelling dropped. */
  get dropped(): readonly string[] {
    return [...this.#sets.values()].flatMap(({ addresses }) => addresses.dropped);
  }

  /** Takes no more alerts; resolves when what waits is sent, or given up. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const set of this.#sets.values()) this.#end(set);
    this.#sets = new Map();
    await Promise.all(this.#ending);
  }

  #end(set: AlertmanagerSet): void {
    const ended = set.stop().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}
