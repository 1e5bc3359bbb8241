// The door's promises to handlers and against clients that misbehave, on both engines.

import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { type BodyOutcome, type DoorHandler, heapSink } from '../../../src/web/door.js';
import { openDoor } from '../../../src/web/listen.js';
import { ENGINES, hastyClock, openTestDoor, type TestDoor } from '../../support/doors.js';
import { rawConnect, rawExchange, turns } from '../../support/raw-http.js';

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function send(
  door: TestDoor,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers, body } = options;
    const request = httpRequest(
      { port: door.port, host: '127.0.0.1', path, method, headers, agent: false },
      (reply) => {
        const pieces: Buffer[] = [];
        reply.on('data', (piece) => pieces.push(piece));
        reply.on('error', reject);
        reply.on('end', () =>
          resolve({ status: reply.statusCode!, headers: reply.headers, body: Buffer.concat(pieces) }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function withDoor(
  engine: (typeof ENGINES)[number],
  handler: DoorHandler,
  use: (door: TestDoor) => Promise<void>,
  overrides: Parameters<typeof openTestDoor>[2] = {},
): Promise<void> {
  const door = await openTestDoor(engine, handler, overrides);
  try {
    await use(door);
  } finally {
    await door.close(0);
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function pattern(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
}

/** Streams `count` pieces as fast as the client takes them, and tells what it saw. */
function streamer(piece: Uint8Array, count: number, log: { written: number; aborted: boolean }): DoorHandler {
  return async (_request, response) => {
    response.head(200, [['Content-Type', 'text/plain']]);
    for (let i = 0; i < count && !response.signal.aborted; i++) {
      if (!response.write(piece)) await response.drained();
      log.written += piece.length;
    }
    log.aborted = response.signal.aborted;
    response.end();
  };
}

for (const engine of ENGINES) {
  test(`${engine}: head, path, query and headers arrive as sent`, async () => {
    await withDoor(
      engine,
      (request, response) => {
        const { method, path, query, remoteAddress } = request;
        response.head(200, [['X-Own', 'yes']]);
        response.end(
          JSON.stringify([method, path, query, remoteAddress, request.header('x-a'), request.header('x-b')]),
        );
      },
      async (door) => {
        const reply = await send(door, '/a%2Fb/c?x=%20y&z', { headers: { 'X-A': 'One' } });
        assert.deepEqual(JSON.parse(String(reply.body)), ['GET', '/a%2Fb/c', 'x=%20y&z', '127.0.0.1', 'One', '']);
        assert.equal(reply.headers['x-own'], 'yes');
        assert.ok(reply.headers.date);
      },
    );
  });

  for (const bytes of [0, 1, 1000, 65_536, 65_537, 3_000_000]) {
    test(`${engine}: a body of ${bytes} bytes goes through a lent buffer and back`, async () => {
      const lent = new Uint8Array(new SharedArrayBuffer(bytes + 10)).fill(0xee);
      const asked: number[] = [];
      const lender = {
        reserve(size: number): Uint8Array {
          asked.push(size);
          return lent;
        },
      };
      await withDoor(
        engine,
        async (request, response) => {
          const outcome = await request.readBody(lender, 5_000_000);
          assert.equal(outcome.kind, 'whole');
          response.head(200, []);
          response.end((outcome as { bytes: Uint8Array }).bytes);
        },
        async (door) => {
          const body = pattern(bytes);
          const reply = await send(door, '/', { method: 'POST', body, headers: { 'Content-Length': String(bytes) } });
          assert.ok(reply.body.equals(body));
          assert.deepEqual(asked, bytes === 0 ? [] : [bytes]);
          assert.deepEqual([...lent.subarray(bytes)], Array(10).fill(0xee), 'wrote behind the body');

          asked.length = 0;
          const chunked = await send(door, '/', { method: 'POST', body, headers: { 'Transfer-Encoding': 'chunked' } });
          assert.ok(chunked.body.equals(body));
          assert.deepEqual(asked, bytes === 0 ? [] : [bytes]);
        },
      );
    });
  }

  for (const framing of ['Content-Length', 'Transfer-Encoding'] as const) {
    test(`${engine}: a body over the limit is refused, by ${framing}`, async () => {
      const outcomes: string[] = [];
      await withDoor(
        engine,
        async (request, response) => {
          const outcome = await request.readBody(heapSink, 1000);
          outcomes.push(outcome.kind);
          response.head(outcome.kind === 'too-large' ? 413 : 200, []);
          response.end();
        },
        async (door) => {
          const post = (bytes: number) =>
            send(door, '/', {
              method: 'POST',
              body: pattern(bytes),
              headers: { [framing]: framing === 'Content-Length' ? String(bytes) : 'chunked' },
            });
          assert.equal((await post(1000)).status, 200);
          assert.equal((await post(1001)).status, 413);
          assert.deepEqual(outcomes, ['whole', 'too-large']);
        },
      );
    });
  }

  test(`${engine}: a sink that lends nothing refuses the body`, async () => {
    await withDoor(
      engine,
      async (request, response) => {
        const outcome = await request.readBody({ reserve: () => undefined }, 1000);
        response.head(outcome.kind === 'refused' ? 503 : 200, []);
        response.end();
      },
      async (door) => {
        assert.equal((await send(door, '/', { method: 'POST', body: pattern(10) })).status, 503);
      },
    );
  });

  test(`${engine}: a handler may ask for the body late`, async () => {
    const size = 2_000_000;
    await withDoor(
      engine,
      async (request, response) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        const outcome = await request.readBody(heapSink, size);
        response.head(200, []);
        response.end(outcome.kind === 'whole' ? outcome.bytes : outcome.kind);
      },
      async (door) => {
        const reply = await send(door, '/', { method: 'POST', body: pattern(size) });
        assert.ok(reply.body.equals(pattern(size)));
      },
    );
  });

  test(`${engine}: an unread body does not disturb the next request`, async () => {
    await withDoor(
      engine,
      (_request, response) => {
        response.head(404, []);
        response.end('no');
      },
      async (door) => {
        const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n`;
        const answer = await rawExchange(door.port, [post, 'hello', post, 'hello'], { answers: 2, quietMs: 500 });
        assert.deepEqual(answer.statuses, [404, 404]);
      },
    );
  });

  test(`${engine}: a client that leaves in the middle of its body cuts it`, async () => {
    const outcomes: BodyOutcome[] = [];
    await withDoor(
      engine,
      async (request) => {
        outcomes.push(await request.readBody(heapSink, 1000));
      },
      async (door) => {
        const socket = await rawConnect(door.port);
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
        await turns(5);
        socket.destroy();
        await until(() => outcomes.length > 0, 'the outcome');
        assert.deepEqual(outcomes, [{ kind: 'cut' }]);
      },
    );
  });

  test(`${engine}: a body slower than 1 KB/s ends its connection`, async () => {
    const outcomes: BodyOutcome[] = [];
    await withDoor(
      engine,
      async (request) => {
        outcomes.push(await request.readBody(heapSink, 1_000_000));
      },
      async (door) => {
        const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
        const answer = await rawExchange(door.port, [head, 'slow'], { quietMs: 3000 });
        assert.ok(answer.closed);
        assert.deepEqual(outcomes, [{ kind: 'cut' }]);
      },
      { clock: hastyClock(100) },
    );
  });

  test(`${engine}: HEAD, 204 and 304 have no body`, async () => {
    await withDoor(
      engine,
      (request, response) => {
        response.head(Number(request.path.slice(1)), []);
        response.end(request.path === '/200' ? 'hello' : undefined);
      },
      async (door) => {
        const head = await send(door, '/200', { method: 'HEAD' });
        assert.equal(head.headers['content-length'], '5');
        assert.equal(head.body.length, 0);
        for (const status of [204, 304]) {
          const reply = await send(door, `/${status}`);
          assert.equal(reply.status, status);
          assert.equal(reply.headers['content-length'], undefined);
        }
        const twice = await rawExchange(
          door.port,
          ['HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /204 HTTP/1.1\r\nHost: a\r\n\r\n'],
          { quietMs: 100 },
        );
        assert.match(twice.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nHTTP\/1\.1 204 No Content\r\n/);
      },
    );
  });

  test(`${engine}: a streamed answer arrives whole`, async () => {
    const log = { written: 0, aborted: false };
    const piece = pattern(100_003);
    await withDoor(engine, streamer(piece, 100, log), async (door) => {
      const reply = await send(door, '/');
      assert.ok(reply.body.equals(Buffer.concat(Array(100).fill(piece))));
      assert.equal(reply.headers['content-length'], undefined);
      assert.equal(log.aborted, false);
    });
  });

  test(`${engine}: HEAD of a streamed answer is a head`, async () => {
    const log = { written: 0, aborted: false };
    await withDoor(engine, streamer(pattern(1000), 10, log), async (door) => {
      const reply = await send(door, '/', { method: 'HEAD' });
      assert.equal(reply.status, 200);
      assert.equal(reply.body.length, 0);
    });
  });

  test(`${engine}: a client that never reads is waited for with bounded memory, then let go`, async () => {
    const log = { written: 0, aborted: false };
    await withDoor(
      engine,
      streamer(pattern(256 * 1024), 1000, log),
      async (door) => {
        const socket = await neverReading(door, '/');
        await until(() => log.aborted, 'the abort');
        // What the kernel's buffers hold plus one piece; nothing near the 256 MB of the whole answer.
        assert.ok(log.written < 32 * 1024 * 1024, `wrote ${log.written}`);
        socket.destroy();
      },
      { clock: hastyClock(100) },
    );
  });

  test(`${engine}: a whole answer that nobody reads is let go`, async () => {
    let aborted = false;
    await withDoor(
      engine,
      (_request, response) => {
        response.signal.addEventListener('abort', () => (aborted = true));
        response.head(200, []);
        response.end(new Uint8Array(64 * 1024 * 1024));
      },
      async (door) => {
        const socket = await neverReading(door, '/');
        await until(() => aborted, 'the abort');
        socket.destroy();
      },
      { clock: hastyClock(100) },
    );
  });

  test(`${engine}: a client that leaves aborts the download`, async () => {
    const log = { written: 0, aborted: false };
    await withDoor(engine, streamer(pattern(64 * 1024), 10_000, log), async (door) => {
      const socket = await rawConnect(door.port);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
      await until(() => log.aborted, 'the abort');
    });
  });

  test(`${engine}: a client that leaves aborts a handler that has not begun to answer`, async () => {
    let reason = 'none';
    await withDoor(
      engine,
      async (_request, response) => {
        await new Promise((resolve) => response.signal.addEventListener('abort', resolve));
        reason = 'aborted';
        response.head(200, []);
        response.write(pattern(10));
        await response.drained();
        response.end();
      },
      async (door) => {
        const socket = await rawConnect(door.port);
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        await turns(10);
        socket.destroy();
        await until(() => reason === 'aborted', 'the abort');
        assert.deepEqual(door.errors, []);
      },
    );
  });

  test(`${engine}: a handler that throws answers 500, or ends what it began`, async () => {
    await withDoor(
      engine,
      async (request, response) => {
        if (request.path === '/sync') throw new Error('sync');
        if (request.path === '/late') {
          response.head(200, []);
          response.write(pattern(10));
        }
        await turns(1);
        throw new Error('async');
      },
      async (door) => {
        assert.equal((await send(door, '/sync')).status, 500);
        assert.equal((await send(door, '/async')).status, 500);
        await assert.rejects(send(door, '/late'), /aborted|socket hang up/);
        assert.equal(door.errors.length, 3);
      },
    );
  });

  test(`${engine}: a response header cannot be split`, async () => {
    await withDoor(
      engine,
      (_request, response) => {
        response.head(200, [['X-A', 'a\r\nX-B: b']]);
        response.end('x');
      },
      async (door) => {
        const reply = await send(door, '/').catch(() => undefined);
        assert.equal(reply?.headers['x-b'], undefined);
        assert.equal(door.errors.length, 1);
      },
    );
  });

  test(`${engine}: a closing door lets running requests finish and takes no new ones`, async () => {
    let started = false;
    let release: () => void = () => undefined;
    const door = await openTestDoor(engine, async (_request, response) => {
      await new Promise<void>((resolve) => {
        release = resolve;
        started = true;
      });
      response.head(200, []);
      response.end('done');
    });
    const reply = send(door, '/');
    await until(() => started, 'the request');
    await turns(5);
    const closed = door.close(2000);
    await assert.rejects(send(door, '/'));
    release();
    assert.equal(String((await reply).body), 'done');
    await closed;
  });
}

test('uws: more requests under way than the cap are refused', { skip: !ENGINES.includes('uws') }, async () => {
  const releases: (() => void)[] = [];
  await withDoor(
    'uws',
    async (_request, response) => {
      await new Promise<void>((resolve) => releases.push(resolve));
      response.head(200, []);
      response.end();
    },
    async (door) => {
      const replies = [send(door, '/1'), send(door, '/2')];
      await until(() => releases.length === 2, 'two requests');
      await assert.rejects(send(door, '/3'));
      for (const release of releases) release();
      assert.deepEqual(
        (await Promise.all(replies)).map((reply) => reply.status),
        [200, 200],
      );
    },
    { connectionsMax: 2 },
  );
});

test('node: the connection that idles longest makes room near the cap', async () => {
  await withDoor(
    'node',
    (_request, response) => {
      response.head(200, []);
      response.end('ok');
    },
    async (door) => {
      const idle: Socket[] = [];
      const gone: number[] = [];
      for (let i = 0; i < 30; i++) {
        const socket = await rawConnect(door.port);
        socket.on('close', () => gone.push(i)).on('error', () => undefined);
        idle.push(socket);
        await turns(2);
      }
      assert.equal((await send(door, '/')).status, 200);
      await until(() => gone.length >= 22, 'room');
      assert.deepEqual(
        gone.slice(0, 22),
        Array.from({ length: 22 }, (_, i) => i),
      );
      for (const socket of idle) socket.destroy();
    },
    { connectionsMax: 10 },
  );
});

test('node: a head that is not whole in time ends its connection', async () => {
  await withDoor(
    'node',
    () => assert.fail('a request that never came'),
    async (door) => {
      const answer = await rawExchange(door.port, ['GET / HTTP/1.1\r\n', 'Host: a\r\n'], { quietMs: 3000 });
      assert.ok(answer.closed);
      assert.deepEqual(answer.statuses, [408]);
    },
    { headTimeoutMs: 200 },
  );
});

for (const choice of ['auto', 'node'] as const) {
  test(`the log tells the engine and its limit: ${choice}`, async () => {
    const lines: string[] = [];
    const door = await openDoor(
      choice,
      {
        host: '127.0.0.1',
        port: 0,
        connectionsMax: 1,
        clock: realClock,
        handler: () => undefined,
        onError: () => undefined,
      },
      (message, facts) => lines.push(`${message} ${facts.head_bytes_max}`),
    );
    await door.close(0);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, door.engine === 'uws' ? /uWebSockets.* 4096$/ : /node:http 65536$/);
  });
}

for (const holder of ENGINES) {
  test(`a port that ${holder} has is in use for both engines, and free for it when it closes`, async () => {
    const options = { host: '127.0.0.1', connectionsMax: 1, clock: realClock };
    const handler: DoorHandler = (_request, response) => {
      response.head(200, []);
      response.end('ok');
    };
    const open = (engine: (typeof ENGINES)[number], port: number) =>
      openDoor(engine, { ...options, port, handler, onError: () => undefined }, () => undefined);
    const { port, close } = await open('node', 0);
    await close(0);
    const held = await open(holder, port);
    for (const engine of ENGINES) {
      await assert.rejects(open(engine, held.port), new RegExp(`127.0.0.1:${held.port}.*in use`, 'i'));
    }
    // A connection that the server ends keeps its port busy for a minute, unless that is asked for.
    await rawExchange(held.port, ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'], { quietMs: 500 });
    await held.close(0);
    await (await open(holder, held.port)).close(0);
  });
}

for (const engine of ENGINES) {
  test(`${engine}: a handler that forgets to answer answers 500`, async () => {
    await withDoor(
      engine,
      () => undefined,
      async (door) => {
        assert.equal((await send(door, '/')).status, 500);
        assert.match(String(door.errors[0]), /without an answer/);
      },
    );
  });
}

/** A client that asks and then takes nothing. */
async function neverReading(door: TestDoor, path: string): Promise<Socket> {
  const socket = await rawConnect(door.port);
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return socket;
}
