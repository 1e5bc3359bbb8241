// Mechanisms that ask an API again and again: what they ask, and which labels its answers become.
// The answers are shortened from the documentation of each API.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { discover, endAll, sendJson } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { testReplay } from '../../support/replay.js';

after(endAll);

const NETWORKS = [
  { Id: 'net-a', Name: 'alpha', Scope: 'local', Internal: false, Ingress: false, Labels: { 'com.x': 'y' } },
  { Id: 'net-b', Name: 'beta', Scope: 'swarm', Internal: true, Ingress: true, Labels: {} },
];

const CONTAINERS = [
  {
    Id: 'c1',
    Names: ['/web'],
    Image: 'web:1',
    ImageID: 'sha256:1',
    Labels: { 'com.docker/project': 'shop' },
    HostConfig: { NetworkMode: 'alpha' },
    Ports: [
      { PrivatePort: 80, Type: 'tcp' },
      { IP: '0.0.0.0', PrivatePort: 9100, PublicPort: 32000, Type: 'tcp' },
      { PrivatePort: 53, Type: 'udp' },
    ],
    NetworkSettings: {
      Networks: {
        beta: { NetworkID: 'net-b', IPAddress: '10.2.0.2' },
        alpha: { NetworkID: 'net-a', IPAddress: '10.1.0.2' },
      },
    },
  },
  {
    Id: 'c2',
    Names: ['/host'],
    Labels: {},
    HostConfig: { NetworkMode: 'host' },
    Ports: [],
    NetworkSettings: { Networks: { host: { NetworkID: 'net-h', IPAddress: '' } } },
  },
  {
    Id: 'c3',
    Names: ['/beside'],
    Labels: {},
    HostConfig: { NetworkMode: 'container:c1' },
    Ports: [],
    NetworkSettings: { Networks: {} },
  },
  {
    Id: 'c4',
    Names: ['/v6'],
    Labels: {},
    HostConfig: { NetworkMode: 'beta' },
    Ports: [{ PrivatePort: 1, Type: 'tcp' }],
    NetworkSettings: { Networks: { beta: { NetworkID: 'net-b', IPAddress: '', GlobalIPv6Address: 'fd00::4' } } },
  },
  { Id: 'c5', Names: [], Labels: {}, HostConfig: { NetworkMode: 'beta' }, Ports: [], NetworkSettings: {} },
];

const WEB = {
  __meta_docker_container_id: 'c1',
  __meta_docker_container_image: 'web:1',
  __meta_docker_container_image_id: 'sha256:1',
  __meta_docker_container_label_com_docker_project: 'shop',
  __meta_docker_container_name: '/web',
  __meta_docker_container_network_mode: 'alpha',
};
const ALPHA = {
  __meta_docker_network_id: 'net-a',
  __meta_docker_network_ingress: 'false',
  __meta_docker_network_internal: 'false',
  __meta_docker_network_ip: '10.1.0.2',
  __meta_docker_network_label_com_x: 'y',
  __meta_docker_network_name: 'alpha',
  __meta_docker_network_scope: 'local',
};
const BETA = {
  __meta_docker_network_id: 'net-b',
  __meta_docker_network_ingress: 'true',
  __meta_docker_network_internal: 'true',
  __meta_docker_network_name: 'beta',
  __meta_docker_network_scope: 'swarm',
};

const docker = (path: string) =>
  ({ '/networks': NETWORKS, '/containers/json': CONTAINERS })[path as '/networks'] as unknown;

