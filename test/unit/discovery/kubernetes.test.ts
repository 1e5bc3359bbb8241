// A cluster's objects as targets: labels by role, and what happens while things change, end and are forgotten.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { accessOf, kubeconfigAccess } from '../../../src/discovery/kinds/kubernetes/access.js';
import { isHostOf } from '../../../src/discovery/kinds/kubernetes/roles.js';
import { type Discovering, discover, endAll, sectionsOf } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { FakeKubernetes, type KubernetesObject } from '../../support/kubernetes.js';
import { eventually } from '../../support/servers.js';

after(endAll);

const NODE: KubernetesObject = {
  metadata: { name: 'n1', labels: { 'zone/a': 'west' }, annotations: { note: 'x' } },
  spec: { providerID: 'cloud://1' },
  status: {
    addresses: [
      { type: 'Hostname', address: 'n1.local' },
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'InternalIP', address: 'fd00::1' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'DiskPressure', status: 'Unknown' },
    ],
  },
};

const POD: KubernetesObject = {
  metadata: {
    name: 'p1',
    namespace: 'x',
    uid: 'u-1',
    labels: { app: 'web' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5', controller: true }],
  },
  spec: {
    nodeName: 'n1',
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [
          { name: 'http', containerPort: 8080, protocol: 'TCP' },
          { name: 'admin', containerPort: 9090, protocol: 'TCP' },
        ],
      },
      { name: 'side', image: 'side:1' },
    ],
    initContainers: [{ name: 'init', image: 'init:1' }],
  },
  status: {
    podIP: '10.1.0.1',
    podIPs: [{ ip: '10.1.0.1' }, { ip: 'fd01::1' }],
    hostIP: '10.0.0.1',
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'web', containerID: 'containerd://abc' }],
  },
};

const SERVICE: KubernetesObject = {
  metadata: { name: 's1', namespace: 'x', labels: { app: 'web' } },
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.2.0.1',
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
};

const ENDPOINTS: KubernetesObject = {
  metadata: { name: 's1', namespace: 'x' },
  subsets: [
    {
      addresses: [{ ip: '10.1.0.1', nodeName: 'n1', targetRef: { kind: 'Pod', namespace: 'x', name: 'p1' } }],
      notReadyAddresses: [{ ip: '10.1.0.9', hostname: 'late' }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    },
  ],
};

const SLICE: KubernetesObject = {
  metadata: { name: 's1-abc', namespace: 'x', labels: { 'kubernetes.io/service-name': 's1' } },
  addressType: 'IPv6',
  endpoints: [
    {
      addresses: ['fd01::1'],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'n1',
      zone: 'west',
      targetRef: { kind: 'Pod', namespace: 'x', name: 'p1' },
      deprecatedTopology: { 'kubernetes.io/hostname': 'n1' },
    },
  ],
  ports: [{ name: 'http', port: 8080, protocol: 'TCP', appProtocol: 'h2c' }],
};

const INGRESS: KubernetesObject = {
  metadata: { name: 'i1', namespace: 'x' },
  spec: {
    ingressClassName: 'nginx',
    tls: [{ hosts: ['*.secure.org'] }],
    rules: [{ host: 'a.secure.org', http: { paths: [{ path: '/one' }, { path: '' }] } }, { host: 'plain.org' }],
  },
};

async function cluster(): Promise<FakeKubernetes> {
  const api = await FakeKubernetes.start();
  api.put('nodes', NODE);
  api.put('namespaces', { metadata: { name: 'x', labels: { team: 'a' } } });
  api.put('replicasets', {
    metadata: {
      name: 'web-5',
      namespace: 'x',
      ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
    },
  });
  api.put('pods', POD);
  api.put('services', SERVICE);
  api.put('endpoints', ENDPOINTS);
  api.put('endpointslices', SLICE);
  api.put('ingresses', INGRESS);
  return api;
}

function watch(api: FakeKubernetes, rest: string): Discovering {
  return discover(`kubernetes_sd_configs: [{api_server: '${api.server.url}', ${rest}}]`);
}

/** Labels of a role, without their common prefix. */
function short(target: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(target).map(([name, value]) => [name.replace('__meta_kubernetes_', '~'), value]),
  );
}

