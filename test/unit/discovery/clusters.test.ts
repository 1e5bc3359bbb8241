// Marathon, Kuma, Triton, Azure, GCE and OpenStack: what is asked of each, and which labels the answers become.

import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { GoogleTokens } from '../../../src/discovery/kinds/google-tokens.js';
import { Session } from '../../../src/discovery/session.js';
import { noLog } from '../../../src/telemetry/log.js';
import { discover, endAll, sendJson, serve, testTools } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { type Asked, replay, testReplay } from '../../support/replay.js';
import { eventually } from '../../support/servers.js';

after(endAll);

// ---- Marathon

const app = (given: Record<string, unknown>) => ({
  id: '/shop/web',
  tasksRunning: 1,
  labels: { 'prometheus.io': 'yes' },
  tasks: [{ id: 't1', host: 'slave1', ports: [31000, 32000], ipAddresses: [{ ipAddress: '1.2.3.4' }] }],
  ...given,
});
const TASK = {
  __meta_marathon_app: '/shop/web',
  __meta_marathon_app_label_prometheus_io: 'yes',
  __meta_marathon_task: 't1',
};

const apps: [name: string, app: unknown, want: Record<string, string>[]][] = [
  [
    'ports of the task',
    app({ container: { docker: { image: 'web:1' } } }),
    [
      { __address__: 'slave1:31000', __meta_marathon_image: 'web:1', __meta_marathon_port_index: '0' },
      { __address__: 'slave1:32000', __meta_marathon_image: 'web:1', __meta_marathon_port_index: '1' },
    ],
  ],
  [
    'port definitions',
    app({ portDefinitions: [{ port: 1234, labels: { a: 'b' } }, { port: 0 }] }),
    [
      { __address__: 'slave1:31000', __meta_marathon_port_definition_label_a: 'b', __meta_marathon_port_index: '0' },
      { __address__: 'slave1:32000', __meta_marathon_port_index: '1' },
    ],
  ],
  [
    'port definitions that are required',
    app({ requirePorts: true, portDefinitions: [{ port: 1234 }] }),
    [{ __address__: 'slave1:1234', __meta_marathon_port_index: '0' }],
  ],
  [
    'port mappings',
    app({ container: { portMappings: [{ containerPort: 8080, hostPort: 0, labels: { m: 'n' } }] } }),
    [{ __address__: 'slave1:31000', __meta_marathon_port_index: '0', __meta_marathon_port_mapping_label_m: 'n' }],
  ],
  [
    'a network of its own',
    app({ networks: [{ mode: 'container' }], container: { portMappings: [{ containerPort: 8080 }] } }),
    [{ __address__: '1.2.3.4:8080', __meta_marathon_port_index: '0' }],
  ],
  ['nothing running', app({ tasksRunning: 0 }), []],
];

for (const [name, given, want] of apps) {
  testReplay({
    name: `marathon: ${name}`,
    section: 'marathon_sd_configs: [{servers: ["$URL/"], auth_token: dcos}]',
    reply: ({ path, query, headers }) => {
      const isAsked = path === '/v2/apps/' && query.get('embed') === 'apps.tasks';
      return isAsked && headers.authorization === 'token dcos' ? { apps: [given] } : undefined;
    },
    want: want.map((target) => ({ ...TASK, ...target })),
  });
}

// ---- Kuma

const ASSIGNMENTS = {
  version_info: 'v1',
  type_url: 'type.googleapis.com/kuma.observability.v1.MonitoringAssignment',
  nonce: 'n1',
  resources: [
    {
      mesh: 'metrics',
      service: 'prometheus',
      labels: { team: 'infra' },
      targets: [
        {
          name: 'prometheus-01',
          scheme: 'http',
          address: '10.1.4.32:9090',
          metrics_path: '/custom',
          labels: { 'kuma.io/zone': 'east' },
        },
      ],
    },
  ],
};

testReplay({
  name: 'kuma',
  section: 'kuma_sd_configs: [{server: "$URL", client_id: me, fetch_timeout: 500ms}]',
  reply: ({ path, query, body }: Asked) => {
    if (path !== '/v3/discovery:monitoringassignments' || query.get('fetch-timeout') !== '500ms') return undefined;
    return JSON.parse(body).node.id === 'me' ? ASSIGNMENTS : undefined;
  },
  want: [
    {
      __address__: '10.1.4.32:9090',
      __meta_kuma_dataplane: 'prometheus-01',
      __meta_kuma_label_kuma_io_zone: 'east',
      __meta_kuma_label_team: 'infra',
      __meta_kuma_mesh: 'metrics',
      __meta_kuma_service: 'prometheus',
      __metrics_path__: '/custom',
      __scheme__: 'http',
      instance: 'prometheus-01',
    },
  ],
});

