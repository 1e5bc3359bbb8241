// gce_sd: instances of one zone of a project.
//
//   GET /compute/v1/projects/<project>/zones/<zone>/instances      in pages: nextPageToken
//
// All are one group, named by project and zone.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, joined, labelPart, type Pairs } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { GoogleTokens } from './google-tokens.js';

const API = 'https://compute.googleapis.com/compute/v1';
const SCOPE = 'https://www.googleapis.com/auth/compute.readonly';
const PAGE = '500';
const PREFIX = '__meta_gce_';

type Section = SectionOf<'gce'>;

export function discoverGce(section: Section, session: Session): Promise<void> {
  const { project, zone, filter, refreshIntervalMs } = section;
  const asker = session.askerOf({}, refreshIntervalMs);
  const tokens = new GoogleTokens(SCOPE, session);
  const base = `${API}/projects/${encodeURIComponent(project)}/zones/${encodeURIComponent(zone)}/instances`;
  return refreshing(session, refreshIntervalMs, async () => {
    const targets: Labels[] = [];
    let next = '';
    do {
      const query = new URLSearchParams({ maxResults: PAGE });
      if (filter !== '') query.set('filter', filter);
      if (next !== '') query.set('pageToken', next);
      const headers = [['Authorization', `Bearer ${await tokens.token()}`]] as const;
      const page = await asker.json({ url: `${base}?${query}`, headers });
      const connected = page.at('items').items.filter((instance) => instance.at('networkInterfaces').items.length > 0);
      targets.push(...connected.map((instance) => targetOf(instance, section)));
      next = page.at('nextPageToken').text;
    } while (next !== '');
    return [{ source: `GCE_${project}_${zone}`, labels: [], targets }];
  });
}

function targetOf(instance: Tree, { project, port, tagSeparator }: Section): Labels {
  const interfaces = instance.at('networkInterfaces').items;
  const first = interfaces[0]!;
  const access = first.at('accessConfigs').items.find((config) => config.at('type').text === 'ONE_TO_ONE_NAT');
  const metadata = instance.at('metadata', 'items').items;
  return labelsOf([
    ['__address__', hostPort(first.at('networkIP').text, port)],
    [`${PREFIX}project`, project],
    [`${PREFIX}zone`, instance.at('zone').text],
    [`${PREFIX}instance_id`, instance.at('id').text],
    [`${PREFIX}instance_name`, instance.at('name').text],
    [`${PREFIX}instance_status`, instance.at('status').text],
    [`${PREFIX}machine_type`, instance.at('machineType').text],
    [`${PREFIX}network`, first.at('network').text],
    [`${PREFIX}subnetwork`, first.at('subnetwork').text],
    [`${PREFIX}private_ip`, first.at('networkIP').text],
    [`${PREFIX}public_ip`, access?.at('natIP').text ?? ''],
    ...interfaces.map((network): [string, string] => [
      `${PREFIX}interface_ipv4_${labelPart(network.at('name').text)}`,
      network.at('networkIP').text,
    ]),
    [`${PREFIX}tags`, joined(instance.at('tags', 'items').texts, tagSeparator)],
    ...metadata.map((item): [string, string] => [
      `${PREFIX}metadata_${labelPart(item.at('key').text)}`,
      item.at('value').text,
    ]),
    ...instance
      .at('labels')
      .entries.map(([name, value]): Pairs[number] => [`${PREFIX}label_${labelPart(name)}`, value.text]),
  ]);
}