const POD_LABELS = {
  '~namespace': 'x',
  '~pod_name': 'p1',
  '~pod_ip': '10.1.0.1',
  '~pod_ready': 'true',
  '~pod_phase': 'Running',
  '~pod_node_name': 'n1',
  '~pod_host_ip': '10.0.0.1',
  '~pod_uid': 'u-1',
  '~pod_controller_kind': 'ReplicaSet',
  '~pod_controller_name': 'web-5',
  '~pod_label_app': 'web',
  '~pod_labelpresent_app': 'true',
};
const WEB = { '~pod_container_name': 'web', '~pod_container_image': 'web:1' };
const PORT = (name: string, number: string) => ({
  '~pod_container_port_name': name,
  '~pod_container_port_number': number,
  '~pod_container_port_protocol': 'TCP',
});
const SERVICE_LABELS = { '~service_name': 's1', '~service_label_app': 'web', '~service_labelpresent_app': 'true' };

const roles: [section: string, want: Record<string, string>[]][] = [
  [
    'role: node',
    [
      {
        __address__: '10.0.0.1:10250',
        instance: 'n1',
        '~node_name': 'n1',
        '~node_provider_id': 'cloud://1',
        '~node_address_Hostname': 'n1.local',
        '~node_address_InternalIP': '10.0.0.1',
        '~node_condition_ready': 'true',
        '~node_condition_diskpressure': 'unknown',
        '~node_label_zone_a': 'west',
        '~node_labelpresent_zone_a': 'true',
        '~node_annotation_note': 'x',
        '~node_annotationpresent_note': 'true',
      },
    ],
  ],
  [
    'role: service, attach_metadata: {namespace: true}',
    [
      {
        __address__: 's1.x.svc:80',
        '~namespace': 'x',
        '~namespace_label_team': 'a',
        '~namespace_labelpresent_team': 'true',
        ...SERVICE_LABELS,
        '~service_type': 'ClusterIP',
        '~service_cluster_ip': '10.2.0.1',
        '~service_port_name': 'http',
        '~service_port_number': '80',
        '~service_port_protocol': 'TCP',
      },
    ],
  ],
  [
    'role: pod, attach_metadata: {deployment: true}',
    [
      {
        __address__: '10.1.0.1',
        ...POD_LABELS,
        '~pod_deployment_name': 'web',
        '~pod_container_name': 'side',
        '~pod_container_image': 'side:1',
        '~pod_container_init': 'false',
      },
      {
        __address__: '10.1.0.1',
        ...POD_LABELS,
        '~pod_deployment_name': 'web',
        '~pod_container_name': 'init',
        '~pod_container_image': 'init:1',
        '~pod_container_init': 'true',
      },
      {
        __address__: '10.1.0.1:8080',
        ...POD_LABELS,
        '~pod_deployment_name': 'web',
        ...WEB,
        ...PORT('http', '8080'),
        '~pod_container_id': 'containerd://abc',
        '~pod_container_init': 'false',
      },
      {
        __address__: '10.1.0.1:9090',
        ...POD_LABELS,
        '~pod_deployment_name': 'web',
        ...WEB,
        ...PORT('admin', '9090'),
        '~pod_container_id': 'containerd://abc',
        '~pod_container_init': 'false',
      },
    ],
  ],
  [
    'role: endpoints, attach_metadata: {node: true}',
    [
      {
        __address__: '10.1.0.1:8080',
        '~endpoints_name': 's1',
        ...SERVICE_LABELS,
        ...POD_LABELS,
        ...WEB,
        ...PORT('http', '8080'),
        '~endpoint_port_name': 'http',
        '~endpoint_port_protocol': 'TCP',
        '~endpoint_ready': 'true',
        '~endpoint_node_name': 'n1',
        '~endpoint_address_target_kind': 'Pod',
        '~endpoint_address_target_name': 'p1',
        '~node_name': 'n1',
        '~node_label_zone_a': 'west',
        '~node_labelpresent_zone_a': 'true',
        '~node_annotation_note': 'x',
        '~node_annotationpresent_note': 'true',
      },
      {
        __address__: '10.1.0.1:9090',
        '~endpoints_name': 's1',
        ...SERVICE_LABELS,
        ...POD_LABELS,
        ...WEB,
        ...PORT('admin', '9090'),
        '~node_name': 'n1',
        '~node_label_zone_a': 'west',
        '~node_labelpresent_zone_a': 'true',
        '~node_annotation_note': 'x',
        '~node_annotationpresent_note': 'true',
      },
      {
        __address__: '10.1.0.9:8080',
        '~namespace': 'x',
        '~endpoints_name': 's1',
        ...SERVICE_LABELS,
        '~endpoint_port_name': 'http',
        '~endpoint_port_protocol': 'TCP',
        '~endpoint_ready': 'false',
        '~endpoint_hostname': 'late',
      },
    ],
  ],
  [
    'role: endpointslice',
    [
      {
        __address__: '[fd01::1]:8080',
        '~endpointslice_name': 's1-abc',
        '~endpointslice_label_kubernetes_io_service_name': 's1',
        '~endpointslice_labelpresent_kubernetes_io_service_name': 'true',
        '~endpointslice_address_type': 'IPv6',
        ...SERVICE_LABELS,
        ...POD_LABELS,
        ...WEB,
        ...PORT('http', '8080'),
        '~endpointslice_port': '8080',
        '~endpointslice_port_name': 'http',
        '~endpointslice_port_protocol': 'TCP',
        '~endpointslice_port_app_protocol': 'h2c',
        '~endpointslice_endpoint_conditions_ready': 'true',
        '~endpointslice_endpoint_conditions_serving': 'true',
        '~endpointslice_endpoint_conditions_terminating': 'false',
        '~endpointslice_endpoint_node_name': 'n1',
        '~endpointslice_endpoint_zone': 'west',
        '~endpointslice_endpoint_topology_kubernetes_io_hostname': 'n1',
        '~endpointslice_endpoint_topology_present_kubernetes_io_hostname': 'true',
        '~endpointslice_address_target_kind': 'Pod',
        '~endpointslice_address_target_name': 'p1',
      },
      {
        __address__: '[fd01::1]:9090',
        '~endpointslice_name': 's1-abc',
        '~endpointslice_label_kubernetes_io_service_name': 's1',
        '~endpointslice_labelpresent_kubernetes_io_service_name': 'true',
        '~endpointslice_address_type': 'IPv6',
        ...SERVICE_LABELS,
        ...POD_LABELS,
        ...WEB,
        ...PORT('admin', '9090'),
      },
    ],
  ],
  [
    'role: ingress',
    [
      ['a.secure.org', 'https', '/one'],
      ['a.secure.org', 'https', '/'],
      ['plain.org', 'http', '/'],
    ].map(([host, scheme, path]) => ({
      __address__: host!,
      '~namespace': 'x',
      '~ingress_name': 'i1',
      '~ingress_class_name': 'nginx',
      '~ingress_host': host!,
      '~ingress_scheme': scheme!,
      '~ingress_path': path!,
    })),
  ],
];

