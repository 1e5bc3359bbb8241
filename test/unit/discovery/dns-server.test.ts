// DNS discovery beside a real name server, BIND: every type of record, zones that change, a server that dies and returns.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dnsResolver, type RecordType, type Resolver } from '../../../src/base/dns.js';
import { debianProgram, noServer, type Running, startProgram } from '../../support/debian.js';
import { type Discovering, discover, endAll } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { eventually, freePort } from '../../support/servers.js';

const NAMED = debianProgram('named');
const options = { skip: NAMED === undefined && noServer('BIND') };

const folder = emptyFolder();
const MANY = Array.from({ length: 90 }, (_, index) => `10.9.0.${index}`);
let serial = 1;
let port = 0;
let server: Running | undefined;
let resolver: Resolver;

before(async () => {
  if (NAMED === undefined) return;
  port = await freePort();
  writeFileSync(
    join(folder, 'named.conf'),
    `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none;
  session-keyfile none; recursion no; dnssec-validation no; empty-zones-enable no; notify no; };
controls {};
zone "x.test" { type primary; file "x.test.zone"; };
zone "broken.test" { type primary; file "none.zone"; };
`,
  );
  zone('');
  resolver = dnsResolver([`127.0.0.1:${port}`]);
  await start();
});

after(async () => {
  await endAll();
  await server?.kill();
});

/** What the zone has, beside what it always has. */
function zone(more: string): void {
  writeFileSync(
    join(folder, 'x.test.zone'),
    `$TTL 0
@ IN SOA ns1 admin ${serial++} 60 60 60 60
@ IN NS ns1
@ IN NS ns2.else.where.
@ IN MX 10 mail
@ IN MX 20 mail.else.where.
ns1 IN A 127.0.0.1
mail IN A 10.0.0.25
a IN A 10.0.0.1
a IN AAAA fd00::1
both IN A 10.0.0.2
both IN A 10.0.0.3
alias IN CNAME both
_m._tcp IN SRV 0 5 9100 a
_m._tcp IN SRV 1 5 9101 b.else.where.
*.wild IN A 10.0.0.4
${MANY.map((address) => `many IN A ${address}`).join('\n')}
${more}
`,
  );
  server?.signal('SIGHUP');
}

async function start(): Promise<void> {
  server = startProgram(NAMED!, ['-g', '-c', join(folder, 'named.conf'), '-n', '1']);
  await eventually(async () => {
    const records = await resolver.lookup('a.x.test', 'A').catch((error) => error.message);
    assert.equal(records.length, 1, `${records} ${server!.log()}`);
  }, 20_000);
}

const lookups: [name: string, type: RecordType, want: string[]][] = [
  ['a.x.test', 'A', ['10.0.0.1']],
  ['a.x.test', 'AAAA', ['fd00::1']],
  ['both.x.test', 'A', ['10.0.0.2', '10.0.0.3']],
  ['alias.x.test', 'A', ['10.0.0.2', '10.0.0.3']],
  ['any.wild.x.test', 'A', ['10.0.0.4']],
  ['_m._tcp.x.test', 'SRV', ['a.x.test:9100', 'b.else.where:9101']],
  ['x.test', 'MX', ['mail.x.test', 'mail.else.where']],
  ['x.test', 'NS', ['ns1.x.test', 'ns2.else.where']],
  ['nobody.x.test', 'A', []],
  ['a.x.test', 'MX', []],
  // Over UDP it is cut, so it comes over TCP.
  ['many.x.test', 'A', MANY],
];

for (const [name, type, want] of lookups) {
  test(`${type} ${name}`, options, async () => {
    const records = await resolver.lookup(name, type);
    const got = records.map(({ host, port: own }) => (own === undefined ? host : `${host}:${own}`));
    assert.deepEqual(got.sort(), [...want].sort());
  });
}

for (const name of ['x.broken.test', 'x.elsewhere']) {
  test(
    `${name}, of a zone that the server cannot or will not tell of, is a failure and not nothing`,
    options,
    async () => {
      await assert.rejects(resolver.lookup(name, 'A'));
    },
  );
}

const section = (names: string, more = '') =>
  discover(`dns_sd_configs: [{names: [${names}], refresh_interval: 200ms${more}}]`, { resolver });

const has = (found: Discovering, ...want: string[]) =>
  eventually(async () => assert.deepEqual(found.addresses(), want, found.errors.at(-1)), 30_000);

test('targets of every type, with its labels', options, async () => {
  const srv = section('_m._tcp.x.test');
  await has(srv, 'a.x.test:9100', 'b.else.where:9101');
  assert.deepEqual(srv.targets()[0], {
    __address__: 'a.x.test:9100',
    __meta_dns_name: '_m._tcp.x.test',
    __meta_dns_srv_record_port: '9100',
    __meta_dns_srv_record_target: 'a.x.test.',
  });
  const v6 = section('a.x.test', ', type: AAAA, port: 9100');
  await has(v6, '[fd00::1]:9100');
  const mx = section('x.test', ', type: MX, port: 25');
  await has(mx, 'mail.else.where:25', 'mail.x.test:25');
  assert.equal(mx.targets()[1]!.__meta_dns_mx_record_target, 'mail.x.test.');
  const ns = section('x.test', ', type: NS, port: 53');
  await has(ns, 'ns1.x.test:53', 'ns2.else.where:53');
  assert.equal(ns.targets()[0]!.__meta_dns_ns_record_target, 'ns1.x.test.');
  for (const found of [srv, v6, mx, ns]) await found.end();
});

test('records come and go; a name that is there no more has no targets', options, async () => {
  const found = section('new.x.test, a.x.test', ', type: A, port: 1');
  await has(found, '10.0.0.1:1');
  zone('new IN A 10.5.0.1\nnew IN A 10.5.0.2');
  await has(found, '10.0.0.1:1', '10.5.0.1:1', '10.5.0.2:1');
  zone('new IN A 10.5.0.2');
  await has(found, '10.0.0.1:1', '10.5.0.2:1');
  zone('');
  await has(found, '10.0.0.1:1');
  await found.end();
});

test('the server dies, its targets stay; it returns, and what changed meanwhile is known', options, async () => {
  zone('dies IN A 10.6.0.1');
  const found = section('dies.x.test', ', type: A, port: 1');
  await has(found, '10.6.0.1:1');
  await server!.kill();
  const failures = found.metrics.dnsLookupFailures.value;
  await eventually(async () => assert.ok(found.metrics.dnsLookupFailures.value > failures), 60_000);
  assert.deepEqual(found.addresses(), ['10.6.0.1:1']);
  zone('dies IN A 10.6.0.2');
  await start();
  await has(found, '10.6.0.2:1');
  await found.end();
});
