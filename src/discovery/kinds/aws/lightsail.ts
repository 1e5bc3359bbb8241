// lightsail_sd: instances of one region.
//
//   Lightsail_20161128.GetInstances      in pages
//
// All are one group, named by the region.

import type { SectionOf } from '../../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart } from '../../group.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { AwsApi } from './api.js';

const PREFIX = '__meta_lightsail_';

export function discoverLightsail(section: SectionOf<'lightsail'>, session: Session): Promise<void> {
  const api = new AwsApi(section, session);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const instances: Tree[] = [];
    let next = '';
    do {
      const request = next === '' ? {} : { pageToken: next };
      const page = await api.json('lightsail', 'Lightsail_20161128.GetInstances', request);
      instances.push(...page.at('instances').items);
      next = page.at('nextPageToken').text;
    } while (next !== '');
    const addressed = instances.filter((instance) => instance.at('privateIpAddress').text !== '');
    const targets = addressed.map((instance) => targetOf(instance, section.port));
    return [{ source: await api.region(), labels: [], targets }];
  });
}

function targetOf(instance: Tree, port: number): Labels {
  const v6 = instance.at('ipv6Addresses').texts;
  const tags = instance.at('tags').items.filter((tag) => tag.at('key').text !== '');
  return labelsOf([
    ['__address__', hostPort(instance.at('privateIpAddress').text, port)],
    [`${PREFIX}availability_zone`, instance.at('location', 'availabilityZone').text],
    [`${PREFIX}region`, instance.at('location', 'regionName').text],
    [`${PREFIX}blueprint_id`, instance.at('blueprintId').text],
    [`${PREFIX}bundle_id`, instance.at('bundleId').text],
    [`${PREFIX}instance_name`, instance.at('name').text],
    [`${PREFIX}instance_state`, instance.at('state', 'name').text],
    [`${PREFIX}instance_support_code`, instance.at('supportCode').text],
    [`${PREFIX}private_ip`, instance.at('privateIpAddress').text],
    [`${PREFIX}public_ip`, instance.at('publicIpAddress').text],
    [`${PREFIX}ipv6_addresses`, v6.length === 0 ? '' : `,${v6.join(',')},`],
    ...tags.map((tag): [string, string] => [`${PREFIX}tag_${labelPart(tag.at('key').text)}`, tag.at('value').text]),
  ]);
}
