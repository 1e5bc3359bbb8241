// The fast path against a server that says exactly what the table says.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { makeHop, redirected } from '../../../src/base/http/hop.js';
import { HttpClient, type HttpClientOptions, HttpError, type SendOptions } from '../../../src/base/http.js';
import { emptyFolder } from '../../support/folders.js';
import { type Script, scriptedServer, TestSink } from '../../support/scripted-server.js';

/** What came of one request: the status and the body, or the error's code and message. */
interface Outcome {
  readonly status?: string;
  readonly body?: string;
  readonly code?: string;
  readonly message?: string;
}

interface Case {
  readonly client?: HttpClientOptions;
  readonly send?: Partial<SendOptions>;
  readonly sinkBytesMax?: number;
  readonly path?: string;
}

/** Sends one request to a server that answers by `script`; the port in messages becomes PORT. */
async function exchange(script: Script | ((request: string) => Script), given: Case = {}): Promise<Outcome> {
  const server = await scriptedServer((request) => (typeof script === 'function' ? script(request) : script));
  const client = new HttpClient(given.client ?? {}, realClock);
  try {
    return await outcomeOf(client, `${server.url}${given.path ?? '/metrics'}`, given);
  } finally {
    client.close();
    await server.close();
  }
}

async function outcomeOf(client: HttpClient, url: string, given: Case = {}): Promise<Outcome> {
  const sink = new TestSink(given.sinkBytesMax);
  try {
    const answer = await client.send({ url }, { timeoutMs: 5000, ...given.send, sink });
    return { status: answer.statusText, body: sink.text(answer.bodyBytes) };
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return { code: error.code, message: error.message.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST') };
  }
}

const OK = 'HTTP/1.1 200 OK\r\n';
const GET = 'Get "http://HOST/metrics": ';
const BROKEN = `${GET}net/http: HTTP/1.x transport connection broken: `;

// ---- Whole answers, however they are split

const answers: [name: string, answer: string, body: string][] = [
  ['length', `${OK}Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nup 1\ndown 0`, 'up 1\ndown 0'],
  ['length 0', `${OK}Content-Length: 0\r\n\r\n`, ''],
  ['the same length twice', `${OK}Content-Length: 4\r\nContent-Length: 4\r\n\r\nup 1`, 'up 1'],
  ['lone line feeds', 'HTTP/1.1 200 OK\nContent-Length: 4\n\nup 1', 'up 1'],
  ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nup 1', 'up 1'],
  ['one chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nup 1\r\n0\r\n\r\n`, 'up 1'],
  [
    'several chunks',
    `${OK}Transfer-Encoding: Chunked\r\n\r\n2\r\nup\r\n001\r\n \r\nA\r\n1234567890\r\n0\r\n\r\n`,
    'up 1234567890',
  ],
  ['chunk extensions', `${OK}Transfer-Encoding: chunked\r\n\r\n4;a=b;c="d"\r\nup 1\r\n0 ;x\r\n\r\n`, 'up 1'],
  ['trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nup 1\r\n0\r\nA: b\r\nC: d\r\n\r\n`, 'up 1'],
  ['no chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, ''],
  [
    'chunked wins over a length',
    `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nup 1\r\n0\r\n\r\n`,
    'up 1',
  ],
  ['continue first', `HTTP/1.1 100 Continue\r\nA: b\r\n\r\n${OK}Content-Length: 4\r\n\r\nup 1`, 'up 1'],
];

for (const [name, answer, body] of answers) {
  test(`an answer may be split at every byte: ${name}`, async () => {
    let splitAt = 0;
    const server = await scriptedServer(() =>
      [answer.slice(0, splitAt), answer.slice(splitAt)].filter((part) => part !== ''),
    );
    const client = new HttpClient({}, realClock);
    for (; splitAt < answer.length; splitAt++) {
      const got = await outcomeOf(client, `${server.url}/metrics`);
      assert.equal(got.body, body, `split at ${splitAt}: ${JSON.stringify(got)}`);
    }
    client.close();
    await server.close();
  });

  test(`an answer may come byte by byte: ${name}`, async () => {
    const got = await exchange([...answer]);
    assert.equal(got.body, body, JSON.stringify(got));
  });
}

test('a body without a length ends with the connection', async () => {
  assert.deepEqual(await exchange([`${OK}\r\n`, 'up 1\n', 'down 0\n', 'end']), {
    status: '200 OK',
    body: 'up 1\ndown 0\n',
  });
  assert.deepEqual(await exchange([`HTTP/1.0 200 OK\r\n\r\nup 1\n`, 'end']), { status: '200 OK', body: 'up 1\n' });
  assert.deepEqual(await exchange([`${OK}\r\n`, 'end']), { status: '200 OK', body: '' });
});

test('a large body comes whole, however its end is known', async () => {
  const body = Array.from({ length: 60_000 }, (_, i) => `metric_${i} ${i}\n`).join('');
  const pieces = body.match(/[\s\S]{1,7777}/g)!;
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  for (const script of [
    [`${OK}Content-Length: ${body.length}\r\n\r\n`, body],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n`, ...chunks, '0\r\n\r\n'],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`],
    [`${OK}\r\n`, ...pieces, 'end'],
  ]) {
    const got = await exchange(script);
    assert.ok(got.body === body, `${got.message ?? ''} ${got.body?.length} of ${body.length} bytes`);
  }
});

test('a body of unknown length needs little room when its length is known from the last time', async () => {
  const body = 'x'.repeat(100_000);
  const server = await scriptedServer(() => [
    `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ]);
  const client = new HttpClient({}, realClock);
  const sink = new TestSink();
  await client.send({ url: server.url }, { sink, timeoutMs: 5000, bodyBytesHint: body.length + 100 });
  assert.equal(sink.asked.length, 1);
  client.close();
  await server.close();
});

// ---- Answers we refuse

const refused: [name: string, script: Script, want: Outcome, given?: Case][] = [
  [
    'not HTTP',
    ['SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    { code: 'protocol', message: `${BROKEN}malformed HTTP response "SSH-2.0-OpenSSH_9.2"` },
  ],
  ['HTTP/2', ['HTTP/2 200 OK\r\n\r\n'], { code: 'protocol', message: `${BROKEN}malformed HTTP version "HTTP/2"` }],
  [
    'a status of two digits',
    ['HTTP/1.1 20 OK\r\n\r\n'],
    { code: 'protocol', message: `${BROKEN}malformed HTTP status code "20"` },
  ],
  ['an empty line first', [`\r\n${OK}\r\n`], { code: 'protocol', message: `${BROKEN}malformed HTTP response ""` }],
  [
    'a folded header',
    [`${OK}A: b\r\n c\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}malformed MIME header: missing colon: " c"` },
  ],
  [
    'a space before the colon',
    [`${OK}A : b\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}malformed MIME header line: "A : b"` },
  ],
  [
    'no colon',
    [`${OK}nonsense\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}malformed MIME header: missing colon: "nonsense"` },
  ],
  [
    'a carriage return inside a value',
    [`${OK}A: b\rc\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}malformed MIME header line: "A: b\\rc"` },
  ],
  [
    'a NUL in a value',
    [`${OK}A: b\0c\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}malformed MIME header line: "A: b\\x00c"` },
  ],
  [
    'two lengths',
    [`${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nup 1`],
    {
      code: 'protocol',
      message: `${BROKEN}http: message cannot contain multiple Content-Length headers; got ["3" "4"]`,
    },
  ],
  [
    'a negative length',
    [`${OK}Content-Length: -1\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}bad Content-Length "-1"` },
  ],
  [
    'a length in hex',
    [`${OK}Content-Length: 0x4\r\n\r\nup 1`],
    { code: 'protocol', message: `${BROKEN}bad Content-Length "0x4"` },
  ],
  [
    'an unknown transfer encoding',
    [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}unsupported transfer encoding: "gzip, chunked"` },
  ],
  [
    'two transfer encodings',
    [`${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
    { code: 'protocol', message: `${BROKEN}unsupported transfer encoding: "chunked, chunked"` },
  ],
  [
    'endless interim answers',
    [{ forever: 'HTTP/1.1 103 Early Hints\r\n\r\n' }],
    { code: 'protocol', message: `${GET}net/http: too many 1xx informational responses` },
  ],
  [
    'an endless head',
    [OK, { forever: `A: ${'x'.repeat(5000)}\r\n` }],
    { code: 'protocol', message: `${GET}net/http: server response headers exceeded 262144 bytes; aborted` },
  ],
  [
    'a head of 10 MB',
    [`${OK}A: ${'x'.repeat(10_000_000)}\r\n\r\n`],
    { code: 'protocol', message: `${GET}net/http: server response headers exceeded 262144 bytes; aborted` },
  ],
  [
    'a chunk size that is none',
    [`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    { code: 'protocol', message: 'invalid byte in chunk length' },
  ],
  [
    'a chunk without a size',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`],
    { code: 'protocol', message: 'empty hex number for chunk length' },
  ],
  [
    'a line feed behind a chunk size',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n4\nup 1\n0\n\n`],
    { code: 'protocol', message: 'chunked line ends with bare LF' },
  ],
  [
    'a negative chunk size',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n-4\r\nup 1\r\n`],
    { code: 'protocol', message: 'invalid byte in chunk length' },
  ],
  [
    'a huge chunk size',
    [`${OK}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`],
    { code: 'protocol', message: 'http chunk length too large' },
  ],
  [
    'no line end behind a chunk',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nup 1x`],
    { code: 'protocol', message: 'malformed chunked encoding' },
  ],
  [
    'endless trailers',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n`, { forever: 'A: b\r\n' }],
    { code: 'protocol', message: 'header line too long' },
  ],
  ['no answer', ['end'], { code: 'broken', message: `${GET}EOF` }],
  ['half a head', ['HTTP/1.1 200', 'end'], { code: 'broken', message: `${BROKEN}unexpected EOF` }],
  ['half a body', [`${OK}Content-Length: 10\r\n\r\nup 1`, 'end'], { code: 'broken', message: 'unexpected EOF' }],
  [
    'half a chunk',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nup 1`, 'end'],
    { code: 'broken', message: 'unexpected EOF' },
  ],
  [
    'no last chunk',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nup 1\r\n`, 'end'],
    { code: 'broken', message: 'unexpected EOF' },
  ],
  [
    'a reset',
    [`${OK}Content-Length: 10\r\n\r\nup 1`, 'reset'],
    { code: 'broken', message: 'read tcp HOST: read: connection reset by peer' },
  ],
  [
    'a reset together with the end of a body without length',
    [{ thenReset: `${OK}\r\nup 1` }],
    { code: 'broken', message: 'read tcp HOST: read: connection reset by peer' },
  ],
  [
    'a reset of a body without length',
    [`${OK}\r\nup 1`, 'reset'],
    { code: 'broken', message: 'read tcp HOST: read: connection reset by peer' },
  ],
  ['silence', ['hang'], { code: 'timeout', message: `${GET}context deadline exceeded` }, { send: { timeoutMs: 300 } }],
  [
    'silence inside a body',
    [`${OK}Content-Length: 10\r\n\r\nup 1`, 'hang'],
    { code: 'timeout', message: 'context deadline exceeded' },
    { send: { timeoutMs: 300 } },
  ],
  [
    'an endless body',
    [`${OK}\r\n`, { forever: 'x 1\n' }],
    { code: 'timeout', message: 'context deadline exceeded' },
    { send: { timeoutMs: 300 } },
  ],
  [
    'a length over the limit',
    [`${OK}Content-Length: 101\r\n\r\n`, 'hang'],
    { code: 'body-limit', message: 'body size limit exceeded' },
    { send: { bodyBytesMax: 100 } },
  ],
  [
    'chunks over the limit',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n`, { forever: '4\r\nup 1\r\n' }],
    { code: 'body-limit', message: 'body size limit exceeded' },
    { send: { bodyBytesMax: 100 } },
  ],
  [
    'an endless body over the limit',
    [`${OK}\r\n`, { forever: 'x 1\n' }],
    { code: 'body-limit', message: 'body size limit exceeded' },
    { send: { bodyBytesMax: 100 } },
  ],
  [
    'a body beyond the memory',
    [`${OK}\r\n`, { forever: 'x'.repeat(50_000) }],
    { code: 'no-room', message: 'no memory for a body of 139264 bytes' },
    { sinkBytesMax: 100_000 },
  ],
];

