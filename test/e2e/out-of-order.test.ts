// Samples out of order, beside a real Prometheus that is sent the same: what is taken, what queries see of it, before and
// after both are killed, and when a real Prometheus goes on with a directory of ours.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { ask } from '../support/recorded-tsdb.js';
import { RemoteWriter, type Series } from '../support/remote-write.js';
import { type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const WINDOW_MINUTES = 20;
const CONFIG = `storage: {tsdb: {out_of_order_time_window: ${WINDOW_MINUTES}m}}\n`;
const FLAGS = ['--web.enable-remote-write-receiver', '--storage.tsdb.retention.time=100y'];
const STEP_MS = 15_000;
const SERIES = 12;
/** In the middle of a block, so that nobody cuts its head meanwhile. */
const FROM_MS = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 7_200_000 + 600_000;
const STEPS = 160;
const LATE_STEPS = 110;

const folder = emptyFolder();

function labelsOf(series: number): string[] {
  return ['__name__', 'late_total', 'series', String(series)];
}

/**
 * Requests of all series in order, and between them late samples, some twice and some too old: one a request, because
 * Prometheus takes all of a request or nothing.
 */
function requests(random: Prng): Series[][] {
  const all: Series[][] = [];
  const sample = (series: number, step: number): Series => ({
    labels: labelsOf(series),
    samples: [[FROM_MS + step * STEP_MS, step * 10 + series]],
  });
  for (let step = 0; step < STEPS; step++) {
    const present = Array.from({ length: SERIES }, (_, series) => series).filter(() => random.int(3) > 0);
    if (present.length > 0) all.push(present.map((series) => sample(series, step)));
    for (let late = random.int(6); late > 0; late--) {
      all.push([sample(random.int(SERIES), Math.max(0, step - random.int(LATE_STEPS)))]);
    }
    if (step % 40 === 39) for (let at = step - 38; at < step; at++) all.push([sample(step % SERIES, at)]);
  }
  // One that comes late from its beginning.
  all.push([sample(99, STEPS - 50)]);
  return all;
}

const END_S = (FROM_MS + STEPS * STEP_MS) / 1000;
const QUESTIONS: readonly (readonly [path: string, params: readonly (readonly [string, string])[]])[] = [
  [
    '/api/v1/query',
    [
      ['query', 'late_total[2h]'],
      ['time', String(END_S)],
    ],
  ],
  [
    '/api/v1/query',
    [
      ['query', 'late_total'],
      ['time', String(END_S)],
    ],
  ],
  [
    '/api/v1/query',
    [
      ['query', 'late_total'],
      ['time', String(END_S - 1000)],
    ],
  ],
  [
    '/api/v1/query',
    [
      ['query', 'sum(rate(late_total[5m]))'],
      ['time', String(END_S - 900)],
    ],
  ],
  ...['late_total', 'count_over_time(late_total[7m])', 'sum by (series) (rate(late_total[3m]))', 'max(late_total)'].map(
    (query) =>
      [
        '/api/v1/query_range',
        [
          ['query', query],
          ['start', String(END_S - 3600)],
          ['end', String(END_S)],
          ['step', '37'],
        ],
      ] as const,
  ),
  [
    '/api/v1/series',
    [
      ['match[]', 'late_total'],
      ['start', String(END_S - 3600)],
      ['end', String(END_S)],
    ],
  ],
];

async function sendAll(server: Server, all: readonly Series[][]): Promise<number[]> {
  const writer = new RemoteWriter(server.url);
  const statuses: number[] = [];
  for (const request of all) statuses.push((await writer.write(request)).status);
  writer.close();
  return statuses;
}

async function answers(server: Server): Promise<unknown[]> {
  const got: unknown[] = [];
  for (const [path, params] of QUESTIONS) got.push(await ask(server.url, path, params));
  return got;
}

test('out of order: answers are those of Prometheus, before and after a kill, there and back', {
  skip: prometheus === undefined && missing('prometheus'),
}, async () => {
  const all = requests(new Prng(20_261_121));
  const theirs = join(folder, 'theirs');
  const peer = await startPeer(prometheus!, { data: theirs, config: CONFIG, flags: FLAGS });
  const statuses = await sendAll(peer, all);
  const want = await answers(peer);
  await peer.end('SIGKILL');

  for (const shards of [1, 3]) {
    const flags = [...FLAGS, `--shards=${shards}`];
    const ours = join(folder, `ours-${shards}`);
    const server = await startNarthex({ data: ours, config: CONFIG, flags });
    try {
      const got = await sendAll(server, all);
      // Prometheus answers 400 where it refuses a sample, and so do we; both keep the others.
      assert.deepEqual(
        got,
        statuses.map((status) => (status === 204 ? 204 : 400)),
        `${shards} shards: statuses`,
      );
      assert.deepEqual(await answers(server), want, `${shards} shards: answers`);
    } finally {
      await server.end('SIGKILL');
    }
    assert.ok(existsSync(join(ours, 'wbl', '00000000')));
    const again = await startNarthex({ data: ours, config: CONFIG, flags: [...FLAGS, '--shards=2'] });
    try {
      assert.deepEqual(await answers(again), want, `${shards} shards: after the kill`);
      assert.doesNotMatch(again.log(), /level=ERROR/);
    } finally {
      await again.end('SIGKILL');
    }
    const back = await startPeer(prometheus!, { data: ours, config: CONFIG, flags: FLAGS });
    try {
      assert.deepEqual(await answers(back), want, `${shards} shards: in Prometheus`);
      assert.doesNotMatch(back.log(), /level=ERROR|corrupt|unknown series/i);
    } finally {
      await back.stop();
    }
  }
  const taken = await startNarthex({ data: theirs, config: CONFIG, flags: [...FLAGS, '--shards=2'] });
  try {
    assert.deepEqual(await answers(taken), want, "Prometheus's directory");
  } finally {
    await taken.stop();
  }
});
