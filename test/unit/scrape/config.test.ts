// A job of the configuration becomes what a manager takes, and tells whether a reload changed it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/config.js';
import { staticGroupsOf } from '../../../src/discovery/static.js';
import { jobEntryOf } from '../../../src/scrape/config.js';

const JOB = `
  - job_name: node
    honor_labels: true
    params: { module: [a, b] }
    basic_auth: { username: joe, password: secret }
    tls_config: { ca_file: /etc/ca.crt, insecure_skip_verify: true }
    http_headers: { X-Scope: { values: [a], secrets: [b] } }
    proxy_url: http://proxy:3128
    no_proxy: inside
    follow_redirects: false
    body_size_limit: 1MB
    relabel_configs: [{ source_labels: [x], regex: 'a.*', action: drop }]
    static_configs: [{ targets: ['a:1', 'b:1'], labels: { env: prod } }]
`;

const jobOf = (yaml: string, global = '') => parseConfig(`${global}\nscrape_configs:${yaml}`).scrapeConfigs[0]!;

test('the HTTP options are the client’s', () => {
  assert.deepEqual(jobEntryOf(jobOf(JOB)).http, {
    basicAuth: { username: 'joe', usernameFile: undefined, password: 'secret', passwordFile: undefined },
    authorization: undefined,
    oauth2: undefined,
    headers: [
      ['X-Scope', 'a'],
      ['X-Scope', 'b'],
    ],
    headerFiles: [],
    tls: {
      ca: undefined,
      cert: undefined,
      key: undefined,
      caFile: '/etc/ca.crt',
      certFile: undefined,
      keyFile: undefined,
      serverName: undefined,
      insecureSkipVerify: true,
      minVersion: undefined,
      maxVersion: undefined,
    },
    followRedirects: false,
    proxyUrl: 'http://proxy:3128',
    noProxy: 'inside',
    proxyFromEnvironment: false,
    proxyConnectHeaders: [],
  });
});

test('a bearer token is an authorization', () => {
  const { http } = jobEntryOf(jobOf('\n  - { job_name: x, bearer_token: t }'));
  assert.deepEqual(http.authorization, { type: 'Bearer', credentials: 't', credentialsFile: undefined });
});

test('a token endpoint has a client of its own', () => {
  const { http } = jobEntryOf(
    jobOf(`
  - job_name: x
    proxy_url: http://proxy:1
    oauth2:
      client_id: a
      client_secret: b
      token_url: http://t/
      scopes: [c, d]
      endpoint_params: { e: f }
      tls_config: { ca_file: /ca }
      proxy_url: http://proxy:2
`),
  );
  const { client, ...rest } = http.oauth2!;
  assert.deepEqual(rest, {
    clientId: 'a',
    secret: 'b',
    secretFile: undefined,
    tokenUrl: 'http://t/',
    scopes: ['c', 'd'],
    endpointParams: [['e', 'f']],
    assertion: undefined,
  });
  assert.deepEqual([client.tls?.caFile, client.proxyUrl, http.proxyUrl], ['/ca', 'http://proxy:2', 'http://proxy:1']);
});

test('a key instead of a secret signs an assertion', () => {
  const { http } = jobEntryOf(
    jobOf(`
  - job_name: x
    oauth2:
      client_id: a
      grant_type: urn:ietf:params:oauth:grant-type:jwt-bearer
      client_certificate_key_file: /key
      client_certificate_key_id: k
      audience: aud
      claims: { x: y }
      token_url: http://t/
`),
  );
  assert.equal(http.oauth2!.secretFile, '/key');
  assert.deepEqual(http.oauth2!.assertion, {
    algorithm: 'RS256',
    keyId: 'k',
    issuer: '',
    audience: 'aud',
    claims: [['x', 'y']],
  });
});

const references = [
  'authorization: { credentials_ref: r }',
  'basic_auth: { username_ref: r }',
  'basic_auth: { username: u, password_ref: r }',
  'tls_config: { ca_ref: r }',
  'oauth2: { client_id: a, client_secret_ref: r, token_url: "http://t/" }',
];
for (const given of references) {
  test(`there is nobody to give a secret by reference: ${given}`, () => {
    assert.equal(
      jobEntryOf(jobOf(`\n  - { job_name: x, ${given} }`)).http.refusal,
      'cannot use secret ref without manager',
    );
  });
}

test('static targets are groups', () => {
  assert.deepEqual(staticGroupsOf(jobOf(JOB).staticConfigs), [
    {
      targets: [
        ['__address__', 'a:1'],
        ['__address__', 'b:1'],
      ],
      labels: ['env', 'prod'],
    },
  ]);
});

const changes: [name: string, from: string, to: string, isSame: boolean][] = [
  ['nothing', 'node', 'node', true],
  ['white space', 'follow_redirects: false', 'follow_redirects:  false', true],
  ['a default, written out', '    honor_labels: true', '    honor_labels: true\n    metrics_path: /metrics', true],
  ['the static targets', "'a:1', 'b:1'", "'a:1'", true],
  ['a flag', 'honor_labels: true', 'honor_labels: false', false],
  ['a secret', 'password: secret', 'password: other', false],
  ['a secret header', 'secrets: [b]', 'secrets: [c]', false],
  ['a pattern', "regex: 'a.*'", "regex: 'b.*'", false],
  ['a parameter', '[a, b]', '[ab]', false],
  ['a limit', '1MB', '2MB', false],
];

for (const [name, from, to, isSame] of changes) {
  test(`a reload that changes ${name} ${isSame ? 'keeps' : 'renews'} the loops`, () => {
    const before = jobEntryOf(jobOf(JOB)).fingerprint;
    const after = jobEntryOf(jobOf(JOB.replace(from, to))).fingerprint;
    assert.equal(before === after, isSame);
  });
}

test('a global setting that a job inherits is part of it', () => {
  const withInterval = (interval: string) =>
    jobEntryOf(jobOf(JOB, `global: { scrape_interval: ${interval} }`)).fingerprint;
  assert.equal(withInterval('15s'), withInterval('15s'));
  assert.notEqual(withInterval('15s'), withInterval('30s'));
});

test('a fingerprint shows no secret', () => {
  assert.match(jobEntryOf(jobOf(JOB)).fingerprint, /^[A-Za-z0-9+/=]{44}$/);
});
