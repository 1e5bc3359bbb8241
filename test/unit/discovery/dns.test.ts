// Targets that name servers know.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DnsRecord, RecordType } from '../../../src/base/dns.js';
import { parseResolvConf, searchNames } from '../../../src/discovery/kinds/dns.js';
import { discover, endAll } from '../../support/discovery.js';
import { eventually } from '../../support/servers.js';
import { SimDisk } from '../../support/sim-disk.js';

after(endAll);

type Zone = Record<string, readonly DnsRecord[] | Error>;

/** A resolver that knows some names, as `TYPE name`. */
function knowing(zone: Zone) {
  const asked: string[] = [];
  return {
    asked,
    async lookup(name: string, type: RecordType): Promise<readonly DnsRecord[]> {
      asked.push(`${type} ${name}`);
      const answer = zone[`${type} ${name}`] ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

const kinds: [section: string, zone: Zone, want: Record<string, string>[]][] = [
  [
    'names: [_m._tcp.x.org]',
    {
      'SRV _m._tcp.x.org': [
        { host: 'a.x.org', port: 90 },
        { host: 'b.x.org', port: 91 },
      ],
    },
    [
      { __address__: 'a.x.org:90', __meta_dns_srv_record_target: 'a.x.org.', __meta_dns_srv_record_port: '90' },
      { __address__: 'b.x.org:91', __meta_dns_srv_record_target: 'b.x.org.', __meta_dns_srv_record_port: '91' },
    ],
  ],
  [
    'names: [_m._tcp.x.org], type: a, port: 9',
    { 'A _m._tcp.x.org': [{ host: '10.0.0.1' }] },
    [{ __address__: '10.0.0.1:9' }],
  ],
  [
    'names: [_m._tcp.x.org], type: AAAA, port: 9',
    { 'AAAA _m._tcp.x.org': [{ host: '::1' }] },
    [{ __address__: '[::1]:9' }],
  ],
  [
    'names: [_m._tcp.x.org], type: MX, port: 25',
    { 'MX _m._tcp.x.org': [{ host: 'mail.x.org' }] },
    [{ __address__: 'mail.x.org:25', __meta_dns_mx_record_target: 'mail.x.org.' }],
  ],
  [
    'names: [_m._tcp.x.org], type: NS, port: 53',
    { 'NS _m._tcp.x.org': [{ host: 'ns.x.org' }] },
    [{ __address__: 'ns.x.org:53', __meta_dns_ns_record_target: 'ns.x.org.' }],
  ],
  ['names: [_m._tcp.x.org]', {}, []],
];

for (const [section, zone, want] of kinds) {
  test(`dns_sd: ${section}, ${Object.keys(zone)}`, async () => {
    const found = discover(`dns_sd_configs: [{${section}}]`, { resolver: knowing(zone), disk: new SimDisk() });
    await found.next();
    assert.deepEqual(
      found.targets(),
      want.map((target) => ({ __meta_dns_name: '_m._tcp.x.org', ...target })),
    );
  });
}

test('a name that nobody can be asked about keeps its targets, the others go on', async () => {
  const zone: Zone = { 'A a': [{ host: '10.0.0.1' }], 'A b': [{ host: '10.0.0.2' }] };
  const found = discover('dns_sd_configs: [{names: [a, b], type: A, port: 1, refresh_interval: 10ms}]', {
    resolver: knowing(zone),
    disk: new SimDisk(),
  });
  await found.next();
  zone['A a'] = new Error('queryA ESERVFAIL a');
  zone['A b'] = [{ host: '10.0.0.3' }];
  await eventually(async () => assert.deepEqual(found.addresses(), ['10.0.0.1:1', '10.0.0.3:1']), 10_000);
  await eventually(async () => assert.ok(found.metrics.dnsLookupFailures.value > 0), 10_000);
  assert.match(found.errors[0]!, /could not resolve .*ESERVFAIL/);
  zone['A a'] = [];
  await eventually(async () => assert.deepEqual(found.addresses(), ['10.0.0.3:1']), 10_000);
  await found.end();
});

const searches: [name: string, conf: string, want: string[]][] = [
  ['a', '', ['a']],
  ['a', 'search x.org y.org.', ['a.x.org', 'a.y.org', 'a']],
  ['a.b', 'search x.org', ['a.b', 'a.b.x.org']],
  ['a.b', 'search x.org\noptions ndots:2 timeout:1', ['a.b.x.org', 'a.b']],
  ['a.', 'search x.org', ['a']],
  ['a', 'domain x.org # here\nnameserver 127.0.0.1', ['a.x.org', 'a']],
  ['a', 'search x.org\ndomain y.org', ['a.y.org', 'a']],
  ['a', '# search x.org\n; search y.org', ['a']],
];

for (const [name, conf, want] of searches) {
  test(`search list: ${name} with ${JSON.stringify(conf)}`, () => {
    assert.deepEqual(searchNames(name, parseResolvConf(conf)), want);
  });
}
