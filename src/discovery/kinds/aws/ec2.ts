// ec2_sd: instances of one region.
//
//   DescribeAvailabilityZones     names to ids, which are the same for all accounts; may be forbidden
//   DescribeInstances             in pages: reservationSet ► item ► instancesSet ► item
//
// All are one group, named by the region.

import type { SectionOf } from '../../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart } from '../../group.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { AwsApi, filterParameters } from './api.js';

const VERSION = '2016-11-15';
const PAGE = '1000';
const PREFIX = '__meta_ec2_';

type Section = SectionOf<'ec2'>;

export function discoverEc2(section: Section, session: Session): Promise<void> {
  const api = new AwsApi(section, session);
  let zones: ReadonlyMap<string, string> | undefined;
  return refreshing(session, section.refreshIntervalMs, async () => {
    zones ??= await zonesOf(api, session);
    const region = await api.region();
    const targets: Labels[] = [];
    let next = '';
    do {
      const page = await api.query('ec2', VERSION, 'DescribeInstances', [
        ['MaxResults', PAGE],
        ...filterParameters(section.filters),
        ...(next === '' ? [] : ([['NextToken', next]] as [string, string][])),
      ]);
      for (const reservation of page.all('reservationSet', 'item')) {
        const owner = reservation.at('ownerId').text;
        for (const instance of reservation.all('instancesSet', 'item')) {
          const target = targetOf(instance, { owner, region, zones, port: section.port });
          if (target !== undefined) targets.push(target);
        }
      }
      next = page.at('nextToken').text;
    } while (next !== '');
    return [{ source: region, labels: [], targets }];
  });
}

/** Ids of zones by name; none where we may not ask. */
async function zonesOf(api: AwsApi, session: Session): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const page = await api.query('ec2', VERSION, 'DescribeAvailabilityZones', []);
    return new Map(
      page.all('availabilityZoneInfo', 'item').map((zone) => [zone.at('zoneName').text, zone.at('zoneId').text]),
    );
  } catch (error) {
    session.log.debug('Unable to describe availability zones', { err: error as Error });
    return undefined;
  }
}

interface Where {
  readonly owner: string;
  readonly region: string;
  readonly zones: ReadonlyMap<string, string> | undefined;
  readonly port: number;
}

/** undefined for what has no address. */
function targetOf(instance: Tree, { owner, region, zones, port }: Where): Labels | undefined {
  const interfaces = instance.all('networkInterfaceSet', 'item');
  const subnets = [...new Set(interfaces.map((network) => network.at('subnetId').text))].filter((id) => id !== '');
  const v6 = interfaces.flatMap((network) =>
    network.all('ipv6AddressesSet', 'item').map((address) => ({
      ip: address.at('ipv6Address').text,
      isPrimary: address.at('isPrimaryIpv6').isTrue,
      index: network.at('attachment', 'deviceIndex').number,
    })),
  );
  const primary = v6.filter(({ isPrimary }) => isPrimary).sort((a, b) => a.index - b.index);
  const defaultV6 = (primary[0] ?? v6[0])?.ip ?? '';
  const privateIp = instance.at('privateIpAddress').text;
  if (privateIp === '' && defaultV6 === '') return undefined;

  const zone = instance.at('placement', 'availabilityZone').text;
  const inVpc = instance.at('vpcId').text !== '';
  const tags = instance.all('tagSet', 'item').filter((tag) => tag.at('key').text !== '');
  return labelsOf([
    ['__address__', hostPort(privateIp || defaultV6, port)],
    [`${PREFIX}instance_id`, instance.at('instanceId').text],
    [`${PREFIX}region`, region],
    [`${PREFIX}owner_id`, owner],
    [`${PREFIX}private_ip`, privateIp],
    [`${PREFIX}private_dns_name`, instance.at('privateDnsName').text],
    [`${PREFIX}public_ip`, instance.at('ipAddress').text],
    [`${PREFIX}public_dns_name`, instance.at('ipAddress').text === '' ? '' : instance.at('dnsName').text],
    [`${PREFIX}ami`, instance.at('imageId').text],
    [`${PREFIX}architecture`, instance.at('architecture').text],
    [`${PREFIX}availability_zone`, zone],
    [`${PREFIX}availability_zone_id`, zones?.get(zone) ?? ''],
    [`${PREFIX}instance_state`, instance.at('instanceState', 'name').text],
    [`${PREFIX}instance_type`, instance.at('instanceType').text],
    [`${PREFIX}instance_lifecycle`, instance.at('instanceLifecycle').text],
    [`${PREFIX}platform`, instance.at('platform').text],
    [`${PREFIX}vpc_id`, instance.at('vpcId').text],
    [`${PREFIX}primary_subnet_id`, inVpc ? instance.at('subnetId').text : ''],
    [`${PREFIX}subnet_id`, inVpc ? joined(subnets) : ''],
    [`${PREFIX}ipv6_addresses`, inVpc ? joined(v6.map(({ ip }) => ip)) : ''],
    [`${PREFIX}primary_ipv6_addresses`, inVpc ? joined(primary.map(({ ip }) => ip)) : ''],
    [`${PREFIX}default_ipv6_address`, defaultV6],
    ...tags.map((tag): [string, string] => [`${PREFIX}tag_${labelPart(tag.at('key').text)}`, tag.at('value').text]),
  ]);
}

/** With separators on both sides, so that a pattern finds an item wherever it stands. */
function joined(items: readonly string[]): string {
  return items.length === 0 ? '' : `,${items.join(',')},`;
}
