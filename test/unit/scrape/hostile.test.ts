// A server among bad targets: each fails in its own way, none harms another, and memory stays bounded.
//
// Real sockets, a real clock, a storage that keeps bodies as the shards do: in slots of a limited memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { realClock } from '../../../src/base/clock.js';
import { GzipError, gunzipInto } from '../../../src/base/gzip.js';
import { type BodySink, HttpClient } from '../../../src/base/http.js';
import type { ScrapeAppender, ScrapeCommit, ScrapeOutcome, TargetHandle } from '../../../src/scrape/appender.js';
import { ScrapeLoop, type TargetStatus } from '../../../src/scrape/loop.js';
import { ScrapeMetrics } from '../../../src/scrape/metrics.js';
import { noLog } from '../../../src/telemetry/log.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import { testJob, testTarget } from '../../support/scrape.js';
import { type Script, scriptedServer, TestSink } from '../../support/scripted-server.js';

const MEMORY_BYTES = 24 * 1024 * 1024;
const BODY_LIMIT = 8 * 1024 * 1024;
const INTERVAL_MS = 1000;
const ROUNDS = 2;

/** Bodies in flight share a budget; a committed body is text that begins like an exposition, or is refused. */
class BudgetAppender implements ScrapeAppender {
  usedBytes = 0;
  peakBytes = 0;
  readonly #views = new Map<TargetHandle, Uint8Array>();
  readonly scrapes = new Map<TargetHandle, ('up' | 'down')[]>();
  #handles = 0;

  open(): TargetHandle {
    const handle = ++this.#handles as TargetHandle;
    this.scrapes.set(handle, []);
    return handle;
  }

  bodySink(target: TargetHandle): BodySink {
    return {
      reserve: (bytes, kept) => {
        const old = this.#views.get(target);
        if (this.usedBytes + bytes > MEMORY_BYTES) return undefined;
        const view = new Uint8Array(bytes);
        if (old !== undefined) view.set(old.subarray(0, kept));
        this.#views.set(target, view);
        this.usedBytes += bytes - (old?.length ?? 0);
        this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
        return view;
      },
    };
  }

  async commit(target: TargetHandle, scrape: ScrapeCommit): Promise<ScrapeOutcome> {
    const bytes = (this.#views.get(target) ?? new Uint8Array(0)).subarray(0, scrape.bodyBytes);
    const error = this.#refusal(bytes, scrape);
    this.#end(target, error === undefined ? 'up' : 'down');
    const counts = {
      scraped: 1,
      postRelabel: 1,
      seriesAdded: 0,
      decodedBytes: 0,
      duplicates: 0,
      outOfOrder: 0,
      outOfBounds: 0,
      lateExemplars: 0,
    };
    return { ...counts, error };
  }

  async fail(target: TargetHandle): Promise<void> {
    this.#end(target, 'down');
  }

  async close(target: TargetHandle): Promise<void> {
    this.#release(target);
  }

  #refusal(bytes: Uint8Array, { encoding, decodedBytesMax }: ScrapeCommit): ScrapeOutcome['error'] {
    try {
      const sink = new TestSink();
      const length = encoding === 'gzip' ? gunzipInto(bytes, sink, decodedBytesMax) : bytes.length;
      const text = encoding === 'gzip' ? sink.view : bytes;
      return length === 0 || text[0] === 0x75 ? undefined : { reason: 'parse', message: 'not an exposition' };
    } catch (error) {
      assert.ok(error instanceof GzipError);
      return { reason: error.reason === 'limit' ? 'body-limit' : 'gzip', message: error.message };
    }
  }

  #end(target: TargetHandle, health: 'up' | 'down'): void {
    this.scrapes.get(target)!.push(health);
    this.#release(target);
  }

  #release(target: TargetHandle): void {
    this.usedBytes -= this.#views.get(target)?.length ?? 0;
    this.#views.delete(target);
  }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n';
