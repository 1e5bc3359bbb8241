// TLS of the door on node:http: real handshakes on loopback. Keys: test/testdata/tls, for tests only.

import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { realDisk } from '../../../../src/base/disk.js';
import { noLog } from '../../../../src/telemetry/log.js';
import { parseNames } from '../../../../src/web/access/alternative-names.js';
import { WebSettingsFile } from '../../../../src/web/access/settings.js';
import { FakeClock } from '../../../support/clock.js';
import { openTestDoor, type TestDoor } from '../../../support/doors.js';
import { emptyFolder } from '../../../support/folders.js';
import { rawConnect, rawExchange } from '../../../support/raw-http.js';
import { readTestdata, testdata } from '../../../support/testdata.js';

const ca = readTestdata('tls/ca.crt');
const client = { cert: readTestdata('tls/client.crt'), key: readTestdata('tls/client.key') };

/** A handshake may take that long, so that nothing here ends because one did. */
const HANDSHAKE_MS = 600_000;

interface Rig {
  readonly door: TestDoor;
  readonly folder: string;
  /** Writes the section anew, a second later. */
  rewrite(section: object): void;
}

async function withTls(section: object, use: (rig: Rig) => Promise<void>): Promise<void> {
  const folder = emptyFolder();
  for (const name of ['ca.crt', 'server.crt', 'server.key', 'client.crt', 'client.key']) {
    copyFileSync(testdata(`tls/${name}`), join(folder, name));
  }
  const path = join(folder, 'web.yml');
  const base = { cert_file: 'server.crt', key_file: 'server.key' };
  const write = (given: object) => writeFileSync(path, JSON.stringify({ tls_server_config: { ...base, ...given } }));
  write(section);
  const clock = new FakeClock();
  const file = new WebSettingsFile(realDisk, clock, noLog, path);
  const handler: Parameters<typeof openTestDoor>[1] = (_, response) => {
    response.head(200, []);
    response.end('hello');
  };
  const door = await openTestDoor('node', handler, { tls: () => file.current.tls!, headTimeoutMs: HANDSHAKE_MS });
  const rewrite = (given: object) => {
    write(given);
    clock.advance(1000);
  };
  try {
    await use({ door, folder, rewrite });
    assert.deepEqual(door.errors, []);
  } finally {
    await door.close(0);
  }
}

/** The body, or the code of the error. */
function ask(door: TestDoor, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', servername: 'localhost', port: door.port, ca, agent: false, ...options };
    request(target, (answer) => {
      let body = '';
      answer.on('data', (piece) => (body += piece)).on('end', () => resolve(body));
    })
      .on('error', () => resolve('refused'))
      .end();
  });
}

/** What a handshake agreed on. */
function agree(door: TestDoor, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', servername: 'localhost', port: door.port, ca, ...options };
    const socket: TLSSocket = connect(target, () => {
      const { type, name } = socket.getEphemeralKeyInfo() as { type?: string; name?: string };
      resolve(`${socket.getProtocol()} ${socket.getCipher().name} ${name ?? type}`);
      socket.destroy();
    });
    socket.on('error', () => resolve('refused'));
  });
}

const good = client;
/** A server's certificate that no authority of the file vouches for. */
const stranger = { ca_file: 'server.crt' };

const policies: [section: Record<string, unknown>, shows: object, want: string][] = [
  [{}, {}, 'hello'],
  [{}, good, 'hello'],
  [{ client_auth_type: 'NoClientCert' }, {}, 'hello'],
  [{ client_auth_type: 'RequestClientCert', client_ca_file: stranger.ca_file }, good, 'hello'],
  [{ client_auth_type: 'RequestClientCert' }, {}, 'hello'],
  [{ client_auth_type: 'RequireAnyClientCert' }, {}, 'refused'],
  [{ client_auth_type: 'RequireAnyClientCert', client_ca_file: stranger.ca_file }, good, 'hello'],
  [{ client_auth_type: 'VerifyClientCertIfGiven', client_ca_file: 'ca.crt' }, {}, 'hello'],
  [{ client_auth_type: 'VerifyClientCertIfGiven', client_ca_file: 'ca.crt' }, good, 'hello'],
  [{ client_auth_type: 'VerifyClientCertIfGiven', client_ca_file: stranger.ca_file }, good, 'refused'],
  [{ client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: 'ca.crt' }, {}, 'refused'],
  [{ client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: 'ca.crt' }, good, 'hello'],
  [{ client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: stranger.ca_file }, good, 'refused'],
  [{ client_auth_type: 'RequireAndVerifyClientCert', client_ca: ca }, good, 'hello'],
  [{ client_auth_type: 'RequireAndVerifyClientCert', client_ca: 'nobody' }, good, 'refused'],
  [
    { client_auth_type: 'RequireAndVerifyClientCert', client_ca: ca, client_allowed_sans: ['x', 'target.test'] },
    good,
    'hello',
  ],
  [
    { client_auth_type: 'RequireAndVerifyClientCert', client_ca: ca, client_allowed_sans: ['test', 'client'] },
    good,
    'refused',
  ],
  [{ client_auth_type: 'VerifyClientCertIfGiven', client_ca: ca, client_allowed_sans: ['x'] }, {}, 'hello'],
];
for (const [section, shows, want] of policies) {
  const name = JSON.stringify(section, (key, value) => (key === 'client_ca' ? String(value).slice(0, 10) : value));
  test(`client ${shows === good ? 'with' : 'without'} certificate, ${name}: ${want}`, async () => {
    await withTls(section, async ({ door }) => assert.equal(await ask(door, shows), want));
  });
}

