// Behind a real nginx, Narthex and a real Prometheus of one configuration: TLS, every way to say who one is, redirects,
// compression, connections that are closed between scrapes; tokens that change; a list of targets that is replaced.

import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { debianProgram, noServer, type Running, startProgram } from '../support/debian.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import {
  api,
  eventually,
  freePort,
  instant,
  metricText,
  raw,
  type Server,
  sleep,
  startNarthex,
  startPeer,
} from '../support/servers.js';
import { testdata } from '../support/testdata.js';

const NGINX = debianProgram('nginx');
const prometheus = peerBinary('prometheus');
const options = {
  skip: NGINX === undefined ? noServer('nginx') : prometheus === undefined && missing('prometheus'),
};

const folder = emptyFolder();
/** Of the servers of nginx: with TLS; with TLS for those who have a certificate; plain; plain, to be redirected to. */
let tls = 0;
let mutual = 0;
let plain = 0;
let other = 0;
let nginx: Running | undefined;
const servers: Server[] = [];

before(async () => {
  if (options.skip) return;
  [tls, mutual, plain, other] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  put('www/metrics', Array.from({ length: 300 }, (_, index) => `m{i="${index}"} ${index}\n`).join(''));
  put('htpasswd', 'me:{PLAIN}pass word\n');
  put('password', 'pass word\n');
  put('token', 'first');
  listed(plain);
  await startNginx('first');
  const config = configuration();
  servers.push(await startNarthex({ config }), await startPeer(prometheus!, { config }));
});

after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await nginx?.kill();
});

/** By rename, as a tool should. */
function put(name: string, text: string): void {
  writeFileSync(join(folder, 'new'), text);
  renameSync(join(folder, 'new'), join(folder, name.replace('www/', '')));
}

function listed(port: number, ...more: string[]): void {
  put('list.json', JSON.stringify([{ targets: [`127.0.0.1:${port}`, ...more], labels: { via: 'list' } }]));
}

/** What nginx does, for those whose token is `token`. */
function nginxConf(token: string): string {
  const files = `root ${folder}; default_type "text/plain; version=0.0.4"; types {}`;
  const metrics = 'try_files /metrics =404;';
  const certificate = `ssl_certificate ${testdata('tls/server.crt')}; ssl_certificate_key ${testdata('tls/server.key')};`;
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off; keepalive_requests 3;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  server {
    listen 127.0.0.1:${tls} ssl; ${certificate} ssl_protocols TLSv1.2; ${files}
    location /basic { auth_basic "x"; auth_basic_user_file ${folder}/htpasswd; ${metrics} }
    location /bearer { if ($http_authorization != "Bearer ${token}") { return 401; } ${metrics} }
    location /custom { if ($http_authorization != "Own scheme") { return 403; } ${metrics} }
    location /header { if ($http_x_key != "key") { return 403 "no key"; } ${metrics} }
    location /open { ${metrics} }
    location /list { auth_basic "x"; auth_basic_user_file ${folder}/htpasswd; default_type application/json; try_files /list.json =404; }
  }
  server {
    listen 127.0.0.1:${mutual} ssl; ${certificate} ${files}
    ssl_client_certificate ${testdata('tls/ca.crt')}; ssl_verify_client on;
    location / { ${metrics} }
  }
  server {
    listen 127.0.0.1:${plain}; ${files}
    location /metrics { }
    location /packed { gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.0; ${metrics} }
    location /away { return 302 http://localhost:${other}/seen; }
    location /near { return 307 /seen; }
    location /seen { return 200 'seen_authorization{value="$http_authorization",key="$http_x_key"} 1\\n'; }
    location /loop { return 302 /loop; }
    location /token {
      if ($http_authorization != "Basic Y2xpZW50OnNlY3JldA==") { return 401 '{"error": "invalid_client"}'; }
      default_type application/json;
      return 200 '{"access_token": "of oauth", "token_type": "Bearer", "expires_in": 3600}';
    }
    location /oauth2 { if ($http_authorization != "Bearer of oauth") { return 401; } ${metrics} }
    location /large { return 200 "${'x 1\\n'.repeat(200)}"; }
  }
  server {
    listen 127.0.0.1:${other}; ${files}
    location / { return 200 'seen_authorization{value="$http_authorization",key="$http_x_key"} 1\\n'; }
  }
}
`;
}

async function startNginx(token: string): Promise<void> {
  await nginx?.kill();
  put('nginx.conf', nginxConf(token));
  nginx = startProgram(NGINX!, ['-c', join(folder, 'nginx.conf'), '-p', folder]);
  await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${plain}/metrics`).catch((error) => error.cause ?? error);
    assert.equal(answer.status, 200, `${answer} ${nginx!.log()}`);
  }, 10_000);
}

