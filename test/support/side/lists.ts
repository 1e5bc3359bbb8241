// The targets that a server shows, as lines that can be compared.

import { api, type Metric, metricText } from '../servers.js';
import { hasSteadyHealth } from './story.js';

export interface Listed {
  readonly lines: ReadonlySet<string>;
  /** When the target that waits longest was scraped last. */
  readonly oldestMs: number;
}

interface Shown {
  readonly discoveredLabels: Metric;
  readonly labels: Metric;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  readonly health: string;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

interface Answer {
  readonly activeTargets: readonly Shown[];
  readonly droppedTargets: readonly { readonly discoveredLabels: Metric; readonly scrapePool?: string }[];
  readonly droppedTargetCounts: Readonly<Record<string, number>>;
}

export async function listOf(url: string): Promise<Listed> {
  const { activeTargets, droppedTargets, droppedTargetCounts } = await api<Answer>(url, 'targets');
  const lines = new Set<string>();
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const target of activeTargets) {
    const { scrapePool, scrapeUrl, globalUrl, lastError, lastScrape, health } = target;
    oldestMs = Math.min(oldestMs, Date.parse(lastScrape));
    const facts = [
      scrapePool,
      scrapeUrl,
      // The name of this machine may be put in place of the loopback's.
      new URL(globalUrl).pathname,
      `{${metricText(target.labels)}} from {${metricText(target.discoveredLabels)}}`,
      `${target.scrapeInterval} ${target.scrapeTimeout}`,
      hasSteadyHealth(Number(target.labels.tid)) ? `${health} ${lastError}` : 'up or down',
    ];
    lines.add(facts.join(' | '));
  }
  for (const { discoveredLabels } of droppedTargets) lines.add(`dropped: {${metricText(discoveredLabels)}}`);
  for (const [pool, count] of Object.entries(droppedTargetCounts)) lines.add(`dropped of ${pool}: ${count}`);
  return { lines, oldestMs };
}