for (const [section, want] of roles) {
  test(`kubernetes: ${section}`, async () => {
    const found = watch(await cluster(), section);
    await found.next();
    assert.deepEqual(found.targets().map(short), want);
    await found.end();
  });
}

const addresses = (found: Discovering, ...want: string[]) =>
  eventually(async () => assert.deepEqual(found.addresses(), want), 20_000);

const pod = (name: string, ip: string, namespace = 'x'): KubernetesObject => ({
  metadata: { name, namespace },
  spec: { containers: [{ name: 'c', ports: [{ containerPort: 1 }] }] },
  status: { podIP: ip },
});

test('objects come, change and go', async () => {
  const api = await FakeKubernetes.start();
  const found = watch(api, 'role: pod');
  await eventually(async () => assert.equal(api.watches, 1));
  assert.deepEqual(found.addresses(), []);
  api.put('pods', pod('a', '10.0.0.1'));
  api.put('pods', pod('b', '10.0.0.2'));
  await addresses(found, '10.0.0.1:1', '10.0.0.2:1');
  api.put('pods', pod('a', '10.0.0.3'));
  await addresses(found, '10.0.0.2:1', '10.0.0.3:1');
  api.remove('pods', 'b');
  await addresses(found, '10.0.0.3:1');
  assert.equal(found.metrics.kubernetesEvents.with('pod', 'add').value, 2);
  assert.equal(found.metrics.kubernetesEvents.with('pod', 'update').value, 1);
  assert.equal(found.metrics.kubernetesEvents.with('pod', 'delete').value, 1);
  await found.end();
  await eventually(async () => assert.equal(api.watches, 0));
});

