// Lists of targets over HTTP: what counts as one, and what happens when there is none.

import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { discover, endAll, sendJson, serve } from '../../support/discovery.js';
import { eventually } from '../../support/servers.js';

after(endAll);

const LIST = [{ targets: ['a:1', 'b:1'], labels: { env: 'prod' } }, { targets: ['c:1'] }];

test('a list becomes groups, asked for with the headers that servers expect', async () => {
  let headers: IncomingHttpHeaders = {};
  const server = await serve((request, response) => {
    headers = request.headers;
    sendJson(response, LIST);
  });
  const url = `${server.url}/sd?x=1`;
  const found = discover(
    `http_sd_configs: [{url: '${url}', refresh_interval: 30s, basic_auth: {username: u, password: p}}]`,
  );
  await found.next();
  assert.deepEqual(found.targets(), [
    { __address__: 'a:1', __meta_url: url, env: 'prod' },
    { __address__: 'b:1', __meta_url: url, env: 'prod' },
    { __address__: 'c:1', __meta_url: url },
  ]);
  assert.deepEqual(
    found.session.groups.map(({ source }) => source),
    [`${url}:0`, `${url}:1`],
  );
  assert.equal(headers['x-prometheus-refresh-interval-seconds'], '30');
  assert.equal(headers.accept, 'application/json');
  assert.equal(headers['user-agent'], 'Narthex/test');
  assert.equal(headers.authorization, 'Basic dTpw');
});

const refused: [name: string, answer: (response: ServerResponse) => void, error: RegExp][] = [
  [
    'another status',
    (response) => sendJson(response, [], 500),
    /server returned HTTP status 500 Internal Server Error/,
  ],
  ['no content', (response) => response.writeHead(204).end(), /server returned HTTP status 204 No Content/],
  [
    'another type',
    (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('[]'),
    /unsupported content type/,
  ],
  ['no type', (response) => response.writeHead(200).end('[]'), /unsupported content type/],
  ['no JSON', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('[{'), /JSON/],
  ['no list', (response) => sendJson(response, { targets: ['x'] }), /cannot unmarshal object/],
  ['a hole', (response) => sendJson(response, [null]), /nil target group item found \(index 0\)/],
  [
    'half of it',
    (response) => response.writeHead(200, { 'content-length': '99' }).write('[]', () => response.destroy()),
    /EOF|reset/,
  ],
];

for (const [name, answer, error] of refused) {
  test(`an answer that is ${name} keeps the targets there were`, async () => {
    let asked = 0;
    const server = await serve((_, response) => (asked++ === 0 ? sendJson(response, LIST) : answer(response)));
    const found = discover(`http_sd_configs: [{url: '${server.url}', refresh_interval: 400ms}]`);
    await eventually(async () => assert.ok(found.errors.length > 0), 10_000);
    assert.match(found.errors[0]!, error);
    assert.deepEqual(found.addresses(), ['a:1', 'b:1', 'c:1']);
    assert.ok(found.metrics.refreshFailures.with('http', 'x').value > 0);
    assert.ok(found.metrics.httpFailures.value > 0);
    await found.end();
  });
}

test('an empty list means no targets; a slow answer is waited for no longer than an interval', async () => {
  let asked = 0;
  const server = await serve((_, response) => {
    asked++;
    if (asked === 1) sendJson(response, LIST);
    else if (asked > 2) sendJson(response, []);
  });
  const found = discover(`http_sd_configs: [{url: '${server.url}', refresh_interval: 400ms}]`);
  await found.next();
  assert.equal(found.addresses().length, 3);
  await eventually(async () => assert.deepEqual(found.addresses(), []), 10_000);
  assert.match(found.errors[0]!, /context deadline exceeded/);
  await found.end();
  const before = server.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(server.requests.length, before, 'nobody asks after the end');
});