const sized = (body: string, head = OK) => `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const zipped = (bytes: Uint8Array): Script => [
  `${OK}Content-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`,
  bytes,
];
const gz = gzipSync('up 1\n');
const LONG = 'context deadline exceeded';

/** What a target does, and what its status says then. */
const targets: [name: string, script: Script, health: 'up' | 'down', lastError: string | RegExp][] = [
  ['healthy', [sized('up 1\n')], 'up', ''],
  ['healthy, zipped', zipped(gz), 'up', ''],
  ['empty', [sized('')], 'up', ''],
  ['silent', ['hang'], 'down', new RegExp(`^Get "http://.*": ${LONG}$`)],
  ['silent inside', [`${OK}Content-Length: 100\r\n\r\nup`, 'hang'], 'down', LONG],
  [
    'endless',
    [`${OK}\r\n`, { forever: `up ${'1'.repeat(60_000)}\n` }],
    'down',
    /body size limit exceeded|no memory|deadline/,
  ],
  [
    'endless, chunked',
    [`${OK}Transfer-Encoding: chunked\r\n\r\n`, { forever: `8000\r\n${'1'.repeat(0x8000)}\r\n` }],
    'down',
    /body size limit exceeded|no memory|deadline/,
  ],
  ['endless head', [OK, { forever: `A: ${'x'.repeat(8000)}\r\n` }], 'down', /headers exceeded 262144 bytes/],
  ['claims 10 GB', [`${OK}Content-Length: 10000000000\r\n\r\nup`, 'hang'], 'down', 'body size limit exceeded'],
  ['claims a chunk of 1 GB', [`${OK}Transfer-Encoding: chunked\r\n\r\n3fffffff\r\nup`, 'hang'], 'down', LONG],
  ['hangs up', ['end'], 'down', /: EOF$/],
  ['hangs up inside', [`${OK}Content-Length: 100\r\n\r\nup`, 'end'], 'down', 'unexpected EOF'],
  ['resets', ['reset'], 'down', /connection reset by peer$|: EOF$/],
  ['cut gzip', zipped(gz.subarray(0, gz.length - 9)), 'down', 'unexpected EOF'],
  ['no gzip', zipped(Buffer.from('up 1\nup 1\nup 1\n')), 'down', 'gzip: invalid header'],
  [
    'lying gzip',
    zipped(Buffer.concat([gz.subarray(0, gz.length - 1), Buffer.from([9])])),
    'down',
    'gzip: invalid checksum',
  ],
  ['gzip bomb', zipped(gzipSync(Buffer.alloc(100_000_000, 'u'), { level: 9 })), 'down', 'body size limit exceeded'],
  [
    'status 500',
    ['HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n'],
    'down',
    'server returned HTTP status 500 Internal Server Error',
  ],
  ['status 204', ['HTTP/1.1 204 No Content\r\n\r\n'], 'down', 'server returned HTTP status 204 No Content'],
  [
    'endless error page',
    [`HTTP/1.1 404 Not Found\r\n\r\n`, { forever: 'x'.repeat(10_000) }],
    'down',
    'server returned HTTP status 404 Not Found',
  ],
  [
    'redirect loop',
    ['HTTP/1.1 302 Found\r\nLocation: /metrics\r\nContent-Length: 0\r\n\r\n'],
    'down',
    /stopped after 10 redirects$/,
  ],
  [
    'redirect to a file',
    ['HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n'],
    'down',
    'Get "file:///etc/passwd": unsupported protocol scheme "file"',
  ],
  [
    'a page',
    [sized('<html>', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n')],
    'down',
    /^received unsupported Content-Type "text\/html"/,
  ],
  [
    'no type',
    [sized('up 1\n', 'HTTP/1.1 200 OK\r\n')],
    'down',
    /^non-compliant scrape target sending blank Content-Type/,
  ],
  ['not HTTP', ['220 ready\r\n\r\n'], 'down', /malformed HTTP status code "ready"$/],
  ['chunks that are none', [`${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`], 'down', 'invalid byte in chunk length'],
  [
    'two lengths',
    [`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nup`],
    'down',
    /multiple Content-Length headers; got /,
  ],
];

test('bad targets fail in their own ways, and healthy ones miss nothing', async () => {
  const appender = new BudgetAppender();
  const context = {
    clock: realClock,
    appender,
    connect: () => new HttpClient({}, realClock),
    metrics: new ScrapeMetrics(new Registry()),
    log: noLog,
    seed: 1,
    userAgent: 'Narthex/test',
  };
  const running = await Promise.all(
    targets.map(async ([, script]) => {
      const server = await scriptedServer(() => script);
      const target = testTarget(`127.0.0.1:${server.port}`, { intervalMs: INTERVAL_MS, timeoutMs: INTERVAL_MS * 0.8 });
      const loop = new ScrapeLoop(target, testJob({ bodySizeLimitBytes: BODY_LIMIT }), {}, context);
      return { server, loop };
    }),
  );
  for (const { loop } of running) loop.start();
  await new Promise<void>((resolve) => setTimeout(resolve, INTERVAL_MS * (ROUNDS + 0.5)));
  // Whatever the machine was busy with: every target had its turns.
  const turns = () => Math.min(...running.map(({ loop }) => appender.scrapes.get(loop.status.handle)!.length));
  while (turns() < 2) await new Promise<void>((resolve) => setTimeout(resolve, 50));
  const statuses = running.map(({ loop }) => loop.status);
  await Promise.all(running.map(({ loop }) => loop.stop('shutdown')));
  await Promise.all(running.map(({ server }) => server.close()));

  targets.forEach(([name, , health, lastError], index) => {
    checkStatus(name, statuses[index]!, health, lastError);
    const scrapes = appender.scrapes.get(statuses[index]!.handle)!;
    assert.ok(
      scrapes.every((one) => one === health),
      `${name}: ${scrapes}`,
    );
  });
  assert.ok(appender.peakBytes <= MEMORY_BYTES);
  assert.equal(appender.usedBytes, 0);
});

function checkStatus(name: string, status: TargetStatus, health: string, lastError: string | RegExp): void {
  assert.equal(status.health, health, `${name}: ${status.lastError}`);
  if (typeof lastError === 'string') assert.equal(status.lastError, lastError, name);
  else assert.match(status.lastError, lastError, name);
}