for (const [name, script, want, given] of refused) {
  test(`refused: ${name}`, async () => assert.deepEqual(await exchange(script, given), want));
}

test('a claimed length gets no more room than the target has sent bytes for', async () => {
  const server = await scriptedServer(() => [`${OK}Content-Length: 900000000\r\n\r\nup 1`, 'hang']);
  const client = new HttpClient({}, realClock);
  const sink = new TestSink();
  await assert.rejects(client.send({ url: server.url }, { sink, timeoutMs: 300 }), { code: 'timeout' });
  assert.deepEqual(sink.asked, [1024 * 1024]);
  client.close();
  await server.close();
});

test('a body that is exactly at the limit passes', async () => {
  const got = await exchange([`${OK}Content-Length: 4\r\n\r\nup 1`], { send: { bodyBytesMax: 4 } });
  assert.equal(got.body, 'up 1');
});

// ---- Connections

test('one connection serves many requests', async () => {
  const server = await scriptedServer((_, index) => [`${OK}Content-Length: 2\r\n\r\n${String(index).padStart(2)}`]);
  const client = new HttpClient({}, realClock);
  for (let i = 0; i < 20; i++) assert.equal((await outcomeOf(client, server.url)).body, String(i).padStart(2));
  assert.equal(server.connections, 1);
  client.close();
  await server.close();
});

