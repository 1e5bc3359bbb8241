// The limits of queries at the doors of a real server, with both HTTP engines: every query ends in time, at its
// deadline or when its client goes away, whatever it is at just then; what it held is free again, and small queries
// and scrapes beside it notice nothing.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Series, writeAll } from '../support/remote-write.js';
import { api, eventually, instant, type Server, sleep, startNarthex } from '../support/servers.js';

const SERIES = 8000;
const SAMPLES = 40;
const STEP_MS = 15_000;
const END_MS = Math.floor(Date.now() / 60_000) * 60_000;

/** An evaluator needs hours for it: each of many windows sorts a day of seconds. */
const ENDLESS = 'quantile_over_time(0.5, (vector(1) * time())[1d:1s])';
const ENDLESS_RANGE = { query: ENDLESS, start: `${END_MS / 1000 - 86_400}`, end: `${END_MS / 1000}`, step: '10' };
/** Shards are at it for a while, and its rows are text that they make. */
const WIDE_RANGE = { start: `${END_MS / 1000 - 6000}`, end: `${END_MS / 1000}`, step: '1' };

function* given(): Generator<Series[]> {
  for (let from = 0; from < SERIES; from += 500) {
    yield Array.from({ length: 500 }, (_, i) => ({
      labels: ['__name__', 'm', 'i', `${from + i}`, 'job', `${i % 7}`],
      samples: Array.from({ length: SAMPLES }, (_, n) => [END_MS - n * STEP_MS, from + i + n / 7] as const).reverse(),
    }));
  }
}

