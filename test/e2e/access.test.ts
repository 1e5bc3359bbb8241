// The whole server behind a web configuration file: TLS, users, a self-scrape with credentials, and no secret anywhere.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { eventually, freePort, startNarthex } from '../support/servers.js';
import { readTestdata, testdata } from '../support/testdata.js';

/** `dave123` */
const HASH = '$2b$04$FqGG3yvK141.sPGKZ1v62.xRfMqSE0/tTGhQ8tFOyCazI7PxO26ki';
const PASSWORD = 'dave123';
const KEY_LINE = readTestdata('tls/server.key').split('\n')[1]!;

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(port: number, path: string, login = `dave:${PASSWORD}`): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path,
      ca: readTestdata('tls/ca.crt'),
      auth: login,
    };
    request(options, (answer) => {
      let body = '';
      answer.on('data', (piece) => (body += piece));
      answer.on('end', () => resolve({ status: answer.statusCode!, body }));
    })
      .on('error', reject)
      .end();
  });
}

test('TLS and users in front of everything, and the server scrapes itself through them', async () => {
  const folder = emptyFolder();
  const webFile = join(folder, 'web.yml');
  const keyText = readTestdata('tls/server.key');
  const section = { cert_file: testdata('tls/server.crt'), key: keyText };
  const write = (users: object) =>
    writeFileSync(webFile, JSON.stringify({ tls_server_config: section, basic_auth_users: users }));
  write({ dave: HASH });
  const port = await freePort();
  const config = `
scrape_configs:
  - job_name: self
    scrape_interval: 1s
    scheme: https
    basic_auth: {username: dave, password: ${PASSWORD}}
    tls_config: {ca_file: ${testdata('tls/ca.crt')}, server_name: localhost}
    static_configs: [{targets: ['127.0.0.1:${port}']}]
`;
  const isReady = () => ask(port, '/-/ready').then(({ status }) => status === 200);
  const server = await startNarthex({ config, port, isReady, flags: [`--web.config.file=${webFile}`] });
  try {
    await eventually(async () => {
      const { body } = await ask(port, '/api/v1/query?query=up');
      assert.equal(JSON.parse(body).data.result[0]?.value[1], '1');
    });
    const paths = [
      '/',
      '/metrics',
      '/federate?match[]=up',
      '/-/healthy',
      '/-/ready',
      '/api/v1/status/walreplay',
      '/nowhere',
    ];
    for (const path of paths) {
      for (const login of ['dave:wrong', 'eve:dave123', ':'])
        assert.equal((await ask(port, path, login)).status, 401, path);
      assert.notEqual((await ask(port, path)).status, 401, path);
    }
    const shown = ['config', 'flags', 'runtimeinfo'].map((page) => ask(port, `/api/v1/status/${page}`));
    const bodies = (await Promise.all([...shown, ask(port, '/metrics'), ask(port, '/')])).map(({ body }) => body);
    write({ dave: 'canary' });
    await eventually(async () => {
      assert.match((await ask(port, '/metrics')).body, /^narthex_web_config_last_reload_successful 0$/m);
    });
    write({ eve: HASH });
    await eventually(async () => assert.equal((await ask(port, '/-/healthy', `eve:${PASSWORD}`)).status, 200));
    assert.equal((await ask(port, '/-/healthy')).status, 401, 'what is remembered ends with the user');
    const everything = [...bodies, server.log()].join('\n');
    for (const secret of [PASSWORD, HASH.slice(7), KEY_LINE, 'canary']) assert.ok(!everything.includes(secret), secret);
  } finally {
    await server.stop();
  }
});

test('a bad web configuration file refuses the start, with the reason', async () => {
  const webFile = join(emptyFolder(), 'web.yml');
  writeFileSync(webFile, 'tls_server_config:\n  cert_fil: x\n');
  await assert.rejects(startNarthex({ flags: [`--web.config.file=${webFile}`] }), /line 2: field cert_fil not found/);
});
