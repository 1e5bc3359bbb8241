// Requests whose answers the real Prometheus gave: statuses, headers, envelopes, words.
//
// The answers of Prometheus 3.5.3 on an empty folder are recorded in
// test/testdata/web/prometheus.json. Where the real one is at hand (see
// test/support/peers.ts) they are asked for again and compared; with
// UPDATE_GOLDEN=1 they are written anew.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { QueryError } from '../../../src/promql/errors.js';
import type { Steps } from '../../../src/promql/exec/source.js';
import { type Expr, typeOf } from '../../../src/promql/syntax/ast.js';
import { parseExpr } from '../../../src/promql/syntax/parse.js';
import type { QueryAnswer, WriteOutcome } from '../../../src/web/deps.js';
import { missing, peerBinary } from '../../support/peers.js';
import { startPeer } from '../../support/servers.js';
import { EMPTY_VECTOR, fakeDeps, openApp, type TestApp } from '../../support/web.js';

const GOLDEN = new URL('../../../../test/testdata/web/prometheus.json', import.meta.url);
const CONFIG = 'global:\n  scrape_interval: 1h\n';
const FLAGS = ['--web.enable-remote-write-receiver'];

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers that clients look at. */
const HEADERS = ['content-type', 'content-encoding', 'allow', 'access-control-allow-origin', 'retry-after'];

const get = (path: string, headers?: Record<string, string>): Request => ({ method: 'GET', path, headers });
const other = (method: string, path: string): Request => ({ method, path });
const form = (path: string, body: string): Request => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body,
});
const write = (headers: Record<string, string>): Request => ({
  method: 'POST',
  path: '/api/v1/write',
  headers,
  body: 'x',
});

const q = (query: string, rest = ''): Request => get(`/api/v1/query?query=${encodeURIComponent(query)}${rest}`);
const range = (rest: string, query = 'up'): Request =>
  get(`/api/v1/query_range?query=${encodeURIComponent(query)}${rest}`);