testReplay({
  name: 'docker',
  section: 'docker_sd_configs: [{host: "$URL", port: 8080, filters: [{name: label, values: [a=b, c]}]}]',
  reply: ({ path }) => docker(path),
  want: [
    {
      __address__: '10.1.0.2:80',
      ...WEB,
      ...ALPHA,
      __meta_docker_port_private: '80',
    },
    {
      __address__: '10.1.0.2:8080',
      ...ALPHA,
      __meta_docker_container_id: 'c3',
      __meta_docker_container_name: '/beside',
      __meta_docker_container_network_mode: 'container:c1',
    },
    {
      __address__: '10.1.0.2:9100',
      ...WEB,
      ...ALPHA,
      __meta_docker_port_private: '9100',
      __meta_docker_port_public: '32000',
      __meta_docker_port_public_ip: '0.0.0.0',
    },
    {
      __address__: '[fd00::4]:1',
      ...BETA,
      __meta_docker_container_id: 'c4',
      __meta_docker_container_name: '/v6',
      __meta_docker_container_network_mode: 'beta',
      __meta_docker_network_ip: 'fd00::4',
      __meta_docker_port_private: '1',
    },
    {
      __address__: 'localhost',
      __meta_docker_container_id: 'c2',
      __meta_docker_container_name: '/host',
      __meta_docker_container_network_mode: 'host',
    },
  ],
  check: (asked) =>
    assert.equal(
      asked.find(({ path }) => path === '/containers/json')!.query.get('filters'),
      '{"label":{"a=b":true,"c":true}}',
    ),
});

