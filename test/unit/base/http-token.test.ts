// OAuth 2.0: a token endpoint and a target on loopback.

import assert from 'node:assert/strict';
import { createPublicKey, createVerify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { type Clock, realClock } from '../../../src/base/clock.js';
import { HttpClient, type HttpClientOptions, HttpError } from '../../../src/base/http.js';
import { emptyFolder } from '../../support/folders.js';
import { TestSink } from '../../support/scripted-server.js';
import { readTestdata } from '../../support/testdata.js';

type OAuth2 = NonNullable<HttpClientOptions['oauth2']>;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listen(handler: RequestListener, tls = false): Promise<string> {
  const options = { cert: readTestdata('tls/server.crt'), key: readTestdata('tls/server.key') };
  const server = tls ? createHttpsServer(options, handler) : createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as { port: number }).port}`;
}

interface TokenRequest {
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
  readonly form: Record<string, string>;
}

interface TokenAnswer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

/** A token endpoint that answers as it is told; its requests are listed. */
async function endpoint(answer: (request: TokenRequest, index: number) => TokenAnswer | 'hang', tls = false) {
  const requests: TokenRequest[] = [];
  const url = await listen(async (incoming, response) => {
    const request = await tokenRequest(incoming);
    requests.push(request);
    const said = answer(request, requests.length - 1);
    if (said === 'hang') return;
    response.writeHead(said.status ?? 200, { 'Content-Type': said.type ?? 'application/json' }).end(said.body);
  }, tls);
  return { url, requests };
}

async function tokenRequest(incoming: IncomingMessage): Promise<TokenRequest> {
  let body = '';
  for await (const piece of incoming) body += piece;
  const { authorization, 'user-agent': userAgent } = incoming.headers;
  return { authorization, userAgent, form: Object.fromEntries(new URLSearchParams(body)) };
}

/** A target that tells what it was shown. */
function target(status = 200): Promise<string> {
  return listen((request, response) => {
    response.writeHead(status).end(request.headers.authorization ?? 'nothing');
  });
}

const json = (fields: object): TokenAnswer => ({ body: JSON.stringify(fields) });

function oauth2(tokenUrl: string, more: Partial<OAuth2> = {}): OAuth2 {
  return { clientId: 'me & you', secret: 's:1', tokenUrl, client: {}, ...more };
}

/** A client of its own for each exchange, as targets of a job have them. */
async function ask(url: string, options: HttpClientOptions, clock: Clock = realClock, timeoutMs = 5000) {
  const client = new HttpClient(options, clock);
  const sink = new TestSink();
  try {
    const answer = await client.send(
      { url, headers: [['User-Agent', 'test/1']] },
      { sink, timeoutMs, wantsBody: () => true },
    );
    return sink.text(answer.bodyBytes);
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return { code: error.code, message: error.message.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST') };
  } finally {
    client.close();
  }
}

test('clients of one configuration share a token', async () => {
  const tokens = await endpoint(() => json({ access_token: 't1', token_type: 'bearer', expires_in: 3600 }));
  const options = { oauth2: oauth2(tokens.url, { scopes: ['a', 'b'], endpointParams: [['audience', 'x']] }) };
  const url = await target();
  const both = await Promise.all([ask(url, options), ask(url, options)]);
  assert.deepEqual([...both, await ask(url, options)], ['Bearer t1', 'Bearer t1', 'Bearer t1']);
  assert.deepEqual(tokens.requests, [
    {
      authorization: `Basic ${Buffer.from('me+%26+you:s%3A1').toString('base64')}`,
      userAgent: 'test/1',
      form: { grant_type: 'client_credentials', scope: 'a b', audience: 'x' },
    },
  ]);
});

test('an endpoint that wants the secret in the form gets it there, from then on', async () => {
  const tokens = await endpoint(({ form }) =>
    form.client_secret === undefined ? { status: 401, body: 'who?' } : json({ access_token: 't', expires_in: 1 }),
  );
  const options = { oauth2: oauth2(tokens.url) };
  const url = await target();
  // A token of one second is asked for each time.
  assert.deepEqual([await ask(url, options), await ask(url, options)], ['Bearer t', 'Bearer t']);
  const ways = tokens.requests.map(({ authorization, form }) => [
    authorization !== undefined,
    form.client_id,
    form.client_secret,
  ]);
  assert.deepEqual(ways, [
    [true, undefined, undefined],
    [false, 'me & you', 's:1'],
    [false, 'me & you', 's:1'],
  ]);
});

test('a token is renewed before it ends, and one without an end is kept', async () => {
  let offsetMs = 0;
  const clock = { ...realClock, nowMs: () => realClock.nowMs() + offsetMs };
  const tokens = await endpoint((_, index) =>
    json({ access_token: `t${index}`, expires_in: index < 2 ? '60' : undefined }),
  );
  const options = { oauth2: oauth2(tokens.url) };
  const url = await target();
  const shown: unknown[] = [];
  for (offsetMs of [0, 49_000, 51_000, 120_000, 1e12]) shown.push(await ask(url, options, clock));
  assert.deepEqual(shown, ['Bearer t0', 'Bearer t0', 'Bearer t1', 'Bearer t2', 'Bearer t2']);
});

test('a token that a target refuses is asked for anew, but not at each request', async () => {
  let offsetMs = 0;
  const clock = { ...realClock, nowMs: () => realClock.nowMs() + offsetMs };
  const tokens = await endpoint((_, index) => json({ access_token: `t${index}` }));
  const options = { oauth2: oauth2(tokens.url) };
  const url = await target(401);
  const shown: unknown[] = [];
  for (offsetMs of [0, 30_000, 61_000, 62_000, 63_000]) shown.push(await ask(url, options, clock));
  assert.deepEqual(shown, ['Bearer t0', 'Bearer t0', 'Bearer t0', 'Bearer t1', 'Bearer t1']);
});

test('another secret in the file asks for another token', async () => {
  const secretFile = join(emptyFolder(), 'secret');
  writeFileSync(secretFile, 'one\n');
  const tokens = await endpoint((_, index) => json({ access_token: `t${index}` }));
  const options = { oauth2: oauth2(tokens.url, { secret: undefined, secretFile }) };
  const url = await target();
  const shown = [await ask(url, options), await ask(url, options)];
  writeFileSync(secretFile, 'two\n');
  shown.push(await ask(url, options));
  assert.deepEqual(shown, ['Bearer t0', 'Bearer t0', 'Bearer t1']);
  const secrets = tokens.requests.map(({ authorization }) => Buffer.from(authorization!.slice(6), 'base64').toString());
  assert.deepEqual(secrets, ['me+%26+you:one', 'me+%26+you:two']);
});

test('an assertion is signed with the key', async () => {
  const tokens = await endpoint(() => json({ access_token: 't' }));
  const key = readTestdata('tls/server.key');
  for (const algorithm of ['RS256', 'RS384', 'RS512'] as const) {
    const assertion = { algorithm, keyId: 'k1', issuer: '', audience: '', claims: [['tenant', 'x']] as const };
    const options = { oauth2: oauth2(tokens.url, { secret: key, scopes: ['a'], assertion }) };
    assert.equal(await ask(await target(), options), 'Bearer t');
    const { form, authorization } = tokens.requests.at(-1)!;
    assert.equal(authorization, undefined);
    assert.deepEqual([form.grant_type, form.scope], ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'a']);
    const [head, claims, signature] = form.assertion!.split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    assert.deepEqual(read(head!), { alg: algorithm, typ: 'JWT', kid: 'k1' });
    const { jti, iat, exp, ...rest } = read(claims!);
    assert.deepEqual(rest, { iss: 'me & you', sub: 'me & you', aud: tokens.url, scope: 'a', tenant: 'x' });
    assert.match(String(jti), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Number(exp) - Number(iat), 600);
    const verify = createVerify(`RSA-SHA${algorithm.slice(2)}`).update(`${head}.${claims}`);
    assert.ok(verify.verify(createPublicKey(key), signature!, 'base64url'));
  }
});

test('the endpoint has TLS of its own', async () => {
  const tokens = await endpoint(() => json({ access_token: 't' }), true);
  const ca = readTestdata('tls/ca.crt');
  const url = await target();
  assert.equal(
    await ask(url, { oauth2: oauth2(tokens.url, { client: { tls: { ca, serverName: 'target.test' } } }) }),
    'Bearer t',
  );
  const refused = await ask(url, { tls: { ca }, oauth2: oauth2(tokens.url) });
  assert.ok(typeof refused === 'object' && refused.message.includes('tls: failed to verify certificate'));
});

const GET = 'Get "http://HOST": ';

const failures: [name: string, answer: TokenAnswer | 'hang', code: string, message: string][] = [
  [
    'a status',
    { status: 500, body: 'oops' },
    'token',
    'oauth2: cannot fetch token: 500 Internal Server Error\nResponse: oops',
  ],
  [
    'a standard error',
    { status: 400, body: '{"error":"invalid_client","error_description":"no \\"such\\" client"}' },
    'token',
    'oauth2: "invalid_client" "no \\"such\\" client"',
  ],
  ['an error in a good answer', json({ error: 'x', error_uri: 'http://y/' }), 'token', 'oauth2: "x" "http://y/"'],
  ['no token', json({ token_type: 'bearer' }), 'token', 'oauth2: server response missing access_token'],
  ['a token that is no text', json({ access_token: 5 }), 'token', 'oauth2: server response missing access_token'],
  ['no object', { body: 'null' }, 'token', 'oauth2: cannot parse json: not an object'],
  ['a header in the token', json({ access_token: 'a\r\nX: y' }), 'config', ''],
  ['nothing', 'hang', 'timeout', 'context deadline exceeded'],
];
for (const [name, answer, code, message] of failures) {
  test(`no token: ${name}`, async () => {
    const tokens = await endpoint(() => answer);
    const outcome = await ask(
      await target(),
      { oauth2: oauth2(tokens.url) },
      realClock,
      answer === 'hang' ? 100 : 5000,
    );
    const expected =
      code === 'config' ? 'net/http: invalid header field value for "Authorization"' : `${GET}${message}`;
    assert.deepEqual(outcome, { code, message: expected });
  });
}

test('a form is an answer, too', async () => {
  const body = 'access_token=a%20b&token_type=mac&expires_in=60';
  const tokens = await endpoint(() => ({ type: 'application/x-www-form-urlencoded; charset=utf-8', body }));
  assert.equal(await ask(await target(), { oauth2: oauth2(tokens.url) }), 'MAC a b');
});

test('a parameter does not take the place of one of ours, but for the grant', async () => {
  const tokens = await endpoint(({ form }) => json({ access_token: form.grant_type }));
  const url = await target();
  const other = oauth2(tokens.url, { endpointParams: [['grant_type', 'password']] });
  assert.equal(await ask(url, { oauth2: other }), 'Bearer password');
  const twice = oauth2(tokens.url, { scopes: ['a'], endpointParams: [['scope', 'b']] });
  assert.deepEqual(await ask(url, { oauth2: twice }), {
    code: 'token',
    message: `${GET}oauth2: cannot overwrite parameter "scope"`,
  });
});
