// Asking one query until its median is known, and what an answer was.

import type { Answer } from '../bench.js';
import { seriesOf } from '../client.js';
import type { Connection } from '../connection.js';
import { queryPath, type SuiteQuery } from '../workloads/suite.js';

/** Before anything counts, each query at least so many times or so long: servers that compile as they run go on running. */
const WARM_TIMES = 5;
const WARM_MS = 100;
/** A quick query is asked more often than it must, so that its median is one. */
const ENOUGH_MS = 200;
const MOST_TIMES = 200;
/** A query that takes longer altogether is asked fewer times, but at least LEAST_TIMES. */
const BUDGET_MS = 10_000;
const LEAST_TIMES = 3;

export interface Timing {
  readonly timesMs: number[];
  readonly answer: Answer;
}

/** Asks `query` at least `times` times, one after the other. */
export async function time(connection: Connection, query: SuiteQuery, endMs: number, times: number): Promise<Timing> {
  const path = queryPath(query, endMs);
  const answer = answerOf(seriesOf(await connection.get(path, true), query.expression));
  await repeat(connection, path, WARM_TIMES, WARM_MS);
  return { timesMs: await repeat(connection, path, times, ENOUGH_MS), answer };
}

async function repeat(connection: Connection, path: string, times: number, enoughMs: number): Promise<number[]> {
  const all: number[] = [];
  const startedMs = performance.now();
  for (;;) {
    const spentMs = performance.now() - startedMs;
    const wanted = all.length < times || (spentMs < enoughMs && all.length < MOST_TIMES);
    const affordable = all.length < LEAST_TIMES || spentMs < BUDGET_MS;
    if (!wanted || !affordable) return all;
    all.push((await connection.get(path)).totalMs);
  }
}

function answerOf(series: ReturnType<typeof seriesOf>): Answer {
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
