// How both engines read requests off the wire: every form of framing that once let
// two parties disagree about where a message ends, and every way to split a valid one.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { type HttpEngine, heapSink } from '../../../src/web/door.js';
import { ENGINES, openTestDoor, type TestDoor } from '../../support/doors.js';
import { rawConnect, rawExchange, turns } from '../../support/raw-http.js';

const BODY_BYTES_MAX = 1 << 20;
/** How long an engine that should not answer is waited for; a valid request is waited for until it is answered. */
const QUIET_MS = 40;
/** node:http ends what is malformed within this. */
const CLOSE_MS = 1000;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

const doors = new Map<HttpEngine, TestDoor>();
const seen = new Map<HttpEngine, Seen[]>();

before(async () => {
  for (const engine of ENGINES) {
    const log: Seen[] = [];
    seen.set(engine, log);
    doors.set(
      engine,
      await openTestDoor(engine, async (request, response) => {
        const { method, path } = request;
        const body = await request.readBody(heapSink, BODY_BYTES_MAX);
        if (body.kind !== 'whole') return response.destroy();
        log.push({ method, path, body: Buffer.from(body.bytes).toString('latin1') });
        response.head(200, []);
        response.end(path);
      }),
    );
  }
});

after(async () => {
  for (const door of doors.values()) await door.close(0);
});

/** What would run if the body before it were taken for nothing. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const CHUNKED_SMUGGLED = `0\r\n\r\n${SMUGGLED}`;

function post(headers: string, body: string): string {
  return `POST /p HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`;
}

function get(headers: string): string {
  return `GET /g HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
}

const chunked = 'Transfer-Encoding: chunked\r\n';
const manyHeaders = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join('');

/**
 * Requests that have one meaning, and what the handler sees of them: path and body. Those marked `node` are beyond
 * this build of uWebSockets, which ends their connection instead.
 */
const valid: [name: string, message: string, want: [path: string, body: string][], only?: 'node'][] = [
  ['a plain GET', get(''), [['/g', '']]],
  ['a HEAD', 'HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n', [['/h', '']]],
  ['a body by Content-Length', post('Content-Length: 5\r\n', 'hello'), [['/p', 'hello']]],
  ['a body of no bytes', post('Content-Length: 0\r\n', ''), [['/p', '']]],
  ['a POST without any length', post('', ''), [['/p', '']]],
  ['a Content-Length with leading zeros', post('Content-Length: 005\r\n', 'hello'), [['/p', 'hello']]],
  ['a body in one chunk', post(chunked, '5\r\nhello\r\n0\r\n\r\n'), [['/p', 'hello']]],
  ['a body in three chunks', post(chunked, '1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n'), [['/p', 'hello']]],
  [
    'hexadecimal sizes of both cases',
    post(chunked, `a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n`),
    [['/p', '01234567890123456789a']],
  ],
  ['no chunk but the last', post(chunked, '0\r\n\r\n'), [['/p', '']]],
  ['Chunked in other letters', post('Transfer-Encoding: Chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'), [['/p', 'hello']]],
  [
    'two requests in one segment',
    get('') + get('').replace('/g', '/second'),
    [
      ['/g', ''],
      ['/second', ''],
    ],
  ],
  [
    'a request behind a body',
    post('Content-Length: 5\r\n', 'hello') + get(''),
    [
      ['/p', 'hello'],
      ['/g', ''],
    ],
  ],
  [
    'a request behind chunks',
    post(chunked, '5\r\nhello\r\n0\r\n\r\n') + get(''),
    [
      ['/p', 'hello'],
      ['/g', ''],
    ],
    'node',
  ],
  ['a body that looks like a request', post(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED), [['/p', SMUGGLED]]],
  ['a GET with a body', `GET /g HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`, [['/g', 'hello']]],
  ['Connection: close', get('Connection: close\r\n'), [['/g', '']]],
  ['blanks around a value', get('X-A: \t v \t\r\n'), [['/g', '']]],
  ['a header without value', get('X-A:\r\n'), [['/g', '']]],
  ['an ordinary header twice', get('X-A: 1\r\nX-A: 2\r\n'), [['/g', '']]],
  ['bytes above ASCII in a value', get('X-A: \xc3\xa9\r\n'), [['/g', '']]],
  ['40 headers', get(manyHeaders(39)), [['/g', '']]],
  ['the absolute form', 'GET http://a/g?x=1 HTTP/1.1\r\nHost: a\r\n\r\n', [['/g', '']], 'node'],
  ['a chunk with an extension', post(chunked, '5;a=b\r\nhello\r\n0\r\n\r\n'), [['/p', 'hello']], 'node'],
  ['trailers behind the chunks', post(chunked, '5\r\nhello\r\n0\r\nX-A: 1\r\n\r\n'), [['/p', 'hello']]],
  ['escapes and marks in the query', "GET /g?a=%7B%22&b[]=~!*()' HTTP/1.1\r\nHost: a\r\n\r\n", [['/g', '']]],
  ['an unusual method', 'PROPFIND /g HTTP/1.1\r\nHost: a\r\n\r\n', [['/g', '']], 'node'],
];