test('docker: all networks where asked for, over a unix socket', async () => {
  const path = join(emptyFolder(), 'docker.sock');
  const server = createServer((request, response) => sendJson(response, docker(request.url!)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const found = discover(`docker_sd_configs: [{host: 'unix://${path}', match_first_network: false}]`);
  await found.next();
  assert.deepEqual(found.addresses(), [
    '10.1.0.2:80',
    '10.1.0.2:80',
    '10.1.0.2:9100',
    '10.2.0.2:80',
    '10.2.0.2:80',
    '10.2.0.2:9100',
    '[fd00::4]:1',
    'localhost',
  ]);
  await found.end();
  server.close();
});

const NODES = [
  {
    ID: 'n1',
    Spec: { Role: 'manager', Availability: 'active', Labels: { zone: 'a' } },
    Description: {
      Hostname: 'host-1',
      Platform: { Architecture: 'x86_64', OS: 'linux' },
      Engine: { EngineVersion: '27.0' },
    },
    Status: { State: 'ready', Addr: '10.0.0.1' },
    ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: '10.0.0.1:2377' },
  },
];
const SERVICES = [
  {
    ID: 's1',
    Spec: {
      Name: 'web',
      Labels: { team: 'a' },
      Mode: { Replicated: { Replicas: 1 } },
      TaskTemplate: { ContainerSpec: { Image: 'web:1', Hostname: 'w' } },
    },
    UpdateStatus: { State: 'completed' },
    Endpoint: {
      Ports: [{ Name: 'http', Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }],
      VirtualIPs: [{ NetworkID: 'net-b', Addr: '10.0.9.2/24' }],
    },
  },
  {
    ID: 's2',
    Spec: { Name: 'quiet', Labels: {}, Mode: { Global: {} }, TaskTemplate: {} },
    Endpoint: { VirtualIPs: [{ NetworkID: 'net-x', Addr: '10.0.9.4/24' }] },
  },
];
const TASKS = [
  {
    ID: 't1',
    ServiceID: 's1',
    NodeID: 'n1',
    Slot: 2,
    DesiredState: 'running',
    Spec: { ContainerSpec: { Labels: { own: 'label' } } },
    Status: {
      State: 'running',
      ContainerStatus: { ContainerID: 'c9' },
      PortStatus: { Ports: [{ Protocol: 'tcp', PublishedPort: 9323, PublishMode: 'host' }] },
    },
    NetworksAttachments: [{ Network: { ID: 'net-b' }, Addresses: ['10.0.9.3/24'] }],
  },
];
const swarm = (path: string) =>
  ({ '/networks': NETWORKS, '/nodes': NODES, '/services': SERVICES, '/tasks': TASKS })[path as '/nodes'] as unknown;

const SWARM_NODE = {
  __meta_dockerswarm_node_address: '10.0.0.1',
  __meta_dockerswarm_node_availability: 'active',
  __meta_dockerswarm_node_engine_version: '27.0',
  __meta_dockerswarm_node_hostname: 'host-1',
  __meta_dockerswarm_node_id: 'n1',
  __meta_dockerswarm_node_label_zone: 'a',
  __meta_dockerswarm_node_manager_address: '10.0.0.1:2377',
  __meta_dockerswarm_node_manager_leader: 'true',
  __meta_dockerswarm_node_manager_reachability: 'reachable',
  __meta_dockerswarm_node_platform_architecture: 'x86_64',
  __meta_dockerswarm_node_platform_os: 'linux',
  __meta_dockerswarm_node_role: 'manager',
  __meta_dockerswarm_node_status: 'ready',
};
const SWARM_NETWORK = {
  __meta_dockerswarm_network_id: 'net-b',
  __meta_dockerswarm_network_ingress: 'true',
  __meta_dockerswarm_network_internal: 'true',
  __meta_dockerswarm_network_name: 'beta',
  __meta_dockerswarm_network_scope: 'swarm',
};
const SWARM_SERVICE = {
  __meta_dockerswarm_service_id: 's1',
  __meta_dockerswarm_service_label_team: 'a',
  __meta_dockerswarm_service_mode: 'replicated',
  __meta_dockerswarm_service_name: 'web',
};
const SWARM_TASK = {
  __meta_dockerswarm_container_label_own: 'label',
  ...SWARM_NODE,
  ...SWARM_SERVICE,
  __meta_dockerswarm_task_container_id: 'c9',
  __meta_dockerswarm_task_desired_state: 'running',
  __meta_dockerswarm_task_id: 't1',
  __meta_dockerswarm_task_slot: '2',
  __meta_dockerswarm_task_state: 'running',
};

testReplay({
  name: 'dockerswarm nodes',
  section: 'dockerswarm_sd_configs: [{host: "$URL", role: nodes}]',
  reply: ({ path }) => swarm(path),
  want: [{ __address__: '10.0.0.1:80', ...SWARM_NODE }],
});

testReplay({
  name: 'dockerswarm services',
  section: 'dockerswarm_sd_configs: [{host: "$URL", role: services, port: 81}]',
  reply: ({ path }) => swarm(path),
  want: [
    {
      __address__: '10.0.9.2:8080',
      ...SWARM_NETWORK,
      ...SWARM_SERVICE,
      __meta_dockerswarm_service_endpoint_port_name: 'http',
      __meta_dockerswarm_service_endpoint_port_publish_mode: 'ingress',
      __meta_dockerswarm_service_task_container_hostname: 'w',
      __meta_dockerswarm_service_task_container_image: 'web:1',
      __meta_dockerswarm_service_updating_status: 'completed',
    },
    {
      __address__: '10.0.9.4:81',
      __meta_dockerswarm_service_id: 's2',
      __meta_dockerswarm_service_mode: 'global',
      __meta_dockerswarm_service_name: 'quiet',
    },
  ],
});

testReplay({
  name: 'dockerswarm tasks',
  section: 'dockerswarm_sd_configs: [{host: "$URL", role: tasks}]',
  reply: ({ path }) => swarm(path),
  want: [
    { __address__: '10.0.0.1:9323', ...SWARM_TASK, __meta_dockerswarm_task_port_publish_mode: 'host' },
    {
      __address__: '10.0.9.3:8080',
      ...SWARM_TASK,
      ...SWARM_NETWORK,
      __meta_dockerswarm_task_port_publish_mode: 'ingress',
    },
  ],
});

testReplay({
  name: 'nomad',
  section: 'nomad_sd_configs: [{server: "$URL", namespace: "*"}]',
  reply: ({ path, query }) => {
    if (path === '/v1/services' && query.get('namespace') === '*') {
      return [{ Namespace: 'default', Services: [{ ServiceName: 'web one', Tags: ['a'] }] }];
    }
    if (path !== '/v1/service/web%20one' || query.get('namespace') !== 'default') return undefined;
    return [
      {
        ID: '_nomad-1',
        ServiceName: 'web one',
        Namespace: 'default',
        NodeID: 'node-1',
        Datacenter: 'dc1',
        Tags: ['a', 'b'],
        Address: '10.0.0.5',
        Port: 8080,
      },
    ];
  },
  want: [
    {
      __address__: '10.0.0.5:8080',
      __meta_nomad_address: '10.0.0.5',
      __meta_nomad_dc: 'dc1',
      __meta_nomad_namespace: 'default',
      __meta_nomad_node_id: 'node-1',
      __meta_nomad_service: 'web one',
      __meta_nomad_service_address: '10.0.0.5:8080',
      __meta_nomad_service_id: '_nomad-1',
      __meta_nomad_service_port: '8080',
      __meta_nomad_tags: ',a,b,',
    },
  ],
  check: ([first]) => assert.equal(String(first!.query), 'namespace=*&region=global&stale='),
});

testReplay({
  name: 'eureka',
  section: 'eureka_sd_configs: [{server: "$URL/eureka"}]',
  reply: ({ path }) =>
    path !== '/eureka/apps'
      ? undefined
      : `<?xml version="1.0"?>
<applications><versions__delta>1</versions__delta>
  <application><name>SHOP &amp; CO</name>
    <instance><instanceId>i1</instanceId><hostName>shop.local</hostName><app>SHOP</app><ipAddr>10.0.0.1</ipAddr>
      <status>UP</status><port enabled="true">8080</port><securePort enabled="false">443</securePort><countryId>1</countryId>
      <dataCenterInfo class="x"><name>MyOwn</name><metadata><zone>a</zone></metadata></dataCenterInfo>
      <metadata class="y"><management.port>9</management.port></metadata>
      <homePageUrl>http://h/</homePageUrl><vipAddress>shop</vipAddress></instance>
    <instance><instanceId>i2</instanceId><hostName>plain.local</hostName></instance>
  </application>
  <application><name>EMPTY</name></application>
</applications>`,
  want: [
    {
      __address__: 'plain.local:80',
      __meta_eureka_app_instance_hostname: 'plain.local',
      __meta_eureka_app_instance_id: 'i2',
      __meta_eureka_app_name: 'SHOP & CO',
      instance: 'i2',
    },
    {
      __address__: 'shop.local:8080',
      __meta_eureka_app_instance_country_id: '1',
      __meta_eureka_app_instance_datacenterinfo_name: 'MyOwn',
      __meta_eureka_app_instance_datacenterinfo_zone: 'a',
      __meta_eureka_app_instance_homepage_url: 'http://h/',
      __meta_eureka_app_instance_hostname: 'shop.local',
      __meta_eureka_app_instance_id: 'i1',
      __meta_eureka_app_instance_ip_addr: '10.0.0.1',
      __meta_eureka_app_instance_metadata_management_port: '9',
      __meta_eureka_app_instance_port: '8080',
      __meta_eureka_app_instance_port_enabled: 'true',
      __meta_eureka_app_instance_secure_port: '443',
      __meta_eureka_app_instance_secure_port_enabled: 'false',
      __meta_eureka_app_instance_status: 'UP',
      __meta_eureka_app_instance_vip_address: 'shop',
      __meta_eureka_app_name: 'SHOP & CO',
      instance: 'i1',
    },
  ],
});

testReplay({
  name: 'puppetdb',
  section:
    'puppetdb_sd_configs: [{url: "$URL", query: "resources { type = \\"Package\\" }", include_parameters: true, port: 9100}]',
  reply: ({ path, method, body }) => {
    const isAsked = path === '/pdb/query/v4' && method === 'POST' && JSON.parse(body).query.startsWith('resources');
    if (!isAsked) return undefined;
    return [
      {
        certname: 'edinburgh.example.com',
        environment: 'prod',
        exported: false,
        file: '/etc/init.pp',
        parameters: { access: ['ip4'], config: { keep: true, port: 5 }, ensure: 'running', none: null },
        resource: '49af83',
        tags: ['apache', 'vhost'],
        title: 'httpd',
        type: 'Package',
      },
    ];
  },
  want: [
    {
      __address__: 'edinburgh.example.com:9100',
      __meta_puppetdb_certname: 'edinburgh.example.com',
      __meta_puppetdb_environment: 'prod',
      __meta_puppetdb_exported: 'false',
      __meta_puppetdb_file: '/etc/init.pp',
      __meta_puppetdb_parameter_access: ',ip4,',
      __meta_puppetdb_parameter_config_keep: 'true',
      __meta_puppetdb_parameter_config_port: '5',
      __meta_puppetdb_parameter_ensure: 'running',
      __meta_puppetdb_query: 'resources { type = "Package" }',
      __meta_puppetdb_resource: '49af83',
      __meta_puppetdb_tags: ',apache,vhost,',
      __meta_puppetdb_title: 'httpd',
      __meta_puppetdb_type: 'Package',
    },
  ],
});
