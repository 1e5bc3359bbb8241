// Roles `endpoints` and `endpointslice`: each address and port behind a service, with what is known of the pod there;
// and ports of those pods' containers that are not among them.

import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart } from '../../group.js';
import type { Tree } from '../../tree.js';
import { type Attached, namespaceLabels, nodeLabels } from './attached.js';
import type { GroupMaker, Lookup } from './cluster.js';
import { containerLabels, containersOf, objectLabels, type Pairs, PREFIX, podLabels } from './labels.js';
import { pathOf } from './watch.js';

export function makeEndpoints(attached: Attached): GroupMaker {
  return (endpoints, lookup) => {
    const namespace = endpoints.at('metadata', 'namespace').text;
    const backing = new BackingPods(attached, namespace, lookup);
    const targets: Labels[] = [];
    for (const subset of endpoints.at('subsets').items) {
      for (const port of subset.at('ports').items) {
        for (const [key, ready] of [
          ['addresses', 'true'],
          ['notReadyAddresses', 'false'],
        ] as const) {
          for (const address of subset.at(key).items) {
            const own: Pairs = [
              ['__address__', hostPort(address.at('ip').text, port.at('port').text)],
              [`${PREFIX}endpoint_port_name`, port.at('name').text],
              [`${PREFIX}endpoint_port_protocol`, port.at('protocol').text],
              [`${PREFIX}endpoint_ready`, ready],
              [`${PREFIX}endpoint_address_target_kind`, address.at('targetRef', 'kind').text],
              [`${PREFIX}endpoint_address_target_name`, address.at('targetRef', 'name').text],
              [`${PREFIX}endpoint_node_name`, address.at('nodeName').text],
              [`${PREFIX}endpoint_hostname`, address.at('hostname').text],
            ];
            const place = { reference: address.at('targetRef'), node: address.at('nodeName').text };
            targets.push(labelsOf([...own, ...backing.labels(place, port.at('port').number)]));
          }
        }
      }
    }
    return {
      labels: labelsOf([
        ...objectLabels('endpoints', endpoints),
        ...serviceLabels(pathOf(namespace, endpoints.at('metadata', 'name').text), lookup),
        ...namespaceLabels(attached, namespace, lookup),
      ]),
      targets: [...targets, ...backing.otherPorts()],
    };
  };
}

export function makeEndpointSlice(attached: Attached): GroupMaker {
  return (slice, lookup) => {
    const namespace = slice.at('metadata', 'namespace').text;
    const type = slice.at('addressType').text;
    const backing = new BackingPods(attached, namespace, lookup, type);
    const targets: Labels[] = [];
    for (const port of slice.at('ports').items) {
      for (const endpoint of slice.at('endpoints').items) {
        for (const address of endpoint.at('addresses').texts) {
          const own: Pairs = [
            ['__address__', port.at('port').exists ? hostPort(address, port.at('port').text) : address],
            ...portLabels(port),
            ...endpointLabels(endpoint),
          ];
          const place = { reference: endpoint.at('targetRef'), node: endpoint.at('nodeName').text };
          targets.push(labelsOf([...own, ...backing.labels(place, port.at('port').number)]));
        }
      }
    }
    const service = slice.at('metadata', 'labels', 'kubernetes.io/service-name').text;
    return {
      labels: labelsOf([
        ...objectLabels('endpointslice', slice),
        [`${PREFIX}endpointslice_address_type`, type],
        ...serviceLabels(pathOf(namespace, service), lookup),
        ...namespaceLabels(attached, namespace, lookup),
      ]),
      targets: [...targets, ...backing.otherPorts()],
    };
  };
}

function portLabels(port: Tree): Pairs {
  return [
    [`${PREFIX}endpointslice_port`, port.at('port').text],
    [`${PREFIX}endpointslice_port_name`, port.at('name').text],
    [`${PREFIX}endpointslice_port_protocol`, port.at('protocol').text],
    [`${PREFIX}endpointslice_port_app_protocol`, port.at('appProtocol').text],
  ];
}

