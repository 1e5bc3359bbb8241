// Web configuration files: those of the collection as promtool 3.5.3 judged them, and more that it was asked about.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { ConfigError } from '../../../src/config/error.js';
import { parseWebConfig } from '../../../src/config/web-config.js';
import { readWebSettings } from '../../../src/web/access/settings.js';
import { emptyFolder } from '../../support/folders.js';
import { conformance, hasConformance, readConformance, testdata } from '../../support/testdata.js';
import { runLine } from '../../support/tool.js';

/** A folder with the certificates that the files name. */
const folder = emptyFolder();
for (const name of ['server.crt', 'server.key', 'client.crt'])
  copyFileSync(testdata(`tls/${name}`), join(folder, name));
copyFileSync(testdata('tls/ca.crt'), join(folder, 'client_selfsigned.pem'));
copyFileSync(testdata('tls/ca.crt'), join(folder, 'client2_selfsigned.pem'));
writeFileSync(join(folder, 'none.pem'), 'nothing here\n');

function judge(name: string): string {
  const before = process.cwd();
  process.chdir(folder);
  try {
    readWebSettings(realDisk, name);
    return 'SUCCESS';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `FAILED: ${error.message}`;
  } finally {
    process.chdir(before);
  }
}

type Verdicts = Record<string, { readonly check: { readonly output: string } }>;
const verdicts = hasConformance() ? (JSON.parse(readConformance('web-config/VERDICTS.json')) as Verdicts) : {};

for (const [name, { check }] of Object.entries(verdicts)) {
  test(`web config: ${name}`, () => {
    copyFileSync(conformance(`web-config/${name}`), join(folder, name));
    assert.equal(`${name} ${judge(name)}`, check.output);
  });
}

test('every web config of the collection has a verdict', { skip: !hasConformance() }, () => {
  const files = readdirSync(conformance('web-config')).filter((name) => /\.ya?ml$/.test(name));
  assert.deepEqual(files.sort(), Object.keys(verdicts).sort());
});

const TLS = 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n';
const HEADERS = 'http_server_config:\n  headers:\n';
const REST = '1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby';
const yaml = (fault: string) => `FAILED: yaml: unmarshal errors:\n  ${fault}`;
const keyPair = (fault: string) => `FAILED: failed to load X509KeyPair: tls: ${fault}`;