const noReuse: [name: string, script: Script][] = [
  ['the target says close', [`${OK}Connection: close\r\nContent-Length: 4\r\n\r\nup 1`]],
  ['the target says close among others', [`${OK}Connection: foo, Close\r\nContent-Length: 4\r\n\r\nup 1`]],
  ['HTTP/1.0', ['HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nup 1']],
  ['more than announced', [`${OK}Content-Length: 4\r\n\r\nup 1 and more`]],
  ['more behind the last chunk', [`${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nup 1\r\n0\r\n\r\nmore`]],
  ['both a length and chunks', [`${OK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nup 1\r\n0\r\n\r\n`]],
  ['bytes nobody asked for, later', [`${OK}Content-Length: 4\r\n\r\nup 1`, 'HTTP/1.1 200 OK\r\n\r\n']],
];

for (const [name, script] of noReuse) {
  test(`a connection is not used again: ${name}`, async () => {
    const server = await scriptedServer(() => script);
    const client = new HttpClient({}, realClock);
    for (let i = 0; i < 3; i++) {
      assert.equal((await outcomeOf(client, server.url)).body, 'up 1');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(server.connections, 3);
    client.close();
    await server.close();
  });
}

test('HTTP/1.0 with keep-alive is kept', async () => {
  const server = await scriptedServer(() => [
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nup 1',
  ]);
  const client = new HttpClient({}, realClock);
  for (let i = 0; i < 3; i++) assert.equal((await outcomeOf(client, server.url)).body, 'up 1');
  assert.equal(server.connections, 1);
  client.close();
  await server.close();
});

for (const death of ['end', 'reset'] as const) {
  test(`a kept connection that dies unheard (${death}) is dialled anew, once`, async () => {
    // The second request on a connection is answered by death; a fresh connection answers.
    const server = await scriptedServer((_, index) => (index === 1 ? [death] : [`${OK}Content-Length: 4\r\n\r\nup 1`]));
    const client = new HttpClient({}, realClock);
    assert.equal((await outcomeOf(client, server.url)).body, 'up 1');
    assert.equal((await outcomeOf(client, server.url)).body, 'up 1');
    assert.equal(server.connections, 2);
    assert.equal(server.requests.length, 3);
    client.close();
    await server.close();
  });
}

test('a fresh connection that dies is not dialled again', async () => {
  const server = await scriptedServer(() => ['end']);
  const client = new HttpClient({}, realClock);
  assert.equal((await outcomeOf(client, server.url)).code, 'broken');
  assert.equal(server.connections, 1);
  client.close();
  await server.close();
});

test('after a timeout the next request gets a connection of its own', async () => {
  const server = await scriptedServer((_, index) => (index === 0 ? ['hang'] : [`${OK}Content-Length: 4\r\n\r\nup 1`]));
  const client = new HttpClient({}, realClock);
  assert.equal((await outcomeOf(client, server.url, { send: { timeoutMs: 300 } })).code, 'timeout');
  assert.equal((await outcomeOf(client, server.url)).body, 'up 1');
  assert.equal(server.connections, 2);
  client.close();
  await server.close();
});

test('bodies of other statuses are skipped, and the connection is kept', async () => {
  const server = await scriptedServer((_, index) =>
    index < 2
      ? ['HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\n', 'oops']
      : index === 2
        ? ['HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\noo', 'ps\r\n0\r\n\r\n']
        : ['HTTP/1.1 204 No Content\r\n\r\n'],
  );
  const client = new HttpClient({}, realClock);
  assert.deepEqual(await outcomeOf(client, server.url), { status: '500 Internal Server Error', body: '' });
  assert.deepEqual(await outcomeOf(client, server.url), { status: '500 Internal Server Error', body: '' });
  assert.deepEqual(await outcomeOf(client, server.url), { status: '404 Not Found', body: '' });
  assert.deepEqual(await outcomeOf(client, server.url), { status: '204 No Content', body: '' });
  assert.equal(server.connections, 1);
  client.close();
  await server.close();
});

test('another protocol is a status like others, and the end of the connection', async () => {
  const answer = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
  assert.deepEqual(await exchange([answer]), { status: '101 Switching Protocols', body: '' });
});

test('of a repeated field the first value counts', async () => {
  const server = await scriptedServer(() => [`${OK}A: b\r\nA: c\r\nContent-Length: 0\r\n\r\n`]);
  const client = new HttpClient({}, realClock);
  const answer = await client.send({ url: server.url }, { sink: new TestSink(), timeoutMs: 5000 });
  assert.equal(answer.headers.get('a'), 'b');
  client.close();
  await server.close();
});

test('closing the client ends the exchange under way', async () => {
  const server = await scriptedServer(() => ['hang']);
  const client = new HttpClient({}, realClock);
  const outcome = outcomeOf(client, server.url);
  await new Promise((resolve) => setTimeout(resolve, 10));
  client.close();
  assert.equal((await outcome).code, 'aborted');
  await server.close();
});

test('nobody listening: connection refused', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const client = new HttpClient({}, realClock);
  for (const host of ['127.0.0.1', 'localhost']) {
    await assert.rejects(
      client.send({ url: `http://${host}:${port}/metrics` }, { sink: new TestSink(), timeoutMs: 5000 }),
      (error) => {
        assert.ok(error instanceof HttpError);
        const shape = new RegExp(
          `^Get "http://${host}:${port}/metrics": dial tcp (127\\.0\\.0\\.1|\\[::1\\]):${port}: connect: `,
        );
        assert.match(error.message, shape);
        return error.code === 'dial';
      },
    );
  }
  client.close();
});

