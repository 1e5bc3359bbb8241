// What becomes a target in each role. Labels are those of Prometheus's documentation.

import { labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart } from '../../group.js';
import type { Tree } from '../../tree.js';
import { type Attached, namespaceLabels, nodeLabels } from './attached.js';
import type { GroupMaker, Lookup } from './cluster.js';
import { makeEndpointSlice, makeEndpoints } from './endpoints.js';
import { containerLabels, containersOf, controllerOf, objectLabels, type Pairs, PREFIX, podLabels } from './labels.js';
import { pathOf } from './watch.js';

/** Which of a node's addresses its target gets, best first. */
const ADDRESS_TYPES = ['InternalIP', 'InternalDNS', 'ExternalIP', 'ExternalDNS', 'LegacyHostIP', 'Hostname'];

/** `node`: the kubelet of each. */
const makeNode: GroupMaker = (node) => {
  const addresses = new Map<string, string>();
  for (const address of node.at('status', 'addresses').items) {
    const type = address.at('type').text;
    if (!addresses.has(type)) addresses.set(type, address.at('address').text);
  }
  const best = ADDRESS_TYPES.map((type) => addresses.get(type)).find((address) => address !== undefined);
  const port = node.at('status', 'daemonEndpoints', 'kubeletEndpoint', 'Port').number;
  const conditions = node
    .at('status', 'conditions')
    .items.map((condition): [string, string] => [
      `${PREFIX}node_condition_${labelPart(condition.at('type').text.toLowerCase())}`,
      condition.at('status').text.toLowerCase(),
    ]);
  const name = node.at('metadata', 'name').text;
  return {
    labels: labelsOf([
      ...objectLabels('node', node),
      [`${PREFIX}node_provider_id`, node.at('spec', 'providerID').text],
      ...conditions,
    ]),
    targets:
      best === undefined
        ? []
        : [
            labelsOf([
              ['__address__', hostPort(best, port)],
              ['instance', name],
              ...[...addresses].map(([type, address]): [string, string] => [
                `${PREFIX}node_address_${labelPart(type)}`,
                address,
              ]),
            ]),
          ],
  };
};

/** `service`: each port of each, under the name that the cluster's DNS gives it. */
function serviceMaker(attached: Attached): GroupMaker {
  return (service, lookup) => {
    const namespace = service.at('metadata', 'namespace').text;
    const host = `${service.at('metadata', 'name').text}.${namespace}.svc`;
    const type = service.at('spec', 'type').text;
    const balancers = service.at('status', 'loadBalancer', 'ingress').items.map((ingress) => ingress.at('ip').text);
    const balancer = balancers.filter((ip) => ip !== '').join(',') || service.at('spec', 'loadBalancerIP').text;
    const common: Pairs = [
      [`${PREFIX}service_type`, type],
      [`${PREFIX}service_cluster_ip`, type === 'ExternalName' ? '' : service.at('spec', 'clusterIP').text],
      [`${PREFIX}service_external_name`, type === 'ExternalName' ? service.at('spec', 'externalName').text : ''],
      [`${PREFIX}service_loadbalancer_ip`, type === 'LoadBalancer' ? balancer : ''],
    ];
    return {
      labels: labelsOf([...objectLabels('service', service), ...namespaceLabels(attached, namespace, lookup)]),
      targets: service
        .at('spec', 'ports')
        .items.map((port) =>
          labelsOf([
            ['__address__', hostPort(host, port.at('port').text)],
            [`${PREFIX}service_port_name`, port.at('name').text],
            [`${PREFIX}service_port_number`, port.at('port').text],
            [`${PREFIX}service_port_protocol`, port.at('protocol').text],
            ...common,
          ]),
        ),
    };
  };
}

