// openstack_sd: hypervisors, instances or load balancers of one region.
//
//   POST <identity>/auth/tokens                          a token, and where the services are (the catalog)
//   hypervisor     GET <compute>/os-hypervisors/detail
//   instance       GET <compute>/servers/detail          in pages: servers_links
//   loadbalancer   GET <load balancer>/v2.0/lbaas/{loadbalancers,listeners}, <network>/v2.0/floatingips
//
// All are one group, named by the region.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { OpenStackApi } from './openstack-api.js';

const PREFIX = '__meta_openstack_';

type Section = SectionOf<'openstack'>;
type Finder = (api: OpenStackApi, section: Section) => Promise<Labels[]>;

export function discoverOpenStack(section: Section, session: Session): Promise<void> {
  const api = new OpenStackApi(section, session);
  const find = ROLES.get(section.role)!;
  return refreshing(session, section.refreshIntervalMs, async () => [
    { source: `OS_${section.region}`, labels: [], targets: await find(api, section) },
  ]);
}

const ROLES: ReadonlyMap<string, Finder> = new Map([
  ['hypervisor', findHypervisors],
  ['instance', findInstances],
  ['loadbalancer', findLoadBalancers],
]);

async function findHypervisors(api: OpenStackApi, { port }: Section): Promise<Labels[]> {
  const hypervisors = await api.all('compute', '/os-hypervisors/detail', 'hypervisors');
  return hypervisors.map((hypervisor) =>
    labelsOf([
      ['__address__', hostPort(hypervisor.at('host_ip').text, port)],
      [`${PREFIX}hypervisor_id`, hypervisor.at('id').text],
      [`${PREFIX}hypervisor_hostname`, hypervisor.at('hypervisor_hostname').text],
      [`${PREFIX}hypervisor_type`, hypervisor.at('hypervisor_type').text],
      [`${PREFIX}hypervisor_host_ip`, hypervisor.at('host_ip').text],
      [`${PREFIX}hypervisor_state`, hypervisor.at('state').text],
      [`${PREFIX}hypervisor_status`, hypervisor.at('status').text],
    ]),
  );
}

async function findInstances(api: OpenStackApi, { port, allTenants }: Section): Promise<Labels[]> {
  const servers = await api.all('compute', `/servers/detail${allTenants ? '?all_tenants=true' : ''}`, 'servers');
  return servers.flatMap((server) => {
    const addresses = server
      .at('addresses')
      .entries.flatMap(([pool, list]) => list.items.map((address) => ({ pool, address })));
    const floating = new Map(
      addresses
        .filter(({ address }) => isFloating(address))
        .map(({ address }) => [macOf(address), address.at('addr').text]),
    );
    return addresses
      .filter(({ address }) => !isFloating(address))
      .map(({ pool, address }) => {
        const ip = address.at('addr').text;
        return labelsOf([
          ['__address__', hostPort(ip, port)],
          ...instanceLabels(server),
          [`${PREFIX}address_pool`, pool],
          [`${PREFIX}private_ip`, ip],
          [`${PREFIX}public_ip`, floating.get(macOf(address)) ?? ''],
        ]);
      });
  });
}

function isFloating(address: Tree): boolean {
  return address.at('OS-EXT-IPS:type').text === 'floating';
}

/** Addresses of the same interface have the same. */
function macOf(address: Tree): string {
  return address.at('OS-EXT-IPS-MAC:mac_addr').text;
}

function instanceLabels(server: Tree): [string, string][] {
  const flavor = server.at('flavor');
  return [
    [`${PREFIX}instance_id`, server.at('id').text],
    [`${PREFIX}instance_name`, server.at('name').text],
    [`${PREFIX}instance_status`, server.at('status').text],
    [`${PREFIX}instance_image`, server.at('image', 'id').text],
    [`${PREFIX}instance_flavor`, flavor.at('original_name').text || flavor.at('id').text],
    [`${PREFIX}project_id`, server.at('tenant_id').text],
    [`${PREFIX}user_id`, server.at('user_id').text],
    ...server
      .at('metadata')
      .entries.map(([name, value]): [string, string] => [`${PREFIX}tag_${labelPart(name)}`, value.text]),
  ];
}

/** Those with a listener for us; its port, not the section's. */
async function findLoadBalancers(api: OpenStackApi, _section: Section): Promise<Labels[]> {
  const balancers = await api.all('load-balancer', '/v2.0/lbaas/loadbalancers', 'loadbalancers');
  const listeners = await api.all('load-balancer', '/v2.0/lbaas/listeners', 'listeners');
  const floating = await api.all('network', '/v2.0/floatingips', 'floatingips');
  const byFixed = new Map(floating.map((ip) => [ip.at('fixed_ip_address').text, ip.at('floating_ip_address').text]));
  const ports = new Map<string, string>();
  for (const listener of listeners.filter((candidate) => candidate.at('protocol').text === 'PROMETHEUS')) {
    for (const balancer of listener.at('loadbalancers').items) {
      ports.set(balancer.at('id').text, listener.at('protocol_port').text);
    }
  }
  return balancers
    .filter((balancer) => ports.has(balancer.at('id').text))
    .map((balancer) => {
      const vip = balancer.at('vip_address').text;
      const own = ['id', 'name', 'operating_status', 'provisioning_status', 'availability_zone', 'provider'];
      return labelsOf([
        ['__address__', hostPort(vip, ports.get(balancer.at('id').text)!)],
        ...own.map((key): [string, string] => [`${PREFIX}loadbalancer_${key}`, balancer.at(key).text]),
        [`${PREFIX}loadbalancer_vip`, vip],
        [`${PREFIX}loadbalancer_floating_ip`, byFixed.get(vip) ?? ''],
        [`${PREFIX}loadbalancer_tags`, balancer.at('tags').texts.join(',')],
        [`${PREFIX}project_id`, balancer.at('project_id').text],
      ]);
    });
}