function endpointLabels(endpoint: Tree): Pairs {
  const topology = endpoint.at('deprecatedTopology').entries.flatMap(([key, value]): Pairs => {
    const part = labelPart(key);
    return [
      [`${PREFIX}endpointslice_endpoint_topology_${part}`, value.text],
      [`${PREFIX}endpointslice_endpoint_topology_present_${part}`, 'true'],
    ];
  });
  return [
    ...['ready', 'serving', 'terminating'].map((condition): [string, string] => [
      `${PREFIX}endpointslice_endpoint_conditions_${condition}`,
      endpoint.at('conditions', condition).text,
    ]),
    [`${PREFIX}endpointslice_endpoint_hostname`, endpoint.at('hostname').text],
    [`${PREFIX}endpointslice_address_target_kind`, endpoint.at('targetRef', 'kind').text],
    [`${PREFIX}endpointslice_address_target_name`, endpoint.at('targetRef', 'name').text],
    [`${PREFIX}endpointslice_endpoint_node_name`, endpoint.at('nodeName').text],
    [`${PREFIX}endpointslice_endpoint_zone`, endpoint.at('zone').text],
    ...topology,
  ];
}

function serviceLabels(key: string, lookup: Lookup): Pairs {
  const service = lookup('service', key);
  return service === undefined ? [] : objectLabels('service', service);
}

interface Place {
  readonly reference: Tree;
  readonly node: string;
}

interface SeenPod {
  readonly pod: Tree;
  readonly labels: Pairs;
  readonly ports: Set<number>;
}

/** The pods behind the endpoints of one object. */
class BackingPods {
  readonly #attached: Attached;
  readonly #namespace: string;
  readonly #lookup: Lookup;
  /** `IPv4` or `IPv6`, where the object has one kind only. */
  readonly #addressType: string;
  readonly #seen = new Map<string, SeenPod>();

  constructor(attached: Attached, namespace: string, lookup: Lookup, addressType = '') {
    this.#attached = attached;
    this.#namespace = namespace;
    this.#lookup = lookup;
    this.#addressType = addressType;
  }

  /** What a target at a port gets from the node and the pod it is at. */
  labels({ reference, node }: Place, port: number): Pairs {
    const kind = reference.at('kind').text;
    const ofNode = nodeLabels(this.#attached, node || (kind === 'Node' ? reference.at('name').text : ''), this.#lookup);
    const key = pathOf(reference.at('namespace').text || this.#namespace, reference.at('name').text);
    const pod = kind === 'Pod' ? this.#lookup('pod', key) : undefined;
    if (pod === undefined) return ofNode;
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      seen = { pod, labels: [...podLabels(pod), ...ofNode], ports: new Set() };
      this.#seen.set(key, seen);
    }
    seen.ports.add(port);
    return [...seen.labels, ...containerAt(pod, port)];
  }

  /** Ports of the containers of these pods that no endpoint is at. */
  otherPorts(): Labels[] {
    return [...this.#seen.values()].flatMap(({ pod, labels, ports }) => {
      if (['Failed', 'Succeeded'].includes(pod.at('status', 'phase').text)) return [];
      const ip = this.#ipOf(pod);
      return containersOf(pod).flatMap(({ spec }) =>
        spec
          .at('ports')
          .items.filter((port) => !ports.has(port.at('containerPort').number))
          .map((port) =>
            labelsOf([
              ['__address__', hostPort(ip, port.at('containerPort').text)],
              ...containerLabels(spec, port),
              ...labels,
            ]),
          ),
      );
    });
  }

  /** Of pods with addresses of both kinds, that of the object's kind. */
  #ipOf(pod: Tree): string {
    const own = pod.at('status', 'podIP').text;
    if (!/^IPv[46]$/.test(this.#addressType)) return own;
    const isV6 = this.#addressType === 'IPv6';
    const all = pod.at('status', 'podIPs').items.map((entry) => entry.at('ip').text);
    return [own, ...all].find((ip) => ip.includes(':') === isV6) ?? own;
  }
}

function containerAt(pod: Tree, wanted: number): Pairs {
  for (const { spec } of containersOf(pod)) {
    const port = spec.at('ports').items.find((candidate) => candidate.at('containerPort').number === wanted);
    if (port !== undefined) return containerLabels(spec, port);
  }
  return [];
}