/** Of each job: its name, where it asks, what it says of itself, and whether it is let in. */
function jobs(): [name: string, port: number, path: string, keys: string, isUp: boolean][] {
  const ca = `ca_file: ${testdata('tls/ca.crt')}, server_name: target.test`;
  const trusting = `tls_config: {${ca}}`;
  const cert = `cert_file: ${testdata('tls/client.crt')}, key_file: ${testdata('tls/client.key')}`;
  const oauth2 = (secret: string) =>
    `oauth2: {client_id: client, client_secret: ${secret}, token_url: 'http://127.0.0.1:${plain}/token'}`;
  const secrets = `authorization: {credentials: hush}, http_headers: {X-Key: {secrets: [key]}}`;
  return [
    ['basic', tls, '/basic', `${trusting}, basic_auth: {username: me, password: 'pass word'}`, true],
    [
      'basic by file',
      tls,
      '/basic',
      `${trusting}, basic_auth: {username: me, password_file: ${folder}/password}`,
      true,
    ],
    ['basic, wrong', tls, '/basic', `${trusting}, basic_auth: {username: me, password: x}`, false],
    ['basic, none', tls, '/basic', trusting, false],
    ['bearer by file', tls, '/bearer', `${trusting}, authorization: {credentials_file: ${folder}/token}`, true],
    ['bearer, wrong', tls, '/bearer', `${trusting}, authorization: {credentials: other}`, false],
    ['own scheme', tls, '/custom', `${trusting}, authorization: {type: Own, credentials: scheme}`, true],
    ['header', tls, '/header', `${trusting}, http_headers: {X-Key: {values: [key]}}`, true],
    ['header, none', tls, '/header', trusting, false],
    ['mutual', mutual, '/', `tls_config: {${ca}, ${cert}}`, true],
    ['mutual, no certificate', mutual, '/', trusting, false],
    ['authority nobody knows', tls, '/open', 'tls_config: {server_name: target.test}', false],
    ['another name', tls, '/open', `tls_config: {ca_file: ${testdata('tls/ca.crt')}, server_name: else.test}`, false],
    ['any certificate', tls, '/open', 'tls_config: {insecure_skip_verify: true}', true],
    ['too old a version', tls, '/open', `tls_config: {${ca}, min_version: TLS13}`, false],
    ['oauth2', plain, '/oauth2', oauth2('secret'), true],
    ['oauth2, wrong', plain, '/oauth2', oauth2('wrong'), false],
    ['gzip', plain, '/packed', '', true],
    ['no gzip', plain, '/packed', 'enable_compression: false', true],
    ['redirect to another host', plain, '/away', secrets, true],
    ['redirect to the same host', plain, '/near', secrets, true],
    ['redirect not followed', plain, '/near', 'follow_redirects: false', false],
    ['redirects without end', plain, '/loop', '', false],
    ['too large', plain, '/large', 'body_size_limit: 100B', false],
    ['not there', plain, '/nothing', '', false],
    ['TLS where there is none', plain, '/metrics', 'scheme: https, tls_config: {insecure_skip_verify: true}', false],
    ['none where there is TLS', tls, '/open', 'scheme: http', false],
  ];
}

function configuration(): string {
  const trusting = `tls_config: {ca_file: ${testdata('tls/ca.crt')}, server_name: localhost}`;
  return `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
${jobs()
  .map(([name, port, path, keys]) => {
    const scheme = keys.includes('scheme:') || (port !== tls && port !== mutual) ? '' : 'scheme: https, ';
    return `- {job_name: '${name}', metrics_path: ${path}, ${scheme}${keys === '' ? '' : `${keys}, `}static_configs: [{targets: ['127.0.0.1:${port}']}]}`;
  })
  .join('\n')}
- job_name: listed
  http_sd_configs:
  - {url: 'https://127.0.0.1:${tls}/list', refresh_interval: 1s, basic_auth: {username: me, password: 'pass word'}, ${trusting}}
`;
}

