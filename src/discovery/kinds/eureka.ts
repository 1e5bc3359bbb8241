// eureka_sd: instances of the apps that a Eureka server knows.
//
//   GET <server>/apps      XML: applications ► application ► instance
//
// Source of a group: the name of the app.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { parseXml } from '../xml.js';

const PREFIX = '__meta_eureka_app_instance_';
const PORT = '80';

export function discoverEureka(section: SectionOf<'eureka'>, session: Session): Promise<void> {
  const asker = session.asker(section, section.refreshIntervalMs);
  const url = `${section.server.replace(/\/+$/, '')}/apps`;
  return refreshing(session, section.refreshIntervalMs, async () => {
    const { text } = await asker.get({ url, headers: [['Accept', 'application/xml']] });
    return parseXml(text)
      .all('applications', 'application')
      .map((app) => ({
        source: app.at('name').text,
        labels: [],
        targets: app.all('instance').map((instance) => targetOf(app.at('name').text, instance)),
      }));
  });
}

function targetOf(app: string, instance: Tree): Labels {
  const field = (label: string, key: string): [string, string] => [`${PREFIX}${label}`, instance.at(key).text];
  const data = (prefix: string, metadata: Tree) =>
    metadata.entries
      .filter(([key]) => !key.startsWith('@'))
      .map(([key, value]): [string, string] => [`${PREFIX}${prefix}_${labelPart(key)}`, value.text]);
  return labelsOf([
    ['__address__', hostPort(instance.at('hostName').text, instance.at('port').text || PORT)],
    ['instance', instance.at('instanceId').text],
    ['__meta_eureka_app_name', app],
    field('id', 'instanceId'),
    field('hostname', 'hostName'),
    field('homepage_url', 'homePageUrl'),
    field('statuspage_url', 'statusPageUrl'),
    field('healthcheck_url', 'healthCheckUrl'),
    field('ip_addr', 'ipAddr'),
    field('vip_address', 'vipAddress'),
    field('secure_vip_address', 'secureVipAddress'),
    field('status', 'status'),
    field('country_id', 'countryId'),
    field('port', 'port'),
    [`${PREFIX}port_enabled`, instance.at('port', '@enabled').text],
    field('secure_port', 'securePort'),
    [`${PREFIX}secure_port_enabled`, instance.at('securePort', '@enabled').text],
    [`${PREFIX}datacenterinfo_name`, instance.at('dataCenterInfo', 'name').text],
    ...data('datacenterinfo', instance.at('dataCenterInfo', 'metadata')),
    ...data('metadata', instance.at('metadata')),
  ]);
}
