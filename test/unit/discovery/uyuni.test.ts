// Uyuni, and XML-RPC: calls as they are written, answers as trees, faults, and tokens that are given anew.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { methodCall, methodResponse } from '../../../src/discovery/xmlrpc.js';
import { discover, endAll } from '../../support/discovery.js';
import { type Asked, replay, testReplay } from '../../support/replay.js';
import { eventually } from '../../support/servers.js';

after(endAll);

test('a call', () => {
  assert.equal(
    methodCall('a.b', ['x<&>', 7, ['y', 8]]),
    '<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>a.b</methodName><params>' +
      '<param><value><string>x&#60;&#38;&#62;</string></value></param><param><value><int>7</int></value></param>' +
      '<param><value><array><data><value><string>y</string></value><value><int>8</int></value></data></array></value></param>' +
      '</params></methodCall>',
  );
});

const answered = (value: string) =>
  `<?xml version="1.0"?><methodResponse><params><param><value>${value}</value></param></params></methodResponse>`;

test('answers: texts, numbers, booleans, lists, structures', () => {
  assert.equal(methodResponse(answered('plain')).text, 'plain');
  assert.equal(methodResponse(answered('<string>a&amp;b</string>')).text, 'a&b');
  assert.equal(methodResponse(answered('<string/>')).text, '');
  assert.equal(methodResponse(answered('')).text, '');
  assert.equal(methodResponse(answered('<i4>-5</i4>')).number, -5);
  assert.equal(methodResponse(answered('<boolean>1</boolean>')).isTrue, true);
  assert.equal(methodResponse(answered('<boolean>0</boolean>')).isTrue, false);
  assert.equal(methodResponse(answered('<nil/>')).exists, false);
  assert.deepEqual(methodResponse(answered('<array><data/></array>')).items, []);
  const one = '<array><data><value>a</value></data></array>';
  assert.deepEqual(methodResponse(answered(one)).texts, ['a']);
  const nested = `<struct><member><name>list</name><value>${one}</value></member><member><name>__proto__</name><value>x</value></member></struct>`;
  assert.deepEqual(methodResponse(answered(nested)).at('list').texts, ['a']);
});

test('a fault is an error; so is another document', () => {
  const fault =
    '<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>2950</int></value></member><member><name>faultString</name><value>no such user</value></member></struct></value></fault></methodResponse>';
  assert.throws(() => methodResponse(fault), /the call failed: no such user/);
  assert.throws(() => methodResponse('<html/>'), /no answer to a call/);
});

const member = (name: string, value: string) => `<member><name>${name}</name><value>${value}</value></member>`;
const struct = (members: Record<string, string | number>) =>
  `<struct>${Object.entries(members)
    .map(([name, value]) => member(name, typeof value === 'number' ? `<i4>${value}</i4>` : value))
    .join('')}</struct>`;
const array = (...values: string[]) =>
  `<array><data>${values.map((value) => `<value>${value}</value>`).join('')}</data></array>`;

function uyuni({ path, body, method }: Asked): unknown {
  if (method !== 'POST' || path !== '/base/rpc/api') return undefined;
  const name = /<methodName>(.*?)<\/methodName>/.exec(body)?.[1];
  if (name === 'auth.login') {
    assert.match(body, /<string>me<\/string>.*<string>p&#38;w<\/string>.*<int>600<\/int>/);
    return answered('<string>token</string>');
  }
  assert.match(body, /<string>token<\/string>/);
  switch (name) {
    case 'system.listSystemGroupsForSystemsWithEntitlement':
      assert.match(body, /<string>monitoring_entitled<\/string>/);
      return answered(
        array(
          struct({ id: 1, system_groups: array(struct({ id: 7, name: 'g1' }), struct({ id: 8, name: 'g2' })) }),
          struct({ id: 2, system_groups: array() }),
        ),
      );
    case 'system.monitoring.listEndpoints':
      assert.match(body, /<data><value><int>1<\/int><\/value><value><int>2<\/int><\/value><\/data>/);
      return answered(
        array(
          struct({
            system_id: 1,
            endpoint_name: 'node',
            port: 9100,
            path: '/metrics',
            module: '',
            exporter_name: 'node_exporter',
            tls_enabled: '<boolean>0</boolean>',
          }),
          struct({
            system_id: 2,
            endpoint_name: 'pg',
            port: 9999,
            path: '/proxy',
            module: 'postgres',
            exporter_name: 'postgres_exporter',
            tls_enabled: '<boolean>1</boolean>',
          }),
        ),
      );
    case 'system.getNetworkForSystems':
      return answered(
        array(
          struct({ system_id: 1, hostname: 'a.local', primary_fqdn: 'a.example', ip: '10.0.0.1' }),
          struct({ system_id: 2, hostname: 'b.local', primary_fqdn: 'b.example', ip: '10.0.0.2' }),
        ),
      );
    default:
      return undefined;
  }
}

testReplay({
  name: 'uyuni',
  section: 'uyuni_sd_configs: [{server: "$URL/base/", username: me, password: "p&w", separator: "|"}]',
  reply: uyuni,
  want: [
    {
      __address__: 'a.local:9100',
      __meta_uyuni_endpoint_name: 'node',
      __meta_uyuni_exporter: 'node_exporter',
      __meta_uyuni_groups: 'g1|g2',
      __meta_uyuni_metrics_path: '/metrics',
      __meta_uyuni_minion_hostname: 'a.local',
      __meta_uyuni_primary_fqdn: 'a.example',
      __meta_uyuni_scheme: 'http',
      __meta_uyuni_system_id: '1',
    },
    {
      __address__: 'b.local:9999',
      __meta_uyuni_endpoint_name: 'pg',
      __meta_uyuni_exporter: 'postgres_exporter',
      __meta_uyuni_metrics_path: '/proxy',
      __meta_uyuni_minion_hostname: 'b.local',
      __meta_uyuni_primary_fqdn: 'b.example',
      __meta_uyuni_proxy_module: 'postgres',
      __meta_uyuni_scheme: 'https',
      __meta_uyuni_system_id: '2',
    },
  ],
});

test('uyuni: a token is asked for once, and again after a failure', async () => {
  let isForgotten = false;
  const api = await replay((asked) => {
    if (asked.body.includes('auth.login')) isForgotten = false;
    return isForgotten ? '<methodResponse><fault><value>no session</value></fault></methodResponse>' : uyuni(asked);
  });
  const found = discover(
    `uyuni_sd_configs: [{server: "${api.server.url}/base", username: me, password: "p&w", refresh_interval: 1s}]`,
  );
  const logins = () => api.asked.filter(({ body }) => body.includes('auth.login')).length;
  await eventually(async () => assert.ok(api.asked.length > 10));
  assert.equal(logins(), 1);
  isForgotten = true;
  await eventually(async () => assert.equal(logins(), 2));
  assert.equal(found.targets().length, 2);
  await found.end();
});
