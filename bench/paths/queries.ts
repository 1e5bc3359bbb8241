// The query suites: each query so many times, one after the other, over the same load on every server; then all of them
// by several clients at once.

import {
  type Answer,
  type Context,
  type Group,
  less,
  type Measure,
  more,
  type Outcome,
  QUIET_CONFIG,
  said,
} from '../bench.js';
import { Connection } from '../connection.js';
import { geometricMean } from '../measure.js';
import type { SuiteSize } from '../options.js';
import type { Peer } from '../peers/peer.js';
import { nowUs, writeWindows } from '../profile-windows.js';
import { SUBJECT } from '../report.js';
import { SUITE, SUITE_BLOCKS } from '../workloads/suite.js';
import type { Suite, SuiteQuery } from '../workloads/suite-query.js';
import { SUITE_WIDE } from '../workloads/suite-wide.js';
import { compareAnswers } from './answers.js';
import { type Loaded, millions, writeOnce } from './load.js';
import { clientMs, time, together } from './suite-timing.js';

/**
 * The whole suite so many times before anything counts, then its cheap queries until so many requests were answered: servers that
 * compile as they run are measured as they run on.
 */
const WARM_PASSES = 3;
const WARM_REQUESTS = 2000;
const CHEAP_MS = 5;
/** Loads end with an hour, so that the steps of subqueries, which lie on whole minutes, meet the same samples. */
const HOUR_MS = 3_600_000;
/** A load that is to be in blocks ends so long before the newest sample: heads span three hours at the most. */
const PAST_MS = 4 * HOUR_MS;

export const queriesGroups: readonly Group[] = [
  group(SUITE, ({ options }) => options.sizes.suite),
  group(SUITE_BLOCKS, ({ options }) => options.sizes.suite),
  group(SUITE_WIDE, ({ options }) => options.sizes.wide),
];

function group(suite: Suite, sizeOf: (context: Context) => SuiteSize): Group {
  return {
    paths: [suite.path],
    run: async (context, server, _wanted, done) => {
      const size = sizeOf(context);
      const { fleet, steps } = size;
      const queries = chosen(suite, context.options.only);
      const peer = await server.start(QUIET_CONFIG, `${suite.path}-${fleet.series}x${steps}`);
      try {
        const hourMs = Math.floor(context.startMs / HOUR_MS) * HOUR_MS;
        const load = suite.inBlocks
          ? { fleet, steps, endMs: hourMs - PAST_MS, followedMs: PAST_MS }
          : { fleet, steps, endMs: hourMs };
        const loaded = await writeOnce(context, peer, load);
        const result = await ask(context, peer, queries, loaded, size);
        const title = `${suite.path}: ${queries.length} over ${millions(loaded.samples)} samples of ${fleet.series.toLocaleString('en')} series; medians`;
        done({
          path: suite.path,
          title,
          server: peer.name,
          version: peer.version,
          checks: loaded.checks,
          endMs: loaded.spec.endMs,
          ...result,
        });
      } finally {
        await peer.close();
      }
    },
    compare: (outcomes) => compareAnswers(withMeans(suite, outcomes)),
  };
}

function chosen({ path, queries }: Suite, only: readonly string[]): readonly SuiteQuery[] {
  const unknown = only.find((id) => !queries.some((query) => query.id === id));
  if (unknown) throw new Error(`${path} has no ${unknown}; it has ${queries.map(({ id }) => id).join(', ')}`);
  return only.length === 0 ? queries : queries.filter(({ id }) => only.includes(id));
}

type Result = Pick<Outcome, 'measures' | 'failure' | 'answers'>;