/** What promtool 3.5.3 says, but for the two marked. */
const cases: [text: string, want: string][] = [
  ['bogus: 1\n', yaml('line 1: field bogus not found in type web.Config')],
  [`${TLS}  bogus: 1\n`, yaml('line 4: field bogus not found in type web.TLSConfig')],
  ['tls_server_config:\n', 'SUCCESS'],
  ['tls_server_config: {}\n', 'SUCCESS'],
  ['tls_server_config: {min_version: TLS12}\n', 'SUCCESS'],
  ['tls_server_config: {client_auth_type: x}\n', 'FAILED: missing one of cert or cert_file'],
  ['tls_server_config: {cert_file: server.crt}\n', 'FAILED: missing one of key or key_file'],
  ['tls_server_config: {key_file: server.key}\n', 'FAILED: missing one of cert or cert_file'],
  [`${TLS}  client_auth_type: x\n`, 'FAILED: invalid ClientAuth: x'],
  [`${TLS}  client_auth_type: RequireClientCert\n`, 'SUCCESS'],
  [`${TLS}  client_ca_file: server.crt\n`, "FAILED: client CA's have been configured without a Client Auth Policy"],
  [`${TLS}  client_ca: abc\n`, "FAILED: client CA's have been configured without a Client Auth Policy"],
  [`${TLS}  client_ca: abc\n  client_auth_type: RequireAndVerifyClientCert\n`, 'SUCCESS'],
  [`${TLS}  client_auth_type: RequireAndVerifyClientCert\n`, 'SUCCESS'],
  [`${TLS}  client_allowed_sans: a\n`, yaml('line 4: cannot unmarshal !!str `a` into []string')],
  [`${TLS}  min_version: ''\n`, 'FAILED: unknown TLS version: '],
  [`${TLS}  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n`, 'FAILED: unknown cipher: TLS_RSA_WITH_AES_128_CBC_SHA'],
  [`${TLS}  cipher_suites: []\n`, 'SUCCESS'],
  [`${TLS}  cipher_suites: x\n`, yaml('line 4: cannot unmarshal !!str `x` into []web.Cipher')],
  [`${TLS}  curve_preferences: [X25519MLKEM768]\n`, 'FAILED: unknown curve: X25519MLKEM768'],
  [`${TLS}  prefer_server_cipher_suites: maybe\n`, yaml('line 4: cannot unmarshal !!str `maybe` into bool')],
  [`${TLS}  cert: abc\n  key: abc\n`, 'SUCCESS'],
  ['tls_server_config: {cert: abc, key: abc}\n', keyPair('failed to find any PEM data in certificate input')],
  [
    'tls_server_config: {cert_file: client.crt, key_file: server.key}\n',
    keyPair('private key does not match public key'),
  ],
  [
    'tls_server_config: {cert_file: server.key, key_file: server.key}\n',
    keyPair(
      'failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ),
  ],
  [
    'tls_server_config: {cert_file: server.crt, key_file: server.crt}\n',
    keyPair('found a certificate rather than a key in the PEM for the private key'),
  ],
  [
    'tls_server_config: {cert_file: server.crt, key_file: nope}\n',
    'FAILED: failed to read key_file (nope): open nope: no such file or directory',
  ],
  [`${HEADERS}    x-frame-options: deny\n`, 'FAILED: HTTP header "x-frame-options" can not be configured'],
  [
    `${HEADERS}    X-Frame-Options: DENY\n`,
    'FAILED: invalid value for X-Frame-Options. Expected one of: ["deny" "sameorigin"], but got: "DENY"',
  ],
  [`${HEADERS}    Strict-Transport-Security: foo\n`, 'SUCCESS'],
  // Ours: such a header would be two.
  [
    `${HEADERS}    Content-Security-Policy: "a\\r\\nSet-Cookie: b"\n`,
    'FAILED: the value of Content-Security-Policy cannot stand in a header',
  ],
  [`${HEADERS}    Content-Security-Policy: [a]\n`, yaml('line 3: cannot unmarshal !!seq into string')],
  ['http_server_config:\n  http2: false\n', 'SUCCESS'],
  ['http_server_config: x\n', yaml('line 1: cannot unmarshal !!str `x` into web.HTTPConfig')],
  ['basic_auth_users:\n  a: b\n', 'FAILED: crypto/bcrypt: hashedSecret too short to be a bcrypted password'],
  ['basic_auth_users:\n  a: \n', 'FAILED: crypto/bcrypt: hashedSecret too short to be a bcrypted password'],
  [
    `basic_auth_users:\n  a: $2y$03$${REST}\n`,
    'FAILED: crypto/bcrypt: cost 3 is outside allowed inclusive range 4..31',
  ],
  [
    `basic_auth_users:\n  a: $2y$32$${REST}\n`,
    'FAILED: crypto/bcrypt: cost 32 is outside allowed inclusive range 4..31',
  ],
  [`basic_auth_users:\n  a: $2$10$${REST}xxx\n`, 'SUCCESS'],
  // Ours: promtool shows the first character of what may be a password.
  [`basic_auth_users:\n  a: x2y$10$${REST}\n`, "FAILED: crypto/bcrypt: bcrypt hashes must start with '$'"],
  ['basic_auth_users: []\n', yaml('line 1: cannot unmarshal !!seq into map[string]config.Secret')],
  ['basic_auth_users:\n  a: {}\n', yaml('line 2: cannot unmarshal !!map into config.plain')],
  ['basic_auth_users:\n  a: x\n  a: y\n', yaml('line 3: key "a" already set in map')],
  ['rate_limit: {interval: 1x}\n', yaml('line 1: cannot unmarshal !!str `1x` into time.Duration')],
  ['rate_limit: {interval: 1d}\n', yaml('line 1: cannot unmarshal !!str `1d` into time.Duration')],
  ['rate_limit: {interval: -1s}\n', 'SUCCESS'],
  ['rate_limit: {burst: x}\n', yaml('line 1: cannot unmarshal !!str `x` into int')],
  ['rate_limit: {burst: 1, x: 1}\n', yaml('line 1: field x not found in type web.RateLimiterConfig')],
];

for (const [text, want] of cases) {
  test(`web config: ${JSON.stringify(text)}`, () => {
    writeFileSync(join(folder, 'case.yml'), text);
    assert.equal(judge('case.yml'), want);
  });
}

const durations: [text: string, wantMs: number][] = [
  ['1s', 1000],
  ['1.5s', 1500],
  ['1m30s', 90_000],
  ['.5ms', 0.5],
  ['-2h', -7_200_000],
  ['1000000', 1],
  ['0', 0],
];
for (const [text, wantMs] of durations) {
  test(`an interval of ${text} is ${wantMs} ms`, () => {
    assert.equal(parseWebConfig(`rate_limit: {interval: ${text}}`).rateLimit.intervalMs, wantMs);
  });
}

test('printed, a configuration shows no secret', () => {
  const key = readFileSync(testdata('tls/server.key'), 'utf8');
  const hash = `$2y$10$${REST}`;
  const config = parseWebConfig(
    JSON.stringify({ tls_server_config: { cert: 'c', key }, basic_auth_users: { a: hash } }),
  );
  const printed = `${JSON.stringify(config)} ${[...config.users.values()].join()} ${config.tls.key}`;
  assert.ok(!printed.includes(REST) && !printed.includes(key.split('\n')[1]!), printed);
  assert.equal(config.tls.key.reveal(), key);
});

test('narthex check web-config goes on behind a bad file, and ends with 1', async () => {
  const [good, bad] = ['good.yml', 'bad.yml'].map((name) => join(folder, name));
  writeFileSync(good!, TLS);
  writeFileSync(bad!, 'bogus: 1\n');
  const run = await runLine(['check', 'web-config', bad!, good!]);
  assert.deepEqual(run, {
    code: 1,
    out: '',
    err: `${bad} ${yaml('line 1: field bogus not found in type web.Config')}\n${good} SUCCESS\n`,
  });
  assert.equal((await runLine(['check', 'web-config', good!])).code, 0);
  assert.equal((await runLine(['check', 'web-config'])).code, 1);
});
