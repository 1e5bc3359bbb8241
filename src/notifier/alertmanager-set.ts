// One section of the configuration: the Alertmanagers that discovery finds for it, each of
// which gets all alerts.

import type { HttpClientOptions, HttpSender } from '../base/http.js';
import type { TargetGroup } from '../discovery/group.js';
import type { Alert } from '../model/alert.js';
import type { RelabelRule } from '../relabel/rule.js';
import { type Addresses, type AddressTemplate, addressesOf } from './address.js';
import { OutgoingAlert, relabelled } from './outgoing.js';
import { SendLoop, type SendLoopOptions } from './send-loop.js';

/** What a section has to say. An AlertmanagerConfig is one. */
export interface AlertmanagerSection extends AddressTemplate {
  readonly timeoutMs: number;
  readonly alertRelabelConfigs: readonly RelabelRule[];
}

export interface AlertmanagerEntry {
  /** By which discovery knows it. */
  readonly name: string;
  readonly section: AlertmanagerSection;
  readonly http: HttpClientOptions;
  /** The same for the same configuration, secrets included: then a reload leaves what waits alone. */
  readonly fingerprint: string;
}

/** What all sets share. */
export interface SendingContext
  extends Pick<SendLoopOptions, 'clock' | 'log' | 'metrics' | 'capacity' | 'batchSize' | 'userAgent'> {
  readonly connect: (http: HttpClientOptions) => HttpSender;
  readonly drains: boolean;
}

export class AlertmanagerSet {
  readonly entry: AlertmanagerEntry;
  readonly #context: SendingContext;
  /** By URL. */
  readonly #loops = new Map<string, SendLoop>();
  /** Those that are gone, until they have sent what waited. */
  readonly #ending = new Set<Promise<void>>();
  #addresses: Addresses = { active: [], dropped: [] };

  constructor(entry: AlertmanagerEntry, context: SendingContext) {
    this.entry = entry;
    this.#context = context;
  }

  get addresses(): Addresses {
    return this.#addresses;
  }

  /** Takes the Alertmanagers as discovery sees them now; what waits for those that stay goes on waiting. */
  sync(groups: readonly TargetGroup[]): void {
    const { log } = this.#context;
    this.#addresses = addressesOf(this.entry.section, groups, (reason) =>
      log.error('Creating discovered Alertmanagers failed', { err: reason }),
    );
    const wanted = new Set(this.#addresses.active);
    for (const [url, loop] of this.#loops) if (!wanted.has(url)) this.#end(url, loop);
    for (const url of wanted) if (!this.#loops.has(url)) this.#loops.set(url, this.#loopOf(url));
  }

  send(alerts: readonly Alert[]): void {
    if (this.#loops.size === 0) return;
    const outgoing = relabelled(alerts, [], this.entry.section.alertRelabelConfigs).map(
      (alert) => new OutgoingAlert(alert),
    );
    if (outgoing.length === 0) return;
    for (const loop of this.#loops.values()) loop.add(outgoing);
  }

  async stop(): Promise<void> {
    for (const [url, loop] of this.#loops) this.#end(url, loop);
    await Promise.all(this.#ending);
  }

  #loopOf(url: string): SendLoop {
    const { connect, drains: _, ...shared } = this.#context;
    const client = connect(this.entry.http);
    return new SendLoop({ ...shared, url, client, timeoutMs: this.entry.section.timeoutMs });
  }

  #end(url: string, loop: SendLoop): void {
    this.#loops.delete(url);
    const ended = loop.stop(this.#context.drains).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}
