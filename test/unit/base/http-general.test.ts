// https and proxies, against real TLS servers and a small proxy on loopback. Keys: test/testdata/tls, for tests only.

import assert from 'node:assert/strict';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { proxyFor } from '../../../src/base/http/proxy.js';
import { HttpClient, type HttpClientOptions, HttpError, type SendOptions } from '../../../src/base/http.js';
import { scriptedServer, TestSink } from '../../support/scripted-server.js';
import { readTestdata, testdata } from '../../support/testdata.js';

const ca = readTestdata('tls/ca.crt');
const serverTls = { cert: readTestdata('tls/server.crt'), key: readTestdata('tls/server.key') };

interface Running {
  readonly port: number;
  connections: number;
  requests: string[];
  close(): Promise<void>;
}

/** What a failed test left open would keep the process alive. */
const open = new Set<Server>();
afterEach(() => {
  for (const server of open) {
    server.closeAllConnections();
    server.close();
  }
  open.clear();
});

async function running(server: Server): Promise<Running> {
  open.add(server);
  const self: Running = {
    port: 0,
    connections: 0,
    requests: [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  server.on('secureConnection', () => self.connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(self, { port: (server.address() as { port: number }).port });
}

const BODY = 'up 1\n'.repeat(50_000);

/** A target with TLS: its pages are in the paths. */
async function target(options: ServerOptions = {}): Promise<Running> {
  const server = createHttpsServer({ ...serverTls, ...options }, (request, response) => {
    self.requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    switch (request.url) {
      case '/sized':
        return response.setHeader('Content-Length', BODY.length).end(BODY);
      case '/chunked':
        response.write(BODY.slice(0, 7));
        return response.end(BODY.slice(7));
      case '/error':
        return response.writeHead(500).end('oops');
      case '/slow':
        return response.write('up');
      case '/cut':
        response.setHeader('Content-Length', 100).write('up');
        return setTimeout(() => response.destroy(), 5);
      case '/die':
        return request.socket.destroy();
      case '/head':
        return response.setHeader('A', 'x'.repeat(300 * 1024)).end();
      default:
        return response.writeHead(302, { Location: '/sized' }).end();
    }
  });
  const self = await running(server as unknown as Server);
  return self;
}

async function get(client: HttpClient, url: string, send: Partial<SendOptions> = {}): Promise<string> {
  const sink = new TestSink();
  try {
    const answer = await client.send({ url }, { timeoutMs: 5000, ...send, sink });
    return `${answer.statusText}: ${sink.text(answer.bodyBytes) === BODY ? 'BODY' : sink.text(answer.bodyBytes)}`;
  } catch (error) {
    assert.ok(error instanceof HttpError, `${(error as Error).stack}`);
    return `${error.code}: ${error.message.replaceAll(/:\d{4,5}\b/g, ':PORT')}`;
  }
}

const pages: [path: string, want: string, send?: Partial<SendOptions>][] = [
  ['/sized', '200 OK: BODY'],
  ['/chunked', '200 OK: BODY'],
  ['/redirect', '200 OK: BODY'],
  ['/error', '500 Internal Server Error: '],
  ['/slow', 'timeout: context deadline exceeded', { timeoutMs: 300 }],
  ['/sized', 'body-limit: body size limit exceeded', { bodyBytesMax: BODY.length - 1 }],
  ['/chunked', 'body-limit: body size limit exceeded', { bodyBytesMax: BODY.length - 1 }],
  ['/sized', '200 OK: BODY', { bodyBytesMax: BODY.length }],
  ['/cut', 'broken: EOF'],
  ['/die', 'broken: Get "https://localhost:PORT/die": EOF'],
  [
    '/head',
    'protocol: Get "https://localhost:PORT/head": net/http: server response headers exceeded 262144 bytes; aborted',
  ],
];

for (const [path, want, send] of pages) {
  test(`https: ${path} ${send === undefined ? '' : JSON.stringify(send)}`, async () => {
    const server = await target();
    const client = new HttpClient({ tls: { ca } }, realClock);
    // So that no time goes by for the handshake.
    await get(client, `https://localhost:${server.port}/sized`);
    assert.equal(await get(client, `https://localhost:${server.port}${path}`, send), want);
    // Whatever went wrong, the next exchange is well.
    assert.equal(await get(client, `https://localhost:${server.port}/sized`), '200 OK: BODY');
    client.close();
    await server.close();
  });
}

test('https: one connection serves many requests', async () => {
  const server = await target();
  const client = new HttpClient({ tls: { ca } }, realClock);
  for (const path of ['/sized', '/chunked', '/error', '/redirect'])
    await get(client, `https://localhost:${server.port}${path}`);
  assert.equal(server.connections, 1);
  client.close();
  await server.close();
});

test('https: a kept connection that died is dialled anew', async () => {
  const server = await target();
  const client = new HttpClient({ tls: { ca } }, realClock);
  await get(client, `https://localhost:${server.port}/sized`);
  assert.equal(
    await get(client, `https://localhost:${server.port}/die`),
    'broken: Get "https://localhost:PORT/die": EOF',
  );
  assert.deepEqual(
    server.requests.map((line) => line.split(' ')[1]),
    ['/sized', '/die', '/die'],
  );
  client.close();
  await server.close();
});

test('https: closing the client ends the exchange under way', async () => {
  const server = await target();
  const client = new HttpClient({ tls: { ca } }, realClock);
  const outcome = get(client, `https://localhost:${server.port}/slow`);
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  client.close();
  // Whether the head had come by then or not.
  assert.match(await outcome, /^aborted: (Get "https:.*": )?context canceled$/);
  await server.close();
});

const UNKNOWN =
  'dial: Get "https://localhost:PORT/sized": tls: failed to verify certificate: x509: certificate signed by unknown authority';
const client = { certFile: testdata('tls/client.crt'), keyFile: testdata('tls/client.key') };
const mutual: ServerOptions = { requestCert: true, rejectUnauthorized: true, ca };

const trust: [
  name: string,
  tls: HttpClientOptions['tls'],
  host: string,
  want: string | RegExp,
  server?: ServerOptions,
][] = [
  ['authority inline', { ca }, 'localhost', '200 OK: BODY'],
  ['authority from a file', { caFile: testdata('tls/ca.crt') }, 'localhost', '200 OK: BODY'],
  ['an authority nobody knows', {}, 'localhost', UNKNOWN],
  ['no verification', { insecureSkipVerify: true }, 'localhost', '200 OK: BODY'],
  [
    'another name',
    { ca },
    '127.0.0.1',
    /tls: failed to verify certificate: x509: certificate is valid for localhost, target\.test, not 127\.0\.0\.1$/,
  ],
  ['another name, expected', { ca, serverName: 'target.test' }, '127.0.0.1', '200 OK: BODY'],
  ['a file that is not there', { caFile: '/nowhere/ca.crt' }, 'localhost', /^config: unable to read CA cert: /],
  ['a certificate that is none', { ca, cert: 'x', key: 'y' }, 'localhost', /^config: Get "https:/],
  ['a certificate of ours', { ca, ...client }, 'localhost', '200 OK: BODY', mutual],
  ['no certificate of ours where one is wanted', { ca }, 'localhost', /^(dial|broken): /, mutual],
  ['an old version', { ca, maxVersion: 'TLS12' }, 'localhost', '200 OK: BODY'],
  [
    'too old a version',
    { ca, maxVersion: 'TLS12' },
    'localhost',
    /^dial: .*protocol version not supported$/,
    { minVersion: 'TLSv1.3' },
  ],
  ['a version nobody knows', { ca, minVersion: 'SSL3' }, 'localhost', 'config: unknown TLS version: SSL3'],
];

for (const [name, tls, host, want, options] of trust) {
  test(`TLS: ${name}`, async () => {
    const server = await target(options);
    const client = new HttpClient({ tls }, realClock);
    const got = await get(client, `https://${host}:${server.port}/sized`);
    if (typeof want === 'string') assert.equal(got, want);
    else assert.match(got, want);
    client.close();
    await server.close();
  });
}

test('TLS to a server without it', async () => {
  const server = await scriptedServer(() => ['HTTP/1.1 400 Bad Request\r\n\r\n', 'end']);
  const plain = createHttpServer((_, response) => void response.end());
  const self = await running(plain);
  const client = new HttpClient({ tls: { ca } }, realClock);
  assert.equal(
    await get(client, `https://localhost:${self.port}/`),
    'dial: Get "https://localhost:PORT/": http: server gave HTTP response to HTTPS client',
  );
  client.close();
  await Promise.all([server.close(), self.close()]);
});

test('nobody listening', async () => {
  const server = await target();
  await server.close();
  const client = new HttpClient({}, realClock);
  assert.match(
    await get(client, `https://127.0.0.1:${server.port}/`),
    /^dial: Get "https:.*": dial tcp 127\.0\.0\.1:PORT: connect: connection refused$/,
  );
});

test('a redirect from http to https on another host leaves credentials behind', async () => {
  const server = await target();
  const plain = await scriptedServer(() => [
    `HTTP/1.1 301 Moved Permanently\r\nLocation: https://localhost:${server.port}/sized\r\nContent-Length: 0\r\n\r\n`,
  ]);
  const client = new HttpClient({ tls: { ca }, basicAuth: { username: 'a', password: 'b' } }, realClock);
  assert.equal(await get(client, plain.url), '200 OK: BODY');
  assert.match(plain.requests[0]!, /Authorization: Basic /);
  assert.deepEqual(server.requests, ['GET /sized -']);
  client.close();
  await Promise.all([server.close(), plain.close()]);
});

// ---- Proxies

/** Forwards plain requests, tunnels the others, and remembers both. */
async function proxy(): Promise<Running> {
  const server = createHttpServer((request, response) => {
    self.requests.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
    response.end('from the proxy');
  });
  server.on('connect', (request, socket) => {
    self.requests.push(`CONNECT ${request.url} ${request.headers['x-proxy'] ?? '-'}`);
    const upstream = connect(Number(request.url!.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream])
      end
        .on('error', () => {})
        .on('close', () => {
          upstream.destroy();
          socket.destroy();
        });
  });
  const self = await running(server);
  return self;
}

test('plain targets are asked for by their absolute URL', async () => {
  const server = await proxy();
  const client = new HttpClient({ proxyUrl: `http://user:pass@127.0.0.1:${server.port}` }, realClock);
  assert.equal(await get(client, 'http://target.test:9100/metrics?a=b'), '200 OK: from the proxy');
  assert.deepEqual(server.requests, [
    `GET http://target.test:9100/metrics?a=b Basic ${Buffer.from('user:pass').toString('base64')}`,
  ]);
  client.close();
  await server.close();
});

test('TLS targets are asked through a tunnel', async () => {
  const [server, through] = await Promise.all([target(), proxy()]);
  const options = {
    tls: { ca },
    proxyUrl: `http://127.0.0.1:${through.port}`,
    proxyConnectHeaders: [['X-Proxy', 'x']] as const,
  };
  const client = new HttpClient(options, realClock);
  for (let i = 0; i < 3; i++) assert.equal(await get(client, `https://localhost:${server.port}/sized`), '200 OK: BODY');
  assert.deepEqual(through.requests, [`CONNECT localhost:${server.port} x`]);
  client.close();
  await Promise.all([server.close(), through.close()]);
});

/** SOCKS 5 (RFC 1928, RFC 1929): who came, as whom, and where to. */
async function socks(user?: string): Promise<{ port: number; asked: string[]; close(): Promise<void> }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let step: 'greeting' | 'login' | 'connect' = 'greeting';
    socket.on('data', (bytes) => {
      if (step === 'greeting') {
        step = user === undefined ? 'connect' : 'login';
        socket.write(Uint8Array.of(5, user === undefined ? 0 : 2));
      } else if (step === 'login') {
        step = 'connect';
        const name = bytes.toString('utf8', 2, 2 + bytes[1]!);
        asked.push(`login ${name}:${bytes.toString('utf8', 3 + bytes[1]!)}`);
        socket.write(Uint8Array.of(1, name === user ? 0 : 1));
      } else {
        const host = bytes[3] === 3 ? bytes.toString('utf8', 5, 5 + bytes[4]!) : [...bytes.subarray(4, 8)].join('.');
        const port = bytes.readUInt16BE(bytes.length - 2);
        asked.push(`connect ${host}`);
        const upstream = connect(port, '127.0.0.1', () => {
          socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          socket.removeAllListeners('data');
          upstream.pipe(socket).pipe(upstream);
        });
        sockets.add(upstream);
        upstream.on('error', () => socket.destroy());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { port: (server.address() as { port: number }).port, asked, close };
}

test('targets behind a SOCKS proxy, which looks their names up', async () => {
  const [server, plain] = await Promise.all([
    target(),
    scriptedServer(() => ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nup 1']),
  ]);
  const [open, guarded] = await Promise.all([socks(), socks('me')]);
  const through = new HttpClient({ tls: { ca }, proxyUrl: `socks5://127.0.0.1:${open.port}` }, realClock);
  assert.equal(await get(through, `https://localhost:${server.port}/sized`), '200 OK: BODY');
  assert.deepEqual(open.asked, ['connect localhost']);
  const login = new HttpClient({ proxyUrl: `socks5h://me:secret@127.0.0.1:${guarded.port}` }, realClock);
  const sink = new TestSink();
  const answer = await login.send({ url: `http://target.test:${plain.port}/` }, { sink, timeoutMs: 5000 });
  assert.equal(sink.text(answer.bodyBytes), 'up 1');
  assert.deepEqual(guarded.asked, ['login me:secret', 'connect target.test']);
  through.close();
  login.close();
  await Promise.all([server.close(), plain.close(), open.close(), guarded.close()]);
});

const direct: [noProxy: string, url: string, viaProxy: boolean][] = [
  ['', 'http://a.example.com/', true],
  ['', 'http://127.0.0.1/', true],
  ['*', 'http://a.example.com/', false],
  ['example.com', 'http://a.example.com/', false],
  ['example.com', 'http://example.com/', false],
  ['example.com', 'http://badexample.com/', true],
  ['.example.com', 'http://example.com/', true],
  ['.example.com', 'http://a.example.com/', false],
  ['*.example.com', 'http://a.example.com/', false],
  ['x, Example.COM:8080', 'http://example.com:8080/', false],
  ['example.com:8080', 'http://example.com/', true],
  ['example.com:443', 'https://example.com/', false],
  ['10.0.0.0/8', 'http://10.1.2.3/', false],
  ['10.0.0.0/8', 'http://11.1.2.3/', true],
  ['10.0.0.0/99', 'http://10.1.2.3/', true],
  ['10.1.2.3', 'http://10.1.2.3:99/', false],
  ['fe80::/10', 'http://[fe80::1]/', false],
  ['::2', 'http://[::2]/', false],
  ['x', 'http://localhost/', false],
  ['x', 'http://127.9.9.9/', false],
  ['x', 'http://[::1]/', false],
];

for (const [noProxy, url, viaProxy] of direct) {
  test(`no_proxy "${noProxy}": ${url} ${viaProxy ? 'by proxy' : 'directly'}`, () => {
    assert.equal(proxyFor(new URL(url), { proxyUrl: 'http://p/', noProxy }), viaProxy ? 'http://p/' : undefined);
  });
}

test('proxies from the environment', () => {
  const environment = { HTTP_PROXY: 'p:3128', https_proxy: 'https://q', NO_PROXY: 'inside.test' };
  const proxyOf = (url: string) => proxyFor(new URL(url), { proxyFromEnvironment: true }, environment);
  assert.equal(proxyOf('http://a.test/'), 'http://p:3128');
  assert.equal(proxyOf('https://a.test/'), 'https://q');
  assert.equal(proxyOf('http://a.inside.test/'), undefined);
  assert.equal(proxyOf('http://localhost/'), undefined);
});
