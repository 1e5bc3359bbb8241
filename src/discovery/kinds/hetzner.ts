// hetzner_sd: servers of the cloud, or of Robot, which has the dedicated ones.
//
//   hcloud   GET /v1/networks, /v1/servers      in pages: meta.pagination.next_page
//   robot    GET /server                        with basic authorization
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart, type Pairs } from '../group.js';
import type { Asker } from '../http.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const CLOUD = 'https://api.hetzner.cloud/v1';
const ROBOT = 'https://robot-ws.your-server.de';
const PAGE = 50;
const PREFIX = '__meta_hetzner_';

export function discoverHetzner(section: SectionOf<'hetzner'>, session: Session): Promise<void> {
  const { role, port, labelSelector, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  return refreshing(session, refreshIntervalMs, async () => {
    const targets =
      role === 'robot'
        ? (await asker.json(`${ROBOT}/server`)).items.map((server) => robotTarget(server.at('server'), port))
        : await cloudTargets(asker, labelSelector, port);
    return [{ source: 'hetzner', labels: [], targets }];
  });
}

async function cloudTargets(asker: Asker, selector: string, port: number): Promise<Labels[]> {
  const servers = await allOf(asker, 'servers', selector);
  const networks = await allOf(asker, 'networks', '');
  const names = new Map(networks.map((network) => [network.at('id').text, network.at('name').text]));
  return servers.map((server) => cloudTarget(server, names, port));
}

async function allOf(asker: Asker, collection: string, selector: string): Promise<Tree[]> {
  const items: Tree[] = [];
  for (let page = 1; page > 0; ) {
    const query = new URLSearchParams({ page: String(page), per_page: String(PAGE) });
    if (selector !== '') query.set('label_selector', selector);
    const answer = await asker.json(`${CLOUD}/${collection}?${query}`);
    items.push(...answer.at(collection).items);
    page = answer.at('meta', 'pagination', 'next_page').number;
  }
  return items;
}

function cloudTarget(server: Tree, networks: ReadonlyMap<string, string>, port: number): Labels {
  const own = server.at('location');
  const location = own.exists ? own : server.at('datacenter', 'location');
  const type = server.at('server_type');
  const image = server.at('image');
  const cloud = `${PREFIX}hcloud_`;
  const privateIps = server.at('private_net').items.flatMap((attached): Pairs => {
    const name = networks.get(attached.at('network').text);
    return name === undefined ? [] : [[`${cloud}private_ipv4_${labelPart(name)}`, attached.at('ip').text]];
  });
  return labelsOf([
    ['__address__', hostPort(server.at('public_net', 'ipv4', 'ip').text, port)],
    [`${PREFIX}role`, 'hcloud'],
    [`${PREFIX}server_id`, server.at('id').text],
    [`${PREFIX}server_name`, server.at('name').text],
    [`${PREFIX}server_status`, server.at('status').text],
    [`${PREFIX}public_ipv4`, server.at('public_net', 'ipv4', 'ip').text],
    [`${PREFIX}public_ipv6_network`, server.at('public_net', 'ipv6', 'ip').text],
    [`${cloud}location`, location.at('name').text],
    [`${cloud}location_network_zone`, location.at('network_zone').text],
    [`${cloud}datacenter_location`, location.at('name').text],
    [`${cloud}datacenter_location_network_zone`, location.at('network_zone').text],
    [`${cloud}server_type`, type.at('name').text],
    [`${cloud}cpu_cores`, type.at('cores').text],
    [`${cloud}cpu_type`, type.at('cpu_type').text],
    [`${cloud}memory_size_gb`, type.at('memory').text],
    [`${cloud}disk_size_gb`, type.at('disk').text],
    [`${cloud}image_name`, image.at('name').text],
    [`${cloud}image_description`, image.at('description').text],
    [`${cloud}image_os_flavor`, image.at('os_flavor').text],
    [`${cloud}image_os_version`, image.at('os_version').text],
    ...privateIps,
    ...server.at('labels').entries.flatMap(
      ([name, value]): Pairs => [
        [`${cloud}label_${labelPart(name)}`, value.text],
        [`${cloud}labelpresent_${labelPart(name)}`, 'true'],
      ],
    ),
  ]);
}

function robotTarget(server: Tree, port: number): Labels {
  const datacenter = server.at('dc').text.toLowerCase();
  const v6 = server.at('subnet').items.find((subnet) => subnet.at('ip').text.includes(':'));
  return labelsOf([
    ['__address__', hostPort(server.at('server_ip').text, port)],
    [`${PREFIX}role`, 'robot'],
    [`${PREFIX}server_id`, server.at('server_number').text],
    [`${PREFIX}server_name`, server.at('server_name').text],
    [`${PREFIX}server_status`, server.at('status').text],
    [`${PREFIX}public_ipv4`, server.at('server_ip').text],
    [`${PREFIX}public_ipv6_network`, v6 === undefined ? '' : `${v6.at('ip').text}/${v6.at('mask').text}`],
    [`${PREFIX}datacenter`, datacenter],
    [`${PREFIX}robot_datacenter`, datacenter],
    [`${PREFIX}robot_product`, server.at('product').text],
    [`${PREFIX}robot_cancelled`, String(server.at('cancelled').isTrue)],
  ]);
}
