// ionos_sd: servers of one data center.
//
//   GET /cloudapi/v6/datacenters/<id>/servers?depth=3
//
// All are one group. Servers without an address are left out.

import type { SectionOf } from '../../config/discovery-keys.js';
import { labelsOf } from '../../model/labels.js';
import { hostPort, joined, labelPart, type Pairs } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const API = 'https://api.ionos.com/cloudapi/v6/datacenters';
const PREFIX = '__meta_ionos_server_';

export function discoverIonos(section: SectionOf<'ionos'>, session: Session): Promise<void> {
  const asker = session.asker(section, section.refreshIntervalMs);
  const url = `${API}/${encodeURIComponent(section.datacenterId)}/servers?depth=3`;
  return refreshing(session, section.refreshIntervalMs, async () => {
    const servers = await asker.json(url);
    const id = servers.at('id').text;
    const targets = servers.at('items').items.flatMap((server) => {
      const nics = server.at('entities', 'nics', 'items').items;
      const ips = nics.flatMap((nic) => nic.at('properties', 'ips').texts);
      if (ips.length === 0) return [];
      return [
        labelsOf([
          ['__address__', hostPort(ips[0]!, section.port)],
          [`${PREFIX}ip`, joined(ips)],
          [`${PREFIX}servers_id`, id],
          ...nicLabels(nics),
          ...serverLabels(server),
        ]),
      ];
    });
    return [{ source: 'ionos', labels: [], targets }];
  });
}

/** Addresses by the name of the interface. */
function nicLabels(nics: readonly Tree[]): Pairs {
  const byName = new Map<string, string[]>();
  for (const nic of nics) {
    const name = labelPart(nic.at('properties', 'name').text || 'unnamed');
    byName.set(name, [...(byName.get(name) ?? []), ...nic.at('properties', 'ips').texts]);
  }
  return [...byName].map(([name, ips]) => [`${PREFIX}nic_ip_${name}`, joined(ips)]);
}

function serverLabels(server: Tree): Pairs {
  const properties = server.at('properties');
  const bootVolume = properties.at('bootVolume', 'id').text;
  const volumes = server.at('entities', 'volumes', 'items').items;
  const image = volumes.find((volume) => volume.at('id').text === bootVolume)?.at('properties', 'image').text ?? '';
  return [
    [`${PREFIX}availability_zone`, properties.at('availabilityZone').text],
    [`${PREFIX}boot_cdrom_id`, properties.at('bootCdrom', 'id').text],
    [`${PREFIX}boot_image_id`, image],
    [`${PREFIX}boot_volume_id`, bootVolume],
    [`${PREFIX}cpu_family`, properties.at('cpuFamily').text],
    [`${PREFIX}id`, server.at('id').text],
    [`${PREFIX}lifecycle`, server.at('metadata', 'state').text],
    [`${PREFIX}name`, properties.at('name').text],
    [`${PREFIX}state`, properties.at('vmState').text],
    [`${PREFIX}type`, properties.at('type').text],
  ];
}
