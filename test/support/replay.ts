// A server that answers as an API's documentation says it would, by path; and what every mechanism must survive there.

import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { discover, serve, type TestServer } from './discovery.js';
import { eventually } from './servers.js';

export interface Asked {
  readonly method: string;
  /** Path of the server, with the host in front of it for those that were rerouted: `/api.vultr.com/v2/instances`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Text, or JSON; undefined is 404; others in a Reaction. */
export type Reply = (asked: Asked) => unknown;

/** An answer with a status or headers of its own. */
export class Reaction {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: unknown;

  constructor(answer: unknown, { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> }) {
    this.status = status;
    this.headers = headers;
    this.answer = answer;
  }
}

export interface Replay {
  readonly server: TestServer;
  readonly asked: Asked[];
  /** Instead of what the API would say. */
  mood: 'well' | 'failing' | 'garbled' | 'silent';
}

export async function replay(reply: Reply): Promise<Replay> {
  const asked: Asked[] = [];
  const state: { mood: Replay['mood'] } = { mood: 'well' };
  const server = await serve((request, response, body) => {
    const url = new URL(request.url!, 'http://x');
    const question = {
      method: request.method!,
      path: url.pathname,
      query: url.searchParams,
      target: request.url!,
      headers: request.headers,
      body,
    };
    asked.push(question);
    if (state.mood === 'silent') return;
    if (state.mood === 'failing') {
      response.writeHead(503).end('{"message":"not now"}');
      return;
    }
    const given = state.mood === 'garbled' ? '<[{' : reply(question);
    if (given === undefined) {
      response.writeHead(404).end('nothing here');
      return;
    }
    const { answer, status, headers } = given instanceof Reaction ? given : new Reaction(given, {});
    const isText = typeof answer === 'string';
    response.writeHead(status, { 'content-type': isText ? 'application/xml' : 'application/json', ...headers });
    response.end(isText ? answer : JSON.stringify(answer));
  });
  return Object.assign(state, { server, asked });
}

export interface ReplayCase {
  readonly name: string;
  /** The section, `$URL` standing for the server's; refresh_interval is added. */
  readonly section: string;
  readonly reply: Reply;
  readonly want: readonly Record<string, string>[];
  /** Looks at what was asked. */
  readonly check?: (asked: readonly Asked[]) => void;
}

/** Long enough for busy machines, short enough for tests: refreshes come that often, and answers have that long. */
const INTERVAL_MS = 250;

/** The section's targets, and that they stay while the server fails, talks nonsense, or says nothing. */
export function testReplay({ name, section, reply, want, check }: ReplayCase): void {
  test(`${name}: targets, kept while the API does not answer`, async () => {
    const api = await replay(reply);
    const yaml = section.replaceAll('$URL', api.server.url).replaceAll('$HOST', `127.0.0.1:${api.server.port}`);
    const found = discover(yaml.replace(/\}\]\s*$/, `, refresh_interval: ${INTERVAL_MS}ms}]`), {
      reroute: (url) => (url.startsWith(api.server.url) ? url : url.replace(/^https?:\/\//, `${api.server.url}/`)),
    });
    await eventually(async () => assert.deepEqual(found.targets(), want, found.errors[0]), 10_000);
    check?.(api.asked);
    const failures = found.metrics.refreshFailures.with(found.session.mechanism, 'x');
    for (const mood of ['failing', 'garbled', 'silent'] as const) {
      const before = failures.value;
      api.mood = mood;
      await eventually(async () => assert.ok(failures.value > before, mood), 20_000);
      assert.deepEqual(found.targets(), want, mood);
    }
    await found.end();
  });
}