test('kuma: the version we have is said, and nothing new changes nothing', async () => {
  const bodies: Record<string, unknown>[] = [];
  const server = await serve((_, response, body) => {
    bodies.push(JSON.parse(body));
    if (bodies.length === 1) sendJson(response, ASSIGNMENTS);
    else response.writeHead(304).end();
  });
  const found = discover(`kuma_sd_configs: [{server: '${server.url}', refresh_interval: 20ms}]`);
  await eventually(async () => assert.ok(bodies.length >= 3));
  assert.deepEqual([bodies[0]!.version_info, bodies[0]!.response_nonce], ['', '']);
  assert.deepEqual([bodies[1]!.version_info, bodies[1]!.response_nonce], ['v1', 'n1']);
  assert.deepEqual(found.addresses(), ['10.1.4.32:9090']);
  assert.ok(found.metrics.kumaSkipped.value >= 1);
  await found.end();
});

// ---- Triton

testReplay({
  name: 'triton containers',
  section: 'triton_sd_configs: [{account: a, dns_suffix: cmon.example, endpoint: cmon.example, groups: [web, db]}]',
  reply: ({ path, query }) => {
    if (path !== '/cmon.example:9163/v1/discover' || query.get('groups') !== 'web,db') return undefined;
    const container = {
      groups: ['web', 'x'],
      server_uuid: 'cn-1',
      vm_alias: 'server01',
      vm_brand: 'lx',
      vm_image_uuid: 'im-1',
      vm_uuid: 'vm-1',
    };
    return { containers: [container] };
  },
  want: [
    {
      __address__: 'vm-1.cmon.example:9163',
      __meta_triton_groups: ',web,x,',
      __meta_triton_machine_alias: 'server01',
      __meta_triton_machine_brand: 'lx',
      __meta_triton_machine_id: 'vm-1',
      __meta_triton_machine_image: 'im-1',
      __meta_triton_server_id: 'cn-1',
    },
  ],
});

testReplay({
  name: 'triton compute nodes',
  section: 'triton_sd_configs: [{account: a, role: cn, dns_suffix: s, endpoint: cmon.example, port: 1}]',
  reply: ({ path }) =>
    path === '/cmon.example:1/v1/gz/discover'
      ? { cns: [{ server_uuid: 'cn-1', server_hostname: 'host-1' }] }
      : undefined,
  want: [{ __address__: 'cn-1.s:1', __meta_triton_machine_alias: 'host-1', __meta_triton_machine_id: 'cn-1' }],
});

// ---- Azure

const MACHINES = '/management.azure.com/subscriptions/sub-1/providers/Microsoft.Compute/virtualMachines';
const SETS = '/management.azure.com/subscriptions/sub-1/providers/Microsoft.Compute/virtualMachineScaleSets';
const SET = '/subscriptions/sub-1/resourceGroups/rg-2/providers/Microsoft.Compute/virtualMachineScaleSets/set-1';
const VM = '/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.Compute/virtualMachines/vm1';

const machine = (id: string, nic: string, rest: Record<string, unknown> = {}) => ({
  id,
  name: id.split('/').at(-1),
  location: 'westeurope',
  tags: { env: 'prod', 'a b': 'c' },
  properties: {
    osProfile: { computerName: 'computer' },
    storageProfile: { osDisk: { osType: 'Linux' } },
    hardwareProfile: { vmSize: 'Standard_B1s' },
    networkProfile: { networkInterfaces: [{ id: nic }] },
  },
  ...rest,
});
const nic = (privateIPAddress: string, isPrimary = true, publicIp?: string) => ({
  properties: {
    primary: isPrimary,
    ipConfigurations: [
      {
        properties: {
          primary: true,
          privateIPAddress,
          ...(publicIp === undefined ? {} : { publicIPAddress: { properties: { ipAddress: publicIp } } }),
        },
      },
    ],
  },
});

