// The way back: what Narthex leaves in a data directory, a real Prometheus opens and promtool reads, and both have the same
// samples; and what Prometheus leaves there, Narthex has. A directory goes from one to the other and back, killed in
// between, with blocks, merged blocks, checkpoints, deletions, native histograms.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing, peerBinary } from '../support/peers.js';
import { ask } from '../support/recorded-tsdb.js';
import { eventually, type Server, startNarthex, startPeer } from '../support/servers.js';
import { deleteSeries, PREFIX, STEP_MS, Story } from '../support/story.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const prometheus = peerBinary('prometheus');
const promtool = peerBinary('promtool');
const skip = (prometheus === undefined && missing('prometheus')) || (promtool === undefined && missing('promtool'));

const HOUR_MS = 3_600_000;
/**
 * Prometheus logs all histograms of a request kind by kind, so that a replay of its own loses those of a series that changes its
 * kind within a request.
 */
const PEER_REQUEST_STEPS = 1;
const FLAGS = ['--web.enable-admin-api', '--web.enable-remote-write-receiver', '--storage.tsdb.retention.time=100y'];

const narthex = (data: string, shards: number): Promise<Server> =>
  startNarthex({ data, flags: [...FLAGS, `--shards=${shards}`, '--storage.tsdb.block-reload-interval=1s'] });

const peer = (data: string): Promise<Server> =>
  startPeer(prometheus!, { data, flags: [...FLAGS, '--enable-feature=native-histograms'] });