for (const engine of ENGINES) {
  for (const [name, message, want, only] of valid) {
    test(`${engine}: ${name} is ${only === engine || !only ? 'read as it is meant' : 'not answered'}`, async () => {
      seen.get(engine)!.length = 0;
      // The answer to a HEAD announces a body that does not come, so its end cannot be seen.
      const quietMs = only === undefined && !message.startsWith('HEAD') ? 2000 : 2 * QUIET_MS;
      const answer = await rawExchange(doors.get(engine)!.port, [message], { answers: want.length, quietMs });
      if (only !== undefined && only !== engine) return assert.ok(!answer.statuses.includes(200), answer.text);
      // Pipelined requests run side by side on node:http; their answers keep the order.
      const got = seen.get(engine)!.map((request) => [request.path, request.body]);
      assert.deepEqual(got.sort(), [...want].sort(), answer.text);
      if (!message.startsWith('HEAD'))
        assert.deepEqual(
          answer.statuses,
          want.map(() => 200),
        );
    });
  }
}

/**
 * Messages whose end can be read in two ways, or that are no HTTP. None may reach a handler, and so nothing
 * behind it. `lenient` tells where uWebSockets' parser is: it reads the message one way, and what is behind is not run.
 */
const malformed: [name: string, message: string, uws?: 'lenient'][] = [
  ['two differing Content-Lengths', post('Content-Length: 0\r\nContent-Length: 36\r\n', SMUGGLED)],
  ['two equal Content-Lengths', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
  ['a list of Content-Lengths', post('Content-Length: 5, 5\r\n', 'hello')],
  ['an empty Content-Length', post('Content-Length:\r\n', SMUGGLED)],
  ['a Content-Length of blanks', post('Content-Length:   \r\n', SMUGGLED)],
  ['a signed Content-Length', post('Content-Length: +5\r\n', 'hello')],
  ['a negative Content-Length', post('Content-Length: -5\r\n', SMUGGLED)],
  ['a hexadecimal Content-Length', post('Content-Length: 0x5\r\n', 'hello')],
  ['a Content-Length with an exponent', post('Content-Length: 1e1\r\n', SMUGGLED)],
  ['a Content-Length with a blank inside', post('Content-Length: 1 0\r\n', SMUGGLED)],
  ['a Content-Length with letters behind', post('Content-Length: 5abc\r\n', SMUGGLED)],
  ['a Content-Length above 64 bits', post('Content-Length: 18446744073709551621\r\n', SMUGGLED)],
  ['a Content-Length above 32 bits by wrap', post('Content-Length: 99999999999999999999999\r\n', SMUGGLED)],
  ['Content-Length, then chunked', post(`Content-Length: 5\r\n${chunked}`, CHUNKED_SMUGGLED)],
  ['chunked, then Content-Length', post(`${chunked}Content-Length: 5\r\n`, CHUNKED_SMUGGLED)],
  ['an unknown coding', post('Transfer-Encoding: xchunked\r\n', CHUNKED_SMUGGLED)],
  ['a list that ends in chunked', post('Transfer-Encoding: gzip, chunked\r\n', CHUNKED_SMUGGLED)],
  ['a list that begins with chunked', post('Transfer-Encoding: chunked, identity\r\n', CHUNKED_SMUGGLED)],
  ['chunked twice in a list', post('Transfer-Encoding: chunked, chunked\r\n', CHUNKED_SMUGGLED)],
  ['two Transfer-Encodings', post(`${chunked}${chunked}`, CHUNKED_SMUGGLED)],
  ['two differing Transfer-Encodings', post(`${chunked}Transfer-Encoding: identity\r\n`, CHUNKED_SMUGGLED)],
  ['identity', post('Transfer-Encoding: identity\r\n', CHUNKED_SMUGGLED)],
  ['an empty Transfer-Encoding', post('Transfer-Encoding:\r\n', CHUNKED_SMUGGLED)],
  ['an empty Transfer-Encoding beside a length', post('Transfer-Encoding:\r\nContent-Length: 5\r\n', 'hello')],
  ['chunked behind a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', CHUNKED_SMUGGLED)],
  ['chunked in quotes', post('Transfer-Encoding: "chunked"\r\n', CHUNKED_SMUGGLED)],
  ['chunked with a parameter', post('Transfer-Encoding: chunked;q=1\r\n', CHUNKED_SMUGGLED)],
  ['a blank before the colon of a length', post('Content-Length : 5\r\n', 'hello')],
  ['a blank before the colon of a coding', post('Transfer-Encoding : chunked\r\n', CHUNKED_SMUGGLED)],
  ['two equal Hosts', 'GET /g HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ['two differing Hosts', 'GET /g HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['no Host', 'GET /g HTTP/1.1\r\nX-A: a\r\n\r\n'],
  ['an empty header name', get(': x\r\n'), 'lenient'],
  ['a length behind an empty header name', post(`: x\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED), 'lenient'],
  ['a header without colon', get('Nothing\r\n')],
  ['a blank in a header name', get('X A: 1\r\n')],
  ['a folded header', get('X-A: 1\r\n  Content-Length: 5\r\n')],
  ['a first header that begins with a blank', 'GET /g HTTP/1.1\r\n Host: a\r\n\r\n'],
  ['a NUL in a value', get('X-A: a\0b\r\n')],
  ['a NUL in a name', get('X\0A: b\r\n')],
  ['a lone CR in a value', get('X-A: a\rb\r\n')],
  ['lines that end in LF alone', 'GET /g HTTP/1.1\nHost: a\n\n'],
  ['one header that ends in LF alone', 'POST /p HTTP/1.1\r\nHost: a\r\nX-A: 1\nContent-Length: 36\r\n\r\n'],
  ['41 headers', get(manyHeaders(40))],
  ['100 headers', get(manyHeaders(99))],
  ['a chunk size that is no number', post(chunked, `zz\r\nhello\r\n${CHUNKED_SMUGGLED}`)],
  ['a negative chunk size', post(chunked, `-5\r\nhello\r\n${CHUNKED_SMUGGLED}`)],
  ['a chunk size with 0x', post(chunked, `0x5\r\nhello\r\n${CHUNKED_SMUGGLED}`)],
  ['a chunk size above 64 bits', post(chunked, `10000000000000005\r\nhello\r\n${CHUNKED_SMUGGLED}`)],
  ['an empty chunk size', post(chunked, `\r\nhello\r\n${CHUNKED_SMUGGLED}`), 'lenient'],
  ['chunk data longer than its size', post(chunked, `3\r\nhello\r\n${CHUNKED_SMUGGLED}`), 'lenient'],
  ['a chunk size that ends in LF alone', post(chunked, `5\nhello\r\n${CHUNKED_SMUGGLED}`), 'lenient'],
  ['a blank in the path', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no version', 'GET /g\r\nHost: a\r\n\r\n'],
  ['a version of the future', 'GET /g HTTP/9.9\r\nHost: a\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['no path', 'GET  HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a mark in the method', 'G@T /g HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a greeting of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['noise', '\xff\xfe\xfd\xfc\r\n\r\n\r\n'],
  ['a head that never ends', `GET /g HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(200_000)}`],
];

for (const engine of ENGINES) {
  for (const [name, message, uws] of malformed) {
    test(`${engine}: ${name} reaches no handler`, async () => {
      const log = seen.get(engine)!;
      log.length = 0;
      const door = doors.get(engine)!;
      const answer = await rawExchange(door.port, [message], { quietMs: engine === 'node' ? CLOSE_MS : QUIET_MS });
      assert.ok(!log.some((request) => request.path === '/smuggled'), `ran what was smuggled: ${answer.text}`);
      assert.ok(answer.statuses.length <= 1, `answered twice: ${answer.text}`);
      if (engine === 'uws' && uws === 'lenient') return;
      assert.deepEqual(log, [], answer.text);
      assert.ok(!answer.statuses.includes(200), answer.text);
      if (engine === 'node') assert.ok(answer.closed, 'the connection stayed open');
    });
  }
}

/** Requests whose end only the parser of uWebSockets knows, with another one behind it. */
const isolated: [name: string, message: string][] = [
  ['chunked', post(chunked, `5\r\nhello\r\n${CHUNKED_SMUGGLED}`)],
  ['of a length that an empty name hides', post(`: x\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED)],
];