testReplay({
  name: 'azure',
  section: 'azure_sd_configs: [{subscription_id: sub-1, tenant_id: ten-1, client_id: c, client_secret: s, port: 9100}]',
  reply: ({ path, query, headers, body }) => {
    if (path === '/login.microsoftonline.com/ten-1/oauth2/v2.0/token') {
      const form = new URLSearchParams(body);
      const isRight =
        form.get('client_secret') === 's' && form.get('scope') === 'https://management.azure.com/.default';
      return isRight ? { access_token: 'az', expires_in: 3600 } : undefined;
    }
    if (headers.authorization !== 'Bearer az') return undefined;
    switch (path) {
      case MACHINES:
        if (query.get('page') === '2') return { value: [machine(`${VM}-gone`, '/nics/gone')] };
        return { value: [machine(VM, '/nics/1')], nextLink: `https:/${MACHINES}?page=2` };
      case SETS:
        return { value: [{ id: SET, name: 'set-1' }] };
      case `/management.azure.com${SET}/virtualMachines`:
        return {
          value: [machine(`${SET}/virtualMachines/0`, '/nics/2'), machine(`${SET}/virtualMachines/1`, '/nics/3')],
        };
      case '/management.azure.com/nics/1':
        return nic('10.0.0.1', true, '1.2.3.4');
      case '/management.azure.com/nics/2':
        return query.get('api-version') === '2018-10-01' ? nic('10.0.0.2') : undefined;
      case '/management.azure.com/nics/3':
        return nic('10.0.0.3', false);
      default:
        return undefined;
    }
  },
  want: [
    {
      __address__: '10.0.0.1:9100',
      __meta_azure_machine_computer_name: 'computer',
      __meta_azure_machine_id: VM,
      __meta_azure_machine_location: 'westeurope',
      __meta_azure_machine_name: 'vm1',
      __meta_azure_machine_os_type: 'Linux',
      __meta_azure_machine_private_ip: '10.0.0.1',
      __meta_azure_machine_public_ip: '1.2.3.4',
      __meta_azure_machine_resource_group: 'rg-1',
      __meta_azure_machine_size: 'Standard_B1s',
      __meta_azure_machine_tag_a_b: 'c',
      __meta_azure_machine_tag_env: 'prod',
      __meta_azure_subscription_id: 'sub-1',
      __meta_azure_tenant_id: 'ten-1',
    },
    {
      __address__: '10.0.0.2:9100',
      __meta_azure_machine_computer_name: 'computer',
      __meta_azure_machine_id: `${SET}/virtualMachines/0`,
      __meta_azure_machine_location: 'westeurope',
      __meta_azure_machine_name: '0',
      __meta_azure_machine_os_type: 'Linux',
      __meta_azure_machine_private_ip: '10.0.0.2',
      __meta_azure_machine_resource_group: 'rg-2',
      __meta_azure_machine_scale_set: 'set-1',
      __meta_azure_machine_size: 'Standard_B1s',
      __meta_azure_machine_tag_a_b: 'c',
      __meta_azure_machine_tag_env: 'prod',
      __meta_azure_subscription_id: 'sub-1',
      __meta_azure_tenant_id: 'ten-1',
    },
  ],
});

// ---- GCE

testReplay({
  name: 'gce',
  section: 'gce_sd_configs: [{project: p1, zone: europe-west1-b, filter: "labels.x=y"}]',
  reply: ({ path, query, headers }) => {
    if (path === '/metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token') {
      return headers['metadata-flavor'] === 'Google' ? { access_token: 'g', expires_in: 3600 } : undefined;
    }
    const isAsked = path === '/compute.googleapis.com/compute/v1/projects/p1/zones/europe-west1-b/instances';
    if (!isAsked || headers.authorization !== 'Bearer g' || query.get('filter') !== 'labels.x=y') return undefined;
    if (!query.has('pageToken')) return { items: [{ id: '1', networkInterfaces: [] }], nextPageToken: 'p2' };
    const instance = {
      id: '12345678901234567890',
      name: 'web-1',
      zone: 'https://z',
      machineType: 'https://m',
      status: 'RUNNING',
      networkInterfaces: [
        {
          name: 'nic0',
          network: 'https://n',
          subnetwork: 'https://s',
          networkIP: '10.132.0.2',
          accessConfigs: [{ type: 'ONE_TO_ONE_NAT', natIP: '35.1.2.3' }],
        },
        { name: 'nic1', networkIP: '10.133.0.2' },
      ],
      tags: { items: ['a', 'b'] },
      labels: { 'team-x': 'y' },
      metadata: { items: [{ key: 'ssh-keys', value: 'k' }] },
    };
    return { items: [instance] };
  },
  want: [
    {
      __address__: '10.132.0.2:80',
      __meta_gce_instance_id: '12345678901234567890',
      __meta_gce_instance_name: 'web-1',
      __meta_gce_instance_status: 'RUNNING',
      __meta_gce_interface_ipv4_nic0: '10.132.0.2',
      __meta_gce_interface_ipv4_nic1: '10.133.0.2',
      __meta_gce_label_team_x: 'y',
      __meta_gce_machine_type: 'https://m',
      __meta_gce_metadata_ssh_keys: 'k',
      __meta_gce_network: 'https://n',
      __meta_gce_private_ip: '10.132.0.2',
      __meta_gce_project: 'p1',
      __meta_gce_public_ip: '35.1.2.3',
      __meta_gce_subnetwork: 'https://s',
      __meta_gce_tags: ',a,b,',
      __meta_gce_zone: 'https://z',
    },
  ],
});