function run(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(promtool!, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(status, 0, `promtool ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const blocksIn = (data: string): string[] => readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name));

const levelsOf = (data: string): number[] =>
  blocksIn(data).map((ulid) => {
    const meta = JSON.parse(readFileSync(join(data, ulid, 'meta.json'), 'utf8')) as { compaction: { level: number } };
    return meta.compaction.level;
  });

/** promtool lists, analyzes and dumps the directory; gives the dump. */
function readByPromtool(data: string): string {
  const listed = run('tsdb', 'list', data);
  for (const ulid of blocksIn(data)) {
    assert.ok(listed.includes(ulid), `${ulid} in ${listed}`);
    assert.match(run('tsdb', 'analyze', data, ulid), /Total Series: [1-9]/);
  }
  return run('tsdb', 'dump', data);
}

/**
 * Prometheus has nothing to complain of, but that somebody was killed, and that the log has samples of series that are no more: their
 * records go when nothing of them is needed, the samples with their segments.
 */
async function assertSound(server: Server): Promise<void> {
  const complaints = server
    .log()
    .split('\n')
    .filter((line) => /level=(ERROR|WARN)/.test(line) && !/lockfile|Unknown series references/.test(line));
  assert.deepEqual(complaints, []);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /^prometheus_tsdb_wal_corruptions_total 0$/m);
}

/** Everything that evaluates, at some times: whole answers as texts. */
async function answersOf(server: Server, { startMs, steps }: Story): Promise<unknown[]> {
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
    // Of histograms: quantiles where the sum is NaN and rates near 0 are newer than 3.5; resets depend on where chunks begin.
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

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-way-back-'));
  try {
    await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs an action beside a server and kills it, whatever happened. */
async function withServer(starting: Promise<Server>, action: (server: Server) => Promise<void>): Promise<void> {
  const server = await starting;
  try {
    await action(server);
  } finally {
    await server.end('SIGKILL');
  }
}

test(
  'Narthex, Prometheus, Narthex, Prometheus on one directory, each killed: nothing is lost, nothing changes',
  {
    skip,
    timeout: 240_000,
  },
  () =>
    withFolder(async (folder) => {
      const data = join(folder, 'data');
      // A whole range of three blocks, and what comes behind it.
      const startMs = Math.floor((Date.now() - 10 * HOUR_MS) / (6 * HOUR_MS)) * 6 * HOUR_MS;
      const story = new Story(startMs);
      const hour = HOUR_MS / STEP_MS;

      // Lives enough for segments that a checkpoint replaces.
      for (const [life, steps] of [story.steps - 4 * hour, hour, hour].entries()) {
        await withServer(narthex(data, 1 + life), async (server) => {
          await story.write(server, steps);
          await story.delete(server, 'counter', 'n', '3', 50, 400);
        });
      }
      await withServer(narthex(data, 2), async (server) => {
        await eventually(async () => assert.ok(Math.max(...levelsOf(data)) >= 2, `levels ${levelsOf(data)}`));
        await eventually(async () =>
          assert.ok(readdirSync(join(data, 'wal')).some((name) => name.includes('checkpoint'))),
        );
        await story.write(server, hour);
        // In blocks and in the head; all of a series.
        await story.delete(server, 'counter', 'n', '5', 100, story.steps);
        await story.delete(server, 'special', 'turn', '5', 0, 30);
        await story.delete(server, 'churn', 'life', '2', 0, story.steps);
        await story.delete(server, 'histogram', 'n', '1', 200, 260);
        await story.check(server, 'Narthex');
      });

      const copy = join(folder, 'copy');
      cpSync(data, copy, { recursive: true });
      story.ledger.checkDump(readByPromtool(copy), PREFIX, 'promtool');

      await withServer(narthex(data, 3), async (ours) => {
        await withServer(peer(copy), async (theirs) => {
          await story.check(theirs, 'Prometheus on a copy');
          assert.deepEqual(await answersOf(ours, story), await answersOf(theirs, story));
        });
      });

      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus');
        await story.write(server, hour / 2, PEER_REQUEST_STEPS);
        await story.delete(server, 'counter', 'n', '7', 300, story.steps - 20);
        await story.check(server, 'Prometheus, deleted');
        await assertSound(server);
      });
      await withServer(narthex(data, 2), async (server) => {
        await story.check(server, 'Narthex after Prometheus');
        await story.write(server, hour / 4);
        await story.delete(server, 'counter', 'n', '9', 300, story.steps);
        await story.check(server, 'Narthex after Prometheus, deleted');
      });
      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus after all');
        await assertSound(server);
        await story.write(server, story.steps, PEER_REQUEST_STEPS);
      });
      await withServer(narthex(data, 1), async (server) => {
        await story.check(server, 'Narthex after all');
        assert.doesNotMatch(server.log(), /level=(WARN|ERROR)/, server.log());
      });
      story.ledger.checkDump(readByPromtool(data), PREFIX, 'promtool at the end');
    }),
);

const FIXTURE_MATCH = 'fx_card{id=~"1.*"}';
const [DELETED_FROM_MS, DELETED_TO_MS] = [1_767_226_000_000, 1_767_226_600_000];

test(
  'a directory of Prometheus with blocks and a log comes back from Narthex as it was, with what was added',
  {
    skip: skip || conformanceMissing(),
    timeout: 120_000,
  },
  () =>
    withFolder(async (folder) => {
      const data = join(folder, 'data');
      cpSync(conformance('tsdb/blocks/data'), data, { recursive: true, mode: 0 });
      assert.equal(spawnSync('chmod', ['-R', 'u+w', data]).status, 0);
      const story = new Story(Math.floor((Date.now() - 2 * HOUR_MS) / HOUR_MS) * HOUR_MS);
      const third = Math.floor(story.steps / 3);
      await withServer(peer(data), async (server) => {
        await story.write(server, third, PEER_REQUEST_STEPS);
        await story.delete(server, 'counter', 'n', '1', 10, 20);
      });
      const others = (text: string) => text.split('\n').filter((line) => !line.includes(`"${PREFIX}`));
      const before = others(readByPromtool(data));
      assert.ok(before.length > 40_000);

      await withServer(narthex(data, 2), async (server) => {
        await story.check(server, 'Narthex');
        await story.write(server, third);
        await story.delete(server, 'histogram', 'n', '0', 0, 5);
        await deleteSeries(server, FIXTURE_MATCH, DELETED_FROM_MS, DELETED_TO_MS);
        await story.check(server, 'Narthex, deleted');
      });
      assert.ok(existsSync(join(data, 'wal')));
      const left = before.filter((line) => {
        const [, id, timeMs] = /__name__="fx_card", id="(\d+)".* (\d+)$/.exec(line) ?? [];
        return !(id?.startsWith('1') && Number(timeMs) >= DELETED_FROM_MS && Number(timeMs) <= DELETED_TO_MS);
      });
      assert.ok(left.length < before.length);
      const dump = readByPromtool(data);
      assert.deepEqual(others(dump).sort(), left.sort());
      story.ledger.checkDump(dump, PREFIX, 'promtool');

      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus');
        await assertSound(server);
      });
    }),
);
