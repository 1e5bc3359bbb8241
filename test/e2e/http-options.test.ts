// Targets that are asked in all the ways of the configuration, by Narthex and by a real Prometheus: what the targets saw,
// and what became of the scrape, in the same words.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import {
  api,
  eventually,
  freePort,
  instant,
  metricText,
  type Server,
  startNarthex,
  startPeer,
} from '../support/servers.js';
import { readTestdata, testdata } from '../support/testdata.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const TEXT = 'text/plain; version=0.0.4';
const PAGE = 'a 1\nb{c="d"} 2\n';
/** Scrapes of each target that are waited for. */
const SCRAPES = 3;

const folder = emptyFolder();
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, `${text}\n`);
  return path;
};

// --- What targets were asked, by client and path ---

type Client = 'narthex' | 'prometheus';

const seen = new Map<string, string[]>();
const counted = new Map<string, number>();

function clientOf(request: IncomingMessage): Client {
  return request.headers['user-agent']?.startsWith('Prometheus/') ? 'prometheus' : 'narthex';
}

const SHOWN = /^(accept|accept-encoding|authorization|content-type|x-.*)$/i;

function note(request: IncomingMessage, where: string, more: string[] = []): void {
  const key = `${clientOf(request)} ${where}`;
  counted.set(key, (counted.get(key) ?? 0) + 1);
  const headers: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const [name, value] = [request.rawHeaders[i]!, request.rawHeaders[i + 1]!];
    // Prometheus asks token endpoints for gzip.
    const isShown = where.startsWith('/token/') ? /^(authorization|content-type)$/i : SHOWN;
    if (isShown.test(name)) headers.push(`${name.toLowerCase()}: ${value}`);
  }
  // Prometheus 3.5 says headers of its configuration again with each scrape.
  seen.set(key, [`${request.method} ${request.url}`, ...new Set(headers.sort()), ...more]);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://x');
  if (pathname.startsWith('/token/')) return token(request, response, pathname);
  note(request, pathname);
  const page = (body: string | Buffer, headers: Record<string, string> = { 'Content-Type': TEXT }, status = 200) =>
    response.writeHead(status, headers).end(body);
  switch (pathname) {
    case '/redirect':
    case '/redirect-not':
      return void page('', { Location: `http://127.0.0.1:${plainPort}/here?x=y` }, 302);
    case '/loop':
      return void page('', { Location: '/loop' }, 302);
    case '/unavailable':
      return void page('no', {}, 503);
    case '/unauthorized':
      return void page('no', {}, 401);
    case '/blank':
      return void page(PAGE, {});
    case '/empty':
      return void page('', {});
    case '/unknown-type':
      return void page(PAGE, { 'Content-Type': 'application/json' });
    case '/gzip':
      return void page(gzipSync(PAGE), { 'Content-Type': TEXT, 'Content-Encoding': 'gzip' });
    case '/not-gzip':
      return void page(PAGE, { 'Content-Type': TEXT, 'Content-Encoding': 'gzip' });
    case '/bad-line':
      return void page('a{ 1\n');
    case '/slow':
      return;
    default:
      return void page(PAGE);
  }
}

