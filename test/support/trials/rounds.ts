// Rounds of load and sudden end on one data directory: kills, and power cuts. Time runs fast, so that the head is cut into
// blocks and blocks are merged meanwhile. After each start every acknowledged sample is there.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { Prng } from '../../../src/base/prng.js';
import { Sender } from '../sender.js';
import { type Server, sleep, startNarthex, startPeer } from '../servers.js';

const HOUR_MS = 3_600_000;
const STEP_MS = 60_000;
/** How far back time begins: rounds must not reach the present. */
const BACK_MS = 100 * 24 * HOUR_MS;
const SENDERS = 3;
const SERIES = 20;
const LIFE_BATCHES = 150;
/** What is looked at after each start; all of it at the end. */
const LOOK_MS = 12 * HOUR_MS;
const LOAD_MS = 1500;

export interface RoundsOptions {
  /** The data directory. */
  readonly data: string;
  readonly rounds: number;
  readonly seed: number;
  /** After the kill, before the next start. */
  readonly afterKill?: () => void;
  /** A Prometheus that looks at the directory at the end. */
  readonly peer?: string | undefined;
  readonly tell?: (line: string) => void;
}

export interface RoundsReport {
  readonly acknowledged: number;
  readonly blocks: number;
  readonly hours: number;
}

export async function runRounds(options: RoundsOptions): Promise<RoundsReport> {
  const { data, rounds, seed, afterKill = () => {}, tell = () => {} } = options;
  const random = new Prng(seed);
  const startMs = Math.floor((Date.now() - BACK_MS) / STEP_MS) * STEP_MS;
  let nowMs = startMs;
  const nextMs = (beforeMs: number) => {
    nowMs = Math.max(nowMs, beforeMs) + STEP_MS;
    return nowMs;
  };
  const load = Array.from(
    { length: SENDERS },
    (_, id) => new Sender({ id, series: SERIES, lifeBatches: LIFE_BATCHES, nextMs }),
  );
  const checkAll = async (server: Server, rangeMs: number) => {
    for (const sender of load) {
      await loudly(server, () => sender.check(server.url, rangeMs));
      await loudly(server, () => sender.settle(server.url, rangeMs));
    }
    // Unfinished cuts are told of as such, at a level that is no alarm.
    assert.doesNotMatch(server.log(), /level=ERROR/, server.log());
  };
  const start = () =>
    startNarthex({
      data,
      flags: [
        ...['--web.enable-remote-write-receiver', `--shards=${1 + random.int(3)}`],
        ...['--storage.tsdb.block-reload-interval=1s', '--storage.tsdb.retention.time=100y'],
      ],
    });
  for (let round = 1; round <= rounds; round++) {
    const server = await start();
    let runs: Promise<unknown> = Promise.resolve();
    try {
      await checkAll(server, LOOK_MS);
      runs = Promise.all(load.map((sender) => sender.run(server.url)));
      await sleep(random.int(LOAD_MS));
    } finally {
      await server.end('SIGKILL');
      await runs;
      afterKill();
    }
    tell(`round ${round}: ${samplesOf(load)} samples acknowledged, ${blocksIn(data)} blocks`);
  }
  const wholeMs = nowMs - startMs + HOUR_MS;
  const server = await start();
  try {
    await checkAll(server, wholeMs);
  } finally {
    await server.end('SIGKILL');
  }
  if (options.peer !== undefined) await checkPeer(options.peer, data, load, wholeMs);
  return { acknowledged: samplesOf(load), blocks: blocksIn(data), hours: (nowMs - startMs) / HOUR_MS };
}

async function checkPeer(binary: string, data: string, load: readonly Sender[], rangeMs: number): Promise<void> {
  const copy = `${data}-copy`;
  cpSync(data, copy, { recursive: true });
  const peer = await startPeer(binary, { data: copy, flags: ['--storage.tsdb.retention.time=100y'] });
  try {
    for (const sender of load) await sender.check(peer.url, rangeMs);
  } finally {
    await peer.stop();
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What goes wrong is told with what the server said, and with what a request met. */
async function loudly(server: Server, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${message}${cause === undefined ? '' : ` (${String(cause)})`}; it said:\n${server.log()}`, {
      cause: error,
    });
  }
}

function samplesOf(load: readonly Sender[]): number {
  return load.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0) * SERIES;
}

function blocksIn(data: string): number {
  return readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name)).length;
}
