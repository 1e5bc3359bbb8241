// Queries of death: many clients of the heaviest queries at once, beside scraping and small queries.
//
// Nobody but them may notice. What counts: scrapes that were missed, how long small queries took, how much memory
// the server came to. A heavy query may be answered or refused; both are counted.

import { type Context, type Group, less, type Outcome, pause, type Server, said } from '../bench.js';
import { budgetOf, isMet } from '../budgets.js';
import { quantile } from '../measure.js';
import { SUBJECT } from '../report.js';
import { HEAVY_QUERIES, type HeavyQuery } from '../workloads/heavy-queries.js';
import { type ScrapeSpec, scrapeFleet } from '../workloads/scrape-targets.js';
import { ask, Probes } from './probes.js';
import { failedScrapes, Pages, scrapeConfig } from './targets.js';

/** Pages of each target before anything counts: queries want a minute of data. */
const WARM_PAGES = 30;
/** Heavy queries may take so long, by their own parameter. */
const TIMEOUT_S = 10;

export const deathGroup: Group = {
  paths: ['query-of-death'],
  run: async (context, server, _wanted, done) => {
    const { targets, series } = context.options.sizes.death;
    const spec: ScrapeSpec = { targets, series, gzip: false, seed: context.options.seed };
    context.progress.task(`${server.name}: rendering ${targets} targets`);
    const pages = new Pages(spec);
    try {
      done(await attack(context, server, spec, pages));
    } finally {
      pages.close();
    }
  },
};

async function attack(
  { options, progress }: Context,
  server: Server,
  spec: ScrapeSpec,
  pages: Pages,
): Promise<Outcome> {
  const { seconds, clients } = options.sizes.death;
  const peer = await server.start(scrapeConfig(spec, await pages.ports()));
  try {
    progress.task(`${peer.name}: first scrapes`);
    await pages.reach(WARM_PAGES);
    progress.task(`${peer.name}: ${clients} clients`);
    const load = new Load(peer.url);
    const probes = new Probes(peer.url, scrapeFleet(spec).instance(0));
    const [startMs, pagesBefore] = [Date.now(), await pages.total()];
    const ends = Array.from({ length: clients }, (_, client) => load.attack(client));
    ends.push(probes.run());
    for (let second = 1; second <= seconds; second++) {
      await pause(1000);
      progress.at(`${second} of ${seconds} s`);
    }
    const scraped = (await pages.total()) - pagesBefore;
    load.stop();
    probes.stop();
    await Promise.all(ends);
    const endMs = Date.now();
    const { peakBytes } = await peer.meter.memory();
    const down = await failedScrapes(peer.url, startMs, endMs);
    const due = spec.targets * seconds;
    const measures = [
      less('missed', 'scrapes missed', '', Math.max(0, due - scraped) + down),
      { ...less('probe', 'small queries, p99', 'ms', quantile(probes.times, 0.99)) },
      said('probe-median', 'small queries, median', 'ms', quantile(probes.times, 0.5)),
      said('probe-failures', 'small queries that failed', '', probes.failures),
      less('peak', 'most memory', 'B', peakBytes),
      said(
        'answered',
        'heavy queries answered',
        '',
        load.count((status) => status === 200),
      ),
      said(
        'refused',
        'heavy queries refused',
        '',
        load.count((status) => status >= 400 && status < 600),
      ),
      said(
        'broken',
        'heavy queries cut off',
        '',
        load.count((status) => status === 0),
      ),
    ];
    return {
      path: 'query-of-death',
      title: `${clients} clients of the heaviest queries for ${seconds} s, beside ${spec.targets} × ${spec.series} samples a second`,
      server: peer.name,
      version: peer.version,
      measures,
      checks: load.lines(),
      failure: peer.name === SUBJECT ? brokenBounds(measures, probes) : undefined,
    };
  } finally {
    await peer.close();
  }
}

/** What a run broke of what must hold. */
function brokenBounds(measures: Outcome['measures'], probes: Probes): string | undefined {
  const broken = measures.flatMap(({ id, label, value }) => {
    const budget = budgetOf('query-of-death', id);
    return budget === undefined || isMet(budget, value) ? [] : [`${label}: ${Math.round(value)}`];
  });
  if (probes.failures > 0) broken.push(`${probes.failures} small queries failed: ${probes.failure}`);
  return broken.length === 0 ? undefined : broken.join('\n    ');
}

/** The clients and what they saw. */
class Load {
  readonly #url: string;
  /** Answers by query and status; 0 is a connection that ended. */
  readonly #statuses = new Map<string, Map<number, number>>();
  readonly #times = new Map<string, number[]>();
  #stopped = false;

  constructor(url: string) {
    this.#url = url;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** One heavy query after the other; each client begins with another. */
  async attack(client: number): Promise<void> {
    for (let at = client; !this.#stopped; at++) {
      const heavy = HEAVY_QUERIES[at % HEAVY_QUERIES.length]!;
      const { status, totalMs } = await ask(this.#url + heavyPath(heavy));
      const statuses = this.#statuses.get(heavy.id) ?? new Map<number, number>();
      this.#statuses.set(heavy.id, statuses.set(status, (statuses.get(status) ?? 0) + 1));
      this.#times.set(heavy.id, [...(this.#times.get(heavy.id) ?? []), totalMs]);
      // A server that is gone, or refuses at once, is not asked without a pause.
      if (status !== 200) await pause(20);
    }
  }

  count(wanted: (status: number) => boolean): number {
    let count = 0;
    for (const statuses of this.#statuses.values()) {
      for (const [status, times] of statuses) if (wanted(status)) count += times;
    }
    return count;
  }

  /** By query: its statuses and how long it took. */
  lines(): string[] {
    return [...this.#statuses].map(([id, statuses]) => {
      const said = [...statuses].map(([status, times]) => `${times}× ${status || 'cut off'}`).join(' ');
      return `${id}: ${said}, median ${Math.round(quantile(this.#times.get(id)!, 0.5))} ms`;
    });
  }
}

function heavyPath({ expression, range }: HeavyQuery): string {
  const endS = Math.floor(Date.now() / 1000);
  const common = { query: expression, timeout: `${TIMEOUT_S}s` };
  if (range === undefined) return `/api/v1/query?${new URLSearchParams(common)}`;
  const { seconds, steps } = range;
  const times = { start: String(endS - seconds), end: String(endS), step: (seconds / (steps - 1)).toFixed(6) };
  return `/api/v1/query_range?${new URLSearchParams({ ...common, ...times })}`;
}