test('a host that does not exist: no such host', async () => {
  const client = new HttpClient({}, realClock);
  await assert.rejects(
    client.send({ url: 'http://nothing.invalid/' }, { sink: new TestSink(), timeoutMs: 5000 }),
    (error) => {
      assert.match((error as Error).message, /^Get "http:\/\/nothing\.invalid\/": dial tcp: lookup nothing\.invalid: /);
      return true;
    },
  );
});

test('names and unix sockets are dialled as well', async () => {
  const server = await scriptedServer(() => [`${OK}Content-Length: 4\r\n\r\nup 1`]);
  const client = new HttpClient({}, realClock);
  assert.equal((await outcomeOf(client, `http://localhost:${server.port}/`)).body, 'up 1');
  client.close();
  await server.close();

  const path = `/tmp/narthex-test-${process.pid}.sock`;
  const local = createServer((socket) => socket.on('data', () => socket.write(`${OK}Content-Length: 4\r\n\r\nup 1`)));
  await new Promise<void>((resolve) => local.listen(path, resolve));
  const sink = new TestSink();
  const answer = await client.send({ url: 'http://somewhere/metrics', unixSocket: path }, { sink, timeoutMs: 5000 });
  assert.equal(sink.text(answer.bodyBytes), 'up 1');
  client.close();
  await new Promise((resolve) => local.close(resolve));
});

