// Scraping many targets each second. The targets count their pages, so the samples are those that were really fetched.

import { type Context, type Group, less, type Outcome, pause, type Server, said } from '../bench.js';
import { query, scalar } from '../client.js';
import { quantile } from '../measure.js';
import { victoria } from '../peers/kinds.js';
import type { Peer } from '../peers/peer.js';
import { type PageFormat, type ScrapeSpec, scrapeFleet, stepOfPage } from '../workloads/scrape-targets.js';
import { Pages, scrapeConfig } from './targets.js';

/** Pages of each target before anything counts: the first ones create the series and warm the code up. */
const WARM_PAGES = 8;
const SERIES_CHECKED = 20;
const CHECK_WINDOW_S = 12;

export const scrapeGroups: readonly Group[] = [
  group('scrape', 'text', false),
  group('scrape-gzip', 'text', true),
  group('scrape-openmetrics', 'openmetrics', false),
  group('scrape-openmetrics-gzip', 'openmetrics', true),
  group('scrape-protobuf', 'protobuf', false),
  group('scrape-protobuf-gzip', 'protobuf', true),
];

function group(path: string, format: PageFormat, gzip: boolean): Group {
  return {
    paths: [path],
    run: async (context, server, _wanted, done) => {
      // It asks for text alone, and reads nothing else.
      if (format === 'protobuf' && server.name === victoria.name) return;
      const { targets, series } = context.options.sizes.scrape;
      const spec: ScrapeSpec = { targets, series, gzip, format, seed: context.options.seed };
      context.progress.task(`${server.name}: rendering ${targets} targets`);
      const pages = new Pages(spec);
      try {
        const config = scrapeConfig(spec, await pages.ports());
        done({ path, ...(await scrape(context, server, spec, pages, config)) });
      } finally {
        pages.close();
      }
    },
  };
}

async function scrape(
  { options, progress }: Context,
  server: Server,
  spec: ScrapeSpec,
  pages: Pages,
  config: string,
): Promise<Omit<Outcome, 'path'>> {
  const peer = await server.start(config);
  try {
    if (!peer.process) progress.task(`${peer.name}: waiting to be given this config\n${config}`);
    else progress.task(`${peer.name}: first scrapes`);
    await pages.reach(WARM_PAGES);
    const { seconds } = options.sizes.scrape;
    const memory: number[] = [];
    const [pagesBefore, cpuBefore] = [await pages.total(), await peer.meter.cpuSeconds()];
    for (let second = 1; second <= seconds; second++) {
      await pause(1000);
      memory.push((await peer.meter.memory()).rssBytes);
      progress.at(`${second} of ${seconds} s`);
    }
    const [pagesAfter, cpuAfter] = [await pages.total(), await peer.meter.cpuSeconds()];
    const scrapes = pagesAfter - pagesBefore;
    const samples = scrapes * spec.series;
    return {
      title:
        `scrape ingest: ${spec.targets} targets of ${spec.series.toLocaleString('en')} series ` +
        `each second for ${seconds} s, ${spec.format}${spec.gzip ? ', gzip' : ''}`,
      server: peer.name,
      version: peer.version,
      measures: [
        less('cpu', 'CPU per million samples', 's', (cpuAfter - cpuBefore) / (samples / 1e6)),
        said('scrapes', 'scrapes done of those due', '%', (100 * scrapes) / (spec.targets * seconds)),
        less('memory', 'memory, median', 'B', quantile(memory, 0.5)),
      ],
      checks: await verify(peer, spec, pages),
      failure: undefined,
    };
  } finally {
    await peer.close();
  }
}

/** Series are all there, and the newest samples of some are, in order, the values that their target gave. */
async function verify(peer: Peer, spec: ScrapeSpec, pages: Pages): Promise<string[]> {
  const fleet = scrapeFleet(spec);
  await pause(2000);
  const now = Date.now() - 1000;
  const count = await scalar(peer.url, 'count({job="bench",__name__!~"up|scrape_.*"})', now);
  if (count !== spec.targets * spec.series) {
    throw new Error(`${count} series, but the targets have ${spec.targets * spec.series}`);
  }
  for (let nth = 0; nth < SERIES_CHECKED; nth++) {
    const index = Math.floor((nth * fleet.size.series) / SERIES_CHECKED) + nth * 7;
    const target = Math.floor(index / spec.series);
    const [[, name], ...labels] = [...fleet.pageLabels(index)];
    const matchers = [...labels, ['instance', fleet.instance(target)]].map(([label, value]) => `${label}="${value}"`);
    const selector = `${name}{${matchers.join(',')}}[${CHECK_WINDOW_S}s]`;
    const found = await query(peer.url, selector, now);
    const got = (found[0]?.values ?? []).map(([, value]) => Number(value));
    const served = (await pages.served())[target]!;
    const gave = Array.from({ length: served }, (_, page) => fleet.values.at(index, stepOfPage(spec, page)));
    if (got.length < CHECK_WINDOW_S / 2 || !containsRun(gave, got)) {
      throw new Error(`${selector}: got ${got.join(' ')}, but the target's pages end ${gave.slice(-16).join(' ')}`);
    }
  }
  return [`${count} series`, `the values of ${SERIES_CHECKED} series over ${CHECK_WINDOW_S} s`];
}

/** VictoriaMetrics keeps decimal digits, not bits. */
const VALUE_TOLERANCE = 1e-12;

/** Whether `run` stands in `all` without a gap. */
export function containsRun(all: readonly number[], run: readonly number[]): boolean {
  for (let at = all.length - run.length; at >= 0; at--) {
    if (run.every((value, i) => Math.abs(value - all[at + i]!) <= VALUE_TOLERANCE * Math.abs(value))) return true;
  }
  return false;
}