test('a list comes in pages, also where the server forgets it in the middle', async () => {
  const api = await FakeKubernetes.start();
  api.pageObjects = 2;
  for (let n = 1; n <= 7; n++) api.put('pods', pod(`p${n}`, `10.0.0.${n}`));
  const all = Array.from({ length: 7 }, (_, index) => `10.0.0.${index + 1}:1`);
  const found = watch(api, 'role: pod');
  await addresses(found, ...all);
  assert.equal(api.server.requests.filter((request) => request.includes('limit=500')).length, 4);
  api.forgetsNextPage = true;
  await addresses(watch(api, 'role: pod, namespaces: {names: [x]}'), ...all);
  assert.ok(api.server.requests.some((request) => request === 'GET /api/v1/namespaces/x/pods'));
});

for (const how of ['end', 'gone', 'cut'] as const) {
  test(`watches end (${how}) and go on where they were`, async () => {
    const api = await FakeKubernetes.start();
    api.put('pods', pod('a', '10.0.0.1'));
    const found = watch(api, 'role: pod');
    await addresses(found, '10.0.0.1:1');
    await eventually(async () => assert.equal(api.watches, 1));
    api.endWatches(how);
    api.put('pods', pod('b', '10.0.0.2'));
    assert.deepEqual(found.addresses(), ['10.0.0.1:1']);
    await addresses(found, '10.0.0.1:1', '10.0.0.2:1');
    const lists = api.server.requests.filter((request) => request.includes('limit=')).length;
    assert.equal(lists, how === 'gone' ? 2 : 1);
  });
}

test('a version that the server has forgotten means a new list, which knows what went meanwhile', async () => {
  const api = await FakeKubernetes.start();
  api.put('pods', pod('a', '10.0.0.1'));
  api.put('pods', pod('b', '10.0.0.2'));
  const found = watch(api, 'role: pod');
  await addresses(found, '10.0.0.1:1', '10.0.0.2:1');
  await eventually(async () => assert.equal(api.watches, 1));
  api.removeSilently('pods', 'b');
  api.endWatches('end');
  await addresses(found, '10.0.0.1:1');
  assert.equal(found.errors.length, 0);
});

test('a bookmark is where the next watch begins', async () => {
  const api = await FakeKubernetes.start();
  const found = watch(api, 'role: pod');
  await eventually(async () => assert.equal(api.watches, 1));
  api.bookmark('pods');
  api.put('pods', pod('a', '10.0.0.1'));
  await addresses(found, '10.0.0.1:1');
  api.endWatches('end');
  await eventually(async () => assert.equal(api.watches, 1));
  const watches = api.server.requests.filter((request) => request.includes('watch=1'));
  assert.match(watches.at(-1)!, /resourceVersion=102/);
});

test('a server that refuses is asked again, and nothing is lost meanwhile', async () => {
  const api = await FakeKubernetes.start();
  api.put('pods', pod('a', '10.0.0.1'));
  api.refusal = 403;
  const found = watch(api, 'role: pod');
  await found.next();
  assert.match(found.errors[0]!, /403 Forbidden.*not now/);
  api.refusal = undefined;
  await addresses(found, '10.0.0.1:1');
  assert.ok(found.metrics.kubernetesFailures.value >= 1);
});