for (const http of ['uws', 'node'] as const) {
  describe(`limits of queries, ${http}`, () => {
    let server: Server;
    let page: ReturnType<typeof createServer>;

    before(async () => {
      page = createServer((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end('scraped 1\n');
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => page.once('listening', resolve));
      const { port } = page.address() as { port: number };
      server = await startNarthex({
        config: `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: page, static_configs: [{targets: ['127.0.0.1:${port}']}]}]
`,
        flags: [
          `--web.http-engine=${http}`,
          '--web.enable-remote-write-receiver',
          '--query.max-concurrency=4',
          '--query.max-memory=48MB',
          '--shards=2',
        ],
      });
      for (const series of given()) await writeAll(server.url, series);
    });

    after(async () => {
      await server.stop();
      page.closeAllConnections();
      page.close();
    });

    const ask = (path: string, params: Record<string, string>) =>
      fetch(`${server.url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(params) });

    /** All queries are over but those of the page itself, which are none. */
    const quiet = () =>
      eventually(async () => {
        const text = await (await fetch(`${server.url}/metrics`)).text();
        const held = text.match(/^(prometheus_engine_queries|narthex_query_memory_bytes) .*$/gm);
        assert.deepEqual(held?.sort(), ['narthex_query_memory_bytes 0', 'prometheus_engine_queries 0']);
      });

    const failure = async (response: Response) => {
      const { errorType, error } = (await response.json()) as { errorType: string; error: string };
      return { status: response.status, errorType, error };
    };

    test('the deadline ends an evaluation that would take hours', { timeout: 60_000 }, async () => {
      assert.deepEqual(await failure(await ask('query_range', { ...ENDLESS_RANGE, timeout: '700ms' })), {
        status: 503,
        errorType: 'timeout',
        error: 'query timed out in expression evaluation',
      });
      await quiet();
    });

    test('the deadline ends a query that waits for a place', { timeout: 60_000 }, async () => {
      const client = new AbortController();
      const { signal } = client;
      const body = new URLSearchParams(ENDLESS_RANGE);
      // Large ones wait without a place, so small ones find one: only rules could fill all of them.
      const endless = Array.from({ length: 8 }, () =>
        fetch(`${server.url}/api/v1/query_range`, { method: 'POST', body, signal }).catch(() => undefined),
      );
      await sleep(300);
      assert.equal((await instant(server.url, 'count(m)', END_MS / 1000))[0]?.value[1], `${SERIES}`);
      const late = await failure(await ask('query_range', { ...ENDLESS_RANGE, timeout: '500ms' }));
      assert.deepEqual([late.status, late.errorType], [503, 'timeout']);
      client.abort();
      await Promise.all(endless);
      await quiet();
    });

    test('a client that goes away ends its evaluation', { timeout: 60_000 }, async () => {
      const client = new AbortController();
      const url = `${server.url}/api/v1/query_range?${new URLSearchParams(ENDLESS_RANGE)}`;
      const asked = fetch(url, { signal: client.signal });
      await sleep(300);
      client.abort();
      await assert.rejects(asked);
      await quiet();
    });

    test('a client that goes away ends the work of shards', { timeout: 60_000 }, async () => {
      const client = new AbortController();
      const asked = ask('query_range', { query: 'sum by (i) (stddev_over_time(m[1h]))', ...WIDE_RANGE });
      const left = fetch(
        `${server.url}/api/v1/query_range?${new URLSearchParams({ query: 'sum(stddev_over_time(m[1h])) by (job)', ...WIDE_RANGE })}`,
        { signal: client.signal },
      );
      await sleep(50);
      client.abort();
      await assert.rejects(left);
      await (await asked).arrayBuffer();
      await quiet();
    });

    for (const [what, query] of [
      ['an evaluator', 'm * 2'],
      ['shards', 'm'],
    ] as const) {
      test(`a client that does not read rows of ${what} is cut off at the deadline`, { timeout: 60_000 }, async () => {
        const socket = await unread(server.url, { query, ...STREAMED_RANGE, timeout: '6s' });
        await quiet();
        const ended = new Promise((resolve) => socket.once('close', resolve));
        socket.resume();
        await ended;
      });

      test(`a client that goes away while it reads rows of ${what}`, { timeout: 60_000 }, async () => {
        const socket = await unread(server.url, { query, ...STREAMED_RANGE });
        socket.destroy();
        await quiet();
      });
    }

    test('a query over its memory says which limit it broke', { timeout: 60_000 }, async () => {
      for (const query of ['m * 2', 'count_values("v", m)', 'sum_over_time(vector(1)[1y:1s])']) {
        assert.deepEqual(
          await failure(await ask('query_range', { query, start: WIDE_RANGE.start, end: WIDE_RANGE.end, step: '1' })),
          {
            status: 422,
            errorType: 'execution',
            error: 'query would take more memory than one query may: --query.max-memory, 48MiB',
          },
          query,
        );
      }
      await quiet();
    });

    test('beside many heavy queries small ones are answered and no scrape is missed', { timeout: 90_000 }, async () => {
      const startMs = Date.now();
      const untilMs = startMs + 4000;
      const heavy = [
        'm * on (i) m',
        'sum by (i) (rate(m[5m])) / ignoring (job) group_left () sum by (i) (m)',
        'count_values("v", m)',
        'topk(5000, m)',
        'quantile(0.9, m)',
        'label_replace(m, "copy", "$1$1", "i", "(.*)")',
        'm',
        ENDLESS,
      ];
      const statuses = new Set<number>();
      const clients = heavy.map(async (query) => {
        while (Date.now() < untilMs) {
          const times = { start: `${END_MS / 1000 - 300}`, end: `${END_MS / 1000}`, step: '5', timeout: '1s' };
          const response = await ask('query_range', { query, ...times }).catch(() => undefined);
          await response?.arrayBuffer().catch(() => {});
          if (response !== undefined) statuses.add(response.status);
        }
      });
      let probes = 0;
      while (Date.now() < untilMs) {
        const [one] = await instant(server.url, 'sum(up)');
        assert.equal(one?.value[1], '1');
        probes++;
        await sleep(20);
      }
      await Promise.all(clients);
      assert.ok(probes > 0, `${probes} small queries`);
      assert.deepEqual(
        [...statuses].filter((status) => ![200, 422, 503].includes(status)),
        [],
      );
      const seconds = Math.floor((Date.now() - startMs) / 1000);
      const ups = (
        await api<{ result: { value: [number, string] }[] }>(server.url, 'query', {
          query: `sum_over_time(up[${seconds}s])`,
        })
      ).result[0];
      // The first and the last may be outside, and a machine that does other work may be late with one.
      assert.ok(Number(ups?.value[1]) >= seconds - 2, `${ups?.value[1]} scrapes in ${seconds} s`);
      await quiet();
      assert.deepEqual(
        server
          .log()
          .split('\n')
          .filter((line) => line.includes('level=ERROR')),
        [],
      );
    });
  });
}

/** Some forty megabytes of text: more than sockets hold. */
const STREAMED_RANGE = { start: `${END_MS / 1000 - 600}`, end: `${END_MS / 1000}`, step: '5' };

/** Asks and reads only the beginning of the answer. */
function unread(url: string, params: Record<string, string>) {
  const { hostname, port } = new URL(url);
  return new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', reject);
    socket.once('data', (bytes) => {
      socket.pause();
      if (bytes.toString('latin1').startsWith('HTTP/1.1 200')) resolve(socket);
      else reject(new Error(bytes.toString('latin1').slice(0, 500)));
    });
    socket.write(`GET /api/v1/query_range?${new URLSearchParams(params)} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  });
}