interface Target {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly health: string;
  readonly lastError: string;
}

async function targetsOf(server: Server): Promise<Target[]> {
  return (await api<{ activeTargets: Target[] }>(server.url, 'targets')).activeTargets;
}

/** Faults that both say in the same words: those of HTTP. Those of TLS are in words of the libraries. */
const SAME_WORDS = /^(?:server returned HTTP status|body size limit|Get "http:.*stopped after|stopped after)/;

test('who is let in is, who is not is not, and both say why in the same words', options, async () => {
  await eventually(async () => {
    const [ours, theirs] = await Promise.all(servers.map(targetsOf));
    for (const [name, , , , isUp] of jobs()) {
      const mine = ours!.find(({ scrapePool }) => scrapePool === name)!;
      const peers = theirs!.find(({ scrapePool }) => scrapePool === name)!;
      assert.deepEqual([name, mine.health, mine.scrapeUrl], [name, peers.health, peers.scrapeUrl], mine.lastError);
      assert.equal(mine.health, isUp ? 'up' : 'down', `${name}: ${mine.lastError}`);
      if (SAME_WORDS.test(peers.lastError)) assert.equal(mine.lastError, peers.lastError, name);
    }
  });
});

test('what came is the same, packed or not; credentials stay with the host they are for', options, async () => {
  const questions = [
    'count by (job) ({__name__=~"m|x"})',
    'seen_authorization{job!~".*another host"}',
    'scrape_samples_scraped > 0',
  ];
  for (const question of questions) {
    const [ours, theirs] = await Promise.all(
      servers.map(async ({ url }) =>
        (await instant(url, question)).map(({ metric, value }) => `${metricText(metric)} ${value[1]}`).sort(),
      ),
    );
    assert.deepEqual(ours, theirs);
    assert.ok(ours!.length > 0, question);
  }
  // 3.5 sends headers that are configured to other hosts too.
  const seen = await instant(servers[0]!.url, 'seen_authorization{job="redirect to another host"}');
  assert.deepEqual([seen[0]!.metric.value, seen[0]!.metric.key], [undefined, undefined]);
});

test('connections that are closed every three requests cost no scrape', options, async () => {
  // The first scrapes of a server that has just started may be too late.
  await sleep(7000);
  for (const server of servers) {
    const changed = await instant(server.url, 'changes(up{job=~"gzip|mutual|basic|oauth2"}[6s]) > 0');
    assert.deepEqual(changed, [], JSON.stringify(await raw(server.url, 'up{job=~"gzip|mutual|basic|oauth2"}[1m]')));
  }
});

const listedUrls = async (server: Server) =>
  (await targetsOf(server))
    .filter(({ scrapePool }) => scrapePool === 'listed')
    .map(({ scrapeUrl, health }) => `${scrapeUrl} ${health}`)
    .sort();

const bothHave = (...want: string[]) =>
  eventually(async () => {
    for (const server of servers) assert.deepEqual(await listedUrls(server), want);
  });

test(
  'a list of targets behind TLS and a password is replaced; without its server the last one holds',
  options,
  async () => {
    const url = (port: number, health = 'up') => `http://127.0.0.1:${port}/metrics ${health}`;
    await bothHave(url(plain));
    listed(plain, `127.0.0.1:${other}`);
    await bothHave(...[url(plain), url(other)].sort());
    await nginx!.kill();
    await bothHave(...[url(plain, 'down'), url(other, 'down')].sort());
    const failures = async () =>
      Number(
        (await (await fetch(`${servers[0]!.url}/metrics`)).text()).match(
          /^prometheus_sd_http_failures_total (\d+)/m,
        )?.[1],
      );
    const before = await failures();
    await eventually(async () => assert.ok((await failures()) > before));
    listed(other);
    await startNginx('first');
    await bothHave(url(other));
  },
);

// Prometheus 3.5 does so too, but not together with a file of authorities: there it goes on with the first token.
test('a token that is changed on both sides is used from then on', options, async () => {
  const is = (want: string) =>
    eventually(async () => {
      const target = (await targetsOf(servers[0]!)).find(({ scrapePool }) => scrapePool === 'bearer by file')!;
      assert.equal(target.health, want, target.lastError);
    });
  await is('up');
  await startNginx('second');
  await is('down');
  put('token', 'second\n');
  await is('up');
});
