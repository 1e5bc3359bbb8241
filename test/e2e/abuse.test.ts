// What clients should not send: each gets an answer that says what was wrong, the others notice nothing,
// and where a real Prometheus is beside us, it refuses the same.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { peerBinary } from '../support/peers.js';
import { encodeWrite, RemoteWriter, type Series, snappyLiterals, writeAll } from '../support/remote-write.js';
import { instant, type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const NOW_MS = Date.now();
let narthex: Server;
let peer: Server | undefined;

before(async () => {
  const flags = ['--web.enable-remote-write-receiver'];
  narthex = await startNarthex({ flags: [...flags, '--shards=2'] });
  if (prometheus !== undefined) peer = await startPeer(prometheus, { flags });
});

after(() => Promise.all([narthex.stop(), peer?.stop()]));

// --- Remote writes ---

function one(labels: readonly string[], timeMs = NOW_MS, value: number | bigint = 1): Series {
  return { labels, samples: [[timeMs, value]] };
}

const FINE = encodeWrite([one(['__name__', 'fine', 'a', 'b']), one(['__name__', 'fine', 'a', 'c'])]);
const bytes = (...values: number[]) => Buffer.from(values);
const repeated = (byte: number, count: number) => Buffer.alloc(count, byte);

/** Bodies as they are, not compressed by us. */
const RAW: readonly [name: string, body: Buffer][] = [
  ['no snappy at all', FINE],
  ['one byte', bytes(0x80)],
  ['a length that never ends', repeated(0xff, 20)],
  ['declared 33 MB, nothing there', bytes(0x80, 0x80, 0x80, 0x10)],
  ['declared 2^63', bytes(...Array<number>(9).fill(0x80), 0x01, 0)],
  ['declared too long', Buffer.concat([bytes(FINE.length + 1), snappyLiterals(FINE).subarray(1)])],
  ['a copy before the begin', bytes(10, 0x01, 0x20, 0x00)],
  ['a copy of offset 0', bytes(8, 0x00, 0x41, 0x11, 0x00)],
  ...Array.from({ length: 12 }, (_, i): [string, Buffer] => {
    const body = snappyLiterals(FINE);
    return [`cut after ${i * 5} bytes`, body.subarray(0, Math.min(i * 5, body.length - 1))];
  }).filter(([, body]) => body.length > 0),
];

/** Protobuf that is none. */
const WIRE: readonly [name: string, body: Buffer][] = [
  ['cut inside', FINE.subarray(0, FINE.length - 3)],
  ['a field longer than the message', bytes(0x0a, 0x7f, 0x01)],
  ['a field of 2^63 bytes', bytes(0x0a, ...Array<number>(9).fill(0xff), 0x7f)],
  ['a varint of eleven bytes', bytes(0x08, ...Array<number>(11).fill(0x80), 0x01)],
  ['a group', bytes(0x0b, 0x0c)],
  ['wire type 7', bytes(0x0f, 0x01)],
  ['field number 0', bytes(0x02, 0x01, 0x00)],
  ['a series that is a number', bytes(0x08, 0x01)],
  ['a value that is a varint', bytes(0x0a, 0x04, 0x12, 0x02, 0x08, 0x01)],
  ['labels that are no message', bytes(0x0a, 0x04, 0x0a, 0x02, 0x0a, 0x05)],
];

/** Well formed, but not to be stored. */
const LABELS: readonly [name: string, series: Series][] = [
  ['no metric name', one(['a', 'b'])],
  ['no labels', one([])],
  ['an empty label name', one(['', 'x', '__name__', 'n'])],
  ['a label twice', one(['__name__', 'n', 'a', '1', 'a', '2'])],
  ['the name twice', one(['__name__', 'n', '__name__', 'm'])],
];

async function answerTo(server: Server, body: Buffer): Promise<number> {
  const writer = new RemoteWriter(server.url);
  try {
    const { status, text } = await writer.send(body);
    if (server === narthex && status === 400) assert.ok(text.length > 5, 'says why');
    return status;
  } finally {
    writer.close();
  }
}

/** An honest writer finds the server as it should be. */
let honest = 0;
async function assertWell(name: string): Promise<void> {
  const value = ++honest;
  await writeAll(narthex.url, [one(['__name__', 'honest'], NOW_MS + value, value)]);
  const [sample] = await instant(narthex.url, 'honest', (NOW_MS + value) / 1000);
  assert.equal(sample?.value[1], String(value), `after ${name}`);
}

test('remote writes that are malformed are refused with a reason', async () => {
  for (const [name, body] of [...RAW, ...WIRE.map(([of, wire]) => [of, snappyLiterals(wire)] as const)]) {
    assert.equal(await answerTo(narthex, body), 400, name);
    if (peer !== undefined) assert.equal(await answerTo(peer, body), 400, `Prometheus: ${name}`);
    await assertWell(name);
  }
});

test('series with bad labels are refused, their neighbours are stored', async () => {
  for (const [i, [name, series]] of LABELS.entries()) {
    const good = one(['__name__', 'neighbour', 'i', `${i}`]);
    assert.equal(await answerTo(narthex, snappyLiterals(encodeWrite([series, good]))), 400, name);
    assert.equal((await instant(narthex.url, `neighbour{i="${i}"}`)).length, 1, name);
    await assertWell(name);
  }
});

test('requests at the limits: far times, no samples, many series, long values', async () => {
  const bodies: readonly [name: string, series: Series[], status: number][] = [
    ['nothing', [], 204],
    ['no samples', [{ labels: ['__name__', 'n'], samples: [] }], 204],
    ['a day ahead', [one(['__name__', 'far'], NOW_MS + 86_400_000)], 400],
    ['the end of time', [one(['__name__', 'far'], 2 ** 53)], 400],
    ['ten thousand series', Array.from({ length: 10_000 }, (_, i) => one(['__name__', 'many', 'i', `${i}`])), 204],
    ['a value of 100 KB', [one(['__name__', 'long', 'v', 'x'.repeat(100_000)])], 400],
    [
      '1,000 labels',
      [one(['__name__', 'wide', ...Array.from({ length: 1000 }, (_, i) => [`l${i}`, 'v']).flat()])],
      400,
    ],
    ['__proto__', [one(['__name__', '__proto__', 'constructor', 'hasOwnProperty'])], 204],
  ];
  for (const [name, series, status] of bodies) {
    assert.equal(await answerTo(narthex, snappyLiterals(encodeWrite(series))), status, name);
    await assertWell(name);
  }
});

test('a message of the wrong kind is refused as Prometheus does', async () => {
  const body = snappyLiterals(FINE);
  for (const [headers, status] of [
    [{ 'Content-Type': 'text/plain' }, 415],
    [{ 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'gzip' }, 415],
    [{ 'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v3.Request' }, 415],
  ] as const) {
    for (const server of [narthex, peer]) {
      if (server === undefined) continue;
      const response = await fetch(`${server.url}/api/v1/write`, { method: 'POST', headers, body });
      await response.arrayBuffer();
      assert.equal(response.status, status, JSON.stringify(headers));
    }
  }
  await assertWell('wrong kinds');
});

// --- The API ---

const QUERIES: readonly [path: string, params: Record<string, string>][] = [
  ['query', {}],
  ['query', { query: '' }],
  ['query', { query: 'sum(' }],
  ['query', { query: 'rate(x)' }],
  ['query', { query: 'x', time: 'yesterday' }],
  ['query', { query: 'x', timeout: '-' }],
  ['query', { query: '{a=~"("}' }],
  ['query', { query: '{a=~"(?=x)"}' }],
  ['query', { query: 'x[5m' }],
  ['query', { query: '1 +' }],
  ['query', { query: 'foo(x)' }],
  ['query', { query: 'x == bool' }],
  ['query', { query: 'label_replace(x, "a", "b")' }],
  ['query_range', { query: 'x', start: '0', end: '11001', step: '1' }],
  ['query_range', { query: 'x', start: '10', end: '0', step: '1' }],
  ['query_range', { query: 'x', start: '0', end: '10', step: '0' }],
  ['query_range', { query: 'x', start: '0', end: '10', step: '-1' }],
  ['query_range', { query: 'x[5m]', start: '0', end: '10', step: '1' }],
  ['query_range', { query: '"a"', start: '0', end: '10', step: '1' }],
  ['query_range', { query: 'x', start: 'a', end: '10', step: '1' }],
  ['query_range', { query: 'x' }],
  ['series', {}],
  ['series', { 'match[]': '{a=""}' }],
  ['series', { 'match[]': 'rate(x[5m])' }],
  ['labels', { 'match[]': '{' }],
  ['labels', { limit: '-1' }],
  ['label/a/values', { start: 'x' }],
  ['label/ /values', {}],
  ['nothing', {}],
];

test('bad requests to the API get the status, the type and the words that Prometheus has', async () => {
  for (const [path, params] of QUERIES) {
    const ask = async (server: Server) => {
      const response = await fetch(`${server.url}/api/v1/${path}?${new URLSearchParams(params)}`);
      const text = await response.text();
      if (!text.startsWith('{')) return { status: response.status };
      const { status, errorType, error } = JSON.parse(text) as Record<string, string>;
      return { code: response.status, status, errorType, error };
    };
    const got = await ask(narthex);
    if (peer !== undefined) assert.deepEqual(got, await ask(peer), `${path} ${JSON.stringify(params)}`);
  }
  await assertWell('bad requests');
});

test('queries that would be endless work for a parser are refused at once', async () => {
  const deep = '('.repeat(100_000);
  for (const query of [
    `${deep}1${deep.replaceAll('(', ')')}`,
    `${'-'.repeat(100_000)}1`,
    `${'sum('.repeat(50_000)}x${')'.repeat(50_000)}`,
    `x${' + x'.repeat(200_000)}`,
    `{a="${'x'.repeat(1_000_000)}"}`,
    `x${'[5m:1m]'.repeat(20_000)}`,
  ]) {
    const response = await fetch(`${narthex.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query }),
    });
    await response.arrayBuffer();
    assert.ok([400, 413, 422].includes(response.status), `${response.status} for ${query.slice(0, 20)}…`);
    await assertWell(query.slice(0, 20));
  }
});