for (const [name, message] of isolated) {
  test(`uws: nothing behind a request that is ${name} runs, wherever it is split`, {
    skip: !ENGINES.includes('uws'),
  }, async () => {
    const log = seen.get('uws')!;
    log.length = 0;
    const { port } = doors.get('uws')!;
    const answers = await Promise.all(
      everyOffset(message).map((at) =>
        rawExchange(port, [message.slice(0, at), message.slice(at)], { quietMs: QUIET_MS }),
      ),
    );
    assert.ok(answers.every((answer) => answer.statuses.length <= 1));
    assert.ok(!log.some((request) => request.path === '/smuggled'));
  });
}

const LONG_VALUE = (bytes: number) => 'v'.repeat(bytes);

/** A valid request of exactly `bytes`, head and body. */
function requestOf(bytes: number): string {
  const build = (fill: number) =>
    `POST /split?query=up%7Bjob%3D%22a%22%7D HTTP/1.1\r\nHost: localhost:9090\r\nAccept: */*\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\nX-Fill: ${LONG_VALUE(fill)}\r\nContent-Length: 11\r\n\r\nhello=world`;
  const request = build(bytes - build(0).length);
  assert.equal(request.length, bytes);
  return request;
}

function chunkedRequest(): string {
  return post(chunked, '5\r\nhello\r\n6\r\n=world\r\n0\r\n\r\n').replace('/p ', '/split ');
}

