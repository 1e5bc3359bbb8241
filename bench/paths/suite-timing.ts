// Asking queries until their medians are known: one at a time, or several clients all of them at once.

import type { Answer } from '../bench.js';
import { Connection } from '../connection.js';
import { type Meter, quantile } from '../measure.js';
import type { Peer } from '../peers/peer.js';
import { Generator } from '../workloads/child.js';
import type { SuiteQuery } from '../workloads/suite-query.js';
import { answerOf } from './answers.js';

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
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server, for one answer; undefined where nothing tells. */
  readonly cpuMs: number | undefined;
  readonly answer: Answer;
}

/** Asks `query` at least `times` times, one after the other. */
export async function time(
  connection: Connection,
  meter: Meter,
  query: SuiteQuery,
  endMs: number,
  times: number,
): Promise<Timing> {
  const path = query.path(endMs);
  const answer = answerOf(query, await connection.get(path, true));
  await repeat(connection, path, WARM_TIMES, WARM_MS);
  const before = meter.threadSeconds();
  const timesMs = await repeat(connection, path, times, ENOUGH_MS);
  const after = meter.threadSeconds();
  const cpuMs = before === undefined || after === undefined ? undefined : (1000 * (after - before)) / timesMs.length;
  return { p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99), cpuMs, answer };
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

/** What the client takes by itself: its median at a server that answers a few bytes at once. */
export async function clientMs(): Promise<number> {
  const server = new Generator<{ port: number }>('trivial-server.js', {});
  try {
    const { port } = await server.next();
    const connection = await Connection.open(`http://127.0.0.1:${port}`);
    await repeat(connection, '/', WARM_TIMES, WARM_MS);
    const timesMs = await repeat(connection, '/', MOST_TIMES, 0);
    connection.close();
    return quantile(timesMs, 0.5);
  } finally {
    server.close();
  }
}

export interface Throughput {
  readonly queriesPerSecond: number;
  readonly cpuSecondsPer1000: number;
}

/** `clients` connections ask all of `queries` so many rounds, each beginning elsewhere. */
export async function together(
  peer: Peer,
  queries: readonly SuiteQuery[],
  endMs: number,
  clients: number,
  rounds: number,
): Promise<Throughput> {
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(peer.url)));
  const asked = rounds * clients * queries.length;
  const cpuBefore = await peer.meter.cpuSeconds();
  const startedMs = performance.now();
  await Promise.all(
    connections.map(async (connection, nth) => {
      const first = Math.floor((nth * queries.length) / clients);
      for (let i = 0; i < rounds * queries.length; i++) {
        await connection.get(queries[(first + i) % queries.length]!.path(endMs));
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuSeconds = (await peer.meter.cpuSeconds()) - cpuBefore;
  return { queriesPerSecond: asked / seconds, cpuSecondsPer1000: (1000 * cpuSeconds) / asked };
}
