// A Consul catalog that is watched: long polls, indexes, services that come and go.

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { discover, endAll, serve, type TestServer } from '../../support/discovery.js';
import { eventually } from '../../support/servers.js';

after(endAll);

const INSTANCE = {
  Node: {
    Node: 'node-1',
    Address: '10.0.0.1',
    Datacenter: 'dc1',
    TaggedAddresses: { 'lan-x': '10.0.0.1' },
    Meta: { rack: 'r1' },
  },
  Service: {
    ID: 'web-1',
    Service: 'web',
    Tags: ['a', 'b'],
    Address: '10.9.0.1',
    Port: 8080,
    Meta: { version: '2' },
    Namespace: 'default',
    Partition: 'part',
  },
  Checks: [
    { CheckID: 'serfHealth', Status: 'passing' },
    { CheckID: 'http', Status: 'warning' },
  ],
};

/** Answers at once where the index is not the newest, else when something changes. */
class FakeConsul {
  readonly headers: (string | string[] | undefined)[] = [];
  server!: TestServer;
  #index = 10;
  #services: Record<string, { tags: string[]; instances: unknown[] }> = {};
  #waiting: (() => void)[] = [];
  isFailing = false;

  static async start(): Promise<FakeConsul> {
    const consul = new FakeConsul();
    consul.server = await serve((request, response) => consul.#answer(request, response));
    return consul;
  }

  set(services: Record<string, { tags: string[]; instances: unknown[] }>, index = this.#index + 1): void {
    this.#services = services;
    this.#index = index;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  /** Waiting ends without a change. */
  endWaiting(): void {
    for (const answer of this.#waiting.splice(0)) answer();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.headers.push(request.headers['x-consul-token']);
    if (this.isFailing) return void response.writeHead(500).end('rpc error');
    const url = new URL(request.url!, 'http://x');
    const send = () => {
      response.writeHead(200, { 'X-Consul-Index': String(this.#index), 'content-type': 'application/json' });
      response.end(JSON.stringify(this.#content(url.pathname)));
    };
    if (url.searchParams.get('index') !== String(this.#index)) send();
    else this.#waiting.push(send);
  }

  #content(path: string): unknown {
    if (path === '/v1/agent/self') return { Config: { Datacenter: 'dc1' } };
    if (path === '/v1/catalog/services') {
      return Object.fromEntries(Object.entries(this.#services).map(([name, { tags }]) => [name, tags]));
    }
    return this.#services[path.replace('/v1/health/service/', '')]?.instances ?? [];
  }
}

function watch(consul: FakeConsul, rest = '') {
  return discover(`consul_sd_configs: [{server: '${consul.server.url}', refresh_interval: 20ms${rest}}]`);
}

test('consul: labels of an instance', async () => {
  const consul = await FakeConsul.start();
  consul.set({ web: { tags: ['a'], instances: [INSTANCE] } });
  const found = watch(
    consul,
    ', token: secret, namespace: ns, partition: p, node_meta: {rack: r1}, health_filter: "x == 1"',
  );
  await eventually(async () => assert.equal(found.addresses().length, 1));
  assert.deepEqual(found.targets(), [
    {
      __address__: '10.9.0.1:8080',
      __meta_consul_address: '10.0.0.1',
      __meta_consul_dc: 'dc1',
      __meta_consul_health: 'warning',
      __meta_consul_metadata_rack: 'r1',
      __meta_consul_namespace: 'default',
      __meta_consul_node: 'node-1',
      __meta_consul_partition: 'part',
      __meta_consul_service: 'web',
      __meta_consul_service_address: '10.9.0.1',
      __meta_consul_service_id: 'web-1',
      __meta_consul_service_metadata_version: '2',
      __meta_consul_service_port: '8080',
      __meta_consul_tagged_address_lan_x: '10.0.0.1',
      __meta_consul_tags: ',a,b,',
    },
  ]);
  assert.ok(consul.headers.every((token) => token === 'secret'));
  assert.equal(
    consul.server.requests[1],
    'GET /v1/catalog/services?ns=ns&partition=p&node-meta=rack%3Ar1&stale=&wait=120s',
  );
  assert.equal(
    consul.server.requests[2],
    'GET /v1/health/service/web?ns=ns&partition=p&node-meta=rack%3Ar1&filter=x+%3D%3D+1&stale=&wait=120s',
  );
  await found.end();
});

const instance = (address: string, checks: unknown[] = []) => ({
  Node: { Node: 'n', Address: address },
  Service: { ID: 'i', Address: '', Port: 1, Tags: null },
  Checks: checks,
});

test('consul: services come, change and go; waiting that ends changes nothing', async () => {
  const consul = await FakeConsul.start();
  consul.set({ a: { tags: [], instances: [instance('10.0.0.1')] } });
  const found = watch(consul);
  const has = (...want: string[]) => eventually(async () => assert.deepEqual(found.addresses(), want));
  await has('10.0.0.1:1');
  consul.set({
    a: { tags: [], instances: [instance('10.0.0.1')] },
    b: { tags: [], instances: [instance('10.0.0.2')] },
  });
  await has('10.0.0.1:1', '10.0.0.2:1');
  consul.set({ b: { tags: [], instances: [instance('10.0.0.3')] } });
  await has('10.0.0.3:1');
  await eventually(async () => assert.ok(consul.waiting >= 2));
  const asked = consul.server.requests.length;
  consul.endWaiting();
  await eventually(async () => assert.ok(consul.server.requests.length > asked));
  assert.deepEqual(found.addresses(), ['10.0.0.3:1']);
  // The server was made anew: its index begins anew too.
  consul.set({ b: { tags: [], instances: [instance('10.0.0.4')] } }, 2);
  await has('10.0.0.4:1');
  consul.set({});
  await has();
  await found.end();
});

test('consul: named services are watched without the catalog, tags need it', async () => {
  const consul = await FakeConsul.start();
  consul.set({
    a: { tags: ['x', 'y'], instances: [instance('10.0.0.1')] },
    b: { tags: ['x'], instances: [instance('10.0.0.2')] },
  });
  const named = watch(consul, ', datacenter: dc9, services: [b]');
  await eventually(async () => assert.deepEqual(named.addresses(), ['10.0.0.2:1']));
  assert.ok(consul.server.requests.every((request) => request.startsWith('GET /v1/health/service/b?dc=dc9&')));
  await named.end();
  const tagged = watch(consul, ', tags: [x, y]');
  await eventually(async () => assert.deepEqual(tagged.addresses(), ['10.0.0.1:1']));
  assert.ok(consul.server.requests.some((request) => request.includes('/health/service/a?tag=x&tag=y&')));
  await tagged.end();
});

test('consul: a server that fails keeps the targets there were', async () => {
  const consul = await FakeConsul.start();
  consul.set({ a: { tags: [], instances: [instance('10.0.0.1')] } });
  const found = watch(consul);
  await eventually(async () => assert.deepEqual(found.addresses(), ['10.0.0.1:1']));
  await eventually(async () => assert.ok(consul.waiting >= 2));
  consul.isFailing = true;
  consul.endWaiting();
  await eventually(async () => assert.ok(found.metrics.consulFailures.value >= 1));
  assert.match(found.errors[0]!, /500 Internal Server Error: rpc error/);
  assert.deepEqual(found.addresses(), ['10.0.0.1:1']);
  await found.end();
});

const healths: [checks: [id: string, status: string][], want: string][] = [
  [[], 'passing'],
  [[['a', 'passing']], 'passing'],
  [
    [
      ['a', 'warning'],
      ['b', 'passing'],
    ],
    'warning',
  ],
  [
    [
      ['a', 'critical'],
      ['b', 'warning'],
    ],
    'critical',
  ],
  [
    [
      ['a', 'passing'],
      ['_node_maintenance', 'critical'],
    ],
    'maintenance',
  ],
  [[['_service_maintenance:x', 'critical']], 'maintenance'],
];

for (const [checks, want] of healths) {
  test(`consul: ${JSON.stringify(checks)} is ${want}`, async () => {
    const consul = await FakeConsul.start();
    const given = checks.map(([CheckID, Status]) => ({ CheckID, Status }));
    consul.set({ a: { tags: [], instances: [instance('10.0.0.1', given)] } });
    const found = watch(consul);
    await eventually(async () => assert.equal(found.targets()[0]?.__meta_consul_health, want));
    assert.equal(found.targets()[0]!.__meta_consul_tags, ',,');
    await found.end();
  });
}
