// The command line of `npm run bench`, and how large each load is.

import { parseArgs } from 'node:util';
import type { FleetSize } from './workloads/fleet.js';

export interface Options {
  readonly names: readonly string[];
  /** Kinds to start; undefined: all that are installed. */
  readonly servers: readonly string[] | undefined;
  /** Servers that run already: name → URL. */
  readonly urls: ReadonlyMap<string, string>;
  readonly seed: number;
  readonly sizes: Sizes;
  /** Of the suite: only these queries, where there are any. */
  readonly only: readonly string[];
  /** How often each query is timed at the least; undefined: as large as the load is. */
  readonly times: number | undefined;
  /** How many ask the suite at once, after it was asked alone; 0: none. */
  readonly clients: number;
  /** Leave the servers of `queries` running, and use those that an earlier run left. */
  readonly keep: boolean;
  /** Where our own server leaves processor profiles. */
  readonly profileFolder: string | undefined;
  /** Of our own server; undefined: as many as it makes by itself. */
  readonly shards: number | undefined;
  /** For `kernels`: only those whose name contains it. */
  readonly filter: string;
}

export interface Sizes {
  /** What the results are called: full, quick or the factor. */
  readonly name: string;
  readonly scrape: { readonly targets: number; readonly series: number; readonly seconds: number };
  readonly death: {
    readonly targets: number;
    readonly series: number;
    readonly seconds: number;
    readonly clients: number;
  };
  /** As many groups of rules as targets. */
  readonly rules: { readonly targets: number; readonly series: number; readonly seconds: number };
  readonly write: { readonly fleet: FleetSize; readonly steps: number };
  /** The load of memory, federate and restart: one sample each 15 s, the last of them now, sent as fast as the server takes them. */
  readonly head: { readonly fleet: FleetSize; readonly steps: number };
  readonly cut: { readonly fleet: FleetSize; readonly targets: number; readonly series: number };
  readonly suite: SuiteSize;
  readonly wide: SuiteSize;
}

export interface SuiteSize {
  readonly fleet: FleetSize;
  readonly steps: number;
  readonly repeats: number;
  /** How often each of several clients asks all of it. */
  readonly rounds: number;
}

export const STEP_MS = 15_000;
export const SAMPLES_PER_REQUEST = 2000;
export const CONNECTIONS = 4;

export const USAGE = `npm run bench -- <name> … [options]

  kernels       every kernel of the core by itself; --filter text
  scrape        scraping 250 targets of 2,000 series each second (--gzip: compressed pages); scrape-openmetrics and
                scrape-protobuf are the same in these formats
  write         remote write, 2,000 samples a request, 4 connections
  memory        a million series of 40 samples each (--churn: half as many again, replaced on the way;
                --hours 3: one each 15 s, as fast as the server takes them)
  federate      /federate of all of them
  restart       kill -9 with all of them, until ready and until the first queries
  queries       61 queries over 20,000 series of six hours
  queries-blocks  the queries of queries, all of their data in blocks
  queries-wide  23 queries over 200,000 series of two hours
  query-of-death  20 clients of the heaviest queries, beside 100,000 samples a second of scraping and small queries
  head-cut      two hours of a million series become a block, beside 100,000 samples a second of scraping and small queries
  rules         2,000 rules in 100 groups each 15 s over 200,000 series; rules-beside-heavy: and two clients of heavy queries
  idle          a server with nothing to do
  table file    the suite's results, from a file in bench/results, for docs/performance.md
  drop          ends the servers that --keep left running
  all           all of these but kernels

  --servers narthex,prometheus,victoria   which to start; others than narthex from $PEERS_DIR (default: all there are)
  --url name=http://host:port             a server that runs already; may be repeated
  --seed 42                               of all series and values
  --scale 1                               of the number of series (scrape: of targets)
  --series 1000000, --samples 40          memory, federate, restart: so many, and so many of each
  --hours 3                               the same: samples of so many hours
  --quick                                 a tenth of the series, shorter: to try out, not to quote
  --only id,id                            queries: only some
  --times n                               queries: how often each is timed at the least
  --clients 4                             queries: then all of it by so many at once; 0 leaves that out
  --keep                                  queries: leave loaded servers running, and use those that were left; ours
                                          starts again on its data when it was built anew
  --shards 4                              of narthex: one has memory for some ten million series at the most
  --profile folder                        processor profiles of narthex, one file a thread
`;