async function token(request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void> {
  let body = '';
  for await (const piece of request) body += piece;
  note(request, pathname, [...new URLSearchParams(body)].map(([name, value]) => `${name}=${value}`).sort());
  const say = (status: number, text: string) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
  const good = JSON.stringify({ access_token: 'the token', token_type: 'bearer', expires_in: 3600 });
  switch (pathname) {
    case '/token/form':
      return void (body.includes('client_secret') ? say(200, good) : say(401, '{}'));
    case '/token/refused':
      return void say(400, '{"error":"invalid_client","error_description":"who are you"}');
    case '/token/broken':
      return void say(500, 'oops');
    case '/token/none':
      return void say(200, '{"token_type":"bearer"}');
    case '/token/no-json':
      return void say(200, '<html>');
    default:
      return void say(200, good);
  }
}

// --- The jobs ---

let plainPort = 0;
let tlsPort = 0;
let proxyPort = 0;
let deadPort = 0;

interface Job {
  readonly path: string;
  readonly keys: string;
  readonly tls?: boolean;
}

function jobs(): Record<string, Job> {
  const oauth = (path: string, keys = '', secret = 'client_secret: s e') =>
    `oauth2: {client_id: 'i&d', ${secret}, token_url: 'http://127.0.0.1:${plainPort}/token/${path}'${keys}}`;
  const tls = (keys: string) => ({ path: '/tls', tls: true, keys: `tls_config: {${keys}}` });
  const ca = `ca_file: ${testdata('tls/ca.crt')}`;
  return {
    plain: { path: '/plain', keys: '' },
    'basic-files': {
      path: '/basic-files',
      keys: `basic_auth: {username_file: ${file('user', 'joe')}, password_file: ${file('password', 'pässword')}}`,
    },
    'bearer-file': { path: '/bearer-file', keys: `bearer_token_file: ${file('bearer', 'abc')}` },
    'missing-file': { path: '/missing-file', keys: `authorization: {credentials_file: ${folder}/nowhere}` },
    'own-type': { path: '/own-type', keys: `authorization: {type: Own, credentials: x}` },
    headers: {
      path: '/headers',
      keys: `http_headers: {X-Many: {values: [a, b], secrets: [c], files: [${file('header', 'd')}]}, x-one: {values: [e]}}`,
    },
    'no-compression': { path: '/no-compression', keys: 'enable_compression: false' },
    protocols: { path: '/protocols', keys: 'scrape_protocols: [PrometheusText1.0.0, OpenMetricsText1.0.0]' },
    escaping: { path: '/escaping', keys: 'metric_name_escaping_scheme: dots' },
    redirect: { path: '/redirect', keys: `params: {p: [q]}` },
    'no-redirect': { path: '/redirect-not', keys: 'follow_redirects: false' },
    loop: { path: '/loop', keys: '' },
    unavailable: { path: '/unavailable', keys: '' },
    blank: { path: '/blank', keys: '' },
    'blank-fallback': { path: '/blank', keys: 'fallback_scrape_protocol: PrometheusText0.0.4' },
    empty: { path: '/empty', keys: '' },
    'unknown-type': { path: '/unknown-type', keys: '' },
    gzip: { path: '/gzip', keys: '' },
    'not-gzip': { path: '/not-gzip', keys: '' },
    'bad-line': { path: '/bad-line', keys: '' },
    slow: { path: '/slow', keys: 'scrape_timeout: 100ms' },
    'too-long': { path: '/too-long', keys: 'body_size_limit: 3B' },
    'too-long-gzip': { path: '/gzip', keys: 'body_size_limit: 3B' },
    'too-many': { path: '/too-many', keys: 'sample_limit: 1' },
    enough: { path: '/enough', keys: 'sample_limit: 2' },
    'long-name': { path: '/long-name', keys: 'label_name_length_limit: 3' },
    'too-many-targets': { path: '/never', keys: `target_limit: 1` },
    oauth: { path: '/oauth', keys: oauth('good', ', scopes: [a, b], endpoint_params: {audience: me}') },
    'oauth-form': { path: '/oauth-form', keys: oauth('form') },
    'oauth-file': {
      path: '/oauth-file',
      keys: oauth('file', '', `client_secret_file: ${file('secret', 'of a file')}`),
    },
    'oauth-refused': { path: '/never', keys: oauth('refused') },
    'oauth-broken': { path: '/never', keys: oauth('broken') },
    'oauth-none': { path: '/never', keys: oauth('none') },
    'oauth-down': {
      path: '/never',
      keys: `oauth2: {client_id: i, client_secret: s, token_url: 'http://127.0.0.1:${deadPort}/token'}`,
    },
    'oauth-unauthorized': { path: '/unauthorized', keys: oauth('unauthorized') },
    proxy: { path: '/proxied', keys: `proxy_url: 'http://me:pass@127.0.0.1:${proxyPort}'` },
    'dead-proxy': { path: '/never', keys: `proxy_url: 'http://127.0.0.1:${deadPort}'` },
    tls: tls(`${ca}, server_name: target.test`),
    'tls-blind': tls('insecure_skip_verify: true'),
    'tls-unknown': tls('server_name: target.test'),
    'tls-name': tls(`${ca}, server_name: other.test`),
    'tls-old': tls(`${ca}, server_name: target.test, max_version: TLS11`),
  };
}

function config(failureLog: string): string {
  const text = Object.entries(jobs()).map(([name, { path, keys, tls }]) => {
    const target = `127.0.0.1:${tls === true ? tlsPort : plainPort}`;
    const targets = name === 'too-many-targets' ? `'${target}', 'localhost:${plainPort}'` : `'${target}'`;
    return `
  - job_name: ${name}
    metrics_path: ${path}
    scheme: ${tls === true ? 'https' : 'http'}
    static_configs: [{targets: [${targets}]}]
    ${keys}`;
  });
  return `
global: {scrape_interval: 1s, scrape_timeout: 1s, scrape_failure_log_file: ${failureLog}}
scrape_configs:${text.join('')}
`;
}

// --- Both servers ---

interface Target {
  readonly scrapePool: string;
  readonly health: string;
  readonly lastError: string;
  readonly scrapeUrl: string;
}

const servers = new Map<Client, Server>();
const found = new Map<Client, Map<string, Target>>();
const logs: Record<Client, string> = { narthex: join(folder, 'narthex.log'), prometheus: join(folder, 'peer.log') };
const listening: NetServer[] = [];

async function listen(server: NetServer): Promise<number> {
  listening.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return (server.address() as AddressInfo).port;
}

/** Asks the target itself, whatever it is asked for. */
function forward(request: IncomingMessage, response: ServerResponse): void {
  note(request, '/by-proxy', [`proxy-authorization: ${request.headers['proxy-authorization']}`]);
  const { pathname } = new URL(request.url!);
  const { 'proxy-authorization': _, ...headers } = request.headers;
  httpRequest({ host: '127.0.0.1', port: plainPort, path: pathname, headers }, (answered) => {
    response.writeHead(answered.statusCode!, answered.headers);
    answered.pipe(response);
  }).end();
}

before(async () => {
  if (options.skip !== false) return;
  const handler = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  plainPort = await listen(createServer(handler));
  const keys = { cert: readTestdata('tls/server.crt'), key: readTestdata('tls/server.key') };
  tlsPort = await listen(createHttpsServer(keys, handler));
  proxyPort = await listen(createServer(forward));
  deadPort = await freePort();
  const start = async (client: Client, starting: Promise<Server>): Promise<void> => {
    const server = await starting;
    servers.set(client, server);
    await eventually(async () => {
      assert.ok((counted.get(`${client} /plain`) ?? 0) >= SCRAPES);
      const { activeTargets } = await api<{ activeTargets: Target[] }>(server.url, 'targets');
      assert.ok(activeTargets.every(({ health }) => health !== 'unknown'));
      found.set(client, new Map(activeTargets.map((target) => [`${target.scrapePool} ${target.scrapeUrl}`, target])));
    }, 60_000);
  };
  const flags = ['--enable-feature=extra-scrape-metrics'];
  await Promise.all([
    start('narthex', startNarthex({ config: config(logs.narthex), flags: [...flags, '--shards=2'] })),
    start('prometheus', startPeer(prometheus!, { config: config(logs.prometheus), flags })),
  ]);
});

after(async () => {
  await Promise.all([...servers.values()].map((server) => server.stop()));
  for (const server of listening) server.close();
});

// --- What is compared ---

const plain = (text: string) => text.replaceAll(/:\d{4,5}\b/g, ':PORT').replaceAll(folder, 'FOLDER');

test('targets are up or down alike, for the same reason', options, () => {
  const outcomes = (client: Client) =>
    Object.fromEntries(
      [...found.get(client)!].map(([job, { health, lastError, scrapeUrl }]) => [
        job,
        plain(`${health} ${scrapeUrl} ${lastError}`),
      ]),
    );
  assert.deepEqual(outcomes('narthex'), outcomes('prometheus'));
});

test('targets and token endpoints are asked in the same words', options, () => {
  const asked = (client: Client) =>
    Object.fromEntries(
      [...seen]
        .filter(([key]) => key.startsWith(`${client} `))
        .map(([key, lines]) => [key.slice(client.length), lines.map(plain)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  assert.deepEqual(asked('narthex'), asked('prometheus'));
});

test('the series about scrapes say the same', options, async () => {
  const series = async (client: Client) => {
    const names =
      'up|scrape_(timeout_seconds|sample_limit|body_size_bytes|samples_scraped|samples_post_metric_relabeling)';
    // Of a page with a bad line, or a label that is too long, we count nothing.
    const samples = await instant(servers.get(client)!.url, `{__name__=~"${names}",job!~"bad-line|long-name"}`);
    return samples.map(({ metric, value }) => plain(`${metricText(metric)} ${value[1]}`)).sort();
  };
  assert.deepEqual(await series('narthex'), await series('prometheus'));
});

test('the same failures are in the log', options, () => {
  const failures = (path: string) => {
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Record<string, string>);
    // Of a busy machine.
    const isDelay = ({ msg, job_name }: Record<string, string>) => msg!.includes('deadline') && job_name !== 'slow';
    assert.deepEqual(Object.keys(entries[0]!), ['time', 'level', 'source', 'msg', 'job_name', 'target']);
    return [
      ...new Set(
        entries
          .filter((entry) => !isDelay(entry))
          .map(({ level, msg, job_name, target }) => plain(`${level} ${job_name} ${target} ${msg}`)),
      ),
    ].sort();
  };
  assert.deepEqual(failures(logs.narthex), failures(logs.prometheus));
});