const requests: Request[] = [
  get('/-/healthy'),
  get('/-/ready'),
  other('HEAD', '/-/healthy'),
  other('HEAD', '/-/ready'),
  other('POST', '/-/ready'),
  other('OPTIONS', '/-/ready'),
  other('POST', '/-/reload'),
  other('PUT', '/-/reload'),
  get('/-/reload'),
  other('POST', '/-/quit'),
  get('/-/quit'),
  get('/nothing'),
  get('/api/v1/nothing'),
  get('/api/v1/'),
  other('OPTIONS', '/api/v1/query'),
  other('OPTIONS', '/api/v1/nothing'),
  other('OPTIONS', '/metrics'),
  other('POST', '/metrics'),
  other('POST', '/federate?match[]=up'),
  other('PUT', '/federate?match[]=up'),
  other('DELETE', '/api/v1/query?query=1'),
  other('PUT', '/api/v1/query?query=1'),
  other('HEAD', '/api/v1/query?query=1'),
  other('POST', '/api/v1/targets'),
  other('POST', '/api/v1/status/config'),
  other('POST', '/api/v1/label/a/values'),
  get('/api/v1/write'),

  get('/api/v1/query'),
  q(''),
  q('up{'),
  q('sum(up) by ('),
  q('label_replace(up,1)'),
  q('1', '&time=1.57'),
  q('1e-7', '&time=1'),
  q('+Inf', '&time=-1.001'),
  q('"a<\\"é"', '&time=1.5'),
  q('up'),
  q('up', '&time=abc'),
  q('up', '&time=2015-07-01T20:10:51.781Z'),
  q('up', '&time=2015-02-30T20:10:51Z'),
  q('up', '&time=2015-07-01T24:10:51Z'),
  q('up', '&time=2015-07-01t20:10:51z'),
  q('up', '&time=2015-07-01'),
  q('1', '&time=2015-07-01T20:10:51.781%2B02:00'),
  q('1', '&time=-0.5'),
  q('1', '&time=1e3'),
  q('1', '&time=0x10'),
  q('1', '&time=1_0'),
  q('up', '&timeout=abc'),
  q('up', '&timeout=-1s'),
  q('up', '&timeout=1h30m'),
  q('up', '&timeout=1m1h'),
  q('up', '&limit=-1'),
  q('up', '&limit=x'),
  q('up', '&limit=1.5'),
  q('up', '&limit=99999999999999999999'),
  q('up', '&limit=0'),
  q('up', '&lookback_delta=x'),
  q('up', '&lookback_delta=1m'),
  q('up', '&limit=x&time=x&timeout=x'),
  q('up', '&time=x&timeout=x&lookback_delta=x'),
  q('up{', '&timeout=x&lookback_delta=x'),
  q('up{', '&lookback_delta=x'),
  get('/api/v1/query?query=%zz'),
  get('/api/v1/query?query=1;2'),
  get('/api/v1/query?query=1&time=1', { Accept: 'text/html' }),
  form('/api/v1/query', 'query=1&time=1'),
  form('/api/v1/query?query=2&time=2', 'query=1&time=1'),
  form('/api/v1/query?time=2', 'query=1'),
  form('/api/v1/query', '%zz'),
  { method: 'POST', path: '/api/v1/query?time=1', headers: { 'Content-Type': 'text/plain' }, body: 'query=1' },

  range(''),
  range('&start=1'),
  range('&start=1&end=2'),
  range('&start=x&end=y&step=z'),
  range('&start=1&end=y&step=z'),
  range('&start=1&end=2&step=x'),
  range('&start=2&end=1&step=1'),
  range('&start=2&end=1&step=x'),
  range('&start=1&end=2&step=0'),
  range('&start=1&end=2&step=-1'),
  range('&start=1&end=2&step=NaN'),
  range('&start=1&end=2&step=1e30'),
  range('&start=1&end=2&step=1h30m'),
  range('&start=0&end=11000&step=1'),
  range('&start=0&end=11001&step=1'),
  range('&start=0&end=11000.9&step=1'),
  range('&start=0&end=1000000&step=1'),
  range('&start=1&end=2&step=1&timeout=x'),
  range('&start=1&end=2&step=1&limit=x'),
  range('&start=x&end=2&step=1&limit=x'),
  range('&start=1&end=2&step=1', 'up{'),
  range('&start=1&end=2&step=1', ''),
  range('&start=1&end=2&step=1', 'up[5m]'),
  range('&start=1&end=2&step=1', '"a"'),

  get('/api/v1/series'),
  get('/api/v1/series?match[]=up'),
  get('/api/v1/series?match[]=up&match[]=down'),
  get('/api/v1/series?match[]=up{'),
  get('/api/v1/series?match[]='),
  get('/api/v1/series?match[]={}'),
  get('/api/v1/series?match[]={a=""}'),
  get('/api/v1/series?match[]={a=~".*"}'),
  get('/api/v1/series?match[]=up&start=x'),
  get('/api/v1/series?match[]=up&end=x'),
  get('/api/v1/series?match[]=up&start=2&end=1'),
  get('/api/v1/series?match[]=up&limit=x'),
  get('/api/v1/series?match[]=up&x=%zz'),
  get('/api/v1/series?match[]=up&x=1;2'),
  get('/api/v1/series?limit=x'),
  form('/api/v1/series', 'match[]=up'),
  get('/api/v1/labels'),
  get('/api/v1/labels?match[]={'),
  get('/api/v1/labels?match[]={}'),
  get('/api/v1/labels?start=x'),
  get('/api/v1/labels?limit=x'),
  get('/api/v1/labels?limit=-1'),
  get('/api/v1/labels?start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z'),
  get('/api/v1/labels?x=%zz'),
  form('/api/v1/labels', 'match[]=up{'),
  get('/api/v1/label/__name__/values'),
  get('/api/v1/label/a%20b/values'),
  get('/api/v1/label/U__a_2e_b/values'),
  get('/api/v1/label/%C3%A9/values'),
  get('/api/v1/label/a/values?match[]=up{'),
  get('/api/v1/label/a/values?match[]={}'),
  get('/api/v1/label/a/values?start=x'),
  get('/api/v1/label/a/values?limit=x'),

  get('/api/v1/metadata'),
  get('/api/v1/metadata?limit=x'),
  get('/api/v1/metadata?limit_per_metric=x'),
  get('/api/v1/metadata?limit=x&limit_per_metric=x'),
  get('/api/v1/targets'),
  get('/api/v1/targets?state=active'),
  get('/api/v1/targets?state=dropped'),
  get('/api/v1/targets?state=Dropped'),
  get('/api/v1/targets?state=foo'),
  get('/api/v1/scrape_pools'),
  get('/api/v1/status/walreplay'),
  get('/api/v1/status/tsdb'),
  get('/api/v1/status/tsdb?limit=x'),
  get('/api/v1/status/tsdb?limit=0'),
  get('/api/v1/status/tsdb?limit=-1'),

  get('/api/v1/format_query'),
  get('/api/v1/format_query?query=up+%2B1'),
  get('/api/v1/format_query?query=up{'),
  get('/api/v1/parse_query?query=up{'),

  get('/federate'),
  get('/federate?match[]=up'),
  get('/federate?match[]=up{'),
  get('/federate?match[]=up&x=%zz'),
  ...[
    'application/openmetrics-text',
    'text/plain;version=1.0.0;escaping=allow-utf-8',
    'text/plain;version=0.0.4;escaping=allow-utf-8',
    'text/plain; version=0.0.4; escaping=values',
    'text/plain;escaping=nonsense',
    '*/*',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;escaping=dots;q=0.4',
    'text/plain;version=0.0.4;q=0.1,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.9',
  ].map((accept) => get('/federate?match[]=up', { Accept: accept })),

  write({}),
  write({ 'Content-Type': 'application/x-protobuf' }),
  write({ 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' }),
  write({ 'Content-Type': 'application/x-protobuf;proto=prometheus.WriteRequest', 'Content-Encoding': 'snappy' }),
  write({ 'Content-Type': 'application/x-protobuf;proto=foo', 'Content-Encoding': 'snappy' }),
  write({ 'Content-Type': 'application/x-protobuf;a=b', 'Content-Encoding': 'snappy' }),
  write({ 'Content-Type': 'application/x-protobuf;proto', 'Content-Encoding': 'snappy' }),
  write({ 'Content-Type': 'text/plain', 'Content-Encoding': 'snappy' }),
  write({ 'Content-Type': 'text/plain; charset=utf-8', 'Content-Encoding': 'snappy' }),
];

/** Where ours differs on purpose. Each is in docs/differences.md too. */
const differences = new Map<string, Partial<Answer>>();

function differs(request: Request, ours: Partial<Answer>): void {
  requests.push(request);
  differences.set(keyOf(request), ours);
}

// Prometheus writes the complaint of the decoder behind its own.
differs(write({ 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'gzip' }), {
  body: 'gzip encoding (compression) is not accepted by this server; only snappy is acceptable\n',
});
// Prometheus lets every page read its API.
differs(get('/api/v1/query?query=1&time=1', { Origin: 'http://x' }), {
  headers: { 'content-type': 'application/json' },
});
// Prometheus 3.5 takes times that no clock can show and answers for some other time.
for (const time of ['NaN', 'Inf', '1e30']) {
  const error = `invalid parameter "time": invalid time value for 'time': cannot parse "${time}" to a valid timestamp`;
  differs(q('1', `&time=${time}`), {
    status: 400,
    body: JSON.stringify({ status: 'error', errorType: 'bad_data', error }),
  });
}

function keyOf({ method, path, headers = {}, body = '' }: Request): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path}`, ...lines, ...(body === '' ? [] : [`= ${body}`])].join(' | ');
}

function ask(url: string, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers } = request;
    const { hostname, port } = new URL(url);
    const asked = httpRequest({ hostname, port, method, path, headers, agent: false }, (reply) => {
      let body = '';
      reply.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      reply.on('end', () => {
        const kept = HEADERS.flatMap((name) => (reply.headers[name] ? [[name, String(reply.headers[name])]] : []));
        resolve({ status: reply.statusCode!, headers: Object.fromEntries(kept), body });
      });
    });
    asked.on('error', reject);
    asked.end(request.body);
  });
}

/** An engine that knows the language and has no data. */
async function evaluate(text: string, timeMs: number): Promise<QueryAnswer> {
  const expr = parseExpr(text);
  if (typeOf(expr) === 'scalar') return { ...EMPTY_VECTOR, data: { kind: 'scalar', timeMs, value: numberOf(expr) } };
  if (expr.kind === 'string') return { ...EMPTY_VECTOR, data: { kind: 'string', timeMs, text: expr.value } };
  return EMPTY_VECTOR;
}

function numberOf(expr: Expr): number {
  if (expr.kind === 'unary') return expr.op === '-' ? -numberOf(expr.expr) : numberOf(expr.expr);
  if (expr.kind === 'number') return expr.value;
  throw new Error(`no literal: ${expr.kind}`);
}

async function evaluateRange(query: string, steps: Steps): Promise<QueryAnswer> {
  const type = typeOf(parseExpr(query));
  if (type === 'matrix' || type === 'string') {
    const shown = type === 'matrix' ? 'range vector' : 'string';
    const words = `invalid expression type "${shown}" for range query, must be Scalar or instant Vector`;
    throw new QueryError('bad_data', words);
  }
  const columns = { labels: [], steps: steps.count, values: new Float64Array(0), present: new Uint8Array(0) };
  return { ...EMPTY_VECTOR, data: { kind: 'range', steps, columns } };
}

let app: TestApp;

before(async () => {
  const corrupt: WriteOutcome = { kind: 'bad', message: 'snappy: corrupt input' };
  const slot = { reserve: (bytes: number) => new Uint8Array(bytes), store: async () => corrupt, drop: () => undefined };
  const deps = fakeDeps({
    query: { instant: evaluate, range: evaluateRange },
    remoteWrite: { messages: ['prometheus.WriteRequest'], bodyBytesMax: 1000, open: () => slot },
  });
  app = await openApp(deps);
});

after(() => app.close(0));

function recorded(): Map<string, Answer> {
  return new Map(Object.entries(JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, Answer>));
}

const prometheus = peerBinary('prometheus');

test('the recorded answers are those of the real Prometheus', {
  skip: prometheus === undefined && missing('prometheus'),
}, async () => {
  const peer = await startPeer(prometheus!, { config: CONFIG, flags: FLAGS });
  try {
    const answers: [string, Answer][] = [];
    for (const request of requests) answers.push([keyOf(request), await ask(peer.url, request)]);
    const isUpdate = process.env.UPDATE_GOLDEN !== undefined;
    if (isUpdate) writeFileSync(GOLDEN, `${JSON.stringify(Object.fromEntries(answers), null, 1)}\n`);
    const known = recorded();
    for (const [key, answer] of answers) assert.deepEqual(answer, known.get(key), key);
  } finally {
    await peer.stop();
  }
});

for (const request of requests) {
  const key = keyOf(request);
  const own = differences.get(key);
  test(`${own === undefined ? 'as Prometheus' : 'unlike Prometheus'}: ${key}`, async () => {
    const theirs = recorded().get(key);
    assert.ok(theirs !== undefined, 'not recorded');
    assert.deepEqual(comparable(await ask(app.url, request)), comparable({ ...theirs, ...own }));
  });
}

/** JSON compares as what it says, whatever the order of fields or the escapes. */
function comparable({ status, headers, body }: Answer): unknown {
  const isJson = headers['content-type'] === 'application/json';
  return { status, headers, body: isJson && body !== '' ? JSON.parse(body) : body };
}
