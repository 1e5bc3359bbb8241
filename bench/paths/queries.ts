// The query suite, each query so many times, one after the other, over the same six hours on every server.

import { type Answer, type Group, less, type Measure, type Outcome, QUIET_CONFIG } from '../bench.js';
import { Connection } from '../connection.js';
import { geometricMean, quantile } from '../measure.js';
import { SUBJECT } from '../report.js';
import { queryPath, SUITE, type SuiteQuery } from '../workloads/suite.js';
import { millions, writeOnce } from './load.js';
import { time } from './suite-timing.js';

/** The whole suite so many times before anything counts: servers that compile as they run are measured as they run on. */
const WARM_PASSES = 3;
/** Whose answers ours must equal. VictoriaMetrics means other things by rate() and increase(). */
const REFERENCE = 'prometheus';
const ANSWER_TOLERANCE = 1e-9;

export const queriesGroup: Group = {
  paths: ['queries'],
  run: async (context, server, _wanted, done) => {
    const { fleet, steps, repeats } = context.options.sizes.suite;
    const times = context.options.times ?? repeats;
    const suite = asked(context.options.only);
    const peer = await server.start(QUIET_CONFIG, `suite-${fleet.series}x${steps}`);
    try {
      const { spec, samples, checks } = await writeOnce(context, peer, { fleet, steps });
      const measures: Measure[] = [];
      const answers: Record<string, Answer> = {};
      const failures: string[] = [];
      const connection = await Connection.open(peer.url);
      context.progress.task(`${peer.name}: warming up`);
      for (let pass = 0; pass < WARM_PASSES; pass++) {
        for (const query of suite) await connection.get(queryPath(query, spec.endMs));
      }
      const cpuBefore = await peer.meter.cpuSeconds();
      for (const query of suite) {
        context.progress.task(`${peer.name}: ${query.expression}`);
        try {
          const { timesMs, answer } = await time(connection, query, spec.endMs, times);
          answers[query.id] = answer;
          const p50 = quantile(timesMs, 0.5);
          measures.push({ ...less(query.id, query.id, 'ms', p50), p99: quantile(timesMs, 0.99) });
        } catch (error) {
          failures.push(`${query.id}: ${error instanceof Error ? error.message : error}`);
        }
      }
      connection.close();
      measures.push(less('cpu', 'CPU of the suite', 's', (await peer.meter.cpuSeconds()) - cpuBefore));
      measures.push(less('peak', 'most memory', 'B', (await peer.meter.memory()).peakBytes));
      const bytes = peer.process?.restingBytesPerSample(samples) ?? Number.NaN;
      measures.push(less('disk', 'disk, without the log', 'B/sample', bytes));
      done({
        path: 'queries',
        title:
          `queries: ${suite.length}, ${times} times each and more, over ${millions(samples)} samples ` +
          `of ${fleet.series.toLocaleString('en')} series; medians`,
        server: peer.name,
        version: peer.version,
        measures,
        checks,
        failure: failures.length > 0 ? failures.join('\n    ') : undefined,
        answers,
      });
    } finally {
      await peer.close();
    }
  },
  compare: (outcomes) => compareAnswers(withMeans(outcomes)),
};

function asked(only: readonly string[]): readonly SuiteQuery[] {
  const unknown = only.find((id) => !SUITE.some((query) => query.id === id));
  if (unknown) throw new Error(`there is no query ${unknown}; there are ${SUITE.map(({ id }) => id).join(', ')}`);
  return only.length === 0 ? SUITE : SUITE.filter(({ id }) => only.includes(id));
}

/** The geometric mean of the medians, over the queries that every server answered. */
function withMeans(outcomes: readonly Outcome[]): Outcome[] {
  const common = SUITE.filter(({ id }) => outcomes.every(({ answers }) => answers === undefined || id in answers));
  return outcomes.map((outcome) => {
    if (!outcome.answers || common.length === 0) return outcome;
    const medians = common.map(({ id }) => outcome.measures.find((measure) => measure.id === id)!.value);
    const label = `geometric mean of ${common.length}`;
    return { ...outcome, measures: [less('mean', label, 'ms', geometricMean(medians)), ...outcome.measures] };
  });
}

function compareAnswers(outcomes: readonly Outcome[]): Outcome[] {
  const right = outcomes.find(({ server }) => server === REFERENCE)?.answers;
  return outcomes.map((outcome) => {
    if (outcome.server !== SUBJECT || !outcome.answers || !right) return outcome;
    const asked = SUITE.filter(({ id }) => outcome.answers![id] && right[id]);
    const wrong = asked
      .filter(({ id }) => !same(outcome.answers![id]!, right[id]!))
      .map(({ id }) => {
        return `${id}: ${JSON.stringify(outcome.answers![id])}, but ${REFERENCE} ${JSON.stringify(right[id])}`;
      });
    if (wrong.length === 0)
      return { ...outcome, checks: [...outcome.checks, `${asked.length} answers as ${REFERENCE}'s`] };
    return { ...outcome, failure: [outcome.failure, ...wrong].filter(Boolean).join('\n    ') };
  });
}

function same(one: Answer, other: Answer): boolean {
  const close = Math.abs(one.sum - other.sum) <= ANSWER_TOLERANCE * Math.abs(other.sum);
  return one.series === other.series && one.values === other.values && close;
}