async function ask(
  { options, progress }: Context,
  peer: Peer,
  queries: readonly SuiteQuery[],
  { spec: { endMs }, samples }: Loaded,
  { repeats, rounds }: SuiteSize,
): Promise<Result> {
  const measures: Measure[] = [];
  const answers: Record<string, Answer> = {};
  const failures: string[] = [];
  const connection = await Connection.open(peer.url);
  peer.meter.resetPeak();
  const windows = new Map<string, readonly [fromUs: number, toUs: number]>();
  progress.task(`${peer.name}: warming up`);
  await warmUp(connection, queries, endMs);
  let cpuMsOfAll = 0;
  for (const query of queries) {
    progress.task(`${peer.name}: ${query.id}: ${query.text}`);
    const fromUs = nowUs();
    try {
      const { p50Ms, p99Ms, cpuMs, answer } = await time(
        connection,
        peer.meter,
        query,
        endMs,
        options.times ?? repeats,
      );
      answers[query.id] = answer;
      windows.set(query.id, [fromUs, nowUs()]);
      cpuMsOfAll += cpuMs ?? Number.NaN;
      measures.push({ ...less(query.id, query.id, 'ms', p50Ms), p99: p99Ms, ...(cpuMs !== undefined && { cpuMs }) });
    } catch (error) {
      failures.push(`${query.id}: ${error instanceof Error ? error.message : error}`);
    }
  }
  connection.close();
  if (options.profileFolder !== undefined && peer.name === SUBJECT) writeWindows(options.profileFolder, windows);
  measures.push(less('cpu', 'CPU of all, once each', 'ms', cpuMsOfAll));
  if (options.clients > 0) measures.push(...(await withClients(peer, queries, endMs, options.clients, rounds)));
  measures.push(less('peak', 'most memory while it is asked', 'B', (await peer.meter.memory()).peakBytes));
  measures.push(said('client', 'the client alone', 'ms', await clientMs()));
  const bytes = peer.process?.restingBytesPerSample(samples) ?? Number.NaN;
  measures.push(less('disk', 'disk, without the log', 'B/sample', bytes));
  return { measures, failure: failures.length > 0 ? failures.join('\n    ') : undefined, answers };
}

async function withClients(
  peer: Peer,
  queries: readonly SuiteQuery[],
  endMs: number,
  clients: number,
  rounds: number,
): Promise<Measure[]> {
  const { queriesPerSecond, cpuSecondsPer1000 } = await together(peer, queries, endMs, clients, rounds);
  return [
    more('rate', `queries of ${clients} clients`, '/s', queriesPerSecond),
    less('cpu-1000', 'CPU per 1,000 of these', 's', cpuSecondsPer1000),
  ];
}

/** Puts before the medians, over the queries that every server answered: their geometric mean, and how many we lose. */
function withMeans({ queries }: Suite, outcomes: readonly Outcome[]): Outcome[] {
  const answered = outcomes.filter(({ answers }) => answers !== undefined);
  const common = queries.filter(({ id }) => answered.every(({ answers }) => id in answers!));
  if (common.length === 0) return [...outcomes];
  const median = (outcome: Outcome, id: string) => outcome.measures.find((measure) => measure.id === id)!.value;
  const peers = answered.filter(({ server }) => server !== SUBJECT);
  return outcomes.map((outcome) => {
    if (!answered.includes(outcome)) return outcome;
    const mean = geometricMean(common.map(({ id }) => median(outcome, id)));
    const first = [less('mean', `geometric mean of ${common.length}`, 'ms', mean)];
    if (outcome.server === SUBJECT && peers.length > 0) {
      const slower = common.filter(({ id }) => peers.some((peer) => median(outcome, id) > median(peer, id)));
      first.push(less('slower', 'slower than the faster peer', `of ${common.length}`, slower.length));
    }
    return { ...outcome, measures: [...first, ...outcome.measures] };
  });
}
async function warmUp(connection: Connection, queries: readonly SuiteQuery[], endMs: number): Promise<void> {
  let cheap: SuiteQuery[] = [];
  for (let pass = 0; pass < WARM_PASSES; pass++) {
    cheap = [];
    for (const query of queries) {
      const begin = performance.now();
      await connection.get(query.path(endMs));
      if (performance.now() - begin < CHEAP_MS) cheap.push(query);
    }
  }
  for (let asked = 0; cheap.length > 0 && asked < WARM_REQUESTS; asked += cheap.length) {
    for (const query of cheap) await connection.get(query.path(endMs));
  }
}
