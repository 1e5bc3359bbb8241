// Two hours of the head become a block, while scraping and small queries go on.
//
//   written, nearly three hours      scraped, 100,000 samples a second
//   ├───────────────────────────────┼──── idle ────┬──────── cut ────────┬─ a while ─┤
//   first sample                   now        the head spans          the head
//                                             three hours             has shrunk
//
// Nobody may notice: what counts is what the cut does to scrapes, to small queries and to memory, against the idle while before it.

import { type Context, type Group, less, type Outcome, pause, QUIET_CONFIG, type Server, said } from '../bench.js';
import { quantile } from '../measure.js';
import type { Peer } from '../peers/peer.js';
import { type ScrapeSpec, scrapeFleet } from '../workloads/scrape-targets.js';
import { millions, write } from './load.js';
import { Probes } from './probes.js';
import { failedScrapes, Pages, scrapeConfig } from './targets.js';

const STEP_MS = 60_000;
/** Of the head when it is cut. */
const CUT_SPAN_MS = 3 * 3_600_000;
/** The load ends, and the idle while too, before the head spans as much. */
const RESERVE_MS = 360_000;
const WARM_PAGES = 20;
const IDLE_MS = 60_000;
/** Watched so long before the head spans what it has to and after it has shrunk. */
const MARGIN_MS = 10_000;
const CUT_TIMEOUT_MS = 600_000;

export const headCutGroup: Group = {
  paths: ['head-cut'],
  run: async (context, server, _wanted, done) => {
    const { targets, series } = context.options.sizes.cut;
    const spec: ScrapeSpec = { targets, series, gzip: false, seed: context.options.seed + 1 };
    const pages = new Pages(spec);
    try {
      done(await cutUnderLoad(context, server, spec, pages));
    } finally {
      pages.close();
    }
  },
};

async function cutUnderLoad(context: Context, server: Server, spec: ScrapeSpec, pages: Pages): Promise<Outcome> {
  const { fleet } = context.options.sizes.cut;
  const { progress } = context;
  const ports = await pages.ports();
  const peer = await server.start(QUIET_CONFIG);
  try {
    if (peer.process === undefined) throw new Error('a server given by its URL is not told to scrape');
    const steps = (CUT_SPAN_MS - RESERVE_MS) / STEP_MS;
    const { spec: written } = await write(context, peer, { fleet, steps, stepMs: STEP_MS });
    const cutMs = written.endMs - (steps - 1) * STEP_MS + CUT_SPAN_MS;
    peer.process.reload(scrapeConfig(spec, ports));
    progress.task(`${peer.name}: first scrapes`);
    await pages.reach(WARM_PAGES);
    if (Date.now() + IDLE_MS + MARGIN_MS > cutMs) throw new Error('the load took so long that the head is cut already');
    const instance = scrapeFleet(spec).instance(0);
    progress.task(`${peer.name}: idle`);
    const idle = await watch(peer, spec, pages, instance, () => pause(IDLE_MS));
    progress.task(`${peer.name}: until the head spans ${CUT_SPAN_MS / 3_600_000} hours`);
    await pause(Math.max(0, cutMs - MARGIN_MS - Date.now()));
    progress.task(`${peer.name}: the cut`);
    const cut = await watch(peer, spec, pages, instance, async () => {
      const began = performance.now();
      const minMs = await headMinMs(peer.url);
      while ((await headMinMs(peer.url)) === minMs) {
        if (performance.now() - began > CUT_TIMEOUT_MS) throw new Error('the head was not cut');
        await pause(500);
      }
      await pause(MARGIN_MS);
    });
    return outcome(peer, fleet.series + spec.targets * spec.series, idle, cut);
  } finally {
    await peer.close();
  }
}

/** What was seen in a while. */
interface Seen {
  readonly seconds: number;
  readonly missed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly failures: number;
  readonly failure: string;
  readonly steadyBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

async function watch(
  peer: Peer,
  { targets }: ScrapeSpec,
  pages: Pages,
  instance: string,
  until: () => Promise<void>,
): Promise<Seen> {
  const probes = new Probes(peer.url, instance);
  const { rssBytes: steadyBytes } = await peer.meter.memory();
  peer.meter.resetPeak();
  const [startMs, pagesBefore, cpuBefore] = [Date.now(), await pages.total(), await peer.meter.cpuSeconds()];
  const asking = probes.run();
  await until();
  const [endMs, pagesAfter] = [Date.now(), await pages.total()];
  probes.stop();
  await asking;
  const seconds = (endMs - startMs) / 1000;
  const due = Math.floor(seconds) * targets;
  return {
    seconds,
    // A scrape at either edge may be on its way.
    missed: Math.max(0, due - (pagesAfter - pagesBefore)) + (await failedScrapes(peer.url, startMs, endMs)),
    p50Ms: quantile(probes.times, 0.5),
    p99Ms: quantile(probes.times, 0.99),
    maxMs: quantile(probes.times, 1),
    failures: probes.failures,
    failure: probes.failure,
    steadyBytes,
    peakBytes: (await peer.meter.memory()).peakBytes,
    cpuSeconds: (await peer.meter.cpuSeconds()) - cpuBefore,
  };
}

function outcome({ name, version }: Peer, series: number, idle: Seen, cut: Seen): Outcome {
  const failed = idle.failures + cut.failures;
  return {
    path: 'head-cut',
    title: `two hours of ${millions(series)} series become a block, beside scraping and small queries`,
    server: name,
    version,
    measures: [
      less('missed', 'scrapes missed', '', cut.missed),
      less('slowdown', 'small queries, p99 against idle', '×', cut.p99Ms / idle.p99Ms),
      less('growth', 'most memory against idle', '×', cut.peakBytes / idle.steadyBytes),
      said('idle-p99', 'small queries, p99 idle', 'ms', idle.p99Ms),
      said('cut-p99', 'small queries, p99 at the cut', 'ms', cut.p99Ms),
      said('cut-max', 'the slowest', 'ms', cut.maxMs),
      said('idle-rss', 'memory idle', 'B', idle.steadyBytes),
      said('cut-peak', 'most memory at the cut', 'B', cut.peakBytes),
      said('seconds', 'watched', 's', cut.seconds),
      less('cpu', 'CPU above idle', 's', cut.cpuSeconds - (idle.cpuSeconds / idle.seconds) * cut.seconds),
      said('idle-missed', 'scrapes missed idle', '', idle.missed),
    ],
    checks: [],
    failure: failed === 0 ? undefined : `${failed} small queries failed: ${cut.failure || idle.failure}`,
  };
}

async function headMinMs(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^prometheus_tsdb_head_min_time (\S+)/m.exec(text)?.[1]);
}
