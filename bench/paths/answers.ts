// What a server answered, in three numbers, and whether another one answered the same.

import type { Answer, Outcome } from '../bench.js';
import { seriesOf } from '../client.js';
import type { Timed } from '../connection.js';
import { SUBJECT } from '../report.js';
import type { SuiteQuery } from '../workloads/suite-query.js';
import { mix } from '../workloads/values.js';

/** Whose answers ours must equal. VictoriaMetrics means other things by rate() and increase(). */
const REFERENCE = 'prometheus';
const TOLERANCE = 1e-9;

export function answerOf(query: SuiteQuery, timed: Timed): Answer {
  return query.metadata ? ofListing(timed, query.text) : ofSeries(seriesOf(timed, query.text));
}

function ofSeries(series: ReturnType<typeof seriesOf>): Answer {
  let values = 0;
  let sum = 0;
  for (const each of series) {
    for (const [, text] of each.values ?? (each.value ? [each.value] : [])) {
      const value = Number(text);
      values++;
      if (Number.isFinite(value)) sum += value;
    }
  }
  return { series: series.length, values, sum };
}

/** Names, values, or series as objects of labels: compared as sets. */
function ofListing({ status, body }: Timed, what: string): Answer {
  if (status !== 200) throw new Error(`${what}: HTTP ${status} ${body.toString().slice(0, 300)}`);
  const { data } = JSON.parse(body.toString()) as { data: readonly (string | Readonly<Record<string, string>>)[] };
  let values = 0;
  let sum = 0;
  for (const entry of data) {
    const labels = typeof entry === 'string' ? [['', entry]] : Object.entries(entry).sort();
    values += labels.length;
    sum += hash(JSON.stringify(labels));
  }
  return { series: data.length, values, sum };
}

function hash(text: string): number {
  let all = text.length;
  for (let at = 0; at < text.length; at++) all = mix(all, text.charCodeAt(at));
  return all;
}

/** Adds to our outcome that its answers are the reference's, or which are not. */
export function compareAnswers(outcomes: readonly Outcome[]): Outcome[] {
  const reference = outcomes.find(({ server }) => server === REFERENCE);
  const right = reference?.answers;
  return outcomes.map((outcome) => {
    const ours = outcome.answers;
    if (outcome.server !== SUBJECT || !ours || !right) return outcome;
    // Values may depend on the time, and loads that were kept may end at others.
    const withSums = outcome.endMs === reference?.endMs;
    const asked = Object.keys(ours).filter((id) => right[id] !== undefined);
    const wrong = asked
      .filter((id) => !same(ours[id]!, right[id]!, withSums))
      .map((id) => `${id}: ${JSON.stringify(ours[id])}, but ${REFERENCE} ${JSON.stringify(right[id])}`);
    const what = withSums ? 'answers' : 'sizes of answers';
    if (wrong.length === 0)
      return { ...outcome, checks: [...outcome.checks, `${asked.length} ${what} as ${REFERENCE}'s`] };
    return { ...outcome, failure: [outcome.failure, ...wrong].filter(Boolean).join('\n    ') };
  });
}

function same(one: Answer, other: Answer, withSums: boolean): boolean {
  const close = Math.abs(one.sum - other.sum) <= TOLERANCE * Math.abs(other.sum);
  return one.series === other.series && one.values === other.values && (close || !withSums);
}