/** Sends the request once for each split, on a few connections that are kept; counts the answers. */
async function splitEverywhere(engine: HttpEngine, message: string, offsets: readonly number[]): Promise<void> {
  const door = doors.get(engine)!;
  const log = seen.get(engine)!;
  log.length = 0;
  const bytes = Buffer.from(message, 'latin1');
  const lanes = 8;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      let line: Line | undefined;
      for (let i = lane; i < offsets.length; i += lanes) {
        if (line === undefined || line.closed) line = await Line.open(door.port);
        const answer = await line.send(bytes, offsets[i]!);
        assert.match(answer, /^HTTP\/1\.1 200 /, `split at ${offsets[i]}`);
      }
      line?.close();
    }),
  );
  assert.equal(log.length, offsets.length);
  assert.ok(log.every((request) => request.path === '/split' && request.body === 'hello=world'));
}

/** A connection on which one request is sent after the other, each in two packets. */
class Line {
  closed = false;
  #arrived = '';
  #wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#arrived += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.closed = true;
        this.#wake();
      });
    }
  }

  static async open(port: number): Promise<Line> {
    return new Line(await rawConnect(port));
  }

  async send(bytes: Uint8Array, at: number): Promise<string> {
    this.#arrived = '';
    this.socket.write(bytes.subarray(0, at));
    await turns(2);
    this.socket.write(bytes.subarray(at));
    while (!this.#arrived.endsWith('/split') && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // An answer that ends its connection says so; the end itself may come a little later.
    if (/\r\nconnection: close\r\n/i.test(this.#arrived)) this.close();
    return this.#arrived;
  }

  close(): void {
    this.closed = true;
    this.socket.destroy();
  }
}

const everyOffset = (message: string) => Array.from({ length: message.length - 1 }, (_, i) => i + 1);

for (const engine of ENGINES) {
  test(`${engine}: a request of 4 KiB may be split at any byte`, async () => {
    // The head and the first byte behind it have to be below the limit; the whole request is at it.
    const message = requestOf(4096);
    await splitEverywhere(engine, message, everyOffset(message));
  });

  test(`${engine}: a small request may be split at any byte`, async () => {
    const message = requestOf(300);
    await splitEverywhere(engine, message, everyOffset(message));
  });

  test(`${engine}: a chunked request may be split at any byte`, async () => {
    const message = chunkedRequest();
    await splitEverywhere(engine, message, everyOffset(message));
  });

  test(`${engine}: a request may come byte by byte`, async () => {
    const message = requestOf(300);
    const answer = await rawExchange(doors.get(engine)!.port, [...message], { answers: 1 });
    assert.deepEqual(answer.statuses, [200]);
  });
}

test('node: a request of 64 KiB may be split at any byte', async () => {
  const message = requestOf(64 * 1024);
  const all = everyOffset(message);
  // Every byte takes a minute; the sample has each byte of both ends, where the structure is.
  const full = process.env.NARTHEX_SPLITS === 'all';
  const offsets = full ? all : all.filter((at) => at < 200 || at > message.length - 200 || at % 89 === 0);
  await splitEverywhere('node', message, offsets);
});
