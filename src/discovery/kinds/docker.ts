// docker_sd: containers of a Docker engine, a target for each network and TCP port.
//
//   GET /containers/json?filters=…     containers that run, with ports and networks
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { dockerEngine, labelPairs, type Pairs } from './docker-api.js';

const PREFIX = '__meta_docker_';

type Section = SectionOf<'docker'>;
type NetworkLabels = (id: string) => Pairs;

export function discoverDocker(section: Section, session: Session): Promise<void> {
  const engine = dockerEngine(section, session);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const networkLabels = await engine.networks(PREFIX);
    const containers = (await engine.getFiltered('/containers/json')).items;
    const byId = new Map(containers.map((container) => [container.at('Id').text, container]));
    const named = containers.filter((container) => container.at('Names').items.length > 0);
    const targets = named.flatMap((container) => targetsOf(container, { section, byId, networkLabels }));
    return [{ source: 'Docker', labels: [], targets }];
  });
}

interface Engine {
  readonly section: Section;
  readonly byId: ReadonlyMap<string, Tree>;
  readonly networkLabels: NetworkLabels;
}

function targetsOf(container: Tree, { section, byId, networkLabels }: Engine): Labels[] {
  const common: Pairs = [
    [`${PREFIX}container_id`, container.at('Id').text],
    [`${PREFIX}container_name`, container.at('Names').texts[0]!],
    [`${PREFIX}container_image`, container.at('Image').text],
    [`${PREFIX}container_image_id`, container.at('ImageID').text],
    [`${PREFIX}container_network_mode`, container.at('HostConfig', 'NetworkMode').text],
    ...labelPairs(`${PREFIX}container_label_`, container.at('Labels')),
  ];
  const { networks, mode } = attachment(container, byId);
  const used = section.matchFirstNetwork ? networks.slice(0, 1) : networks;
  return used.flatMap((network) => {
    const ip = network.at('IPAddress').text || network.at('GlobalIPv6Address').text;
    const here: Pairs = [[`${PREFIX}network_ip`, ip], ...common, ...networkLabels(network.at('NetworkID').text)];
    const ports = container.at('Ports').items.filter((port) => port.at('Type').text === 'tcp');
    if (ports.length === 0) {
      const address = mode === 'host' ? section.hostNetworkingHost : hostPort(ip, section.port);
      return [labelsOf([['__address__', address], ...here])];
    }
    return ports.map((port) => labelsOf([...portLabels(ip, port), ...here]));
  });
}

function portLabels(ip: string, port: Tree): Pairs {
  const isPublic = port.at('PublicPort').number > 0;
  return [
    ['__address__', hostPort(ip, port.at('PrivatePort').text)],
    [`${PREFIX}port_private`, port.at('PrivatePort').text],
    [`${PREFIX}port_public`, isPublic ? port.at('PublicPort').text : ''],
    [`${PREFIX}port_public_ip`, isPublic ? port.at('IP').text : ''],
  ];
}

/** The networks of a container, by name; those of the container whose network it shares where it has none. */
function attachment(container: Tree, byId: ReadonlyMap<string, Tree>): { networks: Tree[]; mode: string } {
  let owner = container;
  // Two that share each other's would go on for ever.
  for (const seen = new Set<Tree>(); !seen.has(owner); ) {
    seen.add(owner);
    const id = /^container:(.*)$/.exec(owner.at('HostConfig', 'NetworkMode').text)?.[1];
    const shared = id === undefined ? undefined : byId.get(id);
    if (networksOf(owner).length > 0 || shared === undefined) break;
    owner = shared;
  }
  return { networks: networksOf(owner), mode: owner.at('HostConfig', 'NetworkMode').text };
}

function networksOf(container: Tree): Tree[] {
  const networks = container.at('NetworkSettings', 'Networks').entries.filter(([, network]) => network.exists);
  return networks.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, network]) => network);
}
