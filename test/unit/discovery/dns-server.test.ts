// Our questions to a real name server, dnsmasq, if it is on this machine.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { dnsResolver, type RecordType, type Resolver } from '../../../src/base/dns.js';
import { discover, endAll } from '../../support/discovery.js';
import { eventually } from '../../support/servers.js';

const DNSMASQ = ['/usr/sbin/dnsmasq', '/usr/local/sbin/dnsmasq'].find(existsSync);
const options = { skip: DNSMASQ === undefined && 'SKIPPED: no dnsmasq, so no real name server was asked' };

const MANY = Array.from({ length: 60 }, (_, index) => `10.0.${index}.1`);

let server: ChildProcess | undefined;
let resolver: Resolver;

before(async () => {
  if (DNSMASQ === undefined) return;
  const port = await freeUdpPort();
  server = spawn(
    DNSMASQ,
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-hosts',
      '--no-resolv',
      '--pid-file',
      '--user=',
      `--port=${port}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      '--local=/x.test/',
      '--host-record=a.x.test,10.0.0.1,fd00::1',
      '--srv-host=_m._tcp.x.test,a.x.test,9100,0,5',
      '--srv-host=_m._tcp.x.test,b.x.test,9101,1,5',
      '--mx-host=x.test,mail.x.test,10',
      // dnsmasq has no NS records of its own but for zones it is the authority of.
      ...MANY.map((address) => `--host-record=many.x.test,${address}`),
    ],
    { stdio: 'ignore' },
  );
  resolver = dnsResolver([`127.0.0.1:${port}`]);
  await eventually(async () => assert.equal((await resolver.lookup('a.x.test', 'A')).length, 1), 10_000);
});

after(async () => {
  server?.kill();
  await endAll();
});

function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

const lookups: [name: string, type: RecordType, want: string[]][] = [
  ['a.x.test', 'A', ['10.0.0.1']],
  ['a.x.test', 'AAAA', ['fd00::1']],
  ['_m._tcp.x.test', 'SRV', ['a.x.test:9100', 'b.x.test:9101']],
  ['x.test', 'MX', ['mail.x.test']],
  ['nobody.x.test', 'A', []],
  ['a.x.test', 'MX', []],
  // Over UDP it does not fit into 512 bytes.
  ['many.x.test', 'A', MANY],
];

for (const [name, type, want] of lookups) {
  test(`${type} ${name}`, options, async () => {
    const records = await resolver.lookup(name, type);
    const got = records.map(({ host, port }) => (port === undefined ? host : `${host}:${port}`));
    assert.deepEqual(got.sort(), [...want].sort());
  });
}

test('a zone that this server refuses to know is a failure, not nothing', options, async () => {
  await assert.rejects(resolver.lookup('x.elsewhere', 'A'));
});

test('targets of SRV records, until the server dies, and after', options, async () => {
  const found = discover('dns_sd_configs: [{names: [_m._tcp.x.test], refresh_interval: 200ms}]', { resolver });
  await found.next();
  assert.deepEqual(found.addresses(), ['a.x.test:9100', 'b.x.test:9101']);
  server!.kill();
  await eventually(async () => assert.ok(found.metrics.dnsLookupFailures.value > 0), 60_000);
  assert.deepEqual(found.addresses(), ['a.x.test:9100', 'b.x.test:9101']);
  await found.end();
});
