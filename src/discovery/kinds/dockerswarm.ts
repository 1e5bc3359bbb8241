// dockerswarm_sd: services, tasks or nodes of a swarm.
//
//   services   GET /services, /networks               each virtual address and published TCP port
//   tasks      GET /tasks, /services, /nodes, /networks   each address and published TCP port of each task
//   nodes      GET /nodes                              each node
//
// Where no port is published, the section's. All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { type DockerEngine, dockerEngine, labelPairs, type Pairs } from './docker-api.js';

const PREFIX = '__meta_dockerswarm_';

type Finder = (engine: DockerEngine, port: number) => Promise<Labels[]>;

export function discoverSwarm(section: SectionOf<'dockerswarm'>, session: Session): Promise<void> {
  const engine = dockerEngine(section, session);
  const find = ROLES.get(section.role)!;
  return refreshing(session, section.refreshIntervalMs, async () => [
    { source: 'DockerSwarm', labels: [], targets: await find(engine, section.port) },
  ]);
}

const ROLES: ReadonlyMap<string, Finder> = new Map([
  ['services', findServices],
  ['tasks', findTasks],
  ['nodes', findNodes],
]);

async function findServices(engine: DockerEngine, port: number): Promise<Labels[]> {
  const services = await engine.getFiltered('/services');
  const networkLabels = await engine.networks(PREFIX);
  return services.items.flatMap((service) => {
    const common: Pairs = [
      ...serviceLabels(service),
      [`${PREFIX}service_task_container_hostname`, containerSpec(service).at('Hostname').text],
      [`${PREFIX}service_task_container_image`, containerSpec(service).at('Image').text],
      [`${PREFIX}service_updating_status`, service.at('UpdateStatus', 'State').text],
    ];
    return service.at('Endpoint', 'VirtualIPs').items.flatMap((address) => {
      const here = [...common, ...networkLabels(address.at('NetworkID').text)];
      return atEachPort(hostOf(address.at('Addr').text), tcpPorts(service.at('Endpoint', 'Ports')), port, (own) => [
        ...here,
        [`${PREFIX}service_endpoint_port_name`, own?.at('Name').text ?? ''],
        [`${PREFIX}service_endpoint_port_publish_mode`, own?.at('PublishMode').text ?? ''],
      ]);
    });
  });
}

async function findNodes(engine: DockerEngine, port: number): Promise<Labels[]> {
  const nodes = await engine.getFiltered('/nodes');
  return nodes.items.map((node) =>
    labelsOf([['__address__', hostPort(node.at('Status', 'Addr').text, port)], ...nodeLabels(node)]),
  );
}

async function findTasks(engine: DockerEngine, port: number): Promise<Labels[]> {
  const tasks = await engine.getFiltered('/tasks');
  const services = byId(await engine.get('/services'));
  const nodes = byId(await engine.get('/nodes'));
  const networkLabels = await engine.networks(PREFIX);
  return tasks.items.flatMap((task) => {
    const service = services.get(task.at('ServiceID').text);
    const node = nodes.get(task.at('NodeID').text);
    const common: Pairs = [
      [`${PREFIX}task_id`, task.at('ID').text],
      [`${PREFIX}task_desired_state`, task.at('DesiredState').text],
      [`${PREFIX}task_state`, task.at('Status', 'State').text],
      [`${PREFIX}task_slot`, String(task.at('Slot').number)],
      [`${PREFIX}task_container_id`, task.at('Status', 'ContainerStatus', 'ContainerID').text],
      ...labelPairs(`${PREFIX}container_label_`, task.at('Spec', 'ContainerSpec', 'Labels')),
      ...(service === undefined ? [] : serviceLabels(service)),
      ...(node === undefined ? [] : nodeLabels(node)),
    ];
    const withMode = (own: Tree | undefined, others: Pairs): Pairs => [
      ...others,
      [`${PREFIX}task_port_publish_mode`, own?.at('PublishMode').text ?? ''],
    ];
    // Ports of the node itself, and then those that all nodes have for the service.
    const ofNode = tcpPorts(task.at('Status', 'PortStatus', 'Ports')).map((own) =>
      labelsOf([
        ['__address__', hostPort(node?.at('Status', 'Addr').text ?? '', own.at('PublishedPort').text)],
        ...withMode(own, common),
      ]),
    );
    const published = service === undefined ? [] : tcpPorts(service.at('Endpoint', 'Ports'));
    const ofNetworks = task.at('NetworksAttachments').items.flatMap((attachment) => {
      const here = [...common, ...networkLabels(attachment.at('Network', 'ID').text)];
      return attachment
        .at('Addresses')
        .texts.flatMap((address) => atEachPort(hostOf(address), published, port, (own) => withMode(own, here)));
    });
    return [...ofNode, ...ofNetworks];
  });
}