// ---- Requests

test('a request says what it is to say, and nothing else', async () => {
  const server = await scriptedServer(() => [`${OK}Content-Length: 0\r\n\r\n`]);
  const client = new HttpClient(
    { basicAuth: { username: 'joe', password: 'säcret' }, headers: [['X-Scope', 'a']] },
    realClock,
  );
  await client.send(
    { url: `${server.url}/metrics?b=1&a=%20`, headers: [['Accept', 'text/plain']] },
    { sink: new TestSink(), timeoutMs: 5000 },
  );
  const credentials = Buffer.from('joe:säcret').toString('base64');
  assert.deepEqual(server.requests, [
    [
      'GET /metrics?b=1&a=%20 HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      'Accept: text/plain',
      'X-Scope: a',
      `Authorization: Basic ${credentials}`,
    ].join('\r\n'),
  ]);
  client.close();
  await server.close();
});

for (const [name, value] of [
  ['A\r\nB', 'x'],
  ['A', 'x\r\nB: y'],
  ['A', 'x\0'],
  ['', 'x'],
  ['A', '…'],
] as const) {
  test(`a header that would break the request is refused: ${JSON.stringify([name, value])}`, async () => {
    const client = new HttpClient({ headers: [[name, value]] }, realClock);
    await assert.rejects(client.send({ url: 'http://127.0.0.1:1/' }, { sink: new TestSink(), timeoutMs: 5000 }), {
      code: 'config',
    });
  });
}

