// A server beside targets that mean harm: its memory stays bounded, and no healthy target misses a scrape.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { HOSTILE } from '../scraping/hostile-targets.js';
import { checkScrapes, unevenAsks } from '../scraping/scrapes.js';
import { Targets } from '../scraping/targets.js';
import { api, eventually, type Server, sleep, startNarthex } from '../servers.js';

const HEALTHY = 20;
const INTERVAL_MS = 1000;
/** What a server may need in all. */
export const PEAK_BYTES_MAX = 512 * 2 ** 20;
/** Behind the last scrape that is looked at. */
const SETTLE_MS = 2000;

export interface HostileReport {
  readonly peakBytes: number;
  readonly hostile: number;
  /** Of healthy targets. */
  readonly scrapes: number;
}

interface Shown {
  readonly scrapePool: string;
  readonly labels: { readonly tid: string };
  readonly health: string;
  readonly lastError: string;
}

/** `onTime`: no target may have missed its turn, which it does where a machine has too much else to do. */
export async function runHostile(seconds: number, onTime: boolean): Promise<HostileReport> {
  const [hostile, healthy] = await Promise.all([Targets.start('hostile'), Targets.start('healthy', HEALTHY)]);
  try {
    const server = await startNarthex({ config: configOf(hostile.addresses, healthy.addresses[0]!) });
    try {
      await eventually(async () => {
        const asked = [...(await hostile.asked()), ...(await healthy.asked())];
        assert.ok(asked.every((times) => times.length > 0));
      });
      await sleep(seconds * 1000);
      const scraped = await checkScrapes(server.url, 'healthy', seconds + 60);
      const uneven = onTime ? unevenAsks(await healthy.asked(), INTERVAL_MS) : [];
      await sleep(SETTLE_MS);
      const wrong = await misjudged(server);
      const peakBytes = peakOf(server);
      const most = `${(peakBytes / 2 ** 20).toFixed(0)} MiB at the most`;
      assert.deepEqual([...scraped.faults, ...uneven, ...wrong], [], most);
      assert.ok(
        scraped.scrapes >= (HEALTHY * (seconds - 1)) / (onTime ? 1 : 2),
        `${scraped.scrapes} scrapes in ${seconds} s`,
      );
      assert.ok(peakBytes <= PEAK_BYTES_MAX, most);
      return { peakBytes, hostile: HOSTILE.length, scrapes: scraped.scrapes };
    } finally {
      await server.stop();
    }
  } finally {
    hostile.close();
    healthy.close();
  }
}

/** Hostile targets that are up, or down, and should not be. */
async function misjudged(server: Server): Promise<string[]> {
  const { activeTargets } = await api<{ activeTargets: Shown[] }>(server.url, 'targets', { state: 'active' });
  return activeTargets.flatMap(({ scrapePool, labels, health, lastError }) => {
    const fate = scrapePool === 'hostile' ? HOSTILE[Number(labels.tid)]!.fate : 'up';
    const name = scrapePool === 'hostile' ? HOSTILE[Number(labels.tid)]!.name : `healthy ${labels.tid}`;
    return fate === 'any' || fate === health ? [] : [`${name} is ${health}: ${lastError}`];
  });
}

export function peakOf({ pid }: Server): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

function configOf(hostile: readonly string[], healthy: string): string {
  const group = (address: string, tid: number, path: string) =>
    `      - {targets: ['${address}'], labels: {tid: '${tid}', __metrics_path__: '${path}'}}\n`;
  return `
global: {scrape_interval: ${INTERVAL_MS}ms, scrape_timeout: ${INTERVAL_MS}ms}
scrape_configs:
  - job_name: hostile
    scrape_native_histograms: true
    static_configs:
${hostile.map((address, tid) => group(address, tid, '/metrics')).join('')}
  - job_name: healthy
    static_configs:
${Array.from({ length: HEALTHY }, (_, tid) => group(healthy, tid, `/${tid}`)).join('')}`;
}
