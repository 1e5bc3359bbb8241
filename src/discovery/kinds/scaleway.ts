// scaleway_sd: instances or bare metal of one zone.
//
//   instance    GET /instance/v1/zones/<zone>/servers                    in pages, until one is not full
//   baremetal   GET /baremetal/v1/zones/<zone>/{servers,offers,os}       likewise
//
// The secret key goes in X-Auth-Token. All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, joined, type Pairs } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const PAGE = 100;

type Section = SectionOf<'scaleway'>;
/** All items of a collection; `filtered`: those that the section wants. */
type Lister = (path: string, key: string, isFiltered: boolean) => Promise<Tree[]>;

export function discoverScaleway(section: Section, session: Session): Promise<void> {
  const asker = session.asker(section, section.refreshIntervalMs);
  const list: Lister = async (path, key, isFiltered) => {
    const items: Tree[] = [];
    for (let page = 1; ; page++) {
      const query = new URLSearchParams({ page: String(page), per_page: String(PAGE), page_size: String(PAGE) });
      if (isFiltered) addFilters(query, section);
      const url = `${section.apiUrl.replace(/\/+$/, '')}/${path}?${query}`;
      const answer = await asker.json({ url, headers: [['X-Auth-Token', secretOf(section, session)]] });
      const found = answer.at(key).items;
      items.push(...found);
      if (found.length < PAGE) return items;
    }
  };
  const find = section.role === 'baremetal' ? findBaremetal : findInstances;
  return refreshing(session, section.refreshIntervalMs, async () => [
    { source: 'scaleway', labels: [], targets: await find(section, list) },
  ]);
}

function secretOf({ secretKey, secretKeyFile }: Section, { disk }: Session): string {
  return secretKeyFile === ''
    ? (secretKey?.reveal() ?? '')
    : new TextDecoder().decode(disk.readFile(secretKeyFile)).trim();
}

function addFilters(query: URLSearchParams, { role, projectId, nameFilter, tagsFilter }: Section): void {
  query.set(role === 'instance' ? 'project' : 'project_id', projectId);
  if (nameFilter !== '') query.set('name', nameFilter);
  if (role === 'instance' && tagsFilter.length > 0) query.set('tags', tagsFilter.join(','));
  if (role === 'baremetal') for (const tag of tagsFilter) query.append('tags', tag);
}

async function findInstances({ zone, port }: Section, list: Lister): Promise<Labels[]> {
  const servers = await list(`instance/v1/zones/${zone}/servers`, 'servers', true);
  return servers.flatMap((server) => {
    const privateIp = server.at('private_ip').text;
    const first = server.at('public_ip', 'address').text;
    const all = server.at('public_ips').items.map((ip) => ip.at('address').text);
    const v4 = all.filter((ip) => !isIPv6(ip));
    const v6 = all.filter(isIPv6);
    const publicV4 = first !== '' && !isIPv6(first) ? first : (v4[0] ?? '');
    const publicV6 = server.at('ipv6', 'address').text || (isIPv6(first) ? first : (v6[0] ?? ''));
    const address = privateIp || publicV4 || publicV6;
    // Nothing to scrape, and nothing that relabelling could make of it.
    if (address === '') return [];
    return [
      labelsOf([
        ['__address__', hostPort(address, port)],
        ...instanceLabels('__meta_scaleway_instance_', server),
        ['__meta_scaleway_instance_private_ipv4', privateIp],
        ['__meta_scaleway_instance_public_ipv4', publicV4],
        ['__meta_scaleway_instance_public_ipv6', publicV6],
        ['__meta_scaleway_instance_public_ipv4_addresses', joined(v4)],
        ['__meta_scaleway_instance_public_ipv6_addresses', joined(v6)],
      ]),
    ];
  });
}

function instanceLabels(prefix: string, server: Tree): Pairs {
  const zone = server.at('zone').text;
  return [
    [`${prefix}boot_type`, server.at('boot_type').text],
    [`${prefix}hostname`, server.at('hostname').text],
    [`${prefix}id`, server.at('id').text],
    [`${prefix}image_arch`, server.at('image', 'arch').text],
    [`${prefix}image_id`, server.at('image', 'id').text],
    [`${prefix}image_name`, server.at('image', 'name').text],
    [`${prefix}location_cluster_id`, server.at('location', 'cluster_id').text],
    [`${prefix}location_hypervisor_id`, server.at('location', 'hypervisor_id').text],
    [`${prefix}location_node_id`, server.at('location', 'node_id').text],
    [`${prefix}name`, server.at('name').text],
    [`${prefix}organization_id`, server.at('organization').text],
    [`${prefix}project_id`, server.at('project').text],
    [`${prefix}region`, zone.replace(/-\d+$/, '')],
    [`${prefix}security_group_id`, server.at('security_group', 'id').text],
    [`${prefix}security_group_name`, server.at('security_group', 'name').text],
    [`${prefix}status`, server.at('state').text],
    [`${prefix}tags`, joined(server.at('tags').texts)],
    [`${prefix}type`, server.at('commercial_type').text],
    [`${prefix}zone`, zone],
  ];
}

async function findBaremetal({ zone, port }: Section, list: Lister): Promise<Labels[]> {
  const prefix = '__meta_scaleway_baremetal_';
  const base = `baremetal/v1/zones/${zone}`;
  const servers = await list(`${base}/servers`, 'servers', true);
  const offers = byId(await list(`${base}/offers`, 'offers', false));
  const systems = byId(await list(`${base}/os`, 'os', false));
  return servers.map((server) => {
    const system = systems.get(server.at('install', 'os_id').text);
    const ips = server.at('ips').items.map((ip) => ip.at('address').text);
    const v4 = ips.find((ip) => !isIPv6(ip)) ?? '';
    const v6 = ips.find(isIPv6) ?? '';
    return labelsOf([
      ['__address__', hostPort(v4 || v6, port)],
      [`${prefix}id`, server.at('id').text],
      [`${prefix}name`, server.at('name').text],
      [`${prefix}public_ipv4`, v4],
      [`${prefix}public_ipv6`, v6],
      [`${prefix}os_name`, system?.at('name').text ?? ''],
      [`${prefix}os_version`, system?.at('version').text ?? ''],
      [`${prefix}project_id`, server.at('project_id').text],
      [`${prefix}status`, server.at('status').text],
      [`${prefix}tags`, joined(server.at('tags').texts)],
      [`${prefix}type`, offers.get(server.at('offer_id').text)?.at('name').text ?? ''],
      [`${prefix}zone`, server.at('zone').text],
    ]);
  });
}

function byId(items: readonly Tree[]): ReadonlyMap<string, Tree> {
  return new Map(items.map((item) => [item.at('id').text, item]));
}

function isIPv6(ip: string): boolean {
  return ip.includes(':');
}