test('gce: a service account signs for its token, a user refreshes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const api = await replay(() => ({ access_token: 'token', expires_in: 3600 }));
  const path = join(emptyFolder(), 'key.json');
  const session = new Session({ tools: testTools(), mechanism: 'gce', config: 'x', log: noLog, onAnswer: () => {} });
  const tokens = () => new GoogleTokens('scope', session, { GOOGLE_APPLICATION_CREDENTIALS: path });
  writeFileSync(
    path,
    JSON.stringify({
      type: 'service_account',
      client_email: 'me@x',
      private_key_id: 'k1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${api.server.url}/token`,
    }),
  );
  const own = tokens();
  assert.equal(await own.token(), 'token');
  assert.equal(await own.token(), 'token');
  assert.equal(api.asked.length, 1);
  const [head, claims, signature] = new URLSearchParams(api.asked[0]!.body).get('assertion')!.split('.');
  assert.ok(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature!, 'base64url'));
  const said = JSON.parse(Buffer.from(claims!, 'base64url').toString());
  assert.deepEqual([said.iss, said.scope, said.aud], ['me@x', 'scope', `${api.server.url}/token`]);

  writeFileSync(path, JSON.stringify({ type: 'authorized_user', refresh_token: 'r', token_uri: api.server.url }));
  await tokens().token();
  assert.equal(new URLSearchParams(api.asked[1]!.body).get('refresh_token'), 'r');
  writeFileSync(path, JSON.stringify({ type: 'external_account' }));
  await assert.rejects(tokens().token(), /external_account are not supported/);
});

// ---- OpenStack

const openstack = (role: string, rest = '') =>
  `openstack_sd_configs: [{role: ${role}, region: R1, identity_endpoint: "$URL/v3", username: u, password: p, domain_name: D, project_name: P, port: 9100${rest}}]`;

/** The endpoints of the catalog are rerouted like any other host. */
const TOKEN = {
  token: {
    expires_at: '2099-01-01T00:00:00Z',
    catalog: [
      {
        type: 'compute',
        endpoints: [
          { interface: 'admin', region_id: 'R1', url: 'https://admin/' },
          { interface: 'public', region_id: 'R2', url: 'https://other/' },
          { interface: 'public', region_id: 'R1', url: 'https://nova/v2.1/' },
        ],
      },
      { type: 'load-balancer', endpoints: [{ interface: 'public', region: 'R1', url: 'https://octavia' }] },
      { type: 'network', endpoints: [{ interface: 'public', region_id: 'R1', url: 'https://neutron' }] },
    ],
  },
};

