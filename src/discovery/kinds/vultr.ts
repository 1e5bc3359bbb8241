// vultr_sd: instances of an account.
//
//   GET /v2/instances      in pages: meta.links.next is the next cursor
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, joined } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const API = 'https://api.vultr.com/v2/instances';
const PAGE = '100';

/** Labels, and the fields they are from. */
const FIELDS: readonly (readonly [label: string, field: string])[] = [
  ['id', 'id'],
  ['label', 'label'],
  ['os', 'os'],
  ['os_id', 'os_id'],
  ['region', 'region'],
  ['plan', 'plan'],
  ['main_ip', 'main_ip'],
  ['internal_ip', 'internal_ip'],
  ['main_ipv6', 'v6_main_ip'],
  ['hostname', 'hostname'],
  ['server_status', 'server_status'],
  ['vcpu_count', 'vcpu_count'],
  ['ram_mb', 'ram'],
  ['disk_gb', 'disk'],
  ['allowed_bandwidth_gb', 'allowed_bandwidth'],
];

export function discoverVultr(section: SectionOf<'vultr'>, session: Session): Promise<void> {
  const asker = session.asker(section, section.refreshIntervalMs);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const targets: Labels[] = [];
    let cursor = '';
    do {
      const page = await asker.json(`${API}?${new URLSearchParams({ per_page: PAGE, cursor })}`);
      targets.push(...page.at('instances').items.map((instance) => targetOf(instance, section.port)));
      cursor = page.at('meta', 'links', 'next').text;
    } while (cursor !== '');
    return [{ source: 'Vultr', labels: [], targets }];
  });
}

function targetOf(instance: Tree, port: number): Labels {
  return labelsOf([
    ['__address__', hostPort(instance.at('main_ip').text, port)],
    ...FIELDS.map(([label, field]): [string, string] => [`__meta_vultr_instance_${label}`, instance.at(field).text]),
    ['__meta_vultr_instance_features', joined(instance.at('features').texts)],
    ['__meta_vultr_instance_tags', joined(instance.at('tags').texts)],
  ]);
}
