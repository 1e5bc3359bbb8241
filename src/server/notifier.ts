// The notifier joined with what it needs: discovery of Alertmanagers, connections to them.

import { HttpClient } from '../base/http.js';
import type { AlertingConfig } from '../config/alerting.js';
import type { DiscoveryManager } from '../discovery/manager.js';
import type { SessionTools } from '../discovery/session.js';
import type { Labels } from '../model/labels.js';
import { notifierConfigOf, notifierJobsOf } from '../notifier/config.js';
import { NotifierMetrics } from '../notifier/metrics.js';
import { Notifier } from '../notifier/notifier.js';
import type { Registry } from '../telemetry/metrics.js';
import { startDiscovery } from './discovery.js';
import type { ServerOptions } from './server.js';

/** The way of alerts out of the server, and the search for where they go. */
export class Notifying {
  readonly notifier: Notifier;
  readonly #discovery: DiscoveryManager;

  constructor({ flags, clock, log, version }: ServerOptions, registry: Registry, tools: SessionTools) {
    const notifier: Notifier = new Notifier({
      clock,
      log: log.with({ component: 'notifier' }),
      metrics: new NotifierMetrics(registry, () => notifier.active.length),
      connect: (http) => new HttpClient(http, clock),
      capacity: flags.alertQueueCapacity,
      batchSize: flags.alertBatchSize,
      drains: flags.alertDrainOnShutdown,
      userAgent: `Narthex/${version}`,
    });
    this.notifier = notifier;
    this.#discovery = startDiscovery('notify', { log, tools }, (name, groups) => notifier.setTargets(name, groups));
  }

  apply(alerting: AlertingConfig, externalLabels: Labels): void {
    this.#discovery.apply(notifierJobsOf(alerting));
    this.notifier.applyConfig(notifierConfigOf(alerting, externalLabels), (name) => this.#discovery.groupsOf(name));
  }

  /** Resolves when what waits is sent, or given up. */
  stop(): Promise<void> {
    this.#discovery.stop();
    return this.notifier.stop();
  }
}
