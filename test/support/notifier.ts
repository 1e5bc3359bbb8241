// A notifier as the server has it, on real connections, for tests.

import { realClock } from '../../src/base/clock.js';
import { HttpClient } from '../../src/base/http.js';
import { parseConfig } from '../../src/config/config.js';
import type { TargetGroup } from '../../src/discovery/group.js';
import type { Alert } from '../../src/model/alert.js';
import { labelsOf } from '../../src/model/labels.js';
import { notifierConfigOf, notifierJobsOf } from '../../src/notifier/config.js';
import { NotifierMetrics } from '../../src/notifier/metrics.js';
import { Notifier } from '../../src/notifier/notifier.js';
import { noLog } from '../../src/telemetry/log.js';
import { Registry } from '../../src/telemetry/metrics.js';

export interface TestNotifier {
  readonly notifier: Notifier;
  readonly metrics: NotifierMetrics;
  /** Takes a configuration's text; its static Alertmanagers are those that discovery finds. */
  configure(text: string): void;
}

export interface NotifierSettings {
  readonly capacity?: number;
  readonly batchSize?: number;
  readonly drains?: boolean;
}

export function testNotifier(config: string, settings: NotifierSettings = {}): TestNotifier {
  const { capacity = 10_000, batchSize = 256, drains = true } = settings;
  const metrics: NotifierMetrics = new NotifierMetrics(new Registry(), () => notifier.active.length);
  const notifier: Notifier = new Notifier({
    clock: realClock,
    log: noLog,
    metrics,
    connect: (http) => new HttpClient(http, realClock),
    capacity,
    batchSize,
    drains,
    userAgent: 'Narthex/test',
  });
  const configure = (text: string) => {
    const { alerting, global } = parseConfig(text, { folder: '/', environment: () => undefined });
    const groups = new Map<string, readonly TargetGroup[]>(
      notifierJobsOf(alerting).map(({ name, staticGroups }) => [name, staticGroups]),
    );
    notifier.applyConfig(notifierConfigOf(alerting, labelsOf(global.externalLabels)), (name) => groups.get(name) ?? []);
  };
  configure(config);
  return { notifier, metrics, configure };
}

/** A firing alert, with these labels beside its name. */
export function alertOf(name: string, labels: Record<string, string> = {}, changes: Partial<Alert> = {}): Alert {
  const nowMs = Date.now();
  return {
    labels: labelsOf([['alertname', name], ...Object.entries(labels)]),
    annotations: labelsOf([['summary', `${name} says so`]]),
    generatorUrl: 'http://narthex.example.com/graph?g0.expr=up&g0.tab=1',
    startsAtMs: nowMs,
    endsAtMs: nowMs + 240_000,
    ...changes,
  };
}

export function alertingTo(...addresses: string[]): string {
  return `alerting: {alertmanagers: [{static_configs: [{targets: ${JSON.stringify(addresses)}}]}]}\n`;
}