/** `pod`: each port of each container; a container without ports as it is. */
function podMaker(attached: Attached): GroupMaker {
  return (pod, lookup) => {
    const ip = pod.at('status', 'podIP').text;
    // It is starting, or was evicted.
    if (ip === '') return { labels: [], targets: [] };
    return {
      labels: labelsOf([
        ...podLabels(pod),
        ...ownerLabels(attached, pod, lookup),
        ...nodeLabels(attached, pod.at('spec', 'nodeName').text, lookup),
        ...namespaceLabels(attached, pod.at('metadata', 'namespace').text, lookup),
      ]),
      targets: containersOf(pod).flatMap(({ spec, isInit }) => {
        const common: Pairs = [
          [`${PREFIX}pod_container_id`, containerId(pod, spec.at('name').text)],
          [`${PREFIX}pod_container_init`, String(isInit)],
        ];
        const ports = spec.at('ports').items;
        if (ports.length === 0) return [labelsOf([['__address__', ip], ...containerLabels(spec), ...common])];
        return ports.map((port) =>
          labelsOf([
            ['__address__', hostPort(ip, port.at('containerPort').text)],
            ...containerLabels(spec, port),
            ...common,
          ]),
        );
      }),
    };
  };
}

function containerId(pod: Tree, name: string): string {
  const statuses = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'];
  const all = statuses.flatMap((key) => pod.at('status', key).items);
  return all.find((status) => status.at('name').text === name)?.at('containerID').text ?? '';
}

/** Who made the pod, as far as asked for. */
function ownerLabels(attached: Attached, pod: Tree, lookup: Lookup): Pairs {
  const controller = controllerOf(pod);
  if (controller === undefined) return [];
  const key = pathOf(pod.at('metadata', 'namespace').text, controller.at('name').text);
  const labels: Pairs = [];
  if (controller.at('kind').text === 'ReplicaSet' && attached.deployment) {
    const deployment = ownerOf(lookup('replicaset', key), 'Deployment');
    if (deployment !== undefined) labels.push([`${PREFIX}pod_deployment_name`, deployment]);
  }
  if (controller.at('kind').text === 'Job') {
    if (attached.job) labels.push([`${PREFIX}pod_job_name`, controller.at('name').text]);
    const cronjob = attached.cronjob ? ownerOf(lookup('job', key), 'CronJob') : undefined;
    if (cronjob !== undefined) labels.push([`${PREFIX}pod_cronjob_name`, cronjob]);
  }
  return labels;
}

function ownerOf(object: Tree | undefined, kind: string): string | undefined {
  const controller = object && controllerOf(object);
  return controller?.at('kind').text === kind ? controller.at('name').text : undefined;
}

/** `ingress`: each path of each host. */
function ingressMaker(attached: Attached): GroupMaker {
  return (ingress, lookup) => {
    const tlsHosts = ingress.at('spec', 'tls').items.flatMap((tls) => tls.at('hosts').texts);
    return {
      labels: labelsOf([
        ...objectLabels('ingress', ingress),
        [`${PREFIX}ingress_class_name`, ingress.at('spec', 'ingressClassName').text],
        ...namespaceLabels(attached, ingress.at('metadata', 'namespace').text, lookup),
      ]),
      targets: ingress.at('spec', 'rules').items.flatMap((rule) => {
        const host = rule.at('host').text;
        const paths = rule.at('http').exists
          ? rule.at('http', 'paths').items.map((path) => path.at('path').text)
          : [''];
        return paths.map((path) =>
          labelsOf([
            ['__address__', host],
            [`${PREFIX}ingress_scheme`, tlsHosts.some((pattern) => isHostOf(pattern, host)) ? 'https' : 'http'],
            [`${PREFIX}ingress_host`, host],
            [`${PREFIX}ingress_path`, path || '/'],
          ]),
        );
      }),
    };
  };
}

/** A pattern is a name, or one whose first part is a star. */
export function isHostOf(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  return pattern.startsWith('*.') && host.includes('.') && pattern.slice(1) === host.slice(host.indexOf('.'));
}

export interface Role {
  /** How groups are named. */
  readonly source: string;
  readonly make: (attached: Attached) => GroupMaker;
}

export const ROLES: ReadonlyMap<string, Role> = new Map([
  ['node', { source: 'node', make: () => makeNode }],
  ['service', { source: 'svc', make: serviceMaker }],
  ['pod', { source: 'pod', make: podMaker }],
  ['endpoints', { source: 'endpoints', make: makeEndpoints }],
  ['endpointslice', { source: 'endpointslice', make: makeEndpointSlice }],
  ['ingress', { source: 'ingress', make: ingressMaker }],
]);