// ---- Redirects

test('redirects are followed on the same connection', async () => {
  const server = await scriptedServer((request) =>
    request.startsWith('GET /real')
      ? [`${OK}Content-Length: 4\r\n\r\nup 1`]
      : ['HTTP/1.1 302 Found\r\nLocation: /real\r\nContent-Length: 2\r\n\r\nno'],
  );
  const client = new HttpClient({}, realClock);
  assert.deepEqual(await outcomeOf(client, `${server.url}/metrics`), { status: '200 OK', body: 'up 1' });
  assert.equal(server.connections, 1);
  client.close();
  await server.close();
});

test('ten redirects are enough', async () => {
  const loop = () => ['HTTP/1.1 301 Moved Permanently\r\nLocation: /metrics\r\nContent-Length: 0\r\n\r\n'];
  assert.deepEqual(await exchange(loop), {
    code: 'redirect',
    message: 'Get "/metrics": stopped after 10 redirects',
  });
  assert.deepEqual(await exchange(loop, { client: { followRedirects: false } }), {
    status: '301 Moved Permanently',
    body: '',
  });
});

for (const [location, message] of [
  ['file:///etc/passwd', 'Get "file:///etc/passwd": unsupported protocol scheme "file"'],
  ['gopher://x/', 'Get "gopher://x/": unsupported protocol scheme "gopher"'],
  ['http://[', 'Get "http://HOST/metrics": failed to parse Location header "http://["'],
]) {
  test(`no redirect to ${location}`, async () => {
    const script = [`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`];
    assert.deepEqual(await exchange(script), { code: 'redirect', message });
  });
}

