// The targets of a load that scrapes: their process, and the config that names them.

import { pause } from '../bench.js';
import { scalar } from '../client.js';
import { Generator } from '../workloads/child.js';
import { type ScrapeSpec, scrapeFleet, type TargetsMessage } from '../workloads/scrape-targets.js';

const WARM_TIMEOUT_MS = 120_000;

export function scrapeConfig(spec: ScrapeSpec, ports: readonly number[]): string {
  const fleet = scrapeFleet(spec);
  const targets = ports.map((port, target) => {
    const labels = fleet.target(target).filter(([name]) => name !== 'job');
    const pairs = labels.map(([name, value]) => `${name}: "${value}"`).join(', ');
    return `      - targets: ["127.0.0.1:${port}"]\n        labels: {${pairs}}\n`;
  });
  return (
    'global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n' +
    `scrape_configs:\n  - job_name: bench\n    static_configs:\n${targets.join('')}`
  );
}

/** Scrapes that were fetched and yet failed, by what the server says of them. */
export function failedScrapes(url: string, startMs: number, endMs: number): Promise<number> {
  const window = `${Math.ceil((endMs - startMs) / 1000)}s`;
  return scalar(url, `sum(count_over_time(up[${window}]) - sum_over_time(up[${window}]))`, endMs);
}

/** The targets' process. */
export class Pages {
  readonly #generator: Generator<TargetsMessage>;

  constructor(spec: ScrapeSpec) {
    this.#generator = new Generator('scrape-targets.js', spec);
  }

  async ports(): Promise<readonly number[]> {
    const message = await this.#generator.next();
    if (!('ports' in message)) throw new Error('the targets did not start');
    return message.ports;
  }

  /** How many pages each target gave. */
  async served(): Promise<readonly number[]> {
    const message = await this.#generator.ask('served');
    return 'served' in message ? message.served : [];
  }

  async total(): Promise<number> {
    return (await this.served()).reduce((sum, pages) => sum + pages, 0);
  }

  /** Waits until each target gave so many pages. */
  async reach(count: number): Promise<void> {
    const until = performance.now() + WARM_TIMEOUT_MS;
    for (;;) {
      const least = Math.min(...(await this.served()));
      if (least >= count) return;
      if (performance.now() > until) throw new Error(`after ${WARM_TIMEOUT_MS / 1000} s a target gave ${least} pages`);
      await pause(200);
    }
  }

  close(): void {
    this.#generator.close();
  }
}
