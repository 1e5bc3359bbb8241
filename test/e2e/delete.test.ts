// Deleting series beside a real Prometheus: the same requests, the same answers, and the same samples left, also after
// a kill, and for a Prometheus that opens a copy of our directory.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import { parseSelector } from '../../src/promql/syntax/parse.js';
import { deleteFromBlock } from '../../src/tsdb/block/delete.js';
import { readTombstones } from '../../src/tsdb/block/tombstones.js';
import { TIME_MAX_MS, TIME_MIN_MS } from '../../src/web/api/time.js';
import { blocksIn, testCrc } from '../support/block.js';
import { missing, peerBinary } from '../support/peers.js';
import { RemoteWriter, type Series } from '../support/remote-write.js';
import { type Server, startNarthex, startPeer } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const prometheus = peerBinary('prometheus');
const skip = prometheus === undefined && missing('prometheus');

const FLAGS = ['--web.enable-admin-api', '--web.enable-remote-write-receiver'];
const STEP_S = 15;
const STEPS = 200;
const END_S = Math.floor(Date.now() / 1000 / STEP_S) * STEP_S - 60;
const START_S = END_S - (STEPS - 1) * STEP_S;

const at = (step: number) => String(START_S + step * STEP_S);

function samplesOf(n: number, from: number, to: number): Series['samples'] {
  return Array.from({ length: to - from }, (_, i) => [(START_S + (from + i) * STEP_S) * 1000, n * 1000 + from + i]);
}

/** Twelve series, of three metrics. */
async function fill(server: Server, from: number, to: number): Promise<void> {
  const writer = new RemoteWriter(server.url);
  for (const name of ['a', 'b', 'c']) {
    const series = [0, 1, 2, 3].map((n) => ({
      labels: ['__name__', name, 'job', 'test', 'm', name, 'n', `${n}`],
      samples: samplesOf(n, from, to),
    }));
    const { status, text } = await writer.write(series);
    assert.ok(status < 300, text);
  }
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

async function admin(server: Server, params: [string, string][], method = 'POST'): Promise<Answered> {
  const body = new URLSearchParams(params).toString();
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`${server.url}/api/v1/admin/tsdb/delete_series`, { method, headers, body });
  return { status: answer.status, body: await answer.text() };
}

/** Deletions, each on top of those before. */
const DELETIONS: [name: string, params: [string, string][]][] = [
  [
    'a stretch inside of one series',
    [
      ['match[]', 'a{n="1"}'],
      ['start', at(50)],
      ['end', at(90)],
    ],
  ],
  [
    'the newest samples of some',
    [
      ['match[]', 'b{n=~"0|2"}'],
      ['start', at(180)],
    ],
  ],
  [
    'the beginning of two metrics',
    [
      ['match[]', 'a{n!="3"}'],
      ['match[]', 'c'],
      ['end', at(20)],
    ],
  ],
  ['all of one series', [['match[]', 'c{n="2"}']]],
  [
    'over what is deleted already',
    [
      ['match[]', 'a'],
      ['start', at(60)],
      ['end', at(130)],
    ],
  ],
  ['nothing', [['match[]', 'nowhere']]],
  [
    'between two samples',
    [
      ['match[]', '{job="test"}'],
      ['start', `${START_S + 1}`],
      ['end', `${START_S + 2}`],
    ],
  ],
];

const REFUSED: [string, string][][] = [
  [],
  [['match[]', '']],
  [['match[]', 'a{']],
  [
    ['match[]', 'a'],
    ['start', 'never'],
  ],
  [
    ['match[]', 'a'],
    ['end', '1x'],
  ],
  [
    ['match[]', '}{'],
    ['match[]', 'a'],
  ],
];

/** Whatever can tell whether a sample is there. */
function questions(): string[] {
  const query = (text: string, time: string) => `/api/v1/query?${new URLSearchParams({ query: text, time })}`;
  const range = (text: string) =>
    `/api/v1/query_range?${new URLSearchParams({ query: text, start: at(0), end: at(STEPS), step: '15' })}`;
  const series = new URLSearchParams({ 'match[]': '{job="test"}', start: at(0), end: at(STEPS) });
  return [
    ...[10, 60, 90, 110, 150, 181, 190, 199, 205].map((step) => query('{job="test"}', at(step))),
    query('{job="test"}[2h]', at(STEPS)),
    query('count_over_time({job="test"}[2h])', at(STEPS)),
    query('timestamp({job="test"})', at(STEPS)),
    range('{job="test"}'),
    range('sum by (n) (rate({job="test"}[5m]))'),
    `/api/v1/series?${series}`,
    `/federate?${new URLSearchParams({ 'match[]': '{job="test"}' })}`,
  ];
}

