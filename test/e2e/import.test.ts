// Bulk import: old samples over HTTP are in queries at once, all of a body or none, and in blocks that stay.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeWrite, RemoteWriter, snappyLiterals } from '../support/remote-write.js';
import { type Server, startNarthex } from '../support/servers.js';

const HOUR = 3_600_000;
const NOW = Date.now();
/** Two days ago, aligned. */
const OLD = Math.floor((NOW - 48 * HOUR) / (2 * HOUR)) * 2 * HOUR;
const FLAGS = ['--web.enable-admin-api', '--web.enable-remote-write-receiver', '--storage.tsdb.retention.time=30d'];

const folder = mkdtempSync(join(tmpdir(), 'narthex-import-'));
const data = join(folder, 'data');
let server: Server;

before(async () => {
  server = await startNarthex({ data, flags: FLAGS });
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly body: {
    readonly data?: { readonly samples: number; readonly blocks: readonly { readonly samples: number }[] };
    readonly error?: string;
    readonly warnings?: readonly string[];
  };
}

async function send(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Reply> {
  const answer = await fetch(`${server.url}/api/v1/import`, { method: 'POST', body: body as string, headers });
  return { status: answer.status, body: (await answer.json()) as Reply['body'] };
}

async function query(text: string, timeMs: number): Promise<unknown> {
  const params = new URLSearchParams({ query: text, time: String(timeMs / 1000) });
  const answer = await fetch(`${server.url}/api/v1/query?${params}`);
  const { data: found } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return found.result.map(({ value }) => value[1]).sort();
}

function text(series: string, fromMs: number, count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `${series} ${i} ${(fromMs + i * 60_000) / 1000}`);
  return `${lines.join('\n')}\n# EOF\n`;
}

test('import: OpenMetrics text is in queries at once, over several blocks, in any order', async () => {
  const reply = await send(text('old{job="a"}', OLD, 300));
  assert.equal(reply.status, 200, reply.body.error);
  assert.equal(reply.body.data!.samples, 300);
  assert.deepEqual(
    reply.body.data!.blocks.map(({ samples }) => samples),
    [120, 120, 60],
  );
  assert.deepEqual(await query('sum_over_time(old[1d])', OLD + 5 * HOUR), [String((299 * 300) / 2)]);
  const before = await send(text('old{job="b"}', OLD - 30 * HOUR, 10));
  assert.equal(before.status, 200, before.body.error);
  assert.deepEqual(await query('count_over_time(old{job="b"}[3d])', OLD), ['10']);
});

test('import: the body of a remote write', async () => {
  const series = [
    { labels: ['__name__', 'rw', 'z', '1'], samples: [[OLD, 7] as const, [OLD + 1000, 8] as const] },
    { labels: ['__name__', 'rw', 'a', 'é'], samples: [[OLD - HOUR, -1.5] as const] },
  ];
  const headers = { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' };
  const reply = await send(snappyLiterals(encodeWrite(series)), headers);
  assert.equal(reply.status, 200, reply.body.error);
  assert.equal(reply.body.data!.samples, 3);
  assert.deepEqual(await query('rw{z="1"}', OLD + 1000), ['8']);
  assert.deepEqual(await query('rw{a="é"}', OLD - HOUR), ['-1.5']);
  const damaged = await send(snappyLiterals(encodeWrite(series)).subarray(0, 40), headers);
  assert.equal(damaged.status, 400);
});

test('import: what is refused leaves nothing behind, and says where', async () => {
  const blocks = readdirSync(data);
  const bad = await send(`${text('x', OLD, 5).replace('# EOF\n', '')}x{ 1\n# EOF\n`);
  assert.equal(bad.status, 400);
  assert.match(bad.body.error!, /^line 6: /);
  const recent = await send(`x 1 ${NOW / 1000}\n# EOF\n`);
  assert.equal(recent.status, 400);
  assert.match(recent.body.error!, /^line 1: the timestamp \d+ is not before \d+/);
  assert.equal((await send('', { 'Content-Encoding': 'gzip' })).status, 415);
  assert.deepEqual(readdirSync(data), blocks);
  assert.deepEqual(await query('count_over_time(x[3d])', NOW), []);
});

test('import: of two values of one time the first is kept, with a warning', async () => {
  const seconds = OLD / 1000;
  const reply = await send(`twice 1 ${seconds}\ntwice 2 ${seconds}\n# EOF\n`);
  assert.equal(reply.status, 200);
  assert.match(reply.body.warnings![0]!, /^1 samples .*\{__name__="twice"\} at \d+ is 1 and 2$/);
  assert.deepEqual(await query('twice', OLD), ['1']);
});

test('import: the head goes on, and all of it is there after kill -9', async () => {
  const writer = new RemoteWriter(server.url);
  const { status } = await writer.write([{ labels: ['__name__', 'live'], samples: [[NOW, 1]] }]);
  assert.ok(status < 300);
  const reply = await send(text('later', OLD + 6 * HOUR, 10));
  assert.equal(reply.status, 200, reply.body.error);
  assert.deepEqual(await query('live', NOW), ['1']);
  const belongs = await send(`live 1 ${NOW / 1000}\n# EOF\n`);
  assert.equal(belongs.status, 400);
  await server.end('SIGKILL');
  server = await startNarthex({ data, flags: FLAGS });
  assert.deepEqual(await query('live', NOW), ['1']);
  assert.deepEqual(await query('count_over_time({__name__=~"old|later"}[4d])', NOW), ['10', '10', '300']);
});

test('import: not without the flag', async () => {
  const other = await startNarthex();
  try {
    const answer = await fetch(`${other.url}/api/v1/import`, { method: 'POST', body: '# EOF\n' });
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /admin APIs disabled/);
  } finally {
    await other.stop();
  }
});