/** Reads the command line; throws with a sentence for the user. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      servers: { type: 'string' },
      url: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '42' },
      scale: { type: 'string' },
      quick: { type: 'boolean', default: false },
      gzip: { type: 'boolean', default: false },
      churn: { type: 'boolean', default: false },
      series: { type: 'string' },
      samples: { type: 'string' },
      hours: { type: 'string' },
      only: { type: 'string', default: '' },
      times: { type: 'string' },
      clients: { type: 'string' },
      keep: { type: 'boolean', default: false },
      profile: { type: 'string' },
      shards: { type: 'string' },
      filter: { type: 'string', default: '' },
    },
  });
  const urls = new Map(values.url.map(parseUrl));
  const servers = values.servers?.split(',') ?? (urls.size > 0 ? [] : undefined);
  const only = values.only === '' ? [] : values.only.split(',');
  const clients = values.clients ?? (only.length > 0 ? '0' : '4');
  const measures = sizes(optional('--scale', values.scale), values.quick);
  return {
    names: positionals.map((name) => variant(name, values)),
    servers,
    urls,
    seed: positive('--seed', values.seed),
    sizes: { ...measures, head: headSize(measures.head, values) },
    only,
    clients: clients === '0' ? 0 : positive('--clients', clients),
    times: optional('--times', values.times),
    keep: values.keep,
    profileFolder: values.profile,
    shards: optional('--shards', values.shards),
    filter: values.filter,
  };
}

function variant(name: string, { gzip, churn }: { gzip: boolean; churn: boolean }): string {
  if (gzip && /^scrape(-openmetrics|-protobuf)?$/.test(name)) return `${name}-gzip`;
  if (churn && name === 'memory') return 'memory-churn';
  return name;
}

function parseUrl(text: string): [name: string, url: string] {
  const at = text.indexOf('=');
  if (at < 1 || !URL.canParse(text.slice(at + 1))) throw new Error(`--url wants name=http://host:port, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} wants a number above 0, not ${text}`);
  return value;
}

function optional(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : positive(flag, text);
}

/** The load of memory, federate and restart, where it is to be another one. */
function headSize(
  { fleet, steps }: Sizes['head'],
  given: { readonly series?: string; readonly samples?: string; readonly hours?: string },
): Sizes['head'] {
  const hours = optional('--hours', given.hours);
  const { perInstance } = fleet;
  const series = optional('--series', given.series) ?? fleet.series;
  return {
    fleet: { series: Math.max(1, Math.round(series / perInstance)) * perInstance, perInstance },
    steps: hours === undefined ? (optional('--samples', given.samples) ?? steps) : (hours * 3_600_000) / STEP_MS,
  };
}

function sizes(scale: number | undefined, quick: boolean): Sizes {
  const factor = scale ?? (quick ? 0.1 : 1);
  const of = (series: number, perInstance: number): FleetSize => ({
    series: Math.max(1, Math.round((series * factor) / perInstance)) * perInstance,
    perInstance,
  });
  return {
    name: quick ? `quick, ${factor}` : factor === 1 ? 'full' : String(factor),
    scrape: { targets: Math.max(1, Math.round(250 * factor)), series: 2000, seconds: quick ? 10 : 30 },
    death: { targets: Math.max(1, Math.round(50 * factor)), series: 2000, seconds: quick ? 15 : 60, clients: 20 },
    rules: { targets: Math.max(1, Math.round(100 * factor)), series: 2000, seconds: quick ? 30 : 60 },
    write: { fleet: of(100_000, 1000), steps: quick ? 100 : 200 },
    head: { fleet: of(1_000_000, 1000), steps: 40 },
    cut: { fleet: of(900_000, 1000), targets: Math.max(1, Math.round(50 * factor)), series: 2000 },
    suite: { fleet: of(20_000, 200), steps: 1440, repeats: quick ? 7 : 15, rounds: 1 },
    wide: { fleet: of(200_000, 200), steps: 480, repeats: quick ? 5 : 9, rounds: 1 },
  };
}