/** What Prometheus 3.5.3 says of many times at which a deleted stretch lies before: no verdict. */
const PANIC = /unexpected error: runtime error: index out of range/;

/** Answers in a form that does not depend on the order of series. */
async function answers(server: Server): Promise<(string | undefined)[]> {
  const all: (string | undefined)[] = [];
  for (const path of questions()) {
    const answer = await fetch(server.url + path);
    const text = await answer.text();
    if (PANIC.test(text)) {
      all.push(undefined);
      continue;
    }
    assert.equal(answer.status, 200, `${path}: ${text}`);
    if (path.startsWith('/federate')) all.push(text.split('\n').sort().join('\n'));
    else {
      const { data } = JSON.parse(text) as { data: { result?: { metric: object }[] } | object[] };
      const rows = Array.isArray(data) ? data : data.result!;
      all.push(
        rows
          .map((row) => JSON.stringify(sorted(row)))
          .sort()
          .join('\n'),
      );
    }
  }
  return all;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

async function assertSame(ours: Server, theirs: Server, place: string): Promise<void> {
  const [mine, other] = [await answers(ours), await answers(theirs)] as const;
  let compared = 0;
  for (const [i, path] of questions().entries()) {
    // Ours is never the one that fails.
    if (place !== COPY) assert.notEqual(mine[i], undefined);
    if (mine[i] === undefined || other[i] === undefined) continue;
    compared++;
    // Prometheus lists series that lost all their samples, too.
    if (path.startsWith('/api/v1/series')) assertSubset(mine[i]!, other[i], place);
    else assert.equal(mine[i], other[i], `${place}: ${path}`);
  }
  assert.ok(compared >= 6, `${place}: only ${compared} questions compared`);
}

const COPY = 'Prometheus on a copy';

function assertSubset(mine: string, other: string, place: string): void {
  const listed = new Set(other.split('\n'));
  for (const line of mine.split('\n')) assert.ok(listed.has(line), `${place}: ${line}`);
}

test('deletions beside Prometheus: the same answers, through a kill, and in a copy that Prometheus opens', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-delete-'));
  const data = join(folder, 'data');
  const options = { data, flags: FLAGS };
  let ours = await startNarthex(options);
  const theirs = await startPeer(prometheus!, { flags: FLAGS });
  let copy: Server | undefined;
  try {
    for (const server of [ours, theirs]) await fill(server, 0, STEPS);
    await assertSame(ours, theirs, 'before');
    for (const [i, [name, params]] of DELETIONS.entries()) {
      const method = i % 2 === 0 ? 'POST' : 'PUT';
      assert.deepEqual(await admin(ours, params, method), await admin(theirs, params, method), name);
      await assertSame(ours, theirs, name);
    }
    for (const params of REFUSED) {
      const [mine, other] = [await admin(ours, params), await admin(theirs, params)];
      assert.equal(mine.status, other.status, `${params}: ${mine.body} ${other.body}`);
      assert.deepEqual(JSON.parse(mine.body), JSON.parse(other.body), String(params));
    }
    await ours.end('SIGKILL');
    ours = await startNarthex(options);
    await assertSame(ours, theirs, 'after a kill');
    for (const server of [ours, theirs]) await fill(server, STEPS, STEPS + 3);
    await assertSame(ours, theirs, 'with newer samples');
    await ours.end('SIGTERM');
    cpSync(data, join(folder, 'copy'), { recursive: true });
    copy = await startPeer(prometheus!, { data: join(folder, 'copy'), flags: FLAGS });
    await assertSame(copy, theirs, COPY);
    ours = await startNarthex(options);
    await assertSame(ours, theirs, 'after a stop');
  } finally {
    await Promise.all([ours.stop(), theirs.stop(), copy?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Prometheus writes them in no order. */
function stonesOf(block: string): unknown {
  const stones = readTombstones(realDisk, join(block, 'tombstones'), testCrc());
  return stones.series().map((ref) => [ref, stones.of(ref)]);
}

function numTombstones(block: string): unknown {
  const { stats } = JSON.parse(readFileSync(join(block, 'meta.json'), 'utf8')) as { stats: { numTombstones?: number } };
  return stats.numTombstones;
}

/** Of the recorded blocks: what, from when, until when. */
const BLOCK_DELETIONS: [match: string, startMs?: number, endMs?: number][] = [
  ['fx_card{id=~"1.*"}', 1_767_226_000_000, 1_767_226_600_000],
  ['fx_card{mod!="1"}', 1_767_226_300_000, 1_767_240_000_000],
  ['{__name__=~"fx_.*"}', 1_767_231_000_500, 1_767_233_000_500],
  ['fx_card{id="10"}'],
];

test('blocks: the same tombstones as Prometheus notes', { skip: skip || conformanceMissing() }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-delete-'));
  const [mine, other] = [join(folder, 'mine'), join(folder, 'other')];
  for (const copy of [mine, other]) cpSync(conformance('tsdb/blocks/data'), copy, { recursive: true });
  const flags = [...FLAGS, '--storage.tsdb.retention.time=100y', '--storage.tsdb.max-block-duration=2h'];
  const theirs = await startPeer(prometheus!, { data: other, flags });
  const crc = testCrc();
  try {
    for (const [match, start, end] of BLOCK_DELETIONS) {
      const params: [string, string][] = [['match[]', match]];
      if (start !== undefined) params.push(['start', String(start / 1000)], ['end', String(end! / 1000)]);
      assert.equal((await admin(theirs, params)).status, 204);
      const interval = { minTimeMs: start ?? TIME_MIN_MS, maxTimeMs: end ?? TIME_MAX_MS };
      for (const path of blocksIn(mine)) deleteFromBlock(realDisk, path, [parseSelector(match)], interval, crc);
      for (const path of blocksIn(mine)) {
        const [a, b] = [path, path.replace(mine, other)];
        assert.deepEqual(stonesOf(a), stonesOf(b), `${match}: ${path}`);
        assert.equal(numTombstones(a), numTombstones(b), `${match}: ${path}`);
      }
    }
  } finally {
    await theirs.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Times of the recorded blocks' samples are long past. */
const KEEP = '--storage.tsdb.retention.time=100y';

test('blocks, as queries see them: deleted, made anew, and after a kill', {
  skip: skip || conformanceMissing(),
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-delete-'));
  const [mine, other] = [join(folder, 'mine'), join(folder, 'other')];
  for (const copy of [mine, other]) cpSync(conformance('tsdb/blocks/data'), copy, { recursive: true });
  let ours = await startNarthex({ data: mine, flags: [...FLAGS, KEEP] });
  const theirs = await startPeer(prometheus!, {
    data: other,
    flags: [...FLAGS, KEEP, '--storage.tsdb.max-block-duration=2h'],
  });
  const found = async (server: Server) => {
    const params = new URLSearchParams({ query: '{__name__=~"fx_.*"}[10h]', time: '1767250800' });
    const answer = await fetch(`${server.url}/api/v1/query?${params}`);
    const { data } = (await answer.json()) as { data: { result: object[] } };
    return data.result.map((row) => JSON.stringify(sorted(row))).sort();
  };
  try {
    for (const [match, start, end] of BLOCK_DELETIONS) {
      const params: [string, string][] = [['match[]', match]];
      if (start !== undefined) params.push(['start', String(start / 1000)], ['end', String(end! / 1000)]);
      for (const server of [ours, theirs]) assert.equal((await admin(server, params)).status, 204);
      assert.deepEqual(await found(ours), await found(theirs), match);
    }
    const cleaned = await fetch(`${ours.url}/api/v1/admin/tsdb/clean_tombstones`, { method: 'PUT' });
    assert.equal(cleaned.status, 204);
    for (const path of blocksIn(mine)) assert.deepEqual(stonesOf(path), []);
    assert.deepEqual(await found(ours), await found(theirs), 'cleaned');
    await ours.end('SIGKILL');
    ours = await startNarthex({ data: mine, flags: [...FLAGS, KEEP] });
    assert.deepEqual(await found(ours), await found(theirs), 'after a kill');
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('without the flag: refused, as Prometheus does it', { skip }, async () => {
  const servers = [await startNarthex(), await startPeer(prometheus!)];
  try {
    const [mine, other] = [await admin(servers[0]!, []), await admin(servers[1]!, [])];
    assert.equal(mine.status, other.status, other.body);
    assert.deepEqual(JSON.parse(mine.body), JSON.parse(other.body));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});