test('what was looked up makes groups anew: a service and a pod that come later', async () => {
  const api = await FakeKubernetes.start();
  api.put('endpoints', ENDPOINTS);
  const found = watch(api, 'role: endpoints');
  await found.next();
  const target = () => found.targets().find(({ __address__ }) => __address__ === '10.1.0.1:8080')!;
  assert.equal(target().__meta_kubernetes_service_name, undefined);
  await eventually(async () => assert.equal(api.watches, 3));
  api.put('services', SERVICE);
  await eventually(async () => assert.equal(target().__meta_kubernetes_service_name, 's1'));
  api.put('pods', POD);
  await eventually(async () => assert.equal(target().__meta_kubernetes_pod_name, 'p1'));
  assert.equal(found.addresses().length, 3);
  api.remove('pods', 'p1');
  await eventually(async () => assert.equal(target().__meta_kubernetes_pod_name, undefined));
  assert.equal(found.addresses().length, 2);
  api.remove('endpoints', 's1');
  await addresses(found);
});

test('namespaces and selectors limit what is asked for', async () => {
  const api = await FakeKubernetes.start();
  api.put('pods', pod('a', '10.0.0.1', 'x'));
  api.put('pods', pod('b', '10.0.0.2', 'y'));
  api.put('pods', pod('c', '10.0.0.3', 'z'));
  const selector = '{role: pod, label: "app=web", field: "spec.nodeName=n1"}';
  const found = watch(api, `role: pod, namespaces: {names: [x, y]}, selectors: [${selector}]`);
  await addresses(found, '10.0.0.1:1', '10.0.0.2:1');
  for (const request of api.server.requests) {
    assert.match(request, /namespaces\/[xy]\/pods\?.*labelSelector=app%3Dweb&fieldSelector=spec.nodeName%3Dn1/);
  }
});

test('a kubeconfig file says where and how; so does a pod for itself', async () => {
  const api = await FakeKubernetes.start();
  api.token = 'secret';
  api.put('pods', pod('a', '10.0.0.1'));
  const folder = emptyFolder();
  const path = join(folder, 'config');
  const kubeconfig = (user: string) => `
current-context: b
contexts: [{name: a, context: {cluster: no, user: no}}, {name: b, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: '${api.server.url}/', certificate-authority: ca.pem, certificate-authority-data: ${Buffer.from('PEM').toString('base64')}}}]
users: [{name: u, user: ${user}}]`;
  writeFileSync(path, kubeconfig('{tokenFile: token, client-certificate: c.pem, client-key: /k.pem}'));
  writeFileSync(join(folder, 'token'), 'secret\n');
  const { tls } = kubeconfigAccess(path, realDisk).http;
  assert.deepEqual([tls!.ca, tls!.certFile, tls!.keyFile], ['PEM', join(folder, 'c.pem'), '/k.pem']);
  writeFileSync(path, kubeconfig('{tokenFile: token}').replace('certificate-authority: ca.pem, ', ''));
  await addresses(discover(`kubernetes_sd_configs: [{kubeconfig_file: '${path}', role: pod}]`), '10.0.0.1:1');

  const [section] = sectionsOf('kubernetes_sd_configs: [{role: pod}]');
  const inside = accessOf(section!.section as never, realDisk, {
    KUBERNETES_SERVICE_HOST: '::1',
    KUBERNETES_SERVICE_PORT: '443',
  });
  assert.equal(inside.server, 'https://[::1]:443');
  assert.match(inside.http.authorization!.credentialsFile!, /serviceaccount\/token$/);
  assert.throws(() => accessOf(section!.section as never, realDisk, {}), /in-cluster configuration/);
});

const hosts: [pattern: string, host: string, want: boolean][] = [
  ['a.org', 'a.org', true],
  ['a.org', 'b.org', false],
  ['*.a.org', 'x.a.org', true],
  ['*.a.org', 'x.y.a.org', false],
  ['*.a.org', 'a.org', false],
  ['*', 'a.org', false],
];

for (const [pattern, host, want] of hosts) {
  test(`an ingress for ${pattern} ${want ? 'is' : 'is not'} for ${host}`, () =>
    assert.equal(isHostOf(pattern, host), want));
}