const ANSWERS: Record<string, unknown> = {
  '/nova/v2.1/os-hypervisors/detail': {
    hypervisors: [
      {
        id: 1,
        hypervisor_hostname: 'nc14',
        hypervisor_type: 'QEMU',
        host_ip: '172.16.70.14',
        state: 'up',
        status: 'enabled',
      },
    ],
  },
  '/nova/v2.1/servers/detail': {
    servers: [],
    servers_links: [{ rel: 'next', href: 'https://nova/v2.1/servers/detail-2' }],
  },
  '/nova/v2.1/servers/detail-2': {
    servers: [
      {
        id: 's1',
        name: 'herp',
        status: 'ACTIVE',
        tenant_id: 'ten',
        user_id: 'usr',
        image: { id: 'im' },
        flavor: { id: '1' },
        metadata: { env: 'prod' },
        addresses: {
          private: [
            { addr: '10.0.0.32', 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': 'aa' },
            { addr: '10.10.10.2', 'OS-EXT-IPS:type': 'floating', 'OS-EXT-IPS-MAC:mac_addr': 'aa' },
            { addr: '10.0.0.33', 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': 'bb' },
          ],
        },
      },
    ],
  },
  '/octavia/v2.0/lbaas/loadbalancers': {
    loadbalancers: [
      {
        id: 'lb1',
        name: 'one',
        vip_address: '10.0.0.40',
        operating_status: 'ONLINE',
        provisioning_status: 'ACTIVE',
        availability_zone: 'az1',
        provider: 'amphora',
        project_id: 'ten',
        tags: ['a', 'b'],
      },
      { id: 'lb2', vip_address: '10.0.0.41' },
    ],
  },
  '/octavia/v2.0/lbaas/listeners': {
    listeners: [
      { protocol: 'PROMETHEUS', protocol_port: 9273, loadbalancers: [{ id: 'lb1' }] },
      { protocol: 'HTTP', protocol_port: 80, loadbalancers: [{ id: 'lb2' }] },
    ],
  },
  '/neutron/v2.0/floatingips': { floatingips: [{ fixed_ip_address: '10.0.0.40', floating_ip_address: '192.168.1.2' }] },
};

/** Answers with a header, which replays do not have. */
async function openStackServer() {
  const bodies: unknown[] = [];
  const server = await serve((request, response, body) => {
    const { pathname } = new URL(request.url!, 'http://x');
    if (pathname === '/v3/auth/tokens') {
      bodies.push(JSON.parse(body));
      response.writeHead(201, { 'X-Subject-Token': 'tok', 'content-type': 'application/json' });
      response.end(JSON.stringify(TOKEN));
    } else if (request.headers['x-auth-token'] !== 'tok') sendJson(response, {}, 401);
    else sendJson(response, ANSWERS[pathname] ?? {}, pathname in ANSWERS ? 200 : 404);
  });
  const reroute = (url: string) => (url.startsWith(server.url) ? url : url.replace(/^https?:\/\//, `${server.url}/`));
  return { server, bodies, reroute };
}

const INSTANCE = {
  __meta_openstack_address_pool: 'private',
  __meta_openstack_instance_flavor: '1',
  __meta_openstack_instance_id: 's1',
  __meta_openstack_instance_image: 'im',
  __meta_openstack_instance_name: 'herp',
  __meta_openstack_instance_status: 'ACTIVE',
  __meta_openstack_project_id: 'ten',
  __meta_openstack_tag_env: 'prod',
  __meta_openstack_user_id: 'usr',
};

const roles: [role: string, want: Record<string, string>[]][] = [
  [
    'hypervisor',
    [
      {
        __address__: '172.16.70.14:9100',
        __meta_openstack_hypervisor_host_ip: '172.16.70.14',
        __meta_openstack_hypervisor_hostname: 'nc14',
        __meta_openstack_hypervisor_id: '1',
        __meta_openstack_hypervisor_state: 'up',
        __meta_openstack_hypervisor_status: 'enabled',
        __meta_openstack_hypervisor_type: 'QEMU',
      },
    ],
  ],
  [
    'instance',
    [
      {
        __address__: '10.0.0.32:9100',
        ...INSTANCE,
        __meta_openstack_private_ip: '10.0.0.32',
        __meta_openstack_public_ip: '10.10.10.2',
      },
      { __address__: '10.0.0.33:9100', ...INSTANCE, __meta_openstack_private_ip: '10.0.0.33' },
    ],
  ],
  [
    'loadbalancer',
    [
      {
        __address__: '10.0.0.40:9273',
        __meta_openstack_loadbalancer_availability_zone: 'az1',
        __meta_openstack_loadbalancer_floating_ip: '192.168.1.2',
        __meta_openstack_loadbalancer_id: 'lb1',
        __meta_openstack_loadbalancer_name: 'one',
        __meta_openstack_loadbalancer_operating_status: 'ONLINE',
        __meta_openstack_loadbalancer_provider: 'amphora',
        __meta_openstack_loadbalancer_provisioning_status: 'ACTIVE',
        __meta_openstack_loadbalancer_tags: 'a,b',
        __meta_openstack_loadbalancer_vip: '10.0.0.40',
        __meta_openstack_project_id: 'ten',
      },
    ],
  ],
];

for (const [role, want] of roles) {
  test(`openstack: ${role}`, async () => {
    const { server, bodies, reroute } = await openStackServer();
    const found = discover(openstack(role).replaceAll('$URL', server.url), { reroute });
    await eventually(async () => assert.deepEqual(found.targets(), want, found.errors[0]));
    assert.deepEqual(bodies[0], {
      auth: {
        identity: { methods: ['password'], password: { user: { name: 'u', domain: { name: 'D' }, password: 'p' } } },
        scope: { project: { name: 'P', domain: { name: 'D' } } },
      },
    });
    await found.end();
  });
}

test('openstack: a region that is not there keeps the section from having targets, and says so', async () => {
  const { server, reroute } = await openStackServer();
  const found = discover(openstack('instance').replace('R1', 'R9').replaceAll('$URL', server.url), { reroute });
  await found.next();
  assert.match(found.errors[0]!, /no public endpoint of compute in region R9/);
  await found.end();
});