const agreements: [section: object, options: ConnectionOptions, want: RegExp][] = [
  [{}, {}, /^TLSv1\.3 /],
  [{ max_version: 'TLS12' }, {}, /^TLSv1\.2 /],
  [{ min_version: 'TLS13' }, { maxVersion: 'TLSv1.2' }, /^refused$/],
  [{}, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, /^refused$/],
  [
    { cipher_suites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'], max_version: 'TLS12' },
    {},
    /^TLSv1\.2 ECDHE-ECDSA-CHACHA20-POLY1305 /,
  ],
  [{ cipher_suites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'] }, {}, /^TLSv1\.3 /],
  [{ cipher_suites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'], max_version: 'TLS12' }, {}, /^refused$/],
  [{ curve_preferences: ['CurveP384'] }, {}, / secp384r1$/],
  [{ curve_preferences: ['X25519'] }, { ecdhCurve: 'P-256' }, /^refused$/],
];
for (const [section, options, want] of agreements) {
  test(`handshake: ${JSON.stringify(section)} with ${JSON.stringify(options)}`, async () => {
    await withTls(section, async ({ door }) => assert.match(await agree(door, options), want));
  });
}

test('other settings and certificates are used from the next connection on, without a restart', async () => {
  await withTls({}, async ({ door, folder, rewrite }) => {
    const { ca: _, ...unchecked } = { ca, rejectUnauthorized: false };
    const subject = () =>
      new Promise<string>((resolve) => {
        const socket = connect({ host: '127.0.0.1', port: door.port, ...unchecked }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
      });
    assert.equal(await subject(), 'server');
    copyFileSync(join(folder, 'client.crt'), join(folder, 'server.crt'));
    copyFileSync(join(folder, 'client.key'), join(folder, 'server.key'));
    rewrite({});
    assert.equal(await subject(), 'client');
    rewrite({ client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: 'ca.crt' });
    assert.equal(await ask(door), 'refused');
    assert.equal(await ask(door, client), 'hello');
    rewrite({ client_auth_type: 'bad' });
    assert.equal(await ask(door), 'refused', 'what the file said before stays');
    rewrite({ max_version: 'TLS12' });
    assert.match(await agree(door), /^TLSv1\.2 /);
  });
});

test('HTTP in the clear gets no answer of ours, and the door goes on', async () => {
  await withTls({}, async ({ door }) => {
    const { text } = await rawExchange(door.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n']);
    assert.ok(!text.includes('hello'), text);
    assert.equal(await ask(door), 'hello');
  });
});

test('a client in the middle of a handshake does not keep the door from closing', { timeout: 60_000 }, async () => {
  let closed = false;
  await withTls({}, async ({ door }) => {
    const socket = await rawConnect(door.port);
    socket.on('error', () => {});
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await door.close(0);
    await ended;
    closed = true;
  });
  assert.ok(closed);
});

const names: [printed: string, want: string[]][] = [
  ['', []],
  ['DNS:one', ['one']],
  ['DNS:one, DNS:two', ['one', 'two']],
  ['IP Address:127.0.0.1, email:a@b, URI:spiffe://x/y', ['127.0.0.1', 'a@b', 'spiffe://x/y']],
  ['IP Address:0:0:0:0:0:0:0:1', ['::1']],
  ['DNS:"one, DNS:two", DNS:three', ['one, DNS:two', 'three']],
  ['DirName:CN=x, DNS:one', ['one']],
  ['othername:1.3.6.1::"a, DNS:admin", DNS:one', ['one']],
  ['Registered ID:1.2.3, DNS:one', ['one']],
];
for (const [printed, want] of names) {
  test(`names of ${printed}`, () => assert.deepEqual(parseNames(printed), want));
}
