// What the tests of the way back share: our server and Prometheus on one directory, promtool, and what they are asked.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, peerBinary } from './peers.js';
import { ask } from './recorded-tsdb.js';
import { type Server, startNarthex, startPeer } from './servers.js';
import { PREFIX, STEP_MS, type Story } from './story.js';

const prometheus = peerBinary('prometheus');
const promtool = peerBinary('promtool');
/** Why the way back cannot be gone here; false where it can. */
export const skip =
  (prometheus === undefined && missing('prometheus')) || (promtool === undefined && missing('promtool'));

export const HOUR_MS = 3_600_000;
/**
 * Prometheus logs all histograms of a request kind by kind, so that a replay of its own loses those of a series that changes its
 * kind within a request.
 */
export const PEER_REQUEST_STEPS = 1;
const FLAGS = ['--web.enable-admin-api', '--web.enable-remote-write-receiver', '--storage.tsdb.retention.time=100y'];

export const narthex = (data: string, shards: number, ...flags: string[]): Promise<Server> =>
  startNarthex({ data, flags: [...FLAGS, `--shards=${shards}`, '--storage.tsdb.block-reload-interval=1s', ...flags] });

export const peer = (data: string): Promise<Server> =>
  startPeer(prometheus!, { data, flags: [...FLAGS, '--enable-feature=native-histograms'] });

function run(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(promtool!, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(status, 0, `promtool ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export const blocksIn = (data: string): string[] => readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name));

export const levelsOf = (data: string): number[] =>
  blocksIn(data).map((ulid) => {
    const meta = JSON.parse(readFileSync(join(data, ulid, 'meta.json'), 'utf8')) as { compaction: { level: number } };
    return meta.compaction.level;
  });

/** promtool lists, analyzes and dumps the directory; gives the dump. */
export function readByPromtool(data: string): string {
  const listed = run('tsdb', 'list', data);
  for (const ulid of blocksIn(data)) {
    assert.ok(listed.includes(ulid), `${ulid} in ${listed}`);
    assert.match(run('tsdb', 'analyze', data, ulid), /Total Series: [1-9]/);
  }
  return run('tsdb', 'dump', data);
}

/** Prometheus has nothing to complain of, but that somebody was killed. */
export async function assertSound(server: Server): Promise<void> {
  const complaints = server
    .log()
    .split('\n')
    .filter((line) => /level=(ERROR|WARN)/.test(line) && !/lockfile/.test(line));
  assert.deepEqual(complaints, []);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /^prometheus_tsdb_wal_corruptions_total 0$/m);
}

/** Everything that evaluates, at some times: whole answers as texts. */
export async function answersOf(server: Server, { startMs, steps }: Story): Promise<unknown[]> {
  const endS = startMs / 1000 + steps * (STEP_MS / 1000);
  const range: [string, string][] = [
    ['start', String(startMs / 1000)],
    ['end', String(endS)],
    ['step', '487'],
  ];
  const answers: unknown[] = [];
  for (const query of [
    `{__name__=~"${PREFIX}.+"}`,
    `sum by (job) (rate(${PREFIX}counter[10m]))`,
    // Of histograms: quantiles where the sum is NaN, rates near 0, and resets where custom bounds change are newer than 3.5.
    `histogram_count(${PREFIX}histogram) + histogram_sum(${PREFIX}histogram)`,
    `count_over_time({__name__=~"${PREFIX}.+"}[1h])`,
  ]) {
    answers.push({ query, answer: await ask(server.url, '/api/v1/query_range', [['query', query], ...range]) });
  }
  for (const path of ['labels', `label/__name__/values`, `label/life/values`]) {
    answers.push({ path, answer: await ask(server.url, `/api/v1/${path}`, []) });
  }
  return answers;
}

export async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-way-back-'));
  try {
    await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs an action beside a server and kills it, whatever happened. */
export async function withServer(starting: Promise<Server>, action: (server: Server) => Promise<void>): Promise<void> {
  const server = await starting;
  try {
    await action(server);
  } finally {
    await server.end('SIGKILL');
  }
}
