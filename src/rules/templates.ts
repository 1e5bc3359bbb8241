// Templates of alerts, joined with the queries and the names of this server.

import type { Labels } from '../model/labels.js';
import type { Logger } from '../telemetry/log.js';
import { expandTemplate } from '../template/expand.js';
import type { TemplateMetrics } from '../template/metrics.js';
import type { AlertingWorld } from './alerting-rule.js';
import type { RuleQuery } from './query.js';

export interface TemplateParts {
  readonly query: RuleQuery;
  /** Without a slash at its end. */
  readonly externalUrl: string;
  externalLabels(): Labels;
  readonly metrics: TemplateMetrics | undefined;
  readonly log: Logger;
}

export function alertTemplates(parts: TemplateParts): AlertingWorld['expand'] {
  const { query, externalUrl, externalLabels, metrics, log } = parts;
  const ask = async (expr: string, atMs: number) => {
    const vector = await query(expr, atMs);
    return vector.map(({ labels, value, histogram }) => ({ labels, value: histogram ?? value }));
  };
  return (text, { name, sample, timeMs }) =>
    expandTemplate(text, {
      name,
      labels: sample.labels,
      value: sample.histogram ?? sample.value,
      externalLabels: externalLabels(),
      externalUrl,
      timeMs,
      query: ask,
      failed: (reason) => log.warn('Expanding alert template failed', { alert: name, err: reason }),
      metrics,
    });
}