/** Where a request with a secret goes on to, and whether the secret came along each time. */
async function trailOfSecret(...locations: ((port: number) => string)[]): Promise<boolean[]> {
  const server = await scriptedServer((_, index) => {
    const location = locations[index]?.(server.port);
    return location === undefined
      ? [`${OK}Content-Length: 4\r\n\r\nup 1`]
      : [`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`];
  });
  const client = new HttpClient(
    { authorization: { credentials: 'secret' }, headers: [['X-Key', 'secret']] },
    realClock,
  );
  const request = { url: server.url, headers: [['Accept', 'text/plain']] as const };
  await client.send(request, { sink: new TestSink(), timeoutMs: 5000 });
  client.close();
  await server.close();
  assert.ok(server.requests.every((sent) => sent.includes('Accept: text/plain')));
  return server.requests.map((sent) => {
    const shown = [sent.includes('Authorization: Bearer secret'), sent.includes('X-Key: secret')];
    assert.equal(shown[0], shown[1]);
    return shown[0]!;
  });
}

const HERE = (port: number) => `http://127.0.0.1:${port}/here`;
const ELSEWHERE = (port: number) => `http://localhost:${port}/there`;

test('credentials stay with the host they were given for', async () => {
  assert.deepEqual(await trailOfSecret(() => '/here', HERE), [true, true, true]);
  assert.deepEqual(await trailOfSecret(ELSEWHERE), [true, false]);
  // Who was elsewhere is not trusted to send us back.
  assert.deepEqual(await trailOfSecret(ELSEWHERE, HERE), [true, false, false]);
});

const trusted: [from: string, to: string, isTrusted: boolean][] = [
  ['http://a.example', 'http://a.example:81', true],
  ['http://a.example', 'https://a.example', true],
  ['https://a.example', 'http://a.example', false],
  ['http://a.example', 'http://b.a.example', true],
  ['http://a.example', 'http://example', false],
  ['http://a.example', 'http://aa.example', false],
  ['http://a.example', 'http://b.example', false],
  ['http://A.example', 'http://a.EXAMPLE', true],
  ['http://127.0.0.1', 'http://2.127.0.0.1.example', false],
  ['http://[::1]', 'http://[::1]:81', true],
  ['http://[::1]', 'http://[::2]', false],
];
for (const [from, to, isTrusted] of trusted) {
  test(`credentials for ${from} ${isTrusted ? 'go' : 'do not go'} to ${to}`, () => {
    const url = new URL(from);
    const hop = makeHop({
      url,
      urlText: from,
      unixSocket: undefined,
      method: 'GET',
      own: [],
      trusted: [['X-Key', 'secret']],
      trustedHost: url.hostname,
      body: undefined,
    });
    assert.equal(redirected(hop, 307, to).outgoing.headers.includes('secret'), isTrusted);
  });
}

test('headers and credentials of files are read at each request', async () => {
  const folder = emptyFolder();
  const [key, token] = [join(folder, 'key'), join(folder, 'token')];
  const server = await scriptedServer(() => [`${OK}Content-Length: 4\r\n\r\nup 1`]);
  const client = new HttpClient(
    { authorization: { credentialsFile: token }, headers: [['X-Fixed', 'f']], headerFiles: [['X-Key', key]] },
    realClock,
  );
  const request = { url: server.url };
  const shown: string[][] = [];
  for (const [inKey, inToken] of [
    ['k1', 't1'],
    ['k1', 't1'],
    ['k2', 't1'],
    ['k2', 't2'],
  ] as const) {
    writeFileSync(key, `${inKey}\n`);
    writeFileSync(token, `${inToken}\n`);
    await client.send(request, { sink: new TestSink(), timeoutMs: 5000 });
    const lines = server.requests.at(-1)!.split('\r\n');
    shown.push(lines.filter((line) => /^(X-|Auth)/.test(line)));
  }
  assert.deepEqual(shown, [
    ['X-Fixed: f', 'Authorization: Bearer t1', 'X-Key: k1'],
    ['X-Fixed: f', 'Authorization: Bearer t1', 'X-Key: k1'],
    ['X-Fixed: f', 'Authorization: Bearer t1', 'X-Key: k2'],
    ['X-Fixed: f', 'Authorization: Bearer t2', 'X-Key: k2'],
  ]);
  rmSync(key);
  await assert.rejects(client.send(request, { sink: new TestSink(), timeoutMs: 5000 }), {
    code: 'config',
    message: /^Get ".*": unable to read headers file .*key: open .*key: no such file or directory$/,
  });
  client.close();
  await server.close();
});