/** A target for each published port at a host, or one at the section's port where there are none. */
function atEachPort(
  host: string,
  ports: readonly Tree[],
  fallback: number,
  labels: (port: Tree | undefined) => Pairs,
): Labels[] {
  if (ports.length === 0) return [labelsOf([['__address__', hostPort(host, fallback)], ...labels(undefined)])];
  return ports.map((port) =>
    labelsOf([['__address__', hostPort(host, port.at('PublishedPort').text)], ...labels(port)]),
  );
}

function serviceLabels(service: Tree): Pairs {
  return [
    [`${PREFIX}service_id`, service.at('ID').text],
    [`${PREFIX}service_name`, service.at('Spec', 'Name').text],
    [`${PREFIX}service_mode`, modeOf(service.at('Spec', 'Mode'))],
    ...labelPairs(`${PREFIX}service_label_`, service.at('Spec', 'Labels')),
  ];
}

function modeOf(mode: Tree): string {
  if (mode.at('Global').exists) return 'global';
  if (mode.at('Replicated').exists) return 'replicated';
  return mode.at('ReplicatedJob').exists ? 'replicated-job' : mode.at('GlobalJob').exists ? 'global-job' : '';
}

function nodeLabels(node: Tree): Pairs {
  const description = node.at('Description');
  const manager = node.at('ManagerStatus');
  return [
    [`${PREFIX}node_id`, node.at('ID').text],
    [`${PREFIX}node_role`, node.at('Spec', 'Role').text],
    [`${PREFIX}node_availability`, node.at('Spec', 'Availability').text],
    [`${PREFIX}node_hostname`, description.at('Hostname').text],
    [`${PREFIX}node_platform_architecture`, description.at('Platform', 'Architecture').text],
    [`${PREFIX}node_platform_os`, description.at('Platform', 'OS').text],
    [`${PREFIX}node_engine_version`, description.at('Engine', 'EngineVersion').text],
    [`${PREFIX}node_address`, node.at('Status', 'Addr').text],
    [`${PREFIX}node_status`, node.at('Status', 'State').text],
    [`${PREFIX}node_manager_leader`, manager.exists ? String(manager.at('Leader').isTrue) : ''],
    [`${PREFIX}node_manager_reachability`, manager.at('Reachability').text],
    [`${PREFIX}node_manager_address`, manager.at('Addr').text],
    ...labelPairs(`${PREFIX}node_label_`, node.at('Spec', 'Labels')),
  ];
}

function containerSpec(service: Tree): Tree {
  return service.at('Spec', 'TaskTemplate', 'ContainerSpec');
}

function tcpPorts(ports: Tree): Tree[] {
  return ports.items.filter((port) => port.at('Protocol').text === 'tcp');
}

/** The address of a network's address, which comes with the length of its prefix. */
function hostOf(address: string): string {
  return address.replace(/\/\d+$/, '');
}

function byId(list: Tree): ReadonlyMap<string, Tree> {
  return new Map(list.items.map((item) => [item.at('ID').text, item]));
}
