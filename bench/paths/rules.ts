// Rules over a fleet that is scraped: what evaluating them costs, and whether all are in time. Processor time without rules is
// measured first, so that what is told is that of rules alone.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Context, type Group, less, type Outcome, pause, type Server, said } from '../bench.js';
import { fetchAll, scalar } from '../client.js';
import { victoria } from '../peers/kinds.js';
import type { Peer } from '../peers/peer.js';
import { HEAVY_QUERIES } from '../workloads/heavy-queries.js';
import { RULES_OF_GROUP, ruleFile } from '../workloads/rules.js';
import { type ScrapeSpec, scrapeFleet } from '../workloads/scrape-targets.js';
import { ask } from './probes.js';
import { Pages, scrapeConfig } from './targets.js';

const INTERVAL_S = 15;
/** Windows of a minute are to be full. */
const WARM_S = 75;
/** Rules begin at moments of their own within an interval, and restore after the second evaluation. */
const RULES_WARM_S = 3 * INTERVAL_S;

export const rulesGroups: readonly Group[] = [
  { paths: ['rules'], run: (context, server, _wanted, done) => run(context, server, 0, done) },
  { paths: ['rules-beside-heavy'], run: (context, server, _wanted, done) => run(context, server, 2, done) },
];

/** `clients` ask heavy queries meanwhile. */
async function run(context: Context, server: Server, clients: number, done: (outcome: Outcome) => void): Promise<void> {
  // It evaluates no rules by itself.
  if (server.name === victoria.name) return;
  const { targets, series } = context.options.sizes.rules;
  const spec: ScrapeSpec = { targets, series, gzip: false, format: 'text', seed: context.options.seed };
  context.progress.task(`${server.name}: rendering ${targets} targets`);
  const pages = new Pages(spec);
  const folder = mkdtempSync(join(tmpdir(), 'narthex-bench-rules-'));
  try {
    const config = scrapeConfig(spec, await pages.ports()).replaceAll('1s', `${INTERVAL_S}s`);
    const peer = await server.start(`${config}rule_files: ['${folder}/*.yml']\n`);
    try {
      done(await measure(context, peer, spec, { folder, config, clients }));
    } finally {
      await peer.close();
    }
  } finally {
    pages.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Load {
  readonly folder: string;
  readonly config: string;
  readonly clients: number;
}

async function measure({ options, progress }: Context, peer: Peer, spec: ScrapeSpec, load: Load): Promise<Outcome> {
  const { seconds } = options.sizes.rules;
  const cpuOf = async (what: string) => {
    const before = await peer.meter.cpuSeconds();
    for (let second = 1; second <= seconds; second++) {
      await pause(1000);
      progress.at(`${what}, ${second} of ${seconds} s`);
    }
    return (await peer.meter.cpuSeconds()) - before;
  };
  progress.task(`${peer.name}: the first scrapes`);
  await pause(WARM_S * 1000);
  const heavy = new HeavyClients(peer.url, load.clients);
  const alone = await cpuOf('without rules');
  const fleet = scrapeFleet(spec);
  const instances = Array.from({ length: spec.targets }, (_, i) => fleet.instance(i));
  writeFileSync(join(load.folder, 'rules.yml'), ruleFile(instances, INTERVAL_S));
  peer.process?.reload(`${load.config}rule_files: ['${load.folder}/*.yml']\n`);
  await pause(RULES_WARM_S * 1000);
  const before = await countsOf(peer.url);
  const withRules = await cpuOf('with rules');
  const after = await countsOf(peer.url);
  const rules = spec.targets * RULES_OF_GROUP;
  const asked = await heavy.stop();
  const evaluations = after.evaluations - before.evaluations;
  return {
    path: load.clients === 0 ? 'rules' : 'rules-beside-heavy',
    title:
      `${rules.toLocaleString('en')} rules in ${spec.targets} groups each ${INTERVAL_S} s over ` +
      `${(spec.targets * spec.series).toLocaleString('en')} series, ${seconds} s` +
      (load.clients === 0 ? '' : `, beside ${load.clients} clients of heavy queries`),
    server: peer.name,
    version: peer.version,
    measures: [
      // Beside heavy queries it says nothing: they take what is left.
      ...(load.clients === 0
        ? [less('cpu', 'CPU per 1,000 evaluations', 's', (withRules - alone) / (evaluations / 1000))]
        : []),
      said('evaluations', 'evaluations of those due', '%', (100 * evaluations) / ((rules * seconds) / INTERVAL_S)),
      said('missed', 'iterations missed', '', after.missed),
      said('failed', 'evaluations that failed', '', after.failed),
      less('duration', 'of a group, median', 'ms', 1000 * after.groupSeconds),
      less('memory', 'memory', 'B', (await peer.meter.memory()).rssBytes),
      ...(load.clients === 0 ? [] : [said('asked', 'heavy queries ended', '', asked)]),
    ],
    checks: [`${await scalar(peer.url, 'count(instance:requests)', Date.now())} series of the first rule`],
    failure: after.missed > 0 ? `${after.missed} iterations missed` : undefined,
  };
}

/** What the server says of its rules. */
async function countsOf(url: string) {
  const page = (await fetchAll(`${url}/metrics`)).body.toString().split('\n');
  const values = (name: string) =>
    page.filter((line) => line.startsWith(name)).map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  const sum = (name: string) => values(`${name}{`).reduce((total, value) => total + value, 0);
  return {
    evaluations: sum('prometheus_rule_evaluations_total'),
    failed: sum('prometheus_rule_evaluation_failures_total'),
    missed: sum('prometheus_rule_group_iterations_missed_total'),
    groupSeconds: values('prometheus_rule_group_duration_seconds{quantile="0.5"}')[0] ?? Number.NaN,
  };
}

/** Each asks one heavy query after the other. */
class HeavyClients {
  #isStopped = false;
  #ended = 0;
  readonly #running: Promise<void>[];

  constructor(url: string, count: number) {
    this.#running = Array.from({ length: count }, (_, i) => this.#run(url, i));
  }

  /** Gives the number of queries that ended, well or not. */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await Promise.all(this.#running);
    return this.#ended;
  }

  async #run(url: string, first: number): Promise<void> {
    for (let at = first; !this.#isStopped; at++) {
      const { expression, range } = HEAVY_QUERIES[at % HEAVY_QUERIES.length]!;
      const endS = Math.floor(Date.now() / 1000);
      const params: Record<string, string> =
        range === undefined
          ? { query: expression, time: String(endS), timeout: '20s' }
          : {
              query: expression,
              start: String(endS - range.seconds),
              end: String(endS),
              step: String(range.seconds / range.steps),
              timeout: '20s',
            };
      await ask(`${url}/api/v1/query${range === undefined ? '' : '_range'}?${new URLSearchParams(params)}`);
      this.#ended++;
    }
  }
}
